"""The UTF-16 files of AdventureWorks, with the encoding left open: what went in, by counting lines, comes out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from dealermart import ingest, lake
from dealermart.base import Settings
from sample_company import corpus

DATA = Path(__file__).parents[3] / "shared" / "data" / "adventureworks"
LINES = {"DimReseller": 701, "FactCallCenter": 120, "FactResellerSales": 60855, "FactSalesQuota": 163}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the AdventureWorks files are not on this machine")


def test_the_ledger_balances(tmp_path: Path) -> None:
    corpus.make(tmp_path / "made")
    settings = Settings(home=tmp_path / "home", config=tmp_path / "made" / "config", project=tmp_path / "made")
    columns = json.loads((DATA / "dw" / "columns.json").read_text("utf-8"))
    entries = [
        {"name": f"raw_{name.lower()}", "pattern": f"{name}.csv", "format": "csv", "encoding": "auto", "delimiter": "|",
         "quote": "", "header": False, "columns": columns[name]}
        for name in LINES
    ]  # fmt: skip
    source = settings.sources / "shipped"
    source.mkdir()
    profile = {"source": "shipped", "title": "As shipped", "files": entries}
    (source / "source.yml").write_text(yaml.safe_dump(profile), "utf-8")
    drop = tmp_path / "drop"
    drop.mkdir()
    for name in LINES:
        shutil.copyfile(DATA / "dw-utf16" / f"{name}.csv", drop / f"{name}.csv")
    result = ingest.run(settings, "shipped", corpus.RECEIVED, drop)
    found = {one.file.removesuffix(".csv"): one for one in result.files}
    assert {name: one.records for name, one in found.items()} == LINES
    assert {name: (one.mapped, one.accepted) for name, one in found.items()} == {name: (n, n) for name, n in LINES.items()}  # fmt: skip
    assert {(one.structural, one.rejected, one.quarantined, one.duplicate) for one in found.values()} == {(0, 0, 0, 0)}
    assert {(one.encoding, one.confidence) for one in found.values()} == {("utf-16", 100)}
    assert {one["records"] for one in lake.read(settings).deliveries()} == set(LINES.values())
