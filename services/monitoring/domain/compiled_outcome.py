"""The columns of the answer, which judgement.judgement_from_row reads."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_columns import mask_columns
from services.monitoring.domain.compiled_expression import literal, whole
from services.monitoring.domain.compiled_sheet import Definition, Read
from services.monitoring.domain.exclusion import Exclusion
from services.monitoring.domain.expression import Expression
from services.monitoring.domain.indicator import Indicator, SeverityRule
from services.monitoring.domain.judgement import MASK_BITS, MOST_CAUSES
from services.monitoring.domain.note import Note
from services.monitoring.domain.policy_package import PolicyPackage
from shared.vocabulary.terms import Cause

Write = Callable[[Expression, Read], str]


class Outcome:
    """Class, severity, score, masks and what was measured of one package."""

    def __init__(self, package: PolicyPackage, write: Write, binds: Binds) -> None:
        self.package, self.write, self.binds = package, write, binds
        self.indicators = tuple(package.indicators.values())
        self.classes, self.terms = package.classes, package.exclusion_terms

    def definitions(self) -> dict[str, Definition]:
        """What several columns are made of; their names have a dot, which no name of a package has."""
        defined: dict[str, Definition] = {"class.position": self._position}
        for indicator in self.indicators:
            defined[f"severity.{indicator.name}"] = partial(self._rank, indicator)
        for cause in dict.fromkeys(each.cause for each in self.package.causes):
            whens = [each.when for each in self.package.causes if each.cause is cause]
            defined[f"cause.{cause}"] = partial(self._any_true, whens)
        for exclusion in self.package.exclusions:
            defined[f"hit.{exclusion.name}"] = partial(self.write, exclusion.when)
            defined[f"exempt.{exclusion.name}"] = partial(self._exempt, exclusion)
        for mask, unknown in (("fired", ""), ("unknown", " is null")):
            names = [each.name for each in self.indicators]
            for word, some in enumerate(_words(names)):
                defined[f"{mask}.{word}"] = partial(_mask_of, some, unknown)
        defined["blocked"] = self._blocked
        return defined

    def columns(self, read: Read) -> Iterator[str]:
        """Every column with its name, in the order of compiled_columns."""
        code = self._of_class(
            ["null" if each.code is None else literal(each.code) for each in self.classes], "text", read
        )
        blocked = read("blocked")
        yield f"case when {blocked} then null else {code} end as class_code"
        yield f"{code} as class_code_without_exclusions"
        yield f"{blocked} as blocked"
        yield f"{f'({read(self.terms.sudden)}) is true' if self.terms else 'null::boolean'} as sudden"
        yield f"{self._severity(read)}::smallint as severity"
        yield f"{self._score(read)}::integer as score"
        yield from self._masks(read)
        yield f"{read('members_counted')} as members_counted"
        yield f"{read('net_income')} as net_income_fen"
        yield f"{read('reference_income')} as reference_income_fen"
        yield f"{self._forward(read)} as forward_income_basis"
        yield f"{read('rigid_outlay')} as rigid_outlay_fen"
        yield from self._details(read)

    def _any_true(self, whens: Sequence[Expression], read: Read) -> str:
        return f"coalesce({' or '.join(self.write(each, read) for each in whens)}, false)"

    def _position(self, read: Read) -> str:
        whens = " ".join(
            f"when {self.write(each.when, read)} then {index}" for index, each in enumerate(self.classes, 1)
        )
        return f"case {whens} end" if whens else "null::integer"

    def _of_class(self, values: Sequence[str], kind: str, read: Read) -> str:
        return f"(array[{', '.join(values)}]::{kind}[])[{read('class.position')}]"

    def _exempt(self, exclusion: Exclusion, read: Read) -> str:
        """Whether it fired, and its kind or the suddenness of the hardship exempts it."""
        counts = f"({self.write(exclusion.counts_when, read)}) is false"
        sudden = "false"
        if self.terms:
            sudden = f"({self.binds(self.terms.exempt_on_sudden)} and {read(self.terms.sudden)}) is true"
        return f"(({read(f'hit.{exclusion.name}')}) is true and ({counts} or {sudden}))"

    def _blocked(self, read: Read) -> str:
        hits = [
            f"({read(f'hit.{each.name}')} and not {read(f'exempt.{each.name}')})" for each in self.package.exclusions
        ]
        if not hits or self.terms is None:
            return "false"
        return f"({self.binds(self.terms.effect)} = 'blocks' and ({' or '.join(hits)}) is true)"

    def _severity(self, read: Read) -> str:
        """The highest severity of what fired and of the class; none of them is null inside greatest()."""
        ranks = [read(f"severity.{each.name}") for each in self.indicators]
        of_class = self._of_class(
            [str(each.severity.rank if each.severity else 0) for each in self.classes], "int", read
        )
        return f"nullif(greatest({', '.join([*ranks, f'coalesce({of_class}, 0)'])}), 0)"

    def _rank(self, indicator: Indicator, read: Read) -> str:
        """The rank of an indicator's severity if it fired, else 0."""
        rank = self._chosen(indicator.severities, lambda rule: str(rule.severity.rank), read)
        return f"case when {read(indicator.name)} then {rank} else 0 end"

    def _chosen(self, rules: Sequence[SeverityRule], value: Callable[[SeverityRule], str], read: Read) -> str:
        """The value of the first rule that holds, else 0."""
        final = next((value(each) for each in rules if each.when is None), "0")
        whens = [f"when {self.write(each.when, read)} then {value(each)}" for each in rules if each.when is not None]
        return f"(case {' '.join(whens)} else {final} end)" if whens else final

    def _score(self, read: Read) -> str:
        points = " + ".join(
            f"case when {read(each.name)} then {self._points(each, read)} else 0 end" for each in self.indicators
        )
        return f"least({points}, {self.binds(self.package.scores.cap)})"

    def _points(self, indicator: Indicator, read: Read) -> str:
        if indicator.weight is not None:
            return self.binds(indicator.weight)
        weights = self.package.scores.weights
        return self._chosen(indicator.severities, lambda rule: self.binds(weights[rule.severity]), read)

    def _masks(self, read: Read) -> Iterator[str]:
        yield from self._states(read)
        yield from self._exclusions(read)
        yield f"{self._causes(read)} as causes"
        yield from self._notes("flags", self.package.flags, read)
        yield from self._notes("quality", self.package.quality_flags, read)
        yield from self._notes("civil", self.package.civil_affairs, read)
        yield from self._notes("removal", self.package.removal_blockers, read)

    def _states(self, read: Read) -> Iterator[str]:
        """What fired and what is unknown; a stale data set makes unknown what cannot be trusted."""
        for word, name in enumerate(mask_columns("fired", len(self.indicators))):
            stale = f"({self.binds.edge('stale_fired')})[{word + 1}]"
            yield f"{read(f'fired.{word}')} & ~{stale} as {name}"
        for word, name in enumerate(mask_columns("unknown", len(self.indicators))):
            fired, unknown, all_ = read(f"fired.{word}"), read(f"unknown.{word}"), _all(len(self.indicators), word)
            clear = f"({all_}::bigint & ~{fired} & ~{unknown})"
            stale_clear, stale_fired = (
                f"({self.binds.edge(each)})[{word + 1}]" for each in ("stale_clear", "stale_fired")
            )
            yield f"{unknown} | ({clear} & {stale_clear}) | ({fired} & {stale_fired}) as {name}"

    def _exclusions(self, read: Read) -> Iterator[str]:
        hits = [read(f"hit.{each.name}") for each in self.package.exclusions]
        yield from _masks_of("exclusions_fired", hits)
        for word, (mask, column) in enumerate(_words_of("exclusions_unknown", [f"{each} is null" for each in hits])):
            clear, _ = list(_words_of("", [f"not {each}" for each in hits]))[word]
            stale = f" | (({clear}) & ({self.binds.edge('stale_exclusions')})[{word + 1}])" if hits else ""
            yield f"{mask}{stale} as {column}"
        yield from _masks_of("exclusions_exempt", [read(f"exempt.{each.name}") for each in self.package.exclusions])

    def _causes(self, read: Read) -> str:
        """One bit for each cause, in the order of the vocabulary; of more than five those the package names first."""
        named = dict.fromkeys(each.cause for each in self.package.causes)
        columns = {cause: read(f"cause.{cause}") for cause in named}
        bits = {cause: 1 << index for index, cause in enumerate(Cause)}
        conditions = []
        for index, (cause, column) in enumerate(columns.items()):
            before = " + ".join(f"{each}::integer" for each in list(columns.values())[:index])
            # Asked only of the sixth cause and later.
            among = f" and {before} < {MOST_CAUSES}" if index >= MOST_CAUSES else ""
            conditions.append(f"case when {column}{among} then {bits[cause]}::bigint else 0 end")
        return " | ".join(conditions) or "0::bigint"

    def _notes(self, mask: str, notes: Sequence[Note], read: Read) -> Iterator[str]:
        conditions = [self.write(each.when, read) for each in notes]
        if mask == "removal" and notes:
            listed = f"{read('monitored_as')} is not null"
            conditions = [f"{listed} and {each}" for each in conditions]
        yield from _masks_of(mask, conditions)

    def _forward(self, read: Read) -> str:
        derived = self.package.derived.get("forward_income")
        if derived is None:
            return "null::bigint"
        return whole(
            read("forward_income") if derived.type.in_basis else f"10000 * {read('forward_income')}", in_basis=True
        )

    def _details(self, read: Read) -> Iterator[str]:
        """What the explanation needs: measured values, which threshold was held against, a varying severity."""
        for name in dict.fromkeys(each.measured for each in self.indicators if each.measured):
            yield f"{self._told(name, read)} as measured_{name}"
        for each in self.indicators:
            if each.rules:
                yield f"{read('rule_measured')} as measured_{each.name}"
                yield f"{read('rule_threshold')} as threshold_{each.name}"
            if each.varies_in_threshold:
                yield f"{self._choice(each, read)}::smallint as choice_{each.name}"
            if each.varies_in_severity:
                # Read by judgement only where the indicator fired.
                yield f"{read(f'severity.{each.name}')}::smallint as severity_{each.name}"
        for name in dict.fromkeys(value for each in self.package.notes for value in each.numbers.values()):
            yield f"{self._told(name, read)} as noted_{name}"

    def _told(self, name: str, read: Read) -> str:
        value = self.binds(name) if name in self.package.parameters else read(name)
        return whole(value, in_basis=True) if self.package.types[name].in_basis else value

    def _choice(self, indicator: Indicator, read: Read) -> str:
        whens = (
            f"when {'true' if each.when is None else self.write(each.when, read)} then {index}"
            for index, each in enumerate(indicator.thresholds)
        )
        return f"(case {' '.join(whens)} end)"


def _all(entries: int, word: int) -> int:
    return (1 << min(entries - word * MASK_BITS, MASK_BITS)) - 1


def _words(entries: Sequence[str]) -> list[Sequence[str]]:
    return [entries[start : start + MASK_BITS] for start in range(0, max(len(entries), 1), MASK_BITS)]


def _mask_of(names: Sequence[str], suffix: str, read: Read) -> str:
    return _mask([f"{read(name)}{suffix}" for name in names])


def _mask(conditions: Sequence[str]) -> str:
    """One bit for each condition that is true."""
    bits = [f"case when {each} then {1 << index}::bigint else 0 end" for index, each in enumerate(conditions)]
    return " | ".join(bits) or "0::bigint"


def _words_of(mask: str, conditions: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each word of a mask and the name of its column."""
    names = mask_columns(mask, len(conditions))
    yield from zip(map(_mask, _words(conditions)), names, strict=True)


def _masks_of(mask: str, conditions: Sequence[str]) -> Iterator[str]:
    yield from (f"{text} as {name}" for text, name in _words_of(mask, conditions))
