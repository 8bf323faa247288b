"""What a message says: to whom it goes decides what it may name.

To a group, a robot, a webhook or an e-mail: a count, a village, a link; a name, a rule or a cause would point at a
person. To the inbox of a logged-in officer: who, where, why in a word; more only to those whose field classes allow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.vocabulary.terms import Cause, RiskClass, Severity


class Kind(StrEnum):
    """Why a message is sent."""

    OPENED = "opened"
    RAISED = "raised"
    REPORTED = "reported"
    HANDED_OVER = "handed_over"
    EVIDENCE = "evidence"
    WITHHELD = "withheld"
    DATA_NOTICE = "data_notice"
    DIGEST = "digest"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Subject:
    """The household of a warning, as a message may speak of it; sentences carry amounts."""

    name: str
    phone: str | None
    place: str
    severity: Severity | None
    recommendation: str | None
    causes: tuple[str, ...]
    sentences: tuple[str, ...] = ()
    has_reported: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a body in plain text."""

    title: str
    body: str


_TITLES = {
    Kind.OPENED: "新预警待核实",
    Kind.RAISED: "预警升级，请尽快核实",
    Kind.REPORTED: "农户求助待答复",
    Kind.HANDED_OVER: "转交给您的预警",
}


def outside_text(kind: Kind, *, count: int, place: str) -> Text:
    """What leaves the system: how many, which village; nothing about anyone."""
    title = _TITLES[kind]
    return Text(title, f"{place}有 {count} 户{title}，请登录后查看。")


def inbox_text(kind: Kind, subject: Subject, classes: Collection[str]) -> Text:
    """What an officer reads after login: who and where always, the rest by his field classes."""
    level = subject.severity.zh if subject.severity else "待评估"
    lines = [f"{subject.place} {subject.name}", *_classed_lines(subject, classes)]
    return Text(f"【{level}】{_TITLES[kind]}", "\n".join(lines))


def _classed_lines(subject: Subject, classes: Collection[str]) -> list[str]:
    lines = []
    if "contact" in classes and subject.phone:
        lines.append(f"电话：{subject.phone}")
    if "cause" in classes:
        lines.append(f"原因：{causes_zh(subject.causes, has_reported=subject.has_reported)}")
    if "class" in classes and subject.recommendation:
        lines.append(f"建议：{class_zh(subject.recommendation)}")
    if "amount" in classes:
        lines.extend(subject.sentences)
    return lines


def causes_zh(causes: Sequence[str], *, has_reported: bool = False) -> str:
    """The causes in a few words; without one, that the household asked, or that it is not known yet."""
    words = [Cause(cause).zh if cause in _CAUSES else cause for cause in causes]
    if has_reported:
        words.insert(0, "农户自主申报")
    return "、".join(words) or "待核实"


def class_zh(recommendation: str) -> str:
    """The name of a class; other regimes bring codes of their own, shown as they are."""
    return RiskClass(recommendation).zh if recommendation in _CLASSES else recommendation


def gap_text(place: str, role_zh: str) -> Text:
    """A data notice (数据提示): a post is empty, and who was told instead."""
    return Text("岗位空缺", f"{place}没有在岗的{role_zh}，预警已转给上一级，请补充责任人。")


def endpoint_text(channel: str, officer_no: str | None) -> Text:
    """A data notice: a way out is broken, and whose."""
    owner = f"干部 {officer_no} 的" if officer_no else "工作群的"
    return Text("通知渠道异常", f"{owner} {channel} 通知渠道无法送达，已停用，请检查后重新启用。收件箱消息不受影响。")


def data_text(title: str, detail: str) -> Text:
    """A data notice: what a department owes."""
    return Text(f"数据催报：{title}", detail)


_CAUSES = frozenset(cause.value for cause in Cause)
_CLASSES = frozenset(name.value for name in RiskClass)
