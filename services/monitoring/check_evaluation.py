"""Check a trial evaluation as a whole: what its fields, each right by itself, say together."""

from collections.abc import Iterator
from datetime import date

from services.monitoring.schemas_evaluations import EvaluationRequest
from services.monitoring.schemas_facts import Entry, FactBody, Medical, Vehicle
from services.monitoring.schemas_household import MemberBody
from shared.errors import FieldError, Unprocessable
from shared.vocabulary.money import parse_yuan

LINE = "monitoring_line"


class EvaluationRefused(Unprocessable):
    """The request contradicts itself."""

    code, title = "evaluation_refused", "试算内容有误"


def check_evaluation(request: EvaluationRequest) -> None:
    """Every contradiction at once, at most a hundred, each with its place, a code and what is right."""
    errors = list(_errors(request))
    if errors:
        raise EvaluationRefused(f"有 {len(errors)} 处不符合要求", errors=errors[:100])


def _errors(request: EvaluationRequest) -> Iterator[FieldError]:
    if request.division is None and LINE not in request.parameters:
        yield FieldError(
            "body/division",
            "place_or_line_missing",
            "没有区划就不知道监测线",
            "填写 division，或在 parameters 里给出 monitoring_line",
            "130624100201",
        )
    identified = request.household.identified_on
    yield from _not_after(request.on, "body/household/identified_on", identified)
    yield from _members(request)
    keys = {each.key for each in request.household.members}
    for index, fact in enumerate(request.facts):
        yield from _fact(fact, f"body/facts/{index}", request.on, keys)


def _members(request: EvaluationRequest) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, member in enumerate(request.household.members):
        where = f"body/household/members/{index}"
        if member.key in seen:
            yield FieldError(f"{where}/key", "member_repeated", "成员 key 重复", "每个成员一个不同的 key", "m2")
        seen.add(member.key)
        yield from _member(member, where, request.on)


def _member(member: MemberBody, where: str, on: date) -> Iterator[FieldError]:
    for name in ("birth_date", "died_on"):
        yield from _not_after(on, f"{where}/{name}", getattr(member, name))
    if member.disability is not None:
        yield from _not_after(on, f"{where}/disability/certified_on", member.disability.certified_on)
    if member.died_on is not None and member.status != "deceased":
        yield FieldError(
            f"{where}/died_on", "not_deceased", "写了 died_on，status 却不是 deceased", "只有去世成员写 died_on"
        )
    if member.birth_date and member.died_on and member.died_on < member.birth_date:
        yield FieldError(f"{where}/died_on", "death_before_birth", "去世早于出生", f"不早于 {member.birth_date}")


def _fact(fact: FactBody, where: str, on: date, keys: set[str]) -> Iterator[FieldError]:
    yield from _not_after(on, f"{where}/occurred_on", fact.occurred_on)
    if fact.member is not None and fact.member not in keys:
        known = "、".join(sorted(keys)[:10])
        yield FieldError(f"{where}/member", "member_unknown", "没有这个成员", f"members 里的 key：{known}")
    if isinstance(fact, Entry):
        yield from _period(fact, where, on)
    if isinstance(fact, Medical):
        yield from _self_paid(fact, where)
    if isinstance(fact, Vehicle):
        yield from _not_after(on, f"{where}/bought_on", fact.bought_on)


def _period(fact: Entry, where: str, on: date) -> Iterator[FieldError]:
    yield from _not_after(on, f"{where}/period_to", fact.period_to)
    if (fact.period_from is None) != (fact.period_to is None):
        yield FieldError(
            f"{where}/period_to", "period_incomplete", "period_from 与 period_to 只写了一个", "两个都写，或都不写"
        )
    elif fact.period_from and fact.period_to and fact.period_from > fact.period_to:
        yield FieldError(f"{where}/period_to", "period_reversed", "期末早于期初", f"不早于 {fact.period_from}")


def _self_paid(fact: Medical, where: str) -> Iterator[FieldError]:
    parts = [parse_yuan(each) for each in (fact.self_paid_compliant_yuan, fact.self_paid_other_yuan) if each]
    if fact.gross_yuan is not None and sum(parts) > parse_yuan(fact.gross_yuan):
        yield FieldError(
            f"{where}/gross_yuan",
            "self_paid_over_gross",
            "合规自付与目录外自付之和超过总费用",
            "两项自付之和不超过 gross_yuan",
        )


def _not_after(on: date, where: str, day: date | None) -> Iterator[FieldError]:
    if day is not None and day > on:
        yield FieldError(where, "after_evaluation", "日期晚于认定日期 on", f"不晚于 {on}", str(on))
