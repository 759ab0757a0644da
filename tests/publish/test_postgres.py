"""What is in PostgreSQL after a publication, how it is swapped, and what a fault leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pandas
import psycopg
import pytest
import sqlalchemy
from adbc_driver_postgresql import dbapi
from tests.publish import shop
from tests.publish.conftest import Database

from dealermart import publish
from dealermart.base import BuildError, ConfigError, DealermartError, FetchError, Settings, UsageError

MANY = """select 'M' || i, date '2025-01-01', date '9999-12-31', 'name, "quoted"
of two lines ' || i, 'sales', 'North', 'R1', null, i * 1.2345 from range({}) as r(i)"""


@pytest.fixture
def to(settings: Settings, database: Database) -> Settings:
    """The test company, built, with a database of its own."""
    shop.build(settings)
    return replace(settings, postgres=database.url)


def all_of(con: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_tables_have_types_keys_indexes_and_comments(to: Settings, database: Database) -> None:
    publish.run(to)
    with database.owner() as con:
        types = dict(
            all_of(
                con,
                "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'hr.dim_member'::regclass and attnum > 0",
            )
        )
        assert (
            types["valid_from"] == "date"
            and types["base_pay_amount"] == "numeric(18,4)"
            and types["member_id"] == "text"
        )
        keys = all_of(
            con,
            "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid::regclass::text like any (array['bi.%', 'hr.%', 'manager.%']) order by 1",
        )
        assert ("bi.mart_kpi__subject_period", "PRIMARY KEY (subject_type, subject_id, period_id, kpi_code)") in keys
        assert ("manager.mart_review__rating", "PRIMARY KEY (member_id, period_id)") in keys
        assert all_of(
            con, "select count(*) from pg_indexes where schemaname = 'bi' and indexdef like '%(kpi_code, period_id)'"
        ) == [(1,)]
        # Every table, view and column of every audience says what it is.
        bare = """select relnamespace::regnamespace, relname, attname from pg_class join pg_attribute on attrelid = pg_class.oid
            where relnamespace::regnamespace::text in ('bi', 'hr', 'manager', 'member') and relkind in ('r', 'v') and attnum > 0
            and (col_description(attrelid, attnum) is null or obj_description(attrelid, 'pg_class') is null)"""
        assert all_of(con, bare) == []
        assert all_of(con, "select col_description('bi.dim_member'::regclass, 1)") == [("What it is, in varchar",)]
        names = all_of(
            con, "select table_name from information_schema.tables where table_schema = 'manager' order by 1"
        )
        assert "fct_team_pulse" not in str(names) and "int_secret" not in str(names)


def test_rows_are_those_of_the_warehouse_whatever_they_hold(to: Settings, database: Database) -> None:
    odd = """values ('M1', date '2025-01-01', date '9999-12-31', '', 'a,b', 'tab\tand "quotes"', '\\N', null, 1234567890.1234),
        ('M2', date '0001-01-01', null, '\\.', e'line\nbreak\rand return', '中文 😀', 'NULL', 'null', -0.0001),
        ('M3', date '2025-01-01', null, ' ', 'x', '''', '\\\\', '""', null)"""
    shop.build(to, tables={"dim_member": odd})
    publish.run(to)
    with duckdb.connect(str(to.warehouse), read_only=True) as con:
        expected = con.execute("select * from marts.dim_member order by member_id").fetchall()
    # A date that has no end must not keep a row from the key: nothing else is allowed to differ.
    with database.owner() as con:
        assert all_of(con, "select * from hr.dim_member order by member_id") == expected


def test_a_mart_of_which_nothing_is_said_is_not_published_and_the_build_says_so(
    to: Settings, database: Database
) -> None:
    said: list[str] = []
    nodes = shop.nodes()
    del nodes["model.x.dim_dealer"]["config"]["meta"]
    del nodes["model.x.dim_member"]["columns"]["region"]["config"]
    shop.build(to, nodes)
    result = publish.run(to, say=said.append)
    assert {"dim_dealer", "dim_member.region", "int_secret"} == set(result.untold)
    assert any("not published" in line and "dim_dealer" in line for line in said)
    with database.owner() as con:
        assert all_of(con, "select count(*) from pg_class where relname in ('dim_dealer', 'int_secret')") == [(0,)]
        assert all_of(
            con,
            "select count(*) from pg_attribute where attname = 'region' and attrelid::regclass::text like '%dim_member'",
        ) == [(0,)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda nodes: nodes["model.x.dim_member"]["columns"]["base_pay_amount"]["config"]["meta"].update(audience=["bi", "hr"]), "dim_member.base_pay_amount for bi"),
        (lambda nodes: nodes["model.x.mart_review__rating"]["config"]["meta"].pop("rows"), "mart_review__rating for manager and member"),
        (lambda nodes: nodes["model.x.mart_review__rating"]["config"]["meta"].update(rows="all"), "mart_review__rating.member_id for all managers"),
        (lambda nodes: nodes["model.x.mart_review__rating"]["config"]["meta"].update(rows={"through": "dim_period", "by": "period_id"}), "mart_review__rating for managers, who do not see the rows of dim_period, mart_review__rating for members"),
        (lambda nodes: nodes["model.x.mart_review__rating"]["config"]["meta"].update(rows={"through": "dim_subject", "by": "member_id"}), "mart_review__rating for managers, who do not see the rows of dim_subject"),
        (lambda nodes: nodes["model.x.mart_review__rating"]["config"]["meta"].update(rows={"through": "nothing", "by": "member_id"}), "mart_review__rating for managers, who do not see the rows of nothing"),
    ],
)  # fmt: skip
def test_what_an_audience_may_not_see_is_refused_before_anything_is_shown(
    to: Settings, database: Database, change: Callable[[Any], Any], what: str
) -> None:
    publish.run(to)
    before = (to.published / "bi").resolve()
    nodes = shop.nodes()
    change(nodes)
    shop.build(to, nodes)
    with pytest.raises(BuildError, match=what):
        publish.run(to)
    assert (to.published / "bi").resolve() == before
    with database.owner() as con:
        assert all_of(con, "select count(*) from meta.publication where audience = 'bi'") == [(1,)]


def test_members_are_codes_for_bi_where_the_company_says_so(to: Settings, database: Database, tmp_path: Path) -> None:
    with (to.config / "company.yml").open("a") as out:
        out.write("persons_in_bi: hashed\n")
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    with pytest.raises(ConfigError, match="names no key"):
        publish.run(to)
    with pytest.raises(ConfigError, match="read by others"):
        publish.run(replace(to, person_key=key))
    beside = to.home / "key"
    beside.write_bytes(b"k" * 32)
    beside.chmod(0o600)
    with pytest.raises(ConfigError, match="beside what it protects"):
        publish.run(replace(to, person_key=beside))
    key.chmod(0o600)
    publish.run(replace(to, person_key=key))
    with database.owner() as con:
        # HMAC-SHA256 of "M2" under 32 times "k", by another program: printf M2 | openssl dgst -sha256 -hmac kkk...
        code = "p-" + subprocess.run(
            ["openssl", "dgst", "-sha256", "-hmac", "k" * 32], input=b"M2", capture_output=True, check=True
        ).stdout.decode().split()[-1][:20]  # fmt: skip
        assert all_of(
            con,
            "select distinct member_id, member_name from bi.dim_member where team = 'South' and role = 'sales' order by 1",
        ) == sorted(
            [(code, code), *all_of(con, "select member_id, member_id from bi.bridge_assignment where dealer_id = 'D2'")]
        )
        assert all_of(
            con,
            f"select count(*) from bi.mart_kpi__subject_period where subject_id = '{code}' and subject_type = 'member'",
        ) == [(2,)]
        assert all_of(
            con,
            "select count(*) from bi.mart_kpi__subject_period where subject_type = 'dealer' and subject_id in ('D1', 'D2')",
        ) == [(2,)]
        text = str(
            [
                all_of(con, f"select * from bi.{name}")
                for (name,) in all_of(
                    con, "select relname from pg_class where relnamespace = 'bi'::regnamespace and relkind = 'r'"
                )
            ]
        )
        assert "'M" not in text and "Two" not in text, "no id and no name of a member is left"
        assert all_of(con, "select count(*) from hr.dim_member where member_name = 'Two'") == [(2,)]
    served = duckdb.connect(str((to.published / "bi" / publish.FILE).resolve()), read_only=True)
    assert served.execute("select count(*) from dim_member where member_id like 'p-%'").fetchall() == [(6,)]
    served.close()


def test_a_changed_contract_is_a_new_version_and_the_table_of_before_stays_for_one_release(
    to: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = "select contract_version, kept_as from meta.contract where audience = 'bi' and table_name = 'dim_dealer' order by 1"
    publish.run(to)
    publish.run(to)
    with database.owner() as con:
        assert all_of(con, versions) == [(1, None)], "what is published again is no new version"
    nodes = shop.nodes()
    nodes["model.x.dim_dealer"]["columns"]["credit_limit_amount"]["data_type"] = "decimal(28,8)"
    shop.build(to, nodes)
    publish.run(to)
    publish.run(to)
    with database.login("dealermart_bi") as con:
        assert all_of(con, versions) == [(1, "dim_dealer__v1"), (2, None)]
        assert all_of(con, "select dealer_id, credit_limit_amount from bi.dim_dealer__v1 order by 1") == [
            ("D1", Decimal("100.0000")),
            ("D2", Decimal("200.0000")),
        ]
        assert all_of(
            con,
            "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'bi.dim_dealer'::regclass and attname = 'credit_limit_amount'",
        ) == [("numeric(28,8)",)]
        assert all_of(con, "select contract_version from meta.published_table where table_name = 'dim_dealer'") == [
            (2,)
        ]
    monkeypatch.setattr("dealermart.publish.meta.__version__", "99.0.0")
    publish.run(to)
    with database.owner() as con:
        assert all_of(con, "select count(*) from pg_class where relname like '%\\_\\_v1'") == [(0,)]
        assert all_of(con, versions) == [(1, None), (2, None)]


def test_after_an_erasure_no_table_of_before_is_kept(to: Settings, database: Database) -> None:
    publish.run(to)
    nodes = shop.nodes()
    nodes["model.x.dim_dealer"]["columns"]["credit_limit_amount"]["data_type"] = "decimal(28,8)"
    shop.build(to, nodes)
    publish.run(to, keep_previous=False)
    with database.owner() as con:
        assert all_of(con, "select count(*) from pg_class where relname like '%\\_\\_v1'") == [(0,)]
        assert all_of(con, "select count(*) from meta.contract where kept_as is not null") == [(0,)]
    assert len(list((to.published / "versions").iterdir())) == 2, "one folder for each audience"


def test_who_is_taken_out_of_the_logins_loses_the_rights(to: Settings, database: Database) -> None:
    with (to.config / "company.yml").open("a") as out:
        out.write("logins: logins.yml\n")
    logins = to.config / "logins.yml"
    logins.write_text(
        "logins:\n  - {login: leaves, member: M1, sees: team}\n  - {login: changes, member: M3, sees: team}\n"
    )
    publish.run(to)
    with database.login("leaves") as leaves, database.login("changes") as changes:
        ours = "select count(*) from manager.mart_review__rating"
        assert all_of(leaves, ours) == [(2,)] and all_of(changes, ours) == [(3,)]
        logins.write_text("logins:\n  - {login: changes, member: M1, sees: own}\n")
        publish.run(to)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            leaves.execute(ours)
        assert all_of(changes, "select member_id from member.mart_review__rating") == [("M1",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            changes.execute("select total_score from manager.mart_review__rating")
    with pytest.raises(UsageError, match="no reader logs in as nobody") as told:
        publish.give_password(to, "nobody")
    assert "changes" in str(told.value) and "leaves" not in str(told.value)
    with psycopg.connect(publish.give_password(to, "changes")) as con:
        assert all_of(con, "select session_user::text") == [("changes",)]


def test_what_is_behind_a_row_is_seen_by_who_sees_the_row(to: Settings, database: Database) -> None:
    """North has M1, and M2 until April; D2 is looked after by M4, of South. L9 is behind no line: HR's alone."""
    with (to.config / "company.yml").open("a") as out:
        out.write("logins: logins.yml\n")
    (to.config / "logins.yml").write_text(
        "logins:\n  - {login: north, member: M1, sees: team}\n  - {login: south, member: M3, sees: team}\n"
        "  - {login: two, member: M2, sees: own}\n  - {login: nobody, member: M0, sees: own}\n"
    )
    shop.build(to, {**shop.nodes(), **shop.PAY}, shop.PAY_TABLES)
    seen = {
        "north": [("L1", "a", 10), ("L2", "a", 5), ("L2", "b", 15)],
        "south": [("L3", "a", 30), ("L4", "a", 40), ("L5", "a", 50)],
        "two": [("L2", "a", 5), ("L2", "b", 15), ("L3", "a", 30)],
        "nobody": [],
    }
    for _ in range(2):  # the second publication drops the tables of the first
        publish.run(to)
        for login, rows in seen.items():
            with database.login(login) as con:
                ask = "select line_id, source_id, amount from pay_behind_line order by 1, 2"
                assert all_of(con, ask) == rows, login
                for hidden in ("L9", "L4" if login != "south" else "L1"):
                    assert all_of(con, f"select count(*) from pay_behind_line where line_id = '{hidden}'") == [(0,)]
                with pytest.raises(psycopg.errors.UndefinedColumn):  # what is for HR alone is not in the table
                    con.execute("select _delivery_id from manager.pay_behind_line")
    with database.login("dealermart_hr") as con:
        assert all_of(con, "select count(*) from hr.pay_behind_line") == [(7,)]


@pytest.mark.integration
def test_readers_neither_wait_nor_miss_a_table_nor_see_a_half(to: Settings, database: Database) -> None:
    """Busy readers while three publications replace each other: every count is that of one of them, no wait is long."""
    shop.build(to, tables={"dim_member": MANY.format(1000)})
    publish.run(to)
    waits: list[float] = []
    faults: list[object] = []
    stop = threading.Event()

    def read() -> None:
        with database.login("dealermart_bi", "right dealermart_bi") as con:
            while not stop.is_set():
                start = time.monotonic()
                try:
                    counts = all_of(con, "select count(*), (select count(*) from bi.dim_member) from bi.dim_member")
                except psycopg.Error as error:
                    faults.append(error)
                    return
                waits.append(time.monotonic() - start)
                if counts[0][0] not in (1000, 2000):
                    faults.append(counts)

    database.password("dealermart_bi")
    readers = [threading.Thread(target=read) for _ in range(2)]
    # A long look at the old table: what it began on is there to its end, and it holds nobody up.
    slow = database.login("dealermart_bi", "right dealermart_bi")
    slow.execute("begin isolation level repeatable read")
    assert all_of(slow, "select count(*) from bi.dim_member") == [(1000,)]
    for thread in readers:
        thread.start()
    for count in (2000, 1000, 2000):
        shop.build(to, tables={"dim_member": MANY.format(count)})
        publish.run(to)
    stop.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert len(waits) > 20
    # It sees the new rows, as they are frozen, and no table that looks empty.
    assert all_of(slow, "select count(*) from bi.dim_member") == [(2000,)]
    slow.close()
    publish.run(to)
    with database.owner() as con:
        assert all_of(con, "select nspname from pg_namespace where nspname like 'dealermart%'") == [], (
            "nothing is left behind"
        )


def run_apart(settings: Settings, before: str = "") -> subprocess.Popen[str]:
    """A publication in a process of its own, which says `loading` when rows are on their way."""
    code = f"""
import sys
from dataclasses import replace
from pathlib import Path
from dealermart import publish
from dealermart.base import DealermartError, Settings
from dealermart.publish import postgres
copied = postgres.copy_rows
def slow(*arguments):
    found = copied(*arguments)
    print("loading", flush=True)
    {before or "pass"}
    return found
postgres.copy_rows = slow
try:
    publish.run(Settings(home=Path({str(settings.home)!r}), config=Path({str(settings.config)!r}), postgres={settings.postgres!r}, threads=1))
except DealermartError as error:
    print("told:", error, flush=True)
"""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ})


def seen(database: Database) -> tuple[Any, ...]:
    with database.login("dealermart_bi") as con:
        return (
            all_of(con, "select count(*) from bi.dim_member")[0][0],
            all_of(con, "select run_id from meta.publication where is_current")[0][0],
        )


@pytest.mark.integration
def test_a_publication_that_is_killed_leaves_the_old_one_whole_and_the_next_succeeds(
    to: Settings, database: Database
) -> None:
    publish.run(to)
    before = seen(database)
    shop.build(to, tables={"dim_member": MANY.format(500)})
    for tables in (1, 4, 9):
        process = run_apart(to, "import time; time.sleep(0.2)")
        assert process.stdout is not None
        for _ in range(tables):
            assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert seen(database) == before
    publish.run(to)
    assert seen(database)[0] == 500
    with database.owner() as con:
        assert all_of(con, "select nspname from pg_namespace where nspname like 'dealermart%'") == []


def test_a_server_that_goes_away_while_rows_are_loaded_is_told(to: Settings, database: Database) -> None:
    publish.run(to)
    before = seen(database)
    shop.build(to, tables={"dim_member": MANY.format(500)})
    process = run_apart(to, "sys.stdin is None or __import__('time').sleep(3)")
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    database.server.stop()
    database.server.start()
    rest = process.stdout.read()
    assert (
        "told:" in rest
        and "it went away" in rest
        and "readers see what they saw before" in rest
        and "publish again" in rest
    )
    assert seen(database) == before
    publish.run(to)
    assert seen(database)[0] == 500


@pytest.fixture
def small_disk(database: Database) -> Iterator[Path]:
    """A disk of eight megabytes, on which the tables of the database lie."""
    folder = Path(tempfile.mkdtemp(prefix="dealermart-disk-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("only who may mount a small disk can fill it, such as root in CI's container")
    try:
        owner = database.server.data.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(0o700)
        with database.owner() as con:
            con.execute(f"create tablespace small location '{folder}'")
            con.execute(f"alter database {database.name} set default_tablespace = 'small'")
        yield folder
        with psycopg.connect(database.server.url(), autocommit=True) as con:
            con.execute(f"drop database {database.name} with (force)")
            con.execute("drop tablespace small")
            con.execute(f"create database {database.name}")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        folder.rmdir()


def test_a_full_disk_is_told_and_leaves_the_old_publication(to: Settings, database: Database, small_disk: Path) -> None:
    publish.run(to)
    before = seen(database)
    shop.build(to, tables={"dim_member": MANY.format(100_000)})
    with pytest.raises(
        FetchError, match=r"loading \w+.dim_member: its disk is full \(53100\); readers see what they saw before"
    ) as told:
        publish.run(to)
    assert "make room on the server's disk" in str(told.value)
    assert seen(database) == before
    shop.build(to, tables={"dim_member": MANY.format(500)})
    publish.run(to)
    assert seen(database)[0] == 500


def test_a_row_that_a_table_cannot_hold_is_told_without_its_values(to: Settings, database: Database) -> None:
    publish.run(to)
    before = seen(database)
    twice = shop.TABLES["dim_dealer"] + ", ('D1', date '2025-01-01', date '9999-12-31', 'SecretRegion', 1.0)"
    shop.build(to, tables={"dim_dealer": twice})
    with pytest.raises(BuildError, match=r"loading bi.dim_dealer: UniqueViolation \(23505\)") as told:
        publish.run(to)
    assert "D1" not in str(told.value) and "SecretRegion" not in str(told.value)
    assert seen(database) == before
    runs = [json.loads(path.read_text()) for path in sorted(to.runs.glob("*publish*"))]
    assert "D1" not in json.dumps(runs) and runs[-1]["status"] == "failed"
    # Nor does the server's own log quote rows.
    log = database.server.log.read_text()
    assert "starting PostgreSQL" in log and "SecretRegion" not in log and "(D1" not in log


def test_a_fault_in_keys_is_told_before_the_next_mart_is_copied(to: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are made beside; here each mart waits for them, so that what is done can be told from what is not."""
    from dealermart.publish.postgres import Publisher

    loaded: list[str] = []
    load_mart = Publisher._load_mart

    def noted(publisher: Any, mart: Any, schema: str, beside: Any) -> Any:
        keys = load_mart(publisher, mart, schema, beside)
        loaded.append(f"{schema}.{mart.name}")
        wait([key for _, key in keys])
        return keys

    monkeypatch.setattr(Publisher, "_load_mart", noted)
    twice = shop.TABLES["dim_dealer"] + ", ('D1', date '2025-01-01', date '9999-12-31', 'R1', 1.0)"
    shop.build(to, tables={"dim_dealer": twice})
    with pytest.raises(BuildError, match=r"loading bi.dim_dealer: UniqueViolation"):
        publish.run(to)
    assert loaded == ["bi.bridge_assignment", "hr.bridge_assignment", "manager.bridge_assignment", "bi.dim_dealer"]


def test_a_fault_in_keys_that_comes_while_one_looks_is_not_lost() -> None:
    """Keys that are at work when they are asked and have failed a moment later."""
    from dealermart.publish.postgres import Publisher

    class Late(Future[None]):
        def done(self) -> bool:
            was = super().done()
            if not was:
                self.set_exception(BuildError("two rows of one key", where="dim_dealer", mend="keep one"))
            return was

    publisher = object.__new__(Publisher)
    left = publisher._made([("loading bi.dim_dealer", Late())])
    with pytest.raises(BuildError, match="two rows of one key"):
        publisher._made(left)


def test_a_second_connection_that_fails_leaves_none_open(to: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, made = psycopg.connect, []

    def once(*given: Any, **more: Any) -> Any:
        if made:
            raise psycopg.OperationalError("too many clients")
        made.append(connect(*given, **more))
        return made[0]

    with monkeypatch.context() as patch:
        patch.setattr(psycopg, "connect", once)
        with pytest.raises(FetchError, match="connecting"):
            publish.run(to)
    assert [con.closed for con in made] == [True]


def test_a_login_that_may_not_make_roles_is_told_what_it_needs(to: Settings, database: Database) -> None:
    with database.owner() as con:
        con.execute("drop role if exists small")
        con.execute("create role small login password 'small'")
    url = database.url.replace(database.url.split("//")[1].split("@")[0], "small:small")
    with pytest.raises(DealermartError, match="this login may not do that") as told:
        publish.run(replace(to, postgres=url))
    assert "createrole" in str(told.value) and "small:small" not in str(told.value)


def test_an_owner_who_is_no_superuser_publishes_all_the_same(to: Settings, database: Database) -> None:
    publish.run(to)  # the roles are there
    with database.owner() as con:
        con.execute("drop database if exists kept")
        con.execute("drop role if exists keeper")
        con.execute("create role keeper login createrole password 'keeper'")
        con.execute("create database kept owner keeper")
        for role in publish.ROLES.values():
            con.execute(f"grant {role} to keeper with admin option, inherit false, set false")
    kept = Database(database.server, "kept")
    address = f"postgresql://keeper:keeper@{database.url.split('@')[1].replace(database.name, 'kept')}"
    publish.run(replace(to, postgres=address))
    publish.run(replace(to, postgres=address))
    with kept.login("dealermart_bi") as con:
        assert all_of(con, "select count(*) from bi.dim_dealer") == [(2,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            con.execute("select count(*) from hr.dim_member")
    with database.owner() as con:
        con.execute("drop database kept with (force)")
        con.execute("drop role keeper")


def test_a_server_that_is_not_there_is_told_without_the_password(to: Settings) -> None:
    with pytest.raises(FetchError, match="connecting: it went away, or does not let us in") as told:
        publish.run(replace(to, postgres="postgresql://who:hidden@127.0.0.1:1/none"))
    assert "hidden" not in str(told.value) and "hidden" not in repr(to)


def test_a_second_publisher_does_not_come_between(to: Settings, database: Database) -> None:
    with database.owner() as con:
        con.execute("select pg_advisory_lock(4417002026)")
        with pytest.raises(FetchError, match="another process publishes"):
            publish.run(to)


def test_freshness_and_checks_are_told_with_the_publication(to: Settings, database: Database) -> None:
    result = publish.run(to)
    with database.login("dealermart_bi") as con:
        told = all_of(
            con,
            "select run_id, as_of::text, period_end::text, table_count, row_count, is_current from meta.publication",
        )
        assert told == [
            (result.run_id, "2026-06-08 06:00:00", "2026-07-01", 6, sum(result.postgres["bi"].values()), True)
        ]
        assert all_of(con, "select row_count from meta.published_table where table_name = 'dim_dealer'") == [(2,)]
        assert all_of(con, "select key_columns from meta.published_table where table_name = 'dim_dealer'") == [
            ("dealer_id, valid_from",)
        ]


# ---- tools that connect: each reads a table by its own way -----------------------------------------------------------


def test_sqlalchemy_reads_and_reflects(to: Settings, database: Database) -> None:
    publish.run(to)
    address = database.url.replace("postgresql://", "postgresql+psycopg://").split("@")[1]
    engine = sqlalchemy.create_engine(
        f"postgresql+psycopg://dealermart_bi:{database.password('dealermart_bi').replace(' ', '%20')}@{address}"
    )
    found = sqlalchemy.inspect(engine)
    assert "dim_dealer" in found.get_table_names(schema="bi")
    assert found.get_pk_constraint("dim_dealer", schema="bi")["constrained_columns"] == ["dealer_id", "valid_from"]
    assert found.get_table_comment("dim_dealer", schema="bi") == {"text": "The mart dim_dealer"}
    with engine.connect() as con:
        assert con.execute(sqlalchemy.text("select count(*) from bi.dim_dealer")).scalar() == 2
    frame = pandas.read_sql("select dealer_id, credit_limit_amount from bi.dim_dealer order by 1", engine)
    assert frame["dealer_id"].tolist() == ["D1", "D2"] and [float(value) for value in frame["credit_limit_amount"]] == [
        100.0,
        200.0,
    ]
    engine.dispose()


def test_adbc_reads_arrow(to: Settings, database: Database) -> None:
    publish.run(to)
    with dbapi.connect(address(database, "dealermart_bi")) as con, con.cursor() as cursor:
        cursor.execute("select dealer_id, credit_limit_amount, valid_from from bi.dim_dealer order by 1")
        found = cursor.fetch_arrow_table()
        assert found.column("dealer_id").to_pylist() == ["D1", "D2"]
        assert [Decimal(value) for value in found.column("credit_limit_amount").to_pylist()] == [100, 200], "as text"
        assert str(found.schema.field("valid_from").type) == "date32[day]"
        with pytest.raises(dbapi.Error, match="permission denied"):
            cursor.execute("select * from hr.dim_dealer")
    with pytest.raises(dbapi.Error, match="password authentication failed"):
        dbapi.connect(address(database, "dealermart_bi", "wrong"))


def test_duckdb_and_pandas_read_the_served_files(to: Settings) -> None:
    publish.run(to)
    folder = to.published / "bi"
    frame = pandas.read_parquet(folder / "parquet" / "dim_dealer.parquet")
    assert frame["dealer_id"].tolist() == ["D1", "D2"]
    con = duckdb.connect(str(folder / publish.FILE), read_only=True)
    assert con.execute("select sum(credit_limit_amount) from dim_dealer").fetchall() == [(Decimal("300.0000"),)]
    con.close()


READ = "select dealer_id, credit_limit_amount from bi.dim_dealer order by 1"


@pytest.mark.office
def test_jdbc_reads_and_is_kept_out(to: Settings, database: Database) -> None:
    publish.run(to)
    right = database.password("dealermart_bi")
    asked = [
        (right, READ),
        (right, "select * from hr.dim_dealer"),
        (right, "delete from bi.dim_dealer"),
        ("wrong", READ),
    ]
    program = ["java", "-cp", "/usr/share/java/postgresql.jar", str(Path(__file__).with_name("Query.java"))]
    told = subprocess.run(
        [*program, f"jdbc:{address(database, None)}", "dealermart_bi", *(word for pair in asked for word in pair)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    rows = ["dealer_id|credit_limit_amount", "D1|100.0000", "D2|200.0000"]
    no_right, no_login = "SQLSTATE 42501", "SQLSTATE 28P01"
    assert told.stdout.splitlines() == [*rows, no_right, no_right, no_login]


@pytest.mark.office
def test_odbc_reads_and_is_kept_out(to: Settings, database: Database) -> None:
    publish.run(to)
    port = address(database, None).rsplit(":", 1)[1].split("/")[0]

    def ask(statement: str, secret: str | None = None) -> subprocess.CompletedProcess[str]:
        told = {
            "Driver": "{PostgreSQL Unicode}", "Server": "127.0.0.1", "Port": port, "Database": database.name,
            "Uid": "dealermart_bi", "Pwd": secret or database.password("dealermart_bi"),
        }  # fmt: skip
        given = ";".join(f"{name}={value}" for name, value in told.items())
        return subprocess.run(
            ["isql", "-v", "-b", "-d|", "-k", given], input=f"{statement}\n", capture_output=True, text=True, timeout=60
        )

    assert ask(READ).stdout.splitlines() == ["D1|100.0000", "D2|200.0000"]
    for forbidden in ("select * from hr.dim_dealer", "delete from bi.dim_dealer"):
        refused = ask(forbidden)
        assert "permission denied" in refused.stdout + refused.stderr
    wrong = ask(READ, "wrong")
    assert wrong.returncode and "password authentication failed" in wrong.stdout + wrong.stderr


def address(database: Database, role: str | None, password: str | None = None) -> str:
    """The address of a database, with a login unless ``role`` is None."""
    place = database.url.split("@")[1]
    if role is None:
        return f"postgresql://{place}"
    return f"postgresql://{role}:{quote(password or database.password(role))}@{place}"
