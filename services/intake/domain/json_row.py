"""One JSON object as a row: parsed with one reading only, its keys mapped to columns."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, RawRow
from services.intake.domain.header_map import HeaderMap, map_header
from services.intake.domain.row_error import RowError, echo

LONGEST_NUMBER = 40  # Characters; nothing a department counts has more.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class JSONFault(ValueError):
    """The bytes are no JSON that means one thing: stable code, reason, what is right, offset of the byte if known."""

    def __init__(self, code: str, reason: str, expected: str, at: int | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.expected, self.at = code, reason, expected, at


def parse_value(content: bytes) -> Any:
    """The JSON value in UTF-8 `content`, or JSONFault; a key twice, NaN, 1e999 and half a character are faults."""
    try:
        text = content.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except JSONFault:
        raise
    except UnicodeDecodeError as error:
        raise JSONFault("wrong_encoding", "不是 UTF-8 编码", "UTF-8", error.start) from None
    except UnicodeEncodeError:
        raise JSONFault("invalid_json", "含有不成对的代理字符 (如 \\ud800)", "完整的字符") from None
    except RecursionError:
        raise JSONFault("invalid_json", "嵌套过深", "每行一个不嵌套的对象") from None
    except json.JSONDecodeError as error:
        at = len(error.doc[: error.pos].encode())
        raise JSONFault("invalid_json", "不是有效的 JSON 对象", '{"列名": "值"}', at) from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JSONFault("key_repeated", "同一个键出现了两次", "每个键一次")
    return found


def _no_constant(name: str) -> Any:
    raise JSONFault("invalid_json", f"不允许 {name}；数字必须是有限的", "普通数字")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _out_of_range()
    return value


def _whole(text: str) -> int:
    # Python itself refuses thousands of digits with an error of another kind.
    if len(text) > LONGEST_NUMBER:
        raise _out_of_range()
    return int(text)


def _out_of_range() -> JSONFault:
    return JSONFault("invalid_json", "数字超出范围", "普通数字；编号请用文本")


@dataclass(slots=True)
class ObjectRows:
    """Makes rows of objects whose keys are headers, synonyms or standard names; unknown keys are refused.

    `header` is what the first object's keys mean; later ones may have others or another order.
    """

    layout: FeedLayout
    header: HeaderMap | None = None
    _known: dict[tuple[str, ...], HeaderMap] = field(default_factory=dict)

    def row(self, line: int, value: Any) -> RawRow | BadRow:
        """The cells of one parsed value, or what is wrong with its keys."""
        if not isinstance(value, dict):
            error = RowError(line, None, "not_an_object", "这一行不是 JSON 对象", '{"列名": "值"}')
            return BadRow(line, None, (error,))
        mapped = self._mapped(tuple(value))
        errors = _key_errors(line, mapped)
        if errors:
            return BadRow(line, None, errors)
        by_column = {c.column: value[key] for c, key in zip(mapped.cells, value, strict=True)}
        return RawRow(line, tuple(by_column.get(c.name) for c in self.layout.columns))

    def _mapped(self, keys: tuple[str, ...]) -> HeaderMap:
        if keys not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[keys] = map_header(self.layout, keys)
        if self.header is None:
            self.header = self._known[keys]
        return self._known[keys]


def _key_errors(line: int, mapped: HeaderMap) -> tuple[RowError, ...]:
    known = "版式中的列名"
    unknown = [RowError(line, echo(key), "unknown_field", "不认识的键", known) for key in mapped.unknown[:20]]
    repeated = [RowError(line, name, "key_repeated", "两个键是同一列", "每列一个键") for name in mapped.repeated]
    if any(not c.header for c in mapped.cells):
        unknown.append(RowError(line, None, "unknown_field", "键为空", known))
    return (*unknown, *repeated)
