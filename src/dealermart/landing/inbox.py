"""What lies in the inbox and waits to be ingested: found by looking, told once.

A file counts as new until a run was started for it, or took it, in the size and with the time of writing that it has.
Nothing here opens a file: what is the same content under another name, the ingest says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from dealermart.base import Settings, utc_now, write_json
from dealermart.config import Company, load_yaml
from dealermart.landing.store import scan

QUIET_SECONDS = 30

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

# Path in the date's folder -> size and time of writing (ns).
Seen = dict[str, list[int]]


@dataclass(frozen=True)
class Due:
    """A received date of a source for which a run is to be started; ``mark`` names this very state of its files."""

    source: str
    received: dt.date
    mark: str

    def as_dict(self) -> dict[str, str]:
        return {"source": self.source, "received": self.received.isoformat(), "mark": self.mark}

    @classmethod
    def from_dict(cls, said: dict[str, str]) -> Due:
        return cls(said["source"], dt.date.fromisoformat(said["received"]), said["mark"])


def company_today(settings: Settings) -> dt.date:
    """The date on which what comes now is received: today's, in the company's time zone."""
    zone = ZoneInfo(load_yaml(settings.company_file, Company).time_zone)
    return utc_now().replace(tzinfo=dt.UTC).astimezone(zone).date()


def date_of(name: str) -> dt.date | None:
    """The date that a folder's name says, written 2026-03-02, or None."""
    try:
        return dt.date.fromisoformat(name) if _DATE.fullmatch(name) else None
    except ValueError:
        return None


def dated_place(path: str, received: dt.date) -> tuple[dt.date, str]:
    """Received date and path in that date's folder: a first folder named by a date says it, else it is ``received``."""
    first, *rest = PurePosixPath(path).parts
    said = date_of(first) if rest else None
    return (said, str(PurePosixPath(*rest))) if said else (received, path)


def due(settings: Settings, source: str, quiet_seconds: float = QUIET_SECONDS) -> list[Due]:
    """Dates of a source with files for which no run was started, oldest first.

    A date with a file that was written to just now waits, because more of it may be on its way.
    """
    told = _told(settings, source)
    latest = (utc_now().replace(tzinfo=dt.UTC).timestamp() - quiet_seconds) * 1e9
    found = []
    for received, seen in _inbox(settings, source).items():
        new = {name: state for name, state in seen.items() if told.get(received.isoformat(), {}).get(name) != state}
        if new and all(written <= latest for _, written in new.values()):
            found.append(Due(source, received, _mark(seen)))
    return found


def came(settings: Settings, source: str, received: dt.date) -> Due | None:
    """The state of a date's files just now, for ``tell``; None where nothing lies there."""
    seen = _seen(settings.inbox / source / received.isoformat())
    return Due(source, received, _mark(seen)) if seen else None


def tell(settings: Settings, started: Due) -> None:
    """Note that a run was started for a date, or took it. What has been written since then stays due."""
    root = settings.inbox / started.source
    seen = _seen(root / started.received.isoformat())
    if not seen or _mark(seen) != started.mark:
        return
    told = {date: old for date, old in _told(settings, started.source).items() if (root / date).is_dir()}
    write_json(_file(settings, started.source), told | {started.received.isoformat(): seen})


def _mark(seen: Seen) -> str:
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:12]


def _inbox(settings: Settings, source: str) -> dict[dt.date, Seen]:
    """What every dated folder of a source's inbox holds, by date."""
    root = settings.inbox / source
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    found: dict[dt.date, Seen] = {}
    for folder in folders:
        received = date_of(folder.name)
        if received is not None and (seen := _seen(folder)):
            found[received] = seen
    return found


def _seen(folder: Path) -> Seen:
    """What a folder of a date holds; of a link nothing."""
    seen: Seen = {}
    for name, path in scan(folder) if folder.is_dir() and not folder.is_symlink() else []:
        with suppress(FileNotFoundError):
            state = os.lstat(path)
            seen[name] = [state.st_size, state.st_mtime_ns]
    return seen


def _told(settings: Settings, source: str) -> dict[str, Seen]:
    try:
        return dict(json.loads(_file(settings, source).read_text("utf-8")))
    except FileNotFoundError:
        return {}


def _file(settings: Settings, source: str) -> Path:
    return settings.arrivals / f"{source}.json"
