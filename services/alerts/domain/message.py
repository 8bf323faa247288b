"""What a message says: to whom it goes decides what it may name.

To a group, a robot, a webhook or an e-mail: a count, a village, a link; a name, a rule or a cause would point at a
person. To the inbox of a logged-in officer: who, where, why in a word; more only to those whose field classes allow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.vocabulary.terms import Cause, RiskClass, Severity


class Kind(StrEnum):
    """Why a message is sent."""

    OPENED = "opened"
    RAISED = "raised"
    REPORTED = "reported"
    HANDED_OVER = "handed_over"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    DECLINED = "declined"
    UNREACHED = "unreached"
    CONFIRM = "confirm"
    REFUSED = "refused"
    RECHECKED = "rechecked"
    MOVED = "moved"
    TASK = "task"
    CONSULTED = "consulted"
    TICKET = "ticket"
    EVIDENCE = "evidence"
    WITHHELD = "withheld"
    DATA_NOTICE = "data_notice"
    TEST = "test"
    OVERDUE = "overdue"
    DIGEST = "digest"
    MONTHLY = "monthly"


class MatterKind(StrEnum):
    """What besides a warning itself is asked of somebody."""

    TASK = "task"
    TICKET = "ticket"
    CONSULTATION = "consultation"
    RECHECK = "recheck"


@dataclass(frozen=True, slots=True)
class Matter:
    """The very thing (事项) that a letter is about."""

    kind: MatterKind
    matter_id: UUID


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
    Kind.REMINDER: "超期预警待处理",
    Kind.ESCALATION: "超期预警升级督办",
    Kind.DECLINED: "您转交的预警被退回",
    Kind.UNREACHED: "多次联系不上，请协助核实",
    Kind.CONFIRM: "核实结论待您复核",
    Kind.REFUSED: "核实结论未通过复核，请重新核实",
    Kind.RECHECKED: "抽查结果与原结论不同，请重新核实",
    Kind.MOVED: "预警随户迁移，请接续办理",
    Kind.TEST: "测试消息",
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


def calendar_text(year: int) -> Text:
    """A data notice: the days off of a year are not known, so that its deadlines are provisional."""
    now = f"{year}年放假安排尚未导入，跨年的时限暂按周一至周五推算。"
    return Text(f"请导入{year}年工作日历", f"{now}国务院办公厅通知发布后请导入工作日历，时限自动重算。")


def supplier_text(channel: str) -> Text:
    """A data notice: a supplier must be mended (an account without money, a wrong key); nothing is lost meanwhile."""
    said = f"{channel} 平台拒绝发送，请检查余额、密钥与签名。未发出的消息会保留，修复后自动重发。"
    return Text("通知平台异常", said)


def data_text(title: str, detail: str) -> Text:
    """A data notice: what a department owes."""
    return Text(f"数据催报：{title}", detail)


def task_text(sector_zh: str, place: str, *, desk: bool) -> Text:
    """A department's task: which guarantee, where; who it is, is read after login."""
    told = "没有在岗的部门联络员，请县级专班转办并补充联络员。" if desk else "请登录后在规定工作日内处理并反馈。"
    return Text(f"{sector_zh}任务待处理", f"{place}有 1 户{sector_zh}方面的问题，{told}")


def overdue_text(what: str, place: str, due_on: date, *, is_above: bool) -> Text:
    """Something owed is overdue: to who owes it, or to who stands above; about whom is read after login."""
    asked = "责任人尚未办理，请督办" if is_above else "请尽快办理"
    return Text(f"{what}已逾期", f"{place}有 1 件{what}，应于 {due_on:%Y-%m-%d} 前办理，现已逾期，{asked}。")


def outside_overdue_text(count: int, place: str) -> Text:
    """What leaves the system of it: how many things; of several places one is named."""
    return Text("逾期事项催办", f"{place}等处有 {count} 件事项已逾期，请登录后办理。")


def not_possible_text(sector_zh: str, place: str) -> Text:
    """A data notice: a guarantee stays lacking, and the village knows."""
    return Text(
        f"{sector_zh}任务无法解决", f"{place}有 1 户的{sector_zh}问题部门反馈无法解决，村级已确认，请县级专班研究。"
    )


def ticket_text(department: str, place: str, due_on: date, *, desk: bool) -> Text:
    """A department's correction ticket: how many, where, by when; about whom is read after login."""
    told = "没有在岗的部门联络员，请县级专班转办并补充联络员。" if desk else "请登录后核对更正并回复。"
    asked = f"{place}有 1 户走访发现数据有误，应于 {due_on:%Y-%m-%d} 前更正，{told}"
    return Text(f"数据更正单（{department}）待处理", asked)


def consultation_text(place: str, by: str) -> Text:
    """A department is asked for its opinion; about whom is read after login."""
    return Text("联合会商待书面意见", f"{place}有 1 户提交联合会商，请于 {by} 前提交书面意见。")


def consultation_unheard_text(place: str, departments: str, by: str) -> Text:
    """A data notice: departments are asked whose liaison is missing."""
    told = f"{departments}没有在岗的部门联络员，请县级专班转办并补充联络员。"
    return Text("联合会商未送达部门", f"{place}有 1 户提交联合会商，应于 {by} 前提交书面意见，{told}")


def consultation_cancelled_text(place: str) -> Text:
    """A department that was asked need not write any more."""
    return Text("联合会商已取消", f"{place}有 1 户的联合会商已取消，无需再提交书面意见。")


_CAUSES = frozenset(cause.value for cause in Cause)
_CLASSES = frozenset(name.value for name in RiskClass)
