"""Landing one file in a test, and a source with a place where its files come from, at a moment that stands still."""

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
# 20:00 in UTC is 04:00 of the next day in Shanghai, where the test company is.
NOW = dt.datetime(2026, 3, 2, 20, 0)
TODAY = dt.date(2026, 3, 3)

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


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fetching", "inbox"):
        monkeypatch.setattr(f"dealermart.landing.{module}.utc_now", lambda: NOW)


@pytest.fixture
def comes_from(config: Path) -> Callable[..., None]:
    """Say in the profile where the files come from: ``comes_from(url, quiet_seconds=0)``."""

    def write(url: str, **more: int) -> None:
        profile = config / "sources" / "mini" / "source.yml"
        fields = ", ".join([f'url: "{url}"', *(f"{name}: {value}" for name, value in more.items())])
        profile.write_text(profile.read_text("utf-8") + f"from: {{{fields}}}\n", "utf-8")

    return write


@pytest.fixture
def inbox(settings: Settings) -> Callable[[], dict[str, bytes]]:
    """All that the inbox of the source holds, by path."""

    def look() -> dict[str, bytes]:
        root = settings.inbox / "mini"
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    return look
