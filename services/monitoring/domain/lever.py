"""Levers (可改变的条件): named changes to a household's facts, and whether help can bring them about.

A lever is data. What it does to the facts stands in `facts_changed`; whether that takes the household out of a class,
or into one, only the policy can say.
"""

from dataclasses import dataclass
from enum import StrEnum

from services.monitoring.domain import pull
from services.monitoring.domain.pull import Pull, Pulls, Situation


class Towards(StrEnum):
    """Which way a lever works: out of a class, or into one."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Lever:
    """`by_help`: help can bring it about (or, on the way in, keep it from happening); age or death it cannot.

    `of_health`: it tells of a person's health, which fewer posts may see beside a name.
    """

    name: str
    towards: Towards
    by_help: bool
    sentence: str
    pulls: Pulls
    of_health: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A lever as a household could pull it."""

    lever: Lever
    pull: Pull


OUT, IN = Towards.OUT, Towards.IN

LEVERS: tuple[Lever, ...] = (
    Lever("more_income", OUT, True, "全年家庭增收{amount}元", pull.more_income),
    Lever("medical_covered", OUT, True, "由报销、救助、补充保险再承担医疗自付{amount}元", pull.medical_covered),
    Lever("education_covered", OUT, True, "由资助再承担教育支出{amount}元", pull.relieved("expense.education")),
    Lever(
        "rehabilitation_covered", OUT, True, "由救助再承担康复支出{amount}元", pull.relieved("expense.rehabilitation")
    ),
    Lever("disaster_covered", OUT, True, "由救灾资金再承担因灾支出{amount}元", pull.relieved("expense.disaster")),
    Lever("accident_covered", OUT, True, "由救助再承担意外支出{amount}元", pull.relieved("expense.accident")),
    Lever("dwelling_repaired", OUT, True, "危房改造到B级以上", pull.dwelling_repaired),
    Lever("water_supplied", OUT, True, "饮水达到安全标准", pull.water_supplied),
    Lever("insured", OUT, True, "未参保成员全部参加基本医疗保险", pull.insured),
    Lever("back_in_school", OUT, True, "失学辍学子女返校", pull.back_in_school),
    Lever("loan_settled", OUT, True, "逾期贷款结清或展期", pull.loan_settled),
    Lever(
        "without_disability",
        OUT,
        False,
        "假如没有残疾",
        pull.not_so("event.disability_certified", "state.disability", (), "none", types=None, grade=None),
        True,
    ),
    Lever(
        "without_illness",
        OUT,
        False,
        "假如没有重病、慢性病",
        pull.not_so("event.serious_illness", "state.health", ("serious", "chronic"), "healthy"),
        True,
    ),
    Lever("able_to_work", OUT, False, "假如有劳动能力", pull.able_to_work, True),
    Lever("still_there", OUT, False, "假如成员没有去世或服刑", pull.still_there, True),
    Lever("without_accident", OUT, False, "假如没有发生意外", pull.without("event.accident")),
    Lever("without_disaster", OUT, False, "假如没有发生灾害", pull.without("event.disaster", "event.housing_damage")),
    Lever("without_job_loss", OUT, False, "假如没有失业", pull.without("event.job_loss")),
    Lever("without_wage_drop", OUT, False, "假如收入没有骤降", pull.without("event.wage_drop")),
    Lever("without_business_failure", OUT, False, "假如经营没有失败", pull.without("event.business_failure")),
    Lever("less_income", IN, True, "全年家庭收入再减少{amount}元", pull.less_income),
    Lever("more_medical", IN, True, "再发生医疗合规自付{amount}元", pull.more_medical, True),
    Lever("more_education", IN, True, "再发生教育支出{amount}元", pull.spent("expense.education")),
    Lever("more_disaster_cost", IN, False, "再发生因灾支出{amount}元", pull.spent("expense.disaster")),
    Lever("more_accident_cost", IN, False, "再发生意外支出{amount}元", pull.spent("expense.accident")),
    Lever("dwelling_unsafe", IN, True, "住房成为C级危房", pull.dwelling_unsafe),
    Lever("job_loss", IN, True, "主要劳动力失业", pull.happens("event.job_loss")),
    Lever("dropout", IN, True, "有子女失学辍学", pull.leaves_school),
    Lever("serious_illness", IN, False, "有成员患重大疾病", pull.happens("event.serious_illness"), True),
    Lever("disability_certified", IN, False, "有成员新认定残疾", pull.happens("event.disability_certified"), True),
    Lever("accident", IN, False, "发生意外事故", pull.happens("event.accident")),
    Lever("disaster", IN, False, "发生自然灾害", pull.happens("event.disaster")),
    Lever("business_failure", IN, False, "经营失败", pull.happens("event.business_failure")),
)


def options_of(situation: Situation, towards: Towards) -> list[Option]:
    """Everything that could be other about a household, in the order of the levers."""
    return [Option(lever, pull) for lever in LEVERS if lever.towards is towards for pull in lever.pulls(situation)]
