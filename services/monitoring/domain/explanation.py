"""An assessment in Chinese sentences (评估说明): the class and why, what fired, what was not known."""

from collections.abc import Collection, Iterator, Sequence

from services.monitoring.domain.assessment import FIRED, Assessment
from services.monitoring.domain.note import Note
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.presentation import REQUEST
from services.monitoring.domain.rendering import per_head_yuan, spoken, spoken_yuan
from shared.policies.unit import Unit

THIS_REQUEST = "本次试算的请求"

__all__ = ["explain", "per_head_yuan", "spoken_yuan"]


def explain(assessment: Assessment, package: PolicyPackage, *, doubted: Collection[str] = ()) -> str:
    """Several sentences for people; the program recommends, people decide.

    `doubted` are indicators of which the reader is told elsewhere why they are unknown.
    """
    return "".join(
        (
            _opening(assessment, package),
            _income(assessment),
            *(each.sentence for each in assessment.indicators if each.state == FIRED),
            _causes(assessment),
            _exclusions(assessment, package),
            _notes("提示", assessment.flags, package.flags),
            _notes("请核对", assessment.quality_flags, package.quality_flags),
            _hints(assessment),
            _unknown(assessment, package, doubted),
            _thresholds(assessment, package),
        )
    )


def _opening(assessment: Assessment, package: PolicyPackage) -> str:
    severity = assessment.severity.zh if assessment.severity else ""
    if assessment.recommendation is not None:
        return f"建议由县级核定为{package.label(assessment.recommendation)}（{severity}，{assessment.score}分）。"
    withheld = assessment.recommendation_without_exclusions
    if withheld is not None:
        return f"符合{package.label(withheld)}的条件（{severity}，{assessment.score}分），因有排除情形不自动推荐。"
    if assessment.severity is not None:
        return f"按现有信息不建议纳入监测，但有{severity}事项需要处理（{assessment.score}分）。"
    return "按现有信息不建议纳入监测。"


def _income(assessment: Assessment) -> str:
    window = f"{assessment.window.first}至{assessment.window.last}"
    net = per_head_yuan(assessment.net_income_fen, assessment.members_counted)
    if net is None:
        return f"{window}的家庭收入未知。"
    text = f"{window}计入{assessment.members_counted}人，人均纯收入{spoken(net, Unit.CNY)}元"
    forward = assessment.forward_income_per_head()
    if forward is not None and forward != net:
        text += f"，扣除已失去的收入后人均{spoken(forward, Unit.CNY)}元"
    if assessment.rigid_outlay_fen is None:
        return f"{text}，刚性支出未知。"
    return f"{text}，刚性支出{spoken_yuan(assessment.rigid_outlay_fen)}元。"


def _causes(assessment: Assessment) -> str:
    if not assessment.causes:
        return ""
    told = {each.cause for each in assessment.indicators if each.state == FIRED}
    causes = (each.zh if each in told else f"{each.zh}（依据成员状况或支出）" for each in assessment.causes)
    return f"风险类型：{'、'.join(causes)}。"


def _exclusions(assessment: Assessment, package: PolicyPackage) -> str:
    """What a person must give a reason for, and of which hits why none is asked."""
    hits = [each for each in assessment.exclusions if each.reason]
    asked = "；".join(_bare(each.reason) for each in hits if not each.exempt)
    text = f"排除情形：{asked}，须由人说明理由。" if asked else ""
    labels = {each.name: each.label_zh for each in package.exclusions}
    for reason in dict.fromkeys(each.reason for each in hits if each.exempt):
        text += f"{'、'.join(labels[each.id] for each in hits if each.reason == reason)}：{_bare(reason)}。"
    return text


def _bare(sentence: str | None) -> str:
    return (sentence or "").rstrip("。")


def _notes(head: str, names: Sequence[str], notes: Sequence[Note]) -> str:
    labels = "、".join(each.label_zh for each in notes if each.name in names)
    return f"{head}：{labels}。" if labels else ""


def _hints(assessment: Assessment) -> str:
    """What another office should look at."""
    labels = "、".join(each.label for each in assessment.civil_affairs)
    return f"请民政部门留意：{labels}。" if labels else ""


def _unknown(assessment: Assessment, package: PolicyPackage, doubted: Collection[str]) -> str:
    if not assessment.unknown:
        return ""
    known = f"信息完整度{assessment.confidence_percent}%"
    labels = "、".join(package.indicators[name].label_zh for name in assessment.unknown if name not in doubted)
    return f"尚不清楚是否有：{labels}（{known}）。" if labels else f"{known}。"


def _thresholds(assessment: Assessment, package: PolicyPackage) -> str:
    """Who decided the lines that fired, and which of them nobody has confirmed."""
    fired = [each for each in assessment.indicators if each.state == FIRED and each.decided_by is not None]
    places = dict.fromkeys(_place(each.decided_by or "", package) for each in fired)
    if not places:
        return ""
    unconfirmed = "、".join(dict.fromkeys(_unconfirmed(assessment, package, {each.id for each in fired})))
    return f"界线由{'、'.join(places)}规定{f'（{unconfirmed}的取值尚未核实）' if unconfirmed else ''}。"


def _place(decided_by: str, package: PolicyPackage) -> str:
    return THIS_REQUEST if decided_by == REQUEST else package.place_name(decided_by)


def _unconfirmed(assessment: Assessment, package: PolicyPackage, fired: Collection[str]) -> Iterator[str]:
    used = {each.name: each for each in assessment.parameters_used}
    for indicator in (package.indicators[name] for name in package.indicators if name in fired):
        names = [indicator.rules] if indicator.rules else [each.parameter for each in indicator.thresholds]
        yield from (used[name].label_zh for name in names if name in used and not used[name].verified)
