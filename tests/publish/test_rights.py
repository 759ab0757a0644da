"""Who may see what in PostgreSQL: each role logs in by its password and tries what it must not see."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.publish import shop
from tests.publish.conftest import Database

from dealermart import publish
from dealermart.base import Settings

LOGINS = """\
logins:
  - {login: north, member: M1, sees: team}
  - {login: south, member: M3, sees: team}
  - {login: nine, member: M9, sees: team}
  - {login: two, member: M2, sees: own}
"""
ROLES = ("dealermart_bi", "dealermart_hr", "north", "south", "nine", "two")


@pytest.fixture(scope="module")
def shown(server: publish.Server, company: Settings, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The company of ``shop``, published once."""
    root = tmp_path_factory.mktemp("rights")
    database = Database(server, "rights")
    with psycopg.connect(server.url(), autocommit=True) as con:
        con.execute("create database rights")
    settings = replace(company, home=root / "home", config=with_logins(company.config, root), postgres=database.url)
    shop.build(settings)
    publish.run(settings)
    return database


def with_logins(config: Path, root: Path) -> Path:
    folder = root / "config"
    shutil.copytree(config, folder)
    file = folder / "company.yml"
    file.write_text(file.read_text("utf-8") + "logins: logins.yml\n", "utf-8")
    (folder / "logins.yml").write_text(LOGINS, "utf-8")
    return folder


@pytest.fixture(scope="module")
def as_role(shown: Database) -> Iterator[dict[str, psycopg.Connection]]:
    connections = {role: shown.login(role) for role in ROLES}
    yield connections
    for con in connections.values():
        con.close()


def rows(con: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_a_wrong_password_or_none_does_not_get_in(shown: Database) -> None:
    for role in ROLES:
        right = shown.password(role)
        for wrong in (f"{right}x", "", role):
            with pytest.raises(psycopg.OperationalError, match="password"):
                shown.login(role, wrong or " ")
    # On the socket it is no other, and groups of people are no logins.
    for role in ("dealermart_manager", "dealermart_member"):
        with pytest.raises(psycopg.OperationalError):
            shown.login(role, "right")


def test_bi_sees_its_schema_and_hr_everything(as_role: dict[str, psycopg.Connection]) -> None:
    bi, hr = as_role["dealermart_bi"], as_role["dealermart_hr"]
    names = "select table_name from information_schema.tables where table_schema = '{}' order by 1"
    assert [row[0] for row in rows(bi, names.format("bi"))] == [
        "bridge_assignment", "dim_dealer", "dim_member", "dim_period", "dim_subject", "mart_kpi__subject_period"
    ]  # fmt: skip
    assert rows(
        bi,
        "select count(*) from information_schema.columns where table_schema in ('hr', 'manager', 'member', 'access')",
    ) == [(0,)]
    assert {row[0] for row in rows(hr, names.format("hr"))} == {
        "bridge_assignment", "dim_dealer", "dim_member", "dim_period", "dim_subject", "mart_kpi__subject_period",
        "mart_review__rating", "fct_team_pulse",
    }  # fmt: skip
    assert rows(hr, "select sum(base_pay_amount) from hr.dim_member") == [(19109,)]
    for role, count in (("dealermart_bi", 6), ("dealermart_hr", 6), ("north", 2), ("two", 2)):
        assert rows(as_role[role], "select count(*) from dim_member") == [(count,)], "found without its schema"
    assert rows(hr, "select count(*) from hr.dim_dealer") == [(2,)], "a view on what BI sees just so"


def test_a_manager_sees_the_team_as_it_was_and_a_member_the_own_rows(as_role: dict[str, psycopg.Connection]) -> None:
    ratings = "select member_id, period_id from manager.mart_review__rating order by 1, 2"
    assert rows(as_role["north"], ratings) == [("M1", "2026-Q1"), ("M2", "2026-Q1")], "M2 was in South from April on"
    # Who left stays with the last manager.
    assert rows(as_role["south"], ratings) == [("M2", "2026-Q2"), ("M4", "2026-Q1"), ("M4", "2026-Q2")]
    assert len(rows(as_role["nine"], ratings)) == 5, "all are below M9, over two levels"
    assert rows(as_role["two"], "select member_id, period_id, rating from member.mart_review__rating order by 2") == [
        ("M2", "2026-Q1", "good"), ("M2", "2026-Q2", "fair")
    ]  # fmt: skip
    kpis = "select subject_type, subject_id, period_id from {}.mart_kpi__subject_period where kpi_code = 'net_revenue' order by 1, 2, 3"
    assert rows(as_role["north"], kpis.format("manager")) == [
        ("dealer", "D1", "2026-Q1"), ("member", "M1", "2026-Q1"), ("member", "M2", "2026-Q1"), ("team", "North", "2026-Q1")
    ]  # fmt: skip
    assert rows(as_role["south"], kpis.format("manager")) == [
        ("dealer", "D2", "2026-Q1"), ("member", "M2", "2026-Q2"), ("member", "M4", "2026-Q1"), ("team", "South", "2026-Q1")
    ]  # fmt: skip
    assert rows(as_role["two"], kpis.format("member")) == [
        ("dealer", "D1", "2026-Q1"), ("member", "M2", "2026-Q1"), ("member", "M2", "2026-Q2")
    ]  # fmt: skip
    assert rows(as_role["two"], "select count(*) from member.dim_period") == [(5,)]


DENIED = "42501"  # insufficient_privilege: a statement that is misspelt, or asks for what is not there, has another
# What is refused for another reason.
OTHERWISE = {
    ("dealermart_bi", "select base_pay_amount from bi.dim_member"): "42703",  # the column is not in the table
}
# What nobody but HR may do, whatever it is called: every statement is refused.
REFUSED = [
    "select * from hr.mart_review__rating",
    "select count(*) from hr.mart_review__rating",
    "select 1 from hr.dim_member limit 0",
    "table hr.fct_team_pulse",
    "select exists (select from hr.fct_team_pulse)",
    "select base_pay_amount from bi.dim_member",
    "select p.score from meta.publication left join hr.fct_team_pulse as p on true",
    "explain select * from hr.mart_review__rating",
    "explain analyze select * from hr.mart_review__rating",
    "explain (analyze, costs off) select count(*) from hr.dim_member where base_pay_amount > 5000",
    "copy hr.mart_review__rating to stdout",
    "copy (select * from hr.mart_review__rating) to stdout",
    "copy (select 1) to '/dev/null'",
    "copy (select 1) to program 'true'",
    "declare c cursor with hold for select * from hr.mart_review__rating",
    "prepare p as select * from hr.mart_review__rating",
    "create temp table mine as select * from hr.mart_review__rating",
    "create temp table mine (a int)",
    "create temp view mine as select 1",
    "create table public.mine (a int)",
    "create table bi.mine (a int)",
    "create table manager.mine (a int)",
    "create schema mine",
    "create view meta.mine as select 1",
    "create function pg_temp.leak(text) returns boolean language sql cost 0.0001 as 'select true'",
    "create function public.leak(text) returns boolean language sql as 'select true'",
    "create operator public.<<< (procedure = texteq, leftarg = text, rightarg = text)",
    "create sequence public.mine",
    "do $$ begin raise notice '%', (select count(*) from hr.mart_review__rating); end $$",
    "do $$ begin end $$",
    "set role dealermart_hr",
    "set role dealermart_owner",
    "set session authorization dealermart_hr",
    "select set_config('role', 'dealermart_hr', false)",
    "select set_config('session_authorization', 'dealermart_hr', false)",
    "grant dealermart_hr to session_user",
    "alter role dealermart_hr password 'x'",
    "alter role session_user superuser",
    "alter table hr.dim_member owner to session_user",
    "drop schema bi cascade",
    "select * from pg_statistic",
    "select * from pg_statistic_ext_data",
    "select * from pg_authid",
    "select rolpassword from pg_authid",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "select pg_stat_reset()",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'dealermart_owner' union all select pg_reload_conf()",
    "insert into bi.dim_period (period_id) values ('x')",
    "update bi.dim_member set member_name = 'x'",
    "delete from bi.dim_member",
    "truncate bi.dim_member",
    "lock table bi.dim_member in access exclusive mode",
    "insert into access.login values (session_user, 'M9', 'team')",
    "update access.login set member_id = 'M9'",
    "insert into access.scope values ('M2', 'member', 'M1', '2000-01-01', '9999-12-31', true)",
    "update meta.publication set is_current = false",
    "comment on table bi.dim_member is 'x'",
    "create policy mine on manager.mart_review__rating using (true)",
    "alter table manager.mart_review__rating disable row level security",
    "create statistics mine on member_id, rating from manager.mart_review__rating",
    "analyze (verbose) hr.mart_review__rating",
    "select pg_get_expr(stxexprs, stxrelid) from pg_statistic_ext_data, pg_statistic_ext",
]  # fmt: skip


@pytest.mark.parametrize("role", ["dealermart_bi", "north", "two"])
@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_for_a_role_is_refused(as_role: dict[str, psycopg.Connection], role: str, statement: str) -> None:
    con = as_role[role]
    con.execute("begin")
    try:
        with pytest.raises(psycopg.Error) as refused:
            con.execute(statement)
        assert refused.value.sqlstate == OTHERWISE.get((role, statement), DENIED)
        assert "99" not in str(refused.value) and "5000" not in str(refused.value).replace("> 5000", "")
    finally:
        con.execute("rollback")
        con.execute("reset all")


# HR reads everything and writes nothing.
WRITES = [
    "insert into hr.mart_review__rating (member_id) values ('x')",
    "insert into bi.dim_period (period_id) values ('x')",
    "update hr.dim_member set member_name = 'x'",
    "update bi.bridge_assignment set member_id = 'x'",
    "delete from hr.mart_review__rating",
    "insert into hr.dim_dealer (dealer_id) values ('x')",  # a view
    "delete from hr.dim_dealer",
    "truncate hr.dim_member",
    "merge into hr.dim_member using (select 1) as x on true when matched then delete",
    "copy hr.dim_member from stdin",
    "select * from hr.dim_member for update",
    "lock table hr.dim_member in access exclusive mode",
    "alter table hr.dim_member add column x int",
    "drop table hr.dim_member",
    "drop schema hr cascade",
    "comment on table hr.dim_member is 'x'",
    "create index on hr.dim_member (team)",
    "create rule mine as on insert to hr.dim_member do nothing",
    "create trigger mine before insert on hr.dim_member execute function suppress_redundant_updates_trigger()",
    "create table hr.mine (a int)",
    "create temp table mine (a int)",
    "create view hr.mine as select 1",
    "create schema mine",
    "create function public.mine() returns int language sql as 'select 1'",
    "do $$ begin end $$",
    "copy (select 1) to program 'true'",
    "update access.login set member_id = 'M9'",
    "select * from access.login",
    "update meta.publication set is_current = false",
    "insert into meta.publication default values",
    "select * from manager.mart_review__rating",
    "select * from member.mart_review__rating",
    "set role dealermart_owner",
    "set role dealermart_manager",
    "grant dealermart_hr to dealermart_bi",
    "alter role session_user superuser",
]


@pytest.mark.parametrize("statement", WRITES)
def test_hr_writes_nothing(as_role: dict[str, psycopg.Connection], statement: str) -> None:
    con = as_role["dealermart_hr"]
    con.execute("begin")
    try:
        with pytest.raises(psycopg.Error) as refused:
            con.execute(statement)
        assert refused.value.sqlstate == DENIED
    finally:
        con.execute("rollback")


def test_hr_hands_no_right_on(as_role: dict[str, psycopg.Connection]) -> None:
    """PostgreSQL answers a grant of what one must not grant with a warning."""
    as_role["dealermart_hr"].execute("grant select on hr.dim_member to dealermart_bi")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role["dealermart_bi"].execute("select * from hr.dim_member")


def test_nobody_adds_an_extension(shown: Database, as_role: dict[str, psycopg.Connection]) -> None:
    """One that the server has: of another it says only that it is not there."""
    with shown.owner() as con:
        there = rows(con, "select name from pg_available_extensions where installed_version is null order by 1")
    assert there, "nothing to try"
    for con in as_role.values():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            con.execute(f'create extension "{there[0][0]}"')


def test_the_catalog_tells_every_login_names_and_sizes_and_no_value(as_role: dict[str, psycopg.Connection]) -> None:
    """A stated limit: PostgreSQL's catalog can be read by all. Two rows of pulses and five of ratings are counted."""
    for role in ("dealermart_bi", "north", "two"):
        con = as_role[role]
        pulse = "from pg_class where relname = 'fct_team_pulse'"
        assert rows(con, f"select reltuples, obj_description(oid), pg_relation_size(oid) > 0 {pulse}") == [
            (2, "The mart fct_team_pulse", True)
        ]
        ratings = "select reltuples from pg_class where relname = 'mart_review__rating' and relkind = 'r'"
        assert rows(con, ratings) == [(5,), (5,)], "those of HR and those by rows, whatever rows one sees"
        columns = f"select attname from pg_attribute where attnum > 0 and attrelid = (select oid {pulse}) order by 1"
        assert rows(con, columns) == [("response_id",), ("score",)]
        assert rows(
            con, "select count(*) from pg_stats where tablename in ('fct_team_pulse', 'mart_review__rating')"
        ) == [(0,)]


OTHERS = {
    "dealermart_bi": ("manager.dim_member", "member.dim_member", "access.login", "access.scope"),
    "north": ("bi.dim_member", "member.dim_member"),
    "two": ("bi.dim_member", "hr.dim_member"),
}


@pytest.mark.parametrize(("role", "relation"), [(role, name) for role, names in OTHERS.items() for name in names])
def test_no_audience_enters_the_schema_of_another(
    as_role: dict[str, psycopg.Connection], role: str, relation: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role[role].execute(f"select count(*) from {relation}")


def test_a_member_reads_no_column_of_the_manager_and_no_system_column(as_role: dict[str, psycopg.Connection]) -> None:
    for what in ("total_score", "*", "ctid", "xmin", "(r).total_score", "r"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role["two"].execute(f"select {what} from manager.mart_review__rating as r")
    assert rows(as_role["two"], "select count(*) from manager.mart_review__rating") == [(2,)], "the own rows alone"


# What a session can change does not change who it is.
@pytest.mark.parametrize(
    "setting",
    [
        "set access.login = 'nine'", "set dealermart.member = 'M9'", "set application_name = 'nine'", "set search_path = hr, access",
        "set role dealermart_manager", "set role none", "set row_security = on", "set session_replication_role = default",
        "set transaction_isolation = 'serializable'",
    ],
)  # fmt: skip
def test_no_setting_of_a_session_shows_more_rows(as_role: dict[str, psycopg.Connection], setting: str) -> None:
    con = as_role["north"]
    with suppress(psycopg.Error):
        con.execute(setting)
    assert rows(con, "select count(*) from manager.mart_review__rating") == [(2,)]
    con.execute("reset all")
    con.execute("reset role")


def test_row_rules_cannot_be_turned_off(as_role: dict[str, psycopg.Connection]) -> None:
    con = as_role["north"]
    con.execute("set row_security = off")
    with pytest.raises(psycopg.Error, match="row-level security"):
        con.execute("select count(*) from manager.mart_review__rating")
    con.execute("reset all")


@pytest.mark.parametrize(
    "condition",
    [
        "1 / (case when total_score = 99 then 0 else 1 end) = 1",
        "1 / (case when member_id = 'M4' then 0 else 1 end) = 1",
        "cast(case when member_id = 'M4' then 'x' || member_id else '1' end as integer) = 1",
        "pg_sleep(case when member_id = 'M4' then 1000 else 0 end) is not null",
        "sqrt(case when total_score > 90 then -1 else 1 end) = 1",
        "(member_id || rating) ~ (case when member_id = 'M4' then '[' else '.' end)",
    ],
)
def test_a_condition_that_fails_on_hidden_rows_does_not_tell_of_them(
    as_role: dict[str, psycopg.Connection], condition: str
) -> None:
    con = as_role["north"]
    con.execute("set statement_timeout = '20s'")
    found = rows(con, f"select count(*) from manager.mart_review__rating where {condition}")
    assert found[0][0] <= 2
    con.execute("reset all")


def test_the_planner_tells_nothing_of_hidden_rows(as_role: dict[str, psycopg.Connection]) -> None:
    """Its estimates for a person whom the login must not see are those for a person who does not exist."""
    con = as_role["north"]
    for column, there, not_there in (
        ("member_id", "M4", "M0"),
        ("rating", "best", "none"),
        ("total_score", "99", "97"),
    ):
        plans = [
            rows(con, f"explain select * from manager.mart_review__rating where {column} = '{value}'")
            for value in (there, not_there)
        ]
        assert str(plans[0]).replace(there, "?") == str(plans[1]).replace(not_there, "?")
    for view in ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"):
        assert rows(con, f"select count(*) from {view} where schemaname in ('manager', 'hr', 'bi', 'access')") == [(0,)]
    assert rows(
        as_role["dealermart_bi"],
        "select count(*) from pg_stats where schemaname in ('hr', 'manager', 'member', 'access')",
    ) == [(0,)]


def test_other_sessions_and_tables_are_not_seen_at_work(
    shown: Database, as_role: dict[str, psycopg.Connection]
) -> None:
    with shown.owner() as owner:
        owner.execute("select 'the pay of M4'")
        for role in ("dealermart_bi", "north", "two"):
            assert rows(
                as_role[role],
                "select count(*) from pg_stat_activity where query like '%the pay of M4%' and pid <> pg_backend_pid()",
            ) == [(0,)]


def test_everything_that_could_run_with_the_rights_of_its_owner_is_absent(shown: Database) -> None:
    with shown.owner() as con:
        ours = "nspname not like 'pg\\_%' and nspname <> 'information_schema'"
        assert rows(
            con, f"select count(*) from pg_proc join pg_namespace on pg_namespace.oid = pronamespace where {ours}"
        ) == [(0,)]
        views = rows(
            con,
            f"select relname, reloptions from pg_class join pg_namespace on pg_namespace.oid = relnamespace where relkind in ('v', 'm') and {ours}",
        )
        assert views and all(options == ["security_invoker=true"] for _, options in views)
        # Default deny: no table of people without row rules, nothing for everybody.
        open_tables = rows(
            con,
            "select relname from pg_class where relnamespace = 'manager'::regnamespace and relkind = 'r' and not relrowsecurity",
        )
        assert open_tables == []
        assert rows(
            con,
            "select count(*) from information_schema.role_table_grants where grantee = 'PUBLIC' and table_schema in ('bi', 'hr', 'manager', 'member', 'meta', 'access')",
        ) == [(0,)]


def test_each_audience_is_told_of_its_own_publication(as_role: dict[str, psycopg.Connection]) -> None:
    query = "select distinct audience from meta.{} order by 1"
    for table in ("publication", "published_table"):
        assert rows(as_role["dealermart_bi"], query.format(table)) == [("bi",)]
        assert rows(as_role["north"], query.format(table)) == [("manager",)]
        assert rows(as_role["two"], query.format(table)) == [("member",)]
        assert rows(as_role["dealermart_hr"], query.format(table)) == [("bi",), ("hr",), ("manager",), ("member",)]


def test_bi_sees_neither_kpis_of_hr_nor_small_groups(as_role: dict[str, psycopg.Connection]) -> None:
    bi = as_role["dealermart_bi"]
    codes = {
        row[0]
        for row in rows(bi, "select distinct kpi_code from bi.mart_kpi__subject_period where subject_type <> 'team'")
    }
    assert codes == {"net_revenue", "csat_mean"}, "neither moods nor the test scores of a member"
    assert rows(bi, "select subject_id, value, sample_size, status from bi.mart_kpi__subject_period where kpi_code = 'csat_mean' and subject_type = 'team' order by 1") == [
        ("North", None, None, "suppressed"), ("South", None, None, "suppressed"), ("West", Decimal("0.50000000"), 30, "ok")
    ]  # fmt: skip
    assert rows(as_role["dealermart_hr"], "select count(value) from hr.mart_kpi__subject_period") == [(15,)]
