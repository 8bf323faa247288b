"""The sectors that answer for a guarantee (三保障和饮水的行业部门): education, medical insurance, housing, water."""

from collections.abc import Collection
from types import MappingProxyType

from shared.vocabulary.terms import Term


class Sector(Term):
    """A guarantee, by the department whose task a lack of it is."""

    EDUCATION = "education", "教育"
    MEDICAL = "medical", "医保"
    HOUSING = "housing", "住建"
    WATER = "water", "水利"


# Departments are named differently from county to county (教育局, 教体局; 水利局, 水务局): a word tells them.
_WORDS = MappingProxyType(
    {
        Sector.EDUCATION: ("教育", "教体"),
        Sector.MEDICAL: ("医保", "医疗保障"),
        Sector.HOUSING: ("住建", "住房"),
        Sector.WATER: ("水利", "水务"),
    }
)
# The indicators that say by themselves that a guarantee is lacking; a large bill, say, does not.
_LACKING = MappingProxyType(
    {
        "dropout": Sector.EDUCATION,
        "not_insured": Sector.MEDICAL,
        "dwelling_unsafe": Sector.HOUSING,
        "water_unsafe": Sector.WATER,
    }
)


def sector_of(department: str | None) -> Sector | None:
    """The sector of a department by its name; None: it has none of the four."""
    if department is None:
        return None
    return next((sector for sector, words in _WORDS.items() if any(word in department for word in words)), None)


def sectors_of(indicators: Collection[str]) -> tuple[Sector, ...]:
    """The guarantees that fired indicators say are lacking."""
    return tuple(sector for name, sector in _LACKING.items() if name in indicators)
