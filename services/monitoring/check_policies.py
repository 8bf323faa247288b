"""Check a folder of policy packages (政策包检查) as `fangpin policy check` does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.monitoring.domain.compiler import compile_policy
from services.monitoring.domain.policy import PolicyPackage, package_name_at
from services.monitoring.domain.policy_reader import read_policy
from services.monitoring.domain.region_reader import read_variant
from services.monitoring.read_cases import read_cases
from services.monitoring.run_cases import red_cases
from services.monitoring.worked_case import Case
from shared.policies.mistake import PolicyMistake
from shared.policies.package import SHIPPED, packages_in, read_package, read_variants

NATIONAL = SHIPPED[0]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked; `red` names the worked cases that do not come out as written, each with what differs."""

    versions: tuple[str, ...]
    regions: int
    variants: int
    cases: int
    red: Mapping[str, list[str]]


def check_policies(home: Path) -> Checked:
    """Read and compile every package with every region, read every variant, run every case.

    Raises the first PolicyMistake found.
    """
    packages = {name: _package(home, name) for name in packages_in(home)}
    if NATIONAL not in packages:
        raise PolicyMistake(
            home.name,
            1,
            f"没有名为 {NATIONAL} 的政策包",
            right="目录下须有全国政策包",
            example=f"{NATIONAL}/package.yaml",
        )
    national = packages[NATIONAL]
    variants = read_variants(home)
    for node in variants.values():
        read_variant(node, national.parameters)
    cases = read_cases()
    red = red_cases(lambda case: _in_force(packages, case), cases)
    versions = tuple(each.version for each in packages.values())
    return Checked(versions, len(national.places) - 1, len(variants), len(cases), red)


def _package(home: Path, name: str) -> PolicyPackage:
    package = read_policy(read_package(home / name, home / "regions"))
    compile_policy(package)
    return package


def _in_force(packages: Mapping[str, PolicyPackage], case: Case) -> PolicyPackage:
    return packages[package_name_at(packages[NATIONAL], f"{case.county}000000", case.on)]
