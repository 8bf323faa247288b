"""A YAML document whose every value knows its file and line.

Scalars stay text: `7300.00` is money and `no` is a word, and neither may be guessed into a float or a boolean.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from shared.policies.mistake import PolicyMistake

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document: text, null, a mapping or a list of nodes."""

    content: "str | dict[str, Node] | list[Node] | None"
    file: str
    line: int

    def mistake(self, what: str, *, right: str, example: str) -> PolicyMistake:
        return PolicyMistake(self.file, self.line, what, right=right, example=example)

    @property
    def is_null(self) -> bool:
        return self.content is None

    def data(self) -> Any:
        """The same without files and lines: texts, None, mappings and lists."""
        if isinstance(self.content, dict):
            return {name: each.data() for name, each in self.content.items()}
        return [each.data() for each in self.content] if isinstance(self.content, list) else self.content

    def text(self) -> str:
        if not isinstance(self.content, str) or not self.content.strip():
            raise self.mistake("此处应是一段文字", right="一行非空文字", example='"监测线"')
        return self.content.strip()

    def entries(self) -> "list[tuple[str, Node]]":
        """The names and values of a mapping, in the order written."""
        if not isinstance(self.content, dict):
            raise self.mistake("此处应是“名称: 内容”的映射", right="每行一个名称", example="label_zh: 监测线")
        return list(self.content.items())

    def elements(self) -> "list[Node]":
        if not isinstance(self.content, list):
            raise self.mistake("此处应是列表", right="用方括号或短横线列出", example="[income.wage]")
        return self.content

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> "Fields":
        """The mapping with exactly these fields: a missing or unknown one is a mistake."""
        entries = dict(self.entries())
        required = tuple(required)
        allowed = (*required, *optional)
        for name, node in entries.items():
            if name not in allowed:
                raise node.mistake(f"不认识的字段 {name}", right=f"只可用 {'、'.join(allowed)}", example=allowed[0])
        for name in required:
            if name not in entries:
                raise self.mistake(f"缺少字段 {name}", right=f"必须有 {'、'.join(required)}", example=f"{name}: …")
        return Fields(self, entries)

    def one_of(self, allowed: Iterable[str]) -> str:
        allowed = tuple(allowed)
        if (text := self.text()) not in allowed:
            raise self.mistake(f"不认识的取值 {text}", right=f"只可用 {'、'.join(allowed)}", example=allowed[0])
        return text

    def day(self) -> date:
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            raise self.mistake(f"{self.text()} 不是日期", right="年-月-日的真实日期", example="2024-01-01") from None

    def flag(self) -> bool:
        return self.one_of(("true", "false")) == "true"


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one mapping, absent optional ones being None."""

    node: Node
    entries: dict[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self.entries[name]

    def get(self, name: str) -> Node | None:
        return self.entries.get(name)

    def text(self, name: str, default: str) -> str:
        return default if (node := self.get(name)) is None else node.text()

    def flag(self, name: str, default: bool) -> bool:
        return default if (node := self.get(name)) is None else node.flag()

    def texts(self, name: str) -> tuple[str, ...]:
        return () if (node := self.get(name)) is None else tuple(each.text() for each in node.elements())


def read_document(text: str, file: str, *, aliases: bool = False) -> Node:
    """Read one YAML document; repeated names are mistakes, and anchors and aliases where they are not allowed."""
    try:
        for token in yaml.scan(text, Loader=LOADER):
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken) and not aliases:
                line = token.start_mark.line + 1
                raise PolicyMistake(file, line, "不可用锚点和别名", right="把内容写全", example="unit: CNY")
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyMistake(
            file, line, f"不是有效的YAML（{error.problem}）", right="缩进一致、引号成对", example="unit: CNY"
        ) from error
    return Node({}, file, 1) if root is None else _node(root, file)


def _node(raw: yaml.Node, file: str) -> Node:
    line = raw.start_mark.line + 1
    if isinstance(raw, yaml.MappingNode):
        return Node(_mapping(raw, file), file, line)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(each, file) for each in raw.value], file, line)
    return Node(None if raw.tag == "tag:yaml.org,2002:null" else str(raw.value), file, line)


def _mapping(raw: yaml.MappingNode, file: str) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    for key, value in _pairs(raw):
        if key.value in entries:
            line = key.start_mark.line + 1
            raise PolicyMistake(file, line, f"{key.value} 重复出现", right="每个名称只写一次", example="删去其中一个")
        entries[str(key.value)] = _node(value, file)
    return entries


def _pairs(raw: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from raw.value
