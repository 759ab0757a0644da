"""Bring the files of a source into its inbox from where they are left: a folder, S3-compatible storage or SFTP.

The place is listed, what is new is copied to the folder of its received date, and ``ingest`` takes it from there. A
copy appears under its name when it is whole. What was fetched is remembered by size and by etag or time of writing.
Nothing is ever written or deleted at the place itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dealermart.base import LockError, Settings, alone, record_run, sync, utc_now
from dealermart.config import Origin, Profile, load_contracts, load_profile
from dealermart.landing.crm import Asked, pull_crm
from dealermart.landing.inbox import QUIET_SECONDS, company_today, dated_place
from dealermart.landing.places import Found, Place, place_of
from dealermart.landing.store import has, scan


@dataclass(frozen=True)
class FetchResult:
    """What came, as (received date, path in that date's folder), and what was left for the next time, with reasons."""

    fetched: tuple[tuple[dt.date, str], ...] = ()
    left: tuple[str, ...] = ()


def fetch(
    settings: Settings,
    source: str,
    options: dict[str, Any] | None = None,
    say: Callable[[str], None] = lambda text: None,
    asked: Asked | None = None,
) -> FetchResult:
    """Fetch what is new for a source; without ``from`` or ``crm`` in its profile, sort what lies undated in its inbox.

    The received date is that of the folder where the folder is named by a date, else today's in the company's time
    zone. What was cut off goes on where it was with the next call.

    Args:
        options: How the storage is entered, as fsspec takes it, or how the CRM is; by default from the environment.
        asked: Of a CRM: what is to be read besides what is due.

    Raises:
        ConfigError: the profile is broken, or a package is missing. FetchError: the place does not answer.
        LockError: this source is being fetched at this moment.
    """
    profile = load_profile(settings, source, load_contracts(settings))
    lock_file = settings.arrivals / f"{source}.lock"
    busy = LockError(f"{source} is being fetched at this moment", where=str(lock_file), mend="wait for it to end")
    with alone(lock_file, busy), record_run(settings, "fetch", source=source) as entry:
        if profile.crm is not None:
            pulled = pull_crm(settings, profile, company_today(settings), options, asked or Asked(), say)
            entry.note(calls=pulled.calls)
            result = FetchResult(pulled.files)
        elif profile.origin is None:
            result = _sort_in(settings, profile, say)
        else:
            result = _Fetch(settings, profile, profile.origin, say).run(place_of(source, profile.origin, options))
        entry.note(source=source, files=len(result.fetched), left=list(result.left))
        return result


def options_of(login: str | None, password: str | None, extra: dict[str, Any]) -> dict[str, Any]:
    """A connection as schedulers keep it, in the words of fsspec."""
    entry = {"username": login, "password": password}
    return {name: value for name, value in entry.items() if value} | extra


class _Fetch:
    def __init__(self, settings: Settings, profile: Profile, origin: Origin, say: Callable[[str], None]) -> None:
        self.settings, self.profile, self.origin, self.say = settings, profile, origin, say
        self.inbox = settings.inbox / profile.source
        self.memory = settings.arrivals / f"{profile.source}.fetched.jsonl"

    def run(self, place: Place) -> FetchResult:
        known, today = self._known(), company_today(self.settings)
        fetched: list[tuple[dt.date, str]] = []
        left: list[str] = []
        for file in sorted(place.all(), key=lambda found: found.path):
            if known.get(file.path) == [file.size, file.stamp]:
                continue
            received, name = dated_place(file.path, today)
            if self._is_never_fetched(name):
                continue
            if reason := self._why_not_now(file, name) or self._fetch(place, file, received, name):
                left.append(f"{file.path}: {reason}")
            else:
                fetched.append((received, name))
                self.say(f"{received} {name}")
        return FetchResult(tuple(fetched), tuple(left))

    def _is_never_fetched(self, name: str) -> bool:
        """Whether it is hidden, which is how other programs stage what is not finished yet, or ignored."""
        hidden = any(step.startswith(".") and step != ".." for step in PurePosixPath(name).parts)
        return hidden or (self.profile.ignores(name) is not None and not self.profile.specs_of(name))

    def _why_not_now(self, file: Found, name: str) -> str | None:
        path = PurePosixPath(name)
        if ".." in path.parts or path.is_absolute() or not name.isprintable():
            return "its name leads out of the folder or cannot be written; it is not fetched"
        now = utc_now().replace(tzinfo=dt.UTC).timestamp()
        if file.written is not None and now - file.written < self.origin.quiet_seconds:
            return f"written to less than {self.origin.quiet_seconds} seconds ago; left for the next time"
        return None

    def _fetch(self, place: Place, file: Found, received: dt.date, name: str) -> str | None:
        folder = self.inbox / received.isoformat()
        draft = self.inbox / f".{uuid.uuid4().hex}"
        self.inbox.mkdir(parents=True, exist_ok=True)
        try:
            digest, size = hashlib.sha256(), 0
            with draft.open("wb") as out:
                for piece in place.read(file.path):
                    if size > file.size:
                        break
                    digest.update(piece)
                    size += len(piece)
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            if size != file.size or place.again(file.path) != file:
                return "written to while it was fetched; left for the next time"
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._may_replace(target, received, digest.hexdigest()):
                return f"an earlier {name} of {received} still waits to be ingested; left for the next time"
            os.replace(draft, target)
            sync(target.parent)
        finally:
            draft.unlink(missing_ok=True)
        self._remember(file, received)
        return None

    def _may_replace(self, target: Path, received: dt.date, sha256: str) -> bool:
        """Whether nothing is lost when ``target`` gives way: it is the same content, or landed already."""
        if not target.exists():
            return True
        with target.open("rb") as content:
            there = hashlib.file_digest(content, "sha256").hexdigest()
        return there == sha256 or has(self.settings, self.profile.source, received, there)

    def _known(self) -> dict[str, list[Any]]:
        """Size and stamp of what was fetched, by path; a last line that a death cut off does not count."""
        known: dict[str, list[Any]] = {}
        if self.memory.exists():
            for line in self.memory.read_text("utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    known[entry["path"]] = [entry["size"], entry["stamp"]]
                except (ValueError, KeyError, TypeError):
                    continue
        return known

    def _remember(self, file: Found, received: dt.date) -> None:
        self.memory.parent.mkdir(parents=True, exist_ok=True)
        line = {"path": file.path, "size": file.size, "stamp": file.stamp, "received": received.isoformat()}
        with self.memory.open("a", encoding="utf-8") as out:
            out.write("\n" + json.dumps(line, ensure_ascii=False))  # a new line first: the one before may be cut off


def _sort_in(settings: Settings, profile: Profile, say: Callable[[str], None]) -> FetchResult:
    """Move what lies in the inbox outside the folders of dates into the folder of today."""
    root, today = settings.inbox / profile.source, company_today(settings)
    latest = utc_now().replace(tzinfo=dt.UTC).timestamp() - QUIET_SECONDS
    moved: list[tuple[dt.date, str]] = []
    left: list[str] = []
    for name, path in scan(root) if root.is_dir() else []:
        received, inside = dated_place(name, today)
        if (received, inside) != (today, name):
            continue  # in a folder of a date
        target = root / today.isoformat() / name
        if os.lstat(path).st_mtime > latest:
            left.append(f"{name}: written to less than {QUIET_SECONDS} seconds ago; left for the next time")
        elif target.exists():
            left.append(f"{name}: there is one of this name for {today} already; left for the next day")
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
            moved.append((today, name))
            say(f"{today} {name}")
    return FetchResult(tuple(moved), tuple(left))
