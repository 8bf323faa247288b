"""Files as departments would send them, made in memory; all numbers in reserved areas."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import httpx

from shared.vocabulary.identity_number import check_digit

VILLAGE = "130624100201"
COUNTY = "130624000000"

MEDICAL = (
    "结算单号",
    "证件号码",
    "姓名",
    "结算日期",
    "就诊类别",
    "住院号",
    "医疗总费用",
    "基本医保支付",
    "大病保险支付",
    "医疗救助支付",
    "其他支付",
    "合规自付",
    "目录外自付",
    "个人编号",
)
DISABILITY = ("残疾证号", "姓名", "证件号码", "残疾类别", "残疾等级", "发证日期", "行政区划代码")
REGISTER = (
    "户编号",
    "姓名",
    "证件号码",
    "与户主关系",
    "联系电话",
    "行政区划代码",
    "户类型",
    "参加居民医保",
    "参加职工医保",
    "住房等级",
    "实际居住房屋等级",
    "收入年度",
    "工资性收入",
    "生产经营性收入",
    "生产经营性支出",
    "财产性收入",
    "转移性收入",
)


def number(i: int) -> str:
    """The i-th made-up identity number, in areas that do not exist (9999xx)."""
    area, year, sequence = 999901 + i // 54_000, 1960 + i // 900 % 60, i % 900 + 1
    first_17 = f"{area}{year}0101{sequence:03d}"
    return first_17 + check_digit(first_17)


def medical_row(i: int, **changes: str) -> dict[str, str]:
    """The i-th settlement: 1,000 yuan, of which 300 and 100 are self-paid."""
    row = dict(
        zip(
            MEDICAL,
            (
                f"JS{i:08d}",
                number(i),
                "王小明",
                "2026-01-05",
                "住院",
                f"ZY{i}",
                "1000.00",
                "500.00",
                "50.00",
                "50.00",
                "0",
                "300.00",
                "100.00",
                "",
            ),
            strict=True,
        )
    )
    return {**row, **changes}


def disability_row(i: int, *, grade: str = "3", **changes: str) -> dict[str, str]:
    row = dict(
        zip(
            DISABILITY,
            (
                f"{number(i)}4{grade}",
                "王小明",
                number(i),
                "肢体",
                f"{'一二三四'[int(grade) - 1]}级",
                "2025-11-20",
                VILLAGE,
            ),
            strict=True,
        )
    )
    return {**row, **changes}


def register_row(household: int, member: int = 0, **changes: str) -> dict[str, str]:
    """A member of a household; member 0 is the householder, whose row carries the income."""
    income = ("2025", "18000", "9000.5", "3000", "0", "2,600.00") if member == 0 else ("",) * 6
    row = dict(
        zip(
            REGISTER,
            (
                f"H{household:06d}",
                "王小明",
                number(household * 10 + member),
                "户主" if member == 0 else "之子",
                "19900000001",
                VILLAGE,
                "一般农户",
                "是",
                "否",
                "B",
                "B",
                *income,
            ),
            strict=True,
        )
    )
    return {**row, **changes}


def csv_text(rows: Iterable[Mapping[str, str]], *, header: Iterable[str] | None = None) -> str:
    """The rows as CSV under the header of the first, or the one given."""
    rows = list(rows)
    names = list(header or rows[0])

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text

    lines = [",".join(map(quoted, names)), *(",".join(quoted(row[name]) for name in names) for row in rows)]
    return "\r\n".join(lines) + "\r\n"


class Department:
    """A department's client: sends files and lets the worker take them in."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        house: Any,
        headers: dict[str, str],
        a_person: dict[str, str] | None = None,
    ) -> None:
        self.client, self.house, self.headers = client, house, headers
        self.a_person = a_person or headers

    async def post(
        self, layout: str, content: str | bytes, *, media_type: str = "text/csv", **query: str
    ) -> httpx.Response:
        body = content.encode() if isinstance(content, str) else content
        return await self.client.post(
            "/intake/v1/feeds",
            params={"layout": layout, **query},
            content=body,
            headers={**self.headers, "Content-Type": media_type},
        )

    async def send(self, layout: str, content: str | bytes, **options: str) -> dict[str, Any]:
        """Send a file, take it in, and say what came of it; a second passes."""
        answer = await self.post(layout, content, **options)
        assert answer.status_code in (200, 202), answer.text
        await self.house.run_worker("intake", "ingest")
        self.house.clock.at += timedelta(seconds=1)
        return await self.feed(answer.json()["id"])

    async def confirm(self, feed_id: str) -> httpx.Response:
        """Confirm a waiting snapshot, which only a person can."""
        return await self.client.post(f"/intake/v1/feeds/{feed_id}/confirm", headers=self.a_person)

    async def feed(self, feed_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/intake/v1/feeds/{feed_id}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def errors(self, feed_id: str) -> list[dict[str, Any]]:
        answer = await self.client.get(
            f"/intake/v1/feeds/{feed_id}/errors", params={"limit": "200"}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found
