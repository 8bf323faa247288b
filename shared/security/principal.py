"""Who is calling."""

from dataclasses import dataclass, field
from typing import Literal

from shared.vocabulary.terms import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or a system, the rows it may see (`division` and all below), and what it may do (`scopes`)."""

    subject: str
    kind: Literal["person", "system"]
    division: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    role: Role | None = None
    name: str = ""
    department: str | None = None
    officer_no: str | None = None

    @property
    def is_person(self) -> bool:
        return self.kind == "person"
