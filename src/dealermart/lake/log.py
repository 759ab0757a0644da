"""The lake and its log.

``log/00000001.json`` and so on are commits: each names the lake files that one run added, what became of every
delivery, and where the verdicts on single rows stand. A lake file that no commit names does not exist for any reader.
A compaction is a commit as well: it brings no rows and names, for each of its files, those that it ``replaces``.
The log is the manifest of the lake and the decision log in one; the lake can be rebuilt from it and from landing.
"""

from __future__ import annotations

import gc
import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dealermart.base import DataError, Settings, UsageError, write_json, write_text
from dealermart.lake.told import KnownReceipts, receipts_of, withheld

_MEND_LOG = "restore log/ from its backup; it is the truth that all else is built from"

# Kinds of commits that bring nothing to know: one moves rows, the other takes values of a person from them.
COMPACT, ERASE = "compact", "erase"


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
            if any(delivery["status"] == "accepted" or delivery.get("anew") for delivery in commit["deliveries"])
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
            for file in commit["files"]:
                replaced = [path for path in file.get("replaces", ()) if path in found]
                for path in replaced:
                    del found[path]
                if replaced or "replaces" not in file:
                    found[file["path"]] = file["feed"]
        return found

    @property
    def replaced(self) -> set[str]:
        """Paths of files whose rows a compaction wrote anew."""
        return {path for commit in self.commits for file in commit["files"] for path in file.get("replaces", ())}

    def files(self, feed: str) -> list[str]:
        """The files of a feed, as paths inside the lake."""
        return [path for path, name in self.current.items() if name == feed]

    def paths(self, settings: Settings, feed: str) -> list[Path]:
        """The lake files of a feed (or of a reference, as ``source.name``)."""
        return [settings.lake / path for path in self.files(feed)]

    def deliveries(self) -> list[dict[str, Any]]:
        return [
            delivery | {"ingested_at": commit["ingested_at"], "profile_hash": _profile_of(delivery, commit)}
            for commit in self.commits
            for delivery in commit["deliveries"]
        ]

    @cached_property
    def _by_feed(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for delivery in self.deliveries():
            found.setdefault(delivery["feed"], []).append(delivery)
        return found

    def of_feed(self, feed: str) -> list[dict[str, Any]]:
        """The deliveries of one feed."""
        return self._by_feed.get(feed, [])

    def taken(self, source: str) -> dict[str, dict[str, str]]:
        """What contents of a source were accepted for: content -> feed (or reference) -> id of the delivery.

        The same content for the same feed again changes nothing.
        """
        found: dict[str, dict[str, str]] = {}
        for delivery in self.deliveries():
            if delivery["source"] == source and delivery["status"] == "accepted":
                delivery_id = delivery["delivery_id"]
                found.setdefault(content_of(delivery_id), {})[delivery["feed"]] = delivery_id
        return found

    def judged_by(self, source: str, delivery_id: str, feed: str) -> str | None:
        """The hash of the profile with which a delivery was read, or its rows in quarantine mapped again, for the last
        time; None if it never was."""
        own = [
            delivery["profile_hash"]
            for delivery in self.of_feed(feed)
            if (delivery["source"], delivery["delivery_id"]) == (source, delivery_id) and delivery["profile_hash"]
        ]
        return own[-1] if own else None

    def held(self, source: str, delivery_id: str, feed: str) -> int:
        """How many rows of a delivery are not in the lake."""
        return sum(
            (delivery["rejected"] or 0) + (delivery["quarantined"] or 0)
            for delivery in self.of_feed(feed)
            if (delivery["source"], delivery["delivery_id"]) == (source, delivery_id)
            and delivery["status"] in ("accepted", "taken_up", "released")
        )

    @property
    def erased(self) -> set[str]:
        """Ids of deliveries of which landing does not hold the bytes any more, and the contents that they are."""
        gone = {delivery[2] for commit in self.commits for delivery in commit.get("erased", ())}
        return gone | {content_of(delivery_id) for delivery_id in gone}

    def told(self, settings: Settings, feed: str) -> KnownReceipts:
        """What deliveries told of a feed."""
        return KnownReceipts(receipts_of(self.of_feed(feed)), tuple(self.paths(settings, withheld(feed))))

    @property
    def has_news(self) -> bool:
        """Whether anything is told that was not before: by a delivery, or by rows that left the quarantine."""
        return any(
            delivery["status"] in ("accepted", "taken_up", "released") or delivery.get("anew")
            for delivery in self.deliveries()
        )

    def until(self, moment: str) -> Log:
        """What was learnt by a moment (ISO, UTC)."""
        return Log(tuple(commit for commit in self.commits if commit.get("ingested_at", "") <= moment))

    def after(self, seq: int) -> Log:
        return Log(tuple(commit for commit in self.commits if commit["seq"] > seq))

    def before(self, seq: int) -> Log:
        """The log as it stood when ``seq`` was its last commit."""
        return Log(tuple(commit for commit in self.commits if commit["seq"] <= seq))


def _profile_of(delivery: dict[str, Any], commit: dict[str, Any]) -> str | None:
    """The hash of the profile by which rows were made, as the delivery says or, for a file of the run, its commit."""
    own: str | None = delivery.get("profile_hash")
    return own or (commit.get("profile_hash") if delivery["status"] == "accepted" else None)


def content_of(delivery_id: str) -> str:
    """The content that a delivery is. One content can be several: as a file of another entry it is one of its own."""
    return delivery_id.partition("~")[0]


def read(settings: Settings, *, whole: bool = False) -> Log:
    """The log as it stands. Commits of before come from a copy in one file, as long as their files are unchanged.

    Args:
        whole: Read every commit from its own file, for what looks for damage or builds on every commit.

    Raises:
        DataError: a commit is missing or cannot be read.
    """
    files = sorted(settings.log.glob("[0-9]*.json"))
    commits = [] if whole or len(files) < _NEW_COMMITS else _copied(settings, files)
    for path in files[len(commits) :]:
        try:
            commits.append(json.loads(path.read_text("utf-8")))
            found = commits[-1]["seq"]
        except (ValueError, TypeError, KeyError):
            raise DataError("the commit cannot be read", where=str(path), mend=_MEND_LOG) from None
        if found != len(commits):
            raise DataError(f"commit {len(commits)} of the log is missing", where=str(settings.log), mend=_MEND_LOG)
    return Log(tuple(commits))


def nothing_yet(settings: Settings) -> UsageError:
    """The error of whatever looks for rows in a home into which nothing came yet."""
    return UsageError(
        "nothing was ingested yet",
        where=str(settings.home),
        mend="put files into inbox/<source>/<day> there and run "
        "`dealermart ingest --source <source> --received <day>`; `make demo` shows it on a sample",
    )


# After so many commits all of them are copied together: a file each costs a millisecond to read.
_NEW_COMMITS = 200


def _copy_of(settings: Settings) -> Path:
    """The commits in one file, for speed alone: it may be deleted at any moment."""
    return settings.home / "cache" / "log.json"


def _mark(path: Path) -> list[Any]:
    """What changes when a commit's file does."""
    about = path.stat()
    return [path.name, about.st_size, about.st_mtime_ns]


def _copy(settings: Settings, log: Log) -> None:
    marks = [_mark(path) for path in sorted(settings.log.glob("[0-9]*.json"))]
    with suppress(OSError):  # it goes without; the next time will do
        write_text(_copy_of(settings), json.dumps({"marks": marks, "commits": log.commits}, ensure_ascii=False))


def _copied(settings: Settings, files: list[Path]) -> list[dict[str, Any]]:
    """The commits of the copy, if each of their files is still the one that was copied; otherwise none."""
    collecting = gc.isenabled()
    try:
        gc.disable()  # it would look for circles among what has just been read, again and again: half of the time
        copy = json.loads(_copy_of(settings).read_text("utf-8"))
        commits: list[dict[str, Any]] = copy["commits"]
        is_same = len(copy["marks"]) == len(commits) and copy["marks"] == [
            _mark(path) for path in files[: len(commits)]
        ]
        return commits if is_same else []
    except (OSError, ValueError, TypeError, KeyError):
        return []
    finally:
        if collecting:
            gc.enable()


def commit(settings: Settings, log: Log, entry: dict[str, Any]) -> Log:
    """Make a run visible, in one step. The caller holds the lock and has synced every file that the entry names."""
    entry = {"seq": log.last + 1, **entry}
    write_json(settings.log / f"{entry['seq']:08d}.json", entry, exclusive=True)
    after = Log((*log.commits, entry))
    if after.last % _NEW_COMMITS == 0:
        _copy(settings, after)
    return after


def stray_files(settings: Settings, log: Log) -> list[Path]:
    """Files in the lake that no commit names: left by a run that was killed, read by nobody."""
    named = {settings.lake / file["path"] for commit in log.commits for file in commit["files"]}
    return [path for path in sorted(settings.lake.rglob("*.parquet")) if path not in named]


def missing_files(settings: Settings, log: Log) -> list[Path]:
    """Files that hold rows of the log and are not there."""
    return [path for name in log.current if not (path := settings.lake / name).exists()]
