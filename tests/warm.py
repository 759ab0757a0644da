"""Processes that start at once: forks of one that has imported everything.

``dealermart`` and ``dbt`` spend three seconds on imports whenever they start, and the tests of kills and of processes side by
side start a hundred of them. Here a server without threads of Python imports both once and forks a process for each start. The process
is one of its own all the same: it has its own memory and files, can be killed, and inherits what it is handed - above all
the lock, which a build hands to dbt. What starts them in production is proven by the Airflow test and the demonstration.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dealermart.base import REPO, Settings, child_environment

IMPORTED = (
    "dbt.cli.main", "dbt.adapters.duckdb.impl", "dbt.task.build", "dbt.parser.manifest", "dealermart.cli",
    "dealermart.ingest", "dealermart.warehouse", "dealermart.publish", "dealermart.upkeep", "dealermart.report",
    "dealermart.checks.gx",
)  # fmt: skip


class Process:
    """A started process, as far as ``subprocess.Popen`` is used of it."""

    def __init__(self, request: dict[str, Any], fds: Sequence[int]) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(_Server.path()))
        socket.send_fds(self._line, [len(fds).to_bytes(1, "big")], fds)
        self._line.sendall(json.dumps(request).encode() + b"\n")
        self._answers = self._line.makefile("r")
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(int(self._answers.readline()))
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Command(Process):
    """``dealermart`` with arguments, by the settings given; what it says to stderr can be read while it runs."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self._stderr = tempfile.NamedTemporaryFile()  # noqa: SIM115
        variables = child_environment(
            DEALERMART_HOME=str(settings.home),
            DEALERMART_CONFIG=str(settings.config),
            DEALERMART_PROJECT=str(settings.project),
        )
        request = {"program": "dealermart", "arguments": arguments, "environment": variables}
        nothing = os.open(os.devnull, os.O_WRONLY)
        super().__init__(request, [nothing, self._stderr.fileno()])
        os.close(nothing)

    @property
    def said(self) -> str:
        return Path(self._stderr.name).read_text("utf-8")

    def first_line(self) -> str:
        """Wait until it has said a line."""
        while "\n" not in self.said:
            select.select([], [], [], 0.05)
        return self.said.splitlines()[0]


class _Dbt(Process):
    """Stands in for ``subprocess.Popen`` where a build starts dbt."""

    def __init__(
        self, command: Sequence[str], *, env: dict[str, str], cwd: Path, pass_fds: Sequence[int], **pipes: Any
    ) -> None:
        assert pipes == {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        reads, writes = os.pipe()
        request = {"program": "dbt", "arguments": command[1:], "environment": env, "cwd": str(cwd)}
        super().__init__(request, [writes, writes, *pass_fds])
        os.close(writes)
        self.stdout = os.fdopen(reads, encoding="utf-8")

    def __enter__(self) -> _Dbt:
        return self

    def __exit__(self, *error: object) -> None:
        self.stdout.close()
        self.wait()


class _Server:
    """The process that forks, one for all who ask, started when the first does."""

    started: _Server | None = None

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="warm")
        self.path_ = Path(self.folder.name) / "socket"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(self.path_)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPO,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    @classmethod
    def path(cls) -> Path:
        cls.started = cls.started or cls()
        return cls.started.path_

    @classmethod
    def stop(cls) -> None:
        if cls.started is not None:
            assert cls.started.process.stdin is not None
            cls.started.process.stdin.close()
            cls.started.process.wait()
            cls.started.folder.cleanup()
            cls.started = None


@contextmanager
def dbt() -> Iterator[None]:
    """Builds of this process, and of those that it starts, start dbt as a fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dealermart.warehouse.dbt.subprocess", types.SimpleNamespace(Popen=_Dbt, PIPE=subprocess.PIPE, STDOUT=subprocess.STDOUT))  # fmt: skip
        yield
    _Server.stop()


# --------------------------------------------------------------------------------------- inside of the server


def _serve(path: Path) -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "what is forked must have no thread that holds a lock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        print("ready", flush=True)
        while True:
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those who kept a process that has ended
                    pass
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if listener not in ready:  # whoever started it has ended
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _keep(connection, path)
            connection.close()


def _keep(connection: socket.socket, path: Path) -> None:
    """Fork the process that is asked for; tell its id, and when it has ended, how."""
    count, fds, _, _ = socket.recv_fds(connection, 1, 16)
    assert len(fds) == count[0]
    lines = connection.makefile("rw")
    request = json.loads(lines.readline())
    pid = os.fork()
    if pid == 0:
        connection.close()
        lines.detach()
        _become(request, fds, path)
    for fd in fds:  # a lock is held by the process itself alone
        os.close(fd)
    lines.write(f"{pid}\n")
    lines.flush()
    _, status = os.waitpid(pid, 0)
    try:
        lines.write(f"{status}\n")
        lines.flush()
    finally:
        os._exit(0)


def _become(request: dict[str, Any], fds: Sequence[int], path: Path) -> None:
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(fds[0], 1)
        os.dup2(fds[1], 2)
        for fd in {fds[0], fds[1]}:
            os.close(fd)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request.get("cwd", "."))
        code = _DO[request["program"]](request, path)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _dbt(request: dict[str, Any], path: Path) -> int:
    sys.argv = ["dbt", *request["arguments"]]
    return int(importlib.import_module("dbt.cli.main").cli() or 0)


def _dealermart(request: dict[str, Any], path: Path) -> int:
    server = object.__new__(_Server)
    server.path_ = path
    _Server.started = server
    cli = importlib.import_module("dealermart.cli")
    importlib.import_module("dealermart.warehouse.dbt").subprocess = types.SimpleNamespace(
        Popen=_Dbt, PIPE=subprocess.PIPE, STDOUT=subprocess.STDOUT
    )
    return int(cli.main(request["arguments"]))


_DO = {"dbt": _dbt, "dealermart": _dealermart}

if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
