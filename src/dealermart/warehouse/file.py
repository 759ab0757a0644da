"""The warehouse file: opening it, and letting its views name the lake's files of today."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from dealermart import lake
from dealermart.base import BuildError, Settings, connect, quoted
from dealermart.config import Contract, load_contracts
from dealermart.lake import Log


def open_warehouse(settings: Settings) -> tuple[duckdb.DuckDBPyConnection, bool]:
    """Open the warehouse for writing; says whether it is a new one.

    One that cannot be read any more is set aside: it can be built anew.
    """
    path = settings.warehouse
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        is_new = not path.exists()
        return connect(settings, path), is_new
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise _open_elsewhere(path) from None
        for damaged in (path, path.with_name(path.name + ".wal")):
            if damaged.exists():
                damaged.rename(damaged.with_name(damaged.name + ".damaged"))
        return connect(settings, path), True


def forget_states(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the models ``*_state``, after a build that was cut off: what follows from a state may be older than it is;
    without one, everything that hangs on it is made anew.
    """
    found = con.execute(
        "select table_name from duckdb_tables()"
        " where schema_name = 'intermediate' and suffix(table_name, '_state') order by all"
    ).fetchall()
    for (name,) in found:
        con.execute(f"drop table intermediate.{quoted(name)}")


def _open_elsewhere(path: Path) -> BuildError:
    return BuildError(
        "another program has the warehouse file open",
        where=str(path),
        mend="close it; readers use the served copies under published/",
    )


def relink(settings: Settings, log: Log) -> None:
    """Let the warehouse's views of the lake name the files of today; they show what they showed. Needs the lock.

    Raises:
        BuildError: another program has the warehouse open. A file that cannot be read is left to the next build.
    """
    if not settings.warehouse.exists():
        return
    try:
        con = connect(settings, settings.warehouse)
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise _open_elsewhere(settings.warehouse) from None
        return
    try:
        con.execute("begin")
        con.execute("create schema if not exists lake")
        name_lake_files(con, settings, load_contracts(settings), log, log)
        con.execute("commit")
    finally:
        con.close()


def name_lake_files(
    con: duckdb.DuckDBPyConnection, settings: Settings, known: dict[str, Contract], log: Log, seen: Log
) -> None:
    """Schema ``lake``: a view of every feed's rows, of the files that the log names."""
    for name, contract in known.items():
        # What was told later than the moment must not end a row that held then.
        found = lake.rows_sql(contract, log.paths(settings, name), seen.told(settings, name))
        con.execute(f"create or replace view lake.{quoted(name)} as {found}")


def past_warehouse(settings: Settings, moment: str) -> Path:
    """A build of the past starts from nothing, in a file of its own."""
    path = settings.home / "warehouse" / f"as-of-{re.sub('[^0-9]', '', moment)}.duckdb"
    for old in path.parent.glob(f"{path.stem}*"):
        old.unlink()
    return path
