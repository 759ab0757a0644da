"""The table that every reader fills: cleaning, structural rows and the balance are the same for all formats."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dealermart.base import BalanceError, literal, quoted
from dealermart.config import FileSpec
from dealermart.readers import damage
from dealermart.readers.columns import INVISIBLE, JOINERS, NARROW, WIDE, Columns, is_code

# What Python's str.strip() takes for white space, as a string for SQL's trim() and for a regular expression.
BLANKS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)

_AROUND = BLANKS + INVISIBLE + JOINERS

_UNCLEAN = f'^[{_AROUND}]|[{_AROUND}]$|[{INVISIBLE}]|^="'

# How a spreadsheet, and a program that writes for one, keeps the zeros of a code: as a formula that is a text.
_WRAPPED = '="((?:[^"]|"")*)"'

_BATCH_ROWS = 20_000

# Words that mean missing by default and take so much of a column are told: they may be values after all.
_FEWEST_TOLD, _SHARE_TOLD = 3, 0.05


@dataclass(frozen=True)
class Counts:
    """Where the records of a file went; rows in the table = records - structural - rejected.

    Attributes:
        encoding: How a text file was read.
        confidence: Percent, where the encoding was detected and not stated.
        from_1904: Whether the workbook counts days from 1904.
        suspect: Whether texts in it may be damaged; false where that is known not to be so.
        taken_as_missing: Words that mean missing by default and are a good part of a column: column, word, how many
            values are it, of how many that are there.
        notes: What is in the file and was not read, in words.
    """

    records: int
    structural: int
    rejected: int
    encoding: str | None = None
    confidence: int | None = None
    from_1904: bool = False
    suspect: bool = field(default=True, compare=False)
    taken_as_missing: Sequence[tuple[str, str, int, int]] = field(default=(), compare=False)
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


def cleaned(text: str, name: str, spec: FileSpec) -> str:
    """SQL for a text of a column as it is meant: without blanks around it and what nobody sees, ``="00124"`` as 00124,
    in columns of codes with ASCII in place of full-width signs. An empty one is NULL where that means missing."""
    # To trim a list of characters takes ten times longer than to see that there is nothing to do.
    is_unclean, seen = f"regexp_matches({text}, {literal(_UNCLEAN)})", text
    if is_code(name) or name in spec.key:
        is_unclean, seen = f"(strlen({text}) <> length({text}) or {is_unclean})", _narrow(text)
    freed = f"trim(regexp_replace({seen}, {literal(f'[{INVISIBLE}]')}, '', 'g'), {literal(_AROUND)})"
    inner = f"trim(replace(regexp_extract({freed}, {literal(_WRAPPED)}, 1), '\"\"', '\"'), {literal(_AROUND)})"
    meant = f"if(prefix({freed}, '=\"') and regexp_full_match({freed}, {literal(_WRAPPED)}), {inner}, {freed})"
    clean = f"case when {is_unclean} then {meant} else {text} end"
    return f"nullif({clean}, '')" if "" in spec.missing else clean


def code_sql(text: str) -> str:
    """SQL for a trimmed text as a code: full-width signs as ASCII, and nothing in it that nobody sees."""
    return f"if(strlen({text}) = length({text}), {text}, trim({_narrow(text)}))"


def _narrow(text: str) -> str:
    unseen = literal(f"[{JOINERS}{INVISIBLE}]")
    return f"translate(regexp_replace({text}, {unseen}, '', 'g'), {literal(WIDE)}, {literal(NARROW)})"


def clean(text: str, name: str, spec: FileSpec) -> str | None:
    """What ``cleaned`` makes of a text, by other means."""
    if is_code(name) or name in spec.key:
        text = text.translate(_TO_CODE)
    text = text.translate(_FREE).strip(_AROUND)
    if wrapped := re.fullmatch(_WRAPPED, text):
        text = wrapped[1].replace('""', '"').strip(_AROUND)
    return None if text == "" and "" in spec.missing else text


_FREE = str.maketrans("", "", INVISIBLE)

_TO_CODE = str.maketrans(WIDE, NARROW, JOINERS)


def selection(columns: Columns, expression: Callable[[str], str]) -> str:
    """The select list of the raw columns: ``expression`` of those in the file, NULL for those that it lacks."""
    parts = [f"{expression(name)} as {quoted(name)}" for name in columns.names]
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
        self._ended: list[tuple[str, dict[str, Settled]]] = []

    def add(self, target: Target, spec: FileSpec, columns: Columns, records: Iterable[Record | None]) -> Counts:
        """Take the records of a file.

        Args:
            target: What the table is called if the file is the first in it.
            records: In file order, each with as many fields as there are columns or a reason; None for a blank one.

        Returns:
            The counts, without what ``end`` finds.
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

    def end(self) -> list[tuple[str, dict[str, Settled]]]:
        """The tables completed since the last call, in order, each with what was found in it by delivery.

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
        found = _settle(con, target.name, self._spec, self._columns)
        rejected = dict(con.execute(f"select _delivery_id, count(*) from {target.rejects} group by 1").fetchall())
        for delivery_id, tally in self._tallies.items():
            held = found[delivery_id].rows if delivery_id in found else 0, rejected.get(delivery_id, 0)
            if held != (tally.records - tally.structural - tally.rejected, tally.rejected):
                raise BalanceError(f"{held} rows arrived of {tally}", mend="report this as a fault of the program")
        fault = _fault(self._spec, self._columns)
        if any(settled.rejected for settled in found.values()):
            con.execute(f"insert into {target.rejects} {_rejects(target.name, self._spec, self._columns)}")
        if any(settled.structural or settled.rejected for settled in found.values()):
            con.execute(
                f"delete from {target.name} where {_is_structural(self._spec, self._columns)} or {fault} is not null"
            )
        self._ended.append((target.table, found))
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
        cleaning = selection(columns, lambda name: cleaned(quoted(name), name, spec))
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
    found = _settle(con, target.rows, spec, columns, target.delivery_id, counts.suspect)[target.delivery_id]
    rows = found.rows
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
    lineage = f"{number}, {literal(target.delivery_id)} as _delivery_id"
    if found.rejected:
        every = f"(select {names}, {lineage} from {source})"
        con.execute(f"insert into {target.rejects} {_rejects(every, spec, columns)}")
    wrong = [f"({_is_structural(spec, columns)}) is not true"] if found.structural else []
    wrong += [f"{_fault(spec, columns)} is null"] if found.rejected else []
    only = f"where {' and '.join(wrong)}" if wrong else ""
    con.execute(f"create view {target.name} as select {names}, {lineage} from {source} {only}")
    return found.added(counts)


@dataclass(frozen=True)
class Settled:
    """What was found among the rows of a delivery when all were there; see ``Counts``."""

    rows: int = 0
    structural: int = 0
    rejected: int = 0
    taken_as_missing: Sequence[tuple[str, str, int, int]] = ()

    def added(self, counts: Counts) -> Counts:
        return replace(
            counts,
            structural=counts.structural + self.structural,
            rejected=counts.rejected + self.rejected,
            taken_as_missing=(*counts.taken_as_missing, *self.taken_as_missing),
        )


def _settle(
    con: duckdb.DuckDBPyConnection,
    table: str,
    spec: FileSpec,
    columns: Columns,
    delivery_id: str | None = None,
    suspect: bool = True,
) -> dict[str, Settled]:
    """Make NULL of the words that mean missing in a table of cleaned texts, and count by delivery what it holds.

    Args:
        delivery_id: Whose rows all of them are; without, the rows say it. To group the rows of a large file takes
            longer than to count them.
        suspect: Whether there can be errors of a spreadsheet among them.
    """
    words = sorted({word for word in spec.missing if word})
    delivery, by = (literal(delivery_id), "") if delivery_id else ("_delivery_id", "group by 1")
    structural = _is_structural(spec, columns)
    bad = f"count(*) filter (({structural}) is not true and {_fault(spec, columns)} is not null)" if suspect else "0"
    counted = f"select {delivery}, count(*), count(*) filter ({structural}), {bad}"
    said = "".join(f", count({_word(quoted(name), words)})" for name in columns.names)
    found = con.execute(f"{counted}{said} from {table} {by}").fetchall()
    held = [name for at, name in enumerate(columns.names, 4) if any(row[at] for row in found)]
    told: dict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
    if held:
        for name in held:
            for key, word, rows, of in con.execute(f"""
                select _delivery_id, word, rows, sum(rows) over (partition by _delivery_id) from (
                    select {delivery} as _delivery_id, {_word(quoted(name), words)} as word, count(*) as rows
                    from {table} where nullif({quoted(name)}, '') is not null group by all
                )
                order by all
            """).fetchall():
                if word in spec.assumed and rows >= max(_FEWEST_TOLD, int(of) * _SHARE_TOLD):
                    told[key].append((name, word, rows, int(of)))
        # Rows keep their places.
        kept = (f"case when {_word(quoted(name), words)} is null then {quoted(name)} end" for name in held)
        sets = ", ".join(f"{quoted(name)} = {value}" for name, value in zip(held, kept, strict=True))
        con.execute(f"update {table} set {sets}")
        found = con.execute(f"{counted} from {table} {by}").fetchall()
    return {row[0]: Settled(row[1], row[2], row[3], tuple(told[row[0]])) for row in found}


def _word(text: str, words: Sequence[str]) -> str:
    """SQL for the one of some words that a text is, or NULL."""
    # By length first, since words are short, and not by IN, of which DuckDB makes a join.
    longest = max((len(word.encode()) for word in words), default=-1)
    whens = " ".join(f"when {literal(word)} then {literal(word)}" for word in words)
    return (
        f"case when strlen({text}) <= {longest} then case {text} {whens} end end" if words else "cast(null as varchar)"
    )


def _fault(spec: FileSpec, columns: Columns) -> str:
    """SQL for the reason why a row cannot be taken as it is, or NULL: a spreadsheet spoilt a value of it.

    Of files of a feed the select says which columns are keys, so that a code which was shortened shows there.
    """
    keys = tuple(name for name in columns.names if name in spec.key)
    whens = []
    for why, is_so, names in (
        (damage.ERROR, damage.error_sql, columns.names),
        (damage.SHORTENED, damage.shortened_sql, keys),
    ):
        if names:
            tests = {name: is_so(quoted(name)) for name in names}
            wrong = ", ".join(f"case when {test} then {literal(name)} end" for name, test in tests.items())
            whens.append(f"when {' or '.join(tests.values())} then concat_ws(', ', {wrong}) || {literal(f': {why}')}")
    return f"(case {' '.join(whens)} end)"


def _rejects(rows: str, spec: FileSpec, columns: Columns) -> str:
    """SELECT of rejects, with the record's text put together again, of the rows that have a fault."""
    fields = ", ".join(f"coalesce({quoted(name)}, '')" for name in columns.names)
    line = f"concat_ws({literal(spec.delimiter if spec.format == 'csv' else chr(9))}, {fields})"
    structural = _is_structural(spec, columns)
    return f"""
        select _delivery_id, _row_number, {_fault(spec, columns)}, {line} from {rows}
        where ({structural}) is not true and {_fault(spec, columns)} is not null
    """


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
    names = dict.fromkeys((*spec.columns, *spec.aliases, *spec.required_columns, *spec.key, "_delivery_id"))
    columns = [f"cast(null as varchar) as {quoted(name)}" for name in names]
    for extra in ("_row_number bigint", *more):
        name, kind = extra.split()
        columns.append(f"cast(null as {kind}) as {name}")
    return f"select {', '.join(columns)} where false"
