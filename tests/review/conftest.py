from __future__ import annotations

from pathlib import Path

import pytest
from tests.review import made


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small quarter as a published copy."""
    return made.write(tmp_path_factory.mktemp("copy") / "dealermart.duckdb", made.quarter())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that need programs of the machine run in `make test-office` only; elsewhere the report names them as skipped."""
    if "office" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("office"):
            item.add_marker(pytest.mark.skip(reason="needs Chromium and LibreOffice: `make test-office` runs it"))
