from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.dbt import company, warehouse


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made company, built whole, every test and unit test of the project passed."""
    path = warehouse.make(tmp_path_factory.mktemp("marts"), company.FEEDS, company.COMPANY)
    warehouse.build(path, "--full-refresh")
    return path


@pytest.fixture(scope="session")
def con(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(built), read_only=True) as connection:
        yield connection
