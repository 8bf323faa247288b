"""Holds one household's medical self-pay against the rules on it (医疗自付预警线), straight from each rule."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from services.monitoring.domain.evaluated_measures import MeasuredHousehold
from services.monitoring.domain.household import Fact
from services.monitoring.domain.rendering import half_up
from shared.policies.medical_rule import MedicalRule
from shared.policies.share import BASIS
from shared.vocabulary.money import Fen
from shared.vocabulary.terms import Visit

BILL, CLAIM = "expense.medical", "income.insurance_claim"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """Whether a rule fires (None: unknown), and what is told: the amount and the line, in fen."""

    fired: bool | None
    measured: Fen | None
    threshold: Fen | None


@dataclass(frozen=True, slots=True)
class MedicalAccount:
    """The bills and claims of one household; `groups` says which groups it is in, None if that is unknown."""

    measured: MeasuredHousehold
    base_group: str | None
    is_monitored: bool
    rural_income: Fen

    def judged(self, rules: Iterable[MedicalRule]) -> RuleFinding:
        """One rule that fires is enough; told is the one overstepped most, the first of equals."""
        held = [(self._applies(rule), rule) for rule in rules]
        amounts = [(applies, rule, self.amount(rule)) for applies, rule in held if applies is not False]
        truths = [None if applies is None else self._fired(rule, amount) for applies, rule, amount in amounts]
        told = [(rule, amount) for applies, rule, amount in amounts if applies and amount is not None]
        fired = True if True in truths else None if None in truths else False
        if not told:
            return RuleFinding(fired, None, None)
        rule, amount = max(told, key=lambda each: self._overstepped(*each))
        return RuleFinding(fired, amount, half_up(self._line(rule), BASIS))

    def amount(self, rule: MedicalRule) -> Fen | None:
        """What a rule measures; unknown if a bill or claim that belongs to it is."""
        if rule.scope == "household":
            keys = {None, *(each.key for each in self.measured.lately)}
            return self._in_window(rule, self._facts(BILL, keys), self._facts(CLAIM, keys), by_member=False)
        amounts = [
            self._in_window(rule, self._facts(BILL, {each.key}), self._facts(CLAIM, {each.key}), by_member=True)
            for each in self.measured.lately
        ]
        return None if None in amounts else max((each for each in amounts if each is not None), default=None)

    def _applies(self, rule: MedicalRule) -> bool | None:
        """Whether a rule is for this household: for its base group, or for whoever is monitored already."""
        if self.is_monitored and "monitored" in rule.groups:
            return True
        if self.base_group is None:
            return None if rule.groups - {"monitored"} else False
        return self.base_group in rule.groups

    def _fired(self, rule: MedicalRule, amount: Fen | None) -> bool | None:
        if amount is None:
            return None
        line = self._line(rule)
        if line <= 0:
            return amount > 0
        return amount * BASIS >= line if rule.inclusive else amount * BASIS > line

    def _line(self, rule: MedicalRule) -> int:
        """The line in ten-thousandths of a fen, exact."""
        if rule.threshold_fen is not None:
            return rule.threshold_fen * BASIS
        assert rule.share_basis is not None, "a rule has one line or the other"
        return rule.share_basis * self.rural_income

    def _overstepped(self, rule: MedicalRule, amount: Fen) -> tuple[bool, Fraction]:
        """Amount by line; a line of zero or less is overstepped beyond measure by any self-pay at all."""
        line = self._line(rule)
        return (False, Fraction(amount * BASIS, line)) if line > 0 else (amount > 0, Fraction(0))

    def _facts(self, kind: str, keys: set[str | None]) -> list[Fact]:
        on = self.measured.windows.on
        return [each for each in self.measured.facts_of(kind) if each.member in keys and each.occurred_on <= on]

    def _in_window(self, rule: MedicalRule, bills: list[Fact], claims: list[Fact], *, by_member: bool) -> Fen | None:
        windows = self.measured.windows
        bills = [each for each in bills if each.visit is None or each.visit in rule.visits]
        match rule.window:
            case "year_to_date" | "rolling_12m":
                period = windows.year if rule.window == "year_to_date" else windows.account
                paid = _self_paid(rule, (each for each in bills if each.occurred_on in period))
                back = _sum(each.amount_fen for each in claims if _is_medical(each) and each.occurred_on in period)
                return None if paid is None or back is None else max(paid - back, 0)
            case "month":
                recent = (each for each in bills if each.occurred_on >= windows.account.first)
                groups = _grouped((each.occurred_on.replace(day=1), each) for each in recent)
            case _:
                stays = _grouped((_stay(each, by_member=by_member), each) for each in bills)
                groups = [stay for stay in stays if max(bill.occurred_on for bill in stay) >= windows.account.first]
        sums = [_self_paid(rule, each) for each in groups]
        return None if None in sums else max((each for each in sums if each is not None), default=0)


def _grouped(pairs: Iterable[tuple[Hashable, Fact]]) -> list[list[Fact]]:
    groups: dict[Hashable, list[Fact]] = defaultdict(list)
    for key, bill in pairs:
        groups[key].append(bill)
    return list(groups.values())


def _stay(bill: Fact, *, by_member: bool) -> Hashable:
    """The stay a bill belongs to; without an id it is one of its own."""
    if bill.stay is None:
        return id(bill)
    return (bill.member, bill.stay) if by_member else bill.stay


def _self_paid(rule: MedicalRule, bills: Iterable[Fact]) -> Fen | None:
    """What was paid in bills that a rule counts; unknown if of one the amount is, or whether it counts."""
    counts_all = len(rule.visits) == len(Visit)
    return _sum(_paid(rule, each) if each.visit is not None or counts_all else None for each in bills)


def _paid(rule: MedicalRule, bill: Fact) -> Fen | None:
    if rule.counts == "compliant":
        return bill.compliant_fen
    return _sum((bill.compliant_fen, bill.other_fen))


def _is_medical(claim: Fact) -> bool:
    return claim.attributes.get("for") == "medical"


def _sum(amounts: Iterable[Fen | None]) -> Fen | None:
    """Unknown if one is."""
    total = 0
    for each in amounts:
        if each is None:
            return None
        total += each
    return total
