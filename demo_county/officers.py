"""Officers on duty (值守干部): who answers for each village, township and for the county."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.names import Names
from demo_county.places import Village, county_of, township_of
from shared.vocabulary.identity_number import Sex

OFFICERS_FILE = "officers.csv"
COLUMNS = ("工号", "姓名", "角色", "手机", "邮箱", "行政区划代码")
LARGEST_GRID = 100  # Households one grid worker looks after.
COUNTY_ADMINS = 2


def posts(shares: Sequence[tuple[Village, int]]) -> Iterator[tuple[str, str]]:
    """Role and division of every post, county first."""
    divisions = [village[0] for village, _ in shares]
    for _ in range(COUNTY_ADMINS):
        yield "county_admin", county_of(divisions[0])
    for township in sorted(Counter(map(township_of, divisions))):
        yield "township_leader", township
    for (code, _name), households in shares:
        yield "village_secretary", code
        yield "first_secretary", code
        for _ in range(max(1, -(-households // LARGEST_GRID))):
            yield "grid_worker", code


def write_officers(folder: Path, shares: Sequence[tuple[Village, int]], calibration: Calibration, seed: int) -> int:
    """Write officers.csv and return its number of rows."""
    names, chance, serial = Names(calibration), Chance(f"{seed}/officers"), 0
    with (folder / OFFICERS_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for serial, (role, division) in enumerate(posts(shares), start=1):
            sex: Sex = "male" if chance.happens(0.6) else "female"
            name = names.full_name(chance, names.surname(chance), sex, 1970 + chance.below(28))
            contact = (f"1991{serial:07d}", f"officer{serial:05d}@demo.invalid")
            writer.writerow((f"{division[:6]}{serial:05d}", name, role, *contact, division))
    return serial
