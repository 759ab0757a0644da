"""DuckDB: the one place that opens it, and the SQL texts that all rooms write."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from dealermart.base.settings import Settings

# Of lake files, in SQL. The encodings of the second version are written and read a quarter faster, and are smaller.
FORMAT = "format parquet, compression zstd, parquet_version v2"


def typed_sql(columns: dict[str, str], paths: Iterable[Path], more: str | None = None) -> str:
    """SELECT of ``columns`` from Parquet files. A column that older files lack is NULL in their rows."""
    listed = [str(path) for path in paths]
    nothing = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in columns.items())
    if not listed and more is None:
        return f"select {nothing} where false"
    names = ", ".join(quoted(name) for name in columns)
    files_list = ", ".join(literal(path) for path in listed)
    # The typed empty branch gives columns that a file of an older contract does not have.
    parts = [f"select {nothing} where false"]
    if listed:
        parts.append(f"select * from read_parquet([{files_list}], union_by_name = true)")
    if more is not None:
        parts.append(more)
    return f"select {names} from ({' union all by name '.join(parts)})"


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


class Workspace(NamedTuple):
    """A DuckDB in memory and the folder of the run that has it."""

    con: duckdb.DuckDBPyConnection
    folder: Path


@contextmanager
def workspace(settings: Settings, run_id: str, *readable: Path) -> Iterator[Workspace]:
    """A DuckDB in memory that can reach nothing but this run's folder and ``readable``; gone with all it held."""
    folder = settings.work / run_id
    folder.mkdir(parents=True)
    try:
        with connect(settings, spill=folder / "spill") as con:
            confine(con, folder, *readable)
            yield Workspace(con, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def confine(con: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Let a connection reach these folders and nothing else: no other file, no network, for good."""
    con.execute(f"set allowed_directories = [{', '.join(literal(str(path)) for path in folders)}]")
    con.execute("set enable_external_access = false; set TimeZone = 'UTC'")


def sandbox(*readable: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that reaches no network and no file but these."""
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    con.execute(f"set allowed_paths = [{', '.join(literal(str(path)) for path in readable)}]")
    con.execute("set enable_external_access = false")
    return con


def connect(
    settings: Settings, path: Path | None = None, *, spill: Path | None = None, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB within the limits that the settings give; connections to rows of data come from here.

    Args:
        path: A database file; by default one in memory.
        spill: Folder for what does not fit into memory; by default DuckDB's own choice.

    Raises:
        duckdb.Error: the file is damaged, or open elsewhere.
    """
    options: dict[str, Any] = {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if spill is not None:
        options["temp_directory"] = str(spill)
    if path is not None and not read_only:
        options["storage_compatibility_version"] = "v1.5.0"
    return duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=options)
