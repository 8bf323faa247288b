"""What every file of the project keeps to: it says what it is, names nobody, and knows no machine."""

import ast
import re
from datetime import date
from pathlib import Path

import pytest

from tests.house.files import ROOT, project_files, text_files

_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])", re.ASCII)
_PHONE = re.compile(r"(?<![0-9A-Za-z.])1[3-9][0-9]{9}(?![0-9A-Za-z])", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_HOSTS = re.compile(
    r"\b(pypi|pythonhosted|npmjs|npmmirror|crates)\.(org|io|com)\b|\bmirrors?\.[a-z]+\.(com|cn|edu)", re.IGNORECASE
)
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|pytest\.mark\.(sk" r"ip|xf" r"ail)|pytest\.sk" r"ip\(")


def is_somebodys(number: str) -> bool:
    """Whether a text is an identity number that may belong to somebody: a right check digit, outside area 99."""
    check = "10X98765432"[sum(int(n) * w for n, w in zip(number, _WEIGHTS, strict=False)) % 11]
    return check == number[-1].upper() and not number.startswith("99") and _is_date(number[6:14])


def _is_date(text: str) -> bool:
    try:
        return 1850 <= date(int(text[:4]), int(text[4:6]), int(text[6:])).year <= 2100
    except ValueError:
        return False


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in project_files(ends=".py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_file_names_a_person_by_number() -> None:
    found = [
        f"{name}: {number}" for name, text in text_files() for number in _NUMBER.findall(text) if is_somebodys(number)
    ]
    assert found == []


def test_no_file_holds_a_phone_that_may_ring() -> None:
    # The demo county numbers its officers by its own code: 11 digits, and no phone.
    allowed = re.compile(r"199000\d{5}|130624\d{5}")
    found = [
        f"{name}: {phone}"
        for name, text in text_files()
        if not name.endswith((".csv", ".lock"))
        for phone in _PHONE.findall(text)
        if not allowed.fullmatch(phone)
    ]
    assert found == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    places = [f"{folder}/" for folder in (ROOT, ROOT.parent, Path("/", "root")) if len(folder.parts) > 1]
    found = [name for name, text in text_files() if any(place in text for place in places)]
    assert found == []


def test_no_file_knows_where_packages_come_from() -> None:
    assert [name for name, text in text_files() if name != "tests/house/test_files.py" and _HOSTS.search(text)] == []


def test_nothing_is_left_unfinished() -> None:
    assert [
        name for name, text in text_files() if name.endswith((".py", ".sql", ".yaml")) and _UNFINISHED.search(text)
    ] == []


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
    assert [str(path) for path in project_files(ends=".py") if path.stem in drawers] == []


@pytest.mark.parametrize(
    ("number", "somebodys"),
    [
        ("990624199003070011", False),
        ("".join(("110105", "19491231", "002X")), True),
        ("".join(("110105", "19491231", "0021")), False),
        ("".join(("110105", "19491331", "0020")), False),
    ],
)
def test_a_number_of_somebody_is_seen(number: str, somebodys: bool) -> None:
    assert is_somebodys(number) is somebodys
