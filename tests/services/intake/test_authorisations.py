"""Asset rows about people whose household allowed it on no live form leave nothing but a count."""

from typing import Any

import pytest

from shared.vocabulary.identity_number import parse_identity_number
from tests.services.intake.build import VILLAGE, Department, csv_text, number, register_row

IN, OUT = number(10), number(20)  # Householders of H000001, which allows it, and of H000002, which does not.


def form(no: str = "SQ1", household: str = "H000001", **changes: str) -> dict[str, str]:
    return {
        "授权书编号": no,
        "业务类型": "签署",
        "原授权书编号": "",
        "户编号": household,
        "户主姓名": "王小明",
        "签字人": "王小明",
        "签字人数": "1",
        "授权范围": "机动车",
        "签署日期": "2026-03-01",
        "有效期至": "2026-12-31",
        "行政区划代码": VILLAGE,
        **changes,
    }


def vehicle(plate: str, person: str, **changes: str) -> dict[str, str]:
    return {
        "号牌号码": plate,
        "姓名": "王小明",
        "证件号码": person,
        "使用性质": "非营运",
        "初次登记日期": "2024-05-01",
        "车辆价值": "86000",
        **changes,
    }


def dwelling(no: str, person: str, **changes: str) -> dict[str, str]:
    row = {"不动产权证号": no, "权利人": "王小明", "证件号码": person, "房屋性质": "商品房", "登记日期": "2023-08-01"}
    return {**row, **changes}


BOTH = csv_text([vehicle("冀F00001", IN), vehicle("冀F00002", OUT)])


@pytest.fixture
async def homes(department: Department) -> None:
    await department.send("household_register", csv_text([register_row(1), register_row(2)]), period="2026")


async def sent(department: Department, text: str = BOTH, **options: str) -> dict[str, int]:
    feed = await department.send("vehicles", text, **options)
    assert feed["status"] == "recorded", feed
    return {name: feed["counts"][name] for name in ("read", "accepted", "rejected", "unauthorised")}


async def everything(admin: Any) -> str:
    """All that intake's tables hold, as text."""
    tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'intake'")
    rows = [await admin.fetch(f"SELECT t::text FROM intake.{t['tablename']} t") for t in tables]
    return "\n".join(row["t"] for found in rows for row in found)


@pytest.mark.usefixtures("homes")
async def test_only_those_whose_household_allows_it_are_taken(
    department: Department, intake_runtime: Any, admin: Any, said: Any
) -> None:
    await department.send("authorisations", csv_text([form()]))
    before = await everything(admin)
    assert await sent(department) == {"read": 2, "accepted": 1, "rejected": 0, "unauthorised": 1}
    told = [
        o for _, payload, _ in await said() for o in payload.get("observations", ()) if o["kind"] == "asset.vehicle"
    ]
    assert [o["record"] for o in told] == ["冀F00001"]
    held = await everything(admin)
    index = intake_runtime.keys.blind_index(parse_identity_number(OUT, intake_runtime.clock.today()).number)
    assert "冀F00001" in held
    assert "冀F00002" not in held
    assert OUT not in held
    assert held.count(index.hex()) == before.count(index.hex())  # The roster's, and nothing of the vehicle.
    raw = await admin.fetchrow(
        "SELECT sealed_key, (SELECT count(*) FROM intake.feed_chunk c WHERE c.feed_id = f.feed_id) AS chunks"
        " FROM intake.feed f WHERE layout = 'vehicles'"
    )
    assert tuple(raw) == (None, 0)


@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({"有效期至": "2026-03-15"}, True),  # The day of the test is the last.
        ({"有效期至": "2026-03-14"}, False),
        ({"签署日期": "2026-03-15"}, True),
        ({"授权范围": "不动产、机动车"}, True),
        ({"授权范围": "不动产"}, False),
        ({"户编号": "H000009"}, False),
    ],
)
async def test_a_form_allows_what_it_says_and_while_it_lives(
    change: dict[str, str], taken: bool, department: Department
) -> None:
    await department.send("authorisations", csv_text([form(**change)]))
    text = csv_text([vehicle("冀F00001", IN)])
    assert (await sent(department, text))["accepted"] == taken


@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_form_taken_back_allows_nothing_in_whatever_order_it_is_heard(
    order: tuple[int, int], department: Department
) -> None:
    files = [form(), form("SQ2", 业务类型="作废", 原授权书编号="SQ1")]
    for i in order:
        await department.send("authorisations", csv_text([files[i]]))
    assert (await sent(department))["accepted"] == 0


@pytest.mark.usefixtures("homes")
async def test_the_same_file_is_taken_again_once_it_is_allowed(department: Department) -> None:
    assert (await sent(department))["unauthorised"] == 2
    await department.send("authorisations", csv_text([form()]))
    assert (await sent(department))["accepted"] == 1


@pytest.mark.usefixtures("homes")
async def test_a_list_ends_what_is_allowed_no_more(
    department: Department, intake_runtime: Any, house: Any, said: Any, bearer: Any
) -> None:
    await department.send("authorisations", csv_text([form()]))
    await sent(department, period="2026-01")
    await department.send("authorisations", csv_text([form("SQ2", 业务类型="作废", 原授权书编号="SQ1")]))
    answer = await department.post("vehicles", BOTH, period="2026-02")
    await house.run_worker("intake", "ingest")
    feed_id = answer.json()["id"]
    assert (await department.feed(feed_id))["status"] == "waiting_confirmation"  # It would end all that is listed.
    assert (await department.confirm(feed_id)).status_code == 202
    await house.run_worker("intake", "ingest")
    ended = [o for _, payload, _ in await said() for o in payload.get("observations", ()) if o.get("op") == "end"]
    assert [o["record"] for o in ended] == ["冀F00001"]


@pytest.mark.usefixtures("homes")
async def test_a_bad_row_is_said_by_its_place_alone(department: Department, admin: Any) -> None:
    await department.send("authorisations", csv_text([form()]))
    text = csv_text([vehicle("冀F00001", IN), vehicle("冀F00077", OUT, 初次登记日期="2024-13-01")])
    assert await sent(department, text) == {"read": 2, "accepted": 1, "rejected": 1, "unauthorised": 0}
    held = await everything(admin)
    assert "冀F00077" not in held
    errors = await admin.fetch("SELECT line, header, code, echo, record FROM intake.feed_row_error WHERE line = 3")
    assert [tuple(row) for row in errors] == [(3, "初次登记日期", "no_such_date", None, None)]


@pytest.mark.usefixtures("homes")
async def test_a_row_that_says_nothing_is_counted_by_whether_its_household_allows_it(
    department: Department, admin: Any
) -> None:
    await department.send("authorisations", csv_text([form(授权范围="不动产")]))
    rows = [
        dwelling("产权0001", IN),
        dwelling("产权0002", IN, 房屋性质="自建房"),
        dwelling("产权0003", OUT, 房屋性质="自建房"),
    ]
    feed = await department.send("property", csv_text(rows))
    assert (feed["counts"]["accepted"], feed["counts"]["unauthorised"]) == (2, 1)
    held = await everything(admin)
    assert ["产权0002" in held, "产权0003" in held] == [True, False]


@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize(
    ("text", "mode", "status"),
    [
        (
            csv_text([vehicle("冀F00001", IN), vehicle("冀F00077", OUT, 初次登记日期="2024-13-01")]),
            "partial",
            "recorded",
        ),
        (csv_text([vehicle("冀F00077", OUT, 初次登记日期="2024-13-01")]), "partial", "rejected"),
        (
            csv_text([vehicle("冀F00001", IN), vehicle("冀F00077", OUT, 初次登记日期="2024-13-01")]),
            "atomic",
            "rejected",
        ),
        (f"号牌号码,证件号码\n冀F00077,{OUT}\n", "partial", "rejected"),  # No row of it was looked at.
        (csv_text([vehicle("冀F00001", IN)]), "partial", "recorded"),
    ],
)
async def test_a_raw_file_is_kept_only_if_each_row_of_it_is_allowed(
    text: str, mode: str, status: str, department: Department, admin: Any
) -> None:
    await department.send("authorisations", csv_text([form()]))
    assert (await department.send("vehicles", text, mode=mode))["status"] == status
    kept = await admin.fetchval(
        "SELECT sealed_key IS NOT NULL OR EXISTS (SELECT FROM intake.feed_chunk c WHERE c.feed_id = f.feed_id)"
        " FROM intake.feed f WHERE layout = 'vehicles'"
    )
    assert kept == ("冀F00077" not in text)


@pytest.mark.usefixtures("homes")
async def test_who_left_the_household_is_no_longer_covered(department: Department) -> None:
    await department.send("authorisations", csv_text([form()]))
    moved = [register_row(1, 证件号码=number(11)), register_row(2), register_row(2, 1, 证件号码=IN)]
    await department.send("household_register", csv_text(moved), period="2026-03")
    assert (await sent(department))["accepted"] == 0
