"""The consent texts that come with the program, one YAML file for each version."""

from functools import cache
from pathlib import Path

import yaml

from services.intake.domain.consent import ConsentText

FOLDER = Path(__file__).parent / "consents"


@cache
def consent_texts() -> tuple[ConsentText, ...]:
    """All versions, the oldest first."""
    read = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.yaml"))
    return tuple(sorted((ConsentText(**one) for one in read), key=lambda text: text.valid_from))
