"""What one run of the pipeline works on: where rows come from and go to, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from dealermart.base import Settings
from dealermart.config import Contract, FileSpec
from dealermart.lake import FileResult, Log
from dealermart.landing import Delivery
from dealermart.readers import Counts


@dataclass(frozen=True)
class Folders:
    """Where new files go: the lake itself, the draft of a rebuild, or a folder that a dry run throws away."""

    lake: Path
    quarantine: Path


@dataclass(frozen=True)
class Job:
    """Between which folders a run moves rows, and what it knows. A change of it is a new job (``replace``).

    Attributes:
        settings: Where config, log and landing are read.
        home: Where work is done and decisions are kept: the same, or for a dry run a home that goes away.
        log: Commits that are known. While rows leave the quarantine the last one is in the making: it holds its files,
            quarantine and deliveries so far.
        lake: Where the lake files that the log names stand; those of a commit in the making are in ``folders.lake``.
        quarantine: The same for quarantine files.
        folders: Where new files go.
        run_id: Names the new files and says in every row which run brought it.
        at: The moment of learning (UTC, without zone).
        witness: Is shown what was read, where a dry run is to be verified.
    """

    settings: Settings
    home: Settings
    contracts: dict[str, Contract]
    log: Log
    lake: Path
    quarantine: Path
    folders: Folders
    run_id: str
    at: dt.datetime
    witness: Witness | None = None

    def quarantine_paths(self, wanted: Callable[[dict[str, Any]], bool]) -> list[Path]:
        """The quarantine files whose entries in the log are wanted; those of the last commit are new files."""
        return [
            (self.folders.quarantine if commit is self.log.commits[-1] else self.quarantine) / entry["path"]
            for commit in self.log.commits
            for entry in commit["quarantine"]
            if wanted(entry)
        ]


@dataclass
class Batch:
    """The outcome: files written (relative to their folders) and one result per delivery."""

    files: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    results: list[FileResult] = field(default_factory=list)


class Witness(Protocol):
    """Looks at what was read of a file, before anything is made of it."""

    def read(
        self, con: duckdb.DuckDBPyConnection, spec: FileSpec, delivery: Delivery, table: str, counts: Counts
    ) -> None:
        """See the rows of a delivery in ``table``, and in ``<table>__rejects`` what could not be read."""


class Eraser(Protocol):
    """Looks at the tables of a batch for values of a person, before anything is written from them."""

    def reference(
        self, con: duckdb.DuckDBPyConnection, source: str, spec: FileSpec, reads: Mapping[str, Counts]
    ) -> None:
        """See ``arrived_<spec>`` and what could not be read."""

    def feed(
        self,
        con: duckdb.DuckDBPyConnection,
        source: str,
        spec: FileSpec,
        contract: Contract,
        reads: Mapping[str, Counts],
    ) -> None:
        """See ``<spec>``, what could not be read, and ``mapped_<spec>``."""

    def refused(self, kept: Path, copy: Path, commit: dict[str, Any]) -> None:
        """Copy a quarantine file with rows of files that were refused, which are not read again."""
