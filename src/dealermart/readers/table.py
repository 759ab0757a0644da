"""The table that every reader fills: cleaning, structural rows and the balance are the same for all formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

import duckdb
import pyarrow as pa

from dealermart.errors import BalanceError
from dealermart.lake import literal, quoted
from dealermart.profiles import FileSpec
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
    """

    records: int
    structural: int
    rejected: int
    encoding: str | None = None
    confidence: int | None = None
    from_1904: bool = False
    suspect: bool = field(default=True, compare=False)


@dataclass(frozen=True)
class Target:
    """The table to create and the delivery it belongs to."""

    table: str
    delivery_id: str

    @property
    def name(self) -> str:
        return quoted(self.table)

    @property
    def rejects(self) -> str:
        return quoted(f"{self.table}__rejects")


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


def load(
    con: duckdb.DuckDBPyConnection, target: Target, spec: FileSpec, columns: Columns, records: Iterable[Record | None]
) -> Counts:
    """Create the target's tables from records that Python read.

    Args:
        records: In file order, each with as many fields as there are columns or with a reason; None for a blank one.

    Raises:
        BalanceError: the engine did not hold what it was given.
    """
    tally, refused, rows = Tally(), list[tuple[int, str, str | None]](), 0
    schema = pa.schema([*(pa.field(name, pa.string()) for name in columns.names), pa.field("_row_number", pa.int64())])
    cleaning = selection(columns, lambda name: cleaned(name, spec.missing))
    select = f"select {cleaning}, _row_number, {literal(target.delivery_id)} as _delivery_id from records_to_load"
    made = "create table {} as {}"  # small files are many: every statement counts
    for batch in _batches(tally.passing(records), schema, refused):
        con.register("records_to_load", batch)
        rows += con.execute(made.format(target.name, select)).fetchall()[0][0]
        made = "insert into {} {}"
    con.unregister("records_to_load")
    reject(con, target, refused)
    if len(refused) != tally.rejected:
        raise BalanceError(
            f"{tally.rejected} records were rejected and {len(refused)} arrived",
            mend="report this as a fault of the program",
        )
    counts = Counts(tally.records, tally.structural, tally.rejected)
    return replace(counts, structural=counts.structural + _structural(con, target, spec, columns, counts, rows))


def finish(con: duckdb.DuckDBPyConnection, target: Target, spec: FileSpec, columns: Columns, counts: Counts) -> Counts:
    """Take structural rows out of a loaded table, add the delivery and check the balance.

    Args:
        counts: Of the records outside the table: all, structural and rejected ones.

    Returns:
        The final counts.

    Raises:
        BalanceError: the rows in the table are not the records that should be there.
    """
    rows = con.execute(f"select count(*) from {target.name}").fetchall()[0][0]
    structural = _structural(con, target, spec, columns, counts, rows)
    con.execute(f"alter table {target.name} add column _delivery_id varchar default {literal(target.delivery_id)}")
    return replace(counts, structural=counts.structural + structural)


def _structural(
    con: duckdb.DuckDBPyConnection, target: Target, spec: FileSpec, columns: Columns, counts: Counts, rows: int
) -> int:
    """Take structural rows out of a table of ``rows`` rows; gives their number."""
    if rows != counts.records - counts.structural - counts.rejected:
        raise BalanceError(f"{rows} rows were read of {counts}", mend="report this as a fault of the program")
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
    structural: int = con.execute(f"delete from {target.name} where {' or '.join(conditions)}").fetchall()[0][0]
    return structural


def reject(con: duckdb.DuckDBPyConnection, target: Target, refused: Sequence[tuple[int, str, str | None]]) -> None:
    """Create the table of what could not be read: record number, reason, the record's text."""
    con.execute(
        f"create table {target.rejects} (_delivery_id varchar, _row_number bigint, reason varchar, line varchar)"
    )
    if not refused:
        return
    types = {"number": pa.int64(), "reason": pa.string(), "line": pa.string()}
    arrays = [pa.array(values, kind) for values, kind in zip(zip(*refused, strict=True), types.values(), strict=True)]
    con.register("refused_records", pa.Table.from_arrays(arrays, names=list(types)))
    fields = f"{literal(target.delivery_id)}, number, reason, line"
    con.execute(f"insert into {target.rejects} select {fields} from refused_records")
    con.unregister("refused_records")


def totals(values: Iterable[str]) -> list[str]:
    """How totals rows are labelled, in lower case: also with a colon, and with two Hanzi spaced out to fill a cell."""
    written = {value.lower() for value in values}
    spaced = {blank.join(word) for word in written if len(word) == 2 for blank in (" ", "  ", "    ", "\u3000")}
    return sorted({word + colon for word in written | spaced for colon in ("", ":", "：")})


def _seen(headers: frozenset[str], spec: FileSpec) -> list[str]:
    """How header texts look in a cleaned row: in lower case, and empty where the text itself means missing."""
    return sorted({"" if text in {null.lower() for null in spec.missing} else text for text in headers})


def _batches(
    records: Iterator[Record], schema: pa.Schema, refused: list[tuple[int, str, str | None]]
) -> Iterator[pa.RecordBatch]:
    """The records that can be used, in pieces, at least one; the others go to ``refused``."""
    first = True
    while (rows := list(islice(records, _BATCH_ROWS))) or first:
        first = False
        refused += [(row.number, row.reason, row.line) for row in rows if row.reason is not None]
        good = [row for row in rows if row.reason is None]
        fields = zip(*(row.fields for row in good), strict=True) if good else [()] * (len(schema) - 1)
        arrays = [pa.array(values, pa.string()) for values in fields]
        arrays.append(pa.array([row.number for row in good], pa.int64()))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _list(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))
