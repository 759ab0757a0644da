"""The workbook for HR: what is on its sheets, that it ties to the marts, that no text of the data becomes a formula."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from tests.limits import slowness
from tests.review import made

from dealermart.base import DataError, Settings, UsageError
from dealermart.cli import main
from dealermart.review import Wanted, pull, workbook
from dealermart.review.labels import LABELS, SHEETS
from dealermart.review.sheets import SPECS
from dealermart.review.words import COLUMNS, word

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*extension is not supported:UserWarning"
)  # openpyxl knows no data bars

LANGUAGES = {"en": 0, "zh": 1}


@pytest.fixture(scope="module", params=["en", "zh"])
def pulled(
    request: pytest.FixtureRequest, copy: Path, company: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The workbook with pay in a language: path, language, and openpyxl's two views (formulas, values)."""
    home = replace(company, home=tmp_path_factory.mktemp("home"))
    path = pull(home, copy, made.QUARTER, Wanted(request.param, pay=True)).path
    return path, request.param, openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)


def table(sheet: Any, first: str) -> list[dict[str, Any]]:
    """The rows under the header that begins with ``first``, until the next empty row."""
    rows = list(sheet.iter_rows(values_only=True))
    start = next(number for number, row in enumerate(rows) if row[0] == first)
    header = rows[start]
    found = []
    for row in rows[start + 1 :]:
        if row[0] is None:
            break
        found.append({name: value for name, value in zip(header, row, strict=True) if name})
    return found


def named(key: str, language: str) -> str:
    return SHEETS[key][0][LANGUAGES[language]]


def column(name: str, language: str) -> str:
    return COLUMNS[name][LANGUAGES[language]]


def test_all_sheets_are_there_in_their_order(pulled: Any) -> None:
    _, language, book, _ = pulled
    assert book.sheetnames == [named(key, language) for key in ("cover", "summary", *(spec.key for spec in SPECS))]


@pytest.mark.parametrize("language", [0, 1])
def test_no_two_columns_of_a_sheet_have_one_header(language: int) -> None:
    for spec in SPECS:
        headers = [COLUMNS[part.name][language] for part in spec.columns]
        assert len(set(headers)) == len(headers), spec.key


def test_the_cover_says_what_it_is_and_its_totals_tie_to_the_marts(pulled: Any, copy: Path) -> None:
    _, language, _, values = pulled
    cover = values[named("cover", language)]
    text = "\n".join(str(cell) for row in cover.iter_rows(values_only=True) for cell in row if cell is not None)
    company = {"en": "Test Brand", "zh": "测试品牌"}[language]
    for said in (company, "2026-07-01", "2026-09-30", "2026-10-20 06:00:00", "run-1", "0.1.0"):
        assert said in text
    for term in ("Leniency", "Not rated") if language == "en" else ("宽严", "未评级"):
        assert term in text
    told = {"en": "top two of five\nanswers", "zh": "五级中的最高两级\n答卷"}[language]
    assert told in text, "definitions of the KPIs that are scored"
    lines = table(cover, column("sheet", language))
    totals = {row[column("source", language)]: row for row in lines}
    assert set(totals) == {spec.mart for spec in SPECS}
    rows_here, total_here = column("sheet_rows", language), column("sheet_total", language)
    for row in lines:
        mart = row[column("source", language)]
        assert row[column("mart_rows", language)] == row[rows_here], mart
        assert row[column("mart_total", language)] == row[total_here], mart
        assert row[column("check", language)] == LABELS["ties"][LANGUAGES[language]]
    # By hand, from the rows of the quarter.
    finals = sum(Decimal(score) for score in made.FINALS.values() if score)
    assert totals["mart_review__member_quarter"][rows_here] == 9
    assert Decimal(str(totals["mart_review__member_quarter"][total_here])) == finals == Decimal("603.68")
    assert totals["mart_review__goal"][rows_here] == 3, "goals of other quarters are not in it"
    assert totals["fct_recognition"][rows_here] == 1, "nor awards"
    # The months of the quarter, no dealer and no trial; amounts of two currencies are not added.
    paid = [row for row in lines if row[column("source", language)] == "mart_incentive__statement"]
    assert [(row[column("total_of", language)][-5:], row[rows_here], row[total_here]) for row in paid] == [
        (", CNY", 1, 12345.67),
        (", EUR", 1, 800),
    ]
    con = duckdb.connect(str(copy), read_only=True)
    found = con.execute(
        "select count(*), sum(score) from mart_review__scorecard_line where period_id = '2026-Q3'"
    ).fetchall()[0]
    con.close()
    assert (
        totals["mart_review__scorecard_line"][rows_here],
        totals["mart_review__scorecard_line"][total_here],
    ) == found


def test_formulas_are_those_of_the_cover_only_and_sum_what_stands_on_the_sheets(pulled: Any) -> None:
    path, language, book, values = pulled
    with zipfile.ZipFile(path) as parts:
        with_formula = [
            name for name in parts.namelist() if name.startswith("xl/worksheets/sheet") and b"<f>" in parts.read(name)
        ]
    assert with_formula == ["xl/worksheets/sheet1.xml"]
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert re.fullmatch(
                        r"=0|=(COUNTA|SUM)\('[^']+'!\S+\)|=COUNTIF\(.*\)|=SUMIF\(.*\)|=IF\(.*\)", cell.value
                    ), cell.value
                assert cell.data_type != "e"
    for row in book[named("cover", language)].iter_rows():
        for cell in row:
            if cell.data_type == "f" and (found := re.fullmatch(r"=SUM\('(.+)'!(\S+)\)", cell.value)):
                area = values[found[1]][found[2].replace("$", "")]
                told = (
                    sum(part.value for (part,) in area if part.value is not None)
                    if isinstance(area, tuple)
                    else area.value
                )
                assert values[named("cover", language)][cell.coordinate].value == pytest.approx(told)


def test_texts_stay_texts(pulled: Any) -> None:
    _, language, book, _ = pulled
    inputs = table(book[named("inputs", language)], column("member_id", language))
    comments = [row[column("comment", language)] for row in inputs]
    for text in (made.HOSTILE[0], *made.HOSTILE[1:5]):
        assert text in comments
    names = {row[column("member_name", language)] for row in inputs}
    assert {"=1+1", "Ann <b>Bo</b>", "王芳"} <= names
    long = next(text for text in comments if text and text.startswith("长长"))
    assert len(long) == 32_767
    assert long.endswith("…")


def test_rows_are_those_of_the_mart_in_words_of_the_language(pulled: Any) -> None:
    _, language, book, _ = pulled
    results = {
        row[column("member_id", language)]: row
        for row in table(book[named("results", language)], column("member_id", language))
    }
    final, rating, status = (column(name, language) for name in ("final_score", "final_rating_name", "status"))
    assert results["M1"][final] == pytest.approx(91.9)
    assert results["M1"][rating] == {"en": "Outstanding", "zh": "卓越"}[language]
    assert results["M3"][final] == pytest.approx(57.78)
    assert results["M3"][column("total_score", language)] == pytest.approx(48.89), "both scores stand after an appeal"
    assert results["M6"][final] is None, "not measured is empty, not 0"
    assert results["M6"][status] == {"en": "not rated", "zh": "未评级"}[language]
    assert (
        results["M6"][column("reason", language)]
        == {"en": "too little of the weight could be scored", "zh": "可评权重不足"}[language]
    )
    assert results["M2"][column("manager_name", language)] == "周总监"
    raters = table(book[named("calibration", language)], column("rater_type", language))
    assert [row[column("rater_name", language)] for row in raters] == ["孙经理", "周总监"]
    hidden = [
        row
        for row in table(book[named("inputs", language)], column("member_id", language))
        if row[status] == word("status", "hidden", language)
    ]  # type: ignore[arg-type]
    assert hidden[0].get(column("comment", language)) is None


def test_cells_have_the_formats_of_what_they_hold(pulled: Any) -> None:
    _, language, book, _ = pulled
    sheet = book[named("scorecards", language)]
    header = {cell.value: cell.column for cell in sheet[4]}
    value, unit = header[column("value", language)], header[column("unit", language)]
    formats = {sheet.cell(row, unit).value: sheet.cell(row, value).number_format for row in range(5, sheet.max_row + 1)}
    assert formats == {
        word("unit", "currency", language): "#,##0.00",  # type: ignore[arg-type]
        word("unit", "share", language): "0.0%",  # type: ignore[arg-type]
        word("unit", "score", language): "#,##0.##",  # type: ignore[arg-type]
    }
    feedback = book[named("feedback", language)]
    day = next(cell.column for cell in feedback[4] if cell.value == column("delivered_date", language))
    assert feedback.cell(5, day).is_date
    assert feedback.cell(5, day).number_format == "yyyy-mm-dd"


def test_headers_stay_in_view_with_filters_colours_and_native_charts(pulled: Any) -> None:
    path, language, book, _ = pulled
    for spec in SPECS:
        sheet = book[named(spec.key, language)]
        assert sheet.auto_filter.ref, spec.key
        assert (sheet.freeze_panes == "C5") is (spec.key != "nine_box"), spec.key
    assert len(book[named("results", language)].conditional_formatting) == 2
    with zipfile.ZipFile(path) as parts:
        charts = [name for name in parts.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]
        texts = [parts.read(name).decode() for name in charts]
    # Summary: ratings, teams, trend, readiness; then leniency, distribution, nine-box, overdue, two of fairness.
    assert len(charts) == 10
    assert all("<c:numCache>" in text for text in texts), "charts show their figures before anything is reckoned"


def test_the_nine_box_is_a_grid_with_names(pulled: Any) -> None:
    _, language, book, _ = pulled
    grid = [[cell.value for cell in row] for row in book[named("nine_box", language)]["B4:D6"]]
    assert grid[0][2].splitlines()[1] == "王芳, Zoë Ng"
    assert grid[1][1].splitlines()[1] == "Li Wei"
    assert grid[2][0].splitlines()[1] == "=1+1"


def test_pay_is_there_only_where_it_is_asked_for(copy: Path, company: Settings, tmp_path: Path) -> None:
    path = pull(replace(company, home=tmp_path), copy, made.QUARTER, Wanted("en")).path
    with zipfile.ZipFile(path) as parts:
        content = "".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
    assert "12345.67" not in content
    assert "98765" not in content
    assert "Incentives of the quarter" not in content
    assert "Median incentive pay by group" not in content
    assert "-pay" not in path.name


def test_fairness_of_pay_stays_with_pay(copy: Path, company: Settings, tmp_path: Path) -> None:
    home = replace(company, home=tmp_path)
    measures = []
    for pay in (False, True):
        book = openpyxl.load_workbook(pull(home, copy, made.QUARTER, Wanted("en", pay)).path)
        measures.append({row["Measure"] for row in table(book["Fairness"], "Measure")})
    assert measures == [{"final score", "top rating"}, {"final score", "top rating", "incentive pay"}]


def test_the_same_content_gives_the_same_bytes(copy: Path, company: Settings, tmp_path: Path) -> None:
    one, two = (
        pull(replace(company, home=tmp_path / name), copy, made.QUARTER, Wanted("zh", True)).path for name in "ab"
    )
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 31, 0, 0, 0)}
        assert b">2026-10-20T06:00:00Z<" in parts.read("docProps/core.xml"), (
            "the date is the data's, not that of the run"
        )


def test_a_copy_without_a_mart_says_so(company: Settings, tmp_path: Path) -> None:
    place = made.write(
        tmp_path / "copy.duckdb", made.quarter(), leave_out=["mart_review__fairness", "dim_member", "dim_kpi"]
    )
    book = openpyxl.load_workbook(pull(replace(company, home=tmp_path), place, made.QUARTER, Wanted("en")).path)
    assert book["Fairness"]["A5"].value == "This copy does not hold it."
    assert book["Results"]["B5"].value == "周总监", "the results bring their names"


def test_a_folder_of_parquet_gives_the_same_workbook(copy: Path, company: Settings, tmp_path: Path) -> None:
    """A version that is frozen is such a folder."""
    folder = tmp_path / "parquet"
    folder.mkdir()
    con = duckdb.connect(str(copy), read_only=True)
    for name in (*made.TABLES, "about"):
        con.execute(f"copy {name} to '{folder}/{name}.parquet'")
    con.close()
    home = replace(company, home=tmp_path / "home")
    one = pull(home, copy, made.QUARTER, Wanted("en")).path.read_bytes()
    two = pull(home, folder, made.QUARTER, Wanted("en")).path.read_bytes()
    assert one == two


# ------------------------------------------------------------------------------------------- files, errors


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_readers_can_read_the_file(
    copy: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = replace(company, home=tmp_path)
    path = pull(home, copy, made.QUARTER, Wanted("en")).path
    assert path == tmp_path / "published" / "reviews" / "2026-Q3" / "hr" / "review-2026-Q3-en.xlsx"
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o711)
    # A folder with a group of its own: the process has another one.
    path.parent.chmod(0o2750)
    monkeypatch.setattr(os, "getegid", lambda: path.parent.stat().st_gid + 1)
    assert mode(pull(home, copy, made.QUARTER, Wanted("en")).path) == 0o640


def test_a_fault_leaves_the_old_file_whole(
    copy: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = replace(company, home=tmp_path)
    path = pull(home, copy, made.QUARTER, Wanted("en")).path
    before = path.read_bytes()

    def broken(draft: Path, *_: object) -> dict[str, int]:
        draft.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workbook, "write", broken)
    with pytest.raises(OSError, match="No space"):
        pull(home, copy, made.QUARTER, Wanted("en"))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def refused(make: Callable[[Path], Path], period: str, company: Settings, tmp_path: Path) -> str:
    with pytest.raises((UsageError, DataError)) as caught:
        pull(replace(company, home=tmp_path / "home"), make(tmp_path), period, Wanted("en"))
    return str(caught.value)


def test_what_cannot_be_read_is_refused_with_its_mend(copy: Path, company: Settings, tmp_path: Path) -> None:
    assert "name one of: 2026-Q2, 2026-Q3" in refused(lambda _: copy, "2031-Q1", company, tmp_path)
    assert "dealermart publish" in refused(lambda folder: folder / "none.duckdb", made.QUARTER, company, tmp_path)

    def no_database(folder: Path) -> Path:
        path = folder / "text.duckdb"
        path.write_text("hello", "utf-8")
        return path

    def for_bi(folder: Path) -> Path:
        return made.write(folder / "bi.duckdb", {}, leave_out=[name for name in made.TABLES if "review" in name])

    assert "no DuckDB file" in refused(no_database, made.QUARTER, company, tmp_path)
    assert "this copy has no mart_review__member_quarter" in refused(for_bi, made.QUARTER, company, tmp_path)
    assert not (tmp_path / "home" / "published").exists(), "nothing is made of it"


def test_the_command(
    copy: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    out = tmp_path / "mine.xlsx"
    assert main(["review", "pull", "--period", "2026-Q3", "--lang", "zh", "--from", str(copy), "--out", str(out)]) == 0
    assert f"written: {out}" in capsys.readouterr().out
    assert openpyxl.load_workbook(out).sheetnames[0] == "封面"
    assert mode(out) == 0o600
    assert main(["review", "pull", "--period", "2026-Q9", "--from", str(copy)]) == 2
    assert main(["review", "pull", "--period", "2026-Q3", "--from", str(copy), "--out", "x.csv"]) == 2
    assert main(["review", "pull", "--period", "2026-Q3"]) == 2
    assert "dealermart publish" in capsys.readouterr().err


@pytest.mark.integration
def test_five_hundred_members_take_less_than_ten_seconds(company: Settings, tmp_path: Path) -> None:
    """Seconds of CPU at the pace of the machine."""
    place = made.write(tmp_path / "copy.duckdb", made.quarter())
    made.multiply(place, 500)
    before = sum(os.times()[:4])
    pulled = pull(replace(company, home=tmp_path), place, made.QUARTER, Wanted("zh", True))
    spent = (sum(os.times()[:4]) - before) / slowness()
    assert pulled.rows["results"] >= 500
    assert pulled.rows["scorecards"] >= 10_000
    assert spent < 10, f"{spent:.1f} s"
