"""The driver of `airflow standalone`: its configuration, its answers, and that it leaves no process behind."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest

from dealermart.base import Settings
from dealermart.demo import Standalone
from dealermart.demo.api import NOTE_LENGTH, OrchestratorError, log_lines
from dealermart.demo.scheduler import _end_session, _free_port, _is_free, environment, note

# A leader that ends when told to, and a member in a process group of its own that does not listen.
LEADER = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import os, signal, time
os.setpgid(0, 0)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(300)
'''], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(300)
"""


@pytest.fixture
def standalone(tmp_path: Path) -> Standalone:
    return Standalone(Settings(home=tmp_path / "home", config=tmp_path / "config"))


def test_every_process_of_the_session_is_ended() -> None:
    leader = subprocess.Popen([sys.executable, "-c", LEADER], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    child = psutil.Process(int(leader.stdout.readline()))
    assert child.is_running()
    _end_session(leader, grace_seconds=1)
    assert leader.poll() is not None
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_process_of_another_session_is_left_alone() -> None:
    ours = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    try:
        _end_session(ours, grace_seconds=1)
        assert ours.poll() is not None
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_configuration_is_for_one_machine_and_tells_nobody(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", config=tmp_path / "config", company="other.yml", threads=3)
    found = environment(settings, tmp_path / "dags", 4711, "2026-03-02T08:00:00+00:00")
    expected = {
        "AIRFLOW_HOME": str(tmp_path / "home" / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(tmp_path / "home" / "airflow" / "passwords.json"),
        "AIRFLOW__DEALERMART__SINCE": "2026-03-02T08:00:00+00:00",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": "4711",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "DEALERMART_HOME": str(tmp_path / "home"),
        "DEALERMART_CONFIG": str(tmp_path / "config"),
        "DEALERMART_COMPANY": "other.yml",
        "DEALERMART_THREADS": "3",
    }
    assert {name: found[name] for name in expected} == expected
    again = environment(settings, tmp_path / "dags", 4711, "2026-03-02T08:00:00+00:00")
    assert found["AIRFLOW__API_AUTH__JWT_SECRET"] != again["AIRFLOW__API_AUTH__JWT_SECRET"]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_free_port_is_free_and_a_taken_one_is_not(taken: int) -> None:
    assert not _is_free(taken)
    assert _is_free(_free_port())


def test_a_state_of_before_is_closed_before_airflow_starts(
    standalone: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    standalone.home.mkdir(parents=True)
    standalone.home.chmod(0o755)

    def not_now(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dealermart.demo.scheduler.subprocess.Popen", not_now)
    with pytest.raises(KeyboardInterrupt):
        standalone.start()
    assert standalone.home.stat().st_mode & 0o007 == 0


def test_the_port_is_the_same_at_each_start(
    standalone: Standalone, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = _free_port()
    monkeypatch.setattr("dealermart.demo.scheduler.FIRST_PORT", wanted)
    standalone.home.mkdir(parents=True)
    port, since = standalone._first_start()
    assert port == wanted
    monkeypatch.setattr("dealermart.demo.scheduler.FIRST_PORT", _free_port())
    assert standalone._first_start() == (port, since)
    said = Standalone(replace(standalone.settings, port=_free_port()))
    assert said._first_start() == (said.settings.port, since), "what the settings say goes before"
    assert standalone._first_start() == (port, since)
    with socket.create_server(("127.0.0.1", port)):
        assert standalone._first_start()[0] != port, "somebody else has it just now"
    assert standalone._first_start() == (port, since)
    with pytest.raises(OrchestratorError, match=f"port {taken} is taken") as error:
        Standalone(replace(standalone.settings, port=taken))._first_start()
    assert error.value.where == "DEALERMART_PORT"


@pytest.mark.parametrize("left", ["", "[]", '{"port": null}'])
def test_a_first_port_that_is_taken_is_given_up(
    standalone: Standalone, taken: int, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    monkeypatch.setattr("dealermart.demo.scheduler.FIRST_PORT", taken)
    standalone.home.mkdir(parents=True)
    (standalone.home / "first_start.json").write_text(left)
    port, since = standalone._first_start()
    assert port not in (taken, 0)
    assert standalone._first_start() == (port, since)


def test_the_password_is_made_once_and_is_nobody_elses(standalone: Standalone) -> None:
    standalone.home.mkdir(parents=True)
    standalone._make_password()
    first = standalone.password
    assert len(first) >= 16
    assert json.loads(standalone.passwords.read_text()) == {"admin": first}
    assert first in standalone.login
    standalone.passwords.chmod(0o644)
    later = Standalone(standalone.settings)
    later._make_password()
    assert json.loads(standalone.passwords.read_text()) == {"admin": first}
    assert first not in later.login
    assert str(later.passwords) in later.login
    assert stat.S_IMODE(later.passwords.stat().st_mode) == 0o600


def test_a_second_one_on_the_same_state_is_refused(standalone: Standalone) -> None:
    standalone.check_free()
    standalone.home.mkdir(parents=True)
    sleeper = [sys.executable, "-c", "import time; print(flush=True); time.sleep(300)", "airflow"]
    at_work = subprocess.Popen(sleeper, start_new_session=True, stdout=subprocess.PIPE)
    try:
        assert at_work.stdout is not None
        at_work.stdout.readline()  # a process that has just begun has no command line yet
        marker = standalone.home / "standalone.json"
        marker.write_text(json.dumps({"pid": at_work.pid, "url": "http://127.0.0.1:4711"}))
        with pytest.raises(OrchestratorError, match=rf"already running.*{at_work.pid}.*:4711") as error:
            standalone.launch()
        assert f"kill -INT {at_work.pid}" in error.value.mend
    finally:
        at_work.kill()
        at_work.communicate()
    standalone.check_free()  # what the dead one left does not count


@pytest.mark.parametrize("left", ["", "{}", '{"pid": "x"}', '{"pid": 999999999, "url": ""}'])
def test_what_a_killed_one_left_does_not_count(standalone: Standalone, left: str) -> None:
    standalone.home.mkdir(parents=True)
    (standalone.home / "standalone.json").write_text(left)
    standalone.check_free()


def test_a_start_that_fails_says_why_and_leaves_nothing(
    standalone: Standalone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bin" / "python"
    broken.parent.mkdir()
    (broken.parent / "airflow").write_text("#!/bin/sh\necho no database; exit 3\n")
    (broken.parent / "airflow").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(OrchestratorError, match="ended while starting") as error:
        standalone.start()
    assert "no database" in error.value.mend
    assert not (standalone.home / "standalone.json").exists()


def test_a_slow_start_is_waited_for_and_told_and_given_up_with_the_log(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 4))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    said: list[str] = []

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens")

    standalone = asked(silent)
    standalone.say, standalone.start_seconds = said.append, 40
    standalone.log_file.parent.mkdir(parents=True)
    standalone.log_file.write_text("scheduler | still migrating")
    with pytest.raises(OrchestratorError, match="did not start within 40 s: its API did not answer") as error:
        standalone._await_start()
    assert error.value.mend == "scheduler | still migrating"
    assert [line.split(" s: ")[0] for line in said] == [f"waiting for Airflow, {seconds}" for seconds in (12, 24, 36)]
    assert Standalone(standalone.settings).start_seconds >= 600


@pytest.mark.parametrize("open_to", ["no password", "Host", "Origin"])
def test_an_airflow_that_is_open_is_not_used(asked: Any, monkeypatch: pytest.MonkeyPatch, open_to: str) -> None:
    def get(url: str, headers: dict[str, str], **how: Any) -> httpx.Response:
        kind = next(iter(headers), "no password")
        return httpx.Response(200 if kind == open_to else 403 if headers else 401)

    monkeypatch.setattr(httpx, "get", get)
    with pytest.raises(OrchestratorError, match=f"should refuse.*{open_to}"):
        asked(Api([]))._check_closed()


class Guarded:
    """An API that wants a token, and takes each of them for ``calls`` calls."""

    def __init__(self, password: str, calls: int) -> None:
        self.password, self.calls = password, calls
        self.tokens = 0
        self.left = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            if json.loads(request.content) != {"username": "admin", "password": self.password}:
                return httpx.Response(401, json={"detail": "Invalid credentials"})
            self.tokens, self.left = self.tokens + 1, self.calls
            return httpx.Response(201, json={"access_token": f"t{self.tokens}"})
        if request.headers.get("Authorization") != f"Bearer t{self.tokens}" or not self.left:
            return httpx.Response(401, json={"detail": "Not authenticated"})
        self.left -= 1
        return httpx.Response(200, json={"task_instances": [], "dag_runs": [], "total_entries": 0, "asset_events": []})


def test_the_client_logs_in_and_again_when_its_token_is_over(asked: Any, standalone: Standalone) -> None:
    standalone.home.mkdir(parents=True)
    standalone._make_password()
    api = Guarded(standalone.password, calls=2)
    running = asked(api)
    running.url = "http://airflow"
    assert [running.runs() for _ in range(5)] == [[]] * 5
    assert api.tokens == 3


@pytest.mark.parametrize(
    ("left", "what"),
    [
        pytest.param('{"admin": "changed"}', "answered 401 to the password", id="another password"),
        pytest.param("{}", "cannot be read", id="no such user"),
        pytest.param("", "cannot be read", id="empty"),
        pytest.param(None, "cannot be read", id="no file"),
    ],
)
def test_a_password_that_is_not_taken_is_told(asked: Any, standalone: Standalone, left: str | None, what: str) -> None:
    standalone.home.mkdir(parents=True)
    if left is not None:
        standalone.passwords.write_text(left)
    running = asked(Guarded("right", calls=1))
    running.url = "http://airflow"
    with pytest.raises(OrchestratorError, match=what) as error:
        running.runs()
    assert "makes a new password" in error.value.mend


TASK = SimpleNamespace(dag_id="ingest_sample", run_id="r1", task_id="ingest")


def test_a_note_is_set_where_our_airflow_runs_and_never_fails_the_task(
    standalone: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(standalone.settings, TASK, "an Airflow of another kind: nobody to tell")
    standalone.home.mkdir(parents=True)
    (standalone.home / "standalone.json").write_text(json.dumps({"pid": 1, "url": "http://127.0.0.1:1"}))
    told: list[str] = []
    note(standalone.settings, TASK, "nobody listens", say=told.append)
    assert "the task's note was not set" in told[0]
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr("dealermart.demo.api.Api._call", lambda self, *what, **how: calls.append((*what, how)) or {})
    note(standalone.settings, TASK, "x" * 2 * NOTE_LENGTH)
    path = "/dags/ingest_sample/dagRuns/r1/taskInstances/ingest"
    assert calls == [("PATCH", path, {"params": {"update_mask": "note"}, "json": {"note": "x" * 1000}})]


def test_a_note_is_set_in_an_airflow_that_we_did_not_start(
    standalone: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By address and login of its own; what it does not take is told, with the mend, and fails nothing."""
    seen: list[Any] = []

    def api(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, str(request.url.copy_with(query=None)), json.loads(request.content)))
        if request.url.host == "page.example":
            return httpx.Response(200, text="<html>welcome</html>")
        if request.url.path == "/auth/token":
            taken = json.loads(request.content) == {"username": "notes", "password": "p"}
            return httpx.Response(201, json={"access_token": "t"}) if taken else httpx.Response(401)
        return httpx.Response(200 if request.headers.get("Authorization") == "Bearer t" else 401, json={})

    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **how: client(transport=httpx.MockTransport(api), **how))
    one = SimpleNamespace(dag_id="arrivals", run_id="r1", task_id="fetch", map_index=2)
    told: list[str] = []
    note(standalone.settings, one, "x", told.append, lambda: ("https://airflow.example/", "notes", "p"))
    path = "https://airflow.example/api/v2/dags/arrivals/dagRuns/r1/taskInstances/fetch/2"
    assert (seen[-1], told) == (("PATCH", path, {"note": "x"}), [])
    note(standalone.settings, one, "x", told.append, lambda: ("https://airflow.example", "notes", "q"))
    for url in ("", "airflow.example", "https://page.example"):
        note(standalone.settings, one, "x", told.append, lambda url=url: (url, "notes", "p"))  # type: ignore[misc]
    assert len(told) == 4 and all(text.startswith("the task's note was not set") for text in told)
    assert "correct login and password of the connection" in told[0]


def test_what_is_not_running_cannot_be_asked(standalone: Standalone) -> None:
    with pytest.raises(OrchestratorError, match="not running"):
        standalone.runs()
    standalone.stop()


def _item(number: int, state: str) -> dict[str, Any]:
    return {
        "dag_id": "ingest_sample",
        "dag_run_id": f"r{number}",
        "state": state,
        "run_type": "manual",
        "partition_key": "2026-03-02",
        "queued_at": "2026-03-03T00:00:00Z",
        "start_date": "2026-03-03T00:00:01Z",
        "end_date": "2026-03-03T00:00:03.500000Z",
    }


class Api:
    """Answers of the REST API, one list of run states and one count of waiting events per look."""

    def __init__(self, looks: list[tuple[list[str], int]]) -> None:
        self.looks, self.asked = looks, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        states, waiting = self.looks[min(self.asked, len(self.looks) - 1)]
        if request.url.path.endswith("/events"):
            self.asked += 1
            return httpx.Response(200, json={"asset_events": [{"created_dagruns": []}] * waiting})
        if request.url.path.endswith("/dagRuns"):
            offset = int(request.url.params["offset"])
            items = [_item(number, state) for number, state in enumerate(states)]
            return httpx.Response(200, json={"dag_runs": items[offset : offset + 2], "total_entries": len(items)})
        return httpx.Response(404, json={"detail": f"no {request.url.path}"})


@pytest.fixture
def asked(standalone: Standalone, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A running one whose API is the given function."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)

    def answer_with(api: Any) -> Standalone:
        standalone._process = process
        standalone._http = httpx.Client(transport=httpx.MockTransport(api), base_url="http://airflow/api/v2")
        return standalone

    yield answer_with
    standalone.stop()
    assert process.poll() is not None


def test_waiting_ends_when_runs_have_ended_and_events_have_started_theirs(asked: Any) -> None:
    api = Api([(["success"], 1), (["success", "success"], 0)])
    changes: list[tuple[str, str]] = []
    runs = asked(api).wait(3600, on_change=lambda run: changes.append((run.run_id, run.state)))
    assert [(run.run_id, run.seconds) for run in runs] == [("r0", 2.5), ("r1", 2.5)]
    assert changes == [("r0", "success"), ("r1", "success")]


def test_all_pages_of_runs_are_read(asked: Any) -> None:
    assert [run.run_id for run in asked(Api([(["success"] * 5, 0)])).runs()] == ["r0", "r1", "r2", "r3", "r4"]


def test_waiting_has_an_end(asked: Any) -> None:
    with pytest.raises(OrchestratorError, match="ingest_sample 2026-03-02 running"):
        asked(Api([(["success", "running"], 0)])).wait(0)


def test_red_runs_are_returned_where_asked_for(asked: Any) -> None:
    assert [run.state for run in asked(Api([(["failed"], 0)])).wait(3600, on_failure="go on")] == ["failed"]


def test_a_refusal_of_the_api_is_told_in_its_words(asked: Any) -> None:
    with pytest.raises(OrchestratorError, match=r"404 .*nothing/dagRuns"):
        asked(lambda request: httpx.Response(404, json={"detail": str(request.url)})).trigger("nothing")


def test_log_lines_are_plain() -> None:
    content = [
        {"event": "Task failed", "error_detail": [{"exc_type": "DataError", "exc_value": "empty"}]},
        {"event": "::endgroup::"},
        {"event": "end"},
        "text",
    ]
    assert log_lines(content) == ["Task failed", "DataError: empty", "end", "text"]
