"""Which of the national list's two ways to us is newer in a place: an import by hand, or the department's feed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from shared.vocabulary.division import county_of, covers

ListSource = Literal["import", "feed", "both"]


class ToldList(NamedTuple):
    """A list of a place as of a day, and the moment it came."""

    division: str
    on: date
    at: datetime

    @property
    def age(self) -> tuple[date, datetime]:
        return self.on, self.at


@dataclass(frozen=True, slots=True)
class NationalList:
    """`by_feed`: counties whose feed counts; `by_import_since`: places in them that an import told of since."""

    by_feed: Sequence[str]
    by_import_since: Sequence[str]
    source: ListSource | None
    as_of: date | None


def national_list(division: str, imports: Iterable[ToldList], feeds: Iterable[ToldList]) -> NationalList:
    """The newer of the two in each place; for people, which they were in `division`, and the newest day."""
    fed = {each.division: each for each in feeds}
    newer = [each for each in imports if _is_newer(each, fed.get(f"{county_of(each.division)}000000"))]
    here = [each for each in newer if covers(each.division, division) or covers(division, each.division)]
    overtaken = any(covers(each.division, division) for each in newer)
    fed_here = [each for each in fed.values() if covers(division, each.division) or covers(each.division, division)]
    used = [*here, *([] if overtaken else fed_here)]
    source: ListSource | None = None
    if used:
        source = "both" if here and not overtaken and fed_here else "import" if here else "feed"
    return NationalList(
        sorted(fed), sorted(each.division for each in newer), source, max((each.on for each in used), default=None)
    )


def _is_newer(told: ToldList, than: ToldList | None) -> bool:
    return than is None or told.age > than.age
