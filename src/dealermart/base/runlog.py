"""The run log: who ran what, when, with which code and config, and what came out. One JSON file per run."""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import stat
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from dealermart import __version__
from dealermart.base.duck import sandbox
from dealermart.base.errors import DealermartError, UsageError
from dealermart.base.files import write_json
from dealermart.base.settings import REPO, Settings, scheduler_run


def utc_now() -> dt.datetime:
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


# Status of a run that was asked for what cannot be: nothing was done, and nothing has to be mended.
WRONG_USAGE = "wrong usage"


class Entry:
    """A run in progress; ``note`` adds to what its log entry says."""

    def __init__(self, settings: Settings, command: str, arguments: dict[str, Any]) -> None:
        start = utc_now()
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
        if scheduler := scheduler_run():
            self._entry["scheduler"] = scheduler
        self._write()

    def note(self, **facts: Any) -> None:
        self._entry.update(facts)

    def end(self, status: str) -> None:
        ended = utc_now()
        self.note(
            status=status,
            ended_at=ended.isoformat(timespec="milliseconds"),
            seconds=round((ended - self.started_at).total_seconds(), 3),
        )
        self._write()

    def _write(self) -> None:
        write_json(self._path, self._entry)


def close_to_others(settings: Settings) -> None:
    """Take from other users of the machine whatever they may do with the state, but for what is published.

    Folders that people made, such as the inbox, are often open to all. What a group may do is left as it is.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    closed = {path: 0o007 for path in settings.home.iterdir() if path != settings.published and not path.is_symlink()}
    for path, taken in {settings.home: 0o006, **closed}.items():
        with suppress(OSError):  # gone meanwhile, or another user's: doctor names it
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & taken:
                path.chmod(mode & ~taken)


@contextmanager
def record_run(settings: Settings, command: str, **arguments: Any) -> Iterator[Entry]:
    """Log a run: written at its start as running, at its end as done, failed or refused as wrong usage.

    The error's text goes with it, without a traceback.
    """
    close_to_others(settings)
    run = Entry(settings, command, arguments)
    try:
        yield run
    except DealermartError as error:
        run.note(error=str(error), error_type=type(error).__name__)
        run.end(WRONG_USAGE if isinstance(error, UsageError) else "failed")
        raise
    except BaseException as error:
        # The text of an unforeseen error may quote data; its type is enough here.
        run.note(error=f"unforeseen {type(error).__name__}", error_type=type(error).__name__)
        run.end("failed")
        raise
    run.end("done")


def read_runs(settings: Settings, command: str | None = None) -> list[dict[str, Any]]:
    """All runs, or those of one command, oldest first. One whose process is gone without an end is ``killed``."""
    runs = []
    for path in sorted(settings.runs.glob(f"*-{command}-*.json" if command else "*.json")):
        try:
            entry = json.loads(path.read_text("utf-8"))
            entry["status"], entry["command"], entry["pid"], entry["started_at"], entry["arguments"], entry["user"]
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


_COLUMNS = {
    "run_id": "varchar",
    "command": "varchar",
    "arguments": "json",
    "user": "varchar",
    "code_version": "varchar",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "seconds": "decimal(18,3)",
    "status": "varchar",
    "error": "varchar",
    "files": "json",
    "rows": "json",
    "dbt": "json",
}


def query_runs(settings: Settings, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a select from the table ``runs``, which has one row per run.

    Raises:
        DealermartError: the SQL does not run.
    """
    con = sandbox()
    try:
        con.execute(
            f"create table runs ({', '.join(f'{chr(34)}{name}{chr(34)} {kind}' for name, kind in _COLUMNS.items())})"
        )
        rows = [
            [
                json.dumps(run.get(name)) if kind == "json" and name in run else run.get(name)
                for name, kind in _COLUMNS.items()
            ]
            for run in read_runs(settings)
        ]
        if rows:
            con.executemany(f"insert into runs values ({', '.join('?' * len(_COLUMNS))})", rows)
        found = con.execute(sql)
        return [column[0] for column in found.description or []], found.fetchall()
    except duckdb.Error as error:
        raise DealermartError(
            f"the query does not run: {str(error).splitlines()[0]}", mend=f"the table runs has {', '.join(_COLUMNS)}"
        ) from None
    finally:
        con.close()
