"""Parquet files: typed already, but mapped as text like everything else."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
from pyarrow import parquet

from dealermart.base import DataError, literal, quoted, sandbox
from dealermart.config import FileSpec
from dealermart.readers import apart
from dealermart.readers import columns as columns_of
from dealermart.readers.columns import Columns
from dealermart.readers.table import Counts, Target, cleaned, finish, reject

_MOST_THREADS = 4  # each has memory of its own, and the process that tastes has a limit

_ENCRYPTED = b"PARE"


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a Parquet file; record numbers are places in the file. See ``readers.read``."""
    file = literal(str(path))
    threads, memory = con.execute("select current_setting('threads'), current_setting('memory_limit')").fetchall()[0]
    try:
        with closing(apart.ask("parquet", path, threads, memory)) as told:
            deque(told, maxlen=0)
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
    except (apart.Died, duckdb.Error):  # the decoder has no exception of its own
        raise DataError(
            "the file is not Parquet, or damaged",
            where=str(path),
            mend="ask the sender for the whole file, or set format in the source profile",
        ) from None
    reject(con, target, [])
    return finish(con, target, spec, columns, Counts(records, 0, 0))


def taste(path: Path, threads: int, memory: str) -> None:
    """Decode a Parquet file whole, in an engine of its own: what it does to that one it does to no other.

    Raises:
        DataError: it is encrypted, or in an encoding that the engine lacks.
        duckdb.Error: it cannot be decoded.
    """
    # A fault can leave the engine unusable, so each file has one.
    with sandbox(path) as con:
        con.execute(f"set threads = {min(threads, _MOST_THREADS)}; set memory_limit = {literal(memory)}")
        try:
            con.execute(f"select bit_xor(hash(columns(*))) from read_parquet({literal(str(path))})").fetchall()
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
            return  # a fault of the query, not of the file
        except duckdb.Error as error:
            if _is_encrypted(path):
                raise DataError(
                    "the file is encrypted", mend="ask the sender for the file without encryption"
                ) from None
            if unknown := _unknown_encoding(path, str(error)):
                raise DataError(
                    f"a column is written in an encoding that cannot be read here: {unknown}",
                    mend="ask the sender for plain or dictionary encoding",
                ) from None
            raise


def _unknown_encoding(path: Path, fault: str) -> str | None:
    """The encoding that the engine names in its fault, if the footer says that the file has it."""
    try:
        about = parquet.ParquetFile(path).metadata
    except (OSError, ValueError):
        return None
    columns = (
        about.row_group(group).column(place)
        for group in range(about.num_row_groups)
        for place in range(about.num_columns)
    )
    return next((name for column in columns for name in column.encodings if f"{name} encoding" in fault), None)


def _is_encrypted(path: Path) -> bool:
    """Whether a Parquet file, or a column of it, is encrypted; asked of one that could not be decoded."""
    with path.open("rb") as file:
        if file.read(len(_ENCRYPTED)) == _ENCRYPTED:
            return True
    try:
        parquet.ParquetFile(path).read()
    except (OSError, ValueError) as error:
        return "crypt" in str(error)
    return False


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
