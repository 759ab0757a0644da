"""The folder of a closing, written aside: tables, config and manifest, all of it on disk before anybody sees it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dealermart import frozen
from dealermart.base import (
    BuildError,
    Settings,
    connect,
    content_hash,
    file_hash,
    literal,
    quoted,
    read_only,
    sync,
    sync_all,
    write_json,
)
from dealermart.frozen import Kind

# What a config folder is made of; what else lies there is nobody's rule.
_CONFIG = frozenset({".yml", ".yaml", ".sql", ".json", ".csv"})


@contextmanager
def opened(settings: Settings, warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory with a warehouse as ``warehouse``, to be read only."""
    con = connect(settings, spill=settings.home / "dbt" / "spill")
    try:
        con.execute(f"attach {literal(str(warehouse))} as warehouse (read_only)")
        con.execute("set TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def frozen_views(con: duckdb.DuckDBPyConnection, kind: Kind, period_id: str) -> list[str]:
    """Views of what is frozen of a period, named as the marts of ``warehouse`` that they look at; gives their names.

    Raises:
        BuildError: a mart is not there.
    """
    marts = [
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where database_name = 'warehouse' and schema_name = 'marts'"
        ).fetchall()
    ]
    tables = kind.of(marts)
    if missing := sorted({*tables, kind.due} - set(marts)):
        raise BuildError(f"the warehouse has no table {', '.join(missing)}", mend="run `dealermart build`")
    con.execute("set variable period_id = ?", [period_id])
    for name, rows in tables.items():
        con.execute(f"create view {quoted(name)} as select * from warehouse.marts.{quoted(name)} where {rows}")
    return list(tables)


def write_tables(con: duckdb.DuckDBPyConnection, names: Sequence[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Write the views of these names as Parquet; gives of each its rows and the hash of what it says."""
    folder.mkdir(parents=True)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        # The first version of the format and one order of rows: read for years to come, and written again the same.
        path = folder / f"{name}.parquet"
        to = f"{literal(str(path))} (format parquet, compression zstd)"
        rows = con.execute(f"copy (select * from {quoted(name)} order by all) to {to}").fetchall()[0][0]
        found[name] = {"rows": rows, "content": content_hash(con, quoted(name))}
    return found


def copy_config(settings: Settings, folder: Path) -> None:
    """Copy what the company states: contracts, sources, plans, reviews and all files beside them."""
    for path in sorted(settings.config.rglob("*")):
        inside = path.relative_to(settings.config)
        if path.suffix in _CONFIG and path.is_file() and not any(part.startswith(".") for part in inside.parts):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / inside)


def seal(folder: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Hash all files of a draft, write its manifest, and force all of it to disk as read-only; gives the manifest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        **said,
        "files": {
            path.relative_to(folder).as_posix(): {"sha256": file_hash(path), "bytes": path.stat().st_size}
            for path in files
        },
    }
    manifest["hash"] = frozen.manifest_hash(manifest)
    write_json(folder / frozen.MANIFEST, manifest)
    files.append(folder / frozen.MANIFEST)
    for path in files:
        read_only(path)
    sync_all(files)
    sync_all(path for path in (folder, *folder.rglob("*")) if path.is_dir())
    return manifest


def show(draft: Path, home: Path) -> None:
    """Let a draft be what is closed, by one rename."""
    home.parent.mkdir(parents=True, exist_ok=True)
    os.rename(draft, home)
    for folder in (home.parent, home.parent.parent, home.parent.parent.parent):
        sync(folder)
