"""The source profile of the sample: it loads, its selects are allowed, and it knows every file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.sample_company.conftest import Made

from dealermart import mapping
from dealermart.base import REPO, Settings
from dealermart.config import load_contracts, load_profile, profile_sql

SETTINGS = Settings(home=Path("unused"))
CONTRACTS = load_contracts(SETTINGS)
PROFILE = load_profile(SETTINGS, "sample", CONTRACTS)


@pytest.mark.parametrize("name", [one.name for one in PROFILE.files if one.feed])
def test_select_is_allowed(name: str) -> None:
    spec = next(one for one in PROFILE.files if one.name == name)
    path, sql = profile_sql(SETTINGS, "sample", spec)
    tables = [name, *(one.name for one in PROFILE.references), *(f"feed_{feed}" for feed in CONTRACTS)]
    with duckdb.connect(":memory:") as con:
        mapping.check_select(con, path, sql, tables)


def test_every_feed_has_an_entry() -> None:
    assert {one.feed for one in PROFILE.files if one.feed} == set(CONTRACTS)


def test_every_select_stands_in_one_entry() -> None:
    folder = REPO / "config" / "sources" / "sample"
    assert {path.name for path in folder.glob("*.sql")} == {one.map for one in PROFILE.files if one.map}


def test_every_file_belongs_to_the_entry_that_the_truth_names(made: Made) -> None:
    found = {one["file"]: spec.name for one in made.truth["files"] for spec in PROFILE.specs_of(one["file"])}
    assert found == {one["file"]: one["entry"] for one in made.truth["files"]}
    assert set(found.values()) == {one.name for one in PROFILE.files}
