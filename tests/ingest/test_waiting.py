"""Rows that wait for what another feed brings: who waits, who is taken up when, and that the counts stay exact."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dealermart import checks, ingest, lake, upkeep
from dealermart.base import ConfigError, Settings, SuiteError, content_hash, read_runs
from dealermart.config import load_contracts, load_profile
from dealermart.ingest.partition import IngestResult

pytestmark = pytest.mark.slow


DAY = dt.date(2026, 3, 2)
SALES = "doc,line,kind,dealer,product,qty,net,cost,day,of\n"
DEALERS = "dealer,since,name,region,city,parent\n"
PRODUCTS = "product,since,name,category\nP1,2026-01-01,Tent,Shelter\n"
A1 = "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01,\n"
A2 = "A2,1,invoice,D2,P1,1,40,30,2026-03-01,\n"
D1 = "D1,2026-01-01,甲,East,上海,\n"
D2 = "D2,2026-01-01,乙,East,上海,\n"

Drop = Callable[..., Path]


@pytest.fixture
def settings(settings: Settings, config: Path) -> Settings:
    """The test company, whose feeds are complete, with returns and parents; and a second source of dealers, ``crm``."""
    company = config / "company.yml"
    text = company.read_text("utf-8")
    assert "complete_feeds" in text
    company.write_text("\n".join(line for line in text.splitlines() if "complete_feeds" not in line), "utf-8")
    mini = config / "sources" / "mini"
    change(mini / "sales.sql", "day as sale_date", "day as sale_date,\n    of as original_transaction_id")
    change(mini / "dealers.sql", "f.region,", "f.region,\n    f.parent as parent_dealer_id,")
    crm = config / "sources" / "crm"
    crm.mkdir()
    (crm / "dealers.sql").write_text("select _delivery_id, _row_number, code as dealer_id, since as valid_from, code as dealer_name from accounts\n", "utf-8")  # fmt: skip
    (crm / "source.yml").write_text(
        "source: crm\ntitle: Accounts\nfiles:\n"
        '  - {name: accounts, feed: dealers, map: dealers.sql, pattern: "accounts*.csv", format: csv}\n',
        "utf-8",
    )
    return settings


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def counts(result: IngestResult) -> dict[str, tuple[int | None, ...]]:
    """By file: mapped, accepted, quarantined, duplicate, rejected; a file whose rows were taken up with a plus."""
    named = [(one.file, one) for one in result.files] + [(f"+{one.file}", one) for one in result.taken_up]
    return {name: (one.mapped, one.accepted, one.quarantined, one.duplicate, one.rejected) for name, one in named}


def rows(settings: Settings, feed: str, columns: str = "*") -> list[tuple[Any, ...]]:
    contract = load_contracts(settings)[feed]
    sql = lake.rows_sql(contract, lake.read(settings).paths(settings, feed))
    return duckdb.sql(f"select {columns} from ({sql}) order by all").fetchall()


def documents(settings: Settings) -> list[str]:
    return [document for (document,) in rows(settings, "sales", "transaction_id")]


def decided(settings: Settings) -> list[tuple[Any, ...]]:
    made = [settings.log / one["decisions"] for one in lake.read(settings).commits if one.get("decisions")]
    if not made:
        return []
    names = "decision, source, feed, source_file, row_number, row_part, rules, waits_for, decided_by, reason"
    paths = [str(path) for path in made]
    return duckdb.sql(f"select {names} from read_parquet({paths}) order by all").fetchall()


def assert_balanced(settings: Settings) -> None:
    """Over the whole log, per delivery: both balances, and the lake holds what was counted."""
    total: dict[tuple[str, str, str], dict[str, int]] = {}
    names = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
    for one in lake.read(settings).deliveries():
        sums = total.setdefault((one["source"], one["delivery_id"], one["feed"]), dict.fromkeys(names, 0))
        for name in names:
            sums[name] += one[name] or 0
    for (source, delivery, feed), sums in total.items():
        assert sums["records"] == sums["structural"] + sums["rejected"] + sums["mapped"]
        assert sums["mapped"] == sums["accepted"] + sums["quarantined"] + sums["duplicate"]
        assert min(sums.values()) >= 0
        if "." not in feed:
            held = rows(settings, feed, f"count(*) filter (_source = '{source}' and _delivery_id = '{delivery}')")
            assert held == [(sums["accepted"] + sums["duplicate"],)]


def test_a_sale_waits_for_its_dealer_and_is_taken_up_when_the_dealer_comes(settings: Settings, drop: Drop) -> None:
    first = ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1 + A2, "products.csv": PRODUCTS}))
    assert counts(first)["sales.csv"] == (2, 0, 2, 0, 0)
    assert {fault["rule"] for one in first.files for fault in one.faults} == {"dealer_unknown"}
    assert documents(settings) == []
    assert_balanced(settings)

    moment = dt.datetime(2026, 3, 5, 8, 30)
    later = ingest.run(
        settings, "mini", DAY + dt.timedelta(days=3), drop({"dealers.csv": DEALERS + D1}), ingested_at=moment
    )
    assert counts(later) == {"dealers.csv": (1, 1, 0, 0, 0), "+sales.csv": (0, 1, -1, 0, 0)}
    run = read_runs(settings)[-1]
    assert (run["rows"]["accepted"], run["rows"]["quarantined"], run["taken_up"]) == (1, 0, 1), (
        "told apart, as in the report"
    )
    provenance = (
        "transaction_id, _source, _source_file, _row_number, _row_part, _received_date, _ingested_at, _is_repeat"
    )
    assert rows(settings, "sales", provenance) == [("A1", "mini", "sales.csv", 2, 1, DAY, moment, False)]
    assert decided(settings) == [
        ("taken_up", "mini", "sales", "sales.csv", 2, 1, "dealer_unknown", "dealers", None, None)
    ]
    ((when,),) = duckdb.sql(
        f"select decided_at from '{settings.log / str(lake.read(settings).commits[-1]['decisions'])}'"
    ).fetchall()
    assert when == moment
    assert_balanced(settings)


def test_nothing_is_taken_up_twice(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1 + A2, "products.csv": PRODUCTS}))
    dealers = drop({"dealers.csv": DEALERS + D1})
    ingest.run(settings, "mini", DAY, dealers)
    before = rows(settings, "sales")
    again = ingest.run(settings, "mini", DAY, dealers)
    assert (again.committed, again.taken_up) == (False, ())
    third = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1 + "D7,2026-01-01,丁,East,上海,\n"}))
    assert third.taken_up == ()  # D7 brings nothing that anybody waits for, and A1 is in
    assert rows(settings, "sales") == before
    assert documents(settings) == ["A1"]
    assert_balanced(settings)


def test_a_dealer_and_its_sales_that_come_together_need_not_wait(settings: Settings, drop: Drop) -> None:
    """The profile names the sales first."""
    files = {"sales.csv": SALES + A1 + A2, "products.csv": PRODUCTS, "dealers.csv": DEALERS + D1 + D2}
    result = ingest.run(settings, "mini", DAY, drop(files))
    assert counts(result)["sales.csv"] == (2, 2, 0, 0, 0)
    assert lake.read(settings).commits[-1]["feed_order"].index("dealers") < lake.read(settings).commits[-1][
        "feed_order"
    ].index("sales")


def test_the_dealer_may_come_from_another_source(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1, "products.csv": PRODUCTS}))
    result = ingest.run(settings, "crm", DAY, drop({"accounts.csv": "code,since\nD1,2026-01-01\n"}))
    assert counts(result) == {"accounts.csv": (1, 1, 0, 0, 0), "+sales.csv": (0, 1, -1, 0, 0)}
    assert rows(settings, "sales", "transaction_id, _source") == [("A1", "mini")]
    assert_balanced(settings)


def test_a_row_with_another_fault_does_not_wait(settings: Settings, drop: Drop) -> None:
    wrong = A1.replace("invoice", "gift")
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + wrong + A2, "products.csv": PRODUCTS}))
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1 + D2}))
    assert counts(result)["+sales.csv"] == (0, 1, -1, 0, 0)
    assert documents(settings) == ["A2"]


def test_a_row_that_waits_for_two_feeds_needs_both(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1}))
    assert ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1})).taken_up == ()
    result = ingest.run(settings, "mini", DAY, drop({"products.csv": PRODUCTS}))
    assert counts(result)["+sales.csv"] == (0, 1, -1, 0, 0)
    assert decided(settings)[0][6:8] == ("dealer_unknown, product_unknown", "dealers,products")


def test_what_waits_for_rows_that_wait_follows_them_in_the_same_commit(settings: Settings, drop: Drop) -> None:
    """Parent <- dealer <- sale <- return of it: the parent brings all of them in, masters first."""
    sales = (
        SALES
        + "A1,1,invoice,D3,P1,2,100,60,2026-03-01,\n"
        + "R1,1,return,D3,P1,-1,-50,-30,2026-03-02,A1\n"
        + "R2,1,return,D3,P1,-1,-50,-30,2026-03-02,A9\n"
    )
    child = DEALERS + "D3,2026-01-01,丙,East,上海,D1\n"
    first = ingest.run(
        settings, "mini", DAY, drop({"sales.csv": sales, "dealers.csv": child, "products.csv": PRODUCTS})
    )
    assert counts(first)["dealers.csv"] == (1, 0, 1, 0, 0)
    assert counts(first)["sales.csv"] == (3, 0, 3, 0, 0)
    # The return of a line that itself waits is held back by that line, not by its dealer alone.
    faults = {(fault["rule"], fault["rows"]) for one in first.files for fault in one.faults}
    assert faults == {("parent_unknown", 1), ("dealer_unknown", 3), ("original_unknown", 2)}

    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1}))
    assert [(one.file, one.accepted, one.quarantined) for one in result.taken_up] == [
        ("dealers.csv", 1, -1),
        ("sales.csv", 2, -2),
    ]
    assert documents(settings) == ["A1", "R1"]  # A9 is still not known
    assert_balanced(settings)


def test_a_return_and_its_original_may_come_in_one_file(settings: Settings, drop: Drop) -> None:
    sales = SALES + "R1,1,return,D1,P1,-1,-50,-30,2026-03-02,A1\n" + A1
    files = {"sales.csv": sales, "dealers.csv": DEALERS + D1, "products.csv": PRODUCTS}
    assert counts(ingest.run(settings, "mini", DAY, drop(files)))["sales.csv"] == (2, 2, 0, 0, 0)


def test_a_conflict_of_shares_waits_for_the_end_of_the_former_row(settings: Settings, drop: Drop) -> None:
    change(
        settings.sources / "mini" / "assignments.sql", "since as valid_from", "since as valid_from, until as valid_to"
    )
    head = "dealer,member,role,since,share,until\n"
    masters = {
        "dealers.csv": DEALERS + D1,
        "members.csv": "member,since,name,role,team,manager\nM1,2026-01-01,Li,sales,T1,\nM2,2026-01-01,He,sales,T1,\n",
        "assignments.csv": head + "D1,M1,owner,2026-01-01,100,\n",
    }
    ingest.run(settings, "mini", DAY, drop(masters))
    new = drop({"assignments.csv": head + "D1,M2,owner,2026-03-01,100,\n"})
    second = ingest.run(settings, "mini", DAY + dt.timedelta(days=1), new)
    assert counts(second)["assignments.csv"] == (1, 0, 1, 0, 0)
    ended = drop({"assignments.csv": head + "D1,M1,owner,2026-01-01,100,2026-03-01\n"})
    third = ingest.run(settings, "mini", DAY + dt.timedelta(days=2), ended)
    assert counts(third)["+assignments.csv"] == (0, 1, -1, 0, 0)


def test_a_row_that_came_again_meanwhile_is_counted_as_duplicate(settings: Settings, drop: Drop) -> None:
    """The company stops asking for dealers and the same line comes in another file; then it asks again."""
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1, "products.csv": PRODUCTS}))
    company = settings.company_file
    strict = company.read_text("utf-8")
    company.write_text(strict + "\ncomplete_feeds: [products]\n", "utf-8")
    ingest.run(settings, "mini", DAY, drop({"sales2.csv": SALES + A1 + A2}))
    company.write_text(strict, "utf-8")
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1}))
    assert counts(result)["+sales.csv"] == (0, 0, -1, 1, 0)
    assert documents(settings) == ["A1", "A1", "A2"]
    assert_balanced(settings)


def test_a_dry_run_says_what_would_be_taken_up_and_changes_nothing(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1, "products.csv": PRODUCTS}))
    before = sorted(str(path) for path in settings.home.rglob("*"))
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1}), dry_run=True)
    assert counts(result)["+sales.csv"] == (0, 1, -1, 0, 0)
    assert sorted(str(path) for path in settings.home.rglob("*")) == before


def hashes(settings: Settings) -> dict[str, str]:
    """Of every row of the lake but when and by which run it was learnt."""
    found = {}
    with duckdb.connect() as con:
        for feed, contract in load_contracts(settings).items():
            con.execute(f"create view {feed} as {lake.rows_sql(contract, lake.read(settings).paths(settings, feed))}")
            found[feed] = content_hash(con, feed)
    return found


@pytest.mark.integration  # twenty ingests
def test_whether_the_dealer_comes_first_or_last_the_lake_is_the_same(
    settings: Settings, drop: Drop, tmp_path: Path
) -> None:
    parts = [
        drop({"sales.csv": SALES + A1 + A2}),
        drop({"sales.csv": SALES + "R1,1,return,D2,P1,-1,-40,-30,2026-03-03,A2\n" + A1.replace("100.50", "99")}),
        drop({"products.csv": PRODUCTS}),
        drop({"dealers.csv": DEALERS + "D2,2026-01-01,乙,East,上海,D1\n"}),
        drop({"dealers.csv": DEALERS + D1}),
    ]
    found = []
    for order in ((4, 3, 2, 0, 1), (0, 1, 2, 3, 4), (1, 3, 0, 4, 2), (1, 0, 4, 2, 3)):
        home = replace(settings, home=tmp_path / "".join(map(str, order)))
        for number in order:
            ingest.run(home, "mini", DAY + dt.timedelta(days=number), parts[number])
        found.append(hashes(home))
        assert_balanced(home)
        assert documents(home) == ["A1", "A1", "A2", "R1"]
    assert found[1:] == found[:1] * 3


def test_a_rebuild_takes_up_the_same_rows_without_judging(settings: Settings, drop: Drop, tmp_path: Path) -> None:
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1 + A2, "products.csv": PRODUCTS}))
    ingest.run(settings, "crm", DAY, drop({"accounts.csv": "code,since\nD1,2026-01-01\n"}))
    before = {feed: rows(settings, feed) for feed in ("sales", "dealers", "products")}
    project = tmp_path / "project"  # suites that cannot even be loaded
    (project / "expectations").mkdir(parents=True)
    upkeep.rebuild(replace(settings, project=project))
    assert {feed: rows(settings, feed) for feed in before} == before  # moment and run included
    assert documents(settings) == ["A1"]
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D2}))
    assert counts(result)["+sales.csv"] == (0, 1, -1, 0, 0), "what still waits goes on waiting"
    assert_balanced(settings)


@pytest.mark.integration
def test_compaction_leaves_waiting_and_taken_up_rows_as_they_are(settings: Settings, drop: Drop) -> None:
    march = {"sales.csv": SALES + A1 + A2, "dealers.csv": DEALERS + D2, "products.csv": PRODUCTS}
    ingest.run(settings, "mini", DAY, drop(march))
    waiting = SALES + A2.replace("A2", "A4") + A1.replace("A1", "A5").replace("D1", "D7")
    ingest.run(settings, "mini", DAY + dt.timedelta(days=1), drop({"sales.csv": waiting}))
    ingest.run(settings, "mini", DAY + dt.timedelta(days=40), drop({"dealers.csv": DEALERS + D1}))
    ingest.run(settings, "mini", DAY + dt.timedelta(days=80), drop({"city.csv": "city,country\n上海,China\n"}))
    before = rows(settings, "sales")
    assert upkeep.compact(settings).replaced >= 2
    assert rows(settings, "sales") == before
    assert documents(settings) == ["A1", "A2", "A4"]
    assert {(one.row_number, one.state) for one in ingest.rows(settings, ingest.Choice(feed="sales"))} == {
        (2, "taken_up"),
        (3, "waiting"),
    }
    ingest.run(settings, "mini", DAY + dt.timedelta(days=81), drop({"dealers.csv": DEALERS + D1.replace("D1", "D7")}))
    assert documents(settings) == ["A1", "A2", "A4", "A5"]
    before = rows(settings, "sales")
    upkeep.rebuild(settings)
    assert rows(settings, "sales") == before
    assert_balanced(settings)


# ------------------------------------------------------------------ rows that a select rejects for want of a lookup


@pytest.fixture
def linked(settings: Settings) -> Settings:
    """One dealer under the codes of three systems: D1 in the ERP (mini), Z-9 in the CRM, 77 in the learning system."""
    sources = settings.sources
    change(
        sources / "mini" / "source.yml",
        "  - name: city\n",
        '  - {name: links, feed: id_links, map: links.sql, pattern: "links*.csv", format: csv}\n  - name: city\n',
    )
    (sources / "mini" / "links.sql").write_text(
        "select _delivery_id, _row_number, system, kind as subject_type, code as external_id, own as subject_id from links\n",
        "utf-8",
    )
    for source, feed, more, columns in (
        (
            "crm",
            "survey_responses",
            "'csat' as survey, 1 as scale_min, 5 as scale_max, day as sent_date",
            "response_id",
        ),
        ("lms", "training_records", "'C1' as course_id, day as assigned_date, day as due_date", "record_id"),
    ):
        folder = sources / source
        folder.mkdir(exist_ok=True)
        (folder / f"{feed}.sql").write_text(
            f"""select f._delivery_id, f._row_number, f.id as {columns}, {more}, link.subject_id as dealer_id,
                case when link.external_id is null then 'unknown code of a dealer' end as _reject_reason
            from {feed}_file as f
            left join feed_id_links as link
                on link.system = '{source}' and link.subject_type = 'dealer' and link.external_id = f.code
            """,
            "utf-8",
        )
        path = folder / "source.yml"
        text = path.read_text("utf-8") if path.exists() else f"source: {source}\ntitle: Codes of its own\nfiles:\n"
        path.write_text(
            text + f"  - {{name: {feed}_file, feed: {feed}, map: {feed}.sql, pattern: '{feed}*.csv', format: csv,"
            " waits: {unknown code of a dealer: [id_links]}}\n",
            "utf-8",
        )
    company = settings.company_file  # the learning system delivers no courses here
    company.write_text(company.read_text("utf-8") + "\ncomplete_feeds: [dealers, products]\n", "utf-8")
    return settings


LINKS = "system,kind,code,own\n"
SURVEY = {"survey_responses.csv": "id,code,day\nS1,Z-9,2026-03-01\nS2,Z-8,2026-03-01\n"}
TRAINING = {"training_records.csv": "id,code,day\nT1,77,2026-03-01\n"}


def test_one_dealer_is_joined_across_the_codes_of_three_systems(linked: Settings, drop: Drop) -> None:
    ingest.run(
        linked, "mini", DAY, drop({"dealers.csv": DEALERS + D1, "products.csv": PRODUCTS, "sales.csv": SALES + A1})
    )
    survey = ingest.run(linked, "crm", DAY, drop(SURVEY))
    training = ingest.run(linked, "lms", DAY, drop(TRAINING))
    # Not refused, though no row of the files could be mapped: that says nothing about them.
    assert counts(survey)["survey_responses.csv"] == (0, 0, 0, 0, 2)
    assert counts(training)["training_records.csv"] == (0, 0, 0, 0, 1)
    assert [one.status for one in (*survey.files, *training.files)] == ["accepted", "accepted"]

    result = ingest.run(linked, "mini", DAY, drop({"links.csv": LINKS + "crm,dealer,Z-9,D1\nlms,dealer,77,D1\n"}))
    assert counts(result) == {
        "links.csv": (2, 2, 0, 0, 0),
        "+survey_responses.csv": (1, 1, 0, 0, -1),
        "+training_records.csv": (1, 1, 0, 0, -1),
    }
    assert rows(linked, "sales", "transaction_id, dealer_id") == [("A1", "D1")]
    assert rows(linked, "survey_responses", "response_id, dealer_id, _source") == [("S1", "D1", "crm")]
    assert rows(linked, "training_records", "record_id, dealer_id, _source") == [("T1", "D1", "lms")]
    assert_balanced(linked)
    before = rows(linked, "survey_responses"), rows(linked, "training_records")
    upkeep.rebuild(linked)
    assert (rows(linked, "survey_responses"), rows(linked, "training_records")) == before


def test_a_row_whose_code_is_known_before_its_dealer_waits_on_for_the_dealer(linked: Settings, drop: Drop) -> None:
    ingest.run(linked, "lms", DAY, drop(TRAINING))
    links = ingest.run(linked, "mini", DAY, drop({"links.csv": LINKS + "lms,dealer,77,D1\n"}))
    assert links.taken_up == ()
    result = ingest.run(linked, "mini", DAY, drop({"dealers.csv": DEALERS + D1}))
    assert counts(result)["+training_records.csv"] == (1, 1, 0, 0, -1)
    assert_balanced(linked)


def test_a_reference_of_the_source_may_be_what_is_missing(settings: Settings, config: Path, drop: Drop) -> None:
    mini = config / "sources" / "mini"
    change(
        mini / "dealers.sql",
        "'active' as status",
        "'active' as status,\n    case when city.city is null then 'unknown city' end as _reject_reason",
    )
    change(mini / "source.yml", "    map: dealers.sql\n", "    map: dealers.sql\n    waits: {unknown city: [city]}\n")
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1 + D2.replace("上海", "火星")}))
    result = ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n上海,China\n"}))
    assert counts(result) == {"city.csv": (1, 1, 0, 0, 0), "+dealers.csv": (1, 1, 0, 0, -1)}
    assert rows(settings, "dealers", "dealer_id, country") == [("D1", "China")]
    assert decided(settings)[0][7] == "mini.city"


def test_a_select_that_looks_at_other_rows_cannot_map_one_again(settings: Settings, config: Path, drop: Drop) -> None:
    """Its rows stay in quarantine, and the run of another source is not stopped by it."""
    mini = config / "sources" / "mini"
    change(mini / "dealers.sql", "'active' as status", "'active' as status,\n    case when city.city is null then 'unknown city' end as _reject_reason")  # fmt: skip
    change(mini / "dealers.sql", "f.since as valid_from", "min(f.since) over (partition by f.dealer) as valid_from")
    change(mini / "source.yml", "    map: dealers.sql\n", "    map: dealers.sql\n    waits: {unknown city: [city]}\n")
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1}))
    said: list[str] = []
    result = ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n上海,China\n"}), say=said.append)
    assert result.taken_up == ()
    assert any("stay in quarantine" in one and "looks at other rows" in one for one in said)


# --------------------------------------------------------------------------------------------------- broken config


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "[city]}", "[town]}", "waits for town, which is neither a feed nor a reference", id="unknown feed"
        ),
        pytest.param("{unknown city:", "{unknown town:", "never gives the reason 'unknown town'", id="unknown reason"),
    ],
)
def test_a_profile_that_waits_in_vain_is_refused(
    config: Path, settings: Settings, old: str, new: str, message: str
) -> None:
    mini = config / "sources" / "mini"
    change(mini / "dealers.sql", "'active' as status", "'active' as status,\n    'unknown city' as _reject_reason")
    change(mini / "source.yml", "    map: dealers.sql\n", "    map: dealers.sql\n    waits: {unknown city: [city]}\n")
    load_profile(settings, "mini", load_contracts(settings))
    change(mini / "source.yml", old, new)
    with pytest.raises(ConfigError, match=message):
        load_profile(settings, "mini", load_contracts(settings))


def test_complete_feeds_that_do_not_exist_are_refused(settings: Settings, drop: Drop) -> None:
    with settings.company_file.open("a", encoding="utf-8") as file:
        file.write("\ncomplete_feeds: [dealer]\n")
    with pytest.raises(ConfigError, match="complete_feeds: there is no feed dealer"):
        ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1}))
    assert not settings.landing.exists()


UNKNOWN = "select b._row_id from {batch} as b anti join feed_dealers as k on k.dealer_id = b.dealer_id"


@pytest.mark.parametrize(
    ("sql", "meta", "severity", "message"),
    [
        pytest.param(UNKNOWN, {"waits_for": ["dealer"]}, "warning", "waits for dealer, which is no feed", id="no feed"),
        pytest.param(UNKNOWN, {"waits_for": "dealers"}, "warning", "no list of feeds", id="no list"),
        pytest.param(UNKNOWN, {"waits_for": ["dealers"]}, "critical", "only single rows can wait", id="critical"),
        pytest.param(UNKNOWN, {"waits_for": ["dealers"]}, "info", "only single rows can wait", id="info"),
        pytest.param(UNKNOWN.replace("feed_dealers", "known_sales"), {}, "critical", "its own feed", id="own feed"),
        pytest.param(UNKNOWN.replace("feed_dealers", "feed_dealer"), {}, "warning", "feed_dealer ", id="no view"),
        pytest.param(UNKNOWN.replace("feed_dealers", "failing"), {}, "warning", "failing", id="inner table"),
        pytest.param(UNKNOWN.replace("feed_dealers", "'x.parquet'"), {}, "warning", "x.parquet", id="file"),
        pytest.param(UNKNOWN.replace("k.dealer_id", "k.dealer"), {}, "warning", "dealer", id="no column"),
    ],
)
def test_a_suite_that_reads_or_waits_for_something_else_is_refused(
    settings: Settings, tmp_path: Path, sql: str, meta: dict[str, Any], severity: str, message: str
) -> None:
    rule = {
        "type": "unexpected_rows_expectation",
        "kwargs": {"unexpected_rows_query": sql},
        "meta": {"rule": "odd"} | meta,
        "severity": severity,
        "description": "odd",
    }
    path = tmp_path / "sales.json"
    path.write_text(json.dumps({"name": "sales", "expectations": [rule]}), "utf-8")
    known = load_contracts(settings)
    with pytest.raises(SuiteError, match=message) as caught:
        checks.load_suite(path, checks.batch_columns(known["sales"]), known)
    assert "rule odd" in caught.value.where and caught.value.mend


def test_feeds_that_wait_for_each_other_in_a_circle_are_named(settings: Settings, config: Path) -> None:
    from dealermart.ingest.judge import masters_first

    assert masters_first(["a", "b", "c"], {"a": {"c"}, "b": {"b"}, "c": {"b", "x"}}) == ["b", "c", "a"]
    with pytest.raises(ConfigError, match=r"circle: (a - b - a|b - a - b)"):
        masters_first(["a", "b"], {"a": {"b"}, "b": {"a"}})


def add_payments(settings: Settings) -> None:
    mini = settings.sources / "mini"
    entry = '  - {name: paid, feed: payments, map: paid.sql, pattern: "paid*.csv", format: csv}\n'
    change(mini / "source.yml", "  - name: city\n", f"{entry}  - name: city\n")
    (mini / "paid.sql").write_text(
        "select _delivery_id, _row_number, number as payment_id, doc as transaction_id, 'payment' as payment_type, "
        "amount, 'CNY' as currency_code, day as payment_date from paid\n",
        "utf-8",
    )


def test_what_is_taken_up_lets_others_be_taken_up(settings: Settings, drop: Callable[..., Path]) -> None:
    """A payment waits for its sale, which waits for its dealer."""
    add_payments(settings)
    paid = "number,doc,amount,day\nY1,A1,100.50,2026-03-02\n"
    ingest.run(settings, "mini", DAY, drop({"paid.csv": paid, "sales.csv": SALES + A1, "products.csv": PRODUCTS}))
    assert rows(settings, "payments") == []
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1}))
    assert [(one.file, one.accepted) for one in result.taken_up] == [("sales.csv", 1), ("paid.csv", 1)]
    assert_balanced(settings)


def test_the_same_file_from_two_sources_waits_for_each(settings: Settings, drop: Callable[..., Path]) -> None:
    shutil.copytree(settings.sources / "mini", settings.sources / "twin")
    change(settings.sources / "twin" / "source.yml", "source: mini", "source: twin")
    ingest.run(settings, "mini", DAY, drop({"sales.csv": SALES + A1, "products.csv": PRODUCTS}))
    ingest.run(settings, "twin", DAY, drop({"sales.csv": SALES + A1}))
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1}))
    assert rows(settings, "sales", "_source, _is_repeat") == [("mini", False), ("twin", True)]
    assert_balanced(settings)


def test_a_course_that_a_later_list_leaves_out_is_still_known(settings: Settings, config: Path, drop: Drop) -> None:
    """What was done with a course counts after it was dropped from the list, and one never listed stays unknown."""
    folder = config / "sources" / "lms"
    folder.mkdir()
    (folder / "courses.sql").write_text(
        "select _delivery_id, _row_number, course as course_id, course as course_name, 'product' as topic, "
        "true as is_mandatory from courses\n",
        "utf-8",
    )
    (folder / "done.sql").write_text(
        "select _delivery_id, _row_number, id as record_id, course as course_id, dealer as dealer_id, "
        "day as assigned_date, day as due_date from done\n",
        "utf-8",
    )
    (folder / "source.yml").write_text(
        "source: lms\ntitle: Trainings\nfiles:\n"
        '  - {name: courses, feed: training_courses, map: courses.sql, pattern: "courses*.csv", format: csv,'
        " delivery: snapshot, shrink_below: 0.1}\n"
        '  - {name: done, feed: training_records, map: done.sql, pattern: "done*.csv", format: csv}\n',
        "utf-8",
    )
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": DEALERS + D1, "products.csv": PRODUCTS}))
    ingest.run(settings, "lms", DAY, drop({"courses.csv": "course,note\nC1,a\nC2,b\n"}))
    ingest.run(settings, "lms", DAY + dt.timedelta(days=1), drop({"courses.csv": "course,note\nC1,a\n"}))
    done = "id,course,dealer,day\nT1,C1,D1,2026-03-01\nT2,C2,D1,2026-03-01\nT3,C3,D1,2026-03-01\n"
    result = ingest.run(settings, "lms", DAY + dt.timedelta(days=2), drop({"done.csv": done}))

    known = load_contracts(settings)
    log = lake.read(settings)
    current = lake.current_sql(
        known["training_courses"],
        log.paths(settings, "training_courses"),
        log.told(settings, "training_courses"),
    )
    assert duckdb.sql(f"select course_id from ({current})").fetchall() == [("C1",)]
    assert counts(result)["done.csv"] == (3, 2, 1, 0, 0)
    assert rows(settings, "training_records", "record_id") == [("T1",), ("T2",)]
