"""Evaluate a hypothetical household (试算): no database, nothing stored, the same policy as for real ones."""

from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches

from services.monitoring.check_evaluation import LINE, check_evaluation
from services.monitoring.domain.evaluated_values import MONITORED_AS
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.explanation import explain
from services.monitoring.domain.policy import PolicyPackage, load_policy, policy_at
from services.monitoring.schemas_evaluations import Evaluation, EvaluationRequest
from shared.errors import FieldError, Unprocessable
from shared.policies.parameter import Parameter, ParameterRefused, ParameterUnknown, ParameterValue
from shared.policies.parameter_set import ParameterSet
from shared.vocabulary.division import PROVINCES

NOWHERE = "000000000000"
"""Where only the nation's values hold."""


class PolicyVersionUnknown(Unprocessable):
    code, title = "policy_version_unknown", "没有这个政策版本"


class ClassUnknown(Unprocessable):
    code, title = "class_unknown", "没有这个监测类型"


class ParametersUnknown(Unprocessable):
    """Parameters that the request neither gives nor the place and day decide; none is taken as zero."""

    code, title = "parameter_unknown", "政策参数没有取值"


class ParametersRefused(Unprocessable):
    code, title = "parameter_refused", "政策参数取值不符合要求"


def evaluate_household(request: EvaluationRequest) -> Evaluation:
    """What the policy says of the household in the request; takes milliseconds, in proportion to its facts."""
    check_evaluation(request)
    package = _package(request)
    _check_class(package, request)
    parameters = parameters_of(package, request)
    assessment = evaluate(package, parameters, request.as_household(), request.on)
    data = assessment.as_data()
    del data["on"]
    return Evaluation.model_validate({**data, "explanation": explain(assessment, package)})


def _check_class(package: PolicyPackage, request: EvaluationRequest) -> None:
    """A household is monitored as something the policy knows: another word would pass for not monitored."""
    known = package.measures[MONITORED_AS].choices
    if request.household.monitored_as not in (None, *known):
        where, right = "body/household/monitored_as", "null，或 " + "、".join(known)
        error = FieldError(where, ClassUnknown.code, "没有这个监测类型", right, known[0])
        raise ClassUnknown("monitored_as 不是政策里的监测类型", errors=[error])


def parameters_of(package: PolicyPackage, request: EvaluationRequest) -> ParameterSet:
    """What the request gives, and for the rest what is decided at the place on the day."""
    given = dict(_given(package, request))
    division = request.division or NOWHERE
    entries: dict[str, ParameterValue] = {}
    missing: list[FieldError] = []
    for name, parameter in package.parameters.items():
        try:
            entries[name] = given.get(name) or _decided(parameter, division, request.on)
        except ParameterUnknown as error:
            missing += error.errors
    if missing:
        names = "、".join(each.where for each in missing)
        raise ParametersUnknown(f"{request.on} 在 {division} 没有取值：{names}", errors=missing[:100])
    return ParameterSet(division, request.on, entries, package.parameters)


def _decided(parameter: Parameter, division: str, on: date) -> ParameterValue:
    """The value in force; a place that is none has no line, for nobody drew one there."""
    if parameter.name == LINE and division != NOWHERE and division[:2] not in PROVINCES:
        raise ParameterUnknown(parameter.name, parameter.label_zh, division, on)
    return parameter.value_at(division, on)


def _given(package: PolicyPackage, request: EvaluationRequest) -> Iterable[tuple[str, ParameterValue]]:
    errors = []
    for name, value in request.parameters.items():
        try:
            yield name, _requested(package, name, value, request.on)
        except ParameterRefused as error:
            where = f"body/parameters/{name}"
            errors.append(FieldError(where, error.code, error.detail, example=_example(package, name)))
    if errors:
        raise ParametersRefused(f"有 {len(errors)} 个参数不符合要求", errors=errors)


def _requested(package: PolicyPackage, name: str, value: object, on: date) -> ParameterValue:
    if name not in package.parameters:
        near = get_close_matches(name, package.parameters, 1)
        raise ParameterRefused(f"没有名为 {name} 的参数" + (f"，是否为 {near[0]}" if near else ""))
    return package.parameters[name].requested(value, on)


def _example(package: PolicyPackage, name: str) -> str | None:
    return package.parameters[name].unit.example if name in package.parameters else None


def _package(request: EvaluationRequest) -> PolicyPackage:
    """The package in force, or the shipped one whose version is asked for."""
    if request.policy is None:
        return policy_at(request.division or NOWHERE, request.on)
    versions = {each.version: each for each in _shipped()}
    if request.policy not in versions:
        error = FieldError("body/policy", PolicyVersionUnknown.code, "没有这个版本", "、".join(sorted(versions)))
        raise PolicyVersionUnknown("policy 为 null，或写已发布的版本", errors=[error])
    return versions[request.policy]


def _shipped() -> list[PolicyPackage]:
    """The national package and those that some place's regime names."""
    national = load_policy()
    names = {each.package for regimes in national.regimes.values() for each in regimes}
    return [national, *(load_policy(name) for name in sorted(names - {national.name}))]
