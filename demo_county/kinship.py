"""Kinship: who lives together, as ages and relations to the head (与户主关系)."""

from dataclasses import dataclass

from demo_county.chance import Chance
from shared.vocabulary.identity_number import Sex

OLDEST = 98

# By size: weight, youngest and oldest head, the others in order. S spouse, C child, A adult child,
# W the adult child's spouse, G grandchild, P parent.
RECIPES: dict[int, tuple[tuple[float, int, int, str], ...]] = {
    1: ((62, 62, 88, ""), (38, 28, 61, "")),
    2: ((62, 60, 84, "S"), (18, 40, 60, "S"), (8, 35, 55, "C"), (12, 40, 58, "P")),
    3: ((45, 26, 50, "SC"), (15, 45, 58, "SP"), (25, 50, 72, "SA"), (5, 60, 74, "SG"), (10, 38, 55, "CP")),
    4: ((45, 28, 48, "SCC"), (30, 38, 55, "SCP"), (25, 50, 68, "SAW")),
    5: ((45, 34, 50, "SCCP"), (30, 36, 52, "SCPP"), (25, 50, 68, "SAWG")),
    6: ((50, 36, 50, "SCCPP"), (50, 50, 66, "SAWGG")),
    7: ((50, 36, 50, "SCCCPP"), (50, 50, 68, "SAWGGP")),
}


@dataclass(frozen=True, slots=True)
class Kin:
    """A place in the family: relation, sex, age, and whether the person carries the family's surname."""

    relation: str
    sex: Sex
    age: int
    has_family_name: bool


def family(chance: Chance, size: int) -> list[Kin]:
    """The members of a household of `size`, head first."""
    recipes = RECIPES[size]
    _, youngest, oldest, others = recipes[chance.index([recipe[0] for recipe in recipes])]
    age = youngest + chance.below(oldest - youngest + 1)
    head = Kin("户主", "male" if chance.happens(0.85 if "S" in others else 0.62) else "female", age, True)
    kin = [head]
    for letter in others:
        kin.append(_relative(chance, letter, head, kin))
    return kin


def _relative(chance: Chance, letter: str, head: Kin, kin: list[Kin]) -> Kin:
    age, sex = head.age, _either(chance)
    if letter == "S":
        return Kin("配偶", _other(head.sex), _clip(age + chance.below(9) - 5, 21), False)
    if letter == "P":
        return _parent(chance, head, kin)
    is_paternal = head.sex == "male" or "配偶" not in {k.relation for k in kin}
    if letter == "C":
        return Kin(_by_sex(sex, "之子", "之女"), sex, max(0, age - 22 - chance.below(11)), is_paternal)
    if letter == "A":
        sex = "male" if chance.happens(0.8) else "female"
        return Kin(_by_sex(sex, "之子", "之女"), sex, _clip(age - 21 - chance.below(7), 18), is_paternal)
    return _through_child(chance, letter, head, kin)


def _parent(chance: Chance, head: Kin, kin: list[Kin]) -> Kin:
    has_father = any(k.relation == "之父" for k in kin)
    sex: Sex = "female" if has_father or chance.happens(0.55) else "male"
    if not has_father and any(k.relation == "之母" for k in kin):
        sex = "male"
    return Kin(_by_sex(sex, "之父", "之母"), sex, _clip(head.age + 21 + chance.below(8), 45), sex == "male")


def _through_child(chance: Chance, letter: str, head: Kin, kin: list[Kin]) -> Kin:
    """The adult child's spouse, or a grandchild."""
    child = next((k for k in kin if k.relation in ("之子", "之女")), None)
    if letter == "W" and child:
        sex = _other(child.sex)
        return Kin(_by_sex(sex, "之女婿", "之儿媳"), sex, _clip(child.age + chance.below(5) - 2, 20), False)
    sex = _either(chance)
    age = max(0, (child.age - 22 if child else head.age - 47) - chance.below(6))
    through_daughter = child is not None and child.sex == "female"
    names = ("之外孙子", "之外孙女") if through_daughter else ("之孙子", "之孙女")
    return Kin(_by_sex(sex, *names), sex, age, not through_daughter)


def _either(chance: Chance) -> Sex:
    return "male" if chance.happens(0.515) else "female"


def _other(sex: Sex) -> Sex:
    return "female" if sex == "male" else "male"


def _by_sex(sex: Sex, male: str, female: str) -> str:
    return male if sex == "male" else female


def _clip(age: int, youngest: int) -> int:
    return max(youngest, min(OLDEST, age))
