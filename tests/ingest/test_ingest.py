"""Ingest: balances, exactly once, one commit per run, quarantine with reasons, and what a rebuild makes of it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dealermart import ingest, lake, mapping, upkeep
from dealermart.base import BalanceError, ConfigError, Settings
from dealermart.config import load_contracts

DAY = dt.date(2026, 3, 2)
HEAD = "doc,line,kind,dealer,product,qty,net,cost,day\n"
GOOD = HEAD + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01\nA1,2,invoice,D1,P2,1,40,30,2026/3/1\n"

# Ten records; what must become of each is worked out by hand.
MIXED = (
    HEAD
    + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01\n"  # 2 accepted
    + "\n"  # 3 blank
    + "A1,2,invoice,D1,P1,2,x,60,2026-03-01\n"  # 4 rejected: net is not a decimal
    + "A1,3,gift,D1,P1,2,10,6,2026-03-01\n"  # 5 quarantined: unknown kind
    + "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01\n"  # 6 repeat of 2
    + "A1,4,invoice,D1,P1,2,10,6,2026-03-01,9,9\n"  # 7 rejected: too many fields
    + "doc,line,kind,dealer,product,qty,net,cost,day\n"  # 8 header again
    + "A1,5,invoice,,P1,2,10,6,2026-03-01\n"  # 9 quarantined: dealer missing
    + "A1,6,invoice,D1,P1,2,10,6,2026-02-30\n"  # 10 rejected: no such day
    + "A1,7,invoice,D1,P1,3,30,6,2026-03-01\n"  # 11 accepted
    + "合计,,,,,7,150.50,,\n"  # 12 totals
)


def rows(settings: Settings, feed: str = "sales") -> list[tuple[object, ...]]:
    contract = load_contracts(settings)[feed]
    sql = lake.rows_sql(contract, lake.read(settings).paths(settings, feed))
    return duckdb.sql(f"select * from ({sql}) order by all").fetchall()


def quarantined(settings: Settings) -> list[tuple[int, str, str, str]]:
    paths = [
        str(settings.quarantine / one["path"]) for commit in lake.read(settings).commits for one in commit["quarantine"]
    ]
    if not paths:
        return []
    return duckdb.sql(f"select row_number, stage, rule, reason from read_parquet({paths}) order by all").fetchall()


def test_both_balances_hold_and_every_refused_row_has_its_reason(settings: Settings, drop: Callable[..., Path]) -> None:
    result = ingest.run(settings, "mini", DAY, drop({"sales.csv": MIXED}))
    (file,) = result.files
    assert (file.status, file.records, file.structural, file.rejected, file.mapped) == ("accepted", 11, 3, 3, 5)
    assert (file.accepted, file.quarantined, file.duplicate) == (2, 2, 1)
    assert [(number, stage, rule) for number, stage, rule, _ in quarantined(settings)] == [
        (4, "map", "map"),
        (5, "check", "transaction_type_unknown"),
        (7, "read", "read"),
        (9, "check", "dealer_id_missing"),
        (10, "map", "map"),
    ]
    reasons = {number: reason for number, _, _, reason in quarantined(settings)}
    assert reasons[4] == "net_amount is not a decimal"
    assert reasons[10] == "sale_date is not a date"
    assert sorted((row[0], row[1]) for row in rows(settings)) == [
        ("A1", 1),
        ("A1", 1),
        ("A1", 7),
    ]  # the repeat is kept, marked


@pytest.mark.parametrize("name", ["sales.csv", "sales-again.csv"], ids=["same name", "another name"])
def test_the_same_content_again_changes_nothing(settings: Settings, drop: Callable[..., Path], name: str) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    before = rows(settings)
    again = ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop({name: GOOD}))
    assert [one.status for one in again.files] == ["duplicate"]
    assert not again.committed
    assert rows(settings) == before


def test_two_files_with_the_same_content_in_one_delivery_count_once(
    settings: Settings, drop: Callable[..., Path]
) -> None:
    result = ingest.run(settings, "mini", DAY, drop({"sales1.csv": GOOD, "sales2.csv": GOOD}))
    assert sorted((one.file, one.status, one.accepted) for one in result.files) == [
        ("sales1.csv", "accepted", 2),
        ("sales2.csv", "duplicate", None),
    ]


def test_rows_that_were_accepted_before_are_counted_as_duplicates_and_corrections_are_not(
    settings: Settings, drop: Callable[..., Path]
) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    changed = GOOD.replace("40,30", "41,30")
    (file,) = ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop({"sales.csv": changed})).files
    assert (file.accepted, file.duplicate, file.quarantined) == (1, 1, 0)
    contract = load_contracts(settings)["sales"]
    current = duckdb.sql(
        f"select line_no, net_amount from ({lake.current_sql(contract, lake.read(settings).paths(settings, 'sales'))}) order by 1"
    )
    assert [(line, str(net)) for line, net in current.fetchall()] == [(1, "100.5000"), (2, "41.0000")]


def test_rows_whose_hashes_clash_are_no_repeats_of_each_other(
    settings: Settings, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashes are looked at first; the key decides. B1 is between the keys that came before, C9 beyond them."""
    monkeypatch.setattr(mapping, "row_hash", lambda contract: "cast(7 as ubigint)")
    line = "{},1,invoice,D1,P1,2,10,6,2026-03-01\n".format
    ingest.run(settings, "mini", DAY, drop({"sales.csv": HEAD + line("A1") + line("B2") + line("B2")}))
    later = ingest.run(settings, "mini", DAY, drop({"sales-later.csv": HEAD + line("B1") + line("C9") + line("A1")}))
    assert [(row[0], row[1]) for row in rows(settings)] == [(one, 1) for one in ("A1", "A1", "B1", "B2", "B2", "C9")]
    assert [(one.accepted, one.duplicate) for one in later.files] == [(2, 1)]


def test_a_lake_file_names_no_delivery_of_another_feed(settings: Settings, drop: Callable[..., Path]) -> None:
    """Names of files can be personal, and of some feeds nobody but HR knows. Those of refused files are not in it too."""
    products = "product,since,name,category\nP1,2026-01-01,Pump,pumps\n"
    dropped = {"sales.csv": GOOD, "sales b.csv": "doc,line\nA9,1\n", "products Wang salary.csv": products}
    result = ingest.run(settings, "mini", DAY, drop(dropped))
    assert [one.status for one in result.files] == ["accepted", "refused", "accepted"]
    (path,) = lake.read(settings).paths(settings, "sales")
    said = duckdb.sql(f"from parquet_metadata('{path}')").fetchall() + duckdb.sql(f"from '{path}'").fetchall()
    assert "sales.csv" in str(said)
    assert "salary" not in str(said)
    assert "sales b" not in str(said)
    assert b"salary" not in path.read_bytes()


def test_lookups_find_what_earlier_deliveries_brought_and_lose_no_row(
    settings: Settings, drop: Callable[..., Path]
) -> None:
    ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n上海,China\n"}))
    ingest.run(
        settings,
        "mini",
        DAY,
        drop(
            {"dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\nD2,2026-01-01,乙,East,火星\n"}
        ),
    )
    assert sorted((row[0], row[8]) for row in rows(settings, "dealers")) == [("D1", "China"), ("D2", None)]


def test_a_stray_file_in_the_lake_is_never_read(settings: Settings, drop: Callable[..., Path]) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    before = rows(settings)
    (path,) = lake.read(settings).paths(settings, "sales")
    shutil.copy(path, path.with_name("stray.parquet"))
    assert rows(settings) == before
    assert [one.name for one in lake.stray_files(settings, lake.read(settings))] == ["stray.parquet"]


def test_an_unfinished_run_leaves_nothing_visible(
    settings: Settings, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lake, "commit", full_disk)
    with pytest.raises(OSError, match="No space left"):
        ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    monkeypatch.undo()
    assert rows(settings) == []
    assert ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD})).files[0].accepted == 2


def test_a_dry_run_says_what_would_happen_and_changes_nothing(settings: Settings, drop: Callable[..., Path]) -> None:
    result = ingest.run(settings, "mini", DAY, drop({"sales.csv": MIXED, "notes.txt": "hello"}), dry_run=True)
    assert {one.file: (one.status, one.accepted) for one in result.files} == {
        "sales.csv": ("accepted", 2),
        "notes.txt": ("unrecognised", None),
    }
    assert not settings.home.exists()


def test_a_mapping_that_filters_is_refused_and_nothing_is_committed(
    settings: Settings, config: Path, drop: Callable[..., Path]
) -> None:
    sql = config / "sources" / "mini" / "sales.sql"
    sql.write_text(sql.read_text("utf-8") + "where net <> '40'\n", "utf-8")
    with pytest.raises(BalanceError, match="2 rows were read for mapping and 1 came out"):
        ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    assert lake.read(settings).commits == ()


def test_a_lookup_that_multiplies_rows_is_refused(settings: Settings, config: Path, drop: Callable[..., Path]) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    profile.write_text(profile.read_text("utf-8").replace("    key: [city]\n", ""), "utf-8")
    files = {
        "city.csv": "city,country\n上海,China\n上海,PRC\n",
        "dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n",
    }
    with pytest.raises(BalanceError, match="1 rows were read for mapping and 2 came out"):
        ingest.run(settings, "mini", DAY, drop(files))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        pytest.param("select * from read_csv('x.csv')", r"calls read_csv\(\)", id="reads a file"),
        pytest.param("select * from 'x.parquet'", "reads 'x.parquet'", id="reads a file by name"),
        pytest.param("select * from sale_file inner join city on true", "joins by INNER JOIN", id="inner join"),
        pytest.param("select * from other", "reads 'other'", id="unknown table"),
        pytest.param("drop table sale_file", "not one SELECT", id="no select"),
        pytest.param("select 1; select 2", "more than one statement", id="two statements"),
        pytest.param("selec 1", "syntax error", id="syntax"),
        pytest.param(
            "select _delivery_id, _row_number, nothing as net_amount from sale_file", "nothing", id="unknown column"
        ),
        pytest.param(
            "select _delivery_id, _row_number, doc as transaction_id from sale_file",
            "does not return line_no",
            id="column missing",
        ),
        pytest.param("select *, doc as colour from sale_file", "does not return|returns", id="unknown feed column"),
    ],
)
def test_a_broken_select_names_the_file_and_commits_nothing(
    settings: Settings, config: Path, drop: Callable[..., Path], sql: str, message: str
) -> None:
    path = config / "sources" / "mini" / "sales.sql"
    path.write_text(sql, "utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    assert str(path) in caught.value.where
    assert caught.value.mend
    assert lake.read(settings).commits == ()


def test_a_rebuild_makes_the_same_lake_and_replays_verdicts_though_the_suite_has_changed(
    settings: Settings, drop: Callable[..., Path], tmp_path: Path
) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": MIXED, "city.csv": "city,country\n上海,China\n"}))
    ingest.run(
        settings,
        "mini",
        DAY + dt.timedelta(days=1),
        drop({"sales.csv": GOOD, "dealers.csv": "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"}),
    )
    before = {feed: rows(settings, feed) for feed in ("sales", "dealers")}
    stray = settings.lake / "sales" / "stray.parquet"
    shutil.copy(lake.read(settings).paths(settings, "sales")[0], stray)
    # Suites that cannot even be loaded: a rebuild must not ask them.
    project = tmp_path / "project"
    (project / "expectations").mkdir(parents=True)
    edited = Settings(home=settings.home, config=settings.config, project=project, user="tester")
    counts = upkeep.rebuild(edited)
    assert counts == {"commits": 2, "deliveries": 4, "rows": sum(map(len, before.values())) + 1}
    assert {feed: rows(settings, feed) for feed in before} == before
    assert not stray.exists()
    assert len(before["sales"]) == 3 + 2


def test_a_rebuild_without_landing_stops_and_keeps_the_old_lake(settings: Settings, drop: Callable[..., Path]) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": GOOD}))
    before = rows(settings)
    payload = next(settings.landing.rglob("payload"))
    payload.chmod(0o644)
    payload.write_bytes(payload.read_bytes() + b"A9,1,invoice,D1,P1,1,1,1,2026-03-01\n")
    with pytest.raises(Exception, match="was changed"):
        upkeep.rebuild(settings)
    assert rows(settings) == before


def test_each_quarantined_row_comes_with_its_own_record(settings: Settings, drop: Callable[..., Path]) -> None:
    """Two files with a fault in the same row."""
    line = "{},1,gift,D1,P1,2,10,6,2026-03-01\n".format
    ingest.run(settings, "mini", DAY, drop({"sales1.csv": HEAD + line("A1"), "sales2.csv": HEAD + line("A2")}))
    path = settings.quarantine / "sales" / "*-check.parquet"
    said = duckdb.sql(f"""
        select distinct source_file, row_number, "row"->>'doc', mapped->>'transaction_id'
        from read_parquet('{path}') order by all
    """).fetchall()
    assert said == [("sales1.csv", 2, "A1", "A1"), ("sales2.csv", 2, "A2", "A2")]


def test_a_column_without_a_value_stands_in_no_file_and_is_read_all_the_same(
    settings: Settings, config: Path, drop: Callable[..., Path]
) -> None:
    line = "{},1,invoice,D1,P1,2,100,60,2026-03-01\n"
    ingest.run(settings, "mini", DAY, drop({"sales.csv": HEAD + line.format("A1")}))
    mapping_file = config / "sources" / "mini" / "sales.sql"
    other = mapping_file.read_text("utf-8").replace("'sell_in' as channel", "' sell_out ' as channel, day as due_date")
    mapping_file.write_text(other, "utf-8")
    ingest.run(settings, "mini", dt.date(2026, 3, 3), drop({"sales.csv": HEAD + line.format("A2")}))
    files = [str(path) for path in lake.read(settings).paths(settings, "sales")]
    assert [set(duckdb.read_parquet(file).columns) & {"due_date", "discount_amount"} for file in files] == [
        set(),
        {"due_date"},
    ]
    known = load_contracts(settings)["sales"]
    names = "transaction_id, channel, due_date, discount_amount"

    def told() -> list[tuple[object, ...]]:
        sql = lake.rows_sql(known, lake.read(settings).paths(settings, "sales"))
        return duckdb.sql(f"select {names} from ({sql}) order by 1").fetchall()

    expected = [("A1", "sell_in", None, None), ("A2", "sell_out", dt.date(2026, 3, 1), None)]
    assert told() == expected
    ingest.run(settings, "mini", dt.date(2026, 4, 1), drop({"city.csv": "city,country\n上海,CN\n"}))
    upkeep.compact(settings)
    assert len(lake.read(settings).paths(settings, "sales")) == 1
    assert told() == expected


def test_files_of_two_kinds_with_a_text_of_their_own_each(
    settings: Settings, config: Path, drop: Callable[..., Path]
) -> None:
    source = config / "sources" / "mini"
    profile = (source / "source.yml").read_text("utf-8")
    kind = profile.split("  - name: sale_file\n")[1].split("  - name: dealer_file\n")[0]
    second = "  - name: out_file\n" + kind.replace("sales.sql", "outs.sql").replace("sales*.csv", "outs*.csv")
    (source / "source.yml").write_text(
        profile.replace("  - name: dealer_file\n", second + "  - name: dealer_file\n"), "utf-8"
    )
    sql = (source / "sales.sql").read_text("utf-8").replace("from sale_file", "from out_file")
    (source / "outs.sql").write_text(sql.replace("'sell_in'", "'sell_out'").replace("'CNY'", "product"), "utf-8")
    line = "{},1,invoice,D1,{},2,100,60,2026-03-01\n"
    both = {"sales.csv": HEAD + line.format("A1", "P1"), "outs.csv": HEAD + line.format("A2", "USD")}
    ingest.run(settings, "mini", DAY, drop(both)).raise_for_refused()
    sql = lake.rows_sql(load_contracts(settings)["sales"], lake.read(settings).paths(settings, "sales"))
    found = duckdb.sql(f"select transaction_id, channel, currency_code, due_date from ({sql}) order by 1").fetchall()
    assert found == [("A1", "sell_in", "CNY", None), ("A2", "sell_out", "USD", None)]
