"""The checks of quality that are shipped, read once per process."""

from functools import cache

from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.quality_check import QualityBook
from services.monitoring.domain.quality_check_reader import read_checks
from shared.policies import checks_document


@cache
def quality_book() -> QualityBook:
    return read_checks(checks_document(), [each.name for each in load_policy().quality_flags])
