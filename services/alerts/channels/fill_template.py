"""Fill the texts a gateway's mapping is made of: names and a few filters, and nothing that computes or loops."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

# A mapping is data that county staff write: a template in it says where a value goes, it is no program.
_NODES = (nodes.Output, nodes.TemplateData, nodes.Name, nodes.Filter, nodes.Const, nodes.Concat)


class TemplateRefused(ValueError):
    """A text that cannot be filled; the message says why."""


@cache
def _filler() -> ImmutableSandboxedEnvironment:
    filler = ImmutableSandboxedEnvironment(autoescape=False, undefined=StrictUndefined, keep_trailing_newline=True)
    filler.filters.clear()
    filler.filters.update(
        md5=lambda text: hashlib.md5(str(text).encode(), usedforsecurity=False).hexdigest(),
        sha256=lambda text: hashlib.sha256(str(text).encode()).hexdigest(),
        hmac_sha256=lambda text, key: hmac.digest(str(key).encode(), str(text).encode(), "sha256").hex(),
        base64=lambda text: base64.b64encode(str(text).encode()).decode(),
        upper=lambda text: str(text).upper(),
        lower=lambda text: str(text).lower(),
    )
    return filler


def fill(text: str, values: Mapping[str, object]) -> str:
    """The text with `{{ name }}` filled in. Raises TemplateRefused."""
    if "{" not in text:
        return text
    try:
        tree = _filler().parse(text)
        strange = next((node for node in tree.find_all(nodes.Node) if not isinstance(node, _NODES)), None)
        if strange is not None:
            raise TemplateRefused(f"只能写 {{{{ 名称 }}}} 与过滤器，不能写 {type(strange).__name__}")
        return _filler().from_string(text).render(values)
    except TemplateError as error:
        raise TemplateRefused(str(error.message)[:200]) from error


def fill_json(text: str, values: Mapping[str, object]) -> Any:
    """The JSON of `text` with its strings filled in; a value can never become part of the structure."""
    try:
        return _filled(json.loads(text), values)
    except (ValueError, RecursionError) as error:
        if isinstance(error, TemplateRefused):
            raise
        raise TemplateRefused("不是有效的 JSON") from error


def _filled(value: Any, values: Mapping[str, object]) -> Any:
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    return [_filled(one, values) for one in value] if isinstance(value, list) else value
