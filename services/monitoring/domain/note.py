"""Notes (提示): what is worth telling about a household beside its indicators; none changes a recommendation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.monitoring.domain.expression import Expression


@dataclass(frozen=True, slots=True)
class Note:
    """One note, told when its condition is true; `numbers` names the values told with it.

    Flags, quality flags, hints for civil affairs (民政) and what keeps a household on the list are all notes.
    """

    name: str
    label_zh: str
    when: Expression
    numbers: Mapping[str, str] = field(default_factory=dict)
