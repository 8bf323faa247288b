"""Identity numbers of people who do not exist: right check digits, area codes 99xxxx of no place."""

from datetime import date

from shared.vocabulary.identity_number import Sex, check_digit

LARGEST_SEQUENCE = 999


class IdentityNumbers:
    """Hands out each number once; odd sequences to men, even ones to women, from 001 on."""

    def __init__(self, county: str) -> None:
        self._area = "99" + county[2:6]
        self._last: dict[tuple[date, Sex], int] = {}

    def issue(self, birth: date, sex: Sex) -> str:
        """A new number; ValueError when about 500 people of one sex were born on one day."""
        sequence = self._last.get((birth, sex), -1 if sex == "male" else 0) + 2
        if sequence > LARGEST_SEQUENCE:
            raise ValueError(f"too many people born on {birth}: ask for fewer households")
        self._last[birth, sex] = sequence
        first_17 = f"{self._area}{birth:%Y%m%d}{sequence:03d}"
        return first_17 + check_digit(first_17)
