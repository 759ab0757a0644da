"""Files that others write: each comes to exactly what stands in its case, read by itself and in one delivery with all."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from tests.conftest import write_config
from tests.readers.conftest import Reader
from tests.readers.foreign import books, jsons, parquets, texts
from tests.readers.foreign.case import COLUMNS, Case

from dealermart import ingest, lake
from dealermart.base import DataError, Settings
from dealermart.config import load_contracts
from dealermart.lake import FileResult

CASES: list[Case] = [case for module in (texts, books, jsons, parquets) for case in module.cases()]
TAKEN = [case for case in CASES if not case.refused]
REFUSED = [case for case in CASES if case.refused]
SOURCE, RECEIVED = "foreign", dt.date(2026, 3, 2)


def test_no_two_cases_share_a_name_or_a_key() -> None:
    """All go into one delivery: what they share would count as a duplicate or a conflict there."""
    assert len(CASES) >= 60
    names = Counter(case.id for case in CASES)
    keys = Counter((row[0], row[2]) for case in TAKEN for row in accepted(case))
    assert [found for found, count in (names + keys).items() if count > 1] == []


@pytest.mark.parametrize("case", [case for case in TAKEN if case.is_raw], ids=lambda case: case.id)
def test_read(case: Case, read: Reader) -> None:
    found = read(case.made(), **case.profile)
    assert sorted(found.columns) == sorted(case.columns)
    places = [1 + found.columns.index(name) for name in case.columns]
    assert [(row[0], *(row[place] for place in places)) for row in found.rows] == case.rows
    reasons = {number: reason for number, reason, _ in found.rejects}
    assert reasons.keys() == case.rejected.keys()
    for number, word in case.rejected.items():
        assert word in reasons[number]
    counts = found.counts
    assert (counts.records, counts.structural, counts.rejected) == (case.records, case.structural, len(case.rejected))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_refused(case: Case, read: Reader) -> None:
    with pytest.raises(DataError) as caught:
        read(case.made(), **case.profile)
    said = f"{caught.value.what}; {caught.value.mend}"
    assert re.search(case.refused, said), said
    assert caught.value.where
    assert caught.value.mend


# -- all in one delivery -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """What came of a delivery: results by case, faults by case and record as (stage, reason), typed rows by case."""

    results: dict[str, FileResult]
    faults: dict[str, dict[int, tuple[str, str]]]
    rows: dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def deliver(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Callable[[list[Case]], Delivery]:
    def run(cases: list[Case]) -> Delivery:
        root = tmp_path_factory.mktemp("foreign")
        settings = Settings(
            home=root / "home", config=write_config(root / "config"), project=project, user="tester", threads=1
        )
        source, drop = settings.sources / SOURCE, root / "drop"
        source.mkdir()
        drop.mkdir()
        names = ", ".join(COLUMNS)
        entries: dict[str, dict[str, Any]] = {}  # by what the profile says; cases of which it says the same share one
        for case in cases:
            said = json.dumps(case.profile)
            name = entries.get(said, {}).get("name", f"entry_{len(entries)}")
            (drop / name).mkdir(exist_ok=True)
            (drop / name / case.file).write_bytes(case.made())
            (source / f"{name}.sql").write_text(f"select _delivery_id, _row_number, {names} from {name}\n", "utf-8")
            entry = {"name": name, "feed": "dealers", "map": f"{name}.sql", "pattern": f"{name}/*"}
            entries[said] = {**entry, **case.profile}
        profile = {"source": SOURCE, "title": "What others write", "files": list(entries.values())}
        (source / "source.yml").write_text(yaml.safe_dump(profile, allow_unicode=True, sort_keys=False), "utf-8")
        result = ingest.run(settings, SOURCE, RECEIVED, drop)
        faults: dict[str, dict[int, tuple[str, str]]] = {}
        rows: dict[str, list[tuple[Any, ...]]] = {}
        contract = load_contracts(settings)["dealers"]
        paths = [str(path) for path in settings.quarantine.glob("*/*.parquet")]
        with duckdb.connect() as con:
            for file, number, stage, reason in (
                con.execute(
                    "select source_file, row_number, stage, reason from read_parquet($paths)", {"paths": paths}
                ).fetchall()
                if paths
                else []
            ):
                faults.setdefault(Path(file).stem, {})[number] = (stage, reason)
            known = lake.rows_sql(contract, lake.read(settings).paths(settings, "dealers"))
            names = ", ".join(f"{name}::varchar" for name in COLUMNS)
            for file, *cells in con.execute(
                f"select _source_file, {names} from ({known}) where not _is_repeat order by _source_file, _row_number"
            ).fetchall():
                rows.setdefault(Path(file).stem, []).append(typed(cells))
        return Delivery({Path(found.file).stem: found for found in result.files}, faults, rows)

    return run


def typed(cells: Any) -> tuple[Any, ...]:
    """Cells with the amount written in one way."""
    code, name, day, amount, city, *_ = cells
    return (code, name, day, amount and f"{Decimal(amount.replace(',', '')).normalize():f}", city)


def accepted(case: Case) -> list[tuple[Any, ...]]:
    if case.accepted is not None:
        return list(case.accepted)
    out = {*case.unmapped, *case.held}
    return [typed(cells) for number, *cells in case.rows if number not in out]


@pytest.fixture(scope="module")
def taken(deliver: Callable[[list[Case]], Delivery]) -> Delivery:
    return deliver(TAKEN)


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.id)
def test_taken_in(case: Case, taken: Delivery) -> None:
    found = taken.results[case.id]
    assert found.status == "accepted", found.error
    faults = taken.faults.get(case.id, {})
    lost = {**case.rejected, **case.unmapped}
    assert {number for number, (stage, _) in faults.items() if stage != "check"} == lost.keys()
    assert {number for number, (stage, _) in faults.items() if stage == "check"} == case.held.keys()
    for number, word in {**lost, **case.held}.items():
        assert re.search(word, faults[number][1]), faults[number]
    assert taken.rows.get(case.id, []) == accepted(case)
    counts = (found.records, found.structural, found.rejected, found.accepted, found.quarantined, found.duplicate)
    assert counts == (case.records, case.structural, len(lost), len(accepted(case)), len(case.held), 0)


def test_what_is_refused_stops_nothing_else(deliver: Callable[[list[Case]], Delivery]) -> None:
    good = next(case for case in TAKEN if case.id == "trailing_delimiter")
    found = deliver([*REFUSED, good])
    assert {name: result.status for name, result in found.results.items() if result.status != "refused"} == {
        good.id: "accepted"
    }
    assert found.rows == {good.id: accepted(good)}
    assert {case.id for case in REFUSED} < found.results.keys()
