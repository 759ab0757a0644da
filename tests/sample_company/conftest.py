from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.sample_company import ingested


class Made(NamedTuple):
    out: Path
    truth: dict[str, Any]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A sample of size S: its folder and its truth."""
    return Made(*ingested.make(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> ingested.Ingested:
    """The same sample, ingested."""
    return ingested.run(tmp_path_factory.getbasetemp())
