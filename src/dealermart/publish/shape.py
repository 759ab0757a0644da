"""What each audience gets of a mart, as a select: its columns and rows, small groups hidden, persons under codes.

Every copy is made of these selects, whatever its form.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import duckdb

from dealermart.base import Settings, literal, quoted
from dealermart.config import Kpi, Registry, load_company, load_registry
from dealermart.publish.marts import BY_ROWS, Cells, Column, Mart
from dealermart.publish.persons import code_of, load_key
from dealermart.publish.suppression import Cell, Subject, Sums, hidden, periods_of

SUPPRESSED = "suppressed"
REASON = "the group is too small to be shown, or would give away one that is"

# Of whom small groups are hidden from whom. Managers know who is in their team, and not who answered what.
_HIDDEN_FROM = {"bi": ("people", "respondents"), "manager": ("respondents",), "member": ("respondents",)}
# Types of the columns of the tables of hidden values.
_HIDDEN = ("varchar", "varchar", "varchar", "varchar", "varchar[]")
# What a row says of other periods, and the column of dim_period that says which.
_EARLIER = {"previous_value": "previous_period_id", "last_year_value": "last_year_period_id"}


@dataclass(frozen=True)
class Shapes:
    """The selects of a publication, on a connection that has the warehouse attached as ``warehouse``."""

    marts: tuple[Mart, ...]
    kpis: dict[str, Kpi] = field(default_factory=dict)
    is_hashed: bool = False

    def is_as_for_hr(self, mart: Mart) -> bool:
        """Whether BI and HR see the very same table."""
        return self.select(mart, "bi") == self.select(mart, "hr") if mart.seen_by("bi") else False

    def select(self, mart: Mart, audience: str, columns: tuple[Column, ...] | None = None) -> str:
        """The select of a mart for an audience, on relations of ``warehouse`` and what ``prepare`` made."""
        columns = mart.seen_by(audience) if columns is None else columns
        hashed = self.is_hashed and audience == "bi"
        cells = mart.cells if audience in _HIDDEN_FROM else None
        joins: list[str] = []
        wheres: list[str] = []
        codes: dict[str, str] = {}
        if cells:
            joins, wheres = self._hiding(mart, cells, audience)
        people = {column.name: column for column in columns if column.person} if hashed else {}
        ids = sorted({column.person for column in people.values() if column.person})
        for number, name in enumerate(ids):
            codes[name] = f"p{number}.code"
            joins.append(f"left join person as p{number} on t.{quoted(name)} = p{number}.id")
        listed = []
        for column in columns:
            text = f"t.{quoted(column.name)}"
            if cells:
                text = self._shown(column, text, cells, audience)
            if column.name in people:
                text = _coded(column, text, codes[str(column.person)])
            listed.append(text if text == f"t.{quoted(column.name)}" else f"{text} as {quoted(column.name)}")
        where = f" where {' and '.join(wheres)}" if wheres else ""
        return f"select {', '.join(listed)} from warehouse.{mart.relation} as t {' '.join(joins)}{where}".strip()

    def suppressed(self, audience: str) -> list[str]:
        """Codes of the KPIs whose small groups are hidden from an audience."""
        return sorted(kpi.code for kpi in self.kpis.values() if kpi.suppress in _HIDDEN_FROM.get(audience, ()))

    def _hiding(self, mart: Mart, cells: Cells, audience: str) -> tuple[list[str], list[str]]:
        kind = cells.type if cells.type.startswith("'") else f"t.{cells.type}"
        subject = f"t.{quoted(cells.subject)}"
        wheres = self._not_for(cells, kind, audience)
        if cells.period is None:
            if self.suppressed(audience) and cells.code:
                wheres.append(f"coalesce(t.{quoted(cells.code)}, '') not in ({_listed(self.suppressed(audience))})")
            return [], wheres
        on = f"{kind} = {{0}}.subject_type and {subject} = {{0}}.subject_id"
        found = f"hidden_{audience if audience == 'bi' else 'rows'}"
        period = f"t.{quoted(cells.period)}"
        if cells.code is None:
            of_subject = f"""(
                select subject_type, subject_id, period_id, list(kpi_code) as codes, flatten(list(marks)) as marks
                from {found} group by all)"""
            return [f"left join {of_subject} as h on {on.format('h')} and {period} = h.period_id"], wheres
        code = f"t.{quoted(cells.code)}"
        joins = [f"left join {found} as h on {on.format('h')} and {period} = h.period_id and {code} = h.kpi_code"]
        earlier = {column.name for column in mart.columns} & set(_EARLIER)
        if earlier:
            joins.append(f"left join warehouse.marts.dim_period as period on {period} = period.period_id")
        for name in sorted(earlier):
            joins.append(
                f"left join {found} as {name} on {on.format(name)} and period.{_EARLIER[name]} = {name}.period_id "
                f"and {code} = {name}.kpi_code"
            )
        if not cells.values:
            wheres.append("h.kpi_code is null")
        return joins, wheres

    def _not_for(self, cells: Cells, kind: str, audience: str) -> list[str]:
        """Conditions on rows of KPIs that are HR's alone."""
        if audience != "bi" or cells.code is None:
            return []
        code = f"coalesce(t.{quoted(cells.code)}, '')"
        hr = sorted(kpi.code for kpi in self.kpis.values() if kpi.audience == "hr")
        of_some = sorted((kpi.code, subject) for kpi in self.kpis.values() for subject in kpi.hr_subjects)
        wheres = [f"{code} not in ({_listed(hr)})"] if hr else []
        if of_some:
            pairs = ", ".join(f"({literal(code_)}, {literal(subject)})" for code_, subject in of_some)
            wheres.append(f"({code}, {kind}) not in ({pairs})")
        return wheres

    def _shown(self, column: Column, text: str, cells: Cells, audience: str) -> str:
        if cells.period is None:
            return text
        if cells.code is None:
            if column.name in self.suppressed(audience):
                return f"case when list_contains(h.codes, {literal(column.name)}) then null else {text} end"
            if column.name in cells.texts:
                told = " or ".join(f"contains(coalesce(t.{quoted(name)}, ''), mark)" for name in cells.texts)
                return f"case when len(list_filter(h.marks, lambda mark: {told})) > 0 then null else {text} end"
            return text
        if not cells.values:
            return text
        if column.name in cells.values:
            return f"case when h.kpi_code is not null then null else {text} end"
        if column.name in _EARLIER:
            return f"case when {column.name}.kpi_code is not null then null else {text} end"
        if column.name == "status":
            return f"case when h.kpi_code is not null then {literal(SUPPRESSED)} else {text} end"
        if column.name == "status_reason":
            return f"case when h.kpi_code is not null then {literal(REASON)} else {text} end"
        return text


def prepare(con: duckdb.DuckDBPyConnection, settings: Settings, marts: tuple[Mart, ...]) -> Shapes:
    """Make the tables that selects need: the hidden values of KPIs, the codes of persons.

    Args:
        con: Has the warehouse attached as ``warehouse``.

    Raises:
        ConfigError: the company file asks for codes, and the key is not there or open to others.
    """
    company, registry = load_company(settings), load_registry(settings)
    shapes = Shapes(marts, registry.by_code, company.persons_in_bi == "hashed")
    _hide(con, shapes, registry, company.min_group_size)
    if shapes.is_hashed:
        _name_codes(con, marts, load_key(settings))
    return shapes


def _coded(column: Column, text: str, code: str) -> str:
    if column.person_type is None:
        return f"case when {text} is null then null else {code} end"
    return f"case when t.{quoted(column.person_type)} = 'member' then {code} else {text} end"


def _listed(values: list[str]) -> str:
    return ", ".join(map(literal, values))


def _name_codes(con: duckdb.DuckDBPyConnection, marts: tuple[Mart, ...], key: bytes) -> None:
    found: set[str] = set()
    for mart in marts:
        for column in mart.seen_by("bi"):
            if column.person == column.name:
                only = f" and {quoted(column.person_type)} = 'member'" if column.person_type else ""
                name = quoted(column.name)
                sql = f"select distinct {name} from warehouse.{mart.relation} where {name} is not null{only}"
                found.update(str(row[0]) for row in con.execute(sql).fetchall())
    con.execute("create temp table person (id varchar primary key, code varchar not null)")
    people = sorted(found)
    codes = [code_of(key, person) for person in people]
    con.execute("insert into person select unnest($1::varchar[]), unnest($2::varchar[])", [people, codes])


# ---- values that are hidden ---------------------------------------------------------------------------------------


def _hide(con: duckdb.DuckDBPyConnection, shapes: Shapes, registry: Registry, smallest: int) -> None:
    """Tables ``hidden_bi`` and ``hidden_rows``: kpi_code, subject_type, subject_id, period_id, and the words by which
    other columns may tell of the value."""
    for name in ("hidden_bi", "hidden_rows"):
        con.execute(
            f"create temp table {name} (kpi_code varchar, subject_type varchar, subject_id varchar, period_id varchar, "
            "marks varchar[])"
        )
    lists = [
        mart for mart in shapes.marts if mart.cells and mart.cells.code and mart.cells.period and mart.cells.values
    ]
    if not lists:
        return
    sums = _sums(con)
    known: dict[tuple[str, str], tuple[dict[Cell, tuple[int, int]], set[Cell]]] = {}
    for name, audiences in (("hidden_bi", ("bi",)), ("hidden_rows", BY_ROWS)):
        codes = list(shapes.suppressed(audiences[0]))
        rows = []
        for mart in lists:
            if not any(mart.seen_by(audience) for audience in audiences):
                continue
            for code, found in _sizes(con, mart, codes, shapes, audiences[0]).items():
                kpi = shapes.kpis[code]
                before, out = known.get((mart.name, code), ({}, set()))
                if before != found:
                    sizes, counts = ({cell: pair[place] for cell, pair in found.items()} for place in (0, 1))
                    out = hidden(sizes, smallest, sums, _is_of_the_end(kpi, registry), counts)
                known[mart.name, code] = found, out
                marks = [f"{kpi.code} is ", f"{kpi.name} is "]
                rows += [[code, subject[0], subject[1], period, marks] for subject, period in sorted(out)]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            listed = ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(_HIDDEN, 1))
            con.execute(f"insert into {name} select {listed}", columns)


def _is_of_the_end(kpi: Kpi, registry: Registry) -> bool:
    taken = {measure.code: measure.taken for measure in registry.measures}
    return any(taken.get(code) == "month_end" for code in kpi.measures.values())


def _sizes(
    con: duckdb.DuckDBPyConnection, mart: Mart, codes: list[str], shapes: Shapes, audience: str
) -> dict[str, dict[Cell, tuple[int, int]]]:
    """KPI -> value -> how many people or answers it rests on, and how many things it counts; of what the audience may
    see at all."""
    assert mart.cells is not None
    cells = mart.cells
    wheres = shapes._not_for(cells, f"t.{cells.type}", audience)
    people = [code for code in codes if shapes.kpis[code].suppress == "people"]
    sql = f"""
        select t.{cells.code}, t.{cells.type}, t.{cells.subject}, t.{cells.period},
            case
                when t.{cells.code} not in ({_listed([*people, ""])}) or t.{cells.type} = 'dealer' then t.sample_size
                when t.{cells.type} = 'member' then least(1, t.sample_size)
                else least(t.sample_size, coalesce(crew.size, 0))
            end,
            t.sample_size
        from warehouse.{mart.relation} as t
        left join crew
            on t.{cells.type} = crew.kind and t.{cells.subject} = crew.id and t.{cells.period} = crew.period_id
        where t.{cells.code} in ({_listed([*codes, ""])}) and t.sample_size > 0
        {"".join(f" and {where}" for where in wheres)}"""
    found: dict[str, dict[Cell, tuple[int, int]]] = defaultdict(dict)
    for code, kind, subject, period, size, count in con.execute(sql).fetchall():
        # Nobody is in a group that has values: what is not known to be large is small.
        found[code][(kind, subject), period] = max(1, int(size)), int(count)
    return found


def _sums(con: duckdb.DuckDBPyConnection) -> Sums:
    """What adds up to what; table ``crew`` with the people of each team, region and the company by period."""
    con.execute("""
        create temp table placed as
        select period.period_id, m.member_id, m.team, m.region
        from warehouse.marts.dim_period as period
        inner join warehouse.marts.dim_member as m
            on m.valid_from < period.period_end and m.valid_to > period.period_start
        qualify row_number() over (partition by period.period_id, m.member_id order by m.valid_from desc) = 1
    """)
    con.execute("""
        create temp table crew as
        select period_id, 'team' as kind, team as id, count(*) as size from placed where team is not null group by all
        union all
        select period_id, 'region', region, count(*) from placed where region is not null group by all
        union all
        select period_id, 'company', subject_id, count(*) from placed
        cross join (select subject_id from warehouse.marts.dim_subject where subject_type = 'company') group by all
    """)
    periods = con.execute("""
        select p.period_id, p.period_type, coalesce(q.period_id, p.period_id), coalesce(y.period_id, p.period_id)
        from warehouse.marts.dim_period as p
        left join warehouse.marts.dim_period as q
            on q.period_type = 'quarter' and p.period_start >= q.period_start and p.period_end <= q.period_end
        left join warehouse.marts.dim_period as y
            on y.period_type = 'year' and p.period_start >= y.period_start and p.period_end <= y.period_end
    """).fetchall()
    parents: dict[tuple[Subject, str], tuple[Subject, ...]] = defaultdict(tuple)
    for kind, part, whole_kind, whole, period in con.execute("""
        select 'member', member_id, 'team', team, period_id from placed where team is not null
        union all
        select 'member', member_id, 'region', region, period_id from placed where region is not null
        union all
        select 'team', team, 'region', min(region), period_id from placed where team is not null
        group by team, period_id having count(distinct region) = 1 and count(region) = count(*)
        union all
        select 'dealer', d.dealer_id, 'region', d.region, p.period_id
        from warehouse.marts.dim_period as p
        inner join warehouse.marts.dim_dealer as d on d.valid_from < p.period_end and d.valid_to > p.period_start
        where d.region is not null
        qualify row_number() over (partition by p.period_id, d.dealer_id order by d.valid_from desc) = 1
    """).fetchall():
        parents[(kind, part), period] += ((whole_kind, whole),)
    return Sums(periods_of(periods), dict(parents))
