"""A sample of size S, ingested date by date; made once for all tests that need it, in whichever process they run."""

from __future__ import annotations

import datetime as dt
import functools
import os
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

import sample_company as sample
from dealermart import ingest
from dealermart.base import Settings
from dealermart.ingest.partition import IngestResult

SEED = 20231001


@dataclass(frozen=True)
class Ingested:
    settings: Settings
    first: Path  # a home that knows only the first received date
    out: Path
    truth: dict[str, Any]
    results: dict[str, IngestResult]  # by received date


@functools.cache
def make(base: Path) -> tuple[Path, dict[str, Any]]:
    """The sample's folder and truth."""
    out = base / "sample" / "S"
    return out, sample.make(SEED, "S", out)


@functools.cache
def run(base: Path) -> Ingested:
    """All received dates ingested from the inbox, in order. Whoever uses it leaves it as it is."""
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = shared / "sample-ingested"
    with FileLock(shared / "sample.lock"):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_ingest(shared)))
    found: Ingested = pickle.loads(kept.read_bytes())
    return found


def _ingest(base: Path) -> Ingested:
    out, truth = make(base)
    settings = Settings(home=base / "sample" / "home")
    settings.inbox.mkdir(parents=True)
    (settings.inbox / sample.SOURCE).symlink_to(out, target_is_directory=True)
    results = {}
    for day in truth["received_dates"]:
        results[day] = ingest.run(settings, sample.SOURCE, dt.date.fromisoformat(day))
        if len(results) == 1:
            for folder in ("log", "lake"):
                shutil.copytree(settings.home / folder, base / "sample" / "first" / folder)
    return Ingested(settings, base / "sample" / "first", out, truth, results)
