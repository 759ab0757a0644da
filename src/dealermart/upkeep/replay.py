"""Rebuild lake and quarantine from landing, config and the log. Verdicts are replayed, not judged again."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart import ingest, lake, landing
from dealermart.base import ConfigError, Settings, literal, record_run, typed_sql, warehouse_lock, workspace
from dealermart.config import Contract, load_contracts, load_profile
from dealermart.ingest import Folders, Judge, Rejects
from dealermart.lake import Log
from dealermart.upkeep.compaction import repeat_compaction


def rebuild(settings: Settings, say: Callable[[str], None] = lambda text: None) -> dict[str, int]:
    """Make the lake and the quarantine anew; the warehouse is dropped, so that the next build is a full one.

    Every commit is repeated in order, compactions too: the same deliveries, read and mapped with the config as it is
    now, with the verdicts of then. The old lake stays in place until the new one is whole.

    Returns:
        Numbers of commits, deliveries and rows.

    Raises:
        UsageError: nothing was ingested yet. DataError: a landed file is gone or was changed.
        ConfigError: a profile no longer takes a file that was accepted.
    """
    known = load_contracts(settings)
    with record_run(settings, "rebuild") as entry, warehouse_lock(settings, "rebuild", say=say):
        lake.recover(settings)
        log = lake.read(settings, whole=True)
        if not log.commits:
            raise lake.nothing_yet(settings)
        draft = Folders(settings.home / "rebuild" / "lake", settings.home / "rebuild" / "quarantine")
        counts = redo(settings, known, log, draft, entry.run_id, say)
        old = settings.home / "lake.old"
        shutil.rmtree(old, ignore_errors=True)
        _swap(settings, draft, old)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(settings.warehouse.parent, ignore_errors=True)
        entry.note(commits=counts["commits"], deliveries=counts["deliveries"], lake_rows=counts["rows"])
        return counts


def redo(
    settings: Settings,
    known: dict[str, Contract],
    log: Log,
    draft: Folders,
    run_id: str,
    say: Callable[[str], None],
    eraser: ingest.Eraser | None = None,
) -> dict[str, int]:
    """Repeat the commits of a log into the folders of ``draft``, which are made anew; returns and raises as ``run``.

    Args:
        eraser: Looks for values of a person on the way, and copies what is kept of refused files.
    """
    shutil.rmtree(draft.lake.parent, ignore_errors=True)
    for folder in (draft.lake, draft.quarantine):
        folder.mkdir(parents=True)
    rows = deliveries = 0
    for index, commit in enumerate(log.commits):
        work_id = f"{run_id}-{commit['seq']}"
        if commit["kind"] == lake.COMPACT:
            repeat_compaction(settings, commit, draft.lake, work_id)
        if commit["kind"] in (lake.COMPACT, lake.ERASE):
            continue
        say(f"commit {commit['seq']} of {log.last}: {commit['source'] or commit['kind']} {commit['received']}")
        with landing.unpacking(settings, work_id) as unpacked:
            job = ingest.Job(
                settings=settings,
                home=settings,
                contracts=known,
                log=Log(log.commits[:index]),
                lake=draft.lake,
                quarantine=draft.quarantine,
                folders=draft,
                run_id=commit["run_id"],
                at=dt.datetime.fromisoformat(commit["ingested_at"]),
            )
            done = _repeat(job, commit, work_id, unpacked, eraser)
        rows += sum(file["rows"] for file in done.files)
        deliveries += len(done.results)
        _same_files(commit, done)
        _same_counts(commit, done)
        _keep_refused(settings, commit, done, draft, eraser)
    return {"commits": len(log.commits), "deliveries": deliveries, "rows": rows}


def _swap(settings: Settings, draft: Folders, old: Path) -> None:
    old.mkdir()
    if settings.quarantine.exists():
        os.rename(settings.quarantine, old / "quarantine")
    os.rename(draft.quarantine, settings.quarantine)
    if settings.lake.exists():
        os.rename(settings.lake, old / "lake")
    os.rename(draft.lake, settings.lake)


def _repeat(
    job: ingest.Job, commit: dict[str, Any], work_id: str, unpacked: Path, eraser: ingest.Eraser | None
) -> ingest.Batch:
    """What a commit brought, made again; ``job`` has its run, its moment and the log before it."""
    done = _repeat_deliveries(job, commit, work_id, unpacked, eraser)
    if commit.get("decisions"):
        so_far = {**commit, "files": done.files, "quarantine": done.quarantine, "decisions": None}
        making = replace(job, log=Log((*job.log.commits, so_far)))
        done.files += ingest.repeat(making, commit["files"], job.settings.log / commit["decisions"]).files
    return done


def _repeat_deliveries(
    job: ingest.Job, commit: dict[str, Any], work_id: str, unpacked: Path, eraser: ingest.Eraser | None
) -> ingest.Batch:
    settings = job.settings
    accepted = [delivery for delivery in commit["deliveries"] if delivery["status"] == "accepted"]
    if not accepted:
        return ingest.Batch()
    profile = load_profile(settings, commit["source"], job.contracts)
    deliveries = []
    for taken in accepted:
        spec = profile.spec_for(taken["file"], taken["feed"])
        if spec is None:
            raise ConfigError(
                f"no entry takes {taken['file']} for {taken['feed']}, as one did on {commit['received']}",
                where=f"config/sources/{profile.source}/source.yml",
                mend="bring the entry back: what was accepted once belongs to the past",
            )
        found = landing.find(
            settings, commit["source"], taken["received"], taken["delivery_id"], taken["file"], unpacked
        )
        deliveries.append((found, spec))
    judge = _judge_by_verdicts(settings.log / commit["verdicts"] if commit["verdicts"] else None)
    folders = job.folders
    readable = [settings.landing, settings.pending, unpacked, settings.log, *asdict(folders).values(), settings.lake]
    with workspace(settings, work_id, *readable) as space:
        return ingest.process(space, job, profile, deliveries, judge, commit.get("feed_order", ()), eraser=eraser)


def _judge_by_verdicts(verdicts: Path | None) -> Judge:
    def judge(con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]) -> dict[str, str]:
        if verdicts is not None:
            con.execute(f"""
                insert into failing
                select b._row_id, v.rule, v.severity, v.reason, v.waits_for
                from ({typed_sql(ingest.VERDICT, [verdicts])}) as v
                join {table} as b
                    on v.delivery_id = b._delivery_id and v.row_number = b._row_number and v.row_part = b._row_part
                where v.feed = {literal(feed)}
            """)
        return {}

    return judge


def _same_files(commit: dict[str, Any], done: ingest.Batch) -> None:
    """The log names files; a rebuild must make those very files."""
    named, made = {file["path"] for file in commit["files"]}, {file["path"] for file in done.files}
    if named != made:
        raise ConfigError(
            f"commit {commit['seq']} made other lake files than the rebuild: {', '.join(sorted(named ^ made))}",
            where=f"log/{commit['seq']:08d}.json",
            mend="a profile or contract was changed so that what was accepted then no longer is; bring it back; "
            "the old lake still stands",
        )


def _same_counts(commit: dict[str, Any], done: ingest.Batch) -> None:
    """What was decided about rows is in the log; a row that nobody judged then must not slip in now."""
    names = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
    logged = {
        delivery["delivery_id"]: delivery for delivery in commit["deliveries"] if delivery["status"] == "accepted"
    }
    for result in done.results:
        then = logged[result.delivery_id]
        other = [
            f"{name} {then[name]} then, {getattr(result, name)} now"
            for name in names
            if then[name] != getattr(result, name)
        ]
        if other:
            raise ConfigError(
                f"{result.file} gives other rows than when it was taken: {', '.join(other)}",
                where=f"log/{commit['seq']:08d}.json",
                mend="its profile or contract was changed so that rows are read or mapped otherwise: bring it back. If "
                "this version rejects what an older one took, say in the profile what is meant (more_nulls: ['#N/A'], "
                "sheet, encoding, key); the old lake still stands",
            )


def _keep_refused(
    settings: Settings, commit: dict[str, Any], done: ingest.Batch, draft: Folders, eraser: ingest.Eraser | None
) -> None:
    """Rows of refused files were judged by suites that are not replayed: what is kept of them goes along as it is."""
    made = {entry["path"] for entry in done.quarantine}
    for entry in commit["quarantine"]:
        kept = settings.quarantine / entry["path"]
        if entry["path"] not in made and kept.exists():
            (draft.quarantine / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
            if eraser:
                eraser.refused(kept, draft.quarantine / entry["path"], commit)
            else:
                shutil.copyfile(kept, draft.quarantine / entry["path"])
