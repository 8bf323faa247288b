"""Compiles the checks of quality into one text over a range of households: what fires, and a digest of what it read.

Binds: $1 county, $2 and $3 first and last household, $4 the households themselves or null for all of the range,
$5 the day, $6 the same as yyyymmdd, $7 the county's name.
"""

from collections.abc import Iterator, Mapping, Sequence

from services.monitoring.domain.compiled_expression import SqlWriter, literal
from services.monitoring.domain.compiled_measures import quoted
from services.monitoring.domain.expression import Expression
from services.monitoring.domain.quality_check import Kind, Level, QualityBook, QualityCheck

BITS = 60
# What time alone changes, and what is the same for all: an acceptance does not lapse by them.
NO_VALUES = frozenset(("age", "today", "detailed", "monitoring_line", "households_of_person", "others_with_phone"))
RECORD_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.FLAG: "boolean",
    Kind.LIST: "text[]",
    Kind.NUMBER: "bigint",
    Kind.MONEY: "bigint",
    Kind.PER_HEAD: "bigint",
}
CURRENT = "{0}.superseded_at is null and {0}.valid_from <= $5 and ({0}.valid_to is null or {0}.valid_to > $5)"
# Looked up household by household: a planner that thinks it knows better reads the ledger of the whole county.
DEAD = """
select distinct f.resident_id from chosen c cross join lateral (
    select f.resident_id from fact f where f.county = $1 and f.household_id = c.household_id
      and f.kind = 'event.death' and f.superseded_at is null and f.verified is distinct from false
      and f.resident_id is not null offset 0
) f
"""
STANDS = "f.superseded_at is null and (f.ended_on is null or f.ended_on > $5)"


def fired_sql(book: QualityBook, monitoring_line: int | None) -> str:
    """Rows (household_id, resident_id, code, digest) of every check of members and households that fires."""
    line = "null::bigint" if monitoring_line is None else f"{monitoring_line}::bigint"
    return f"""\
with {_chosen()},
dead as materialized ({DEAD}),
member as materialized ({_members(book)}),
counted as materialized ({_counted(book)}),
household_told as materialized ({_households(book, line)})
{_fired(book, Level.MEMBER, "member", "resident_id")}
union all
{_fired(book, Level.HOUSEHOLD, "household_told", "null::bigint")}"""


def village_sql(book: QualityBook) -> str:
    """Rows (village, code, digest) of every check of villages that fires; $1 county."""
    said = ", ".join(
        f"{_hundredths(f'f.figures ->> {literal(name)}', name)} as {quoted(name)}" for name in _figures(book)
    )
    return f"""\
with told as materialized (
select f.village, {said}, t.total_households, t.households_arable_mu
from village_figure f left join (
    select h.registered_division as village, count(*) as total_households,
           sum({_hundredths("d.details ->> 'arable_mu'", "village_arable_mu")})::bigint as households_arable_mu
    from household h
    left join roster_detail d on d.household_id = h.household_id and d.resident_id is null and d.superseded_at is null
    where h.county = $1 and h.ended_on is null group by h.registered_division
) t using (village) where left(f.village, 6) = $1
)
{_fired(book, Level.VILLAGE, "told", "null::bigint", "village")}"""


def _chosen() -> str:
    return """\
chosen as materialized (
select household_id, household_no, registered_division, phone, listed_as from household
where county = $1 and household_id between $2 and $3 and ended_on is null
  and ($4::bigint[] is null or household_id = any ($4))
)"""


def _members(book: QualityBook) -> str:
    details = _details(book.members, {"certificate": "jsonb"})
    return f"""
select m.household_id, m.resident_id, m.relation, r.sex as sex_by_number, ($6::bigint - m.born) / 10000 as age,
       d.details is not null as detailed, ($5 - date '0001-01-01')::bigint as today,
       s.certificate ->> 'type' as certificate_type, s.certificate ->> 'grade' as certificate_grade,
       (s.certificate ->> 'own')::boolean as certificate_own,
       case when d.details is not null then coalesce(cardinality(s.public_posts), 0)::bigint end as posts,
       s.work_place ~ '(县|区|旗|市.+市)' as place_to_county, position($7 in s.work_place) = 0 as away,
       (select count(distinct o.household_id) from household_member o
        where o.resident_id = m.resident_id and o.county = $1 and o.status <> 'deceased' and {CURRENT.format("o")})
       as households_of_person,
       m.died_on is not null or e.resident_id is not null as deceased_unrecorded{_columns(book.members)}
from chosen c join household_member m on m.household_id = c.household_id and m.county = $1
join resident r on r.resident_id = m.resident_id
left join roster_detail d on d.household_id = m.household_id and d.resident_id = m.resident_id
     and d.superseded_at is null
left join lateral jsonb_to_record(d.details) as s({details}) on true
left join dead e on e.resident_id = m.resident_id
where m.status <> 'deceased' and {CURRENT.format("m")}
"""


def _counted(book: QualityBook) -> str:
    """Of each household; none true and some unknown is unknown."""
    counts = []
    for name, expression in book.counts.items():
        true = _writer(book, "m").write(expression)
        known = f"count(*) filter (where {true})"
        counts.append(
            f"case when {known} = 0 and bool_or(({true}) is null) then null else {known} end as {quoted(name)}"
        )
    listing = "".join(f",\n{each}" for each in counts)
    return f"\nselect m.household_id, count(*) as persons{listing}\nfrom member m group by m.household_id\n"


def _households(book: QualityBook, line: str) -> str:
    counts = "".join(
        f",\ncase when k.household_id is null then 0 else k.{quoted(name)} end as {quoted(name)}"
        for name in book.counts
    )
    details, risks = _details(book.households, {}), ", ".join(f"s.risk_{i}" for i in range(1, 6))
    return f"""
select c.household_id, d.details is not null as detailed, coalesce(k.persons, 0) as persons, g.value as base_group,
       c.listed_as is not null or (s.monitored_class is not null and s.removed is not true) as monitored,
       c.phone, c.phone ~ '^1[3-9][0-9]{{9}}$' as phone_is_mobile, coalesce(p.others, 0) as others_with_phone,
       w.household_id is not null as phone_in_two_places,
       coalesce(n.code <> c.registered_division, false) as numbered_elsewhere,
       array_remove(array[{risks}], null) as risks,
       case when d.details is not null then coalesce(s.measures, '{{}}') end as measures_taken,
       d.details is not null and coalesce(cardinality(s.measures), 0) = 0 as no_measures,
       {line} as monitoring_line{_columns(book.households)}{counts}
from chosen c left join counted k on k.household_id = c.household_id
left join roster_detail d on d.household_id = c.household_id and d.resident_id is null and d.superseded_at is null
left join lateral jsonb_to_record(d.details) as s({details}) on true
left join lateral (
    select f.value from fact f where f.county = $1 and f.household_id = c.household_id
      and f.kind = 'state.base_group' and f.occurred_on <= $5 and {STANDS} order by f.occurred_on desc limit 1
) g on true
left join (
    select o.phone, count(*) - 1 as others from household o
    where o.county = $1 and o.ended_on is null and o.phone in (select c.phone from chosen c) group by o.phone
) p on p.phone = c.phone
left join (
    select distinct m.household_id from member m where m.working and m.work_place is not null
    group by m.household_id, m.member_phone having count(distinct m.work_place) > 1 and m.member_phone is not null
) w on w.household_id = c.household_id
left join lateral (
    -- A range of one: asked for equality, the planner expects any row to do, and reads the whole table for a number
    -- that names no place of ours.
    select o.registered_division as code from (select substring(c.household_no from '[0-9]{{12}}') as code) s
    cross join household o where o.registered_division between s.code and s.code order by 1 limit 1
) n on true
"""


def _details(kinds: Mapping[str, Kind], more: Mapping[str, str]) -> str:
    said = {name: RECORD_TYPES.get(kind, "text") for name, kind in kinds.items()} | dict(more)
    return ", ".join(f"{quoted(name)} {type_}" for name, type_ in said.items())


def _columns(kinds: Mapping[str, Kind]) -> str:
    return "".join(f",\n{_read(f's.{quoted(name)}', kind)} as {quoted(name)}" for name, kind in kinds.items())


def _read(column: str, kind: Kind) -> str:
    """A detail as the checks compare it; a text that is none of its kind is unknown."""
    if kind is Kind.HUNDREDTHS:
        return f"case when {column} ~ '^-?[0-9]{{1,6}}([.][0-9]{{1,2}})?$' then ({column}::numeric * 100)::bigint end"
    if kind is Kind.MONTH:
        digits = f"replace({column}, '-', '')"
        months = f"left({digits}, 4)::bigint * 12 + substr({digits}, 5, 2)::bigint"
        return f"case when {column} ~ '^[12][0-9]{{3}}-?(0[1-9]|1[0-2])' then {months} end"
    if kind is Kind.DAY:
        days = f"({column}::date - date '0001-01-01')::bigint"
        return f"case when {column} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' then {days} end"
    return column


def _hundredths(text: str, name: str) -> str:
    """A figure of a village: whole, or an area in hundredths."""
    times = 100 if name.endswith("_mu") else 1
    return f"case when ({text}) ~ '^-?[0-9]{{1,9}}([.][0-9]{{1,2}})?$' then (({text})::numeric * {times})::bigint end"


def _figures(book: QualityBook) -> list[str]:
    derived = {"total_households", "households_arable_mu", *book.thresholds}
    return sorted({name for each in book.at(Level.VILLAGE) for name in each.reads} - derived)


def _writer(book: QualityBook, alias: str) -> SqlWriter:
    def column(name: str) -> str:
        threshold = book.thresholds.get(name)
        return f"{alias}.{quoted(name)}" if threshold is None else f"{literal(threshold.value)}::bigint"

    return SqlWriter(column)


def _fired(book: QualityBook, level: Level, table: str, resident: str, subject: str = "household_id") -> str:
    """Each word of a mask is worked out for all rows; only rows with a bit in it are taken apart."""
    checks = book.at(level)
    words = list(_words(book, checks))
    masks = ",\n".join(f"{text} as mask_{word}" for word, text in enumerate(words))
    bit = " ".join(f"when {word} then t.mask_{word}" for word in range(len(words)))
    any_ = " or ".join(f"t.mask_{word} <> 0" for word in range(len(words)))
    own = "" if subject == "village" else f"t.{resident}, " if resident == "resident_id" else f"{resident}, "
    return f"""\
select t.{subject}, {own}c.code, sha256(convert_to(coalesce((
    select string_agg(coalesce(to_jsonb(t) ->> n, ''), '|') from unnest(c.reads) n), ''), 'UTF8')) as digest
from (
select x.*,
{masks}
from {table} x offset 0
) t join (values {_listing(book, checks)}) c (code, word, bit, reads)
  on (case c.word {bit} end >> c.bit) & 1 = 1
where {any_}"""


def _words(book: QualityBook, checks: Sequence[QualityCheck]) -> Iterator[str]:
    writer = _writer(book, "x")
    for first in range(0, len(checks), BITS):
        bits = (
            f"case when {writer.write(_condition(each))} then {1 << bit}::bigint else 0 end"
            for bit, each in enumerate(checks[first : first + BITS])
        )
        yield "(" + "\n| ".join(bits) + ")"


def _condition(check: QualityCheck) -> Expression:
    assert check.when is not None
    return check.when


def _listing(book: QualityBook, checks: Sequence[QualityCheck]) -> str:
    rows = []
    for place, each in enumerate(checks):
        reads = [name for name in each.reads if name not in NO_VALUES and name not in book.thresholds]
        texts = ", ".join(map(literal, reads))
        rows.append(f"({literal(each.code)}, {place // BITS}, {place % BITS}, array[{texts}]::text[])")
    return ", ".join(rows)
