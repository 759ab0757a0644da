"""Where things are. The only module that reads the environment."""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dealermart.base.errors import ConfigError

REPO = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Settings:
    """Folders and choices of one installation.

    Attributes:
        home: State: landing, log, lake, quarantine, warehouse, published copies.
        config: What a company edits: contracts, sources, plans, reviews.
        company: File name of the company's settings inside ``config``.
        project: Root of the code: dbt project and expectation suites.
        memory_limit: What DuckDB may use, as DuckDB writes it.
        threads: Threads of DuckDB.
        lock_wait: Seconds for which a command waits while another one is at work.
        postgres: The server that is published to: its address, ``embedded`` for one of our own; empty: none.
        person_key: File with the key by which members are hashed for BI, where the company file asks for it.
        port: Where Airflow's page is; 0 is any free port, None the one of the starts before.
    """

    home: Path
    config: Path = REPO / "config"
    company: str = "company.yml"
    project: Path = REPO
    memory_limit: str = "3GB"
    threads: int = 2
    lock_wait: float = 3600.0
    port: int | None = None
    postgres: str = field(default="", repr=False)  # it may hold a password
    person_key: Path | None = None
    user: str = field(default="unknown", compare=False)
    warehouse_override: Path | None = None

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    @property
    def arrivals(self) -> Path:
        return self.home / "arrivals"

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def pending(self) -> Path:
        """A change of several folders in the making; see ``lake.recover``."""
        return self.home / "pending"

    @property
    def compiled(self) -> Path:
        return self.home / "config"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def reports(self) -> Path:
        return self.home / "reports"

    @property
    def closed(self) -> Path:
        return self.home / "closed"

    @property
    def published(self) -> Path:
        return self.home / "published"

    @property
    def reviews(self) -> Path:
        """Workbooks and packs of reviews, in a folder per quarter and audience."""
        return self.published / "reviews"

    @property
    def warehouse(self) -> Path:
        return self.warehouse_override or self.home / "warehouse" / "warehouse.duckdb"

    @property
    def lock_file(self) -> Path:
        return self.home / "dealermart.lock"

    @property
    def company_file(self) -> Path:
        return self.config / self.company

    @property
    def feeds(self) -> Path:
        return self.config / "feeds"

    @property
    def sources(self) -> Path:
        return self.config / "sources"

    @property
    def expectations(self) -> Path:
        return self.project / "expectations"

    @property
    def dbt_project(self) -> Path:
        return self.project / "dbt_project"

    @property
    def dags(self) -> Path:
        return self.project / "dags"


def load_settings() -> Settings:
    """Settings from the environment.

    Reads ``DEALERMART_HOME`` (default ``var`` beside the code), ``DEALERMART_CONFIG``, ``DEALERMART_COMPANY``,
    ``DEALERMART_PROJECT`` (default the code's own dbt project and suites), ``DEALERMART_MEMORY_LIMIT``,
    ``DEALERMART_THREADS``, ``DEALERMART_LOCK_WAIT``, ``DEALERMART_PORT``, ``DEALERMART_POSTGRES_URL`` and
    ``DEALERMART_PERSON_KEY``.

    Raises:
        ConfigError: a number does not parse, or the config folder or the company file does not exist.
    """
    env = os.environ
    config = Path(env.get("DEALERMART_CONFIG", REPO / "config")).resolve()
    if not config.is_dir():
        raise ConfigError(
            "the config folder does not exist",
            where=str(config),
            mend="set DEALERMART_CONFIG to the folder that holds feeds/ and sources/",
        )
    company = env.get("DEALERMART_COMPANY", Settings.company)
    if "DEALERMART_COMPANY" in env and not (config / company).is_file():
        known = ", ".join(sorted(path.name for path in config.glob("company*.yml")))
        raise ConfigError(
            f"DEALERMART_COMPANY names {company!r}, and there is no such file",
            where=str(config),
            mend=f"write the company file, or name one of: {known}",
        )
    threads = env.get("DEALERMART_THREADS", str(os.cpu_count() or 2))
    if not threads.isdigit() or int(threads) < 1:
        raise ConfigError("DEALERMART_THREADS is not a whole number above 0", mend="for example DEALERMART_THREADS=2")
    wait = env.get("DEALERMART_LOCK_WAIT", "3600")
    if not wait.isdigit():
        raise ConfigError(
            "DEALERMART_LOCK_WAIT is not a whole number of seconds", mend="for example 3600, or 0 to not wait"
        )
    port = env.get("DEALERMART_PORT", "")
    if port and not (port.isdigit() and int(port) < 65536):
        raise ConfigError("DEALERMART_PORT is not a port", mend="for example 8081; leave it out to keep the last one")
    return Settings(
        home=Path(env.get("DEALERMART_HOME", REPO / "var")).resolve(),
        config=config,
        company=company,
        project=Path(env.get("DEALERMART_PROJECT", REPO)).resolve(),
        memory_limit=env.get("DEALERMART_MEMORY_LIMIT", Settings.memory_limit),
        threads=int(threads),
        lock_wait=float(wait),
        port=int(port) if port else None,
        postgres=env.get("DEALERMART_POSTGRES_URL", ""),
        person_key=Path(env["DEALERMART_PERSON_KEY"]) if env.get("DEALERMART_PERSON_KEY") else None,
        user=env.get("DEALERMART_USER") or _user(),
    )


def storage_options(source: str) -> dict[str, Any]:
    """How a source's remote storage is entered, from ``DEALERMART_STORAGE_<SOURCE>``: fsspec's options as JSON.

    Raises:
        ConfigError: the variable does not hold a JSON object.
    """
    name = f"DEALERMART_STORAGE_{source.upper()}"
    try:
        options = json.loads(os.environ.get(name, "{}"))
    except ValueError:
        options = None
    if not isinstance(options, dict):
        # The value itself is a secret.
        raise ConfigError(f"{name} is not a JSON object", mend='write it like {"username": "...", "password": "..."}')
    return options


def alert_address(channel: str) -> str:
    """Where a channel of ``config/alerts.yml`` is reached, from ``DEALERMART_ALERT_<CHANNEL>``; empty without one."""
    return os.environ.get(f"DEALERMART_ALERT_{channel.upper()}", "")


def scheduler_run() -> str:
    """DAG and run of the Airflow task that this process is, or nothing."""
    dag_id, run_id = (os.environ.get(f"AIRFLOW_CTX_{name}", "") for name in ("DAG_ID", "DAG_RUN_ID"))
    return f"{dag_id} {run_id}" if dag_id and run_id else ""


def crm_entry(source: str) -> dict[str, str]:
    """How a source's CRM is entered: what ``DEALERMART_CRM_<SOURCE>_<NAME>`` holds, by name in small letters.

    ``test_host`` is there where ``DEALERMART_CRM_TEST_HOST`` is set.
    """
    start = f"DEALERMART_CRM_{source.upper()}_"
    entry = {name.removeprefix(start).lower(): value for name, value in os.environ.items() if name.startswith(start)}
    if os.environ.get("DEALERMART_CRM_TEST_HOST"):
        entry["test_host"] = "1"
    return {name: value for name, value in entry.items() if value}


def child_environment(**extra: str) -> dict[str, str]:
    """The process environment for a program started by us, with ``extra`` on top."""
    return {**os.environ, **extra}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a passwd entry
        return str(os.getuid())
