"""Policy packages as data (政策包): YAML read with file and line, and parameters looked up by place and date.

Only reading is here; what a package means (the language, the compiler, the evaluator) lives in monitoring.
"""

from shared.policies.medical_rule import MedicalRule, RuleShape
from shared.policies.mistake import PolicyMistake
from shared.policies.package import RawPackage, checks_document, load_package, named_package, read_package
from shared.policies.parameter import Parameter, ParameterUnknown, ParameterValue
from shared.policies.parameter_set import ParameterSet
from shared.policies.unit import Unit

__all__ = [
    "MedicalRule",
    "Parameter",
    "ParameterSet",
    "ParameterUnknown",
    "ParameterValue",
    "PolicyMistake",
    "RawPackage",
    "RuleShape",
    "Unit",
    "checks_document",
    "load_package",
    "named_package",
    "read_package",
]
