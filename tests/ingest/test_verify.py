"""Nothing is lost, checked from outside: a second reader counts and reads what the first one took."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from tests.readers.test_fuzz import _mutations, mutated
from tests.readers.test_property import files

from dealermart import ingest, readers
from dealermart.base import DataError, Settings
from dealermart.cli import main
from dealermart.config import FileSpec
from dealermart.ingest.verify import Difference, Verified, Verifier, agree
from dealermart.landing import Delivery
from dealermart.readers.files import read_file
from sample_company import corpus

DAY = dt.date(2026, 3, 2)
ISO = DAY.isoformat()
Drop = Callable[..., Path]
Verify = Callable[..., Verified]

# Files of the corpus on which the two may differ, and why. There are none.
KNOWN: dict[str, str] = {}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as con:
        yield con


@pytest.fixture
def verify(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Verify:
    """Read a file, do something to the table (``fault``), and compare it with what a second reader sees."""
    work = tmp_path / "work"
    work.mkdir()

    def run(path: Path, spec: FileSpec, fault: str = "") -> Verified:
        readers.drop(con, "raw")
        counts = read_file(con, path, spec, "raw", "d", work)
        for statement in filter(None, fault.split(";")):
            con.execute(statement)
        verifier = Verifier()
        verifier.read(con, spec, Delivery("d", "s", path.name, DAY, "", 0, path), "raw", counts)
        readers.drop(con, "raw")
        ((found, _),) = verifier._found.values()
        return found

    return run


# -- every file of the corpus ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("corpus") / "made"
    truth = corpus.make(out)
    return out / "files", {one["file"]: one for one in truth["files"]}


@pytest.mark.slow
@pytest.mark.parametrize("doc", list(corpus._docs()), ids=lambda doc: doc.name)
def test_two_readers_agree_on_every_file_of_the_corpus(
    made: tuple[Path, dict[str, Any]], verify: Verify, doc: corpus.Doc
) -> None:
    folder, truth = made
    path = folder / f"{doc.name}.{doc.suffix}"
    counts = truth[path.name]["counts"]
    if counts is None:
        with pytest.raises(DataError):  # as its maker meant
            verify(path, FileSpec.model_validate(doc.entry()))
        return
    found = verify(path, FileSpec.model_validate(doc.entry()))
    # Three counts that know nothing of each other: the maker's, the first reader's and the second one's.
    assert found.records == counts["records"] == counts["mapped"] + counts["structural"] + counts["rejected"]
    assert found.why == ""
    assert found.shown == [] or doc.name in KNOWN


@pytest.mark.slow
@how(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=files())
def test_two_readers_agree_on_files_made_at_random(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, verify: Verify, file: tuple[str, int, str]
) -> None:
    delimiter, _, text = file
    path = tmp_path / "payload"
    path.write_bytes(text.encode())
    try:
        found = verify(path, FileSpec(name="raw", pattern="*", format="csv", delimiter=delimiter))
    except DataError:
        return
    assert found.shown == []


def agree_on_broken_files(made: tuple[Path, dict[str, Any]], verify: Verify, folder: Path, examples: int) -> None:
    """Broken files: refused, or read alike. Not those whose header is looked for: a damaged one is not the header that
    the first reader finds. Not workbooks and Parquet: what is broken in them one library takes and the other does not."""
    seeds = [
        (FileSpec.model_validate(doc.entry()), (made[0] / f"{doc.name}.{doc.suffix}").read_bytes())
        for doc in corpus._docs()
        if doc.entry()["format"] in ("csv", "json", "jsonl") and doc.entry().get("header") != "find"
    ]

    @how(
        max_examples=examples,
        deadline=None,
        derandomize=examples < 1000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, len(seeds) - 1), changes=_mutations())
    def run(seed: int, changes: list[tuple[str, float, float, bytes]]) -> None:
        spec, content = seeds[seed]
        path = folder / "payload"
        path.write_bytes(mutated(content, changes))
        try:
            found = verify(path, spec)
        except DataError:
            return
        assert (found.shown, found.why) == ([], "")

    run()


@pytest.mark.slow
def test_two_readers_agree_on_broken_files(made: tuple[Path, dict[str, Any]], verify: Verify, tmp_path: Path) -> None:
    agree_on_broken_files(made, verify, tmp_path, 100)


@pytest.mark.soak
def test_two_readers_agree_on_broken_files_at_length(
    made: tuple[Path, dict[str, Any]], verify: Verify, tmp_path: Path
) -> None:
    agree_on_broken_files(made, verify, tmp_path, 5_000)


# -- what is wrong is found --------------------------------------------------------------------------------------------

LINES = "doc,net,note\nA1,1.50,x\nA2,2,\nA3,3,x\nbad,4\n\nA4,5,y\n"
SHIFT = "alter table raw__rows rename net to was; alter table raw__rows rename note to net; alter table raw__rows rename was to note"
FAULTS = {
    "a cell is another": ("update raw__rows set net = '15' where doc = 'A1'", [(2, "net", "'15'", "'1.50'")]),
    "a cell is lost": ("update raw__rows set note = null where doc = 'A3'", [(4, "note", "nothing", "'x'")]),
    "a cell comes from nowhere": ("update raw__rows set note = 'z' where doc = 'A2'", [(3, "note", "'z'", "''")]),
    "a number is written otherwise": ("update raw__rows set net = '1.5' where doc = 'A1'", [(2, "net", "'1.5'", "'1.50'")]),
    "a reject is lost": ("delete from raw__rejects", [(5, "", "nothing", "a record")]),
    "a reject comes from nowhere": ("insert into raw__rejects values ('d', 99, 'x', 'x')", [(99, "", "a record, rejected", "no record")]),
    "values are one row off": (
        "create table was as select rowid as place, note from raw__rows; update raw__rows set note = (select note from was where place = raw__rows.rowid - 1); drop table was",
        [(2, "note", "nothing", "'x'"), (3, "note", "'x'", "''"), (4, "note", "nothing", "'x'"), (7, "note", "'x'", "'y'")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_what_the_first_reader_did_wrong_is_found(verify: Verify, tmp_path: Path, case: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(LINES, "utf-8")
    spec = FileSpec(name="raw", pattern="*", format="csv")
    assert verify(path, spec).shown == []
    fault, expected = FAULTS[case]
    found = verify(path, spec, fault)
    assert found.shown == [Difference(*differs) for differs in expected]
    assert found.is_fault


def test_rows_that_are_gone_are_found(verify: Verify, tmp_path: Path) -> None:
    path = tmp_path / "sales.jsonl"
    path.write_text('{"doc": "A1"}\n{"doc": "A2"}\n{"doc": "A3"}\n', "utf-8")
    spec = FileSpec(name="raw", pattern="*", format="jsonl")
    assert verify(path, spec).shown == []
    gone = verify(path, spec, "delete from raw where doc = 'A2'")
    assert gone.shown == [Difference(2, "", "nothing", "a record")]
    moved = verify(path, spec, "update raw set _row_number = 9 where doc = 'A2'")
    assert moved.shown == [Difference(2, "", "nothing", "a record"), Difference(9, "", "a row", "no record")]


def test_long_values_are_shown_short_and_many_differences_are_counted(verify: Verify, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("doc,note\n" + f"A,{'x' * 500}\n" * 30, "utf-8")
    found = verify(path, FileSpec(name="raw", pattern="*", format="csv"), "update raw__rows set note = 'y'")
    assert found.count == 30
    assert len(found.shown) == 20
    assert found.shown[0] == Difference(2, "note", "'y'", f"'{'x' * 39}... (502 characters)")


# -- when two cells say the same ---------------------------------------------------------------------------------------

AGREE = [
    ("x", " x\u3000", True), ("x", "X", False), ("x y", "xy", False),
    (None, "NULL", True), (None, " ", True), (None, "0", False), ("NULL", "NULL", True), ("", None, False), (None, None, True),
    ("00124", "124", False), ("1.50", "1.5", False), ("00124", '="00124"', True), ("124", '="00124"', False),
    ("D1", "\u200bD1\ufeff", True), ("a\rb", "a_x000D_b", True),
    ("a\r_x0041_", "a_x000D__x0041_", True), ("20260301", "#VALUE!", True), ("46082", "#VALUE!", False), (None, "#VALUE!", False),
    ("D-0012", 12, True), ("123-45-678", 12345678.0, True), ("000-0", 0, True), ("D-0012", 13, False), ("D-1.2", 12, False), ("D-0012", -12, False),
    ("1.5", 1.5, True), ("0.3", 0.1 + 0.2, True), ("00124", 124, True), ("2", 2.0, True), ("2.0", 2.0, False), ("1E-5", Decimal("0.00001"), True),
    ("10000000000000000001", Decimal("10000000000000000000"), False), ("1.51", 1.5, False), ("x", 1.5, False), (None, 0, False),
    ("true", True, True), ("1", True, False),
    ("2026-03-01", dt.datetime(2026, 3, 1), True), ("2026-03-01 10:00:00", dt.datetime(2026, 3, 1, 10, 0, 0, 400), True),
    ("2026-03-01", dt.datetime(2026, 3, 1, 10), False), ("2026-01-03", dt.date(2026, 3, 1), False), ("46082", dt.datetime(2026, 3, 1), False),
    ("2026-03-01 10:00:00+02", dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC), True), ("2026-03-01 10:00:00", dt.datetime(2026, 3, 1, 10, tzinfo=dt.UTC), False),
    ("06:30:00", dt.time(6, 30), True), ("06:30:00", dt.time(18, 30), False), ("26:30:00", dt.timedelta(hours=26, minutes=30), True), ("-01:00:00", dt.timedelta(hours=-1), True), ("1", dt.timedelta(hours=1), False),
    ("é", b"\xc3\xa9", True), ("FF", b"\xff", True), ('["a", 1.10]', ["a", Decimal("1.1")], True), ('["a"]', ["b"], False), ('{"k":[1,null]}', {"k": [1, None]}, True), ('{"k":1}', [("k", 1)], True),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "same"), AGREE)
def test_two_readings_of_a_cell(first: str | None, second: Any, same: bool) -> None:
    assert agree(first, second, ("", "NULL")) is same


# -- the command -------------------------------------------------------------------------------------------------------

HEAD = "doc,line,kind,dealer,product,qty,net,cost,day\n"
SALES = (
    HEAD
    + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01\nA2,1,invoice,D1,P1,2,100.50,60,2026-03-01\nA1,2,invoice,D1\n合计,,,,,,99,,\n\nA1,3,invoice,D1,P2,x,40,30,2026/3/1\n"
)
DEALERS = "dealer,since,name,region,city\nD1,2026-01-01,王小明,East,上海\n"


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:  # fmt: skip
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))

    def run(folder: Path, *more: str) -> tuple[int, str, str]:
        code = main(["ingest", "--source", "mini", "--received", ISO, "--drop", str(folder), *more])
        return code, *capsys.readouterr()

    return run


def packed(name: str, content: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def test_verify_says_of_every_file_whether_a_second_reader_sees_the_same(
    settings: Settings, command: Callable[..., Any], drop: Drop
) -> None:
    settings.home.mkdir()
    ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n北京,CN\n"}))
    before = sorted(settings.home.rglob("*"))
    folder = drop(
        {
            "sales.csv": SALES,
            "dealers.zip": packed("dealers.csv", DEALERS),
            "city_new.csv.gz": gzip.compress("city,country\n上海,CN\n".encode()),
            "city_again.csv": "city,country\n北京,CN\n",
            "notes.txt": "hello",
        }
    )
    code, out, err = command(folder, "--dry-run", "--verify")
    for line in (
        "sales.csv: a second reader sees the same 6 records",
        "dealers.zip > dealers.csv: a second reader sees the same 1 records",
        "city_new.csv.gz > city_new.csv: a second reader sees the same 1 records",
        "city_again.csv: not compared with a second reader: duplicate, so not read",
        "notes.txt: not compared with a second reader: unrecognised, so not read",
    ):
        assert line in out.splitlines()
    assert code == 1  # notes.txt
    assert "two readers" not in err
    assert sorted(settings.home.rglob("*")) == before


def test_readers_that_differ_end_with_1_and_no_value_in_the_message(
    command: Callable[..., Any], drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = drop({"sales.csv": SALES, "dealers.csv": DEALERS})
    from dealermart.readers import delimited

    honest = delimited.cleaned
    monkeypatch.setattr(
        delimited, "cleaned", lambda text, name, spec: f"replace({honest(text, name, spec)}, '小', '大')"
    )
    monkeypatch.setattr(delimited, "_compare", lambda *_: None)
    padded = DEALERS.replace("王小明", " 王小明")
    (folder / "dealers.csv").write_text(padded, "utf-8")
    code, out, err = command(folder, "--dry-run", "--verify")
    assert code == 1
    assert (
        "dealers.csv: a second reader differs in 1 places:\n  record 2, name: read '王大明', the second reader '王小明'"
        in out
    )
    assert "two readers do not agree on 1 of 2 files:\n- dealers.csv: 1 differences" in err
    assert "mend: look at these rows" in err
    assert "明" not in err


def test_a_record_that_becomes_many_rows_is_one_record(command: Callable[..., Any], config: Path, drop: Drop) -> None:
    source = config / "sources" / "mini"
    profile = (source / "source.yml").read_text("utf-8")
    named = 'pattern: "targets*.csv"\n    format: csv\n'
    (source / "source.yml").write_text(profile.replace(named, f"{named}    unpivot: 2\n"), "utf-8")
    one = "select _delivery_id, _row_number, target || '{0}' as target_id, 'member' as subject_type, member as subject_id, 'net_revenue' as metric, '2026-0{0}-01' as valid_from, '2026-0{0}-28' as valid_to, m{0} as target_value, 'CNY' as unit, {0} as _row_part from target_file"
    (source / "targets.sql").write_text(f"{one.format(1)} union all {one.format(2)}", "utf-8")
    code, out, err = command(
        drop({"targets.csv": "target,member,m1,m2\nT1,M1,10,20\nT2,M2,5\n"}), "--dry-run", "--verify"
    )
    assert "targets.csv: a second reader sees the same 2 records" in out, (code, err)


def test_full_width_signs_in_codes_are_no_difference(command: Callable[..., Any], config: Path, drop: Drop) -> None:
    """The first reader writes them as ASCII, in codes and nowhere else."""
    with (config / "sources" / "mini" / "source.yml").open("a", encoding="utf-8") as file:
        file.write('\n  - {name: shop, pattern: "shop*.csv", format: csv, key: [shop]}\n')
    folder = drop({"shops.csv": "shop,dealer_id,name\nＳ１,Ｄ　１,Ａ\n"})
    code, out, _ = command(folder, "--dry-run", "--verify")
    assert (code, "shops.csv: a second reader sees the same 1 records" in out) == (0, True)


def test_verify_goes_with_a_dry_run(
    command: Callable[..., Any], drop: Drop, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command(drop({"sales.csv": SALES}), "--verify")
    assert caught.value.code == 2
    assert "--verify goes with --dry-run" in capsys.readouterr().err


def test_columns_are_found_by_their_texts_whatever_the_table_calls_them(verify: Verify, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("单号,Net,net,,Doc 2\nA1,1,2,3,4\n,,,,\n单号,net,Net,,Doc 2\nTotal,9,,,\n", "utf-8")
    totals = {"column": "net", "values": ["9"]}
    spec = FileSpec.model_validate(
        {"name": "raw", "pattern": "*", "format": "csv", "aliases": {"doc": ["单号"]}, "totals": totals}
    )
    found = verify(path, spec)
    assert (found.records, found.shown) == (4, [])
    swapped = verify(path, spec, "update raw__rows set net_2 = '1', \"Net\" = '2' where doc = 'A1'")
    assert swapped.shown == [Difference(2, "Net", "'2'", "'1'"), Difference(2, "net_2", "'1'", "'2'")]
