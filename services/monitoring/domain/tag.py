"""Tags (标签): standing facts by which people speak of a household, each a dated state in the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and the state it is read from; `value` None: any value but "none". `shown_with`: class of fields."""

    code: str
    label: str
    kind: str
    value: str | None
    shown_with: str

    def is_said_by(self, kind: str, value: str | None) -> bool:
        """Whether a standing fact of this kind and value gives the tag."""
        return kind == self.kind and (value == self.value if self.value is not None else value != "none")


NATIONAL_LIST = "state.national_list"
RELOCATED = "state.relocated"
ASSISTANCE = "state.assistance"

_TAGS = (
    Tag("dibao", "低保", ASSISTANCE, "dibao", "class"),
    Tag("tekun", "特困", ASSISTANCE, "tekun", "class"),
    Tag("disability", "残疾", "state.disability", None, "cause"),
    Tag("relocated", "易地搬迁", RELOCATED, None, "class"),
    Tag("monitored", "监测对象", "state.monitored", None, "class"),
    Tag("national_list", "国家系统监测对象", NATIONAL_LIST, None, "class"),
)
TagCode = Literal["dibao", "tekun", "disability", "relocated", "monitored", "national_list"]
TAGS: Mapping[str, Tag] = MappingProxyType({tag.code: tag for tag in _TAGS})
TAG_KINDS = tuple(dict.fromkeys(tag.kind for tag in _TAGS))


def tags_of(facts: Iterable[Mapping[str, Any]], sees: frozenset[str]) -> list[tuple[Tag, Mapping[str, Any]]]:
    """The tags that standing facts give, the earliest fact of each, as far as a post sees them."""
    found: dict[str, tuple[Tag, Mapping[str, Any]]] = {}
    for fact in sorted(facts, key=lambda each: each["occurred_on"]):
        for tag in _TAGS:
            if tag.shown_with in sees and tag.is_said_by(fact["kind"], fact["value"]):
                found.setdefault(tag.code, (tag, fact))
    return [found[code] for code in TAGS if code in found]
