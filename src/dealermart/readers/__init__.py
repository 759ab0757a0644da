"""Reading: a delivered file becomes a table of raw text, and every record of it is accounted for."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dealermart.errors import DataError
from dealermart.profiles import FileSpec
from dealermart.readers import delimited, jsons, parquets, sheets
from dealermart.readers.table import Counts, Target

__all__ = ["Counts", "read"]

_READ = {
    "csv": delimited.read,
    "xlsx": sheets.read,  # what the workbook is, its content says
    "xls": sheets.read,
    "json": jsons.read,
    "jsonl": jsons.read_lines,
    "parquet": parquets.read,
}


def read(
    con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, table: str, delivery_id: str, work: Path
) -> Counts:
    """Read one file into ``table`` and what could not be read into ``<table>__rejects``.

    ``table`` has a VARCHAR column per column of the file (canonical names; the header's own text for columns that the
    profile does not name; NULL columns for named ones that the file may lack and lacks), ``_delivery_id`` and
    ``_row_number`` (1-based record in the file: header, skipped and blank lines count; of a JSON list or a Parquet file
    its ordinal). Values are trimmed and texts in ``spec.missing`` are NULL. ``<table>__rejects`` has ``_delivery_id``,
    ``_row_number``, ``reason`` and ``line`` (the record's text).

    Args:
        con: May be confined to the folders of ``path`` and ``work``.
        work: Folder for temporary files, which are removed again.

    Raises:
        DataError: the file as a whole cannot be taken. The message carries no values, only names of columns.
    """
    if not path.is_file():
        raise DataError("the file does not exist", where=str(path), mend="deliver it again")
    if not path.stat().st_size:
        raise DataError(
            "the file is empty (0 bytes)", where=str(path), mend="ask the sender for the file with its content"
        )
    target = Target(table, delivery_id)
    # The order of rows is what ties a row to its record number.
    kept_order = con.execute("select current_setting('preserve_insertion_order')").fetchall()[0][0]
    con.execute("set preserve_insertion_order = true")
    try:
        counts = _READ[spec.format](con, path, spec, target, work)
        if counts.records == counts.structural:
            raise DataError(
                "the file holds no records",
                where=str(path),
                mend="if there is nothing to report, deliver nothing; otherwise ask the sender for the rows",
            )
        return counts
    except BaseException:
        con.execute(f"drop table if exists {target.name}; drop table if exists {target.rejects}")
        raise
    finally:
        con.execute(f"set preserve_insertion_order = {str(kept_order).lower()}")
