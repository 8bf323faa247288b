"""An assessment is explained, replays to the same bytes, and tells change from mere ageing."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.explanation import explain
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.rendering import half_up, per_head_yuan, spoken_yuan

PACKAGE = load_policy()
ON = date(2026, 3, 15)
FACTS = (
    Fact("state.base_group", date(2020, 1, 1), value="general"),
    Fact("state.dwelling", date(2020, 1, 1), value="C", attributes={"occupied": "C", "only": True}),
    Fact("state.insured", date(2020, 1, 1), member="甲", value="resident"),
    Fact("income.wage", date(2025, 12, 31), amount_fen=710_000, period_to=date(2025, 12, 31)),
    Fact("expense.medical", date(2026, 2, 1), member="甲", compliant_fen=1_200_050, other_fen=0),
)

POOR = tuple(each for each in FACTS if each.kind != "expense.medical" and each.kind != "state.dwelling")
DAMAGED = Fact("state.dwelling", date(2020, 1, 1), value="C", attributes={"occupied": "C", "only": True})


def _assessed(
    *, facts: tuple[Fact, ...] = FACTS, on: date = ON, stale: Collection[str] = (), complete: bool = False
) -> Assessment:
    household = HouseholdFacts((Member("甲"),), facts, complete)
    return evaluate(PACKAGE, PACKAGE.parameters_for("130624100201", on), household, on, stale=stale)


def test_sentences_carry_number_threshold_and_who_decided() -> None:
    text = explain(_assessed(), PACKAGE)
    for words in (
        "边缘易致贫户",
        "人均纯收入7100元，低于监测线9500元",
        "医疗自付12000.50元，达到预警条件（预警线10000元）",
        "风险类型：因病、因安全住房",
        "阜平县",
    ):
        assert words in text


def test_unknown_is_said() -> None:
    text = explain(_assessed(facts=()), PACKAGE)
    assert "家庭收入未知" in text
    assert "尚不清楚" in text


def test_lines_that_nobody_confirmed_are_said_to_be_so() -> None:
    text = explain(_assessed(), PACKAGE)
    assert text.endswith("界线由国家、阜平县规定（监测线（人均纯收入）、医疗自付预警规则的取值尚未核实）。")


def test_a_cause_without_an_indicator_says_what_it_rests_on() -> None:
    ill = Fact("state.health", ON, "甲", value="serious")
    assert "风险类型：因病（依据成员状况或支出）" in explain(_assessed(facts=(*POOR, ill)), PACKAGE)


def test_flags_and_contradictions_are_told_in_words() -> None:
    text = explain(_assessed(facts=POOR), PACKAGE)
    assert "按现有信息不建议纳入监测，但有蓝色事项需要处理（30分）。" in text
    assert "提示：低于监测线但未见风险。" in text
    assert "请核对：" in explain(_assessed(facts=(*POOR, DAMAGED)), PACKAGE)


def test_exclusions_say_what_people_must_do() -> None:
    car = Fact("asset.vehicle", ON, attributes={"value_fen": 30_000_000, "purpose": "private"})
    company = Fact("asset.company", ON, attributes={"state": "dormant"})
    text = explain(_assessed(facts=(*FACTS, car, company)), PACKAGE)
    assert "排除情形：名下有达到限额的机动车，须由人说明理由。" in text
    assert "开办企业：登记的企业均已停业、注销或吊销。" in text


def test_what_is_told_elsewhere_is_not_told_twice() -> None:
    assessment = _assessed()
    text = explain(assessment, PACKAGE, doubted=assessment.unknown)
    assert "尚不清楚" not in text
    assert f"信息完整度{assessment.confidence_percent}%。" in text


def test_indicator_holds_measured_threshold_margin() -> None:
    found = _assessed().indicator("medical_self_paid")
    assert (found.measured, found.threshold, found.margin, found.unit) == ("12000.50", "10000.00", "2000.50", "CNY")
    assert found.decided_by == "130624"


def test_same_facts_give_the_same_bytes_in_any_order() -> None:
    assert _assessed().canonical() == _assessed(facts=FACTS[::-1]).canonical()


def test_next_month_alone_is_no_new_decision() -> None:
    before, after = _assessed(on=date(2026, 3, 31)), _assessed(on=date(2026, 4, 1))
    assert before.digest() != after.digest()
    assert before.decision_digest() == after.decision_digest()


def test_new_policy_version_alone_is_no_new_decision() -> None:
    assert replace(_assessed(), policy_version="x").decision_digest() == _assessed().decision_digest()


def test_staleness_never_withdraws_a_recommendation() -> None:
    fresh, stale = _assessed(), _assessed(stale=PACKAGE.data_sets)
    assert (stale.recommendation, stale.severity, stale.score) == (fresh.recommendation, fresh.severity, fresh.score)
    assert stale.confidence_percent < fresh.confidence_percent


def test_stale_outlay_turns_clear_into_unknown_and_stale_income_turns_fired_into_unknown() -> None:
    healthy = FACTS[:-1]
    found = _assessed(facts=healthy, stale=("medical_settlement", "household_register"))
    assert found.indicator("medical_self_paid").state == "unknown"
    assert found.indicator("income_below_line").state == "unknown"
    assert _assessed(stale=("medical_settlement",)).indicator("medical_self_paid").state == "fired"


def test_in_a_complete_trial_no_income_is_zero_inside_the_system_it_is_unknown() -> None:
    states = FACTS[:3]
    assert _assessed(facts=states, complete=True).indicator("income_below_line").measured == "0.00"
    assert _assessed(facts=states).indicator("income_below_line").state == "unknown"


def test_answer_has_the_names_of_the_contract() -> None:
    data = _assessed().as_data()
    assert {
        "recommendation",
        "severity",
        "score",
        "window",
        "members_counted",
        "causes",
        "indicators",
        "flags",
        "unknown",
        "confidence",
        "policy",
        "rigid_outlay_yuan",
        "net_income_per_capita_yuan",
        "reference_income_per_capita_yuan",
    } <= data.keys()
    assert data["policy"]["parameters_used"]["monitoring_line"]["value"] == "9500.00"


def test_rounding_is_half_up_away_from_zero() -> None:
    assert [half_up(each, 2) for each in (1, -1, 3, -3, 4)] == [1, -1, 2, -2, 2]
    assert per_head_yuan(100, 3) == "0.33"
    assert per_head_yuan(None, 3) is None
    assert spoken_yuan(710_000) == "7100"
    assert spoken_yuan(710_050) == "7100.50"
