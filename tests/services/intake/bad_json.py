"""JSON as it should not come, and what is answered: feeds of rows (arrays and lines) and self-reports, as one table.

`line` is the line of the list of bad inputs that the case stands for. A line without a case stands in ELSEWHERE, with
the reason. All dates are before 2026-03-15, the tests' today.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.services.intake.build import VILLAGE, disability_row, medical_row, number, register_row

ARRAY, LINES = "application/json", "application/x-ndjson"


@dataclass(frozen=True)
class BadBody:
    """A body and its answer: status, the problem's code, the first mistake's code; or the rows refused and taken."""

    line: int
    name: str
    body: bytes
    status: int = 200
    code: str = ""
    why: str = ""
    refused: Sequence[tuple[int, str]] = ()
    taken: int = 0
    kind: str = ARRAY
    layout: str = "medical_settlement"
    says: str = ""


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


GOOD = text(medical_row(0))
WHOLE = f"[{GOOD}]".encode()


def row_with(header: str, raw: str) -> str:
    """A settlement in which one value is written as raw JSON."""
    return text(medical_row(1, **{header: "@"})).replace('"@"', raw)


def broken(line: int, name: str, body: bytes, why: str, says: str = "") -> BadBody:
    """A body that is no JSON array at all."""
    return BadBody(line, name, body, 400, "invalid_json", why, says=says)


def bad_row(line: int, name: str, row: str, code: str) -> BadBody:
    """A good row and a bad one: the good one is taken."""
    return BadBody(line, name, f"[{GOOD},{row}]".encode(), refused=[(2, code)], taken=1)


def bad_cell(line: int, name: str, header: str, raw: str, code: str) -> BadBody:
    return bad_row(line, name, row_with(header, raw), code)


def without(header: str) -> str:
    return text({k: v for k, v in medical_row(1).items() if k != header})


ARRAYS = [
    broken(1, "empty body", b"", "json_empty"),
    broken(1, "blanks only", b" \r\n\t", "json_empty"),
    broken(2, "null", b"null", "not_an_array"),
    broken(2, "a number", b"17", "not_an_array"),
    broken(3, "truncated in a row", GOOD[:90].encode(), "json_truncated"),
    broken(3, "truncated behind a row", WHOLE[:-1], "json_truncated", f"第 {len(WHOLE)} 字节"),
    broken(3, "comma at the end", WHOLE[:-1] + b",]", "invalid_json"),
    broken(3, "something behind the end", WHOLE + b"x", "invalid_json"),
    broken(3, "brackets that do not match", WHOLE[:-1] + b"}", "invalid_json"),
    *(
        broken(4, name, f"[{row_with('合规自付', name)}]".encode(), "invalid_json", name)
        for name in ("NaN", "Infinity", "-Infinity")
    ),
    broken(5, "1e999", f"[{row_with('合规自付', '1e999')}]".encode(), "invalid_json"),
    broken(5, "5,000 digits", f"[{row_with('合规自付', '9' * 5000)}]".encode(), "invalid_json"),
    broken(6, "duplicate keys", WHOLE.replace(b"}", ',"姓名":"x"}'.encode()), "key_repeated"),
    broken(7, "depth 100,000", b"[" * 100_000, "json_too_deep"),
    broken(7, "depth 100,000 in a row", b'[{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "json_too_deep"),
    BadBody(8, "byte order mark", b"\xef\xbb\xbf" + WHOLE, taken=1),
    broken(
        9, "lone surrogate", f"[{row_with('姓名', chr(34) + chr(92) + 'ud800' + chr(34))}]".encode(), "invalid_json"
    ),
    broken(10, "invalid UTF-8", WHOLE.replace("王".encode(), b"\xc3\x28"), "wrong_encoding"),
    broken(11, "GBK", f"[{GOOD}]".encode("gb18030"), "wrong_encoding", "GBK"),
    broken(12, "UTF-16 with mark", f"[{GOOD}]".encode("utf-16"), "utf_16", "UTF-16"),
    broken(12, "UTF-16 without mark", f"[{GOOD}]".encode("utf-16-le"), "utf_16", "UTF-16"),
    BadBody(13, "text/plain", WHOLE, 415, "feed_format_unsupported", kind="text/plain"),
    bad_cell(17, "identity number as a number", "证件号码", "999901195503074016", "send_as_text"),
    bad_cell(18, "identity number in scientific notation", "证件号码", "9.9990119550307e17", "precision_lost"),
    bad_row(19, "unknown field", text({**medical_row(1), "备注": "x"}), "unknown_field"),
    bad_row(20, "field of the server", text({**medical_row(1), "risk_level": "red"}), "unknown_field"),
    bad_row(21, "required field missing", without("结算日期"), "required"),
    bad_cell(22, "null in a required field", "结算日期", "null", "required"),
    bad_cell(23, "empty text in a required field", "结算日期", '""', "required"),
    bad_cell(24, "blanks in a required field", "姓名", '" \u3000\u200b"', "required"),
    bad_cell(25, "NUL", "住院号", r'"a\u0000b"', "nul_character"),
    bad_cell(26, "bidi override in a name", "姓名", '"张\u202e三"', "control_character"),
    bad_cell(26, "bell in a name", "姓名", r'"张\u0007三"', "control_character"),
    bad_cell(27, "text of 1 MB", "住院号", f'"{"x" * 1_000_000}"', "too_long"),
    bad_cell(27, "text of 2 MB", "住院号", f'"{"x" * 2_000_000}"', "line_too_long"),
    BadBody(28, "1,000,001 elements", b"[" + b"0," * 1_000_000 + b"0]", 413, "too_many_rows"),
    bad_row(29, "array instead of an object", f"[{GOOD}]", "not_an_object"),
    bad_cell(29, "array instead of a text", "姓名", '["王小明"]', "send_as_text"),
    bad_cell(29, "object instead of a text", "姓名", '{"姓": "王"}', "send_as_text"),
    bad_cell(30, "boolean as money", "合规自付", "true", "send_as_text"),
    bad_cell(30, "number as money", "合规自付", "300.00", "send_as_text"),
    bad_cell(31, "thousands comma", "合规自付", '"1,000"', "money_form"),
    bad_cell(31, "currency mark", "合规自付", '"¥100"', "money_form"),
    BadBody(32, "full-width digits are normalised", f"[{text(medical_row(1, 合规自付='３００'))}]".encode(), taken=1),
    bad_cell(33, "1e3 as money", "合规自付", '"1e3"', "scientific_notation"),
    BadBody(34, "minus nought is nought", f"[{text(medical_row(1, 其他支付='-0'))}]".encode(), taken=1),
    bad_cell(35, "1.005 as money", "合规自付", '"1.005"', "too_many_decimals"),
    bad_cell(36, "date as a Unix time", "结算日期", "1767225600", "send_as_text"),
    bad_cell(36, "date as the text of a Unix time", "结算日期", '"1767225600"', "date_form"),
    bad_cell(37, "29 February of 2026", "结算日期", '"2026-02-29"', "no_such_date"),
    BadBody(
        40,
        "the same settlement twice with different data",
        f"[{GOOD},{text(medical_row(1))},{text(medical_row(1, 结算日期='2026-01-06'))}]".encode(),
        refused=[(2, "rows_conflict"), (3, "rows_conflict")],
        taken=1,
    ),
    BadBody(40, "the same row twice is one", f"[{GOOD},{GOOD}]".encode(), taken=2),
]
ARRAYS_ELSEWHERE = {
    14: "gzip is refused by its first bytes (415) or read with a limit by the reader of gzip",
    15: "the HTTP server closes such a connection; a body that breaks off stores nothing (test_bad_inputs)",
    16: "the limit on bodies is one for all services (tests/shared/web/test_edge.py)",
    38: "a feed's key is the digest of its bytes: other bytes are another feed; self-reports below",
    39: "feeds need no key; self-reports below",
}


def lines(*rows: str) -> bytes:
    return "\n".join(rows).encode() + b"\n"


def bad_line(line: int, name: str, row: bytes | str, code: str) -> BadBody:
    """A bad line between two good ones, which are taken."""
    raw = row if isinstance(row, bytes) else row.encode()
    body = GOOD.encode() + b"\n" + raw + b"\n" + text(medical_row(2)).encode() + b"\n"
    return BadBody(line, name, body, refused=[(2, code)], taken=2, kind=LINES)


def good_lines(line: int, name: str, body: bytes, taken: int, layout: str = "medical_settlement") -> BadBody:
    return BadBody(line, name, body, taken=taken, kind=LINES, layout=layout)


def hinted(line: int, name: str, body: bytes, why: str) -> BadBody:
    return BadBody(line, name, body, 400, "invalid_json", why, kind=LINES)


LINE_BY_LINE = [
    good_lines(1, "empty", b"", 0),
    good_lines(2, "blank lines", b"\n\n" + lines(GOOD) + b" \n", 1),
    good_lines(3, "no line end at the end", GOOD.encode(), 1),
    good_lines(4, "CRLF", lines(GOOD, text(medical_row(1))).replace(b"\n", b"\r\n"), 2),
    good_lines(5, "byte order mark", b"\xef\xbb\xbf" + lines(GOOD), 1),
    bad_line(6, "byte order mark in the middle", b"\xef\xbb\xbf" + text(medical_row(1)).encode(), "invalid_json"),
    hinted(7, "array", WHOLE, "json_array"),
    hinted(
        8, "pretty-printed", json.dumps(medical_row(0), ensure_ascii=False, indent=2).encode(), "json_pretty_printed"
    ),
    bad_line(9, "a line over 1 MiB", b'{"x":"' + b"x" * 1_100_000 + b'"}', "line_too_long"),
    bad_line(11, "a line cut off", text(medical_row(1))[:-5], "invalid_json"),
    BadBody(
        11,
        "the last line cut off",
        lines(GOOD) + GOOD[:-5].encode(),
        refused=[(2, "invalid_json")],
        taken=1,
        kind=LINES,
    ),
    bad_line(12, "one bad line", text(medical_row(1, 结算日期="")), "required"),
    BadBody(
        13,
        "all lines bad",
        lines(*[text(medical_row(i, 结算日期="")) for i in range(3)]),
        422,
        "feed_rejected",
        "no_good_row",
        kind=LINES,
    ),
    bad_line(14, "invalid UTF-8 in one line", b'{"\xff": 1}', "wrong_encoding"),
    bad_line(15, "NaN", row_with("合规自付", "NaN"), "invalid_json"),
    bad_line(16, "duplicate keys", text(medical_row(1)).replace("}", ', "姓名": "x"}'), "key_repeated"),
    bad_line(17, "depth 100,000", b'{"x":' * 100_000, "invalid_json"),
    bad_line(18, "big integer", row_with("合规自付", "9" * 5000), "invalid_json"),
    bad_line(18, "integer of 19 digits", row_with("合规自付", "9" * 19), "send_as_text"),
    bad_line(19, "another type of record", text({**medical_row(1), "type": "deaths"}), "unknown_type"),
    good_lines(19, "its own type", lines(text({**medical_row(1), "type": "medical_settlement"})), 1),
    good_lines(20, "without a version it is the layout's", lines(GOOD), 1),
    bad_line(21, "a version to come", text({**medical_row(1), "schema_version": 99}), "unknown_version"),
    good_lines(21, "its own version", lines(text({**medical_row(1), "schema_version": 1})), 1),
    good_lines(
        22, "not in order of time", lines(text(medical_row(1)), text(medical_row(0, 结算日期="2025-12-01"))), 2
    ),
    good_lines(24, "the same record twice", lines(GOOD, GOOD), 2),
    BadBody(
        25,
        "the same record twice with other data",
        lines(GOOD, text(medical_row(1)), text(medical_row(1, 结算日期="2026-01-06"))),
        refused=[(2, "rows_conflict"), (3, "rows_conflict")],
        taken=1,
        kind=LINES,
    ),
    bad_line(26, "in the future", text(medical_row(1, 结算日期="2026-03-16")), "date_in_future"),
    good_lines(28, "an instant with its zone", lines(text(medical_row(1, 结算日期="2026-01-05T23:30:00Z"))), 1),
    good_lines(
        31,
        "members before their householder",
        lines(text(register_row(1, 1)), text(register_row(1))),
        2,
        "household_register",
    ),
    BadBody(
        33,
        "a place outside the range",
        lines(text(disability_row(0)), text(disability_row(1, 行政区划代码="130625100201"))),
        refused=[(2, "division_outside_range")],
        taken=1,
        kind=LINES,
        layout="disability_register",
    ),
    BadBody(
        34,
        "a code that is not in force",
        lines(text(disability_row(0)), text(disability_row(1, 行政区划代码="130624999201"))),
        refused=[(2, "division_unknown")],
        taken=1,
        kind=LINES,
        layout="disability_register",
    ),
]
LINES_ELSEWHERE = {
    10: "no line end within 100 MiB: test_bad_inputs streams it",
    23: "rows carry no sequence: a feed is complete by its digest, and what is missing comes with a later one",
    27: "rows carry days, not instants; a day in 1970 may be somebody's date of issue",
    29: "a reversal travels at once and monitoring keeps it until its record comes; rows converge in any order",
    30: "as 29",
    32: "who belongs to two households is a task of the register (monitoring), not of a row",
    35: "a slow sender holds a socket and a temporary file, no connection; the proxy in front has the deadline",
    36: "a body that breaks off stores nothing, the client sends it again: test_bad_inputs",
    37: "tests/services/intake/test_resumption.py",
    38: "the reader of gzip",
    39: "two at once are one feed, not a conflict: test_bad_inputs",
    40: "the limit on bytes is the app's (tests/shared/web/test_edge.py), that on rows the worker's (test_feeds)",
}


def report(**changes: Any) -> dict[str, Any]:
    body = {
        "division": VILLAGE,
        "consent": {"version": "2025-1"},
        "reporter": {"name": "王小明", "identity_number": number(1), "phone": "19900000001"},
        "hardships": ["illness"],
        "description": "住院花费较大",
        "amount_yuan": "12000.50",
        "reported_on": "2026-03-14",
    }
    return {**body, **changes}


REPORT = text(report()).encode()


def report_with(path: str, raw: str) -> bytes:
    """A report in which one value is written as raw JSON."""
    body = report()
    inner, _, name = path.rpartition(".")
    (body[inner] if inner else body)[name] = "@"
    return text(body).replace('"@"', raw).encode()


def no_json(line: int, name: str, body: bytes, says: str = "") -> BadBody:
    return BadBody(line, name, body, 400, "invalid_json", says=says)


def invalid(line: int, name: str, path: str, raw: str, code: str = "validation_failed") -> BadBody:
    return BadBody(line, name, report_with(path, raw), 422, code)


REPORTS = [
    no_json(1, "empty body", b""),
    BadBody(2, "null", b"null", 422, "validation_failed"),
    no_json(3, "truncated", REPORT[:-9]),
    *(no_json(4, name, report_with("amount_yuan", name)) for name in ("NaN", "Infinity", "-Infinity")),
    no_json(5, "1e999", report_with("amount_yuan", "1e999")),
    no_json(6, "duplicate keys", REPORT.replace(b"{", b'{"division":"1",', 1)),
    no_json(7, "depth 100,000", b"[" * 100_000),
    BadBody(8, "byte order mark", b"\xef\xbb\xbf" + REPORT, 202),
    no_json(9, "lone surrogate", report_with("description", r'"\ud800"')),
    no_json(10, "invalid UTF-8", REPORT.replace("王".encode(), b"\xc3\x28")),
    no_json(11, "GBK", REPORT.decode().encode("gb18030"), "GBK"),
    no_json(12, "UTF-16", REPORT.decode().encode("utf-16"), "UTF-16"),
    BadBody(13, "text/plain", REPORT, 415, "unsupported_media_type", kind="text/plain"),
    invalid(17, "identity number as a number", "reporter.identity_number", "999901195503074016"),
    invalid(18, "identity number in scientific notation", "reporter.identity_number", "9.9990119550307e17"),
    invalid(
        18, "identity number that lost digits", "reporter.identity_number", '"9.9990119550307E+17"', "report_refused"
    ),
    BadBody(19, "unknown field", text(report(remark="x")).encode(), 422, "validation_failed"),
    BadBody(20, "field of the server", text(report(risk_level="red")).encode(), 422, "validation_failed"),
    BadBody(21, "required field missing", text({"division": VILLAGE}).encode(), 422, "validation_failed"),
    invalid(22, "null in a required field", "reported_on", "null"),
    invalid(23, "empty text in a required field", "reporter.name", '""'),
    invalid(24, "blanks in a required field", "reporter.name", '" \u3000\u200b"'),
    invalid(25, "NUL", "description", r'"a\u0000b"'),
    invalid(26, "bidi override in a name", "reporter.name", '"张\u202e三"'),
    invalid(27, "text of 200 kB", "description", f'"{"x" * 200_000}"'),
    invalid(29, "array instead of an object", "reporter", "[]"),
    invalid(30, "boolean as money", "amount_yuan", "true"),
    invalid(31, "thousands comma", "amount_yuan", '"1,000"'),
    invalid(32, "full-width digits", "amount_yuan", '"１２"'),
    invalid(33, "1e3 as money", "amount_yuan", '"1e3"'),
    BadBody(34, "minus nought", report_with("amount_yuan", '"-0"'), 202),
    invalid(35, "1.005 as money", "amount_yuan", '"1.005"'),
    invalid(36, "date as a Unix time", "reported_on", "1767225600"),
    invalid(37, "29 February of 2026", "reported_on", '"2026-02-29"'),
]
REPORTS_ELSEWHERE = {
    14: "compressed bodies are no JSON and refused as such (10)",
    15: "as for arrays",
    16: "as for arrays",
    28: "one report is one object",
    38: "tests/services/intake/test_self_reports.py",
    39: "tests/services/intake/test_self_reports.py",
    40: "one report is one person",
}

TABLES: dict[str, tuple[Sequence[BadBody], dict[int, str], int]] = {
    "arrays": (ARRAYS, ARRAYS_ELSEWHERE, 40),
    "lines": (LINE_BY_LINE, LINES_ELSEWHERE, 40),
    "reports": (REPORTS, REPORTS_ELSEWHERE, 40),
}


def name_of(case: BadBody) -> str:
    return f"{case.line} {case.name}"
