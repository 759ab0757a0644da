"""Every mess that dealers send: each file comes to exactly what its maker meant, and both balances hold."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dealermart import ingest, lake
from dealermart.base import Settings
from dealermart.config import load_contracts
from dealermart.lake import FileResult
from sample_company import corpus

pytestmark = pytest.mark.slow


COUNTS = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
NAMES = [doc.name for doc in corpus._docs()]


@dataclass(frozen=True)
class Taken:
    settings: Settings
    truth: dict[str, dict[str, Any]]
    results: dict[str, FileResult]
    quarantine: dict[str, list[tuple[str, str, str]]]  # stage, rule, reason
    rows: dict[str, list[tuple[Any, ...]]]
    files: Path


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The corpus, made and taken in by one run."""
    out = tmp_path_factory.mktemp("corpus") / "made"
    truth = corpus.make(out)
    settings = Settings(home=out / "home", config=out / "config", project=out)
    result = ingest.run(settings, corpus.SOURCE, corpus.RECEIVED, out / "files")
    quarantine: dict[str, list[tuple[str, str, str]]] = {}
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect(":memory:") as con:
        for file, *found in con.execute(
            "select source_file, stage, rule, reason from read_parquet($paths)",
            {"paths": [str(path) for path in settings.quarantine.glob("*/*.parquet")]},
        ).fetchall():
            quarantine.setdefault(file, []).append(tuple(found))
        contract = load_contracts(settings)[corpus.FEED]
        names = ", ".join(f"{name}::varchar" for name in contract.names)
        known = lake.rows_sql(contract, lake.read(settings).paths(settings, corpus.FEED))
        for file, *values in con.execute(
            f"select _source_file, {names} from ({known}) where not _is_repeat order by _source_file, _row_number"
        ).fetchall():
            rows.setdefault(file, []).append(tuple(values))
    return Taken(
        settings,
        {one["file"]: one for one in truth["files"]},
        {one.file: one for one in result.files},
        quarantine,
        rows,
        out / "files",
    )


def of(taken: Taken, name: str) -> tuple[str, dict[str, Any], FileResult]:
    (file,) = (one for one in taken.truth if one.rsplit(".", 1)[0] == name)
    return file, taken.truth[file], taken.results[file]


def test_there_are_enough_and_none_is_left_over(taken: Taken) -> None:
    assert len(taken.truth) == len(NAMES) + 1 >= 60
    assert set(taken.results) == set(taken.truth) == {path.name for path in taken.files.iterdir()}


@pytest.mark.parametrize("name", [*NAMES, f"{corpus.AGAIN}.once_more"])
def test_counts(taken: Taken, name: str) -> None:
    _, truth, found = of(taken, name)
    assert found.status == truth["status"], found.error
    counts = {key: getattr(found, key) for key in COUNTS}
    assert counts == (truth["counts"] or dict.fromkeys(COUNTS))
    if truth["counts"]:
        assert counts["records"] == counts["structural"] + counts["rejected"] + counts["mapped"]
        assert counts["mapped"] == counts["accepted"] + counts["quarantined"] + counts["duplicate"]
    if truth["error"]:
        assert truth["error"] in (found.error or "")
        assert "mend: " in (found.error or "")


@pytest.mark.parametrize("name", NAMES)
def test_quarantined_by_rule_and_rejected_by_reason(taken: Taken, name: str) -> None:
    file, truth, _ = of(taken, name)
    found = taken.quarantine.get(file, [])
    assert Counter(rule for stage, rule, _ in found if stage == "check") == truth["quarantined_by_rule"]
    assert Counter(reason for stage, _, reason in found if stage != "check") == truth["rejected_by_reason"]


@pytest.mark.parametrize("name", NAMES)
def test_values(taken: Taken, name: str) -> None:
    """Row by row what the maker meant: no amount, day or name changed on the way."""
    file, truth, _ = of(taken, name)

    def written(row: tuple[str | None, ...]) -> list[str | None]:
        return [value.rstrip("0").rstrip(".") if value and "." in value and key in DECIMALS else value for key, value in zip(corpus.COLUMNS, row, strict=True)]  # fmt: skip

    assert list(map(written, taken.rows.get(file, []))) == list(map(written, truth["rows"]))


DECIMALS = ("quantity", "net_amount", "discount_pct")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("auto_gb18030", "gb18030"), ("auto_utf16_be", "utf-16-be"), ("auto_cp1252", "cp1252"), ("json_gbk", "gb18030")],
)
def test_what_was_detected_stands_in_result_and_log(taken: Taken, name: str, encoding: str) -> None:
    file, _, found = of(taken, name)
    assert found.encoding == encoding
    assert found.confidence is not None
    assert 75 <= found.confidence <= 100
    (logged,) = (one for one in lake.read(taken.settings).deliveries() if one["file"] == file)
    assert (logged["encoding"], logged["confidence"]) == (encoding, found.confidence)


def test_the_corpus_is_the_same_each_time(taken: Taken, tmp_path: Path) -> None:
    corpus.make(tmp_path / "again")
    for path in taken.files.iterdir():
        assert (tmp_path / "again" / "files" / path.name).read_bytes() == path.read_bytes(), path.name
    assert json.loads((tmp_path / "again" / "truth.json").read_text("utf-8"))["files"] == list(taken.truth.values())
