"""A process of its own for files that can take a process down: workbooks and Parquet, which libraries decode.

There is one at a time. It is started when the first such file is read, serves all that follow, and is started again
after it died. What it does is in ``child``; this is the side of the one who asks.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dealermart.base import DataError

_MOST_SECONDS = 600  # without a sign of life

Part = Any  # what JSON can say


class Died(Exception):
    """The process ended over a file or took too long, or a library gave up."""


class _Child:
    """The process and the wire to it. ``busy`` while an answer is under way."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        command = [sys.executable, "-P", "-m", "dealermart.readers.child", str(its.fileno())]
        self._process = subprocess.Popen(
            command,
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a library that panics writes there, and may quote data
        )
        its.close()
        self.wire = Connection(ours.detach())
        self.owner = os.getpid()
        self.served, self.busy = 0, False

    def end(self) -> None:
        if self.owner != os.getpid():  # of a process that this one was forked from
            return
        self.wire.close()
        self._process.kill()
        self._process.wait()


_child: _Child | None = None


def ask(what: str, path: Path, *arguments: str | int | None) -> Generator[Part, None, None]:
    """What the process says of a file, part by part. To be closed by who does not take all parts.

    Args:
        what: A name in ``child.DOES``.

    Raises:
        DataError: the file cannot be taken; it is named.
        Died: as it says.
    """
    while True:
        child = _ready()
        is_fresh, has_begun = not child.served, False
        child.busy, child.served = True, child.served + 1
        try:
            child.wire.send_bytes(json.dumps([what, str(path), *arguments]).encode())
            while child.wire.poll(_MOST_SECONDS):
                kind, *said = json.loads(child.wire.recv_bytes())
                child.busy = kind == "part"
                if kind == "refused":
                    raise DataError(said[0], where=str(path), mend=said[1])
                if kind == "failed":
                    raise Died
                if kind == "end":
                    return
                has_begun = True
                yield said[0]
            _stop()
            raise Died
        except (EOFError, OSError):
            # What earlier files left in the process can be the cause. One that dies of this file as its first is not
            # asked again.
            _stop()
            if has_begun or is_fresh:
                raise Died from None
        except GeneratorExit:
            _pass_over(child)
            raise


def _ready() -> _Child:
    global _child
    if _child is not None and (_child.busy or _child.owner != os.getpid()):
        _stop()
    if _child is None:
        _child = _Child()
    return _child


def _pass_over(child: _Child) -> None:
    """Take the rest of an answer that nobody wants, so that the process is ready for the next file."""
    try:
        while child.busy and child.wire.poll(_MOST_SECONDS):
            child.busy = json.loads(child.wire.recv_bytes())[0] == "part"
    except (EOFError, OSError):
        _stop()


def _stop() -> None:
    global _child
    if _child is not None:
        _child.end()
        _child = None


atexit.register(_stop)
