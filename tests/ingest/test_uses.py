"""One file for two feeds, references whose key is none, and rows that another profile takes up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dealermart import ingest, lake, upkeep
from dealermart.base import Settings
from dealermart.cli import main
from dealermart.config import load_contracts
from dealermart.ingest.partition import IngestResult

pytestmark = pytest.mark.slow

DAY = dt.date(2026, 3, 2)
SALES = "doc,line,kind,dealer,product,qty,net,cost,day\n"
MASTER = "dealer,since,name,region,city,owner,owner_name\nD1,2026-01-01,甲,East,上海,M1,Li\nD2,2026-01-01,乙,West,成都,M2,Wu\n"
OWNERS = """
  - {name: owner_file, feed: team_members, map: owners.sql, pattern: "dealers*.csv", format: csv}
"""
OWNERS_SQL = """\
select _delivery_id, _row_number, owner as member_id, since as valid_from, owner_name as member_name, 'sales' as role
from owner_file
"""

Drop = Callable[..., Path]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def fates(result: IngestResult) -> list[tuple[object, ...]]:
    """File, feed, status, accepted, rejected; what was taken up with its counts."""
    return [
        (file.file, file.feed, file.status, file.accepted, file.rejected) for file in (*result.files, *result.taken_up)
    ]


def rows(settings: Settings, feed: str, columns: str) -> list[tuple[object, ...]]:
    sql = lake.rows_sql(load_contracts(settings)[feed], lake.read(settings).paths(settings, feed))
    return duckdb.sql(f"select {columns} from ({sql}) order by all").fetchall()


@pytest.fixture
def mini(config: Path) -> Path:
    return config / "sources" / "mini"


@pytest.fixture
def two(settings: Settings, mini: Path) -> Settings:
    """The test company whose customer master names the responsible person: two feeds in one file."""
    with (mini / "source.yml").open("a", encoding="utf-8") as file:
        file.write(OWNERS)
    (mini / "owners.sql").write_text(OWNERS_SQL, "utf-8")
    return settings


# ------------------------------------------------------------------------------------------------ one file, two feeds


def test_two_entries_take_one_file_each_for_its_own_feed(two: Settings, drop: Drop) -> None:
    result = ingest.run(two, "mini", DAY, drop({"dealers.csv": MASTER}))
    assert fates(result) == [
        ("dealers.csv", "dealers", "accepted", 2, 0),
        ("dealers.csv", "team_members", "accepted", 2, 0),
    ]
    assert rows(two, "dealers", "dealer_id, dealer_name") == [("D1", "甲"), ("D2", "乙")]
    assert rows(two, "team_members", "member_id, member_name, _source_file, _row_number") == [
        ("M1", "Li", "dealers.csv", 2),
        ("M2", "Wu", "dealers.csv", 3),
    ]
    again = ingest.run(two, "mini", DAY, drop({"dealers.csv": MASTER, "dealers_copy.csv": MASTER}))
    assert [fate[1:3] for fate in fates(again)] == [("dealers", "duplicate"), ("team_members", "duplicate")] * 2
    assert not again.committed
    before = {feed: rows(two, feed, "*") for feed in ("dealers", "team_members")}
    upkeep.rebuild(two)
    assert {feed: rows(two, feed, "*") for feed in ("dealers", "team_members")} == before


def test_an_entry_that_comes_later_takes_what_lies_there_already(settings: Settings, mini: Path, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"dealers.csv": MASTER}))
    with (mini / "source.yml").open("a", encoding="utf-8") as file:
        file.write(OWNERS)
    (mini / "owners.sql").write_text(OWNERS_SQL, "utf-8")
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": MASTER}))
    assert fates(result) == [
        ("dealers.csv", "team_members", "accepted", 2, 0),
        ("dealers.csv", "dealers", "duplicate", None, None),
    ]


def test_a_copy_under_the_name_of_another_entry_is_taken_for_it(settings: Settings, mini: Path, drop: Drop) -> None:
    """The copy is no duplicate: nobody took it for this feed; and what is wrong with it there is its own."""
    with (mini / "source.yml").open("a", encoding="utf-8") as file:
        file.write(OWNERS.replace("dealers*.csv", "owners*.csv"))
    (mini / "owners.sql").write_text(OWNERS_SQL.replace("'sales'", "case owner when 'M2' then 'juggler' else 'sales' end"), "utf-8")  # fmt: skip
    result = ingest.run(settings, "mini", DAY, drop({"dealers.csv": MASTER, "owners.csv": MASTER}))
    assert [(file.file, file.feed, file.accepted, file.quarantined) for file in result.files] == [
        ("dealers.csv", "dealers", 2, 0),
        ("owners.csv", "team_members", 1, 1),
    ]
    held = ingest.rows(settings, ingest.Choice(entry="owner_file"))
    assert [(row.file, row.row_number, row.rules) for row in held] == [("owners.csv", 3, "role_unknown")]


def test_two_entries_of_one_feed_cannot_share_a_file(two: Settings, mini: Path, drop: Drop) -> None:
    change(mini / "source.yml", "feed: team_members, map: owners.sql", "feed: dealers, map: dealers.sql")
    (file,) = ingest.run(two, "mini", DAY, drop({"dealers.csv": MASTER})).files
    assert file.status == "refused"
    assert "entries dealer_file and owner_file both take this file for dealers" in str(file.error)
    assert "narrow a pattern" in str(file.error)


def test_who_is_erased_from_one_use_of_a_file_is_gone_from_all(two: Settings, drop: Drop) -> None:
    ingest.run(two, "mini", DAY, drop({"dealers.csv": MASTER}))
    upkeep.erase(two, upkeep.Wanted("M1"), "Xu", "request 7")
    assert not any(b"Li" in path.read_bytes() for path in two.landing.rglob("payload"))
    assert [row for (row,) in rows(two, "dealers", "dealer_id")] == ["D1", "D2"]
    assert ("M2", "Wu") in rows(two, "team_members", "member_id, member_name")
    assert "M1" not in {row for (row,) in rows(two, "team_members", "member_id")}
    upkeep.rebuild(two)
    assert [row for (row,) in rows(two, "dealers", "dealer_id")] == ["D1", "D2"]


# --------------------------------------------------------------------------------------- a key that stands in two rows


def test_a_use_that_comes_after_an_erasure_is_told_why_it_cannot_be(settings: Settings, mini: Path, drop: Drop) -> None:
    """The bytes are gone, so that no other entry can take them; the first use stays a repeat."""
    folder = drop({"dealers.csv": MASTER})
    ingest.run(settings, "mini", DAY, folder)
    upkeep.erase(settings, upkeep.Wanted("M2", also=("Wu",)), "Xu", "request 9")
    with (mini / "source.yml").open("a", encoding="utf-8") as file:
        file.write(OWNERS)
    (mini / "owners.sql").write_text(OWNERS_SQL, "utf-8")
    again = {file.feed: file for file in ingest.run(settings, "mini", DAY, folder).files}
    assert (again["dealers"].status, again["team_members"].status) == ("duplicate", "refused")
    assert "values of a person were erased from this file" in str(again["team_members"].error)


def test_a_copy_of_a_list_that_was_refused_is_refused(settings: Settings, mini: Path, drop: Drop) -> None:
    twice = "city,country\n北京,CN\n北京,JP\n"
    result = ingest.run(settings, "mini", DAY, drop({"city.csv": twice, "city_copy.csv": twice}))
    assert [file.status for file in result.files] == ["refused", "refused"]
    assert "the content is that of city.csv" in str(result.files[1].error)


def test_rows_of_a_reference_that_contradict_each_other_are_rejected(settings: Settings, drop: Drop) -> None:
    cities = "city,country\n上海,China\n成都,China\n巴黎,France\n巴黎,Texas\n成都,China\n,Nowhere\n,Nobody\n"
    dealers = MASTER.replace("乙,West,成都", "乙,West,巴黎")
    result = ingest.run(settings, "mini", DAY, drop({"city.csv": cities, "dealers.csv": dealers}))
    city, _ = result.files
    # Five kept, of which one only repeats another; rows without a key are found by nobody and harm nobody.
    assert (city.records, city.rejected, city.mapped, city.accepted, city.duplicate) == (7, 2, 5, 4, 1)
    ((fault),) = city.faults
    assert fault["reason"] == "city stands in rows 4, 5, which differ: none of them is taken"
    assert fault["rows"] == 2
    assert rows(settings, "dealers", "dealer_id, country") == [("D1", "China"), ("D2", None)]
    before = rows(settings, "dealers", "*")
    upkeep.rebuild(settings)
    assert rows(settings, "dealers", "*") == before


def test_a_list_whose_key_is_none_is_refused_and_the_one_before_stays(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "mini", DAY, drop({"city.csv": "city,country\n上海,China\n"}))
    many = "city,country\n上海,a\n上海,b\n成都,a\n成都,b\n巴黎,France\n"
    result = ingest.run(settings, "mini", DAY, drop({"city2.csv": many, "dealers.csv": MASTER}))
    (refused,) = result.refused
    assert "in 4 rows of it the key of city (city) stands more than once" in str(refused.error)
    assert "leave key out" in str(refused.error)
    assert rows(settings, "dealers", "dealer_id, country") == [("D1", "China"), ("D2", None)]


# ------------------------------------------------------------------------------------------------- a mended profile


BROKEN = "case kind when 'invoice' then 'invoice' else 'retoure' end"
REASON = "case when dealer = 'D2' then 'unknown dealer' end as _reject_reason"


def test_the_same_command_takes_up_what_a_mended_profile_maps(
    settings: Settings, mini: Path, drop: Drop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows: good, of a wrong type by the select's fault, rejected by it; both are mended one after the other."""
    sql = mini / "sales.sql"
    good = sql.read_text("utf-8")
    change(sql, "kind as transaction_type", f"{BROKEN} as transaction_type,\n    {REASON}")
    lines = "A1,1,invoice,D1,P1,1,10,5,2026-03-01\nA2,1,return,D1,P1,-1,-20,-5,2026-03-01\nA3,1,invoice,D2,P1,1,40,5,2026-03-01\n"
    folder = drop({"sales.csv": SALES + lines})
    first = ingest.run(settings, "mini", DAY, folder)
    assert [(file.accepted, file.quarantined, file.rejected) for file in first.files] == [(1, 1, 1)]
    (same,) = ingest.run(settings, "mini", DAY, folder).files
    assert (same.status, same.held) == ("duplicate", 2)

    sql.write_text(good.replace("kind as transaction_type", f"kind as transaction_type,\n    {REASON}"), "utf-8")
    second = ingest.run(settings, "mini", DAY, folder)
    assert second.committed
    assert [(up.accepted, up.quarantined, up.rejected) for up in second.taken_up] == [(1, -1, 0)]
    sql.write_text(good, "utf-8")
    dry = ingest.run(settings, "mini", DAY, folder, dry_run=True)
    assert [(up.accepted, up.quarantined, up.rejected) for up in dry.taken_up] == [(1, 0, -1)]
    third = ingest.run(settings, "mini", DAY, folder)
    assert [(up.accepted, up.quarantined, up.rejected) for up in third.taken_up] == [(1, 0, -1)]
    assert rows(settings, "sales", "transaction_id, transaction_type, net_amount") == [
        ("A1", "invoice", 10),
        ("A2", "return", -20),
        ("A3", "invoice", 40),
    ]
    assert not ingest.run(settings, "mini", DAY, folder).committed, "nothing is left to take up"

    judged = [
        (delivery["status"], delivery.get("profile_hash") or commit["profile_hash"])
        for commit in lake.read(settings).commits
        for delivery in commit["deliveries"]
        if delivery["status"] != "duplicate"
    ]
    assert [status for status, _ in judged] == ["accepted", "taken_up", "taken_up"]
    assert len({hash_ for _, hash_ in judged}) == 3, "each by a profile of its own"
    before = rows(settings, "sales", "*")
    upkeep.rebuild(settings)
    assert rows(settings, "sales", "*") == before


def test_who_is_erased_from_a_row_that_was_mapped_again_stays_erased(two: Settings, mini: Path, drop: Drop) -> None:
    """Of such a row the raw text is gone, and what the select of then made of it was wrong: the lake's row is kept."""
    change(mini / "owners.sql", "'sales' as role", "case owner when 'M2' then 'juggler' else 'sales' end as role")
    folder = drop({"dealers.csv": MASTER})
    ingest.run(two, "mini", DAY, folder)
    (mini / "owners.sql").write_text(OWNERS_SQL, "utf-8")
    assert [moved.accepted for moved in ingest.run(two, "mini", DAY, folder).taken_up] == [1]
    upkeep.erase(two, upkeep.Wanted("M2"), "Xu", "request 8")
    kept = rows(two, "team_members", "_row_number, role, member_name = 'Wu', member_id = 'M2'")
    assert kept == [(2, "sales", False, False), (3, "sales", False, False)]
    upkeep.rebuild(two)
    assert rows(two, "team_members", "_row_number, role, member_name = 'Wu', member_id = 'M2'") == kept


def test_what_cannot_be_taken_up_is_told_with_the_command(
    settings: Settings, mini: Path, drop: Drop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    folder = drop({"sales.csv": SALES + "A1,1,invoice,D1,P1,1,10,5,2026-03-01\nA2,1,gift,D1,P1,1,20,5,2026-03-01\n"})
    command = ["ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder)]
    assert main(command) == 3
    assert "correct config/sources/mini and run the same command again" in capsys.readouterr().err
    change(mini / "sales.sql", "qty as quantity,", "qty quantity,")
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "sales.csv: taken before; 1 of its rows were not. They are taken up when this command runs after" in said
    assert "`dealermart quarantine list --file sales.csv` shows why" in said
    change(mini / "sales.sql", "qty quantity,", "qty quantity -- half a change")
    assert main(command) == 0
    said = capsys.readouterr()
    assert "rows of mini stay in quarantine: " in said.out + said.err
    assert "sales.sql" in said.out + said.err
