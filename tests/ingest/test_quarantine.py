"""The quarantine as a place people work in: list, show, export and correct, release, reject; and what a rebuild keeps."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine
import xlsxwriter

from dealermart import ingest, lake, upkeep
from dealermart.base import DataError, DealermartError, Settings
from dealermart.cli import main
from dealermart.config import load_contracts
from dealermart.ingest import Choice

pytestmark = pytest.mark.slow


DAY = dt.date(2026, 3, 2)
HEAD = "单号,line,kind,dealer,product,qty,net,成本,day,=note\n"
SALES = (
    HEAD
    + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01,fine\n"  # 2 waits for D1
    + "A2,1,gift,D1,P1,2,10,6,2026/3/1,=1+1\n"  # 3 open: unknown kind, and the dealer
    + "A3,1,invoice,D1,P1,2,-5,6,2026-03-01,-x\n"  # 4 open: negative amount, and the dealer
    + "A4,1,invoice,D1,P1,2,x,6,2026-03-01,\n"  # 5 open: net is no decimal
    + "A5,1,invoice,D1,P1,2,10,6,2026-03-01,,9,9\n"  # 6 open: too many fields
    + "A6,1,invoice,D1,P1,2,20,6,2026-03-01,\n"  # 7 waits
    + "A7,1,invoice,D1,P1,2,30,6,2026-03-01,\n"  # 8 waits
)
PRODUCTS = "product,since,name,category\nP1,2026-01-01,Tent,Shelter\n"
DEALERS = "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"

Drop = Callable[..., Path]


@pytest.fixture
def settings(settings: Settings, config: Path, drop: Drop) -> Settings:
    """The test company, whose feeds are complete, after a delivery of sales without the dealer."""
    company = config / "company.yml"
    lines = [line for line in company.read_text("utf-8").splitlines() if "complete_feeds" not in line]
    company.write_text("\n".join(lines), "utf-8")
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES, "products.csv": PRODUCTS}))
    return settings


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run ``dealermart quarantine``; gives exit code, stdout and stderr."""
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["quarantine", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def states(settings: Settings) -> dict[int, str]:
    return {one.row_number: one.state for one in ingest.rows(settings, Choice(file="sales.csv"))}


def documents(settings: Settings) -> list[tuple[Any, ...]]:
    contract = load_contracts(settings)["sales"]
    sql = lake.rows_sql(contract, lake.read(settings).paths(settings, "sales"))
    return duckdb.sql(f"select transaction_id, _source_file, _row_number from ({sql}) order by all").fetchall()


def balance(settings: Settings) -> tuple[int, ...]:
    """Of sales.csv over the whole log: mapped, accepted, quarantined, duplicate, rejected."""
    found = [one for one in lake.read(settings).deliveries() if one["file"] == "sales.csv"]
    names = ("mapped", "accepted", "quarantined", "duplicate", "rejected")
    mapped, accepted, quarantined, duplicate, rejected = (sum(one[name] for one in found) for name in names)
    assert mapped == accepted + quarantined + duplicate
    assert mapped + rejected == 7
    return mapped, accepted, quarantined, duplicate, rejected


def lines(settings: Settings, **choice: str) -> set[tuple[str, str, int]]:
    return {(one.rule, one.state, one.rows) for one in ingest.listing(settings, Choice(**choice))}


def test_the_list_counts_by_rule_and_state(settings: Settings, command: Callable[..., tuple[int, str, str]]) -> None:
    assert lines(settings) == {
        ("dealer_unknown", "waiting", 3),
        ("dealer_unknown", "open", 2),
        ("transaction_type_unknown", "open", 1),
        ("invoice_net_amount_negative", "open", 1),
        ("map", "open", 1),
        ("read", "open", 1),
    }
    assert lines(settings, state="waiting") == {("dealer_unknown", "waiting", 3)}
    assert lines(settings, rule="map") == {("map", "open", 1)}
    assert lines(settings, feed="dealers") == set()
    assert lines(settings, rows="2,7-8") == {("dealer_unknown", "waiting", 3)}
    code, out, _ = command("list", "--rule", "map")
    assert code == 0
    assert re.search(r"2026-03-02 +mini +sales +sales\.csv +map +open +1", out), out
    assert command("list", "--source", "nobody")[1] == "no such rows\n"


def test_values_are_shown_on_request_only(command: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = command("show", "--file", "sales.csv", "--rows", "2-4")
    assert code == 0
    first = out.splitlines()[0]
    assert first.startswith("sales.csv:2 (sales, received 2026-03-02): dealer_id names a dealer that is not known")
    assert first.endswith("[dealer_unknown], waiting for dealers")
    assert "100.50" not in out and "A1" not in out
    shown = command("show", "--file", "sales.csv", "--rows", "2-4", "--values")[1]
    assert '"net":"100.50"' in shown
    assert command("show", "--limit", "2")[1].splitlines()[-1] == "and 5 more; --limit shows more of them"


# ------------------------------------------------------------------------------------------- correct and come back


def exported(path: Path) -> list[list[str]]:
    if path.suffix == ".csv":
        content = path.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    found = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert all(isinstance(cell, str) for row in found for cell in row), "text throughout, formulas as well"
    return [[str(cell) for cell in row] for row in found]


def write(path: Path, table: list[list[str]]) -> bytes:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(table)
    else:
        with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("corrected by hand")
            for index, row in enumerate(table):
                sheet.write_row(index, 0, row)
    return path.read_bytes()


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_exported_rows_come_back_corrected_as_a_normal_delivery(
    settings: Settings, drop: Drop, tmp_path: Path, command: Callable[..., tuple[int, str, str]], ending: str
) -> None:
    out = tmp_path / f"to correct{ending}"
    code, said, _ = command("export", "--feed", "sales", "--state", "open", "--out", str(out))
    assert code == 0
    assert "3 records written" in said and "1 more could not be read" in said
    assert "inbox/mini/<received date>/corrected/sale_file/" in said
    table = exported(out)
    # The names of the file in its order, a column that it may have and lacks, and what ingest leaves alone.
    assert table[0] == [
        *["单号", "line", "kind", "dealer", "product", "qty", "net", "成本", "day", "=note"],
        *["业务员", "dealermart:rule", "dealermart:reason", "dealermart:file", "dealermart:row"],
    ]
    column = {name: index for index, name in enumerate(table[0])}
    assert [row[column["dealermart:row"]] for row in table[1:]] == ["3", "4", "5"]
    assert [row[column["dealermart:file"]] for row in table[1:]] == ["sales.csv"] * 3
    assert table[1][column["dealermart:rule"]] == "dealer_unknown, transaction_type_unknown"
    assert table[3][column["dealermart:reason"]] == "net_amount is not a decimal"
    quote = "'" if ending == ".csv" else ""
    assert [row[column["=note"]] for row in table[1:]] == [f"{quote}=1+1", f"{quote}-x", ""]
    assert table[2][column["net"]] == "-5", "a number stays a number"

    table[1][column["kind"]] = "invoice"
    table[3][column["net"]] = "77"
    corrected = write(tmp_path / f"mine{ending}", table)
    folder = drop({f"corrected/sale_file/mine{ending}": corrected, "dealers.csv": DEALERS})
    result = ingest.run(settings, "mini", DAY + dt.timedelta(days=1), folder)
    back = next(one for one in result.files if one.file.startswith("corrected/"))
    assert (back.status, back.feed, back.records, back.accepted, back.quarantined) == ("accepted", "sales", 3, 2, 1)
    assert [one for one in documents(settings) if one[1] == back.file] == [
        ("A2", back.file, 2),
        ("A4", back.file, 4),
    ]
    assert states(settings) == {
        2: "taken_up", 3: "corrected", 4: "open", 5: "corrected", 6: "open", 7: "taken_up", 8: "taken_up"
    }  # fmt: skip
    # A3 still stands there, from either file; an export of it has the added columns once.
    again = ingest.export(settings, Choice(rule="invoice_net_amount_negative"), tmp_path / "again.xlsx")
    assert again.records == 2
    assert [name for name in again.columns if name.startswith("dealermart:")] == []
    before = documents(settings)
    upkeep.rebuild(settings)
    assert documents(settings) == before


def test_corrected_rows_need_no_required_file_beside_them(
    settings: Settings, config: Path, drop: Drop, tmp_path: Path
) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    profile.write_text(
        profile.read_text("utf-8").replace('pattern: "dealers*.csv"', 'pattern: "dealers*.csv"\n    required: true'),
        "utf-8",
    )
    out = tmp_path / "out.csv"
    ingest.export(settings, Choice(feed="sales"), out)
    result = ingest.run(settings, "mini", DAY, drop({"corrected/sale_file/x.csv": out.read_bytes()}))
    assert [one.status for one in result.files] == ["accepted"]


@pytest.mark.parametrize(
    ("choice", "name", "message"),
    [
        pytest.param(Choice(), "out.txt", "no known ending", id="ending"),
        pytest.param(Choice(feed="dealers"), "out.csv", "no such rows", id="nothing"),
        pytest.param(Choice(rule="read"), "out.csv", "no such rows", id="not readable"),
        pytest.param(Choice(rows="3-"), "out.csv", "no list of row numbers", id="rows"),
    ],
)
def test_an_export_that_cannot_be_is_explained(
    settings: Settings, tmp_path: Path, choice: Choice, name: str, message: str
) -> None:
    with pytest.raises(DealermartError, match=message) as caught:
        ingest.export(settings, choice, tmp_path / name)
    assert caught.value.mend
    assert not list(tmp_path.glob("*.txt")) + list(tmp_path.glob("*.csv"))


def test_rows_of_two_kinds_of_file_are_exported_one_by_one(settings: Settings, drop: Drop, tmp_path: Path) -> None:
    ingest.run(
        settings, "mini", DAY, drop({"members.csv": "member,since,name,role,team,manager\nM1,2026-01-01,Li,boss,T1,\n"})
    )
    with pytest.raises(DataError, match="2 kinds of file are chosen: member_file of mini, sale_file of mini"):
        ingest.export(settings, Choice(), tmp_path / "out.csv")
    done = ingest.export(settings, Choice(entry="member_file"), tmp_path / "out.csv")
    assert (done.records, done.back) == (1, "inbox/mini/<received date>/corrected/member_file/")


# ------------------------------------------------------------------------------------------------ release and reject


def test_a_release_lets_rows_in_with_name_and_reason(
    settings: Settings, drop: Drop, command: Callable[..., tuple[int, str, str]]
) -> None:
    assert balance(settings) == (5, 0, 5, 0, 2)
    who = ("--by", "Wang Min", "--reason", "gift agreed with finance")
    code, out, _ = command("release", "--file", "sales.csv", "--rows", "3", *who)
    assert (code, out) == (0, "1 rows released\n")
    assert documents(settings) == [("A2", "sales.csv", 3)]
    assert balance(settings) == (5, 1, 4, 0, 2)
    assert states(settings)[3] == "released"
    shown = command("show", "--state", "released")[1]
    assert shown.rstrip().endswith("UTC by Wang Min, gift agreed with finance")
    commit = lake.read(settings).commits[-1]
    assert (commit["kind"], commit["by"], commit["reason"]) == ("release", "Wang Min", "gift agreed with finance")
    assert commit["received"] == DAY.isoformat()

    code, _, err = command("release", "--file", "sales.csv", "--rows", "3", *who)
    assert code == 1 and "no row in quarantine that is open or waits" in err and "mend: " in err
    assert len(documents(settings)) == 1

    before = duckdb.sql(f"select * from read_parquet('{settings.lake}/sales/*.parquet') order by all").fetchall()
    upkeep.rebuild(settings)
    assert (
        duckdb.sql(f"select * from read_parquet('{settings.lake}/sales/*.parquet') order by all").fetchall() == before
    )
    result = ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop({"dealers.csv": DEALERS}))
    assert [one.accepted for one in result.taken_up] == [3]  # and not A2 a second time
    assert [name for name, *_ in documents(settings)] == ["A1", "A2", "A6", "A7"]
    assert balance(settings) == (5, 4, 1, 0, 2)


def test_only_rows_that_map_can_be_released(settings: Settings, command: Callable[..., tuple[int, str, str]]) -> None:
    who = ("--by", "Wang Min", "--reason", "x")
    code, out, err = command("release", "--file", "sales.csv", "--rows", "4-6", *who)
    assert code == 3
    assert out == "1 rows released\n"
    assert "2 rows were not: they do not map to their feed" in err and "mend: " in err
    assert documents(settings) == [("A3", "sales.csv", 4)]
    code, _, err = command("release", "--rule", "map", *who)
    assert code == 1 and "none of the 1 rows maps to its feed" in err
    assert balance(settings) == (5, 1, 4, 0, 2)
    assert len(lake.read(settings).commits) == 2


def test_a_row_that_maps_after_its_profile_was_mended_can_be_released(settings: Settings, config: Path) -> None:
    sql = config / "sources" / "mini" / "sales.sql"
    sql.write_text(sql.read_text("utf-8").replace("net as net_amount", "nullif(net, 'x') as net_amount"), "utf-8")
    done = ingest.release(settings, Choice(rule="map"), "Wang Min", "x stands for no amount")
    assert (done.rows, done.left) == (1, 0)
    assert documents(settings) == [("A4", "sales.csv", 5)]
    assert balance(settings) == (6, 1, 5, 0, 1)
    before = documents(settings)
    upkeep.rebuild(settings)  # in its first commit the row maps now; what was said of it then holds all the same
    assert documents(settings) == before


def test_a_row_without_its_key_is_not_released(settings: Settings, drop: Drop) -> None:
    """No build would pass with it, and nothing could take it back."""
    lines = [f"{key},gift,D1,P1,2,10,6,2026-03-01,\n" for key in (",1", "B1,", "B2,1", "B3,1", "B4,1")]
    ingest.run(settings, "mini", DAY, drop({"sales_2.csv": SALES.splitlines()[0] + "\n" + "".join(lines)}))
    done = ingest.release(settings, Choice(file="sales_2.csv"), "Wang Min", "agreed")
    assert (done.rows, done.left) == (3, 2)
    assert documents(settings) == [("B2", "sales_2.csv", 4), ("B3", "sales_2.csv", 5), ("B4", "sales_2.csv", 6)]
    with pytest.raises(DataError, match="none of the 2 rows maps to its feed and has a key"):
        ingest.release(settings, Choice(file="sales_2.csv"), "Wang Min", "agreed")


def test_what_waited_for_a_released_row_comes_in_with_it(settings: Settings, drop: Drop) -> None:
    bad = DEALERS.replace("甲", "")  # the name is missing
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": bad}))
    assert documents(settings) == []
    done = ingest.release(settings, Choice(feed="dealers"), "Wang Min", "name follows")
    assert (done.rows, done.taken_up) == (1, 3)
    assert [name for name, *_ in documents(settings)] == ["A1", "A6", "A7"]
    found = duckdb.sql(
        f"select decision, decided_by, reason, count(*) from read_parquet('{settings.log}/decisions/*.parquet') group by all"
    ).fetchall()
    assert sorted(found, key=str) == [("released", "Wang Min", "name follows", 1), ("taken_up", None, None, 3)]
    before = documents(settings)
    upkeep.rebuild(settings)
    assert documents(settings) == before


def test_a_rejected_row_never_waits_again(
    settings: Settings, drop: Drop, command: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = command("reject", "--file", "sales.csv", "--rows", "2,8", "--by", "Li", "--reason", "test entries")
    assert (code, out) == (0, "2 rows rejected\n")
    assert balance(settings) == (5, 0, 5, 0, 2)
    upkeep.rebuild(settings)
    ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop({"dealers.csv": DEALERS}))
    assert documents(settings) == [("A6", "sales.csv", 7)]
    assert {number: state for number, state in states(settings).items() if number in (2, 7, 8)} == {
        2: "rejected",
        7: "taken_up",
        8: "rejected",
    }
    assert balance(settings) == (5, 1, 4, 0, 2)


@pytest.mark.parametrize("action", ["release", "reject"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--rule", "map", "--by", " ", "--reason", "x"], "--by is empty", id="no name"),
        pytest.param(["--rule", "map", "--by", "Li", "--reason", ""], "--reason is empty", id="no reason"),
        pytest.param(["--source", "mini", "--by", "Li", "--reason", "x"], "no rows are named", id="everything"),
    ],
)
def test_a_decision_needs_a_name_a_reason_and_rows(
    settings: Settings,
    command: Callable[..., tuple[int, str, str]],
    action: str,
    arguments: list[str],
    message: str,
) -> None:
    code, _, err = command(action, *arguments)
    assert code == 1
    assert message in err and "mend: " in err
    assert len(lake.read(settings).commits) == 1


def test_name_and_reason_are_part_of_the_usage(command: Callable[..., tuple[int, str, str]]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command("release", "--rule", "map")
    assert stopped.value.code == 2


def test_rows_of_a_refused_file_are_no_matter_of_single_rows(settings: Settings, drop: Drop) -> None:
    """It is judged anew as a whole, and once it is accepted its rows are there once."""
    bad = (
        HEAD
        + "B1,1,gift,D1,P1,1,x,1,2026-03-01,\nB2,1,gift,D1,P1,1,x,1,2026-03-01,\nB3,1,gift,D1,P1,1,1,1,2026-03-01,\n"
    )
    folder = drop({"sales9.csv": bad})
    (refused,) = ingest.run(settings, "mini", DAY, folder).files
    assert refused.status == "refused"
    assert ingest.rows(settings, Choice(file="sales9.csv")) == []


def test_a_later_version_in_quarantine_is_not_corrected_by_an_older_one(settings: Settings, drop: Drop) -> None:
    older = HEAD + "A2,1,invoice,D1,P1,2,10,6,2026-03-01,\n"
    ingest.run(settings, "mini", DAY - dt.timedelta(days=1), drop({"sales.csv": older, "dealers.csv": DEALERS}))
    found = {(one.received, one.row_number): one.state for one in ingest.rows(settings, Choice(file="sales.csv"))}
    assert found[DAY, 3] == "open"
    ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop({"sales3.csv": older.replace("10,6", "11,6")}))
    found = {(one.received, one.row_number): one.state for one in ingest.rows(settings, Choice(file="sales.csv"))}
    assert found[DAY, 3] == "corrected"


def test_a_row_that_a_released_one_was_waited_for_with_is_taken_up_once(settings: Settings, drop: Drop) -> None:
    """Row 2 of both files is released: the dealer, and the sale that waits for it, which must not be counted again."""
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS.replace("甲", "")}))
    done = ingest.release(settings, Choice(rows="2"), "Wang Min", "name follows")
    assert (done.rows, done.taken_up) == (2, 2)
    assert [name for name, *_ in documents(settings)] == ["A1", "A6", "A7"]
