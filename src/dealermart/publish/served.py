"""Publish: served copies of the marts, one DuckDB file and a folder of Parquet per audience, swapped in one step."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dealermart import warehouse
from dealermart.base import (
    BuildError,
    Settings,
    close_to_others,
    code_version,
    connect,
    literal,
    quoted,
    record_run,
    sync,
    warehouse_lock,
)

AUDIENCES = ("bi", "hr")

FILE = "dealermart.duckdb"


@dataclass(frozen=True)
class Table:
    """A mart as one audience sees it: schema-qualified relation in the warehouse, and the columns it may read."""

    name: str
    relation: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class PublishResult:
    """Rows per table and audience, and where the copies are."""

    run_id: str
    audiences: dict[str, dict[str, int]]
    path: Path


def run(
    settings: Settings, say: Callable[[str], None] = lambda text: None, keep_previous: bool = True
) -> PublishResult:
    """Write new copies beside the old ones and let readers see them by renaming one link per audience.

    A reader that has the old copy open keeps it. The copy before the present one is kept, older ones are removed.

    Args:
        keep_previous: False where nothing of the copy before may remain.

    Raises:
        BuildError: there is no finished build. UsageError: nothing was ingested yet.
        LockError: another process is at work.
    """
    with record_run(settings, "publish") as entry, warehouse_lock(settings, "publish", say=say):
        built = warehouse.finished(settings)
        nodes = warehouse.manifest(settings)["nodes"]
        counts: dict[str, dict[str, int]] = {}
        drafts: dict[str, Path] = {}
        for audience in AUDIENCES:
            folder = settings.published / "versions" / f"{audience}-{entry.run_id}"
            folder.mkdir(parents=True)
            folder.chmod(_mode(folder, audience))
            drafts[audience] = folder
            counts[audience] = _copy(
                settings,
                tables_of(nodes, audience),
                folder,
                {**built, "published_run": entry.run_id, "code_version": code_version(), "audience": audience},
            )
            say(f"published for {audience}: {len(counts[audience])} tables, {sum(counts[audience].values())} rows")
        _open(settings)
        for audience, folder in drafts.items():
            _swap(settings, audience, folder, keep_previous)
        entry.note(
            tables={audience: len(tables) for audience, tables in counts.items()},
            rows={audience: sum(tables.values()) for audience, tables in counts.items()},
            **built,
        )
        return PublishResult(entry.run_id, counts, settings.published)


def tables_of(nodes: dict[str, Any], audience: str) -> list[Table]:
    """The marts that an audience may read, by the ``meta`` in dbt's yml: a model without ``audience`` is for nobody, a
    column with ``hr_only`` for HR alone."""
    tables = []
    for node in nodes.values():
        if node["resource_type"] != "model" or audience not in node["config"].get("meta", {}).get("audience", []):
            continue
        columns = tuple(
            name
            for name, column in node["columns"].items()
            if audience == "hr"
            or not (column.get("meta", {}) | column.get("config", {}).get("meta", {})).get("hr_only", False)
        )
        if columns:
            tables.append(Table(node["alias"], f"{quoted(node['schema'])}.{quoted(node['alias'])}", columns))
    return sorted(tables, key=lambda table: table.name)


def _copy(settings: Settings, tables: list[Table], folder: Path, about: dict[str, Any]) -> dict[str, int]:
    if not tables:
        raise BuildError(
            f"no mart is meant for {about['audience']}",
            where="dbt_project/models",
            mend="give models config.meta.audience",
        )
    parquet = folder / "parquet"
    parquet.mkdir()
    parquet.chmod(stat.S_IMODE(folder.stat().st_mode))
    con = connect(settings, spill=settings.home / "dbt" / "spill")
    try:
        con.execute(f"attach {literal(str(settings.warehouse))} as warehouse (read_only)")
        # The oldest format: a BI tool's DuckDB is often older than ours.
        con.execute(f"attach {literal(str(folder / FILE))} as served (storage_version 'v1.0.0')")
        counts = {}
        for table in tables:
            select = f"select {', '.join(map(quoted, table.columns))} from warehouse.{table.relation}"
            con.execute(f"create table served.{quoted(table.name)} as {select}")
            con.execute(
                f"copy ({select}) to {literal(str(parquet / f'{table.name}.parquet'))} "
                "(format parquet, compression zstd)"
            )
            counts[table.name] = int(con.execute(f"select count(*) from served.{quoted(table.name)}").fetchall()[0][0])
        con.execute("create table served.about (name varchar, value varchar)")
        con.executemany("insert into served.about values (?, ?)", [[name, str(value)] for name, value in about.items()])
        con.execute("checkpoint served")
        con.execute("detach served")
    finally:
        con.close()
    for path in (folder / FILE, *parquet.iterdir()):
        sync(path)
        path.chmod(stat.S_IMODE(folder.stat().st_mode) & 0o644)
    return counts


def _mode(folder: Path, audience: str) -> int:
    """Who may enter a new folder: for BI everybody, for HR nobody else.

    Only where somebody gave `published/versions` a group of its own, with its setgid bit, that group may see pay.
    """
    found = folder.stat()
    group = 0o050 if found.st_gid != os.getegid() else 0
    return (found.st_mode & stat.S_ISGID) | 0o700 | (group if audience == "hr" else 0o055)


def _open(settings: Settings) -> None:
    """Let everybody pass through the home to the copies for BI."""
    close_to_others(settings)
    for folder, more in ((settings.home, 0o011), (settings.published, 0o055), (settings.published / "versions", 0o055)):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | more)


def _swap(settings: Settings, audience: str, folder: Path, keep_previous: bool) -> None:
    link = settings.published / audience
    before = link.resolve() if keep_previous and link.is_symlink() else None
    draft = settings.published / f".{audience}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path("versions") / folder.name, target_is_directory=True)
    os.replace(draft, link)
    sync(settings.published)
    for old in folder.parent.glob(f"{audience}-*"):
        if old not in (folder, before):
            shutil.rmtree(old, ignore_errors=True)
