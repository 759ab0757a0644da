"""Ingest what a source delivered on one day: land, read, map, check, commit."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart import batch, checks, contracts, files, lake, landing, lock, profiles, report, runlog
from dealermart.batch import FileResult, Judge, Rejects, Target
from dealermart.contracts import Contract
from dealermart.errors import DataError
from dealermart.landing import Delivery
from dealermart.profiles import FileSpec, Profile
from dealermart.settings import Settings


@dataclass(frozen=True)
class IngestResult:
    """What one run did. ``committed`` says whether the lake holds rows that it did not hold before."""

    run_id: str
    source: str
    received: dt.date
    committed: bool
    files: tuple[FileResult, ...]
    ignored: tuple[str, ...] = ()

    @property
    def refused(self) -> tuple[FileResult, ...]:
        return tuple(one for one in self.files if one.status in ("refused", "unrecognised"))

    def raise_for_refused(self) -> None:
        """Raise DataError that names every file that was not taken, with its fault and mend."""
        if self.refused:
            count, rest = len(self.refused), len(self.files) - len(self.refused)
            faults = "\n".join(f"- {one.error}" for one in self.refused)
            raise DataError(
                f"{count} file{'s' if count > 1 else ''} of {self.source}, received {self.received}, not taken "
                f"({rest} others unharmed):\n{faults}",
                mend="mend the files or their description and run the same command again",
            )


def run(
    settings: Settings,
    source: str,
    received: dt.date,
    drop: Path | None = None,
    dry_run: bool = False,
    ingested_at: dt.datetime | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> IngestResult:
    """Ingest one partition: the files that ``source`` delivered on ``received``.

    A file that cannot be taken is refused and the others go on; ``IngestResult.raise_for_refused`` makes that an error.
    All that is taken becomes visible in one step at the end. The same content a second time changes nothing.

    Args:
        drop: Folder with the files; by default ``inbox/<source>/<received>`` under the home, where no folder means that
            nothing came.
        dry_run: Say what would happen and change nothing.
        ingested_at: Moment of learning (UTC, without zone), for loading history; by default now.

    Raises:
        ConfigError: contract, profile or suite is broken. DataError: a given ``drop`` or a required file is missing.
        LockError: another process is at work. CheckCrashed, BalanceError: nothing was committed.
    """
    with tempfile.TemporaryDirectory(prefix="dealermart-dry-") as scratch:
        # A dry run reads the same state and writes all it makes, its run log included, to a folder that goes away.
        scene = replace(settings, home=Path(scratch)) if dry_run else settings
        with (
            runlog.record(scene, "ingest", source=source, received=received, drop=drop) as log_entry,
            _loaded(settings, source) as (known, profile, suites),
            lock.warehouse(scene, f"ingest of {source} {received}", say=say),
        ):
            _check_moments(received, ingested_at)
            found = _scan(settings, profile, received, drop)
            result = _ingest(
                settings, scene, profile, known, suites, found, received, log_entry.run_id, ingested_at, dry_run, say
            )
            log_entry.note(
                source=source,
                received=received.isoformat(),
                committed=result.committed,
                files={
                    status: sum(one.status == status for one in result.files)
                    for status in ("accepted", "duplicate", "refused", "unrecognised")
                },
                rows={
                    name: sum(getattr(one, name) or 0 for one in result.files)
                    for name in ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
                },
                refused=[one.error for one in result.refused],
            )
            if not dry_run:
                log_entry.note(**report.after_ingest(settings, log_entry.run_id, say))
    return result


@contextmanager
def _loaded(settings: Settings, source: str) -> Iterator[tuple[dict[str, Contract], Profile, dict[str, checks.Suite]]]:
    """Contracts, profile and suites of a source: broken config is found before the lock is waited for."""
    known = contracts.load_all(settings)
    profile = profiles.load(settings, source, known)
    yield (
        known,
        profile,
        {
            feed: checks.load_suite(settings.expectations / f"{feed}.json", checks.batch_columns(known[feed]))
            for feed in dict.fromkeys(spec.feed for spec in profile.files if spec.feed)
        },
    )


def _check_moments(received: dt.date, ingested_at: dt.datetime | None) -> None:
    """Refuse what cannot have happened yet: a slip of the pen in the log could not be taken back."""
    now = runlog.now()
    if received > now.date() + dt.timedelta(days=1):  # a day, because somewhere it is tomorrow
        raise DataError(
            "the received date lies in the future", where=received.isoformat(), mend="give the day on which they came"
        )
    if ingested_at is not None and ingested_at > now:
        raise DataError(
            "the moment of learning lies in the future",
            where=ingested_at.isoformat(),
            mend="leave it out, or correct it",
        )


def _scan(settings: Settings, profile: Profile, received: dt.date, drop: Path | None) -> list[tuple[str, Path]]:
    folder = drop if drop is not None else settings.inbox / profile.source / received.isoformat()
    if drop is not None and not drop.is_dir():
        what = "the drop folder is a file" if drop.exists() else "the drop folder does not exist"
        raise DataError(what, where=str(drop), mend="give the folder that holds the delivered files")
    found = landing.scan(folder) if folder.is_dir() else []
    if drop is not None and not found:
        raise DataError(
            "the drop folder holds no file", where=str(drop), mend="give the folder that holds the delivered files"
        )
    missing = [
        spec for spec in profile.files if spec.required and found and not any(spec.takes(name) for name, _ in found)
    ]
    if missing:
        raise DataError(
            f"a required file is missing: {', '.join(f'{spec.name} ({spec.pattern})' for spec in missing)}",
            where=str(folder),
            mend="put it there, or mark the entry required: false in the source's profile",
        )
    return found


def _ingest(
    settings: Settings,
    scene: Settings,
    profile: Profile,
    known: dict[str, Contract],
    suites: dict[str, checks.Suite],
    found: list[tuple[str, Path]],
    received: dt.date,
    run_id: str,
    ingested_at: dt.datetime | None,
    dry_run: bool,
    say: Callable[[str], None],
) -> IngestResult:
    if not dry_run:  # a dry run does not hold the lock that a rebuild works under
        lake.recover(settings)
    log = lake.read(settings)
    learnt = ingested_at or runlog.now()
    taken = log.taken(profile.source)
    ignored: list[str] = []
    settled: list[FileResult] = []
    deliveries: list[tuple[Delivery, FileSpec]] = []
    for source_file, path in found:
        if profile.ignores(source_file) is not None and profile.spec_of(source_file) is None:
            ignored.append(source_file)
            continue
        delivery = landing.land(scene, profile.source, received, source_file, path)
        spec = profile.spec_of(source_file)
        if delivery.delivery_id in taken:
            settled.append(_settled(delivery, spec, "duplicate", None))
        elif spec is None:
            error = DataError(
                "no entry of the source's profile takes this file",
                where=source_file,
                mend="add an entry, or an ignore pattern with its reason, to source.yml",
            )
            settled.append(_settled(delivery, spec, "unrecognised", str(error)))
        else:
            taken.add(delivery.delivery_id)
            deliveries.append((delivery, spec))
    done = batch.Batch()
    judged: list[dict[str, Any]] = []
    target = Target(scene.lake, scene.quarantine)
    for folder in (target.lake, target.quarantine):
        folder.mkdir(parents=True, exist_ok=True)
    if deliveries:
        readable = {settings.lake, target.lake, target.quarantine, scene.landing}
        with batch.workspace(scene, run_id, *readable) as (con, work):
            done = batch.process(
                con,
                work,
                settings,
                profile,
                known,
                deliveries,
                log,
                settings.lake,
                target,
                run_id,
                learnt,
                judge_by_suites(suites, judged),
                say,
            )
            verdicts = _keep_verdicts(con, scene, run_id, done.verdicts)
    results = (*done.results, *settled)
    committed = any(one.status == "accepted" for one in results)
    if any(one.status != "duplicate" for one in results) and not dry_run:
        lake.commit(
            settings,
            log,
            {
                "kind": "ingest",
                "run_id": run_id,
                "source": profile.source,
                "received": received.isoformat(),
                "ingested_at": learnt.isoformat(sep=" ", timespec="microseconds"),
                "code_version": runlog.code_version(),
                "user": settings.user,
                "profile_hash": profiles.hash_of(settings, profile.source),
                "contract_hashes": {feed: known[feed].hash for feed in suites},
                "suite_hashes": {feed: suite.hash for feed, suite in suites.items()},
                "files": done.files,
                "quarantine": done.quarantine,
                "verdicts": verdicts if deliveries else None,
                "checks": _keep_checks(settings, run_id, judged),
                "deliveries": [asdict(one) | {"source": profile.source} for one in results],
            },
        )
    return IngestResult(run_id, profile.source, received, committed and not dry_run, results, tuple(ignored))


def judge_by_suites(suites: dict[str, checks.Suite], kept: list[dict[str, Any]] | None = None) -> Judge:
    """A judge that asks the feed's suite: critical failures refuse the files that hold them, others quarantine rows.

    A file most of whose rows could not be read or mapped is refused too: it is not the file it should be.
    What every rule found is added to ``kept``.
    """

    def judge(con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]) -> dict[str, str]:
        suite = suites[feed]
        outcomes = checks.run(con, table, suite)
        if kept is not None:
            kept.extend(checks.kept(suite, outcomes))
        checks.failing_rows(con, table, outcomes, "failing")
        reasons = {rule.rule: rule.description for rule in suite.rules}
        con.executemany(
            "update failing set reason = $reason where rule = $rule",
            [{"rule": rule, "reason": text} for rule, text in reasons.items()],
        )
        refused = {
            delivery_id: f"{one.rows} of {one.of} rows cannot be taken "
            f"(first in row {one.first_row}: {one.first_reason})\n"
            "  mend: compare the file with the source's profile; correct one of them and ingest again"
            for delivery_id, one in rejects.items()
            if one.rows * 2 > one.of
        }
        for outcome in outcomes:
            if outcome.severity != "critical" or outcome.success:
                continue
            if outcome.failing_rows_sql is None:
                held = con.execute(f"select _delivery_id, null from {table} group by 1").fetchall()
            else:
                held = con.execute(
                    f"select _delivery_id, min(_row_number) from {table} join failing using (_row_id) "
                    "where rule = ? group by 1",
                    [outcome.rule],
                ).fetchall()
            for delivery_id, row in held:
                place = f" (first in row {row})" if row is not None else ""
                text = f"critical check {outcome.rule}: {reasons[outcome.rule]}{place}"
                text += "\n  mend: correct the file and deliver it again"
                refused[delivery_id] = f"{refused[delivery_id]}\n{text}" if delivery_id in refused else text
        return refused

    return judge


def _settled(delivery: Delivery, spec: FileSpec | None, status: str, error: str | None) -> FileResult:
    return FileResult(
        delivery.source_file,
        delivery.delivery_id,
        spec.feed if spec else None,
        status,
        error=error,
        received=delivery.received.isoformat(),
    )


def _keep_checks(settings: Settings, run_id: str, judged: list[dict[str, Any]]) -> str | None:
    """What every rule found in the run as one JSON file beside the log; it counts once a commit names it."""
    if not judged:
        return None
    path = settings.log / "checks" / f"{run_id}.json"
    files.write_json(path, judged)
    return f"checks/{path.name}"


def _keep_verdicts(con: duckdb.DuckDBPyConnection, scene: Settings, run_id: str, parts: list[str]) -> str | None:
    """Verdicts of the run as one Parquet file beside the log; it counts once a commit names it."""
    if not parts:
        return None
    folder = scene.log / "verdicts"
    folder.mkdir(parents=True, exist_ok=True)
    draft = scene.work / run_id / "verdicts.parquet"
    listed = ", ".join(lake.literal(part) for part in parts)
    con.execute(
        f"copy (from read_parquet([{listed}])) to {lake.literal(str(draft))} (format parquet, compression zstd)"
    )
    path = folder / f"{run_id}.parquet"
    shutil.copyfile(draft, path)
    files.sync(path)
    os.chmod(path, 0o444)
    return f"verdicts/{path.name}"
