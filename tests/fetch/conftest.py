"""A source with a place where its files come from, at a moment that stands still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart.base import Settings

# 20:00 in UTC is 04:00 of the next day in Shanghai, where the test company is.
NOW = dt.datetime(2026, 3, 2, 20, 0)
TODAY = dt.date(2026, 3, 3)


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
