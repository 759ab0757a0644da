"""The run log: who ran what, when, with which code and config, and what came out. One JSON file per run."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dealermart import __version__, files
from dealermart.errors import DealermartError
from dealermart.settings import REPO, Settings


def now() -> dt.datetime:
    """The present moment in UTC, without zone. Only run metadata and the moment of receipt may use it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@functools.cache
def code_version() -> str:
    """Package version, and the commit where the code is a git checkout."""
    try:
        found = subprocess.run(
            ["git", "-C", str(REPO), "describe", "--always", "--dirty", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__}+{found.stdout.strip()}"


class Run:
    """A run in progress; ``note`` adds to what its log entry says."""

    def __init__(self, settings: Settings, command: str, arguments: dict[str, Any]) -> None:
        start = now()
        # Milliseconds, as two runs can start within one second, and a log that is damaged has only its name to sort by.
        self.run_id = f"{start:%Y%m%dT%H%M%S}{start.microsecond // 1000:03}-{command}-{uuid.uuid4().hex[:6]}"
        self.started_at = start
        self._path = settings.runs / f"{self.run_id}.json"
        self._entry: dict[str, Any] = {
            "run_id": self.run_id,
            "command": command,
            "arguments": {key: str(value) for key, value in arguments.items() if value is not None},
            "user": settings.user,
            "pid": os.getpid(),
            "code_version": code_version(),
            "started_at": start.isoformat(timespec="milliseconds"),
            "status": "running",
        }
        self._write()

    def note(self, **facts: Any) -> None:
        self._entry.update(facts)

    def end(self, status: str) -> None:
        ended = now()
        self.note(
            status=status,
            ended_at=ended.isoformat(timespec="milliseconds"),
            seconds=round((ended - self.started_at).total_seconds(), 3),
        )
        self._write()

    def _write(self) -> None:
        files.write_json(self._path, self._entry)


@contextmanager
def record(settings: Settings, command: str, **arguments: Any) -> Iterator[Run]:
    """Log a run: written at its start as running, at its end as done or failed with the error's text (no traceback)."""
    run = Run(settings, command, arguments)
    try:
        yield run
    except DealermartError as error:
        run.note(error=str(error))
        run.end("failed")
        raise
    except BaseException as error:
        # The text of an unforeseen error may quote data; its type is enough here.
        run.note(error=f"unforeseen {type(error).__name__}")
        run.end("failed")
        raise
    run.end("done")


def read(settings: Settings) -> list[dict[str, Any]]:
    """All runs, oldest first. A run whose process is gone without an end is shown as ``killed``."""
    runs = []
    for path in sorted(settings.runs.glob("*.json")):
        try:
            entry = json.loads(path.read_text("utf-8"))
            entry["status"], entry["command"], entry["pid"]
        except (ValueError, TypeError, KeyError):
            run_id = path.stem
            stamp = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:11]}:{run_id[11:13]}:{run_id[13:15]}"
            stamp += f".{run_id[15:18]}" if run_id[15:18].isdigit() else ""  # older names tell seconds only
            entry = {
                "run_id": run_id, "command": run_id.split("-")[1] if "-" in run_id else "", "arguments": {}, "user": "",
                "pid": 0, "code_version": "", "started_at": stamp, "status": "unreadable",
                "error": f"{path.name} cannot be read; it can be deleted",
            }  # fmt: skip
        if entry["status"] == "running" and not _alive(entry["pid"]):
            entry["status"] = "killed"
        runs.append(entry)
    return sorted(runs, key=lambda entry: str(entry["started_at"]))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
