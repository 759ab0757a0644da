"""Airflow's REST API, as far as the demonstration needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dealermart.base import DealermartError

FINAL = frozenset({"success", "failed"})


# Two requests that write at the same moment can hold each other up in SQLite until one of them gives up with a 500.
ATTEMPTS = 4


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
