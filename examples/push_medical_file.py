"""Send a medical settlement file (医保结算) to fangpin, as the medical insurance bureau's own program would.

    FANGPIN_CLIENT_ID=... FANGPIN_CLIENT_SECRET=... python push_medical_file.py medical_settlement_sample.csv

Sends the file, shows how far it got, prints each row's errors, and saves them as a CSV for whoever mends them.
Run again with the same file, it finds the same feed: nothing is recorded twice.

Exit codes: 0 every row was accepted; 1 the file arrived but rows, or the file as a whole, were rejected;
2 it could not be sent (credentials, network, wrong use).
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from fangpin_client import Away, Fangpin, Refused, add_options, open_client

UNDER_WAY = frozenset({"received", "reading", "recording"})
ENDS = {
    "recorded": "已入库",
    "checked": "试运行完成，未入库",
    "rejected": "整批未入库",
    "failed": "处理失败",
    "waiting_confirmation": "等待人工确认",
}
COUNTS = {
    "read": "读取",
    "accepted": "接收",
    "rejected": "退回",
    "duplicates": "重复",
    "recorded": "入库",
    "added": "新增",
    "changed": "更正",
    "unchanged": "未变",
}
SHOWN = 20  # Rows printed; the CSV holds all.


def main() -> int:
    parser = argparse.ArgumentParser(description="报送医保结算", epilog="退出码：0 全部接收；1 有退回；2 未能报送")
    parser.add_argument("file", type=Path, help="CSV（UTF-8 或 GB18030）或 NDJSON（.ndjson）")
    parser.add_argument("--period", default="", help="期次，例如 2025-12")
    parser.add_argument(
        "--mode",
        choices=["partial", "atomic", "dry_run"],
        default="partial",
        help="有错行时：partial 入库其余行；atomic 整批不入库；dry_run 只检查",
    )
    parser.add_argument("--errors", type=Path, help="错误清单存到哪里；默认为 <文件名>.errors.csv")
    add_options(parser)
    options = parser.parse_args()
    if not options.file.is_file():
        parser.error(f"没有这个文件：{options.file}")
    house = open_client(parser, options)
    try:
        feed = send(house, options.file, options.period, options.mode)
        tell_end(feed)
        save_errors(house, feed, options.errors or options.file.with_suffix(".errors.csv"))
    except (Refused, Away) as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if feed["status"] in {"recorded", "checked"} and not feed["counts"]["rejected"] else 1


def send(house: Fangpin, file: Path, period: str, mode: str) -> dict[str, Any]:
    """Send the file and wait until it is dealt with; the feed as it stands then."""
    media_type = "application/x-ndjson" if file.suffix == ".ndjson" else "text/csv"
    query = {"layout": "medical_settlement", "mode": mode} | ({"period": period} if period else {})
    received = house.post_file("/intake/v1/feeds", file, media_type, **query)
    again = "（此前已报送过，不会重复入库 sent before）" if received["repeated"] else ""
    print(f"批次 feed={received['id']}{again}")
    wait, told = 0.2, ""
    while True:
        feed: dict[str, Any] = house.get(f"/intake/v1/feeds/{received['id']}")
        if feed["status"] not in UNDER_WAY:
            return feed
        told = tell_progress(feed, told)
        time.sleep(wait)
        wait = min(wait * 1.5, 5)


def tell_progress(feed: dict[str, Any], told: str) -> str:
    """Say how far it got, unless that was said last; what was said."""
    line = f"  {feed['progress']['percent']:>3}% 读取 read={feed['counts']['read']}"
    if line != told:
        print(line, flush=True)
    return line


def tell_end(feed: dict[str, Any]) -> None:
    counts = "，".join(f"{title} {name}={feed['counts'][name]}" for name, title in COUNTS.items())
    print(f"{ENDS[feed['status']]} status={feed['status']}：{counts}")
    if feed["problem"]:
        print(f"原因：{feed['problem']['detail']}（{feed['problem']['code']}）")


def save_errors(house: Fangpin, feed: dict[str, Any], path: Path) -> None:
    """Print the first errors in words, and save all of them as the CSV that intake makes."""
    errors = f"/intake/v1/feeds/{feed['id']}/errors"
    known = house.get(errors, limit=SHOWN)
    for error in known["items"]:
        print(in_words(error))
    if not known["items"]:
        path.unlink(missing_ok=True)  # What an earlier run left there is mended.
        return
    path.write_bytes(house.get_bytes(errors, format="csv"))
    more = f"只显示前 {SHOWN} 条，" if known["next_cursor"] else ""
    print(f"{more}错误清单已存 errors saved: {path}")


def in_words(error: dict[str, Any]) -> str:
    where = f"第 {error['line']} 行" + (f"「{error['column']}」" if error["column"] else "")
    level = "" if error["level"] == "error" else "（提示）"
    parts = [f"{where}{level}：{error['reason']}"]
    parts += [f"应为{error['expected']}"] if error["expected"] else []
    parts += [f"例如 {error['example']}"] if error["example"] else []
    parts += [f"现为 {error['value']}"] if error["value"] else []
    return "；".join(parts) + f" [{error['code']}]"


if __name__ == "__main__":
    sys.exit(main())
