from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.closing import built

from dealermart.base import Settings


@pytest.fixture(scope="module")
def ready_home(company: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which two quarters are over and can be closed."""
    settings = replace(company, home=tmp_path_factory.mktemp("ready") / "home")
    folder = settings.home.parent / "drop"
    folder.mkdir()

    def drop(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
        return folder

    built.deliver(settings, drop)
    built.build(settings, built.together(built.FIRST, built.SECOND))
    return settings.home


@pytest.fixture
def ready(company: Settings, tmp_path: Path, ready_home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of it to work on, which commands find too."""
    settings = replace(company, home=tmp_path / "ready")
    shutil.copytree(ready_home, settings.home)
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    monkeypatch.setenv("DEALERMART_PROJECT", str(settings.project))
    return settings


Drop = Callable[..., Path]
