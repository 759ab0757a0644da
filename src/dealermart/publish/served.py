"""Served files: one DuckDB file and a folder of Parquet per audience, swapped in one step by a link."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import BuildError, Settings, close_to_others, literal, quoted, sync, write_json
from dealermart.publish.meta import About
from dealermart.publish.shape import Shapes

FILE = "dealermart.duckdb"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Draft:
    """A copy that readers do not see yet: its folder, and rows by table."""

    audience: str
    folder: Path
    rows: dict[str, int]


def draft(settings: Settings, con: duckdb.DuckDBPyConnection, shapes: Shapes, audience: str, about: About) -> Draft:
    """Write the copy of an audience into a folder of its own.

    Args:
        con: Has the warehouse attached as ``warehouse``, and what ``shape.prepare`` made.

    Raises:
        BuildError: no mart is meant for the audience.
    """
    folder = settings.published / "versions" / f"{audience}-{about.run_id}"
    folder.mkdir(parents=True)
    folder.chmod(_mode(folder, audience))
    marts = [mart for mart in shapes.marts if mart.seen_by(audience)]
    if not marts:
        raise BuildError(
            f"no mart is meant for {audience}",
            where="dbt_project/models",
            mend="give models config.meta.audience",
        )
    parquet = folder / "parquet"
    parquet.mkdir()
    parquet.chmod(stat.S_IMODE(folder.stat().st_mode))
    # The oldest format: a BI tool's DuckDB is often older than ours.
    con.execute(f"attach {literal(str(folder / FILE))} as served (storage_version 'v1.0.0')")
    rows = {}
    try:
        con.execute("begin")  # one write to disk, not one for each comment
        for mart in marts:
            table = f"served.{quoted(mart.name)}"
            con.execute(f"create table {table} as {shapes.select(mart, audience)}")
            con.execute(f"comment on table {table} is {literal(mart.description)}")
            for column in mart.seen_by(audience):
                con.execute(f"comment on column {table}.{quoted(column.name)} is {literal(column.description)}")
            target = literal(str(parquet / f"{mart.name}.parquet"))
            con.execute(f"copy {table} to {target} (format parquet, compression zstd)")
            rows[mart.name] = int(con.execute(f"select count(*) from {table}").fetchall()[0][0])
        _tell(con, about, audience, rows)
        con.execute("commit")
        con.execute("checkpoint served")
    except BaseException:
        con.rollback()
        raise
    finally:
        con.execute("detach served")
    for path in (folder / FILE, *parquet.iterdir()):
        sync(path)
        path.chmod(stat.S_IMODE(folder.stat().st_mode) & 0o644)
    _list_files(folder, audience, about, rows)
    return Draft(audience, folder, rows)


def _tell(con: duckdb.DuckDBPyConnection, about: About, audience: str, rows: dict[str, int]) -> None:
    """What readers can learn of the publication, as in PostgreSQL."""
    told = {**asdict(about), "audience": audience, "published_run": about.run_id}
    del told["freshness"]
    con.execute("create table served.about (name varchar, value varchar)")
    _fill(con, "about", "varchar, varchar", [(name, str(value)) for name, value in told.items()])
    con.execute("create schema served.meta")
    con.execute(
        """create table served.meta.publication as select $1 as audience, $2 as run_id, $3::timestamp as as_of,
        $4::date as period_end, $5::timestamp as published_at, $6 as code_version, $7::integer as table_count,
        $8::bigint as row_count, $9::integer as checks_passed, $10::integer as checks_noted""",
        [
            audience, about.run_id, about.as_of, about.period_end, about.published_at, about.code_version, len(rows),
            sum(rows.values()), about.checks_passed, about.checks_noted,
        ],
    )  # fmt: skip
    con.execute("create table served.meta.published_table (table_name varchar, row_count bigint)")
    _fill(con, "meta.published_table", "varchar, bigint", list(rows.items()))
    con.execute(
        "create table served.meta.feed_freshness (feed varchar, last_received date, last_ingested_at timestamp, "
        "last_event date)"
    )
    _fill(con, "meta.feed_freshness", "varchar, date, timestamp, date", about.freshness_rows())


def _fill(con: duckdb.DuckDBPyConnection, table: str, kinds: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        listed = ", ".join(f"unnest(${number}::{kind}[])" for number, kind in enumerate(kinds.split(", "), 1))
        con.execute(f"insert into served.{table} select {listed}", [list(values) for values in zip(*rows, strict=True)])


def _list_files(folder: Path, audience: str, about: About, rows: dict[str, int]) -> None:
    files = [folder / FILE, *sorted((folder / "parquet").iterdir())]
    listed: list[dict[str, Any]] = []
    for path in files:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        entry = {"file": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest}
        listed.append(entry | ({"rows": rows[path.stem]} if path.stem in rows else {}))
    told = {"audience": audience, "run_id": about.run_id, "as_of": about.as_of, "published_at": about.published_at}
    write_json(folder / MANIFEST, {**told, "code_version": about.code_version, "files": listed})
    (folder / MANIFEST).chmod(stat.S_IMODE(folder.stat().st_mode) & 0o644)


def _mode(folder: Path, audience: str) -> int:
    """Who may enter a new folder: for BI everybody, for HR nobody else.

    Only where somebody gave `published/versions` a group of its own, with its setgid bit, that group may see pay.
    """
    found = folder.stat()
    group = 0o050 if found.st_gid != os.getegid() else 0
    return (found.st_mode & stat.S_ISGID) | 0o700 | (group if audience == "hr" else 0o055)


def open_home(settings: Settings) -> None:
    """Let everybody pass through the home to the copies for BI."""
    close_to_others(settings)
    for folder, more in ((settings.home, 0o011), (settings.published, 0o055), (settings.published / "versions", 0o055)):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | more)


def swap(settings: Settings, new: Draft, keep_days: int | None, now: dt.datetime) -> None:
    """Let readers see a new copy by renaming one link. A reader that has the old copy open keeps it.

    Args:
        keep_days: For how many days copies of before are kept, of which the last one always is; None: none is.
        now: The present moment in UTC.
    """
    link = settings.published / new.audience
    before = link.resolve() if keep_days is not None and link.is_symlink() else None
    aside = settings.published / f".{new.audience}"
    aside.unlink(missing_ok=True)
    aside.symlink_to(Path("versions") / new.folder.name, target_is_directory=True)
    os.replace(aside, link)
    sync(settings.published)
    for old in new.folder.parent.glob(f"{new.audience}-*"):
        if old in (new.folder, before):
            continue
        # A draft of a run that died has no manifest: nobody ever saw it.
        age = now - dt.datetime.fromtimestamp(old.stat().st_mtime, dt.UTC).replace(tzinfo=None)
        if keep_days is None or not (old / MANIFEST).exists() or age > dt.timedelta(days=keep_days):
            shutil.rmtree(old, ignore_errors=True)
