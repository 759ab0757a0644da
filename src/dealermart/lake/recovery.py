"""Finish or undo what a killed run left half done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dealermart.base import Settings, write_json
from dealermart.lake.log import read


def recover(settings: Settings) -> None:
    """Finish or undo what a killed run left half done: of the old and the new state one is always whole."""
    shutil.rmtree(settings.work, ignore_errors=True)  # of runs that were killed: who holds the lock is alone
    _recover_pending(settings)
    old, new = settings.home / "lake.old", settings.home / "rebuild"
    for current in (settings.quarantine, settings.lake):
        for candidate in (new / current.name, old / current.name):
            if old.exists() and not current.exists() and candidate.exists():
                os.rename(candidate, current)


def plan(settings: Settings, run_id: str, moves: dict[Path, Path], removes: Iterable[Path]) -> None:
    """Write down what is to be done with files once the commit of a run stands: ``recover`` does it.

    Args:
        moves: Path below ``settings.pending`` -> path whose place it takes.
    """
    steps = {
        "run_id": run_id,
        "moves": [[str(path.relative_to(settings.home)) for path in pair] for pair in moves.items()],
        "removes": [str(path.relative_to(settings.home)) for path in removes],
    }
    write_json(settings.pending / _STEPS, steps)


_STEPS = "steps.json"


def _recover_pending(settings: Settings) -> None:
    """Do what ``plan`` wrote down, if the commit that it belongs to stands; otherwise it was never meant to be."""
    if not settings.pending.exists():
        return
    steps = settings.pending / _STEPS
    planned: dict[str, Any] = json.loads(steps.read_text("utf-8")) if steps.exists() else {}
    if planned and any(commit["run_id"] == planned["run_id"] for commit in read(settings).commits):
        for names in planned["moves"]:
            made, place = (settings.home / name for name in names)
            if made.exists():  # otherwise it was moved before
                _remove(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.rename(made, place)
        for name in planned["removes"]:
            _remove(settings.home / name)
    steps.unlink(missing_ok=True)
    shutil.rmtree(settings.pending)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
