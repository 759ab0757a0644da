"""A sample of size S, ingested date by date; made once for all tests that need it."""

from __future__ import annotations

import datetime as dt
import functools
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dealermart import ingest, sample
from dealermart.ingest import IngestResult
from dealermart.settings import Settings

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
    """All received dates ingested from the inbox, in order."""
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
