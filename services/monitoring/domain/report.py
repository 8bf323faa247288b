"""A household's call for help (农户自主申报) on its way to a person; it waits until it was assessed."""

from dataclasses import asdict, dataclass
from typing import Any

from shared.vocabulary.terms import Source


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report of hardship that no assessment has answered yet, and whom the cadre asks for.

    `trace` is the traceparent of the request it came by, so that the warning it causes can be followed back. `note`
    says of a correction, a withdrawal or an appeal what it is about.
    """

    report_id: str
    name: str
    phone: str | None = None
    trace: str | None = None
    note: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def calls_for_help(source: str) -> bool:
    """Whether a person called by this route, so that a person must answer."""
    return source in {Source.SELF_REPORT, Source.HOTLINE}
