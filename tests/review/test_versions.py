"""A frozen version of a quarter's review, read over a copy that was published later."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
from tests.review import made

from dealermart import frozen
from dealermart.base import DataError, Settings, UsageError, file_hash
from dealermart.cli import main
from dealermart.review import Packs, Wanted, pack, pull
from dealermart.review.quarter import RESULT, read_quarter
from dealermart.review.tables import opened, version_of


def freeze(home: Settings, copy: Path, version: int) -> None:
    """Freeze the quarter of a copy as ``closing`` does: codes alone, by the columns that the kind of closing keeps."""
    folder = home.closed / "review" / made.QUARTER / f"V{version}R1"
    (folder / "tables").mkdir(parents=True)
    before = [path for path in sorted(folder.parent.iterdir()) if path != folder]
    kind = frozen.kind_of("review")
    with duckdb.connect(str(copy), read_only=True) as con:
        there = [row[0] for row in con.execute("select table_name from duckdb_tables()").fetchall()]
        for name in kind.of(there):
            columns = [row[0] for row in con.execute(f"describe {name}").fetchall()]
            con.execute(
                f"copy (select {kind.columns_sql(name, columns)} from {name} where period_id = '{made.QUARTER}')"
                f" to '{folder}/tables/{name}.parquet'"
            )
    files = {f"tables/{path.name}": {"sha256": file_hash(path)} for path in sorted((folder / "tables").iterdir())}
    last = json.loads((before[-1] / "manifest.json").read_text("utf-8")) if before else None
    said = {
        "kind": "review", "period_id": made.QUARTER, "version": version, "form": 1, "seq": version,
        "previous": {"folder": f"review/{made.QUARTER}/{before[-1].name}", "hash": last["hash"]} if last else None,
        "as_of": f"2026-10-2{version} 06:00:00", "code_version": "0.0.9", "files": files,
        "tables": {Path(file).stem: {} for file in files},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps({**said, "hash": frozen.manifest_hash(said)}), "utf-8")


@pytest.fixture
def home(company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with V1, and V2 in which M3 has 60.00 on appeal and not 57.78; published is 61.00, and M1's words are erased."""
    home = replace(company, home=tmp_path / "home")
    monkeypatch.setenv("DEALERMART_HOME", str(home.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(home.config))
    copy = made.write(home.published / "hr" / "dealermart.duckdb", made.quarter())
    freeze(home, copy, 1)
    for score, then in (("60.00", 2), ("61.00", 0)):
        with duckdb.connect(str(copy)) as con:
            con.execute(
                f"update {RESULT} set final_score = ? where member_id = 'M3' and period_id = '2026-Q3'", [score]
            )
            if then == 0:
                con.execute("update mart_review__input set comment = null where review_input_id = 'M1-self'")
                con.execute("delete from mart_review__goal")
        if then:
            freeze(home, copy, then)
    return home


def place(home: Settings) -> Path:
    return home.published / "hr" / "dealermart.duckdb"


def score_of_m3(home: Settings, name: str) -> Decimal:
    version = version_of(home, made.QUARTER, name) if name else None
    with opened(home, place(home), version) as tables:
        return next(
            row["final_score"] for row in read_quarter(tables, made.QUARTER, True).results if row["member_id"] == "M3"
        )


def test_each_version_stays_readable_beside_what_is_published(home: Settings) -> None:
    assert [score_of_m3(home, name) for name in ("V1", "2", "")] == [
        Decimal("57.78"),
        Decimal("60.00"),
        Decimal("61.00"),
    ]


def test_a_version_has_its_own_rows_the_names_of_now_and_the_quarters_before(home: Settings) -> None:
    with opened(home, place(home), version_of(home, made.QUARTER, "V1")) as tables:
        quarter = read_quarter(tables, made.QUARTER, True)
    assert len(quarter.rows["mart_review__goal"]) == 3, "goals that are published no more"
    assert {row["member_name"] for row in quarter.results} == {person[1] for person in made.PEOPLE}
    said = {row["review_input_id"]: row["comment"] for row in quarter.rows["mart_review__input"]}
    assert said["M1-self"] is None, "erased since"
    assert said["M1-manager"] == "manager on M1"
    assert [row["period_id"] for row in quarter.trend] == ["2026-Q2", "2026-Q3"]
    assert quarter.created == dt.datetime(2026, 10, 21, 6)


def test_workbook_and_pack_of_a_version_say_which_it_is(home: Settings) -> None:
    pulled = pull(home, place(home), made.QUARTER, Wanted("en", version="1"))
    assert pulled.path.name == "review-2026-Q3-V1-en.xlsx"
    cover = openpyxl.load_workbook(pulled.path, data_only=True).worksheets[0]
    told = {row[0]: row[1] for row in cover.iter_rows(values_only=True) if row[0]}
    assert told["Version of the review"] == "V1"
    assert told["Version of the program"] == "0.0.9"
    (page,) = pack(home, place(home), made.QUARTER, Packs("en", ["M3"], version="V1")).members
    text = page.read_text("utf-8")
    assert "57.78" in text
    assert "61.00" not in text
    assert "version: V1" in text


def test_a_version_that_is_not_there_or_was_changed_is_refused(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="has no version V3") as error:
        version_of(home, made.QUARTER, "V3")
    assert error.value.mend == "name one of: V1, V2"
    assert main(["review", "pull", "--period", "2026-Q2", "--version", "1"]) == 2
    assert "none is frozen yet: `dealermart close --kind review --period 2026-Q2`" in capsys.readouterr().err
    (home.closed / "review" / made.QUARTER / "V1R1" / "tables" / f"{RESULT}.parquet").write_bytes(b"changed")
    with pytest.raises(DataError, match="the file was changed"):
        version_of(home, made.QUARTER, "V2")
