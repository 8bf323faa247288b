"""An assessment in Chinese sentences (评估说明): the class and why, what fired, what was not known."""

from services.monitoring.domain.assessment import FIRED, Assessment
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.presentation import REQUEST
from services.monitoring.domain.rendering import per_head_yuan, spoken, spoken_yuan
from shared.policies.unit import Unit

THIS_REQUEST = "本次试算的请求"

__all__ = ["explain", "per_head_yuan", "spoken_yuan"]


def explain(assessment: Assessment, package: PolicyPackage) -> str:
    """Several sentences for people; the program recommends, people decide."""
    return "".join(
        (
            _opening(assessment, package),
            _income(assessment),
            *(each.sentence for each in assessment.indicators if each.state == FIRED),
            _causes(assessment),
            _exclusions(assessment),
            _hints(assessment),
            _unknown(assessment, package),
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
    return f"风险类型：{'、'.join(each.zh for each in assessment.causes)}。" if assessment.causes else ""


def _exclusions(assessment: Assessment) -> str:
    """Why a person must give a reason, or why none is asked for."""
    reasons = dict.fromkeys(each.reason.rstrip("。") for each in assessment.exclusions if each.reason)
    return "".join(f"{each}。" for each in reasons)


def _hints(assessment: Assessment) -> str:
    """What another office should look at."""
    labels = "、".join(each.label for each in assessment.civil_affairs)
    return f"请民政部门留意：{labels}。" if labels else ""


def _unknown(assessment: Assessment, package: PolicyPackage) -> str:
    if not assessment.unknown:
        return ""
    labels = "、".join(package.indicators[name].label_zh for name in assessment.unknown)
    return f"尚不清楚：{labels}（信息完整度{assessment.confidence_percent}%）。"


def _thresholds(assessment: Assessment, package: PolicyPackage) -> str:
    """Who decided the lines that fired."""
    places = dict.fromkeys(
        THIS_REQUEST if each.decided_by == REQUEST else package.place_name(each.decided_by)
        for each in assessment.indicators
        if each.state == FIRED and each.decided_by is not None
    )
    return f"界线由{'、'.join(places)}规定。" if places else ""
