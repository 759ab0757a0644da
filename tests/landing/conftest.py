"""Landing one file in a test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart import landing
from dealermart.base import DataError, Settings
from dealermart.config import Limits
from dealermart.landing import Delivery

DAY = dt.date(2026, 3, 2)

Land = Callable[..., list[Delivery]]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", config=tmp_path / "config")


@pytest.fixture
def land(home: Settings, tmp_path: Path) -> Land:
    """Write bytes into a drop folder under a name and land them: ``land("a/sales.csv.gz", content, members=3)``."""

    def run(name: str, content: bytes, **limits: int) -> list[Delivery]:
        path = tmp_path / "drop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return land_one(home, name, path, tmp_path / "unpacked", Limits(**limits))

    return run


def land_one(home: Settings, name: str, path: Path, unpacked: Path, limits: Limits) -> list[Delivery]:
    """Land one file, or raise why it is not taken."""
    (outcome,) = landing.land(home, "mini", DAY, [(name, path)], limits, unpacked)
    if isinstance(outcome, DataError):
        raise outcome
    return outcome
