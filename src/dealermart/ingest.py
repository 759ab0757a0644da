"""Ingest what a source delivered on one day: land, read, map, check, commit."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart import (
    batch,
    checks,
    contracts,
    drift,
    files,
    lake,
    landing,
    lock,
    overrides,
    profiles,
    report,
    runlog,
    uptake,
    yamlfile,
)
from dealermart.batch import FileResult, Judge, Rejects, Target
from dealermart.company import Company
from dealermart.contracts import Contract
from dealermart.errors import ConfigError, DataError
from dealermart.landing import Delivery
from dealermart.overrides import Override, Refusals
from dealermart.profiles import FileSpec, Profile
from dealermart.settings import Settings


@dataclass(frozen=True)
class IngestResult:
    """What one run did. ``committed`` says whether the lake tells anything that it did not tell before; ``taken_up``
    what changed for earlier deliveries, of any source, because rows that waited need wait no longer."""

    run_id: str
    source: str
    received: dt.date
    committed: bool
    files: tuple[FileResult, ...]
    ignored: tuple[str, ...] = ()
    left: tuple[str, ...] = ()  # what is to be run again, and why
    taken_up: tuple[FileResult, ...] = ()

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
    decided: Sequence[Override] = (),
) -> IngestResult:
    """Ingest one partition: the files that ``source`` delivered on ``received``.

    A file that cannot be taken is refused and the others go on; ``IngestResult.raise_for_refused`` makes that an error.
    All that is taken becomes visible in one step at the end. The same content a second time changes nothing.

    Args:
        drop: Folder with the files; by default ``inbox/<source>/<received>`` under the home, where no folder means that
            nothing came.
        dry_run: Say what would happen and change nothing.
        ingested_at: Moment of learning (UTC, without zone), for loading history; by default now.
        decided: Rules that do not refuse files of this run, with the name and reason that go into the log.

    Raises:
        ConfigError: contract, profile or suite is broken, or an override names no rule that refuses files.
        DataError: a given ``drop`` or a required file is missing.
        LockError: another process is at work. CheckCrashed, BalanceError: nothing was committed.
    """
    with (
        _scene(settings, dry_run) as scene,
        runlog.record(scene, "ingest", source=source, received=received, drop=drop) as log_entry,
        _loaded(settings, source) as (known, profile, suites),
        lock.warehouse(scene, f"ingest of {source} {received}", say=say),
        landing.unpacking(scene, log_entry.run_id) as unpacked,
    ):
        _check_moments(received, ingested_at)
        refusing = {rule.rule for suite in suites.values() for rule in suite.rules if rule.severity == "critical"}
        overrides.check(decided, {MOSTLY_REJECTED, *drift.RULES, *refusing})
        found = _scan(settings, profile, received, drop)
        result = _ingest(
            settings,
            scene,
            profile,
            known,
            suites,
            found,
            received,
            log_entry.run_id,
            ingested_at,
            dry_run,
            say,
            unpacked,
            decided,
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
                name: sum(getattr(one, name) or 0 for one in (*result.files, *result.taken_up))
                for name in ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
            },
            taken_up=sum((one.accepted or 0) + (one.duplicate or 0) for one in result.taken_up),
            refused=[one.error for one in result.refused],
            left=list(result.left),
        )
        if not dry_run:
            log_entry.note(**report.after_ingest(settings, log_entry.run_id, say))
    return result


@contextmanager
def _scene(settings: Settings, dry_run: bool) -> Iterator[Settings]:
    """Where a run writes: a dry run reads the same state and writes all that it makes to a folder that goes away."""
    if not dry_run:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="dealermart-dry-") as scratch:
        yield replace(settings, home=Path(scratch))


@contextmanager
def _loaded(settings: Settings, source: str) -> Iterator[tuple[dict[str, Contract], Profile, Suites]]:
    """Contracts, profile and suites of a source: broken config is found before the lock is waited for."""
    known = contracts.load_all(settings)
    profile = profiles.load(settings, source, known)
    suites = Suites(settings, known)
    suites.load(batch.feeds_of(profile))
    yield known, profile, suites


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
    if drop is None and folder.is_symlink():
        raise DataError("the folder of this date is a link", where=str(folder), mend="put the files into a real folder")
    found = landing.scan(folder) if folder.is_dir() else []
    if drop is not None and not found:
        raise DataError(
            "the drop folder holds no file", where=str(drop), mend="give the folder that holds the delivered files"
        )
    required = [spec for spec in profile.files if spec.required]
    names = [name for one in found for name in landing.names(*one)] if required else []
    before: list[str] = []
    if names:  # an erasure can have taken a file of this day out of the inbox
        day = received.isoformat()
        log = lake.read(settings)
        before = [one["file"] for one in log.deliveries() if (one["source"], one["received"]) == (profile.source, day)]
    # Corrected rows of earlier deliveries need nothing beside them.
    delivered = [name for name in names if not any(spec.is_corrected(name) for spec in profile.files)]
    missing = [spec for spec in required if delivered and not any(map(spec.takes, (*names, *before)))]
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
    suites: Suites,
    found: list[tuple[str, Path]],
    received: dt.date,
    run_id: str,
    ingested_at: dt.datetime | None,
    dry_run: bool,
    say: Callable[[str], None],
    unpacked: Path,
    decided: Sequence[Override],
) -> IngestResult:
    if not dry_run:  # a dry run does not hold the lock that a rebuild works under
        lake.recover(settings)
    log = lake.read(settings)
    learnt = ingested_at or runlog.now()
    taken = log.taken(profile.source)
    gone = log.erased & taken
    ignored: list[str] = []
    left: list[str] = []
    settled: list[FileResult] = []
    refusals = Refusals(decided)
    watch = drift.Watch(profile, known, log, refusals)
    deliveries: list[tuple[Delivery, FileSpec]] = []
    dropped: list[tuple[str, Path]] = []
    for one in found:
        if _is_ignored(profile, one[0]):
            ignored.append(one[0])
        else:
            dropped.append(one)
    outcomes = landing.land(scene, profile.source, received, dropped, profile.limits, unpacked, gone)
    for (source_file, _), landed in zip(dropped, outcomes, strict=True):
        if isinstance(landed, landing.StillChanging):
            left.append(str(landed))
            continue
        if isinstance(landed, DataError):
            delivery_id = getattr(landed, "delivery_id", "")
            settled.append(_settled(source_file, delivery_id, received, None, "refused", str(landed)))
            continue
        for delivery in landed:
            spec = profile.spec_of(delivery.source_file)
            if _is_ignored(profile, delivery.source_file):
                ignored.append(delivery.label)
            elif delivery.delivery_id in taken:
                settled.append(_settled(delivery.source_file, delivery.delivery_id, received, spec, "duplicate", None))
                if spec is not None and spec.feed is not None:
                    settled[-1].delivery = spec.delivery_of(delivery.source_file, known[spec.feed])
                    watch.repeated(delivery, spec)
            elif spec is None:
                unknown = DataError(
                    "no entry of the source's profile takes this file",
                    where=delivery.label,
                    mend="add an entry, or an ignore pattern with its reason, to source.yml",
                )
                settled.append(
                    _settled(delivery.source_file, delivery.delivery_id, received, spec, "unrecognised", str(unknown))
                )
            else:
                taken.add(delivery.delivery_id)
                deliveries.append((delivery, spec))
    done = batch.Batch()
    judged: list[dict[str, Any]] = []
    target = Target(scene.lake, scene.quarantine)
    for folder in (target.lake, target.quarantine):
        folder.mkdir(parents=True, exist_ok=True)
    order = masters_first(profile, suites)
    verdicts = None
    if deliveries:
        readable = {settings.lake, target.lake, target.quarantine, scene.landing, unpacked}
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
                watch.judge(judge_by_suites(suites, known, refusals, judged)),
                order,
                say,
            )
            verdicts = _keep_verdicts(con, scene, run_id, done.verdicts)
    results = (*done.results, *settled)
    watch.finish(results)
    _mark_anew(settings, log, profile.source, results)
    committed = any(one.status == "accepted" or one.anew for one in results)
    moved = uptake.Moved()
    if committed or any(one.status != "duplicate" for one in results):
        entry: dict[str, Any] = {
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
            "feed_order": order,
            "files": done.files,
            "quarantine": done.quarantine,
            "verdicts": verdicts,
            "overrides": refusals.used,
            "checks": None if dry_run else _keep_checks(settings, run_id, judged),
            "deliveries": [asdict(one) | {"source": profile.source} for one in results],
            "decisions": None,
        }
        so_far = lake.Log((*log.commits, {"seq": log.last + 1, **entry}))
        place = uptake.Scene(settings, scene, known, so_far, settings.lake, settings.quarantine, target, run_id, learnt)
        moved = uptake.take_up(place, suites, judge_by_suites(suites, known, Refusals()), say)
        moved.add_to(entry)
        if not dry_run:
            lake.commit(settings, log, entry)
    return IngestResult(
        run_id,
        profile.source,
        received,
        committed and not dry_run,
        results,
        tuple(ignored),
        tuple(left),
        tuple(one for _, one in moved.results),
    )


MOSTLY_REJECTED = "mostly_rejected"


class Suites(dict[str, checks.Suite]):
    """Suites of feeds, loaded when they are asked for, without the rules on feeds that are not complete.

    Raises:
        SuiteError: a suite is broken. ConfigError: the company file is.
    """

    def __init__(self, settings: Settings, known: dict[str, Contract]) -> None:
        super().__init__()
        company = yamlfile.load(settings.company_file, Company)
        if unknown := sorted(set(company.complete_feeds or ()) - set(known)):
            raise ConfigError(
                f"field complete_feeds: there is no feed {', '.join(unknown)}",
                where=str(settings.company_file),
                mend=f"one of: {', '.join(known)}",
            )
        self.currency, self._complete = company.reporting_currency, company.complete_feeds
        self._settings, self._known = settings, known

    def load(self, feeds: Iterable[str]) -> None:
        for feed in feeds:
            self[feed]

    def __missing__(self, feed: str) -> checks.Suite:
        path = self._settings.expectations / f"{feed}.json"
        suite = checks.load_suite(path, checks.batch_columns(self._known[feed]), self._known)
        self[feed] = suite.about(self._complete)
        return self[feed]


def masters_first(profile: Profile, suites: Suites) -> list[str]:
    """The feeds of a source, each after those that its rows can wait for by its suite or its profile."""
    waits = {feed: set(suites[feed].waits_for) for feed in batch.feeds_of(profile)}
    for spec in profile.files:
        if spec.feed:
            waits[spec.feed].update(*spec.waits.values())
    return batch.masters_first(waits, waits)


def judge_by_suites(
    suites: Suites, known: dict[str, Contract], refusals: Refusals, kept: list[dict[str, Any]] | None = None
) -> Judge:
    """A judge that asks the feed's suite: critical failures refuse the files that hold them, others quarantine rows.

    A file most of whose rows could not be read or mapped is refused too: it is not the file it should be. Where a
    person overrode a refusal, what fails in it is quarantined row by row. What every rule found is added to ``kept``.
    """

    def judge(con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]) -> dict[str, str]:
        checks.define_currency(con, suites.currency)
        suite, by_views = suites[feed].in_turn()
        outcomes = checks.run_batch(con, table, suite, known[feed].key)
        if kept is not None:
            kept.extend(checks.kept(suite, outcomes))
        checks.failing_rows(con, table, outcomes, "failing")
        reasons = {rule.rule: rule.description for rule in suites[feed].rules}
        names = dict(con.execute("select delivery_id, source_file from delivery").fetchall())
        for delivery_id, one in rejects.items():
            if one.rows * 2 > one.of:
                what = f"{one.rows} of {one.of} rows cannot be taken (first in row {one.first_row}: {one.first_reason})"
                mend = "compare the file with the source's profile; correct one of them and ingest again"
                refusals.add(MOSTLY_REJECTED, delivery_id, names[delivery_id], what, mend)
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
                what = f"critical check {outcome.rule}: {reasons[outcome.rule]}{place}"
                refusals.add(
                    outcome.rule, delivery_id, names[delivery_id], what, "correct the file and deliver it again"
                )
        if refusals.errors:
            con.executemany("insert into refused_delivery values (?)", [[one] for one in refusals.errors])
        judge_by_own_rows(con, table, by_views, kept)
        con.executemany(
            "update failing set reason = $reason, waits_for = $waits_for where rule = $rule",
            [
                {"rule": rule.rule, "reason": rule.description, "waits_for": ",".join(rule.waits_for) or None}
                for rule in suites[feed].rules
            ],
        )
        return refusals.errors

    return judge


def _is_ignored(profile: Profile, source_file: str) -> bool:
    return profile.ignores(source_file) is not None and profile.spec_of(source_file) is None


def _mark_anew(settings: Settings, log: lake.Log, source: str, results: Sequence[FileResult]) -> None:
    """Mark repeats that tell something new: of a snapshot on another day, or of what had come earlier than known."""
    for one in results:
        if one.status == "duplicate" and one.feed is not None:
            now = lake.Told(lake.receipts([*log.of_feed(one.feed), asdict(one) | {"source": source}]))
            one.anew = bool(now.changes(log.told(settings, one.feed)))


def judge_by_own_rows(
    con: duckdb.DuckDBPyConnection, table: str, suite: checks.Suite, kept: list[dict[str, Any]] | None = None
) -> None:
    """The rules that read the views of the feed itself. A row that fails leaves these views, on which others of the
    batch may have built (a return of a line that waits itself), so they are asked until nothing new fails."""
    new = 1 if suite.rules else 0
    while new:
        con.execute(f"create temp table again ({checks.KEY} bigint, rule varchar, severity varchar)")
        outcomes = checks.run(con, table, suite)
        checks.failing_rows(con, table, outcomes, "again")
        new = con.execute(f"""
            insert into failing ({checks.KEY}, rule, severity)
            select * from again anti join failing using ({checks.KEY}, rule)
        """).fetchall()[0][0]
        con.execute("drop table again")
    if kept is not None and suite.rules:
        kept.extend(checks.kept(suite, outcomes))


def _settled(
    source_file: str, delivery_id: str, received: dt.date, spec: FileSpec | None, status: str, error: str | None
) -> FileResult:
    feed, entry = (spec.feed, spec.entry_of(source_file)) if spec else (None, None)
    return FileResult(source_file, delivery_id, feed, status, error=error, received=received.isoformat(), entry=entry)


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
