"""Reading: delivered files become a table of raw text, and every record of them is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dealermart.base import DataError, DealermartError, quoted
from dealermart.config import FileSpec
from dealermart.readers import delimited, jsons, parquets, sheets
from dealermart.readers.table import Counts, Loader, Settled, Target, drop, shape

_READ = {
    "csv": delimited.read,
    "xlsx": sheets.read,  # what the workbook is, its content says
    "xls": sheets.read,
    "json": jsons.read,
    "jsonl": jsons.read_lines,
    "parquet": parquets.read,
}


@dataclass(frozen=True)
class File:
    """A file to read: how, and the delivery that it is.

    Attributes:
        make: Makes the tables in another way: (connection, name of the table).
    """

    path: Path
    spec: FileSpec
    delivery_id: str
    make: Callable[[duckdb.DuckDBPyConnection, str], Counts] | None = None


def read_file(
    con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, table: str, delivery_id: str, work: Path
) -> Counts:
    """Read one file; see ``read_all``.

    Raises:
        DataError: the file as a whole cannot be taken.
    """
    counts = read_all(con, [File(path, spec, delivery_id)], table, work)[delivery_id]
    if isinstance(counts, DataError):
        raise counts
    return counts


def read_all(
    con: duckdb.DuckDBPyConnection, files: Sequence[File], table: str, work: Path
) -> dict[str, Counts | DataError]:
    """Read files of one kind into ``table`` and what could not be read into ``<table>__rejects``.

    ``table`` has a VARCHAR column per column of the files (canonical names; the header's own text for columns that the
    profile does not name; NULL columns for named ones that a file may lack and lacks), ``_delivery_id`` and
    ``_row_number`` (1-based record in the file: header, skipped and blank lines count; of a JSON list or a Parquet file
    its ordinal). Its rows stand in the order of the files. Values are trimmed and texts in ``spec.missing`` are NULL.
    ``<table>__rejects`` has ``_delivery_id``, ``_row_number``, ``reason`` and ``line`` (the record's text).

    Args:
        con: May be confined to the folders of the files and ``work``.
        work: Folder for temporary files, which are removed again.

    Returns:
        By delivery its counts, or why the file as a whole cannot be taken (the message carries no values, only names of
        columns). Of such a file nothing is in the tables, and if all are such there are none.
    """
    loader, parts, loaded = Loader(con), list[str](), set[str]()
    found: dict[str, Counts | DataError] = {}
    settled: dict[str, Settled] = {}

    def end() -> None:
        for part, rows in loader.end():
            parts.append(part)
            loaded.add(part)
            settled.update(rows)

    # The order of rows is what ties a row to its record number.
    kept_order = con.execute("select current_setting('preserve_insertion_order')").fetchall()[0][0]
    con.execute("set preserve_insertion_order = true")
    try:
        for number, file in enumerate(files):
            target = Target(table if len(files) == 1 else f"{table}__{number}", file.delivery_id, loader)
            try:
                counts = file.make(con, target.table) if file.make else _read(con, file, target, work)
            except DataError as error:
                found[file.delivery_id] = error
                if loader.table != target.table:
                    drop(con, target.table)
                continue
            found[file.delivery_id] = counts
            if not loader.holds(file.delivery_id):
                end()
                parts.append(target.table)
        end()
    finally:
        con.execute(f"set preserve_insertion_order = {str(kept_order).lower()}")
    for file in files:
        counts_or_error = found[file.delivery_id]
        if isinstance(counts_or_error, Counts):
            counts = settled.get(file.delivery_id, Settled()).added(counts_or_error)
            found[file.delivery_id] = counts
            if counts.records == counts.structural and not file.make:
                found[file.delivery_id] = DataError(
                    "the file holds no records",
                    where=str(file.path),
                    mend="if there is nothing to report, deliver nothing; otherwise ask the sender for the rows",
                )
    if not any(isinstance(counts, Counts) for counts in found.values()):
        for part in parts:
            drop(con, part)
    elif len(parts) == 1 and parts[0] in loaded:
        for end_of_name in ("", "__rejects") if parts != [table] else ():
            con.execute(f"alter table {quoted(parts[0] + end_of_name)} rename to {quoted(table + end_of_name)}")
    elif parts != [table]:
        rows = [shape(files[0].spec), *(f"select * from {quoted(part)}" for part in parts)]
        rejects = [f"select * from {quoted(f'{part}__rejects')}" for part in parts]
        for name, selects in ((table, rows), (f"{table}__rejects", rejects)):
            con.execute(f"create table {quoted(name)} as {' union all by name '.join(selects)}")
        for part in parts:
            drop(con, part)
    return found


def _read(con: duckdb.DuckDBPyConnection, file: File, target: Target, work: Path) -> Counts:
    path = file.path
    if not path.is_file():
        raise DataError("the file does not exist", where=str(path), mend="deliver it again")
    if not path.stat().st_size:
        raise DataError(
            "the file is empty (0 bytes)", where=str(path), mend="ask the sender for the file with its content"
        )
    try:
        return _READ[file.spec.format](con, path, file.spec, target, work)
    except (duckdb.InternalException, duckdb.FatalException):  # the run's own engine can do nothing more after that
        raise DealermartError(
            "the engine broke down over this file; nothing of the run was taken",
            where=str(path),
            mend="take the file out of the folder and run the same command again; report this as a fault of ours",
        ) from None
