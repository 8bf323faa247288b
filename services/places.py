"""The villages the demo county stands on."""

from shared.regions.catalogue import shipped_regions

DEMO_COUNTY = "130624"


def shipped_villages() -> list[tuple[str, str]]:
    """The real villages of 阜平县: (12-digit code, name)."""
    return [(r.code, r.name) for r in shipped_regions() if r.code[:6] == DEMO_COUNTY and r.code[9:] != "000"]
