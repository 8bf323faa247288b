"""Run the worked cases (算例) against a package: whoever changes policy sees first what it does to them."""

from collections.abc import Callable, Iterable

from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.read_cases import read_cases
from services.monitoring.worked_case import Case, differences
from shared.policies.parameter import ParameterRefused
from shared.policies.parameter_set import ParameterSet


def red_cases(
    package_of: Callable[[Case], PolicyPackage], cases: Iterable[Case] | None = None
) -> dict[str, list[str]]:
    """The cases that no longer come out as written, each with what differs; empty: all are green.

    Each is judged on its own day by `package_of(case)`, so that a new value leaves the days before it alone.
    """
    known = list(read_cases() if cases is None else cases)
    red: dict[str, list[str]] = {} if known else {"算例": ["没有找到任何算例，无从检验"]}
    for case in known:
        package = package_of(case)
        parameters = _parameters(package, case)
        assessment = evaluate(package, parameters, case.household, case.on)
        if wrong := differences(case, assessment):
            red[case.name] = wrong
    return red


def _parameters(package: PolicyPackage, case: Case) -> ParameterSet:
    """What holds at the place and day with what the case sets; a value it cannot set is a mistake in the case."""
    try:
        return package.parameters_for(f"{case.county}000000", case.on).override(case.overrides)
    except ParameterRefused as error:
        if case.at is None:
            raise
        right = "参数名和取值同政策包"
        raise case.at.mistake(error.detail, right=right, example='{monitoring_line: "7300.00"}') from error
