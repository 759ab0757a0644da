"""Parquet files: typed already, but mapped as text like everything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from dealermart.base import DataError, literal, quoted
from dealermart.config import FileSpec
from dealermart.readers import columns as columns_of
from dealermart.readers.columns import Columns
from dealermart.readers.table import Counts, Target, cleaned, finish, reject


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a Parquet file; record numbers are places in the file. See ``readers.read``."""
    file = literal(str(path))
    try:
        described = con.execute(f"describe from read_parquet({file})").fetchall()
        columns = replace(columns_of.resolve([name for name, *_ in described], spec, str(path)), headers=())
        texts = [
            _as_text(source, name, kind, spec)
            for name, (source, kind, *_) in zip(columns.names, described, strict=True)
        ]
        con.execute(f"""
            create table {target.rows} as
            select {_select(columns, texts)}, file_row_number + 1 as _row_number
            from read_parquet({file}, file_row_number = true)
        """)
        # The footer's count is independent of what the scan returned.
        records = con.execute(f"select num_rows from parquet_file_metadata({file})").fetchall()[0][0]
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise  # a fault of the query, not of the file
    except duckdb.Error:  # the decoder has no exception of its own
        raise DataError(
            "the file is not Parquet, or damaged",
            where=str(path),
            mend="ask the sender for the whole file, or set format in the source profile",
        ) from None
    reject(con, target, [])
    return finish(con, target, spec, columns, Counts(records, 0, 0))


def _select(columns: Columns, texts: list[str]) -> str:
    parts = [f"{text} as {quoted(name)}" for name, text in zip(columns.names, texts, strict=True)]
    return ", ".join(parts + [f"cast(null as varchar) as {quoted(name)}" for name in columns.absent])


def _as_text(source: str, name: str, kind: str, spec: FileSpec) -> str:
    """SQL for a value as text; whole floating-point numbers have no point."""
    column = quoted(source)
    text = f"cast({column} as varchar)"
    if kind in ("FLOAT", "DOUBLE"):
        text = f"regexp_replace({text}, '\\.0$', '')"
    elif kind == "BLOB":
        text = f"coalesce(try(decode({column})), hex({column}))"
    elif kind.startswith(("STRUCT", "MAP")) or kind.endswith("]"):
        text = f"cast(to_json({column}) as varchar)"
    return cleaned(text, name, spec)
