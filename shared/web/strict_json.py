"""JSON as the contract means it: one reading only, or a clear refusal."""

import codecs
import json
from typing import Any

from shared.errors import BadRequest

MAX_DEPTH = 32
_NESTING = frozenset({dict, list})


class JSONRefused(BadRequest):
    code, title = "invalid_json", "请求体不是有效的 JSON"


def parse_strict(body: bytes) -> Any:
    """Parse UTF-8 JSON; duplicate keys, NaN, lone surrogates and deep nesting are refused by name."""
    text = _decode(body.removeprefix(codecs.BOM_UTF8))
    if not text.strip():
        raise JSONRefused("请求体为空；应为 JSON 对象，例如 {}")
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
        if "\\u" in text:
            _no_surrogates(value)
    except RecursionError:
        raise JSONRefused(f"嵌套过深：最多 {MAX_DEPTH} 层") from None
    except json.JSONDecodeError as error:
        raise JSONRefused(f"第 {error.lineno} 行第 {error.colno} 列附近无法解析，请检查引号、逗号与括号") from None
    except UnicodeEncodeError:
        raise JSONRefused("含有不成对的代理字符（如 \\ud800）") from None
    _check_depth(value)
    return value


def _decode(body: bytes) -> str:
    # A JSON text begins with two ASCII characters, so a zero byte there means two bytes a character.
    if body[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} or 0 in body[:2]:
        raise JSONRefused("请求体是 UTF-16 编码；JSON 应为 UTF-8")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "，像是 GBK/GB18030 编码" if _is_gb18030(body) else ""
        raise JSONRefused(f"第 {error.start + 1} 字节起不是 UTF-8{hint}；JSON 应为 UTF-8") from None


def _is_gb18030(body: bytes) -> bool:
    try:
        body.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise JSONRefused(f"字段重复：{twice[:50].encode(errors='replace').decode()}")
    return found


def _no_constant(name: str) -> float:
    raise JSONRefused(f"不允许 {name}；数字必须是有限的")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise JSONRefused(f"数字超出范围：{text[:20]}")
    return value


def _whole(text: str) -> int:
    # Nothing we take is longer than a 64-bit integer, and Python itself refuses to read thousands of digits.
    if len(text) > 20:
        raise JSONRefused(f"数字超出范围：{text[:20]}…")
    return int(text)


def _no_surrogates(value: Any) -> None:
    # UTF-8 itself holds none: one can only come from an escape.
    json.dumps(value, ensure_ascii=False).encode()


def _check_depth(value: Any) -> None:
    level = [value] if type(value) in _NESTING else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for parent in level
            for item in (parent.values() if type(parent) is dict else parent)
            if type(item) in _NESTING
        ]
        if not level:
            return
    raise JSONRefused(f"嵌套过深：最多 {MAX_DEPTH} 层")
