from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock
from tests.dbt import company, warehouse


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made company, built whole, every test and unit test of the project passed; once for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "marts"
    done = folder / "done"
    with FileLock(f"{folder}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            path = warehouse.make(folder, company.FEEDS, company.COMPANY)
            warehouse.build(path, "--full-refresh")
            done.write_text(path.name, "utf-8")
    return folder / done.read_text("utf-8")


@pytest.fixture(scope="session")
def con(built: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(built), read_only=True) as connection:
        yield connection
