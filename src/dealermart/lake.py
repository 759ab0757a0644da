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
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dealermart import files
from dealermart.contracts import PROVENANCE, Contract
from dealermart.errors import DataError
from dealermart.settings import Settings

_MEND_LOG = "restore log/ from its backup; it is the truth that all else is built from"
COMPACT = "compact"  # the kind of a commit that is a compaction

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
        """The latest date on which something was received that was taken (ISO), or None if nothing ever was."""
        dates = (
            commit["received"]
            for commit in self.commits
            if any(one["status"] == "accepted" for one in commit["deliveries"])
        )
        return max(dates, default=None)

    @property
    def news(self) -> int:
        """Number of the last commit that brought anything; a compaction only moves rows."""
        return max((commit["seq"] for commit in self.commits if commit["kind"] != COMPACT), default=0)

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

    def taken(self, source: str) -> set[str]:
        """Ids of the deliveries of a source that were accepted; the same content again changes nothing."""
        return {
            one["delivery_id"] for one in self.deliveries() if one["source"] == source and one["status"] == "accepted"
        }

    def until(self, moment: str) -> Log:
        """What was learnt by a moment (ISO, UTC)."""
        return Log(tuple(commit for commit in self.commits if commit.get("ingested_at", "") <= moment))

    def after(self, seq: int) -> Log:
        return Log(tuple(commit for commit in self.commits if commit["seq"] > seq))


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
    """Finish or undo the swap of a rebuild that was cut off: of the old and the new state one is always whole."""
    shutil.rmtree(settings.work, ignore_errors=True)  # of runs that were killed: who holds the lock is alone
    old, new = settings.home / "lake.old", settings.home / "rebuild"
    for current in (settings.quarantine, settings.lake):
        for candidate in (new / current.name, old / current.name):
            if old.exists() and not current.exists() and candidate.exists():
                os.rename(candidate, current)


def commit(settings: Settings, log: Log, entry: dict[str, Any]) -> Log:
    """Make a run visible, in one step. The caller holds the lock and has synced every file that the entry names."""
    entry = {"seq": log.last + 1, **entry}
    files.write_json(settings.log / f"{entry['seq']:08d}.json", entry, exclusive=True)
    return Log((*log.commits, entry))


def rows_sql(contract: Contract, paths: Iterable[Path]) -> str:
    """SELECT of the lake rows of a feed from an explicit list of files; without files, no rows of the right types."""
    return typed_sql(contract.lake_columns, paths)


def typed_sql(columns: dict[str, str], paths: Iterable[Path]) -> str:
    """SELECT of ``columns`` from Parquet files. A column that older files lack is NULL in their rows."""
    listed = [str(path) for path in paths]
    nothing = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in columns.items())
    if not listed:
        return f"select {nothing} where false"
    names = ", ".join(quoted(name) for name in columns)
    files_list = ", ".join(literal(path) for path in listed)
    # The typed empty branch gives columns that a file of an older contract does not have.
    found = f"select * from read_parquet([{files_list}], union_by_name = true)"
    return f"select {names} from (select {nothing} where false union all by name {found})"


def current_sql(contract: Contract, paths: Iterable[Path]) -> str:
    """SELECT of the winning row per key: what is known of a feed after the given files."""
    key = ", ".join(quoted(name) for name in contract.key)
    version = f"{quoted(contract.version)} desc nulls last, " if contract.version else ""
    order = f"{version}_received_date desc, _delivery_id desc, _row_number desc, _row_part desc"
    names = ", ".join(quoted(name) for name in contract.lake_columns)
    rank = f"row_number() over (partition by {key} order by {order})"
    return f"select {names} from (select *, {rank} as _rank from ({rows_sql(contract, paths)})) where _rank = 1"


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
    "commit",
    "current_sql",
    "literal",
    "missing_files",
    "quoted",
    "read",
    "rows_sql",
    "stray_files",
    "typed_sql",
]
