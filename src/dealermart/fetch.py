"""Bring the files of a source into its inbox from where they are left: a folder, S3-compatible storage or SFTP.

The place is listed, what is new is copied to the folder of its received date, and ``ingest`` takes it from there. A
copy appears under its name when it is whole. What was fetched is remembered by size and by etag or time of writing.
Nothing is ever written or deleted at the place itself.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from dealermart import arrivals, contracts, files, landing, profiles, runlog
from dealermart import settings as environment
from dealermart.errors import ConfigError, DealermartError, FetchError, LockError
from dealermart.profiles import Origin, Profile
from dealermart.settings import Settings

_CHUNK = 1 << 20
# A wrong address, name or password is wrong the next time, too, and asking again may lock the account.
_FOR_GOOD = (PermissionError, FileNotFoundError, TypeError, ValueError)
_NOT_ENTERED = ("AuthenticationException", "NoCredentialsError", "NoAuthException")
_NEEDS = {"s3": "s3fs", "sftp": "paramiko"}


@dataclass(frozen=True)
class FetchResult:
    """What came, as (received date, path in that date's folder), and what was left for the next time, with reasons."""

    fetched: tuple[tuple[dt.date, str], ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Object:
    """A file at its place: path below the source's folder, size, and what changes when its content does."""

    path: str
    size: int
    stamp: str
    written: float | None


class _Place(Protocol):
    """Where files come from."""

    def all(self) -> list[_Object]:
        """Every file below the source's folder."""

    def read(self, path: str) -> Iterator[bytes]:
        """The content of one, in pieces."""

    def again(self, path: str) -> _Object | None:
        """One as it is now."""


def run(
    settings: Settings,
    source: str,
    options: dict[str, Any] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> FetchResult:
    """Fetch what is new for a source; without ``from`` in its profile, sort what lies undated in its inbox.

    The received date is that of the folder where the folder is named by a date, else today's in the company's time
    zone. What was cut off goes on where it was with the next call.

    Args:
        options: How the storage is entered, as fsspec takes it; by default from the environment.

    Raises:
        ConfigError: the profile is broken, or a package is missing. FetchError: the place does not answer.
        LockError: this source is being fetched at this moment.
    """
    profile = profiles.load(settings, source, contracts.load_all(settings))
    with _alone(settings, source), runlog.record(settings, "fetch", source=source) as entry:
        if profile.origin is None:
            result = _sort_in(settings, profile, say)
        else:
            result = _Fetch(settings, profile, profile.origin, say).run(_place(source, profile.origin, options))
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

    def run(self, place: _Place) -> FetchResult:
        known, today = self._known(), arrivals.today(self.settings)
        fetched: list[tuple[dt.date, str]] = []
        left: list[str] = []
        for one in sorted(place.all(), key=lambda found: found.path):
            if known.get(one.path) == [one.size, one.stamp]:
                continue
            received, name = arrivals.place(one.path, today)
            if self._is_never_fetched(name):
                continue
            if reason := self._why_not_now(one, name) or self._fetch(place, one, received, name):
                left.append(f"{one.path}: {reason}")
            else:
                fetched.append((received, name))
                self.say(f"{received} {name}")
        return FetchResult(tuple(fetched), tuple(left))

    def _is_never_fetched(self, name: str) -> bool:
        """Whether it is hidden, which is how other programs stage what is not finished yet, or ignored."""
        hidden = any(step.startswith(".") and step != ".." for step in PurePosixPath(name).parts)
        return hidden or (self.profile.ignores(name) is not None and self.profile.spec_of(name) is None)

    def _why_not_now(self, one: _Object, name: str) -> str | None:
        path = PurePosixPath(name)
        if ".." in path.parts or path.is_absolute() or not name.isprintable():
            return "its name leads out of the folder or cannot be written; it is not fetched"
        now = runlog.now().replace(tzinfo=dt.UTC).timestamp()
        if one.written is not None and now - one.written < self.origin.quiet_seconds:
            return f"written to less than {self.origin.quiet_seconds} seconds ago; left for the next time"
        return None

    def _fetch(self, place: _Place, one: _Object, received: dt.date, name: str) -> str | None:
        folder = self.inbox / received.isoformat()
        draft = self.inbox / f".{uuid.uuid4().hex}"
        self.inbox.mkdir(parents=True, exist_ok=True)
        try:
            digest, size = hashlib.sha256(), 0
            with draft.open("wb") as out:
                for piece in place.read(one.path):
                    if size > one.size:
                        break
                    digest.update(piece)
                    size += len(piece)
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            if size != one.size or place.again(one.path) != one:
                return "written to while it was fetched; left for the next time"
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._may_replace(target, received, digest.hexdigest()):
                return f"an earlier {name} of {received} still waits to be ingested; left for the next time"
            os.replace(draft, target)
            files.sync(target.parent)
        finally:
            draft.unlink(missing_ok=True)
        self._remember(one, received)
        return None

    def _may_replace(self, target: Path, received: dt.date, sha256: str) -> bool:
        """Whether nothing is lost when ``target`` gives way: it is the same content, or landed already."""
        if not target.exists():
            return True
        with target.open("rb") as content:
            there = hashlib.file_digest(content, "sha256").hexdigest()
        return there == sha256 or landing.has(self.settings, self.profile.source, received, there)

    def _known(self) -> dict[str, list[Any]]:
        """Size and stamp of what was fetched, by path; a last line that a death cut off does not count."""
        known: dict[str, list[Any]] = {}
        if self.memory.exists():
            for line in self.memory.read_text("utf-8").splitlines():
                try:
                    one = json.loads(line)
                    known[one["path"]] = [one["size"], one["stamp"]]
                except (ValueError, KeyError, TypeError):
                    continue
        return known

    def _remember(self, one: _Object, received: dt.date) -> None:
        self.memory.parent.mkdir(parents=True, exist_ok=True)
        line = {"path": one.path, "size": one.size, "stamp": one.stamp, "received": received.isoformat()}
        with self.memory.open("a", encoding="utf-8") as out:
            out.write("\n" + json.dumps(line, ensure_ascii=False))  # a new line first: the one before may be cut off


def _sort_in(settings: Settings, profile: Profile, say: Callable[[str], None]) -> FetchResult:
    """Move what lies in the inbox outside the folders of dates into the folder of today."""
    root, today = settings.inbox / profile.source, arrivals.today(settings)
    latest = runlog.now().replace(tzinfo=dt.UTC).timestamp() - arrivals.QUIET_SECONDS
    moved: list[tuple[dt.date, str]] = []
    left: list[str] = []
    for name, path in landing.scan(root) if root.is_dir() else []:
        received, inside = arrivals.place(name, today)
        if (received, inside) != (today, name):
            continue  # in a folder of a date
        target = root / today.isoformat() / name
        if os.lstat(path).st_mtime > latest:
            left.append(f"{name}: written to less than {arrivals.QUIET_SECONDS} seconds ago; left for the next time")
        elif target.exists():
            left.append(f"{name}: there is one of this name for {today} already; left for the next day")
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
            moved.append((today, name))
            say(f"{today} {name}")
    return FetchResult(tuple(moved), tuple(left))


class _Folder:
    """A folder of this machine. Links in it are listed by ``landing.scan`` and cannot be opened, so they stay out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def all(self) -> list[_Object]:
        if not self.root.is_dir():
            raise FetchError("the folder does not exist", where=str(self.root), mend="make it, or correct from.url")
        found = (self.again(name) for name, _ in landing.scan(self.root))
        return [one for one in found if one is not None]

    def read(self, path: str) -> Iterator[bytes]:
        with open(os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123 - a descriptor
            while piece := file.read(_CHUNK):
                yield piece

    def again(self, path: str) -> _Object | None:
        try:
            found = os.lstat(self.root / path)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return _Object(path, found.st_size, str(found.st_mtime_ns), found.st_mtime)


class _Remote:
    """S3-compatible storage or SFTP, through fsspec."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        import fsspec

        self.url = url
        kind = urlsplit(url).scheme
        with _answering(url):
            try:
                ours = {"host_key_policy": _known_hosts(url)} if kind == "sftp" else {"use_listings_cache": False}
                self.files, root = fsspec.url_to_fs(url, skip_instance_cache=True, **{**ours, **options})
            except ImportError:
                raise ConfigError(
                    f"{kind} needs the package {_NEEDS[kind]}", where=url, mend="run `make remote`"
                ) from None
        self.root = str(root).rstrip("/")

    def all(self) -> list[_Object]:
        with _answering(self.url):
            found = self.files.find(self.root, detail=True)
        return [one for path, info in found.items() if (one := self._object(path, info))]

    def read(self, path: str) -> Iterator[bytes]:
        with _answering(self.url), self.files.open(f"{self.root}/{path}", "rb") as file:
            while piece := file.read(_CHUNK):
                yield piece

    def again(self, path: str) -> _Object | None:
        full = f"{self.root}/{path}"
        with _answering(self.url):
            try:
                return self._object(full, self.files.info(full))
            except FileNotFoundError:
                return None

    def _object(self, path: str, info: dict[str, Any]) -> _Object | None:
        inside = path.removeprefix(self.root).removeprefix("/")
        if info["type"] != "file" or not inside or inside.endswith("/"):
            return None
        if "ETag" in info:
            return _Object(inside, info["size"], info["ETag"].strip('"'), None)
        return _Object(inside, info["size"], info["mtime"].isoformat(), info["mtime"].timestamp())


def _place(source: str, origin: Origin, options: dict[str, Any] | None) -> _Place:
    parts = urlsplit(origin.url)
    if parts.scheme == "file":
        return _Folder(Path(unquote(parts.path)))
    return _Remote(origin.url, environment.storage_options(source) if options is None else options)


def _known_hosts(url: str) -> Any:
    """paramiko's rule for servers, which accepts those in the user's known_hosts and no other."""
    import paramiko

    class Known(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            path = Path("~/.ssh/known_hosts").expanduser()
            if not path.is_file() or not paramiko.HostKeys(str(path)).check(hostname, key):
                raise ConfigError(
                    f"the key of {hostname} is not among the known hosts",
                    where=url,
                    mend=f"compare it with what the server's owner says and add it to {path} (ssh-keyscan)",
                )

    return Known()


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Turn what the libraries raise, each its own, into an error that says where and may be tried again."""
    try:
        yield
    except (DealermartError, ImportError, GeneratorExit):
        raise
    except Exception as error:
        words = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
        if isinstance(error, _FOR_GOOD) or type(error).__name__ in _NOT_ENTERED:
            raise ConfigError(
                f"the storage cannot be entered: {words}",
                where=url,
                mend="correct from.url in the profile, or DEALERMART_STORAGE_<SOURCE> in the environment",
            ) from None
        raise FetchError(
            f"the storage did not answer as it should: {words}",
            where=url,
            mend="check address, rights and network; `dealermart fetch` goes on where it was",
        ) from None


@contextmanager
def _alone(settings: Settings, source: str) -> Iterator[None]:
    settings.arrivals.mkdir(parents=True, exist_ok=True)
    path = settings.arrivals / f"{source}.lock"
    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockError(
                f"{source} is being fetched at this moment", where=str(path), mend="wait for it to end"
            ) from None
        yield
