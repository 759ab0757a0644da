from __future__ import annotations

from pathlib import Path

import pytest
from tests.review import made


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small quarter as a published copy."""
    return made.write(tmp_path_factory.mktemp("copy") / "dealermart.duckdb", made.quarter())
