"""The pages on ingest runs: what they say of a run made by hand, that they read offline, and that no value is in them."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dealermart import ingest, report
from dealermart.base import REPO, Settings, read_runs, record_run, write_json
from dealermart.cli import main
from dealermart.report.pages import path_of

pytestmark = pytest.mark.slow

DAY = dt.date(2026, 3, 2)


def delivery(file: str, feed: str | None, status: str, *counts: int, **more: Any) -> dict[str, Any]:
    names = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
    numbers = dict(zip(names, counts or (None,) * 7, strict=True))
    rest = {"delivery_id": file, "error": None, "received": more.pop("received"), "apart": {}, "faults": []}
    entry = {"sales": "sale_file", "mini.city": "city"}.get(feed or "")
    return {"file": file, "feed": feed, "status": status, **numbers, **rest, "source": "mini", "entry": entry, **more}


def fault(stage: str, rule: str, reason: str, rows: int) -> dict[str, Any]:
    return {"stage": stage, "rule": rule, "reason": reason, "rows": rows, "first_row": 4}


def commit(settings: Settings, seq: int, received: str, deliveries: list[dict[str, Any]], **more: Any) -> None:
    """One ingest of the log, as if it had happened."""
    entry = {
        "seq": seq,
        "kind": "ingest",
        "run_id": f"run-{seq}",
        "source": "mini",
        "received": received,
        "ingested_at": f"{received} 06:00:00.000000",
        "code_version": "0.1.0",
        "user": "anna",
        "profile_hash": "p",
        "contract_hashes": {"sales": "c"},
        "suite_hashes": {"sales": "s"},
        "files": [],
        "quarantine": [],
        "verdicts": None,
        "deliveries": deliveries,
    }
    write_json(settings.log / f"{seq:08d}.json", entry | more)


def judged(rule: str, severity: str, failed: int | None, success: bool) -> dict[str, Any]:
    return {
        "feed": "sales",
        "rule": rule,
        "type": "expect_column_max_to_be_between" if failed is None else "expect_column_values_to_not_be_null",
        "severity": severity,
        "description": f"words of {rule}",
        "kwargs": {"column": "net_amount"} | ({"max_value": 9} if failed is None else {}),
        "success": success,
        "rows": 90,
        "failed": failed,
    }


@pytest.fixture
def three_runs(settings: Settings) -> Settings:
    """Three runs of the source; in the last a file is refused, one came before, and two rules fail."""
    missing, bad = fault("check", "dealer_id_missing", "dealer_id is missing", 1), "net_amount is not a decimal"
    one = delivery("sales1.csv", "sales", "accepted", 100, 0, 0, 100, 99, 1, 0, received="2026-03-02", faults=[missing])
    commit(settings, 1, "2026-03-02", [one | {"latest_event": "2026-03-01"}])
    two = delivery("sales2.csv", "sales", "accepted", 50, 0, 0, 50, 50, 0, 0, received="2026-03-09")
    commit(settings, 2, "2026-03-09", [two | {"latest_event": "2026-03-05"}])
    commit(
        settings,
        3,
        "2026-03-16",
        [
            delivery("sales1.csv", "sales", "duplicate", received="2026-03-16"),
            delivery("sales3.csv", "sales", "refused", received="2026-03-16", error="sales3.csv: <cut> off\n  mend: ask"),
            delivery(
                "sales4.csv", "sales", "accepted", 103, 3, 10, 90, 83, 5, 2,
                received="2026-03-16", apart={"no sale": 1},
                faults=[fault("map", "map", bad, 10), fault("check", "dealer_id_missing", "dealer_id is missing", 5)],
            ),
            delivery(
                "city1.csv", "mini.city", "accepted", 7, 0, 0, 7, 7, 0, 0, received="2026-03-16",
                drift=[{"rule": "column_new", "column": name, "text": f"column {name} is new"} for name in ("region", "zip")],
            ),
            delivery("sales0.csv", "sales", "taken_up", 0, 0, 0, 0, 3, -4, 1, received="2026-02-02"),
        ],
        checks="checks/run-3.json",
        suite_hashes={"sales": "edited"},
    )  # fmt: skip
    rules = [judged("dealer_id_missing", "warning", 5, False), judged("cost_missing", "info", 40, False)]
    write_json(settings.log / "checks" / "run-3.json", [*rules, judged("amount_high", "info", None, False)])
    return settings


def page(path: Path) -> ET.Element:
    """The page as XML, which is stricter than HTML."""
    return ET.fromstring(path.read_text("utf-8"))


def text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def table(root: ET.Element, heading: str) -> list[list[str]]:
    """Cells of the first table after a heading; a trend as its titles."""
    found = False
    for element in root.iter():
        found = found or (element.tag == "h2" and text(element) == heading)
        if found and element.tag == "tbody":
            return [[text(cell) for cell in row.iter("td")] for row in element.iter("tr")]
    raise AssertionError(heading)


def test_the_ledger_has_every_file_with_both_balances(three_runs: Settings) -> None:
    root = page(report.run(three_runs))
    rows = {row[0]: row[1:] for row in table(root, "Files and ledger")}
    assert rows["sales4.csv"] == ["Sales lines 销售明细", "taken", "103", "3", "10", "90", "83", "5", "2", "✓"]
    assert rows["city1.csv"] == ["mini.city", "taken", "7", "0", "0", "7", "7", "0", "0", "✓"]
    assert rows["sales1.csv"][1:] == ["came before", "its content was taken before"]
    assert rows["sales3.csv"][1:] == ["refused", "not read"]
    assert next(iter(rows)) == "sales3.csv", "trouble comes first"
    (total,) = [[text(cell) for cell in row.iter("td")] for row in root.iter("tfoot")]
    assert total == ["Total of 4 files", "110", "3", "10", "97", "90", "5", "2", ""]
    said = text(root)
    assert "1 of 4 files not taken" in said
    assert "sales3.csv: <cut> off mend: ask" in said
    assert "Sales lines: no sale (1)" in said
    assert "Test Brand 测试品牌" in said


def test_a_first_run_of_which_nothing_was_taken_has_its_page(settings: Settings) -> None:
    commit(settings, 1, "2026-03-02", [delivery("s.csv", None, "refused", received="2026-03-02", error="s.csv: bad")])
    said = text(page(report.run(settings)))
    assert "1 of 1 files not taken" in said
    assert "None in this run." in said
    assert "Days are counted" not in said


def test_a_broken_balance_is_shown(settings: Settings) -> None:
    commit(
        settings, 1, "2026-03-02", [delivery("s.csv", "sales", "accepted", 9, 0, 0, 8, 8, 0, 0, received="2026-03-02")]
    )
    assert table(page(report.run(settings)), "Files and ledger")[0][-1] == "broken"


def test_failed_rules_have_counts_shares_and_the_trend_of_the_last_runs(three_runs: Settings) -> None:
    rows = table(page(report.run(three_runs)), "Failed rules")
    # Rule | feed | found by | rows | share | change | files | trend, oldest first. 10 of 103-3 rows, 5 of 90 mapped.
    assert [row[:7] for row in rows] == [
        ["net_amount is not a decimal", "Sales lines 销售明细", "mapping", "10", "10.0 %", "+10", "1"],
        ["dealer_id is missingdealer_id_missing", "Sales lines 销售明细", "check", "5", "5.6 %", "+5", "1"],
        ["words of cost_missingcost_missing", "Sales lines 销售明细", "check info", "40", "44.4 %", "+40", ""],
        ["words of amount_highamount_high", "Sales lines 销售明细", "check info", "table", "", "", ""],
    ]
    assert rows[1][7] == (
        "2026-03-02: 1 of 100 rows (1.0 %) 2026-03-09: 0 of 50 rows (0.0 %) 2026-03-16: 5 of 90 rows (5.6 %)"
    )
    assert "Changed since the run before, so figures may not compare: the suite of sales." in text(
        page(path_of(three_runs, "run-3"))
    )


def test_a_rule_that_holds_again_is_told_apart(three_runs: Settings) -> None:
    root = page(report.run(three_runs, "run-2"))
    assert "None in this run." in text(root)
    (past,) = list(root.iter("details"))
    assert "1 rule failed in the last runs and holds again" in text(past)
    assert "dealer_id_missing" in text(past)


def test_the_trend_ends_after_twelve_runs(settings: Settings) -> None:
    missing = fault("check", "dealer_id_missing", "dealer_id is missing", 1)
    for seq in range(1, 16):
        one = delivery(f"{seq}.csv", "sales", "accepted", 10, 0, 0, 10, 9, 1, 0, received=f"2026-03-{seq:02d}")
        commit(settings, seq, f"2026-03-{seq:02d}", [one | {"faults": [missing]}])
    (row,) = table(page(report.run(settings)), "Failed rules")
    assert re.findall(r"2026-03-\d\d", row[7]) == [f"2026-03-{day:02d}" for day in range(4, 16)]


def test_reasons_that_a_profile_words_for_every_row_become_one_line(settings: Settings) -> None:
    many = [fault("map", "map", f"reason {number}", 100 - number) for number in range(25)]
    one = delivery("s.csv", "sales", "accepted", 9999, 0, 2200, 7799, 7799, 0, 0, received="2026-03-02", faults=many)
    commit(settings, 1, "2026-03-02", [one])
    rows = table(page(report.run(settings)), "Failed rules")
    assert len(rows) == 21
    assert [row[3] for row in rows if row[0] == "other reasons"] == [str(80 + 79 + 78 + 77 + 76)]


def test_freshness_per_kind_of_file_counts_days_to_the_log(three_runs: Settings) -> None:
    source = three_runs.sources / "mini" / "source.yml"
    source.write_text(
        source.read_text().replace('pattern: "sales*.csv"', 'pattern: "sales*.csv"\n    expected_days: 6')
    )
    rows = {row[1]: row for row in table(page(report.run(three_runs, "run-1")), "Freshness")}
    assert rows["sale_file"][2:] == ["2026-03-02", "2026-03-01", "0", "6 days", "on time"]
    assert rows["dealer_file"][2:] == ["", "", "–", "100 days", "never came"]
    commit(
        three_runs,
        4,
        "2026-03-30",
        [delivery("city2.csv", "mini.city", "accepted", 1, 0, 0, 1, 1, 0, 0, received="2026-03-30")],
    )
    rows = {row[1]: row for row in table(page(report.run(three_runs)), "Freshness")}
    # sales1.csv came again on 2026-03-16, fourteen days before the latest receipt; what it is about is older.
    assert rows["sale_file"][2:] == ["2026-03-16", "2026-03-05", "14", "6 days", "late"]
    assert rows["city"][2:] == ["2026-03-30", "", "0", "–", ""]


def test_the_rules_page_is_that_of_great_expectations_with_the_counts_of_then(three_runs: Settings) -> None:
    report.run(three_runs)
    said = " ".join((three_runs.reports / "run-3" / "sales.html").read_text("utf-8").split())
    assert "0 of 3 hold" in said
    assert "words of dealer_id_missing" in said
    # Great Expectations' own words: 5 and 40 of 90 rows are null; the third rule has nothing observed to show.
    assert "values must never be null" in said
    assert "5 unexpected values found. ≈5.556% of 90 total rows." in said
    assert "40 unexpected values found. ≈44.44% of 90 total rows." in said


def test_drift_is_shown_where_the_log_has_it(three_runs: Settings) -> None:
    assert table(page(report.run(three_runs)), "Drift") == [
        ["city1.csv", "mini.city", "column region is newcolumn zip is new"]
    ]
    assert "Drift" not in text(page(report.run(three_runs, "run-1")))


def test_rows_that_left_the_quarantine_stand_apart_from_the_files_of_the_run(three_runs: Settings) -> None:
    root = page(report.run(three_runs))
    # Three were accepted, one was a duplicate.
    assert table(root, "Taken up from quarantine") == [["sales0.csv", "Sales lines 销售明细", "2026-02-02", "4"]]
    assert "sales0.csv" not in {row[0] for row in table(root, "Files and ledger")}


def test_the_list_has_all_runs_newest_first_and_those_that_failed(three_runs: Settings) -> None:
    with pytest.raises(RuntimeError), record_run(three_runs, "ingest", source="mini", received="2026-03-20"):
        raise RuntimeError("Li Lei 13800000000")
    report.run(three_runs)
    root = page(three_runs.reports / "index.html")
    assert [row[0] for row in table(root, "Runs")] == ["2026-03-16", "2026-03-09", "2026-03-02"]
    assert table(root, "Runs")[0][3:] == ["4", "1", "1", "110", "90", "15", "2"]
    assert "mini 2026-03-20, failed unforeseen RuntimeError" in text(root)


# -------------------------------------------------------------------------------- the pages of real runs

HEAD = "doc,line,kind,dealer,product,qty,net,cost,day,seller\n"
# Every value begins with a mark that stands nowhere else; the rows are accepted, rejected while reading and mapping,
# and quarantined; the second file is refused by a critical rule, the third has no header and a person in its first line.
PLANTED = {
    "sales1.csv": HEAD
    + "ZQA1,1,invoice,ZQD1,ZQP1,2,771234.50,60,2026-03-01,ZQS1\n"
    + "ZQA2,1,invoice,ZQD1,ZQP1,2,ZQ5x,60,2026-03-01,ZQS1\n"
    + "ZQA3,1,ZQgift,,ZQP1,2,771236.50,60,2026-03-01,ZQS1\n"
    + "ZQA4,1,invoice,ZQD1,ZQP1,2,771237.50,60,2026-03-01,ZQS1,ZQ9,ZQ9\n",
    "sales2.csv": HEAD + ",,invoice,ZQD2,ZQP2,1,771238.50,1,2026-03-01,ZQS2\n" * 3,
    "sales3.csv": "ZQ李雷,13877123456,ZQ北京\n" * 3,
    "members.csv": "member,since,name,role,team,manager\nZQM1,2026-01-01,ZQ韩梅梅,sales,ZQT1,\nZQM2,77x,ZQ李,chief,ZQT1,\n",
    "city.csv": "city,country\nZQ上海,ZQCN\nZQ上海\n",
    "unknown.csv": "ZQ\n",
}


@pytest.fixture
def strict(settings: Settings, tmp_path: Path) -> Settings:
    """All suites, with a rule on an aggregate, whose observed value is a value of the data, and one that reports only."""
    shutil.copytree(REPO / "config" / "feeds", settings.feeds, dirs_exist_ok=True)
    project = tmp_path / "project"
    shutil.copytree(REPO / "expectations", project / "expectations")
    path = project / "expectations" / "sales.json"
    suite = json.loads(path.read_text("utf-8"))
    for name, kind, more in (
        ("net_amount_high", "expect_column_max_to_be_between", {"max_value": 5}),
        ("seller_odd", "expect_column_values_to_be_in_set", {"value_set": ["S9"]}),
    ):
        column = "net_amount" if more.get("max_value") else "seller_id"
        suite["expectations"].append(
            {
                "type": kind,
                "kwargs": {"column": column, **more},
                "meta": {"rule": name},
                "severity": "info",
                "description": name,
            }
        )
    path.write_text(json.dumps(suite), "utf-8")
    return replace(settings, project=project)


def test_no_value_of_the_data_stands_in_any_page_or_json(strict: Settings, drop: Callable[..., Path]) -> None:
    said: list[str] = []
    result = ingest.run(strict, "mini", DAY, drop(PLANTED), say=said.append)
    statuses = {one.file: one.status for one in result.files}
    assert statuses == {
        "sales1.csv": "accepted",
        "sales2.csv": "refused",
        "sales3.csv": "refused",
        "members.csv": "accepted",
        "city.csv": "accepted",
        "unknown.csv": "unrecognised",
    }
    written = [path for path in strict.home.rglob("*") if path.suffix in (".html", ".json")]
    assert {path.name for path in written} >= {"index.html", "sales.html", "team_members.html", "00000001.json"}
    for path in written:
        content = path.read_text("utf-8")
        assert not re.search(r"ZQ|7712|13877", content), path
    assert not re.search(r"ZQ|7712|13877", "\n".join(said))
    root = page(path_of(strict, result.run_id))
    assert {row[0] for row in table(root, "Failed rules")} >= {
        "net_amount_highnet_amount_high",
        "seller_oddseller_odd",
        "too many fields: 12 instead of 10",
        "net_amount is not a decimal",
    }


def test_pages_fetch_nothing_and_odd_names_stay_text(settings: Settings, drop: Callable[..., Path]) -> None:
    good = HEAD + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01,\n"
    names = ['sales <b>&"x" 1.csv', "sales\x01\x1b2.csv", "sales'{{ 7*7 }}.csv"]
    content = {name: good + f"A{index},2,invoice,D1,P1,1,1,1,2026-03-01,\n" for index, name in enumerate(names)}
    result = ingest.run(settings, "mini", DAY, drop(content))
    root = page(path_of(settings, result.run_id))
    assert {row[0] for row in table(root, "Files and ledger")} == {
        names[0], "sales\ufffd\ufffd2.csv", names[2]
    }  # fmt: skip
    for path in settings.reports.rglob("*.html"):
        content_of = path.read_text("utf-8")
        assert not re.search(r"<(script|link|img|iframe|object|embed)\b", content_of), path
        assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", content_of), path
        for link in re.findall(r'href="([^"#]+)"', content_of):
            assert (path.parent / link).exists(), (path, link)


def test_pages_can_be_deleted_and_made_again_from_the_log(settings: Settings, drop: Callable[..., Path]) -> None:
    for number in range(3):
        rows = f"A{number},1,invoice,{'' if number else 'D1'},P1,2,100.50,60,2026-03-01,\n"
        ingest.run(settings, "mini", DAY + dt.timedelta(number), drop({"sales.csv": HEAD + rows}))

    def pages() -> dict[str, str]:
        # What was the last run when its page was written knows no link to a later one.
        return {
            path.relative_to(settings.reports).as_posix(): re.sub(
                r'<a href="[^"]*">run after →</a>', "", path.read_text()
            )
            for path in settings.reports.rglob("*.html")
        }

    before = pages()
    assert len(before) == 7
    shutil.rmtree(settings.reports)
    report.run(settings, everything=True)
    assert pages() == before


def test_a_fault_of_the_report_is_told_and_harms_no_ingest(settings: Settings, drop: Callable[..., Path]) -> None:
    settings.home.mkdir()
    settings.reports.write_text("in the way")
    said: list[str] = []
    result = ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n上海,CN\n"}), say=said.append)
    assert result.committed
    (entry,) = read_runs(settings)
    assert entry["status"] == "done"
    assert entry["report_error"].startswith("unforeseen ")
    assert "the report was not written" in said[-1]


def test_a_broken_plan_costs_no_ingest_its_report(settings: Settings, drop: Callable[..., Path]) -> None:
    (settings.config / "plans").mkdir(exist_ok=True)
    (settings.config / "plans" / "broken.yml").write_text("plan: [", "utf-8")
    result = ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\nBerlin,DE\n"}))
    assert path_of(settings, result.run_id).exists()
    assert "report_error" not in read_runs(settings)[-1]


def test_a_dry_run_writes_no_page(settings: Settings, drop: Callable[..., Path]) -> None:
    ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n上海,CN\n"}), dry_run=True)
    assert not settings.reports.exists()


def test_the_command_makes_pages_and_names_them(
    three_runs: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(three_runs.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(three_runs.config))
    assert main(["report"]) == 0
    assert capsys.readouterr().out.strip() == str(three_runs.reports / "run-3" / "index.html")
    assert not path_of(three_runs, "run-1").exists()
    assert main(["report", "--run", "run-1"]) == 0
    assert path_of(three_runs, "run-1").exists()
    assert main(["report", "--all"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(three_runs.reports / "index.html")
    assert path_of(three_runs, "run-2").exists()
    assert main(["report", "--run", "run-9"]) == 1
    assert "no ingest run 'run-9'" in capsys.readouterr().err
