"""Airflow's REST API, as far as the demonstration needs it."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from dealermart.base import DealermartError

FINAL = frozenset({"success", "failed"})


# Two requests that write at the same moment can hold each other up in SQLite until one of them gives up with a 500.
ATTEMPTS = 4

USER = "admin"

NOTE_LENGTH = 1000  # Airflow's own limit


class OrchestratorError(DealermartError):
    """The scheduler did not start, did not answer, or a run did not end in time."""


class Unanswered(OrchestratorError):
    """Airflow's API cannot be reached, or takes too long."""


class RunFailed(DealermartError):
    """A DAG run ended red."""


@dataclass(frozen=True)
class DagRun:
    """One DAG run as the REST API shows it; ``seconds`` is 0 until it has started."""

    dag_id: str
    run_id: str
    state: str
    kind: str
    partition: str | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def seconds(self) -> float:
        if self.started_at is None:
            return 0.0
        return ((self.ended_at or datetime.now(self.started_at.tzinfo)) - self.started_at).total_seconds()

    @property
    def done(self) -> bool:
        return self.state in FINAL


def dag_run(item: dict[str, Any]) -> DagRun:
    """A run as the API gives it."""

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(item[name]) if item[name] else None

    return DagRun(
        dag_id=item["dag_id"],
        run_id=item["dag_run_id"],
        state=item["state"],
        kind=item["run_type"],
        partition=item["partition_key"],
        queued_at=moment("queued_at"),
        started_at=moment("start_date"),
        ended_at=moment("end_date"),
    )


def log_lines(content: Any) -> list[str]:
    """Plain lines of a task log; the API gives one object per line, errors as a list of exceptions."""
    lines: list[str] = []
    for entry in content if isinstance(content, list) else str(content).splitlines():
        if not isinstance(entry, dict):
            lines.append(str(entry))
            continue
        lines.append(str(entry.get("event", "")))
        lines += [f"{error.get('exc_type')}: {error.get('exc_value')}" for error in entry.get("error_detail") or []]
    return [line for line in lines if not line.startswith("::")]  # marks for folding on the web page


class Api:
    """What a user does in Airflow, through its REST API.

    Args:
        log_file: Where Airflow tells more; errors name it.
        passwords: File with the passwords, by user.
        login: User and password of an Airflow that is none of ours; then there is no such file.
    """

    def __init__(self, log_file: Path, passwords: Path, login: tuple[str, str] | None = None) -> None:
        self.log_file, self.passwords, self.other_login = log_file, passwords, login
        self.url = ""
        self._http: httpx.Client | None = None

    def connect(self, url: str) -> None:
        """Talk to the Airflow at ``url`` from now on, whether it answers yet or not."""
        self.url = url
        # Ours is on this machine; the way to another may need the environment's proxy and certificates.
        is_ours = self.other_login is None
        self._http = httpx.Client(base_url=f"{url}/api/v2", timeout=120 if is_ours else 10, trust_env=not is_ours)

    def disconnect(self) -> None:
        """Safe to call twice."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def unpause(self, *dag_ids: str) -> None:
        """Let the schedules of DAGs run."""
        for dag_id in dag_ids:
            self._call("PATCH", f"/dags/{dag_id}", params={"update_mask": "is_paused"}, json={"is_paused": False})

    def trigger(self, dag_id: str, partition: str | None = None, conf: dict[str, Any] | None = None) -> str:
        """Start one run; returns its run id."""
        # An id of ours, so that the same request can be sent again without starting a second run.
        run_id = f"manual__{partition or 'undated'}__{secrets.token_hex(6)}"
        body = {"dag_run_id": run_id, "logical_date": None, "partition_key": partition, "conf": conf or {}}
        try:
            self._call("POST", f"/dags/{dag_id}/dagRuns", json=body)
        except OrchestratorError:
            with suppress(OrchestratorError):  # what is told is why it was refused, not that looking failed too
                if run_id in {run.run_id for run in self.runs(dag_id)}:
                    return run_id
            raise
        return run_id

    def runs(self, *dag_ids: str) -> list[DagRun]:
        """All runs of the DAGs (default: of all), oldest first."""
        found: list[DagRun] = []
        while True:
            page = self._get("/dags/~/dagRuns", limit=100, offset=len(found), order_by="id")
            found += [dag_run(item) for item in page["dag_runs"]]
            if len(found) >= page["total_entries"] or not page["dag_runs"]:
                return [run for run in found if not dag_ids or run.dag_id in dag_ids]

    def waiting_events(self) -> int:
        """Asset events that have not started a run yet."""
        events = self._get("/assets/events", limit=100, order_by="-timestamp")["asset_events"]
        return sum(1 for event in events if not event["created_dagruns"])

    def tasks(self, run: DagRun) -> list[dict[str, Any]]:
        """The task instances of a run, as the REST API shows them."""
        return list(self._get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances")["task_instances"])

    def note(self, dag_id: str, run_id: str, task_id: str, text: str, map_index: int = -1) -> None:
        """Set the note of a task, or of one of a mapped task; what is longer than Airflow takes is cut."""
        part = f"/{map_index}" if map_index >= 0 else ""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}{part}"
        self._call("PATCH", path, params={"update_mask": "note"}, json={"note": text[:NOTE_LENGTH]})

    def _log_in(self, http: httpx.Client) -> None:
        """A token for the calls that follow.

        Raises:
            OrchestratorError: there is no password, or Airflow does not take it.
        """
        user, again = USER, f"remove {self.passwords}, stop Airflow and start it again: it makes a new password"
        try:
            if self.other_login is None:
                password = str(json.loads(self.passwords.read_text("utf-8"))[USER])
            else:
                (user, password), again = self.other_login, "correct login and password of the connection"
        except (OSError, ValueError, KeyError, TypeError):
            what = f"the password of {USER} cannot be read"
            raise OrchestratorError(what, where=str(self.passwords), mend=again) from None
        answer = http.post(f"{self.url}/auth/token", json={"username": user, "password": password})
        if answer.is_error:
            what = f"Airflow answered {answer.status_code} to the password of {user}"
            raise OrchestratorError(what, where=self.url, mend=again)
        http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _get(self, path: str, **params: Any) -> dict[str, Any]:
        return self._call("GET", path, params=params)

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        if self._http is None:
            raise OrchestratorError("Airflow is not running", mend="start it first")
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = self._http.request(method, path, **request)
                if answer.status_code == 401:  # no token yet, or its day is over
                    self._log_in(self._http)
                    answer = self._http.request(method, path, **request)
            except httpx.HTTPError as error:
                if isinstance(error, httpx.TimeoutException) and not last:
                    continue
                raise Unanswered(
                    f"Airflow did not answer to {method} {path}: {type(error).__name__}",
                    where=self.url,
                    mend=f"its log is {self.log_file}; a machine that does much else at once is the usual cause",
                ) from None
            if answer.status_code != 500 or last:
                break
            time.sleep(1)
        if answer.is_error:
            what = f"Airflow answered {answer.status_code} to {method} {path}: {answer.text}"
            raise OrchestratorError(what, where=self.url, mend=f"its log is {self.log_file}")
        return dict(answer.json()) if answer.content else {}

    def put_pool(self, name: str, slots: int, about: str = "DuckDB takes one writer") -> None:
        """See that the pool has so many slots."""
        pools = {pool["name"]: pool["slots"] for pool in self._get("/pools", limit=100)["pools"]}
        if name not in pools:
            self._call("POST", "/pools", json={"name": name, "slots": slots, "description": about})
        elif pools[name] != slots:
            self._call("PATCH", f"/pools/{name}", params={"update_mask": "slots"}, json={"name": name, "slots": slots})
