"""Policy packages for property tests: small, random, well typed, and using every part of the language.

They say nothing sensible. What matters is that the compiled text and the evaluator understand them alike.
"""

import json
from random import Random
from typing import Any

from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.policy_reader import read_policy
from shared.policies.document import read_document
from shared.policies.package import DOCUMENTS, RawPackage
from shared.vocabulary.terms import Cause, Severity
from tests.services.monitoring.domain.generated_expressions import ExpressionMaker, Names, listed
from tests.services.monitoring.domain.generated_households import (
    ATTRIBUTES,
    EVENTS,
    EXPENSES,
    INCOMES,
    STATES,
    VISITS,
)

Document = dict[str, Any]

MANY = 70
"""More than one word of a mask holds."""

LABEL = "某"
SINCE = "2020-03-01"
LINES = ("8500.00", "9000.00", "9500.00")
LIMITS = ("0.00", "0.01", "1000.00", "5000.00", "10000.00", "30000.00")
CAUSE_WORDS = ("illness", "disaster", "schooling")
DATA_SETS = ("household_register", "medical_settlement", "payroll")
ACCOUNTS = tuple(dict.fromkeys(kind for kind in INCOMES if kind != "income.insurance_claim"))
DATED = (*dict.fromkeys(INCOMES), *EXPENSES, *EVENTS, "loan.overdue", "asset.deposit")
ASSETS = ("asset.vehicle", "asset.deposit", "asset.company", "asset.dwelling_bought")

ON_A_FACT = Names(
    money=["amount", "compliant", "other", "relief", "gross", "vehicle_value", "balance"],
    shares=["drop_share"],
    flags=["verified", "in_school", "home_teaching", "quality_ok", "away"],
    counts=["litres", "minutes", "guarantee"],
    texts={
        "visit": VISITS,
        "source": ("department", "visit", "self_report", "hotline"),
        "claim_for": ("medical", "disaster", "accident"),
        "purpose": ("private", "operating", "disabled_use"),
        "value": ("dibao", "C", "resident", "chronic", "primary"),
        "grade": ("1", "2", "3"),
    },
    lists={"types": ["4", "5", "6"]},
)
OF_A_MEMBER = Names(
    flags=["is_counted", "died_in_window", "shares_budget"],
    counts=["age", "age_at_term", "age_at_death"],
    texts={"status": ("living", "long_term_away", "deceased", "imprisoned")},
)
BUILT_IN = Names(flags=["facts_complete"], counts=["members_counted", "members_not_counted", "months_monitored"])


def generated_policy(seed: int) -> PolicyPackage:
    """The package of a seed; one in six has long lists."""
    return _PolicyMaker(Random(seed)).package(f"generated{seed}")


class _PolicyMaker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.is_long = random.random() < 1 / 6
        self.names = BUILT_IN
        self.documents: dict[str, Any] = {name: {} for name in DOCUMENTS}

    def package(self, name: str) -> PolicyPackage:
        self._header()
        self._parameters()
        self._measures()
        self._members()
        self._derived()
        self._indicators()
        self._judgements()
        documents = {each: self._document(each) for each in DOCUMENTS}
        return read_policy(RawPackage(name, documents, {}, "generated"))

    def _document(self, name: str) -> Any:
        return read_document(json.dumps(self.documents[name], ensure_ascii=False), f"{name}.yaml")

    def _maker(self, names: Names) -> ExpressionMaker:
        return ExpressionMaker(self.random, names)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _header(self) -> None:
        severities = {each.value: f"score_{each.value}" for each in Severity}
        clocks = {"acknowledge_hours": "hours_of_all", "verify_days": "days_of_all"}
        self.documents["package"] = {
            "label_zh": LABEL,
            "version": "1",
            "applies_from": SINCE,
            "data_sets": {name: {"label_zh": LABEL, "stale_after": "days_of_all"} for name in DATA_SETS},
            "score": {**severities, "cap": "score_cap"},
            "deadlines": {each.value: clocks for each in Severity},
            "answers": {
                "second_officer_severities": "severities_of_all",
                "recheck_percent": "percent_of_all",
                "recheck_working_days": "working_days_of_all",
                "task_working_days": "working_days_of_all",
            },
            "exclusions": {
                "effect": "exclusion_effect",
                "exempt_on_sudden": "exempt_on_sudden",
                "sudden": "sudden",
                "note": LABEL,
            },
        }

    def _parameters(self) -> None:
        choice = self.random.choice
        points = ("score_red", "score_orange", "score_yellow", "score_blue", "score_line", "score_cap")
        self._parameter("monitoring_line", "CNY/person/year", choice(LINES))
        self._parameter("rural_income_last_year", "CNY", choice(("0.00", "20000.00", "23119.07")))
        self._parameter("limit_a", "CNY", choice(LIMITS))
        self._parameter("limit_b", "CNY", choice(LIMITS))
        self._parameter("share_a", "share", choice(("0", "0.2", "0.3333", "1")))
        self._parameter("flag_a", "flag", choice(("true", "false")))
        self._parameter("text_a", "text", choice(("x", "y")), choices=["x", "y"])
        self._parameter(
            "words_a", "texts", [each for each in CAUSE_WORDS if self._chance(0.5)], choices=[*CAUSE_WORDS]
        )
        self._parameter("outlay_until", "text", choice(("on", "window_end")), choices=["on", "window_end"])
        self._parameter("total_stands_months", "months", choice(("12", "18", "30")))
        effects = ["needs_reason", "blocks"]
        self._parameter("exclusion_effect", "text", choice(effects), choices=effects)
        self._parameter("exempt_on_sudden", "flag", choice(("true", "false")))
        self._parameter("hours_of_all", "hours", "24")
        self._parameter("days_of_all", "days", "5")
        self._parameter("severities_of_all", "texts", ["red"], choices=[each.value for each in Severity])
        self._parameter("percent_of_all", "percent", "5")
        self._parameter("working_days_of_all", "working_days", "10")
        for name in points:
            self._parameter(name, "points", choice(("5", "15", "40", "100")))
        self.of_parameters = Names(
            money=["limit_a", "limit_b", "rural_income_last_year"],
            per_head=["monitoring_line"],
            shares=["share_a"],
            flags=["flag_a", "exempt_on_sudden"],
            texts={"text_a": ("x", "y")},
            lists=listed({"words_a": CAUSE_WORDS}),
        )
        self.names = self.names.joined(self.of_parameters)

    def _parameter(self, name: str, unit: str, value: Any, **more: Any) -> None:
        values = [{"from": SINCE, "value": value, "source": LABEL, "verified": "false"}]
        self.documents["parameters"][name] = {"label_zh": LABEL, "unit": unit, "values": values, **more}

    def _measures(self) -> None:
        found = Names()
        groups, listings = ["lifted_out", "general"], ["unstable_lifted_out", "marginal_at_risk", "sudden_hardship"]
        self._latest("base_group", "state.base_group", "value", groups)
        self._latest("monitored_as", "state.monitored", "value", listings)
        found.texts |= {"base_group": groups, "monitored_as": listings}
        self._add(
            "wages", found, {"kinds": ["income.wage"], "window": "account", "aggregate": "sum", "amount": "amount"}
        )
        self._add("medical", found, self._sum(["expense.medical"], "outlay", "compliant"))
        for index in range(MANY if self.is_long else self.random.randint(4, 14)):
            self._measure(f"measure_{index}", found)
        self.names = self.names.joined(found)
        self.of_member = self.of_parameters.joined(OF_A_MEMBER)
        self.of_member.flags.append("facts_complete")
        for index in range(MANY if self.is_long and self._chance(0.5) else self.random.randint(2, 7)):
            self._measure(f"own_{index}", self.of_member, scope="member")

    def _sum(self, kinds: list[str], window: str, amount: str) -> Document:
        return {"kinds": kinds, "window": window, "aggregate": "sum", "amount": amount}

    def _measure(self, name: str, found: Names, **more: Any) -> None:
        choice = self.random.choice
        window = choice(("account", "months", "outlay", "outlay", "year_to_date", "state"))
        if window == "state" and self._chance(0.4):
            self._latest(
                name, choice(("state.insured", "state.labour", "state.health", "state.school")), None, (), **more
            )
            found.texts[name] = self.documents["measures"][name]["choices"]
            return
        kinds = {"account": ACCOUNTS, "state": (*STATES, *ASSETS)}.get(window, DATED)
        entry: Document = {"kinds": self.random.sample(kinds, self.random.randint(1, 3)), "window": window, **more}
        entry["aggregate"] = choice(("sum", "sum", "max", "count", "exists"))
        facts = self._maker(ON_A_FACT)
        if entry["aggregate"] in ("sum", "max"):
            entry["amount"] = choice((choice(ON_A_FACT.money), facts.money(1)))
        if self._chance(0.5):
            entry["where"] = facts.flag(1)
        if self._chance(0.3):
            entry["includes_deceased"] = "true"
        self._add(name, found, entry)

    def _latest(self, name: str, kind: str, value: str | None, choices: Any, **more: Any) -> None:
        texts = [each for each in STATES[kind] if each is not None]
        attributes = [each for each in ATTRIBUTES.get(kind, ()) if each == "absent_reason"]
        if attributes and self._chance(0.5):
            value, texts = "absent_reason", ["health", "completed_compulsory", "unwilling"]
        some = list(choices) or self.random.sample(texts, self.random.randint(1, len(texts)))
        entry = {
            "kinds": [kind],
            "window": "state",
            "aggregate": "latest",
            "value": value or "value",
            "choices": some,
        }
        self.documents["measures"][name] = {"label_zh": LABEL, **entry, **more}

    def _add(self, name: str, found: Names, entry: Document) -> None:
        self.documents["measures"][name] = {"label_zh": LABEL, **entry}
        {"count": found.counts, "exists": found.flags}.get(entry["aggregate"], found.money).append(name)

    def _members(self) -> None:
        choice, asked, found = self.random.choice, self._maker(self.of_member), Names()
        for index in range(self.random.randint(2, 7)):
            entry: Document = {"label_zh": LABEL, "aggregate": choice(("count", "any", "sum", "max"))}
            entry["of"] = choice(("counted", "lately", "all"))
            name = f"members_{index}"
            is_joined = entry["aggregate"] in ("sum", "max")
            if not is_joined or self._chance(0.6):
                entry["when"] = asked.flag(2)
            if is_joined:
                in_basis = self._chance(0.3)
                entry |= {"unit": "CNY", "value": asked.basis(1) if in_basis else asked.money(1)}
                entry |= {"in_basis": "true"} if in_basis else {}
                (found.basis if in_basis else found.money).append(name)
            else:
                (found.counts if entry["aggregate"] == "count" else found.flags).append(name)
            self.documents["members"][name] = entry
        self.names = self.names.joined(found)

    def _derived(self) -> None:
        persons = "case when members_counted > 0 then members_counted end"
        self._derive("persons", "persons", persons)
        self.names.counts.append("persons")
        maker = self._maker(self.names)
        net = self.random.choice(("wages", "wages", f"wages + {maker.money(1)}"))
        for name, text in (
            ("net_income", net),
            ("rigid_outlay", self.random.choice(("medical", f"at_least({maker.money(1)}, 0)"))),
            ("reference_income", "net_income - rigid_outlay"),
        ):
            self._derive(name, "CNY", text)
            self.names.money.append(name)
        for index in range(self.random.randint(1, 8)):
            self._random_derived(f"derived_{index}")
        if self._chance(0.8):
            self._derive("forward_income", "CNY", maker.basis(2), in_basis="true")
            self.names.basis.append("forward_income")
        self._derive("sudden", "flag", maker.flag(2))
        self.names.flags.append("sudden")

    def _random_derived(self, name: str) -> None:
        maker = self._maker(self.names)
        if self._chance(0.4):
            self._derive(name, "CNY", maker.money(3))
            self.names.money.append(name)
        elif self._chance(0.2):
            self._derive(name, "CNY", maker.basis(2), in_basis="true")
            self.names.basis.append(name)
        else:
            self._derive(name, "flag", maker.flag(3))
            self.names.flags.append(name)

    def _derive(self, name: str, unit: str, text: str, **more: Any) -> None:
        self.documents["derived"][name] = {"label_zh": LABEL, "unit": unit, "is": text, **more}

    def _indicators(self) -> None:
        """Some held against thresholds, some not, and mostly one by medical rules."""
        if self._chance(0.85):
            self._rules()
        for index in range(MANY if self.is_long else self.random.randint(2, 6)):
            name = f"indicator_{index}"
            self.documents["indicators"][name] = self._indicator()
            self.names.flags.append(name)

    def _rules(self) -> None:
        rules = [self._rule() for _ in range(self.random.randint(0, 6))]
        self._parameter("medical_rules", "medical_rules", rules)
        entry = {**self._told(), "rules": "medical_rules"}
        self.documents["indicators"]["by_rules"] = entry
        self.names.flags += ["by_rules", "rule_fired"]
        self.names.money.append("rule_measured")

    def _rule(self) -> Document:
        choice, sample = self.random.choice, self.random.sample
        line = {"threshold_yuan": choice(LIMITS)}
        if self._chance(0.3):
            line = {"share_of_rural_income": choice(("0.25", "0.5", "0"))}
        return {
            "scope": choice(("person", "household")),
            "window": choice(("year_to_date", "rolling_12m", "month", "single_stay")),
            "visits": choice(([*VISITS], sample(VISITS, self.random.randint(1, 3)))),
            "groups": sample(("lifted_out", "general", "monitored"), self.random.randint(1, 3)),
            "counts": choice(("compliant", "all_self_paid")),
            "inclusive": choice(("true", "false")),
            **line,
        }

    def _told(self) -> Document:
        """What every indicator has; the severities and the weight at random."""
        entry: Document = {"label_zh": LABEL, "department": LABEL, "basis": LABEL}
        entry["sentence"] = dict.fromkeys(("fired", "clear", "unknown"), LABEL)
        maker, choice = self._maker(self.names), self.random.choice
        levels = [each.value for each in Severity]
        rules: list[Document] = [{"level": choice(levels), "when": maker.flag(1)} for _ in range(2)]
        if self._chance(0.5):
            rules.append({"level": choice(levels)})
        entry["severity"] = choice((choice(levels), rules, rules[:1]))
        if self._chance(0.3):
            entry["weight"] = "score_line"
        for needs in ("clear_needs", "fired_needs"):
            entry[needs] = [each for each in DATA_SETS if self._chance(0.3)]
        return entry

    def _indicator(self) -> Document:
        maker, choice = self._maker(self.names), self.random.choice
        entry = self._told()
        form = choice(("plain", "held", "held", "measured"))
        if form == "plain":
            return {**entry, "when": maker.flag(3)}
        flags = [each for each in self.names.flags if each not in self.documents["indicators"]]
        entry["measured"] = choice(self.names.money if form == "held" else [*self.names.texts, *flags])
        if form == "measured":
            return {**entry, "when": maker.flag(2)}
        if entry["measured"] in ("net_income", "reference_income"):
            entry |= {"per_person": "true", "threshold": "monitoring_line"}
            return {**entry, "when": "measured < threshold * persons or (flag_a and measured = threshold * persons)"}
        some: list[Document] = [{"parameter": "limit_a", "when": maker.flag(1)}, {"parameter": "limit_b"}]
        if self._chance(0.4):
            some[1]["when"] = maker.flag(1)
        entry["threshold"] = choice(("limit_a", some))
        return {**entry, "when": f"measured {choice(('>', '>=', '<', '='))} threshold"}

    def _judgements(self) -> None:
        maker, choice = self._maker(self.names), self.random.choice
        causes = self.random.sample(list(Cause), self.random.randint(1, 10))
        causes += causes[: self.random.randint(0, 3)]
        self.documents["causes"] = [{"cause": each.value, "when": maker.flag(1)} for each in causes]
        codes = (None, "unstable_lifted_out", "marginal_at_risk", "sudden_hardship", "at_risk_of_poverty")
        levels = (None, *(each.value for each in Severity))
        self.documents["classes"] = []
        for code in self.random.sample(codes, self.random.randint(1, 4)):
            rule = {"code": code, "label_zh": LABEL, "when": maker.flag(2)}
            severity = choice(levels)
            self.documents["classes"].append(rule if severity is None else {**rule, "severity": severity})
        for name in ("flags", "quality", "civil_affairs", "removal"):
            self._notes(name)
        for index in range(self.random.randint(0, 4)):
            entry = {"label_zh": LABEL, "when": maker.flag(2), "sentence": {"fired": LABEL, "exempt": "豁免"}}
            if self._chance(0.6):
                entry["counts_when"] = maker.flag(2)
            if self._chance(0.4):
                entry["clear_needs"] = [choice(DATA_SETS)]
            self.documents["exclusions"][f"exclusion_{index}"] = entry

    def _notes(self, document: str) -> None:
        maker, choice = self._maker(self.names), self.random.choice
        long = self.is_long and self._chance(0.5)
        for index in range(MANY if long else self.random.randint(0, 4)):
            entry: Document = {"label_zh": LABEL, "when": maker.flag(2)}
            if self._chance(0.3):
                entry["numbers"] = {"a": choice(self.names.money), "b": choice(self.names.counts)}
            self.documents[document][f"{document}_{index}"] = entry
