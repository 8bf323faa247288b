"""Pull the figures of a county, as the program behind a dashboard (大屏) would, and one list behind a figure.

    FANGPIN_CLIENT_ID=... FANGPIN_CLIENT_SECRET=... python pull_figures.py --figure severity=orange

Every figure comes with the query that lists what it counts: nobody has to guess what a number on the wall means.
The lists name households by number, never by name.

Exit codes: 0 shown; 2 not (credentials, network, wrong use).
"""

import argparse
import sys
from typing import Any

from fangpin_client import Away, Fangpin, Refused, add_options, open_client

GROUPS = {
    "recommendation": "建议类别",
    "listed_as": "已纳入类别",
    "severity": "预警等级",
    "last_outcome": "最近核实结果",
    "division": "区划",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="县级概况数字", epilog="退出码：0 已显示；2 未能取数")
    parser.add_argument("--division", help="只看此区划，12 位")
    parser.add_argument("--figure", help="列出哪个数字背后的农户，例如 severity=orange；默认为最严重的等级")
    parser.add_argument("--page", type=int, default=200, help="每页条数，1 至 200")
    parser.add_argument("--most", type=int, default=20, help="最多显示多少户")
    add_options(parser)
    options = parser.parse_args()
    house = open_client(parser, options)
    where = {"division": options.division} if options.division else {}
    try:
        summary = house.get("/monitoring/v1/dashboard/summary", **where)
        show_households(summary)
        show_alerts(house.get("/alerts/v1/summary", **where))
        name, figure = chosen(summary, options.figure) or parser.error(f"没有这个数字：{options.figure}")
        show_list(house, name, figure, options.page, options.most)
    except (Refused, Away) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def show_households(summary: dict[str, Any]) -> None:
    print(f"区划 division={summary['division']} 汇总 counted_at={summary['counted_at']}")
    show("total", "all", summary["total"]["households"], "合计")
    for group, title in GROUPS.items():
        for figure in summary[f"by_{group}"] or []:  # A group that this client may not see is null.
            show(group, figure["key"] or "none", figure["households"], f"{title} {figure['label']}")


def show_alerts(summary: dict[str, Any]) -> None:
    for one in summary["counts"]:
        show("alerts", f"{one['status']}/{one['severity'] or 'none'}", one["alerts"], f"预警，超期 {one['overdue']}")
    for state, number in summary["messages"].items():
        show("messages", state, number, "消息")


def show(group: str, key: str, number: int, words: str) -> None:
    print(f"{number:>8}  {group:<15} {key:<20} {words}")


def chosen(summary: dict[str, Any], wanted: str | None) -> tuple[str, dict[str, Any]] | None:
    """The figure that was asked for; without a wish, the gravest severity there is, or the total."""
    if wanted is None:
        grave = [one for one in summary["by_severity"] if one["key"]]
        return (f"severity={grave[0]['key']}", grave[0]) if grave else ("total", summary["total"])
    group, _, key = wanted.partition("=")
    figures = summary.get(f"by_{group}") or []
    return next(((wanted, one) for one in figures if (one["key"] or "none") == key), None)


def show_list(house: Fangpin, name: str, figure: dict[str, Any], page: int, most: int) -> None:
    """Follow a figure's query to the households it counts, page after page."""
    print(f"\n{name} {figure['label']}：{figure['households']} 户  {figure['query']}")
    listed = 0
    for listed, one in enumerate(house.pages(figure["query"], page), start=1):
        if listed <= most:
            print(
                "  ",
                one["household_no"],
                one["living_division"],
                one["recommendation"] or "none",
                one["severity"] or "none",
                one["score"],
            )
    # Counted a moment after the figure: in a living county the two may differ by who changed in between.
    print(f"   共列出 listed={listed}")


if __name__ == "__main__":
    sys.exit(main())
