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
from typing import IO, Any

import httpx
import psutil

from dealermart.base import Settings, child_environment, close_to_others, utc_now, write_json
from dealermart.config import crm_source_names
from dealermart.demo.api import USER, Api, DagRun, OrchestratorError, RunFailed, Unanswered, log_lines

POOL = "warehouse"

LOOPBACK = "127.0.0.1"

FIRST_PORT = 8080

PASSWORDS, PID_FILE, LOG_FILE = "passwords.json", "standalone.json", "standalone.log"

# Airflow's log servers listen on every interface, and nothing can be set about it. All logs lie on this machine, so
# they are not needed. Without `suppress`: where Airflow changes, it shall not start rather than listen.
# Every task is forked from the scheduler. What that has imported, the tasks need not: seconds for each of them.
LOCAL_SETTINGS = """\
import contextlib
import sys

__all__ = []

if "scheduler" in sys.argv or "triggerer" in sys.argv:
    import airflow.utils.serve_logs

    airflow.utils.serve_logs.serve_logs = lambda port=None: None

if "scheduler" in sys.argv:
    with contextlib.suppress(Exception):
        import dealermart.ingest
        import dealermart.checks.gx
        import dealermart.demo
"""


def environment(settings: Settings, dags: Path, port: int, since: str) -> dict[str, str]:
    """The process environment of every Airflow component: all of our Airflow configuration is here.

    One machine, metadata in SQLite, one user with a password, bound to the loopback address, nothing sent to anyone,
    intervals short because a few small DAGs should start at once.

    Args:
        since: When Airflow was first started on this state; monthly DAGs begin then.
    """
    home = settings.home / "airflow"
    url = f"http://{LOOPBACK}:{port}"
    options = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__PLUGINS_FOLDER": str(dags / "plugins"),  # the triggerer imports from there, not from the DAGs
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / PASSWORDS),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "5",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=15",  # see ATTEMPTS in api.py
        "API__HOST": LOOPBACK,
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_hex(16),
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "DEALERMART__SINCE": since,
        "LOGGING__LOGGING_LEVEL": "WARNING",
        "LOGGING__NAMESPACE_LEVELS": "task=INFO",  # what a task prints: counts, quarantine, the report
        # Airflow does not heed the umask here.
        "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
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
        DEALERMART_POSTGRES_URL=settings.postgres,
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
    """``airflow standalone`` as a context manager: started on one port, stopped with all its children.

    Args:
        settings: State goes to ``settings.home / "airflow"``.
        dags: Folder of the DAG files; default the project's.
        expected: DAG ids that must be parsed before it counts as started.
        start_seconds: How long the start may take; a slow machine needs minutes.
        say: Told every ten seconds what is waited for.
    """

    def __init__(
        self,
        settings: Settings,
        dags: Path | None = None,
        *,
        expected: Iterable[str] = (),
        start_seconds: float = 600,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.home = settings.home / "airflow"
        super().__init__(self.home / LOG_FILE, self.home / PASSWORDS)
        self.settings = settings
        self.dags = dags or settings.dags
        self.expected = frozenset(expected)
        self.start_seconds, self.say = start_seconds, say
        self.password = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._seen: dict[tuple[str, str], str] = {}

    @property
    def _pid_file(self) -> Path:
        return self.home / PID_FILE

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
            OrchestratorError: one is running on this state already, or the port of the settings is taken.
        """
        self.check_free()
        close_to_others(self.settings)  # a state of before, in which the log and Airflow's tables were open
        (self.home / "config").mkdir(parents=True, exist_ok=True)
        (self.home / "config" / "airflow_local_settings.py").write_text(LOCAL_SETTINGS, "utf-8")
        self._make_password()
        port, since = self._first_start()
        self._log = self.log_file.open("wb")
        variables = environment(self.settings, self.dags, port, since)
        self._keep(variables)
        self._process = subprocess.Popen(
            [str(Path(sys.executable).with_name("airflow")), "standalone"],
            env=variables,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
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
            for source in crm_source_names(self.settings):  # a vendor counts the calls that run at once
                self.put_pool(f"crm_{source}", 1, "one pull of a CRM at a time")
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

    @property
    def login(self) -> str:
        """How to log in, for a person: the password itself only by the start that made it."""
        if self.password:
            return f"user {USER}, password {self.password}  (shown this once; it is kept in {self.passwords})"
        return f"user {USER}, password in {self.passwords}"

    def _make_password(self) -> None:
        """See that there is a password which nobody but this user can read."""
        if self.passwords.exists():
            self.passwords.chmod(0o600)
            return
        self.password = secrets.token_urlsafe(12)
        with open(os.open(self.passwords, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:  # noqa: PTH123
            json.dump({USER: self.password}, out)

    def _first_start(self) -> tuple[int, str]:
        """The port, and when Airflow was first started on this state; both are kept for the starts to come.

        Raises:
            OrchestratorError: the port that the settings say is taken.
        """
        file = self.home / "first_start.json"
        try:
            before = dict(json.loads(file.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            before = {}
        since = str(before.get("since") or f"{utc_now():%Y-%m-%dT%H:%M:%S}+00:00")
        said, port = self.settings.port, int(before.get("port") or 0)
        if said and not _is_free(said):
            raise OrchestratorError(
                f"the port {said} is taken by another program",
                where="DEALERMART_PORT",
                mend="set it to another one, or leave it out",
            )
        if said is None and not port:
            port = FIRST_PORT if _is_free(FIRST_PORT) else _free_port()
        if before != (after := {"port": port, "since": since}):
            write_json(file, after)
        if said:
            return said, since
        # A port that another program has taken meanwhile is left to it for this time.
        return port if said is None and _is_free(port) else _free_port(), since

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
        start = told = time.monotonic()
        what = "its API did not answer"
        while (now := time.monotonic()) < start + self.start_seconds:
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
                    self._check_closed()
                    # The first call builds the API that tasks use, which takes longer than a task is ready to wait.
                    # (Without a header of its own Airflow would give this call one that the task API cannot read.)
                    ping = f"{self.url}/execution/health/ping"
                    httpx.get(ping, headers={"Authorization": "none"}, timeout=60, trust_env=False)
                    return
                what = f"not parsed: {', '.join(sorted(missing))}" if missing else "no scheduler heartbeat"
            if now - told >= 10:
                told = now
                self.say(f"waiting for Airflow, {now - start:.0f} s: {what}; its log is {self.log_file}")
            time.sleep(0.3)
        raise OrchestratorError(
            f"Airflow did not start within {self.start_seconds:.0f} s: {what}",
            where=str(self.log_file),
            mend=self.log_tail(),
        )

    def _check_closed(self) -> None:
        """Raise OrchestratorError unless the API refuses who has no password, and what comes by a foreign name."""
        for headers, code in (
            ({}, 401),
            ({"Host": "foreign.invalid"}, 403),
            ({"Origin": "http://foreign.invalid"}, 403),
        ):
            found = httpx.get(f"{self.url}/api/v2/dags", headers=headers, timeout=60, trust_env=False).status_code
            if found != code:
                raise OrchestratorError(
                    f"Airflow answered {found} where it should refuse with {code}: {headers or 'no password'}",
                    where=self.url,
                    mend=f"see that {self.dags / 'plugins'} is whole, and what {self.log_file} says of it",
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


def note(
    settings: Settings,
    task: Any,
    text: str,
    say: Callable[[str], None] = lambda text: None,
    elsewhere: Callable[[], tuple[str, str, str] | None] = lambda: None,
) -> None:
    """Set the note of a task that is at work, by the API of the Airflow that runs it; a task cannot by itself.

    A note that cannot be set is told and no fault of the task: the same stands in its log.

    Args:
        task: Has ``dag_id``, ``run_id`` and ``task_id``, one of a mapped task its ``map_index``.
        elsewhere: Asked where Airflow was not started by us: address, login and password of its API, if they are known.
    """
    home, login = settings.home / "airflow", None
    try:
        url = str(json.loads((home / PID_FILE).read_text("utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        if (known := elsewhere()) is None:
            return
        url, login = known[0], (known[1], known[2])
    api = Api(home / LOG_FILE, home / PASSWORDS, login)
    try:
        api.connect(url.rstrip("/"))
        api.note(task.dag_id, task.run_id, task.task_id, text, getattr(task, "map_index", -1))
    except OrchestratorError as error:
        say(f"the task's note was not set: {error}")
    except Exception as error:  # no address, or a page of something else answers: the task has done its work
        say(f"the task's note was not set ({type(error).__name__}): see that {url} is the address of Airflow")
    finally:
        api.disconnect()


def _free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        return int(held.getsockname()[1])


def _is_free(port: int) -> bool:
    """Whether a server could listen on the port now; one that has just ended does not count."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


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
