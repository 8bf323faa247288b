"""An assessment in Chinese sentences (评估说明): the class and why, what fired, what was not known."""

from services.monitoring.domain.assessment import FIRED, Assessment
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.rendering import per_head_yuan, spoken, spoken_yuan
from shared.policies.unit import Unit

__all__ = ["explain", "per_head_yuan", "spoken_yuan"]


def explain(assessment: Assessment, package: PolicyPackage) -> str:
    """Several sentences for people; the program recommends, people decide."""
    return "".join(
        (
            _opening(assessment, package),
            _income(assessment),
            *(each.sentence for each in assessment.indicators if each.state == FIRED),
            _causes(assessment),
            _unknown(assessment, package),
            _thresholds(assessment, package),
        )
    )


def _opening(assessment: Assessment, package: PolicyPackage) -> str:
    if assessment.recommendation is None:
        return "按现有信息不建议纳入监测。"
    severity = assessment.severity.zh if assessment.severity else ""
    return f"建议由县级核定为{package.label(assessment.recommendation)}（{severity}，{assessment.score}分）。"


def _income(assessment: Assessment) -> str:
    window = f"{assessment.window.first}至{assessment.window.last}"
    net = per_head_yuan(assessment.net_income_fen, assessment.members_counted)
    if net is None:
        return f"{window}的家庭收入未知。"
    text = f"{window}计入{assessment.members_counted}人，人均纯收入{spoken(net, Unit.CNY)}元"
    if assessment.rigid_outlay_fen is None:
        return f"{text}，刚性支出未知。"
    return f"{text}，刚性支出{spoken_yuan(assessment.rigid_outlay_fen)}元。"


def _causes(assessment: Assessment) -> str:
    return f"风险类型：{'、'.join(each.zh for each in assessment.causes)}。" if assessment.causes else ""


def _unknown(assessment: Assessment, package: PolicyPackage) -> str:
    if not assessment.unknown:
        return ""
    labels = "、".join(package.indicators[name].label_zh for name in assessment.unknown)
    return f"尚不清楚：{labels}（信息完整度{assessment.confidence_percent}%）。"


def _thresholds(assessment: Assessment, package: PolicyPackage) -> str:
    """Who decided the lines that fired."""
    places = dict.fromkeys(
        package.place_name(each.decided_by)
        for each in assessment.indicators
        if each.state == FIRED and each.decided_by is not None
    )
    return f"界线由{'、'.join(places)}规定。" if places else ""
