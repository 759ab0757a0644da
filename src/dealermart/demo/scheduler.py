"""Starts the scheduler of the project on this machine, talks to it through its REST API and stops it for sure.

Used by the demo, by ``make up`` and by the integration test. Airflow is only started as a program here and never
imported: the rest of the package runs without it.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx
import psutil

from dealermart.base import Settings, child_environment
from dealermart.demo.api import Api, DagRun, OrchestratorError, RunFailed, Unanswered, log_lines

POOL = "warehouse"

LOOPBACK = "127.0.0.1"

# Every task is forked from the scheduler. What that has imported, the tasks need not: seconds for each of them.
LOCAL_SETTINGS = """\
import contextlib
import sys

__all__ = []

if "scheduler" in sys.argv:
    with contextlib.suppress(Exception):
        import dealermart.ingest
        import dealermart.checks.gx
"""


def environment(settings: Settings, dags: Path, port: int, log_ports: tuple[int, int]) -> dict[str, str]:
    """The process environment of every Airflow component: all of our Airflow configuration is here.

    One machine, metadata in SQLite, no password and therefore bound to the loopback address, nothing sent to anyone,
    intervals short because a few small DAGs should start at once.
    """
    home = settings.home / "airflow"
    url = f"http://{LOOPBACK}:{port}"
    options = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__PLUGINS_FOLDER": str(dags / "plugins"),  # the triggerer imports from there, not from the DAGs
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "5",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=15",  # see ATTEMPTS in api.py
        "API__HOST": LOOPBACK,
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_hex(16),
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(log_ports[0]),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(log_ports[1]),
        "LOGGING__LOGGING_LEVEL": "WARNING",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # the end of a red task is seen at a heartbeat only
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": "50",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
    }
    here = str(Path(__file__).resolve().parents[2])
    inherited = child_environment()
    return child_environment(
        **{f"AIRFLOW__{name}": value for name, value in options.items()},
        AIRFLOW_HOME=str(home),
        DEALERMART_HOME=str(settings.home),
        DEALERMART_CONFIG=str(settings.config),
        DEALERMART_COMPANY=settings.company,
        DEALERMART_PROJECT=str(settings.project),
        DEALERMART_MEMORY_LIMIT=settings.memory_limit,
        DEALERMART_THREADS=str(settings.threads),
        DO_NOT_TRACK="1",
        GX_ANALYTICS_ENABLED="false",
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        # The components start each other as `airflow` and import `dealermart`, installed or not.
        PATH=os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")]),
        PYTHONPATH=os.pathsep.join(filter(None, [here, inherited.get("PYTHONPATH", "")])),
        NO_PROXY=",".join(filter(None, [inherited.get("NO_PROXY", ""), LOOPBACK])),
        no_proxy=",".join(filter(None, [inherited.get("no_proxy", ""), LOOPBACK])),
        NO_COLOR="1",
        PYTHONUNBUFFERED="1",
    )


class Standalone(Api):
    """``airflow standalone`` as a context manager: started on free ports, stopped with all its children.

    Args:
        settings: State goes to ``settings.home / "airflow"``.
        dags: Folder of the DAG files; default the project's.
        expected: DAG ids that must be parsed before it counts as started.
        start_seconds: How long the start may take.
    """

    def __init__(
        self, settings: Settings, dags: Path | None = None, *, expected: Iterable[str] = (), start_seconds: float = 120
    ) -> None:
        self.home = settings.home / "airflow"
        super().__init__(self.home / "standalone.log")
        self.settings = settings
        self.dags = dags or settings.dags
        self.expected = frozenset(expected)
        self.start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._seen: dict[tuple[str, str], str] = {}

    @property
    def _pid_file(self) -> Path:
        return self.home / "standalone.json"

    def __enter__(self) -> Standalone:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # ---- start and stop ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it is ready; see `launch` and `await_ready`."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start the processes and return at once.

        Raises:
            OrchestratorError: one is running on this state already.
        """
        self.check_free()
        (self.home / "config").mkdir(parents=True, exist_ok=True)
        (self.home / "config" / "airflow_local_settings.py").write_text(LOCAL_SETTINGS, "utf-8")
        port, *log_ports = _free_ports(3)
        self._log = self.log_file.open("wb")
        variables = environment(self.settings, self.dags, port, (log_ports[0], log_ports[1]))
        self._keep(variables)
        self._process = subprocess.Popen(
            [str(Path(sys.executable).with_name("airflow")), "standalone"],
            env=variables,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        url = f"http://{LOOPBACK}:{port}"
        self._pid_file.write_text(json.dumps({"pid": self._process.pid, "url": url}))
        self.connect(url)

    def await_ready(self) -> None:
        """Wait until the API answers, the DAGs are parsed and the pool is there; stop everything where that fails.

        Raises:
            OrchestratorError: it died, a DAG file is broken, or time is up.
        """
        try:
            self._await_start()
            self.put_pool(POOL, 1)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every process that this start brought up. Safe to call twice."""
        self.disconnect()
        if self._process is not None:
            _end_session(self._process, grace_seconds=10)
            self._process = None
            self._pid_file.unlink(missing_ok=True)
        if self._log is not None:
            self._log.close()
            self._log = None

    def _keep(self, variables: dict[str, str]) -> None:
        """Write the variables to ``env.sh``, so that a shell can give the running Airflow commands of its own."""
        ours = {name: value for name, value in sorted(variables.items()) if name.startswith(("AIRFLOW", "DEALERMART"))}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in ours.items()]
        lines.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
        lines.append(f"export PYTHONPATH={shlex.quote(variables['PYTHONPATH'])}")
        path = self.home / "env.sh"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)  # it holds the key of this start's tokens
        path.write_text("\n".join(lines) + "\n", "utf-8")

    def check_free(self) -> None:
        """Raise OrchestratorError when a scheduler is at work on this state already: two would run everything twice."""
        try:
            known = json.loads(self._pid_file.read_text("utf-8"))
            pid, url = int(known["pid"]), str(known["url"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        alive = [process.pid for process in _session(pid) if _is_airflow(process)]
        if alive:
            numbers = " ".join(map(str, [f"-INT {pid}"] if pid in alive else alive))
            raise OrchestratorError(
                f"Airflow is already running on this state, as process {pid}, at {url}",
                where=str(self.home),
                mend=f"use that one, stop it with `kill {numbers}`, or set DEALERMART_HOME to another folder",
            )

    def _await_start(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        what = "its API did not answer"
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise OrchestratorError("Airflow ended while starting", where=str(self.log_file), mend=self.log_tail())
            with suppress(httpx.TransportError, Unanswered):
                errors = self._get("/importErrors")["import_errors"]
                if errors:
                    raise OrchestratorError(
                        "a DAG file cannot be imported", where=errors[0]["filename"], mend=errors[0]["stack_trace"]
                    )
                missing = self.expected - {dag["dag_id"] for dag in self._get("/dags")["dags"]}
                alive = self._get("/monitor/health")["scheduler"]["status"] == "healthy"
                if alive and not missing:
                    # The first call builds the API that tasks use, which takes longer than a task is ready to wait.
                    # (Without a header of its own Airflow would give this call one that the task API cannot read.)
                    ping = f"{self.url}/execution/health/ping"
                    httpx.get(ping, headers={"Authorization": "none"}, timeout=60, trust_env=False)
                    return
                what = f"not parsed: {', '.join(sorted(missing))}" if missing else "no scheduler heartbeat"
            time.sleep(0.3)
        raise OrchestratorError(
            f"Airflow did not start within {self.start_seconds:.0f} s: {what}",
            where=str(self.log_file),
            mend=self.log_tail(),
        )

    def watch(self) -> None:
        """Return never, unless it dies.

        Raises:
            OrchestratorError: Airflow ended.
        """
        while self._process is not None and self._process.poll() is None:
            time.sleep(1)
        raise OrchestratorError("Airflow died", where=str(self.log_file), mend=self.log_tail())

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the log of all components."""
        if not self.log_file.is_file():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    # ---- what a user does --------------------------------------------------------------------------------------

    def wait(
        self,
        seconds: float,
        *,
        on_change: Callable[[DagRun], None] = lambda run: None,
        on_failure: str = "raise",
    ) -> list[DagRun]:
        """Wait until every run has ended and every asset event has started its run.

        Args:
            seconds: How long at most.
            on_change: Called with a run whenever its state is another than at the last look, also of an earlier wait.
            on_failure: ``raise`` stops at the first red run; ``go on`` returns red runs among the others.

        Raises:
            RunFailed: a run ended red.
            OrchestratorError: time is up, or Airflow died.
        """
        deadline = time.monotonic() + seconds
        while True:
            if self._process is None or self._process.poll() is not None:
                raise OrchestratorError("Airflow died", where=str(self.log_file), mend=self.log_tail())
            runs = self.runs()
            for run in runs:
                if self._seen.get((run.dag_id, run.run_id)) != run.state:
                    self._seen[run.dag_id, run.run_id] = run.state
                    on_change(run)
                    if run.state == "failed" and on_failure == "raise":
                        raise RunFailed(
                            f"{run.dag_id} {run.partition or ''} failed", where=run.run_id, mend=self.failure(run)
                        )
            # The last question again, because an event may have started a run between the first two.
            if runs and all(run.done for run in runs) and not self.waiting_events() and len(self.runs()) == len(runs):
                return runs
            if time.monotonic() > deadline:
                open_runs = ", ".join(f"{run.dag_id} {run.partition or ''} {run.state}" for run in runs if not run.done)
                raise OrchestratorError(
                    f"not done after {seconds:.0f} s: {open_runs or 'asset events without a run'}",
                    where=str(self.log_file),
                    mend=self.log_tail(),
                )
            time.sleep(0.5)

    def failure(self, run: DagRun, lines: int = 30) -> str:
        """Why a run is red: the last log lines of its failed tasks."""
        texts = []
        for task in self.tasks(run):
            if task["state"] != "failed":
                continue
            path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
            content = self._get(path, map_index=task.get("map_index", -1))["content"]
            texts.append(f"task {task['task_id']}:\n" + "\n".join(log_lines(content)[-lines:]))
        return "\n".join(texts) or self.log_tail(lines)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now. Held open together, so that they differ."""
    sockets = []
    try:
        for _ in range(count):
            held = socket.socket()
            held.bind((LOOPBACK, 0))
            sockets.append(held)
        return [int(held.getsockname()[1]) for held in sockets]
    finally:
        for held in sockets:
            held.close()


def _session(leader: int) -> list[psutil.Process]:
    """Every living process of the session that ``leader`` began.

    The process group is not enough: Airflow gives each task a group of its own.
    """
    members = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if os.getsid(pid) == leader and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                members.append(psutil.Process(pid))
    return members


def _is_airflow(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "airflow" in " ".join(process.cmdline())
    return False


def _end_session(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Ask all processes of the session to end, then end those that did not."""
    leader = process.pid
    # SIGINT is what standalone answers to: it stops its components in order. They are not signalled besides, because a
    # scheduler that is told twice does not end.
    with suppress(OSError):
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and _session(leader):
        process.poll()
        time.sleep(0.1)
    while members := _session(leader):
        for member in members:
            with suppress(psutil.Error):
                member.kill()
        process.poll()
        time.sleep(0.1)
    process.wait(timeout=10)
