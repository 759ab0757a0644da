"""The lake and its log.

``log/00000001.json`` and so on are commits: each names the lake files that one run added, what became of every
delivery, and where the verdicts on single rows stand. A lake file that no commit names does not exist for any reader.
A compaction is a commit as well: it brings no rows and names, for each of its files, those that it ``replaces``.
The log is the manifest of the lake and the decision log in one; the lake can be rebuilt from it and from landing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dealermart import files
from dealermart.contracts import PROVENANCE, Contract
from dealermart.errors import DataError
from dealermart.settings import Settings

_MEND_LOG = "restore log/ from its backup; it is the truth that all else is built from"
# Kinds of commits that bring nothing to know: one moves rows, the other takes values of a person from them.
COMPACT, ERASE = "compact", "erase"
# Of lake files, in SQL. The encodings of the second version are written and read a quarter faster, and are smaller.
FORMAT = "format parquet, compression zstd, parquet_version v2"

LEDGER = {
    "delivery_id": "varchar",
    "source": "varchar",
    "source_file": "varchar",
    "feed": "varchar",
    "received_date": "date",
    "ingested_at": "timestamp",
    "status": "varchar",
    "records": "bigint",
    "structural": "bigint",
    "rejected": "bigint",
    "mapped": "bigint",
    "accepted": "bigint",
    "quarantined": "bigint",
    "duplicate": "bigint",
}


@dataclass(frozen=True)
class Receipt:
    """That a source delivered a file on a day: at first, or once more with the same content.

    Attributes:
        entry: Which of the source's kinds of file it is; None in logs that did not keep it.
        delivery: append, delta or snapshot, as contract and profile said when it came.
        is_repeat: Whether the content was taken before.
    """

    source: str
    delivery_id: str
    entry: str | None
    delivery: str | None
    received: str
    is_repeat: bool

    @property
    def id(self) -> tuple[str, str]:
        return self.source, self.delivery_id


@dataclass(frozen=True)
class Told:
    """What deliveries tell of a feed besides their rows.

    Attributes:
        receipts: Every receipt of a delivery that was taken, in any order.
        withheld: Files with the keys of snapshots' rows that are in quarantine: such a key is there all the same.
    """

    receipts: tuple[Receipt, ...] = ()
    withheld: tuple[Path, ...] = ()

    @property
    def snapshots(self) -> list[Receipt]:
        return [one for one in self.receipts if one.delivery == "snapshot"]

    @property
    def received(self) -> dict[tuple[str, str], str]:
        """The received date that counts, by source and delivery.

        It is the earliest, because the same content again changes nothing; of a snapshot it is the latest, because a
        snapshot says what there is on its day.
        """
        whole = {one.id for one in self.snapshots}
        found: dict[tuple[str, str], str] = {}
        for one in self.receipts:
            if one.delivery == "snapshot" or one.id not in whole:
                best = max if one.id in whole else min
                found[one.id] = best(found.get(one.id, one.received), one.received)
        return found

    def changes(self, before: Told) -> set[tuple[str, str]]:
        """Source and delivery of rows that can count otherwise than ``before``, although they lay in the lake then."""
        known = {(one.source, one.entry, one.received, one.delivery_id) for one in before.snapshots}
        kinds = {
            (one.source, one.entry)
            for one in self.snapshots
            if (one.source, one.entry, one.received, one.delivery_id) not in known
        }
        then, lain = before.received, {one.id for one in before.receipts}
        moved = {key for key, day in self.received.items() if key in then and then[key] != day}
        return moved | {one.id for one in self.receipts if (one.source, one.entry) in kinds and one.id in lain}


def receipts(deliveries: Sequence[dict[str, Any]]) -> tuple[Receipt, ...]:
    """The receipts among the deliveries of one feed as the log keeps them: of what was accepted, and of its repeats."""
    taken = {(one["source"], one["delivery_id"]): one.get("entry") for one in deliveries if one["status"] == "accepted"}
    return tuple(
        Receipt(
            one["source"],
            one["delivery_id"],
            one.get("entry"),
            one.get("delivery"),
            one["received"],
            one["status"] == "duplicate",
        )
        for one in deliveries
        # Content that comes as another kind of file than it was taken for says nothing about either.
        if one["status"] in ("accepted", "duplicate")
        and taken.get((one["source"], one["delivery_id"]), "") == one.get("entry")
    )


@dataclass(frozen=True)
class Log:
    """The commits of a lake up to some point, oldest first."""

    commits: tuple[dict[str, Any], ...]

    @property
    def last(self) -> int:
        return self.commits[-1]["seq"] if self.commits else 0

    @property
    def ingested_at(self) -> str | None:
        """The latest moment at which anything was learnt (ISO, UTC), or None for an empty lake."""
        return max((commit["ingested_at"] for commit in self.commits if "ingested_at" in commit), default=None)

    @property
    def received(self) -> str | None:
        """The latest date on which something was received that tells anything (ISO), or None if nothing ever was."""
        dates = (
            commit["received"]
            for commit in self.commits
            if any(one["status"] == "accepted" or one.get("anew") for one in commit["deliveries"])
        )
        return max(dates, default=None)

    @property
    def news(self) -> int:
        """Number of the last commit that brought anything."""
        return max((commit["seq"] for commit in self.commits if commit["kind"] not in (COMPACT, ERASE)), default=0)

    @cached_property
    def current(self) -> dict[str, str]:
        """Path inside the lake -> feed (or reference, as ``source.name``) of the files that hold these commits' rows.

        Of a part of the log (``after``) a compacted file is named that holds rows of it beside others.
        """
        found: dict[str, str] = {}
        for commit in self.commits:
            for one in commit["files"]:
                replaced = [path for path in one.get("replaces", ()) if path in found]
                for path in replaced:
                    del found[path]
                if replaced or "replaces" not in one:
                    found[one["path"]] = one["feed"]
        return found

    @property
    def replaced(self) -> set[str]:
        """Paths of files whose rows a compaction wrote anew."""
        return {path for commit in self.commits for one in commit["files"] for path in one.get("replaces", ())}

    def files(self, feed: str) -> list[str]:
        """The files of a feed, as paths inside the lake."""
        return [path for path, name in self.current.items() if name == feed]

    def paths(self, settings: Settings, feed: str) -> list[Path]:
        """The lake files of a feed (or of a reference, as ``source.name``)."""
        return [settings.lake / path for path in self.files(feed)]

    def deliveries(self) -> list[dict[str, Any]]:
        return [one | {"ingested_at": commit["ingested_at"]} for commit in self.commits for one in commit["deliveries"]]

    @cached_property
    def _by_feed(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.deliveries():
            found.setdefault(one["feed"], []).append(one)
        return found

    def of_feed(self, feed: str) -> list[dict[str, Any]]:
        """The deliveries of one feed."""
        return self._by_feed.get(feed, [])

    def taken(self, source: str) -> set[str]:
        """Ids of the deliveries of a source that were accepted; the same content again changes nothing."""
        return {
            one["delivery_id"] for one in self.deliveries() if one["source"] == source and one["status"] == "accepted"
        }

    @property
    def erased(self) -> set[str]:
        """Ids of deliveries of which landing does not hold the bytes any more."""
        return {one[2] for commit in self.commits for one in commit.get("erased", ())}

    def told(self, settings: Settings, feed: str) -> Told:
        """What deliveries told of a feed."""
        return Told(receipts(self.of_feed(feed)), tuple(self.paths(settings, withheld(feed))))

    @property
    def has_news(self) -> bool:
        """Whether anything is told that was not before: by a delivery, or by rows that left the quarantine."""
        return any(
            one["status"] in ("accepted", "taken_up", "released") or one.get("anew") for one in self.deliveries()
        )

    def until(self, moment: str) -> Log:
        """What was learnt by a moment (ISO, UTC)."""
        return Log(tuple(commit for commit in self.commits if commit.get("ingested_at", "") <= moment))

    def after(self, seq: int) -> Log:
        return Log(tuple(commit for commit in self.commits if commit["seq"] > seq))

    def before(self, seq: int) -> Log:
        """The log as it stood when ``seq`` was its last commit."""
        return Log(tuple(commit for commit in self.commits if commit["seq"] <= seq))


def read(settings: Settings) -> Log:
    """The log as it stands.

    Raises:
        DataError: a commit is missing or cannot be read.
    """
    commits: list[dict[str, Any]] = []
    for path in sorted(settings.log.glob("[0-9]*.json")):
        try:
            commits.append(json.loads(path.read_text("utf-8")))
            found = commits[-1]["seq"]
        except (ValueError, TypeError, KeyError):
            raise DataError("the commit cannot be read", where=str(path), mend=_MEND_LOG) from None
        if found != len(commits):
            raise DataError(f"commit {len(commits)} of the log is missing", where=str(settings.log), mend=_MEND_LOG)
    return Log(tuple(commits))


def recover(settings: Settings) -> None:
    """Finish or undo what a killed run left half done: of the old and the new state one is always whole."""
    shutil.rmtree(settings.work, ignore_errors=True)  # of runs that were killed: who holds the lock is alone
    _recover_pending(settings)
    old, new = settings.home / "lake.old", settings.home / "rebuild"
    for current in (settings.quarantine, settings.lake):
        for candidate in (new / current.name, old / current.name):
            if old.exists() and not current.exists() and candidate.exists():
                os.rename(candidate, current)


def plan(settings: Settings, run_id: str, moves: dict[Path, Path], removes: Iterable[Path]) -> None:
    """Write down what is to be done with files once the commit of a run stands: ``recover`` does it.

    Args:
        moves: Path below ``settings.pending`` -> path whose place it takes.
    """
    steps = {
        "run_id": run_id,
        "moves": [[str(one.relative_to(settings.home)) for one in pair] for pair in moves.items()],
        "removes": [str(path.relative_to(settings.home)) for path in removes],
    }
    files.write_json(settings.pending / _STEPS, steps)


_STEPS = "steps.json"


def _recover_pending(settings: Settings) -> None:
    """Do what ``plan`` wrote down, if the commit that it belongs to stands; otherwise it was never meant to be."""
    if not settings.pending.exists():
        return
    steps = settings.pending / _STEPS
    planned: dict[str, Any] = json.loads(steps.read_text("utf-8")) if steps.exists() else {}
    if planned and any(commit["run_id"] == planned["run_id"] for commit in read(settings).commits):
        for names in planned["moves"]:
            made, place = (settings.home / name for name in names)
            if made.exists():  # otherwise it was moved before
                _remove(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.rename(made, place)
        for name in planned["removes"]:
            _remove(settings.home / name)
    steps.unlink(missing_ok=True)
    shutil.rmtree(settings.pending)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def commit(settings: Settings, log: Log, entry: dict[str, Any]) -> Log:
    """Make a run visible, in one step. The caller holds the lock and has synced every file that the entry names."""
    entry = {"seq": log.last + 1, **entry}
    files.write_json(settings.log / f"{entry['seq']:08d}.json", entry, exclusive=True)
    return Log((*log.commits, entry))


def withheld(feed: str) -> str:
    """Under which name the log lists the keys of snapshots' rows that are in quarantine."""
    return f"{feed}#withheld"


def rows_sql(contract: Contract, paths: Iterable[Path], told: Told | None = None, more: str | None = None) -> str:
    """SELECT of the lake rows of a feed from an explicit list of files; without files, no rows of the right types.

    With ``told`` their ``_received_date`` is that of the delivery, whichever of its receipts was loaded first, and
    ``_gone_date`` is the day of the first later snapshot of the same kind that lacks the row's key.

    Args:
        more: SELECT of rows that come to them.
    """
    stored = typed_sql(contract.lake_columns, paths, more)
    rows = f"select * replace (coalesce(_is_deleted, false) as _is_deleted) from ({stored})"
    if told is None:
        return rows
    first = {one.id: one.received for one in told.receipts if not one.is_repeat}
    moved = [(*key, day) for key, day in told.received.items() if first.get(key) != day]
    if moved:
        rows = f"""
            select rows.* replace (coalesce(cast(moved.received as date), rows._received_date) as _received_date)
            from ({rows}) as rows
            left join ({_values(("source", "delivery_id", "received"), moved)}) as moved
                on rows._source = moved.source and rows._delivery_id = moved.delivery_id
        """
    return _gone_sql(contract, rows, told.snapshots, told.withheld) if told.snapshots else rows


def _gone_sql(contract: Contract, rows: str, snapshots: Iterable[Receipt], withheld: Iterable[Path]) -> str:
    """``rows`` with the ``_gone_date`` that snapshots give them."""
    keys = [quoted(name) for name in contract.key]
    key = ", ".join(keys)
    listed = [(one.source, one.delivery_id, str(one.entry), one.received) for one in snapshots]
    receipt = _values(("_source", "_delivery_id", "_entry", "_received"), dict.fromkeys(listed))
    types = {name: kind for name, kind in contract.lake_columns.items() if name in contract.key}
    hidden = typed_sql({**types, "_source": "varchar", "_delivery_id": "varchar"}, withheld)
    unknown = " or ".join(f"{name} is null" for name in keys)
    return f"""
        with lake_row as materialized ({rows}),
        receipt as (select * exclude (_received), cast(_received as date) as _day from ({receipt})),
        kind as (select _source, _delivery_id, _entry, max(_day) as _day from receipt group by all),
        hidden as materialized (select * from ({hidden}) semi join receipt using (_source, _delivery_id)),
        -- A row in quarantine whose key is not known may be any row: its snapshot is not the whole, and ends nothing.
        partial as (
            select distinct _source, _entry, _day from hidden join receipt using (_source, _delivery_id) where {unknown}
        ),
        snapshot as (
            select _source, _entry, _day, min(_whole_day) over (
                partition by _source, _entry order by _day rows between 1 following and unbounded following
            ) as _next_day
            from (
                select _source, _entry, _day, case when partial._day is null then _day end as _whole_day
                from (select distinct _source, _entry, _day from receipt)
                left join partial using (_source, _entry, _day)
            )
        ),
        present as (
            select distinct {key}, _source, _entry, _day
            from (
                select {key}, _source, _delivery_id from lake_row
                union all
                select {key}, _source, _delivery_id from hidden where not ({unknown})
            )
            join receipt using (_source, _delivery_id)
        ),
        followed as (
            select {key}, _source, _entry, _day, snapshot._next_day,
                lead(_day) over (partition by {key}, _source, _entry order by _day) as _next_present
            from present join snapshot using (_source, _entry, _day)
        ),
        gone as (
            select {key}, _source, _entry, _day, min(
                case when _next_present is null or _next_day < _next_present then _next_day end
            ) over (
                partition by {key}, _source, _entry order by _day rows between current row and unbounded following
            ) as _gone_date
            from followed
        )
        select lake_row.* replace (gone._gone_date as _gone_date)
        from lake_row
        left join kind using (_source, _delivery_id)
        left join gone using ({key}, _source, _entry, _day)
    """


def _values(names: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """SELECT of rows of texts."""
    listed = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    return f"select * from (values {listed}) as listed({', '.join(names)})"


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


def current_sql(contract: Contract, paths: Iterable[Path], told: Told | None = None, more: str | None = None) -> str:
    """SELECT of the row that holds per key: what is known of a feed after the given files.

    A key whose winner is a deletion has none, and neither has one that a later snapshot lacks; a row that holds from a
    day to a day ends on that snapshot's day instead.
    """
    key = ", ".join(quoted(name) for name in contract.key)
    version = f"{quoted(contract.version)} desc nulls last, " if contract.version else ""
    order = f"{version}_received_date desc, _delivery_id desc, _row_number desc, _row_part desc, _source desc"
    names = ", ".join(quoted(name) for name in contract.lake_columns)
    rank = f"row_number() over (partition by {key} order by {order})"
    holds, ended = "_gone_date is null", ""
    if contract.valid_to:
        end = quoted(contract.valid_to)
        holds = f"({holds} or _gone_date > {quoted(str(contract.valid_from))})"
        ended = f"replace (least({end}, _gone_date) as {end})"
    ranked = f"select *, {rank} as _rank from ({rows_sql(contract, paths, told, more)})"
    return f"select {names} from (select * {ended} from ({ranked}) where _rank = 1 and not _is_deleted and {holds})"


def stray_files(settings: Settings, log: Log) -> list[Path]:
    """Files in the lake that no commit names: left by a run that was killed, read by nobody."""
    named = {settings.lake / one["path"] for commit in log.commits for one in commit["files"]}
    return [path for path in sorted(settings.lake.rglob("*.parquet")) if path not in named]


def missing_files(settings: Settings, log: Log) -> list[Path]:
    """Files that hold rows of the log and are not there."""
    return [path for one in log.current if not (path := settings.lake / one).exists()]


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


__all__ = [
    "LEDGER",
    "PROVENANCE",
    "Log",
    "Receipt",
    "Told",
    "commit",
    "current_sql",
    "literal",
    "missing_files",
    "quoted",
    "read",
    "receipts",
    "rows_sql",
    "stray_files",
    "typed_sql",
    "withheld",
]
