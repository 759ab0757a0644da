"""What dbt's yml says of who may see what: ``config.meta`` of models and columns, read out of the manifest.

Left unsaid means for nobody: a model or column without audience is not published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from dealermart.base import quoted

# Where each copy goes; readers of ``manager`` and ``member`` see the rows alone that the hierarchy gives them.
AUDIENCES = ("bi", "hr", "manager", "member")
BY_ROWS = ("manager", "member")
FILES = ("bi", "hr")  # audiences whose copies are files as well: a file knows no rows that are hidden
PII = ("none", "indirect", "direct", "sensitive")
SUBJECTS = ("member", "dealer", "subject")
_MEND = "see docs/modelling.md, Who may see it; `python scripts/make_audiences.py` fills in what follows from rules"


class Fault(NamedTuple):
    """What is wrong with a model's meta, and how to mend it."""

    model: str
    what: str
    mend: str


@dataclass(frozen=True)
class Column:
    """A column of a mart.

    Attributes:
        pii: ``none``; ``direct`` names a person by id or name; ``indirect`` says something of one; ``sensitive`` is
            what BI never sees: pay, scores, skills, ratings, health, gender, age.
        person: Of ``direct`` ones, the column that holds the person's id: itself, or that of which it is the name.
        person_type: Where another column says what the id is of: only where that holds ``member`` it is a person.
    """

    name: str
    type: str
    description: str
    audience: tuple[str, ...]
    pii: str
    person: str | None = None
    person_type: str | None = None


@dataclass(frozen=True)
class Rows:
    """Which rows a manager or member sees: those of whom or of what he is in charge at the date of the row.

    Attributes:
        kind: ``all``, or what the id is of: ``member``, ``dealer``, or ``subject`` where ``type`` names the column that
            says it; ``through`` where they are those of another mart's rows.
        column: The id; of ``through`` the column that both have.
        date: Column of the date; None is the day as of which it was built.
        is_end: Whether the date is the first day after the row's time; then the day before it counts.
        through: The other mart.
    """

    kind: str
    column: str = ""
    type: str = ""
    date: str | None = None
    is_end: bool = False
    through: str = ""


@dataclass(frozen=True)
class Cells:
    """Where values of KPIs stand, for the KPIs that not everybody may read.

    Attributes:
        code: Column of the KPI's code; None where columns bear the codes as names.
        type: Column of the subject's type, or the type itself in quotes.
        subject: Column of the subject's id.
        period: Column of the period; None where rows of a KPI that is suppressed are left out whole.
        values: Columns that say something of the value; where there are none, the row is left out.
        texts: Columns of words in which values may stand.
    """

    code: str | None
    type: str
    subject: str
    period: str | None
    values: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mart:
    """A mart that is published."""

    name: str
    schema: str
    description: str
    audience: tuple[str, ...]
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    rows: Rows | None = None
    cells: Cells | None = None

    @property
    def relation(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def seen_by(self, audience: str) -> tuple[Column, ...]:
        """The columns that an audience may read; none where the mart is not meant for it."""
        if audience not in self.audience:
            return ()
        return tuple(column for column in self.columns if audience in column.audience)


def marts_of(nodes: dict[str, Any]) -> list[Mart]:
    """All marts with an audience, by name."""
    return sorted((_mart(node, nodes) for node in _models(nodes) if _meta(node).get("audience")), key=lambda m: m.name)


def untold(nodes: dict[str, Any]) -> list[str]:
    """Marts, and columns of marts, that are for nobody because nothing says for whom: ``mart`` or ``mart.column``."""
    found = []
    for node in _models(nodes):
        if not _is_mart(node):
            continue
        if not _meta(node).get("audience"):
            found.append(str(node["alias"]))
            continue
        found += [f"{node['alias']}.{c['name']}" for c in _columns(node) if not _column_is_said(c)]
    return sorted(found)


def faults_of(nodes: dict[str, Any]) -> Iterator[Fault]:
    """What is wrong with the meta of marts: what is left unsaid, what contradicts itself, what BI must not see."""
    for node in _models(nodes):
        name, meta = str(node.get("alias") or node["name"]), _meta(node)
        if not _is_mart(node):
            continue
        audience = meta.get("audience")
        if not audience:
            mend = "say who may read it: `config: {meta: {audience: [hr]}}` in its yml, or [bi, hr]; " + _MEND
            yield Fault(name, "it has no config.meta.audience, so nobody would see it", mend)
            continue
        if not isinstance(audience, list) or "hr" not in audience or not set(audience) <= set(AUDIENCES):
            mend = f"write a list of {', '.join(AUDIENCES)} that holds hr: HR reads everything"
            yield Fault(name, "config.meta.audience is no list of audiences that holds hr", mend)
            continue
        names = {column["name"] for column in _columns(node)}
        for column in _columns(node):
            if _column_is_said(column):
                yield from _column_faults(name, audience, column, names)
            else:
                yield Fault(name, f"column {column['name']} has no meta.audience or no meta.pii", _MEND)
        mart = _mart(node, nodes)
        if set(audience) & set(BY_ROWS) and mart.rows is None:
            mend = (
                "say which rows: `rows: {member: member_id, before: period_end}`, or `rows: all` where it names nobody"
            )
            yield Fault(name, "it is for managers or members, and nothing says which rows they see", mend)
        if mart.rows is not None and mart.rows.kind == "all":
            personal = [c.name for c in mart.columns if c.pii != "none" and set(c.audience) & set(BY_ROWS)]
            if personal:
                mend = "name the column of the member or dealer in rows, or keep these columns from them"
                yield Fault(name, f"managers would see all rows of {', '.join(personal)}", mend)
        yield from _names_unknown(mart)


def refuse(marts: Iterable[Mart]) -> list[str]:
    """What must not be published, as ``mart.column``: sensitive columns for BI, rows of persons without a row rule."""
    found = []
    marts = list(marts)
    known = {mart.name: mart for mart in marts}
    for mart in marts:
        for column in mart.columns:
            if column.pii == "sensitive" and "bi" in mart.audience and "bi" in column.audience:
                found.append(f"{mart.name}.{column.name} for bi")
        by_rows = [audience for audience in BY_ROWS if mart.seen_by(audience)]
        if by_rows and mart.rows is None:
            found.append(f"{mart.name} for {' and '.join(by_rows)}")
        if by_rows and mart.rows is not None and mart.rows.kind == "through":
            found += [
                f"{mart.name} for {audience}s, who do not see the rows of {mart.rows.through}"
                for audience in by_rows
                if not _shows(known.get(mart.rows.through), audience, mart.rows.column)
            ]
        if by_rows and mart.rows is not None and mart.rows.kind == "all":
            found += [
                f"{mart.name}.{column.name} for all {audience}s"
                for audience in by_rows
                for column in mart.seen_by(audience)
                if column.pii != "none"
            ]
    return found


def _shows(mart: Mart | None, audience: str, column: str) -> bool:
    """Whether a mart has row rules of its own and shows the column to the audience."""
    if mart is None or mart.rows is None or mart.rows.kind in ("all", "through"):
        return False
    return column in {found.name for found in mart.seen_by(audience)}


def _column_faults(model: str, audience: list[str], column: dict[str, Any], names: set[str]) -> Iterator[Fault]:
    meta = _column_meta(column)
    name, said, pii = column["name"], meta["audience"], meta["pii"]
    if not isinstance(said, list) or "hr" not in said or not set(said) <= set(audience):
        mend = f"write a part of the model's own audience, {audience}, that holds hr"
        yield Fault(model, f"meta.audience of column {name} is no part of the model's", mend)
    elif pii not in PII:
        yield Fault(model, f"meta.pii of column {name} is {pii!r}", f"one of {', '.join(PII)}")
    elif pii == "sensitive" and "bi" in said:
        mend = "take bi out of its audience, or say in review why it is not sensitive"
        yield Fault(model, f"column {name} is sensitive, and BI would read it", mend)
    elif pii == "direct" and "bi" in said and not meta.get("person"):
        mend = "`person: self` where it holds the id, or `person: <column of the id>` where it holds the name"
        yield Fault(model, f"column {name} names persons, and nothing says whose id that is", mend)
    for key in ("person", "person_type"):
        if meta.get(key) not in (None, "self", *names):
            yield Fault(model, f"meta.{key} of column {name} names {meta[key]!r}, which is no column", _MEND)


def _names_unknown(mart: Mart) -> Iterator[Fault]:
    names = {column.name for column in mart.columns}
    used: list[str | None] = []
    if mart.rows:
        used += [mart.rows.column or None, mart.rows.type or None, mart.rows.date]
    if mart.cells:
        used += [mart.cells.code, mart.cells.subject, mart.cells.period, *mart.cells.values, *mart.cells.texts]
    for column in [column for index in mart.indexes for column in index]:
        used.append(column)
    for name in used:
        if name is not None and name not in names:
            yield Fault(mart.name, f"its meta names the column {name!r}, which it does not have", _MEND)


def _models(nodes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (node for node in nodes.values() if node["resource_type"] == "model")


def _is_mart(node: dict[str, Any]) -> bool:
    return bool(
        _meta(node).get("audience")
        or node.get("schema") == "marts"
        or str(node.get("original_file_path", "")).startswith("models/marts/")
    )


def _columns(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from ({"name": name, **column} for name, column in (node.get("columns") or {}).items())


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    return node["config"].get("meta") or {}


def _column_meta(column: dict[str, Any]) -> dict[str, Any]:
    return (column.get("meta") or {}) | ((column.get("config") or {}).get("meta") or {})


def _column_is_said(column: dict[str, Any]) -> bool:
    meta = _column_meta(column)
    return bool(meta.get("audience")) and bool(meta.get("pii"))


def _mart(node: dict[str, Any], nodes: dict[str, Any]) -> Mart:
    meta = _meta(node)
    columns = []
    for column in _columns(node):
        if not _column_is_said(column):
            continue
        said = _column_meta(column)
        person = said.get("person")
        columns.append(
            Column(
                column["name"],
                str(column.get("data_type") or ""),
                " ".join(str(column.get("description") or "").split()),
                tuple(said["audience"]),
                said["pii"],
                column["name"] if person == "self" else person,
                said.get("person_type"),
            )
        )
    return Mart(
        str(node.get("alias") or node["name"]),
        str(node.get("schema") or "marts"),
        " ".join(str(node.get("description") or "").split()),
        tuple(meta["audience"]),
        tuple(columns),
        _key(node, nodes),
        tuple(tuple(index) for index in meta.get("indexes") or ()),
        _rows(meta.get("rows")),
        _cells(meta.get("kpi")),
    )


def _rows(said: Any) -> Rows | None:
    if said is None:
        return None
    if said == "all":
        return Rows("all")
    if "through" in said:
        return Rows("through", said.get("by", ""), through=said["through"])
    kind = next((kind for kind in SUBJECTS if kind in said), "all" if not said else "")
    return Rows(
        kind, said.get(kind, ""), said.get("type", ""), said.get("at") or said.get("before"), bool(said.get("before"))
    )


def _cells(said: Any) -> Cells | None:
    if not said:
        return None
    kind = said["type"]
    is_type = kind in ("member", "dealer", "team", "region", "company", "category")
    return Cells(
        said.get("code"),
        f"'{kind}'" if is_type else quoted(kind),
        said["subject"],
        said.get("period"),
        tuple(said.get("values") or ()),
        tuple(said.get("texts") or ()),
    )


def _key(node: dict[str, Any], nodes: dict[str, Any]) -> tuple[str, ...]:
    """The key that a test of the build holds unique and not null."""
    for test in nodes.values():
        found = test.get("test_metadata") or {}
        if found.get("name") == "valid_key" and test.get("attached_node") == node.get("unique_id"):
            return tuple(found["kwargs"].get("columns") or ())
    return ()
