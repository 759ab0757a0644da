"""The table that every reader fills: cleaning, structural rows and the balance are the same for all formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dealermart.base import BalanceError, literal, quoted
from dealermart.config import FileSpec
from dealermart.readers.columns import Columns

# What Python's str.strip() takes for white space, as a string for SQL's trim() and for a regular expression.
BLANKS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)

_CLASS = "".join(f"\\x{{{ord(blank):x}}}" for blank in BLANKS)

_EDGE = f"^[{_CLASS}]|[{_CLASS}]$"

_BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Counts:
    """Where the records of a file went; rows in the table = records - structural - rejected.

    Attributes:
        encoding: How a text file was read.
        confidence: Percent, where the encoding was detected and not stated.
        from_1904: Whether the workbook counts days from 1904.
        suspect: Whether texts in it may be damaged; false where that is known not to be so.
        notes: What is in the file and was not read, in words.
    """

    records: int
    structural: int
    rejected: int
    encoding: str | None = None
    confidence: int | None = None
    from_1904: bool = False
    suspect: bool = field(default=True, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Target:
    """The table to create, the delivery it belongs to, and the one who takes records that Python reads."""

    table: str
    delivery_id: str
    loader: Loader

    @property
    def name(self) -> str:
        return quoted(self.table)

    @property
    def rejects(self) -> str:
        return quoted(f"{self.table}__rejects")

    @property
    def rows(self) -> str:
        """Where a reader that lets the engine read puts the rows for ``finish``."""
        return quoted(f"{self.table}__rows")

    @property
    def numbers(self) -> str:
        return quoted(f"{self.table}__numbers")


class Record(NamedTuple):
    """One record of a file: its fields, or the reason why it has none that could be used."""

    number: int
    fields: Sequence[str | None] = ()
    reason: str | None = None
    line: str | None = None


@dataclass
class Tally:
    """Counts that a reader keeps while it goes through a file."""

    records: int = 0
    structural: int = 0
    rejected: int = 0

    def passing(self, records: Iterable[Record | None]) -> Iterator[Record]:
        """Count records on their way; None stands for a blank one."""
        for record in records:
            self.records += 1
            if record is None:
                self.structural += 1
                continue
            self.rejected += record.reason is not None
            yield record


def present(text: str, nulls: Sequence[str]) -> str:
    """SQL for a text, with those that mean missing as NULL."""
    # Not by IN: DuckDB makes a join of five or more texts, and a join does not keep the order of the file.
    whens = " ".join(f"when {literal(null)} then null" for null in nulls)
    return f"case {text} {whens} else {text} end" if nulls else text


def cleaned(text: str, nulls: Sequence[str]) -> str:
    """SQL for a text trimmed, with those that mean missing as NULL."""
    # To trim a list of characters takes ten times longer than to see that there is none of them at either end.
    padded = f"regexp_matches({text}, {literal(_EDGE)})"
    trimmed = f"trim({text}, {literal(BLANKS)})"
    return f"case when {padded} then {present(trimmed, nulls)} else {present(text, nulls)} end"


def selection(columns: Columns, expression: Callable[[str], str]) -> str:
    """The select list of the raw columns: ``expression`` of those in the file, NULL for those that it lacks."""
    parts = [f"{expression(quoted(name))} as {quoted(name)}" for name in columns.names]
    parts += [f"cast(null as varchar) as {quoted(name)}" for name in columns.absent]
    return ", ".join(parts)


class Loader:
    """Puts records that Python read into tables, those of files of one shape that follow each other into one.

    Small files are many, and every statement counts.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._target: Target | None = None
        self._shape: Any = None
        self._rows: list[tuple[str, Record]] = []
        self._ended: list[tuple[str, dict[str, int]]] = []

    def add(self, target: Target, spec: FileSpec, columns: Columns, records: Iterable[Record | None]) -> Counts:
        """Take the records of a file.

        Args:
            target: What the table is called if the file is the first in it.
            records: In file order, each with as many fields as there are columns or a reason; None for a blank one.

        Returns:
            The counts, without the structural rows that ``end`` finds.
        """
        shape = (columns, spec.missing, spec.totals)
        if self._target is None or shape != self._shape:
            self._end()
            self._target, self._shape, self._spec, self._columns = target, shape, spec, columns
            self._is_made, self._tallies = False, dict[str, Tally]()
        tally = self._tallies[target.delivery_id] = Tally()
        try:
            for record in tally.passing(records):
                self._rows.append((target.delivery_id, record))
                if len(self._rows) == _BATCH_ROWS:
                    self._write()
        except BaseException:
            self._forget(target.delivery_id)
            raise
        return Counts(tally.records, tally.structural, tally.rejected)

    @property
    def table(self) -> str | None:
        """The table that is being filled."""
        return self._target.table if self._target else None

    def holds(self, delivery_id: str) -> bool:
        """Whether records of a delivery are in the table that is being filled."""
        return self._target is not None and delivery_id in self._tallies

    def end(self) -> list[tuple[str, dict[str, int]]]:
        """The tables completed since the last call, in order, each with its structural rows by delivery.

        Raises:
            BalanceError: the engine did not hold what it was given.
        """
        self._end()
        ended, self._ended = self._ended, []
        return ended

    def _end(self) -> None:
        if self._target is None:
            return
        target, con = self._target, self._con
        if self._rows or not self._is_made:
            self._write()
        structural = _is_structural(self._spec, self._columns)
        found = con.execute(f"""
            select _delivery_id, count(*), count(*) filter ({structural}) from {target.name} group by 1
        """).fetchall()
        rejected = dict(con.execute(f"select _delivery_id, count(*) from {target.rejects} group by 1").fetchall())
        rows = {delivery_id: count for delivery_id, count, _ in found}
        for delivery_id, tally in self._tallies.items():
            held = rows.get(delivery_id, 0), rejected.get(delivery_id, 0)
            if held != (tally.records - tally.structural - tally.rejected, tally.rejected):
                raise BalanceError(f"{held} rows arrived of {tally}", mend="report this as a fault of the program")
        if taken := {delivery_id: count for delivery_id, _, count in found if count}:
            con.execute(f"delete from {target.name} where {structural}")
        self._ended.append((target.table, taken))
        self._target = None

    def _write(self) -> None:
        assert self._target is not None
        con, target, columns, spec = self._con, self._target, self._columns, self._spec
        good = [(delivery_id, row) for delivery_id, row in self._rows if row.reason is None]
        texts = zip(*(row.fields for _, row in good), strict=True) if good else [()] * len(columns.names)
        arrays = [pa.array(values, pa.string()) for values in texts]
        arrays.append(pa.array([row.number for _, row in good], pa.int64()))
        arrays.append(pa.array([delivery_id for delivery_id, _ in good], pa.string()))
        names = [*columns.names, "_row_number", "_delivery_id"]
        con.register("records_to_load", pa.Table.from_arrays(arrays, names=names))
        cleaning = selection(columns, lambda name: cleaned(name, spec.missing))
        select = f"select {cleaning}, _row_number, _delivery_id from records_to_load"
        if not self._is_made:
            reject(con, target, [])
        how = "insert into {}" if self._is_made else "create table {} as"
        con.execute(f"{how.format(target.name)} {select}")
        con.unregister("records_to_load")
        _add_rejects(
            con, target, [(key, row.number, row.reason, row.line) for key, row in self._rows if row.reason is not None]
        )
        self._is_made = True
        self._rows = []

    def _forget(self, delivery_id: str) -> None:
        """Take out what was taken of a file that turned out to be unreadable."""
        assert self._target is not None
        self._rows = [row for row in self._rows if row[0] != delivery_id]
        del self._tallies[delivery_id]
        if self._is_made:
            for table in (self._target.name, self._target.rejects):
                self._con.execute(f"delete from {table} where _delivery_id = ?", [delivery_id])


def finish(
    con: duckdb.DuckDBPyConnection,
    target: Target,
    spec: FileSpec,
    columns: Columns,
    counts: Counts,
    numbers: npt.NDArray[np.int64] | None = None,
) -> Counts:
    """Make ``target.name`` of the rows in ``target.rows``: a view, because to copy a large table takes as long as to
    read it. Structural rows are left out, the delivery and the record numbers are added; the balance is checked.

    Args:
        counts: Of the records outside the table: all, structural and rejected ones.
        numbers: The record number of each row in its order; without, the rows have them.

    Returns:
        The final counts.

    Raises:
        BalanceError: the rows in the table are not the records that should be there.
    """
    is_structural = _is_structural(spec, columns)
    every = f"select count(*) from {target.rows}"
    rows, structural = (con.execute(sql).fetchall()[0][0] for sql in (every, f"{every} where {is_structural}"))
    if rows != counts.records - counts.structural - counts.rejected:
        raise BalanceError(f"{rows} rows were read of {counts}", mend="report this as a fault of the program")
    number, source = "_row_number", target.rows
    if numbers is not None and (not rows or numbers[-1] - numbers[0] == rows - 1):
        number = f"{target.rows}.rowid + {numbers[0] if rows else 1} as _row_number"
    elif numbers is not None:
        con.register("numbers_to_load", pa.table({"_row_number": numbers}))
        con.execute(f"create table {target.numbers} as from numbers_to_load")
        con.unregister("numbers_to_load")
        source = f"{target.rows} positional join {target.numbers}"
    names = ", ".join(map(quoted, (*columns.names, *columns.absent)))
    only = f"where ({is_structural}) is not true" if structural else ""
    con.execute(f"""
        create view {target.name} as
        select {names}, {number}, {literal(target.delivery_id)} as _delivery_id from {source} {only}
    """)
    return replace(counts, structural=counts.structural + structural)


def rows(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """The table behind the view that reading one file made under this name, quoted: all columns but the lineage, in the
    order of the file. None where there is no such table, or where the view leaves rows of it out."""
    name = f"{table}__rows"
    if not con.execute("select 1 from duckdb_tables() where table_name = $1", [name]).fetchall():
        return None
    held, shown = (con.execute(f"select count(*) from {quoted(made)}").fetchall()[0][0] for made in (name, table))
    return quoted(name) if held == shown else None


def drop(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop what reading made under this name."""
    made = """
        select view_name as name, 'view' as kind from duckdb_views() where not internal
        union all
        select table_name, 'table' from duckdb_tables() where not internal
    """
    names = tuple(f"{table}{end}" for end in ("", "__rows", "__numbers", "__rejects"))
    # A view before the tables that it shows; the engine has views of its own, which anything may be called like.
    for name, kind in con.execute(f"select * from ({made}) where name in ? order by kind desc", [names]).fetchall():
        con.execute(f"drop {kind} {quoted(name)}")


def _is_structural(spec: FileSpec, columns: Columns) -> str:
    """SQL for a row that is empty, a repeated header or a totals row."""
    empty = " and ".join(f"nullif({quoted(name)}, '') is null" for name in columns.names)
    conditions = [f"({empty})"]
    if columns.headers:
        pairs = zip(columns.names, columns.headers, strict=True)
        conditions.append(
            "("
            + " and ".join(
                f"lower(coalesce({quoted(name)}, '')) in ({_list(_seen(texts, spec))})" for name, texts in pairs
            )
            + ")"
        )
    if spec.totals and spec.totals.column in columns.names:
        conditions.append(f"lower({quoted(spec.totals.column)}) in ({_list(totals(spec.totals.values))})")
    return " or ".join(conditions)


def reject(con: duckdb.DuckDBPyConnection, target: Target, refused: Sequence[tuple[int, str, str | None]]) -> None:
    """Create the table of what could not be read: record number, reason, the record's text."""
    con.execute(
        f"create table {target.rejects} (_delivery_id varchar, _row_number bigint, reason varchar, line varchar)"
    )
    _add_rejects(con, target, [(target.delivery_id, *delivery_id) for delivery_id in refused])


def _add_rejects(
    con: duckdb.DuckDBPyConnection, target: Target, refused: Sequence[tuple[str, int, str, str | None]]
) -> None:
    if not refused:
        return
    types = {"delivery_id": pa.string(), "number": pa.int64(), "reason": pa.string(), "line": pa.string()}
    arrays = [pa.array(values, kind) for values, kind in zip(zip(*refused, strict=True), types.values(), strict=True)]
    con.register("refused_records", pa.Table.from_arrays(arrays, names=list(types)))
    con.execute(f"insert into {target.rejects} from refused_records")
    con.unregister("refused_records")


def totals(values: Iterable[str]) -> list[str]:
    """How totals rows are labelled, in lower case: also with a colon, and with two Hanzi spaced out to fill a cell."""
    written = {value.lower() for value in values}
    spaced = {blank.join(word) for word in written if len(word) == 2 for blank in (" ", "  ", "    ", "\u3000")}
    return sorted({word + colon for word in written | spaced for colon in ("", ":", "：")})


def _seen(headers: frozenset[str], spec: FileSpec) -> list[str]:
    """How header texts look in a cleaned row: in lower case, and empty where the text itself means missing."""
    return sorted({"" if text in {null.lower() for null in spec.missing} else text for text in headers})


def _list(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))


def shape(spec: FileSpec, *more: str) -> str:
    """No rows, with the raw columns that the profile promises to the select whether or not a file has them."""
    names = dict.fromkeys((*spec.columns, *spec.aliases, *spec.required_columns, "_delivery_id"))
    columns = [f"cast(null as varchar) as {quoted(name)}" for name in names]
    for extra in ("_row_number bigint", *more):
        name, kind = extra.split()
        columns.append(f"cast(null as {kind}) as {name}")
    return f"select {', '.join(columns)} where false"
