"""A person's values go from everything that is kept, and every total stands."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import io
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from tests.landing.packed import zipped

from dealermart import ingest, lake, upkeep
from dealermart.base import BalanceError, DealermartError, Settings, UsageError, read_runs
from dealermart.config import load_contracts
from dealermart.ingest.partition import IngestResult
from dealermart.lake import recovery
from dealermart.upkeep import Wanted
from dealermart.upkeep.erasure.run import EraseResult, erase

pytestmark = pytest.mark.slow


DAY = dt.date(2026, 3, 2)
NEXT = dt.date(2026, 3, 9)
HEAD = "doc,line,kind,dealer,product,qty,net,cost,day,业务员,业务员电话\n"
SALES = HEAD + (
    "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01,M017,13800138017\n"
    "A1,2,invoice,D1,P2,1,40,30,2026-03-01,M018,13900139018\n"
    "A2,1,invoice,D1,P1,1,50.25,30,not a day,M017,13800138017\n"  # a value that cannot be read: quarantined
    "A3,1,invoice,D1,P1,1,70,30,2026-03-01,M018,找王小伟\n"  # about another, and names the person
)
MEMBERS = "member,since,name,role,team,manager\n" + (
    "M017,2026-01-01,王小伟,sales,East,M001\n"
    "M018,2026-01-01,李娜,sales,East,M017\n"  # managed by the person
    "M001,2026-01-01,赵敏,manager,East,\n"
)
TARGETS = (
    "target,member,first_day,end_day,value\n"
    "member-M017-2026-03,M017,2026-03-01,2026-04-01,900\nmember-M0170-2026-03,M0170,2026-03-01,2026-04-01,800\n"
)
DEALERS = "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"
SECRETS = ("王小伟", "M017", "13800138017")
WANTED = Wanted("M017", also=("13800138017",))

Drop = Callable[..., Path]


def forget(settings: Settings, wanted: Wanted = WANTED, dry_run: bool = False) -> EraseResult:
    return erase(settings, wanted, "Chen, data protection", "request 2026-118", dry_run)


def holders(settings: Settings, texts: tuple[str, ...] = SECRETS) -> list[str]:
    """Every file below the home that holds one of the texts, looked for without the program: as bytes in four
    encodings, in packed files, in Parquet and in DuckDB files. A code inside a longer one is another code."""
    found = []
    words = re.compile("|".join(rf"(?<![0-9A-Za-z]){re.escape(text)}(?![0-9A-Za-z])" for text in texts))
    for path in sorted(one for one in settings.home.rglob("*") if one.is_file() and not one.is_symlink()):
        if any(words.search(said) for said in contents(path)):
            found.append(str(path.relative_to(settings.home)))
    return found


def contents(path: Path) -> list[str]:
    data = path.read_bytes()
    parts = [data]
    if data[:4] == b"PAR1":  # what it holds, and the statistics that it keeps beside
        asked = (f"from read_parquet('{path}')", f"from parquet_metadata('{path}')")
        return [str(duckdb.sql(one).fetchall()) for one in asked]
    if data[:2] == b"\x1f\x8b":
        parts.append(gzip.decompress(data))
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            parts += [archive.read(name) for name in archive.namelist()]
            parts += [gzip.decompress(one) for one in parts if one[:2] == b"\x1f\x8b"]
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute(
                "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
            ).fetchall()
            return [str(con.execute(f'from "{schema}"."{name}"').fetchall()) for schema, name in tables]
    return [part.decode(encoding, "ignore") for part in parts for encoding in ("utf-8", "gb18030", "utf-16-le")]


def rows(settings: Settings, feed: str, columns: str) -> list[tuple[object, ...]]:
    contract = load_contracts(settings)[feed]
    sql = lake.rows_sql(contract, lake.read(settings).paths(settings, feed))
    return duckdb.sql(f"select {columns} from ({sql}) order by _source_file, _row_number").fetchall()


def deliver(settings: Settings, day: dt.date, files: dict[str, bytes]) -> IngestResult:
    """Through the inbox, where files stay after they were taken."""
    inbox = settings.inbox / "mini" / day.isoformat()
    inbox.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (inbox / name).write_bytes(content)
    return ingest.run(settings, "mini", day)


def workbook(lines: str) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(lines.splitlines()):
            sheet.write_row(number, 0, line.split(","))
    return out.getvalue()


@pytest.fixture(scope="module")
def filled(company: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Members and dealers packed, sales plain, files that nobody takes, one that is refused."""
    settings = replace(company, home=tmp_path_factory.mktemp("filled") / "home")
    deliver(settings, DAY, {"masters.zip": zipped({"members.csv": MEMBERS.encode(), "dealers.csv": DEALERS.encode()})})
    deliver(settings, NEXT, {"sales.csv": SALES.encode(), "targets.csv": TARGETS.encode()})
    deliver(
        settings,
        dt.date(2026, 3, 10),
        {
            "notes.txt": "王小伟 was here".encode("gb18030"),
            "notes.xlsx": workbook("who,what\n王小伟,left\n"),
            "other.txt": b"nothing of interest",
            "sales_bad.csv": SALES.replace(",net,", ",").encode(),
        },
    )
    return settings


@pytest.fixture
def settings(settings: Settings, filled: Settings) -> Settings:
    """A copy of it to work on."""
    shutil.copytree(filled.home, settings.home)
    return settings


def test_nothing_that_is_kept_names_the_person_and_every_amount_stands(settings: Settings) -> None:
    amounts = "transaction_id, line_no, net_amount, dealer_id, sale_date, _row_number, _delivery_id, _is_repeat"
    before = rows(settings, "sales", amounts)
    pack = settings.reviews / "2026-Q1" / "members" / "M017" / "review.html"
    pack.parent.mkdir(parents=True)
    pack.write_text("王小伟", "utf-8")
    assert len(holders(settings)) > 8
    result = forget(settings)
    # Own record and report's manager; three sales rows of the person's own or that name him; the refused file is not
    # read again, and goes whole.
    assert result.rows["team_members"] == 2
    assert result.rows["sales"] >= 3
    assert holders(settings) == []
    assert rows(settings, "sales", amounts) == before
    sellers = [seller for (seller,) in rows(settings, "sales", "seller_id")]
    (token,) = {one for one in sellers if one != "M018"}
    targets = rows(settings, "targets", "target_id, subject_id, cast(target_value as int)")
    assert targets == [(f"member-{token}-2026-03", token, 900), ("member-M0170-2026-03", "M0170", 800)]
    assert token is not None
    assert str(token).startswith("erased-")
    # His row has the same code; his report keeps her name, and has the code for a manager.
    members = rows(settings, "team_members", "member_id, member_name, manager_id")
    assert members[1:] == [("M018", "李娜", token), ("M001", "赵敏", None)]
    assert members[0][0] == token
    assert str(members[0][1]).startswith("erased-")
    assert members[0][2] == "M001"
    kept = sorted(one.name for one in settings.landing.rglob("payload"))
    texts = [one.read_bytes() for one in settings.landing.rglob("payload")]
    assert len(kept) == 2
    assert sorted(texts) == sorted([DEALERS.encode(), b"nothing of interest"])


def test_the_hash_of_what_a_row_said_is_not_kept(settings: Settings) -> None:
    """Whoever guesses the values could make it again. Another hash, with a key that is thrown away, stands for it."""
    before = {one for (one,) in rows(settings, "sales", "_row_hash") + rows(settings, "team_members", "_row_hash")}
    forget(settings)
    kept = sorted(settings.landing.rglob("mapped.parquet"))
    assert kept
    for path in kept:
        names = [name for name, *_ in duckdb.sql(f"describe from read_parquet('{path}')").fetchall()]
        assert "_row_hash" not in names
        assert "_erased_hash" in names
        assert not before & {one for (one,) in duckdb.sql(f"select _erased_hash from '{path}'").fetchall()}


def test_a_file_that_nobody_read_goes_also_where_it_is_packed_and_alone(settings: Settings) -> None:
    settings = replace(settings, home=settings.home / "new")
    deliver(settings, DAY, {"members.csv": MEMBERS.encode()})
    notes = {"dealers.csv": DEALERS.encode(), "notes.txt": "13800138017 ".encode("utf-16-le") * 200_000}
    deliver(settings, NEXT, {"masters.zip": zipped(notes)})
    assert forget(settings, Wanted("M999", also=("13800138017",))).rows == {}
    assert holders(settings, ("13800138017",)) == []
    assert holders(settings, ("王小伟",)) != []
    upkeep.rebuild(settings)
    assert len(rows(settings, "dealers", "*")) == 1


def test_who_is_known_from_a_refused_file_alone_is_erased(settings: Settings) -> None:
    """Rows of a file that a rule refuses lie in quarantine; the person of one of them was nobody to a search of the lake."""
    settings = replace(settings, home=settings.home / "new")
    bad = HEAD + "".join(f",,invoice,D1,P1,1,9,5,2026-03-01,{seller},\n" for seller in ("M555", "M018", "M018"))
    [refused] = deliver(settings, DAY, {"dealers.csv": DEALERS.encode(), "sales.csv": bad.encode()}).refused
    assert "more than half" in str(refused.error)
    assert forget(settings, Wanted("M555")).rows == {"sales": 1}
    assert holders(settings, ("M555",)) == []
    with pytest.raises(UsageError, match="nobody of this code"):
        forget(settings, Wanted("M555"))
    assert [run["status"] for run in read_runs(settings) if run["command"] == "erase"] == ["done", "wrong usage"]


def test_a_record_that_could_not_be_read_is_emptied(settings: Settings) -> None:
    settings = replace(settings, home=settings.home / "new")
    members = MEMBERS + "M002,2026-01-01,钱多,sales,East,,too,many\nM003,2026-01-01,孙静,sales,East,,王小伟,x\n"
    deliver(settings, DAY, {"members.csv": members.encode()})
    assert forget(settings, Wanted("M999", also=("孙静",))).rows == {"team_members": 1}
    assert holders(settings, ("孙静",)) == []
    assert "钱多" in str(duckdb.sql(f"from read_parquet('{settings.quarantine}/*/*.parquet')").fetchall())
    upkeep.rebuild(settings)
    assert len(rows(settings, "team_members", "*")) == 3


def test_a_rebuild_afterwards_makes_the_same_again(settings: Settings) -> None:
    forget(settings)
    every = {feed: rows(settings, feed, "*") for feed in ("sales", "team_members", "dealers")}
    held = duckdb.sql(f"from read_parquet('{settings.quarantine}/*/*.parquet') order by all").fetchall()
    assert held
    upkeep.rebuild(settings)
    assert {feed: rows(settings, feed, "*") for feed in every} == every
    assert duckdb.sql(f"from read_parquet('{settings.quarantine}/*/*.parquet') order by all").fetchall() == held
    assert holders(settings) == []


def test_the_log_says_what_and_why_and_not_who(settings: Settings) -> None:
    forget(settings)
    (entry,) = [one for one in lake.read(settings).commits if one["kind"] == "erase"]
    assert (entry["by"], entry["reason"], entry["what"]) == ("Chen, data protection", "request 2026-118", "member")
    assert entry["rows"]["team_members"] == 2
    with pytest.raises(UsageError, match="names the person"):
        erase(settings, Wanted("M018"), "Chen", "Mrs 李娜 asked for it")
    assert lake.read(settings).last == entry["seq"]
    assert not [path for path in settings.runs.glob("*.json") if "asked for it" in path.read_text("utf-8")]


def test_the_same_file_once_more_is_still_a_duplicate_and_is_not_kept(settings: Settings, drop: Drop) -> None:
    forget(settings)
    lines = rows(settings, "sales", "*")
    later = dt.date(2026, 3, 20)
    masters = {"members.csv": MEMBERS.encode(), "dealers2.csv": DEALERS.replace("甲", "乙").encode()}
    files = {"again.csv": SALES.encode(), "sales.csv.gz": gzip.compress(SALES.encode()), "masters.zip": zipped(masters)}
    again = ingest.run(settings, "mini", later, drop(files))
    assert {one.file: one.status for one in again.files} == {
        "again.csv": "duplicate",
        "members.csv": "duplicate",
        "dealers2.csv": "accepted",
        "sales.csv": "duplicate",
    }
    assert rows(settings, "sales", "*") == lines
    assert holders(settings) == []
    upkeep.rebuild(settings)
    assert len(rows(settings, "dealers", "*")) == 2


def test_a_day_whose_file_was_erased_can_be_run_again(settings: Settings, config: Path) -> None:
    profile = config / "sources" / "mini" / "source.yml"
    text = profile.read_text("utf-8").replace('pattern: "members*.csv"', 'pattern: "members*.csv"\n    required: true')
    profile.write_text(text, "utf-8")
    settings = replace(settings, home=settings.home / "new")
    deliver(settings, DAY, {"members.csv": MEMBERS.encode(), "dealers.csv": DEALERS.encode()})
    forget(settings, Wanted("M017"))
    assert not (settings.inbox / "mini" / DAY.isoformat() / "members.csv").exists()
    again = ingest.run(settings, "mini", DAY)
    assert [(one.file, one.status) for one in again.files] == [("dealers.csv", "duplicate")]


@pytest.mark.integration
def test_corrections_after_an_erasure_count_and_a_second_person_can_follow(settings: Settings) -> None:
    forget(settings)
    more = HEAD + "A1,2,invoice,D1,P2,1,45,30,2026-03-01,M018,13900139018\n"
    deliver(settings, dt.date(2026, 3, 12), {"sales_2.csv": more.encode()})
    first = rows(settings, "sales", "seller_id")[0]
    result = forget(settings, Wanted("M018"))
    assert result.rows["team_members"] == 1
    assert holders(settings, (*SECRETS, "M018", "李娜")) == []
    assert rows(settings, "sales", "seller_id")[0] == first  # who was erased before keeps the code
    net = [row[0] for row in rows(settings, "sales", "net_amount")]
    assert sorted(map(float, net)) == [40, 45, 70, 100.5]
    upkeep.rebuild(settings)
    assert [row[0] for row in rows(settings, "sales", "net_amount")] == net


def test_a_dry_run_changes_nothing(settings: Settings) -> None:
    before = {
        path.relative_to(settings.home): path.read_bytes()
        for path in settings.home.rglob("*")
        if path.is_file() and "runs" not in path.parts and path != settings.lock_file
    }
    assert forget(settings, dry_run=True).rows["team_members"] == 2
    after = {
        path.relative_to(settings.home): path.read_bytes()
        for path in settings.home.rglob("*")
        if path.is_file() and "runs" not in path.parts and path != settings.lock_file
    }
    assert after == before


@pytest.mark.parametrize(
    ("wanted", "by", "reason", "words"),
    [
        (Wanted("M999"), "Chen", "request 1", "nobody of this code is known as member"),
        (Wanted("M017", "dealer_employee"), "Chen", "request 1", "nobody of this code is known as dealer employee"),
        (Wanted("M017"), "Chen", " ", "--reason is empty"),
        (Wanted(until=DAY), "Chen", "policy", "no feed has a retention"),
    ],
)
def test_what_cannot_be_erased_is_said_and_changes_nothing(
    settings: Settings, wanted: Wanted, by: str, reason: str, words: str
) -> None:
    seq, held = lake.read(settings).last, holders(settings)
    said: list[str] = []
    with pytest.raises(DealermartError, match=words):
        erase(settings, wanted, by, reason, say=said.append)
    assert said == [], "it is told before anything is repeated"
    assert lake.read(settings).last == seq
    assert holders(settings) == held
    assert not settings.pending.exists()


def test_a_profile_that_maps_otherwise_than_then_stops_it(settings: Settings, config: Path) -> None:
    select = config / "sources" / "mini" / "sales.sql"
    select.write_text(select.read_text("utf-8").replace("net as net_amount", "cost as net_amount"), "utf-8")
    with pytest.raises(BalanceError, match="has nothing to do with a person would change"):
        forget(settings)
    assert "王小伟" in str(rows(settings, "team_members", "*"))


@pytest.mark.parametrize("moment", [0, 1, 2, 4, 7, 10])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_state_whole(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Cut off at each step on the disk after the plan stands; the next command finishes it, or it never was."""

    class Killed(BaseException):
        pass

    steps = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps > moment:
                raise Killed
            return real(*arguments, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(lake, "plan", counted(lake.plan))
        patch.setattr(lake, "commit", counted(lake.commit))
        patch.setattr(recovery, "_remove", counted(recovery._remove))
        with contextlib.suppress(Killed):
            forget(settings)
    erased_now = lake.read(settings).commits[-1]["kind"] == "erase"
    assert erased_now == (moment >= 2)
    again = ingest.run(settings, "mini", NEXT)
    assert not settings.pending.exists()
    assert [one.status for one in again.files] == ([] if erased_now else ["duplicate", "duplicate"])
    assert (holders(settings) == []) == erased_now
    sales = [row[0] for row in rows(settings, "sales", "net_amount")]
    upkeep.rebuild(settings)
    assert [row[0] for row in rows(settings, "sales", "net_amount")] == sales
    assert (holders(settings) == []) == erased_now


def test_an_erased_row_has_another_hash_and_no_other_row_has(settings: Settings) -> None:
    before = dict(rows(settings, "sales", "_row_number, _row_hash"))
    forget(settings)
    after = dict(rows(settings, "sales", "_row_number, _row_hash"))
    assert {number for number in before if before[number] != after[number]} == {2, 5}


def test_repeats_stay_repeats(settings: Settings) -> None:
    settings = replace(settings, home=settings.home / "new")
    line = "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01,M017,\n"
    deliver(settings, DAY, {"sales.csv": (HEAD + line + line).encode()})
    deliver(settings, NEXT, {"sales2.csv": (HEAD + line + line.replace("A1", "A2")).encode()})
    marks = "_source_file, _row_number, _is_repeat"
    before = rows(settings, "sales", marks)
    assert [is_repeat for *_, is_repeat in before] == [False, True, True, False]
    forget(settings, Wanted("M017"))
    assert rows(settings, "sales", marks) == before


def test_rows_of_a_refused_file_lose_the_person_and_nobody_else(settings: Settings) -> None:
    settings = replace(settings, home=settings.home / "new")
    bad = "".join(f"B{number},1,invoice,D1,P1,1,x,1,2026-03-01,M017,13800138017\n" for number in range(3))
    other = "B9,1,invoice,D1,P1,1,x,1,2026-03-01,M018,\n"
    result = deliver(settings, DAY, {"sales.csv": (HEAD + bad + other).encode(), "members.csv": MEMBERS.encode()})
    assert sorted(one.status for one in result.files) == ["accepted", "refused"]
    assert any("quarantine" in one for one in holders(settings, ("M017",)))
    forget(settings)
    assert holders(settings) == []
    assert any("quarantine" in one for one in holders(settings, ("M018",)))
