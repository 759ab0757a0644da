"""Ingest what a source delivered on one day: land, read, map, check, commit."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dealermart import lake, landing, report
from dealermart.base import (
    DataError,
    Entry,
    Settings,
    UsageError,
    code_version,
    literal,
    record_run,
    utc_now,
    warehouse_lock,
    workspace,
    write_json,
)
from dealermart.config import (
    FileSpec,
    Profile,
    check_company,
    load_contracts,
    load_profile,
    profile_hash,
    source_names,
)
from dealermart.ingest.batch import process
from dealermart.ingest.drift import RULES, DriftWatch
from dealermart.ingest.expected import late, missing, undelivered
from dealermart.ingest.job import Batch, Folders, Job, Witness
from dealermart.ingest.judge import MOSTLY_REJECTED, Suites, feed_order, feeds_of, judge_by_suites
from dealermart.ingest.overrides import Override, Refusals, check_overrides
from dealermart.ingest.waiting import Anew, Moved, take_up
from dealermart.lake import FileResult
from dealermart.landing import Delivery

_SAID = ("records", "structural", "accepted", "quarantined", "rejected", "duplicate")


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
    undelivered: tuple[str, ...] = ()  # entries of which nothing came that day, where something came at all
    late: tuple[str, ...] = ()  # entries that are silent for longer than the profile expects, in words
    report: str = ""  # path of its page

    @property
    def refused(self) -> tuple[FileResult, ...]:
        return tuple(file for file in self.files if file.status in ("refused", "unrecognised"))

    def summary(self) -> list[str]:
        """What became of the files in a few lines, without a value of the data: counts, what is wrong, the report."""
        if not self.files and not self.left:
            return [f"{self.source} delivered nothing on {self.received}"]
        status = Counter(file.status for file in self.files)
        rows = {name: sum(getattr(file, name) or 0 for file in self.files) for name in _SAID}
        rules: Counter[str] = Counter()
        for file in self.files:
            for fault in file.faults:
                rules[fault["rule"]] += fault["rows"]
        uptake = sum((file.accepted or 0) + (file.duplicate or 0) for file in self.taken_up)
        return [
            f"files: {', '.join(f'{count:,} {name}' for name, count in status.items()) or 'none'}",
            f"rows: {', '.join(f'{count:,} {name}' for name, count in rows.items() if count) or 'none'}",
            *(f"in quarantine: {count:,} by {rule}" for rule, count in rules.most_common()),
            *([f"taken up from quarantine: {uptake:,}"] if uptake else []),
            *(f"not taken: {file.file}" for file in self.refused),
            *([f"left for the next run: {len(self.left):,} files"] if self.left else []),
            *([f"report: {self.report}"] if self.report else []),
        ]

    def raise_for_refused(self) -> None:
        """Raise DataError that names every file that was not taken, with its fault and mend."""
        if self.refused:
            count, rest = len(self.refused), len(self.files) - len(self.refused)
            faults = "\n".join(f"- {result.error}" for result in self.refused)
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
    dry_run: bool | Witness = False,
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
        dry_run: Say what would happen and change nothing; a witness is shown what was read as well.
        ingested_at: Moment of learning (UTC, without zone), for loading history; by default now.
        decided: Rules that do not refuse files of this run, with the name and reason that go into the log.

    Raises:
        ConfigError: contract, profile or suite is broken.
        UsageError: no such source, no such ``drop``, a day or moment in the future, an override without sense.
        DataError: a required file is missing, or is late on a day on which nothing came.
        LockError: another process is at work. CheckCrashed, BalanceError: nothing was committed.
    """
    with (
        _home(settings, bool(dry_run)) as home,
        record_run(home, "ingest", source=source, received=received, drop=drop) as entry,
    ):
        if source not in (sources := source_names(settings)):
            what, mend = f"there is no source {source!r}", f"known sources: {', '.join(sources) or 'none'}"
            raise UsageError(what, where=str(settings.sources), mend=mend)
        known = load_contracts(settings)  # broken config is found before the lock is waited for
        profile = load_profile(settings, source, known)
        suites = Suites(settings, known)
        suites.load(feeds_of(profile))
        with (
            warehouse_lock(home, f"ingest of {source} {received}", say=say),
            landing.unpacking(home, entry.run_id) as unpacked,
        ):
            _check_moments(received, ingested_at)
            refusing = {rule.rule for suite in suites.values() for rule in suite.rules if rule.severity == "critical"}
            check_overrides(decided, {MOSTLY_REJECTED, *RULES, *refusing})
            came = None if dry_run or drop is not None else landing.came(settings, source, received)
            found = _scan(settings, profile, received, drop)
            if found:
                check_company(settings, source)
            if not dry_run:  # a dry run does not hold the lock that a rebuild works under
                lake.recover(settings)
            partition = _Partition(
                settings=settings,
                home=home,
                profile=profile,
                suites=suites,
                received=received,
                unpacked=unpacked,
                dry_run=bool(dry_run),
                job=Job(
                    settings=settings,
                    home=home,
                    contracts=known,
                    log=lake.read(settings),
                    lake=settings.lake,
                    quarantine=settings.quarantine,
                    folders=Folders(home.lake, home.quarantine),
                    run_id=entry.run_id,
                    at=ingested_at or utc_now(),
                    witness=None if isinstance(dry_run, bool) else dry_run,
                ),
                refusals=Refusals(decided),
                say=say,
            )
            result = _ingest(partition, found)
        _note(entry, result)
        if not dry_run:
            page = report.after_ingest(settings, entry.run_id, say)
            entry.note(**page)
            result = replace(result, report=str(settings.home / page["report"]) if "report" in page else "")
        if came and not result.left:
            landing.tell(settings, came)  # however the run was started, it need not be started again
    return result


@contextmanager
def _home(settings: Settings, dry_run: bool) -> Iterator[Settings]:
    """Where a run writes: a dry run reads the same state and writes all that it makes to a folder that goes away."""
    if not dry_run:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="dealermart-dry-") as scratch:
        yield replace(settings, home=Path(scratch))


def _note(entry: Entry, result: IngestResult) -> None:
    """What the run log says of a run: counts of the files that came, as in its report, and what was taken up apart."""
    entry.note(
        source=result.source,
        received=result.received.isoformat(),
        committed=result.committed,
        files={
            status: sum(file.status == status for file in result.files)
            for status in ("accepted", "duplicate", "refused", "unrecognised")
        },
        rows={
            name: sum(getattr(file, name) or 0 for file in result.files)
            for name in ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
        },
        taken_up=sum((file.accepted or 0) + (file.duplicate or 0) for file in result.taken_up),
        refused=[file.error for file in result.refused],
        left=list(result.left),
        late=list(result.late),
    )


def _check_moments(received: dt.date, ingested_at: dt.datetime | None) -> None:
    """Refuse what cannot have happened yet: a slip of the pen in the log could not be taken back."""
    now = utc_now()
    if received > now.date() + dt.timedelta(days=1):  # a day, because somewhere it is tomorrow
        raise UsageError(
            "the received date lies in the future", where=received.isoformat(), mend="give the day on which they came"
        )
    if ingested_at is not None and ingested_at > now:
        raise UsageError(
            "the moment of learning lies in the future",
            where=ingested_at.isoformat(),
            mend="leave it out, or correct it",
        )


def _scan(settings: Settings, profile: Profile, received: dt.date, drop: Path | None) -> list[tuple[str, Path]]:
    folder = drop if drop is not None else settings.inbox / profile.source / received.isoformat()
    if drop is not None and not drop.is_dir():
        what = "the drop folder is a file" if drop.exists() else "the drop folder does not exist"
        raise UsageError(what, where=str(drop), mend="give the folder that holds the delivered files")
    if drop is None and folder.is_symlink():
        raise DataError("the folder of this date is a link", where=str(folder), mend="put the files into a real folder")
    found = landing.scan(folder) if folder.is_dir() else []
    if drop is not None and not found:
        raise UsageError(
            "the drop folder holds no file", where=str(drop), mend="give the folder that holds the delivered files"
        )
    required = [spec for spec in profile.files if spec.required]
    names = [name for delivered in found for name in landing.delivered_names(*delivered)] if required else []
    before: list[str] = []
    if names:  # an erasure can have taken a file of this day out of the inbox
        day = received.isoformat()
        log = lake.read(settings)
        before = [
            delivery["file"]
            for delivery in log.deliveries()
            if (delivery["source"], delivery["received"]) == (profile.source, day)
        ]
    # Corrected rows of earlier deliveries need nothing beside them.
    delivered = [name for name in names if not any(spec.is_corrected(name) for spec in profile.files)]
    lacking = [spec for spec in required if delivered and not any(map(spec.takes, (*names, *before)))]
    if lacking:
        raise missing(", ".join(f"{spec.name} ({spec.pattern})" for spec in lacking), str(folder))
    if required and not found:
        overdue = late(profile, lake.read(settings), received, [spec.name for spec in required])
        if overdue:
            raise missing("; ".join(overdue.values()), str(folder))
    return found


@dataclass(frozen=True)
class _Partition:
    """All that a run is about, once the config is loaded and the lock is held."""

    settings: Settings
    home: Settings
    profile: Profile
    suites: Suites
    received: dt.date
    unpacked: Path
    dry_run: bool
    job: Job
    refusals: Refusals
    say: Callable[[str], None]


@dataclass
class _Sorted:
    """What came: files to process, files whose fate is known already, and what is left alone."""

    deliveries: list[tuple[Delivery, FileSpec]] = field(default_factory=list)
    settled: list[FileResult] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def _ingest(partition: _Partition, found: list[tuple[str, Path]]) -> IngestResult:
    job, profile = partition.job, partition.profile
    watch = DriftWatch(profile, job.contracts, job.log, partition.refusals)
    came = _sort_out(partition, found, watch)
    judged: list[dict[str, Any]] = []
    order = feed_order(profile, partition.suites)
    for folder in (job.folders.lake, job.folders.quarantine):
        folder.mkdir(parents=True, exist_ok=True)
    done, verdicts = Batch(), None
    if came.deliveries:
        readable = {job.lake, job.folders.lake, job.folders.quarantine, partition.home.landing, partition.unpacked}
        with workspace(partition.home, job.run_id, *readable) as space:
            judge = watch.judge(judge_by_suites(partition.suites, job.contracts, partition.refusals, judged))
            done = process(space, job, profile, came.deliveries, judge, order, partition.say)
            if done.verdicts:
                listed = ", ".join(map(literal, done.verdicts))
                kept = f"verdicts/{job.run_id}.parquet"
                select = f"from read_parquet([{listed}])"
                verdicts = lake.keep(space.con, select, partition.home, space.folder, kept)
    _refuse_copies(profile, done.results, came.settled)
    results = (*done.results, *came.settled)
    watch.finish(results)
    _mark_anew(partition, results)
    committed = any(result.status == "accepted" or result.anew for result in results)
    lacking = undelivered(profile, job.log, partition.received, results)
    unheard = lacking if results else [spec.name for spec in profile.files]
    overdue = tuple(late(profile, job.log, partition.received, unheard).values())
    moved = Moved()
    told = committed or any(result.status != "duplicate" for result in results)
    hash_now = profile_hash(partition.settings, profile.source)
    mended = {
        (result.delivery_id, result.feed)
        for result in results
        if result.held
        and result.feed
        and job.log.judged_by(profile.source, result.delivery_id, result.feed) != hash_now
    }
    if told or mended:
        entry = _entry(partition, done, results) | {
            "feed_order": order,
            "verdicts": verdicts,
            "undelivered": lacking,
            "late": overdue,
            "checks": None if partition.dry_run else _keep_checks(partition.settings, job.run_id, judged),
        }
        so_far = lake.Log((*job.log.commits, {"seq": job.log.last + 1, **entry}))
        judge = judge_by_suites(partition.suites, job.contracts, Refusals())
        anew = Anew(profile.source, frozenset(mended), hash_now) if mended else None
        moved = take_up(replace(job, log=so_far), partition.suites, judge, partition.say, anew)
        moved.add_to(entry)
        committed = committed or bool(moved.results)
        for result in results:
            result.held -= moved.rows(result.delivery_id, result.feed) if result.held else 0
        if (told or moved.results) and not partition.dry_run:
            lake.commit(partition.settings, job.log, entry)
    return IngestResult(
        job.run_id,
        profile.source,
        partition.received,
        committed and not partition.dry_run,
        results,
        tuple(came.ignored),
        tuple(came.left),
        tuple(result for _, result in moved.results),
        tuple(lacking),
        overdue,
    )


def _sort_out(partition: _Partition, found: list[tuple[str, Path]], watch: DriftWatch) -> _Sorted:
    """Land what came and say of each file what it is: new, a repeat, refused, unknown, ignored, not finished yet."""
    profile, received, job = partition.profile, partition.received, partition.job
    came = _Sorted()
    taken = job.log.taken(profile.source)
    gone = job.log.erased & taken.keys()
    dropped: list[tuple[str, Path]] = []
    for source_file, path in found:
        if _is_ignored(profile, source_file):
            came.ignored.append(source_file)
        else:
            dropped.append((source_file, path))
    outcomes = landing.land(partition.home, profile.source, received, dropped, profile.limits, partition.unpacked, gone)
    for (source_file, _), landed in zip(dropped, outcomes, strict=True):
        if isinstance(landed, landing.StillChanging):
            came.left.append(str(landed))
            continue
        if isinstance(landed, DataError):
            delivery_id = getattr(landed, "delivery_id", "")
            came.settled.append(_settled(source_file, delivery_id, received, None, "refused", str(landed)))
            continue
        for delivery in landed:
            if _is_ignored(profile, delivery.source_file):
                came.ignored.append(delivery.label)
            else:
                _sort_in(partition, delivery, taken.setdefault(delivery.delivery_id, {}), came, watch)
    return came


def _sort_in(
    partition: _Partition, delivery: Delivery, taken: dict[str, str], came: _Sorted, watch: DriftWatch
) -> None:
    """Say of a file what it is for each entry that takes it.

    Args:
        taken: What its content was accepted for before, or is taken for in this run: label -> id of the delivery.
    """
    profile, received, job = partition.profile, partition.received, partition.job
    specs = profile.specs_of(delivery.source_file)
    labels = [profile.label(spec) for spec in specs]
    fault, status = None, "refused"
    if not specs and not taken:
        fault, status = (
            DataError(
                "no entry of the source's profile takes this file",
                where=delivery.label,
                mend="add an entry, or an ignore pattern with its reason, to source.yml",
            ),
            "unrecognised",
        )
    elif twice := [spec for spec in specs if labels.count(profile.label(spec)) > 1]:
        fault = DataError(
            f"entries {' and '.join(spec.name for spec in twice)} both take this file for {profile.label(twice[0])}",
            where=delivery.label,
            mend="narrow a pattern in source.yml: a file is taken by several entries if each gives another feed",
        )
    if fault:
        came.settled.append(_settled(delivery.source_file, delivery.delivery_id, received, None, status, str(fault)))
        return
    if not specs:
        came.settled.append(_settled(delivery.source_file, delivery.delivery_id, received, None, "duplicate", None))
    for spec, label in zip(specs, labels, strict=True):
        if label in taken:
            repeat = _settled(delivery.source_file, taken[label], received, spec, "duplicate", None)
            came.settled.append(repeat)
            if spec.feed is not None:
                repeat.delivery = spec.delivery_of(delivery.source_file, job.contracts[spec.feed])
                repeat.held = job.log.held(profile.source, taken[label], label)
                watch.repeated(replace(delivery, delivery_id=taken[label]), spec)
            continue
        use = delivery
        if taken:  # for another feed: this entry's rows, counts and quarantine are its own
            use = landing.another(partition.home, delivery, f"{delivery.delivery_id}~{spec.name}")
        if not use.payload.exists():
            gone = DataError(
                "values of a person were erased from this file, so that its bytes are not kept",
                where=delivery.label,
                mend=f"deliver a copy without these values, to be taken by {spec.name}",
            )
            came.settled.append(_settled(delivery.source_file, use.delivery_id, received, spec, "refused", str(gone)))
            continue
        taken[label] = use.delivery_id
        came.deliveries.append((use, spec))


def _entry(partition: _Partition, done: Batch, results: Sequence[FileResult]) -> dict[str, Any]:
    """The commit of a run, in the making."""
    job, source = partition.job, partition.profile.source
    return {
        "kind": "ingest",
        "run_id": job.run_id,
        "source": source,
        "received": partition.received.isoformat(),
        "ingested_at": job.at.isoformat(sep=" ", timespec="microseconds"),
        "code_version": code_version(),
        "user": partition.settings.user,
        "profile_hash": profile_hash(partition.settings, source),
        "contract_hashes": {feed: job.contracts[feed].hash for feed in partition.suites},
        "suite_hashes": {feed: suite.hash for feed, suite in partition.suites.items()},
        "files": done.files,
        "quarantine": done.quarantine,
        "overrides": partition.refusals.used,
        "deliveries": [asdict(result) | {"source": source} for result in results],
        "decisions": None,
    }


def _is_ignored(profile: Profile, source_file: str) -> bool:
    return profile.ignores(source_file) is not None and not profile.specs_of(source_file)


def _refuse_copies(profile: Profile, read: Sequence[FileResult], settled: Sequence[FileResult]) -> None:
    """A copy of a file that was refused in this very run is no duplicate: nothing of it was taken."""
    references = {spec.name for spec in profile.references}

    def use(result: FileResult) -> tuple[str, str | None]:
        return result.delivery_id, result.entry if result.entry in references else result.feed

    refused = {use(result): result for result in read if result.status == "refused"}
    for result in settled:
        first = refused.get(use(result))
        if first and result.status == "duplicate":
            fault = DataError(
                f"the content is that of {first.file}, which was refused",
                where=result.file,
                mend="mend that one; where this file is to be read otherwise, deliver it without the other",
            )
            result.status, result.error = "refused", str(fault)


def _mark_anew(partition: _Partition, results: Sequence[FileResult]) -> None:
    """Mark repeats that tell something new: of a snapshot on another day, or of what had come earlier than known."""
    log, source = partition.job.log, partition.profile.source
    for result in results:
        if result.status == "duplicate" and result.feed is not None:
            heard = [*log.of_feed(result.feed), asdict(result) | {"source": source}]
            now = lake.KnownReceipts(lake.receipts_of(heard))
            result.anew = bool(now.changes(log.told(partition.settings, result.feed)))


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
    write_json(path, judged)
    return f"checks/{path.name}"
