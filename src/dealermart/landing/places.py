"""Places that files come from: a folder of this machine, S3-compatible storage, SFTP."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from dealermart.base import ConfigError, DealermartError, FetchError, storage_options
from dealermart.config import Origin
from dealermart.landing.store import scan

_CHUNK = 1 << 20

# A wrong address, name or password is wrong the next time, too, and asking again may lock the account.
_FOR_GOOD = (PermissionError, FileNotFoundError, TypeError, ValueError)

_NOT_ENTERED = ("AuthenticationException", "NoCredentialsError", "NoAuthException")

_NEEDS = {"s3": "s3fs", "sftp": "paramiko"}


@dataclass(frozen=True)
class Found:
    """A file at its place: path below the source's folder, size, and what changes when its content does."""

    path: str
    size: int
    stamp: str
    written: float | None


class Place(Protocol):
    """Where files come from."""

    def all(self) -> list[Found]:
        """Every file below the source's folder."""

    def read(self, path: str) -> Iterator[bytes]:
        """The content of one, in pieces."""

    def again(self, path: str) -> Found | None:
        """One as it is now."""


class Folder:
    """A folder of this machine. Links in it are listed by ``landing.scan`` and cannot be opened, so they stay out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def all(self) -> list[Found]:
        if not self.root.is_dir():
            raise FetchError("the folder does not exist", where=str(self.root), mend="make it, or correct from.url")
        found = (self.again(name) for name, _ in scan(self.root))
        return [file for file in found if file is not None]

    def read(self, path: str) -> Iterator[bytes]:
        with open(os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123 - a descriptor
            while piece := file.read(_CHUNK):
                yield piece

    def again(self, path: str) -> Found | None:
        try:
            found = os.lstat(self.root / path)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return Found(path, found.st_size, str(found.st_mtime_ns), found.st_mtime)


class Remote:
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

    def all(self) -> list[Found]:
        with _answering(self.url):
            found = self.files.find(self.root, detail=True)
        return [file for path, info in found.items() if (file := self._object(path, info))]

    def read(self, path: str) -> Iterator[bytes]:
        with _answering(self.url), self.files.open(f"{self.root}/{path}", "rb") as file:
            while piece := file.read(_CHUNK):
                yield piece

    def again(self, path: str) -> Found | None:
        full = f"{self.root}/{path}"
        with _answering(self.url):
            try:
                return self._object(full, self.files.info(full))
            except FileNotFoundError:
                return None

    def _object(self, path: str, info: dict[str, Any]) -> Found | None:
        inside = path.removeprefix(self.root).removeprefix("/")
        if info["type"] != "file" or not inside or inside.endswith("/"):
            return None
        if "ETag" in info:
            return Found(inside, info["size"], info["ETag"].strip('"'), None)
        return Found(inside, info["size"], info["mtime"].isoformat(), info["mtime"].timestamp())


def place_of(source: str, origin: Origin, options: dict[str, Any] | None) -> Place:
    """Where a source's files come from, by its URL."""
    parts = urlsplit(origin.url)
    if parts.scheme == "file":
        return Folder(Path(unquote(parts.path)))
    return Remote(origin.url, storage_options(source) if options is None else options)


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
