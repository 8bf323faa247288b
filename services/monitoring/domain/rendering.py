"""How numbers become text: exact inside, rounded half up once, here."""

from shared.policies.unit import Unit
from shared.vocabulary.money import Fen, yuan

Measured = int | str | bool


def half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded to a whole number, halves away from zero."""
    whole, rest = divmod(abs(numerator), denominator)
    rounded = whole + (2 * rest >= denominator)
    return -rounded if numerator < 0 else rounded


def per_head_yuan(fen: Fen | None, members: int) -> str | None:
    """A household's amount per counted member, in yuan with two decimals; unknown without members."""
    return None if fen is None or members == 0 else yuan(half_up(fen, members))


def shown(value: Measured, unit: Unit) -> str:
    """A value as the answer shows it: money with two decimals."""
    return unit.write(value)


def spoken(value: str, unit: Unit) -> str:
    """The same in a sentence: 7100.00 is spoken as 7100."""
    return value.removesuffix(".00") if unit.is_money else value


def spoken_yuan(fen: Fen) -> str:
    return spoken(yuan(fen), Unit.CNY)


def percent_half_up(part: int, whole: int) -> int:
    """A share in whole percent; of nothing it is all."""
    if whole == 0:
        return 100
    return half_up(100 * part, whole)
