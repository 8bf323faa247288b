"""The form of an answer (核实表), as a phone sends it: flat names and texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.domain.household_check import Need, Seen

# How the fields of an answer are called on the page, by the beginning of where they stand.
LABELS: Mapping[str, str] = {
    "outcome": "结论",
    "causes": "风险原因",
    "contact/method": "核实方式",
    "contact/on": "核实日期",
    "contact/met": "见了谁",
    "contact/minutes": "用时",
    "contact": "核实情况",
    "helped_by": "帮扶部门",
    "note": "补充说明",
    **{f"household_check/{need}": need.zh for need in Need},
}
# Every name the form may have; each at most once but the causes.
NAMES = (
    *("csrf", "id", "seen", "outcome", "causes", "method", "on", "met", "minutes", "helped_by", "note"),
    *(f"{part}_{need}" for need in Need for part in ("need", "about")),
)


def answer_of(form: Mapping[str, str], causes: Sequence[str]) -> dict[str, Any]:
    """The form as the body of a verification; an empty field is one that is not there."""
    given = {name: text.strip() for name, text in form.items() if text.strip()}
    contact = {name: given[name] for name in ("method", "on", "met", "minutes") if name in given}
    return {
        **{name: given[name] for name in ("id", "outcome", "helped_by", "note") if name in given},
        "causes": list(causes),
        # The day is filled in beforehand: alone it says nothing.
        **({"contact": contact} if contact.keys() - {"on"} else {}),
        "household_check": {
            need.value: {
                "seen": given.get(f"need_{need}", Seen.NOT_SEEN.value),
                **({"note": given[f"about_{need}"]} if f"about_{need}" in given else {}),
            }
            for need in Need
            if f"need_{need}" in given or f"about_{need}" in given
        },
    }


def label_of(where: str) -> str:
    """What a field is called on the page; empty where the message says it itself."""
    path = where.removeprefix("body/")
    return next((label for start, label in LABELS.items() if path == start or path.startswith(f"{start}/")), "")
