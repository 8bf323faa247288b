"""How large files may be, as settings say; published with every refusal."""

from dataclasses import dataclass, field

from services.intake.settings import IntakeSettings
from shared.runtime import Runtime
from shared.workbook.archive import Limits


@dataclass(frozen=True, slots=True)
class FileLimits:
    """The most of a packed text, unpacked; and of a workbook."""

    text_bytes: int = 2 * 2**30
    workbook: Limits = field(default_factory=Limits)


def settings_of(runtime: Runtime) -> IntakeSettings:
    """The service's own settings; a runtime opened with the common ones gets the defaults."""
    if isinstance(runtime.settings, IntakeSettings):
        return runtime.settings
    return IntakeSettings(**runtime.settings.model_dump())


def limits_of(settings: IntakeSettings) -> FileLimits:
    """The limits of files in these settings."""
    workbook = Limits(
        packed_bytes=settings.workbook_limit_bytes,
        inflated_bytes=settings.workbook_inflated_limit_bytes,
        memory_bytes=settings.workbook_memory_bytes,
        cpu_seconds=settings.workbook_seconds,
        answer_seconds=settings.workbook_seconds,
    )
    return FileLimits(settings.feed_inflated_limit_bytes, workbook)
