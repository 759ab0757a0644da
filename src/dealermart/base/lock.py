"""One writer at a time: a file lock that DAGs and the command line both take."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dealermart.base.errors import LockError
from dealermart.base.settings import Settings

_POLL_SECONDS = 0.1

_REMIND_SECONDS = 60.0


@dataclass(frozen=True)
class HeldLock:
    """A lock that this process holds.

    ``fd`` is handed to child processes that write too: the kernel keeps the lock until the last of them is gone, so a
    killed parent never leaves a writer behind an open lock.
    """

    fd: int


@contextmanager
def warehouse_lock(
    settings: Settings,
    purpose: str,
    wait_seconds: float | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[HeldLock]:
    """Hold the one lock on state under ``settings.home`` while the block runs. The kernel releases it at a death.

    Args:
        wait_seconds: How long to wait for somebody else; by default ``settings.lock_wait``.
        say: Told for whom this process waits, and for how long at most; then once a minute.

    Raises:
        LockError: somebody else held it for longer; names the holder.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    fd = os.open(settings.lock_file, os.O_RDWR | os.O_CREAT, 0o664)
    try:
        patience = settings.lock_wait if wait_seconds is None else wait_seconds
        started = time.monotonic()
        told = -_REMIND_SECONDS
        while not _taken(fd):
            waited = time.monotonic() - started
            if waited >= patience:
                raise LockError(
                    f"another process is still at work after {patience:g} seconds: {lock_holder(settings)}",
                    where=str(settings.lock_file),
                    mend="run the same command again when it has ended; DEALERMART_LOCK_WAIT sets the seconds",
                )
            if waited - told >= _REMIND_SECONDS:
                told = waited
                say(f"waiting for {lock_holder(settings)}, {patience - waited:.0f} seconds at most")
            time.sleep(_POLL_SECONDS)
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "user": settings.user, "purpose": purpose}).encode(), 0)
        yield HeldLock(fd)
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)


@contextmanager
def alone(path: Path, error: LockError, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock of its own on a file while the block runs, for work that needs no warehouse.

    Args:
        wait_seconds: How long to wait for somebody else.

    Raises:
        LockError: ``error``, if somebody else held it for longer.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        started = time.monotonic()
        while not _taken(held.fileno()):
            if time.monotonic() - started >= wait_seconds:
                raise error
            time.sleep(_POLL_SECONDS)
        yield


def _taken(fd: int) -> bool:
    """Take the lock on a file, if it is free."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_holder(settings: Settings) -> str:
    """Who wrote into the lock file last, in words."""
    try:
        said = json.loads(settings.lock_file.read_text("utf-8"))
        return f"{said['purpose']} of {said['user']} (process {said['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it has just begun, or has just ended


def lock_is_held(settings: Settings) -> bool:
    """Whether any process holds the lock at this moment."""
    try:
        fd = os.open(settings.lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _taken(fd)
    finally:
        os.close(fd)
