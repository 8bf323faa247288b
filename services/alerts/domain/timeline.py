"""The timeline of an alert (处置经过) in words that an official reads: one sentence for each event."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.alerts.domain.sector import Sector
from services.alerts.domain.work_time import SHANGHAI
from shared.vocabulary.terms import Outcome, Role, Severity

Said = Mapping[str, Any]

STATUS = MappingProxyType(
    {
        "open": "待签收",
        "acknowledged": "已签收",
        "verifying": "核实中",
        "confirming": "待复核",
        "closed": "已办结",
    }
)
MESSAGES = MappingProxyType(
    {
        "opened": "新预警",
        "raised": "预警升级",
        "reported": "农户求助",
        "handed_over": "转交",
        "reminder": "超期提醒",
        "escalation": "升级督办",
        "declined": "转交被退回",
        "unreached": "多次联系不上",
        "confirm": "待复核",
        "refused": "复核未通过",
        "rechecked": "抽查结果不同",
        "moved": "随户迁移",
        "task": "部门任务",
        "consulted": "会商",
        "ticket": "数据更正单",
        "evidence": "新增依据",
        "withheld": "静默期间的预警",
        "data_notice": "数据提示",
        "digest": "每日汇总",
        "monthly": "月度清单",
        "overdue": "逾期催办",
    }
)
_DECISIONS = {"send": "发送", "defer": "顺延", "digest": "列入汇总", "suppress": "不发"}
_ENDINGS = {"sent": "已推送", "digested": "已列入每日汇总", "cancelled": "已取消，不再推送"}
_TRIES = {
    "ok": "送达",
    "retry": "未送达，将重试",
    "fix": "未送达，渠道需修复",
    "gone": "未送达，渠道已失效",
    "limited": "对方限流，稍后再发",
    "unreached": "对方回执未送达",
    "asked": "向对方查询前次结果",
}
_REACHES = {
    "duty": "在岗责任人",
    "deputy": "代理",
    "paired": "帮扶责任人",
    "fallthrough": "下一级无人，由其负责",
    "copy": "抄送",
    "handed_over": "接受转交",
    "escalated": "升级督办",
}
_CLOSED = {"corrected": "数据已更正", "kept": "部门维持原数据"}


def words_of(kind: str, actor: str | None, said: Said) -> str:
    """The sentence of an event; one of a kind that is not known yet says its code."""
    words = _WORDS.get(kind)
    return words(actor or "系统", said) if words else kind


def _step(actor: str, said: Said) -> str:
    deed = _STEPS.get(said["action"])
    detail = said["detail"] or {}
    told = deed(detail) if deed else said["action"]
    before, after = said["before"], said["after"]
    moved = f"，{STATUS[before]}→{STATUS[after]}" if before and before != after else ""
    return f"{_who(actor)}{told}{moved}"


def _who(actor: str) -> str:
    return {"monitoring": "监测系统", "alerts": "系统"}.get(actor, f"干部 {actor} ")


def _opened(detail: Said) -> str:
    level = detail.get("severity")
    return f"开启预警，等级{Severity(level).zh if level else '待评估'}"


def _extended(detail: Said) -> str:
    return f"补充预警，新增依据 {detail.get('new_evidence', 0)} 条，新增申报 {detail.get('new_reports', 0)} 条"


def _routed(detail: Said) -> str:
    nodes = "、".join(detail.get("nodes") or ()) or "默认节点"
    return f"按路由表 {detail.get('route_version')} 分派，命中节点 {nodes}"


def _moved(detail: Said) -> str:
    """From where to where: the place where the household lives, or, where that is the same, is registered."""
    told = []
    for name, word in (("living", "居住地"), ("registered", "户籍地")):
        before, after = detail["from"][name]["name"], detail["to"][name]["name"]
        told += [f"{word}由 {before} 变为 {after}"] if before != after else []
    ended = "、".join(detail.get("ended") or ())
    lapsed = "、".join(detail.get("lapsed") or ())
    leaving = f"；{ended} 在新址没有岗位，不再负责" if ended else ""
    return f"农户迁移，预警随户转移：{'，'.join(told)}{leaving}" + (
        f"；转交给 {lapsed} 的未接收，作废" if lapsed else ""
    )


def _escalated(detail: Said) -> str:
    why = "超时未签收" if detail.get("because") == "not_acknowledged" else "超时未核实"
    over = "、".join(f"第 {level} 级" for level in detail.get("passed_over") or ())
    to = "、".join(detail.get("to") or ())
    return f"{why}，升级到第 {detail.get('level')} 级督办（{to}）" + (f"，{over}无人在岗" if over else "")


def _reminded(detail: Said) -> str:
    why = "超时未签收" if detail.get("because") == "not_acknowledged" else "超时未核实"
    return f"{why}，提醒 {'、'.join(detail.get('reminded') or ())}"


def _unreached(detail: Said) -> str:
    method = "入户" if detail.get("method") == "visit" else "电话"
    return f"{method}联系不上" + _because(detail.get("note")) + ("，已请上一级参与" if detail.get("goes_up") else "")


def _outcome(code: str | None) -> str:
    return Outcome(code).zh if code else "未注明"


def _answered(word: str) -> Callable[[Said], str]:
    return lambda detail: f"{word}，结论：{_outcome(detail.get('outcome'))}"


def _handed_over(detail: Said) -> str:
    return f"转交给 {detail.get('to')}" + _because(detail.get("reason"))


def _consulted(detail: Said) -> str:
    return f"提交联合会商，征求 {'、'.join(detail.get('departments') or ())} 意见"


def _task_opened(detail: Said) -> str:
    return f"转{Sector(detail['sector']).zh}部门办理"


def _noted(word: str, name: str = "note") -> Callable[[Said], str]:
    return lambda detail: word + _because(detail.get(name))


def local_time(moment: str) -> str:
    """A moment as it is read in China."""
    local = datetime.fromisoformat(moment).astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def _because(text: str | None) -> str:
    return f"（{text}）" if text else ""


_STEPS: Mapping[str, Callable[[Said], str]] = MappingProxyType(
    {
        "opened": _opened,
        "extended": _extended,
        "routed": _routed,
        "moved": _moved,
        "escalated": _escalated,
        "reminded": _reminded,
        "clocks_recomputed": lambda _: "因工作日历变化重算时限",
        "acknowledge": lambda _: "签收",
        "cannot_reach": _unreached,
        "hand_over": _handed_over,
        "accept": lambda _: "接受转交",
        "handover_accepted": lambda _: "接受转交",
        "handover_declined": _noted("退回转交", "reason"),
        "handover_withdrawn": lambda _: "撤回转交",
        "consult": _consulted,
        "opinion": lambda detail: f"提交会商意见（{detail.get('department') or '未注明部门'}）",
        "consultation_cancelled": _noted("取消联合会商", "reason"),
        "propose": _answered("提交核实结论，待另一位干部复核"),
        "confirm": _answered("复核同意并办结"),
        "refuse": _noted("复核不同意", "reason"),
        "verify": _answered("核实办结"),
        "recheck": lambda detail: f"抽查复核，结论：{_outcome(detail.get('found'))}",
        "task_opened": _task_opened,
        "task_done": _noted("部门反馈已解决"),
        "task_not_possible": _noted("部门反馈无法解决"),
        "task_confirmed": _noted("村级确认部门任务"),
        "task_not_solved": _noted("村级退回部门任务"),
    }
)


def _evidence(_: str, said: Said) -> str:
    item = said["item"]
    told = item.get("sentence") or item.get("summary") or item.get("indicator") or item.get("kind") or "依据"
    return f"依据：{told}"


def _assigned(_: str, said: Said) -> str:
    return f"{Role(said['role']).zh} {said['officer_no']} 负责（{_REACHES.get(said['reach'], said['reach'])}）"


def _released(_: str, said: Said) -> str:
    return f"{Role(said['role']).zh} {said['officer_no']} 不再负责"


def _message(_: str, said: Said) -> str:
    moment = f"，{local_time(said['not_before'])}后推送" if said["not_before"] else ""
    reason = f"：{said['reason']}" if said["reason"] else ""
    return f"通知{_to(said)}“{_named(said)}”：{_DECISIONS.get(said['decision'], said['decision'])}{reason}{moment}"


def _message_ended(_: str, said: Said) -> str:
    together = "（与同村其他预警合并为一条）" if said["together"] and said["outcome"] == "sent" else ""
    return f"给{_to(said)}的“{_named(said)}”{_ENDINGS.get(said['outcome'], said['outcome'])}{together}"


def _named(said: Said) -> str:
    return MESSAGES.get(said["kind"], str(said["kind"]))


def _to(said: Said) -> str:
    return f" {said['to']} " if said["to"] else "工作群"


def _attempt(_: str, said: Said) -> str:
    told = _TRIES.get(said["outcome"], said["outcome"])
    reason = f"：{said['reason']}" if said["outcome"] != "ok" and said["reason"] else ""
    return f"经 {said['channel']} 第 {said['attempt']} 次发送给{_to(said)}，{told}{reason}"


def _receipt(_: str, said: Said) -> str:
    return f"{said['channel']} 回执：{'已送达' if said['arrived'] else '未送达'}"


_WORDS: Mapping[str, Callable[[str, Said], str]] = MappingProxyType(
    {
        "step": _step,
        "evidence": _evidence,
        "assigned": _assigned,
        "released": _released,
        "message": _message,
        "message_ended": _message_ended,
        "attempt": _attempt,
        "receipt": _receipt,
        "recheck_drawn": lambda _, said: f"结论被抽中复核，应于 {local_time(said['due_at'])} 前完成",
        "ticket_opened": lambda _, said: (
            f"向{said['department']}发出数据更正单，限 {local_time(said['due_at'])} 前答复"
        ),
        "ticket_replied": lambda actor, said: f"{said['department']} {actor} 答复更正单{_because(said['reply'])}",
        "ticket_closed": lambda _, said: (
            f"{said['department']}更正单办结：{_CLOSED.get(said['state'], said['state'])}"
        ),
    }
)
