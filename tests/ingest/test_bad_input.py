"""Bad input at the command line: one clear message with file, line, field and mend; exit code not 0; others unharmed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from tests.landing.packed import said_to_be_encrypted

from dealermart import lake
from dealermart.base import Settings
from dealermart.cli import main
from dealermart.config import load_contracts

HEAD = "doc,line,kind,dealer,product,qty,net,cost,day\n"
ROW = "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01\n"
GOOD = {"dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"}


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the command line on the test company; gives exit code and all that was printed to stderr."""
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(arguments)
        return code, capsys.readouterr().err

    return run


def accepted(settings: Settings) -> set[str]:
    return {one["file"] for one in lake.read(settings).deliveries() if one["status"] == "accepted"}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("sales.csv", b"", r"sales\.csv.*empty", id="empty file"),
        pytest.param("sales.csv", HEAD, r"sales\.csv.*no records", id="header only"),
        pytest.param("sales.csv", "doc,line,kind,dealer,product,qty,day\nA1,1,invoice,D1,P1,2,2026-03-01\n", r"sales\.csv.*\bnet\b", id="missing column"),
        pytest.param("sales.csv", (HEAD + ROW).encode("utf-8") + "A1,2,invoice,经销商,P1,2,1,1,2026-03-01\n".encode("gb18030"), r"sales\.csv:3.*utf-8", id="bytes of another encoding"),
        pytest.param("sales.csv", HEAD + "A1,1,invoice,D1,P1,2,many,60,2026-03-01\nA1,2,invoice,D1,P1,2,few,60,2026-03-01\n", r"sales\.csv: 2 of 2 rows.*row 2: net_amount is not a decimal", id="column of the wrong type"),
        pytest.param("sales.csv", HEAD + ",,invoice,D1,P1,2,1,60,2026-03-01\n" * 2 + ROW, r"sales\.csv: critical check key_mostly_missing.*row 2", id="rows without key"),
        pytest.param("notes.txt", "hello", r"notes\.txt.*no entry", id="file that nobody expects"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_and_the_others_go_through(
    settings: Settings,
    drop: Callable[..., Path],
    command: Callable[..., tuple[int, str]],
    name: str,
    content: str | bytes,
    expected: str,
) -> None:
    folder = drop({**GOOD, name: content})
    code, said = command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder))
    assert code == 1
    assert re.search(expected, said, re.IGNORECASE | re.DOTALL), said
    assert "mend: " in said
    assert "Traceback" not in said
    assert accepted(settings) == {"dealers.csv"}
    assert not list(settings.work.glob("*"))


def test_what_was_not_read_of_a_workbook_is_said_and_a_parquet_file_that_breaks_the_engine_is_refused(
    settings: Settings, drop: Callable[..., Path], command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    profile = settings.config / "sources" / "mini" / "source.yml"
    text = profile.read_text("utf-8").replace('"products*.csv"\n    format: csv', '"products*.xlsx"\n    format: xlsx')
    profile.write_text(
        text.replace('"targets*.csv"\n    format: csv', '"targets*.parquet"\n    format: parquet'), "utf-8"
    )
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as written:
        sheet = written.add_worksheet("List")
        sheet.write_row(0, 0, ["product", "since", "name", "category"])
        sheet.write_row(1, 0, ["P1", "2026-01-01", "Pump", "Pumps"])
        written.add_worksheet("Old").write_column(0, 0, ["<P7>", "P8"])
    with duckdb.connect() as con:
        con.execute(f"copy (select 'T1' as target) to '{tmp_path}/t.parquet'")
    broken = said_to_be_encrypted((tmp_path / "t.parquet").read_bytes())
    folder = drop({**GOOD, "products.xlsx": book.getvalue(), "targets.parquet": broken})
    code, said = command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder))
    assert code == 1
    assert "products.xlsx: sheet Old was not read (2 rows)" in said
    assert re.search(r"targets\.parquet: the file is encrypted\n +mend: ask the sender", said), said
    assert "Traceback" not in said
    assert accepted(settings) == {"dealers.csv", "products.xlsx"}
    (page,) = [path for path in settings.reports.rglob("index.html") if path.parent != settings.reports]
    assert "sheet Old was not read (2 rows)" in page.read_text("utf-8")
    assert "P7" not in page.read_text("utf-8")


def test_a_row_with_too_many_fields_is_named_and_the_others_go_through(
    settings: Settings, drop: Callable[..., Path], command: Callable[..., tuple[int, str]]
) -> None:
    folder = drop(
        {"sales.csv": HEAD + ROW + ROW.replace("A1,1", "A1,2").replace("\n", ",9\n") + ROW.replace("A1,1", "A1,3")}
    )
    code, said = command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder))
    assert code == 3
    assert re.search(r"sales\.csv:3: .*field.*\(1 rows in quarantine", said), said
    assert "mend: " in said
    (one,) = lake.read(settings).deliveries()
    assert (one["records"], one["rejected"], one["accepted"]) == (3, 1, 2)


def test_rows_with_stray_quotes_and_cut_characters_are_held_and_the_others_go_through(
    settings: Settings, drop: Callable[..., Path], command: Callable[..., tuple[int, str]]
) -> None:
    """Three rows stand in one value between stray quotes; of a name of seven Hanzi the last one lacks a byte."""
    lines = [
        "D1,2026-01-01,甲,East,上海",
        'D2,2026-01-01,"乙,East,上海',
        "D3,2026-01-01,丙,East,上海",
        'D4,2026-01-01,丁",East,上海',
    ]
    lines += ["D5,2026-01-01,华东户外经销商,East,上海", "D6,2026-01-01,戊,East,上海"]
    content = ("dealer,since,name,region,city\n" + "\n".join(lines)).encode()
    cut = content.replace("商".encode(), "商".encode()[:2])
    code, said = command(
        "ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(drop({"dealers.csv": cut}))
    )
    assert code == 3
    assert "a stray quote: a value of the record in line 3 holds 2 lines like records" in said
    (one,) = lake.read(settings).deliveries()
    assert (one["records"], one["rejected"], one["accepted"]) == (4, 2, 2)
    held = [row for path in settings.quarantine.glob("*/*.parquet") for row in pq.read_table(path).to_pylist()]
    assert {row["row_number"]: row["reason"] for row in held} == {
        3: "a stray quote: a value of the record in line 3 holds 2 lines like records",
        4: "dealer_name: a character was lost or cut in half before the file was sent (U+FFFD)",
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(None, "does not exist", id="missing folder"),
        pytest.param({}, "holds no file", id="empty folder"),
    ],
)
def test_a_missing_delivery_is_an_error(
    settings: Settings,
    drop: Callable[..., Path],
    command: Callable[..., tuple[int, str]],
    files: dict[str, str] | None,
    expected: str,
) -> None:
    folder = drop({}) if files is not None else Path("no-such-folder")
    code, said = command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder))
    assert code == 1
    assert expected in said
    assert "mend: " in said


def test_a_required_file_that_did_not_come_is_an_error(
    settings: Settings, config: Path, drop: Callable[..., Path], command: Callable[..., tuple[int, str]]
) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    profile.write_text(
        profile.read_text("utf-8").replace('pattern: "sales*.csv"', 'pattern: "sales*.csv"\n    required: true'),
        "utf-8",
    )
    code, said = command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(drop(GOOD)))
    assert code == 1
    assert "sale_file (sales*.csv)" in said
    assert accepted(settings) == set()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param("sources/mini/source.yml", "format: csv", "format: cvs", r"source\.yml:8: field files\.0\.format", id="profile: unknown format"),
        pytest.param("sources/mini/source.yml", "format: csv", "format: csv\n    encoding: utf-9", r"source\.yml:9: field files\.0\.encoding: unknown encoding 'utf-9'", id="profile: unknown encoding"),
        pytest.param("sources/mini/source.yml", "map: sales.sql", "map: sale.sql", r"source\.yml: field files\.0.*sale\.sql does not exist", id="profile: missing select"),
        pytest.param("sources/mini/source.yml", "name: sale_file", "name: sale__file", r"source\.yml: field files\.0 \(sale__file\): the name is taken", id="profile: name of the program's kind"),
        pytest.param("sources/mini/source.yml", "name: sale_file", "name: verdict", r"source\.yml: field files\.0 \(verdict\): the name is taken", id="profile: name that the program uses"),
        pytest.param("sources/mini/source.yml", "cost: [成本]", "rowid: [成本]", r"source\.yml: field files\.0 .*column name rowid is taken", id="profile: column name that the program uses"),
        pytest.param("sources/mini/source.yml", "feed: sales", "feed: sale", r"source\.yml: field files\.0.*no feed 'sale'", id="profile: unknown feed"),
        pytest.param("sources/mini/source.yml", "source: mini", "source: mini\nsource: mini", r"source\.yml:2: .*stands twice", id="profile: key twice"),
        pytest.param("sources/mini/source.yml", "title: A source", "title: [A source", r"source\.yml:\d+: not valid YAML", id="profile: not YAML"),
        pytest.param("feeds/sales.yml", "type: date", "type: day", r"sales\.yml:\d+: field columns\.13\.type", id="contract: unknown type"),
        pytest.param("feeds/sales.yml", "grain:", "grian:", r"sales\.yml:\d+: field grian", id="contract: unknown key"),
        pytest.param("feeds/sales.yml", "key: [transaction_id, line_no]", "key: [transaction_id, line]", r"sales\.yml:\d+: .*line is named as key", id="contract: key that is no column"),
    ],
)  # fmt: skip
def test_a_broken_profile_or_contract_stops_before_anything_is_read(
    settings: Settings,
    config: Path,
    drop: Callable[..., Path],
    command: Callable[..., tuple[int, str]],
    file: str,
    old: str,
    new: str,
    expected: str,
) -> None:
    path = config / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    code, said = command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(drop(GOOD)))
    assert code == 1
    assert re.search(expected, said), said
    assert "mend: " in said
    assert not settings.landing.exists()


def test_a_broken_plan_stops_a_build(
    settings: Settings, config: Path, drop: Callable[..., Path], command: Callable[..., tuple[int, str]]
) -> None:
    command("ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(drop(GOOD)))
    path = config / "plans" / "sales_commission.yml"
    path.write_text(path.read_text("utf-8").replace("currency: CNY", "currency: KWD"), "utf-8")
    code, said = command("build")
    assert code == 1
    assert re.search(r"sales_commission\.yml:\d+: field currency", said), said
    assert "mend: " in said
    assert not settings.warehouse.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ["ingest", "--source", "nobody", "--received", "2026-03-02"], "no source 'nobody'", id="unknown source"
        ),
        pytest.param(["build"], "nothing was ingested yet", id="build of nothing"),
        pytest.param(["publish"], "nothing was ingested yet", id="publish of nothing"),
        pytest.param(["rebuild"], "nothing was ingested yet", id="rebuild of nothing"),
        pytest.param(["quarantine", "list"], "nothing was ingested yet", id="quarantine of nothing"),
        pytest.param(["quarantine", "export", "--out", "x.csv"], "nothing was ingested yet", id="export of nothing"),
        pytest.param(
            ["erase", "--person", "M1", "--by", "Chen", "--reason", "r"],
            "nothing was ingested yet",
            id="erase in nothing",
        ),
    ],
)
def test_a_wrong_command_says_what_to_do(
    command: Callable[..., tuple[int, str]], arguments: list[str], expected: str
) -> None:
    code, said = command(*arguments)
    assert code == 1
    assert expected in said
    assert "mend: " in said


def test_a_wrong_date_is_wrong_usage(
    command: Callable[..., tuple[int, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command("ingest", "--source", "mini", "--received", "02.03.2026")
    assert stopped.value.code == 2
    assert "not a date written like 2026-03-02" in capsys.readouterr().err


def test_contract_files_load(tmp_path: Path) -> None:
    assert len(load_contracts(Settings(home=tmp_path))) == 39  # those of the domain's table
