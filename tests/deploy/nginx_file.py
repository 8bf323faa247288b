"""nginx's configuration as a tree, so that tests ask about directives and not about lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(r"""\#[^\n]*|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[{};]|[^\s{};'"]+""")


@dataclass(slots=True)
class Directive:
    """A directive with its arguments, and what stands in its braces."""

    name: str
    arguments: list[str]
    inside: list["Directive"] = field(default_factory=list)

    def all(self, name: str) -> list["Directive"]:
        """The directives of that name directly inside."""
        return [one for one in self.inside if one.name == name]

    def value(self, name: str) -> str:
        """The arguments of the one directive of that name directly inside."""
        (one,) = self.all(name)
        return " ".join(one.arguments)

    def walk(self) -> Iterator["Directive"]:
        yield self
        for one in self.inside:
            yield from one.walk()


def parse(text: str) -> Directive:
    """Read a whole file."""
    tokens = (token for token in _TOKEN.findall(text) if not token.startswith("#"))
    root = Directive("file", [])
    _fill(root, tokens)
    return root


def _fill(block: Directive, tokens: Iterator[str]) -> None:
    words: list[str] = []
    for token in tokens:
        if token == "}":
            return
        if token not in "{;":
            words.append(token[1:-1] if token[0] in "'\"" else token)
            continue
        made = Directive(words[0], words[1:])
        block.inside.append(made)
        words = []
        if token == "{":
            _fill(made, tokens)


def size_in_bytes(text: str) -> int:
    """nginx's sizes: 512m, 64k, 10."""
    unit = {"k": 1024, "m": 1024**2, "g": 1024**3}.get(text[-1], 1)
    return int(text.rstrip("kmg")) * unit


def seconds(text: str) -> int:
    """nginx's times, as far as seconds: 60s."""
    assert text.endswith("s")
    return int(text[:-1])
