"""Roles of PostgreSQL, and which rows managers and members see: those of whom they are in charge, at the row's date.

Who somebody is follows from the login alone (``session_user``), which a session cannot change, and the hierarchy from
the master data. Readers reach the tables of both only through row rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import psycopg
from psycopg import sql

from dealermart.config import Login
from dealermart.publish.marts import AUDIENCES, BY_ROWS, Mart
from dealermart.publish.meta import add_policy

ROLES = {audience: f"dealermart_{audience}" for audience in AUDIENCES}
_SHARED = ("bi", "hr")  # one login for all of them; managers and members have their own
# No more than so many levels of managers: a circle in the master data ends somewhere.
_LEVELS = 20

_ACCESS = """
create schema if not exists access;
create table if not exists access.login (login text primary key, member_id text not null, sees text not null);
create table if not exists access.scope (
    viewer_id text not null, subject_type text not null, subject_id text not null,
    valid_from date not null, valid_to date not null, is_own boolean not null
);
alter table access.scope alter column subject_id set statistics 0, alter column viewer_id set statistics 0;
create index if not exists scope_subject on access.scope (viewer_id, subject_id, subject_type, valid_from);
comment on schema access is 'Who is who, and who is in charge of whom: each login finds its own rows here';
comment on table access.login is 'Logins of managers and members. Grain: one row per login';
comment on table access.scope is
    'Whom and what a manager or member is in charge of, and when. Grain: one row per viewer, subject and window';
"""


def make_roles(con: psycopg.Connection, logins: tuple[Login, ...]) -> list[str]:
    """See that all roles exist and may do nothing but log in; returns those that were made.

    Raises:
        psycopg.Error: this login may not make roles or change the database.
    """
    known = {row[0] for row in con.execute("select rolname from pg_roles").fetchall()}
    wanted = {role: ("login" if audience in _SHARED else "nologin") for audience, role in ROLES.items()}
    made = []
    for role, kind in wanted.items():
        if role not in known:
            con.execute(sql.SQL("create role {} {} noinherit").format(sql.Identifier(role), sql.SQL(kind)))
            made.append(role)
    of_group = {"team": ROLES["manager"], "own": ROLES["member"]}
    for login in logins:
        if login.login not in known:
            con.execute(sql.SQL("create role {} login").format(sql.Identifier(login.login)))
            made.append(login.login)
        for sees, group in of_group.items():
            change = "grant {} to {}" if sees == login.sees else "revoke {} from {}"
            con.execute(sql.SQL(change).format(sql.Identifier(group), sql.Identifier(login.login)))
    _drop_memberships(con, {login.login for login in logins})
    database = sql.Identifier(con.info.dbname)
    con.execute(sql.SQL("revoke all on database {} from public").format(database))
    con.execute("revoke all on schema public from public")
    if con.execute("select from pg_language where lanname = 'plpgsql' and pg_has_role(lanowner, 'usage')").fetchall():
        con.execute("revoke usage on language plpgsql from public")  # only who owns it can
    for role in ROLES.values():
        con.execute(sql.SQL("grant connect on database {} to {}").format(database, sql.Identifier(role)))
    _find_own_schema(con, database, logins)
    con.execute(_ACCESS)
    for role in (ROLES[audience] for audience in BY_ROWS):
        con.execute(f"grant usage on schema access to {role}")
        add_policy(con, "access.login", role, "login = session_user")
        add_policy(con, "access.scope", role, "viewer_id = (select member_id from access.login)")
    return made


def _find_own_schema(con: psycopg.Connection, database: sql.Identifier, logins: Iterable[Login]) -> None:
    """Let tables be named without their schema."""
    schemas = {ROLES["bi"]: "bi", ROLES["hr"]: "hr"}
    schemas |= {login.login: {"team": "manager", "own": "member"}[login.sees] for login in logins}
    for role, schema in schemas.items():
        change = sql.SQL("alter role {} in database {} set search_path = {}, meta")
        con.execute(change.format(sql.Identifier(role), database, sql.Identifier(schema)))


def _drop_memberships(con: psycopg.Connection, wanted: set[str]) -> None:
    """Take the rights of managers and members from logins that are none any more."""
    for group in (ROLES[audience] for audience in BY_ROWS):
        found = con.execute(
            "select member.rolname from pg_auth_members join pg_roles as member on member.oid = pg_auth_members.member "
            "where roleid = (select oid from pg_roles where rolname = %s) and member.rolname <> current_user",
            [group],
        ).fetchall()
        for (name,) in found:
            if name not in wanted:
                con.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(group), sql.Identifier(name)))


def write_access(con: psycopg.Connection, warehouse: duckdb.DuckDBPyConnection, logins: tuple[Login, ...]) -> None:
    """Who is who, and who is in charge of whom, as the master data say; inside the transaction of the swap."""
    con.execute("delete from access.login")
    con.execute("delete from access.scope")
    if not logins:
        return
    with con.cursor() as cursor:
        with cursor.copy("copy access.login (login, member_id, sees) from stdin") as copy:
            for login in logins:
                copy.write_row((login.login, login.member, login.sees))
        columns = "viewer_id, subject_type, subject_id, valid_from, valid_to, is_own"
        with cursor.copy(f"copy access.scope ({columns}) from stdin") as copy:
            for row in scope(warehouse, sorted({login.member for login in logins})):
                copy.write_row(row)


def scope(warehouse: duckdb.DuckDBPyConnection, viewers: list[str]) -> list[tuple[object, ...]]:
    """Whom and what each viewer is in charge of: viewer, type and id of the subject, window, whether it is the own one.

    Oneself always; the members below oneself in the hierarchy while they are; the dealers that these or oneself look
    after; the teams of which one of these is the manager. Of who left, the last manager stays in charge of the rows.

    Args:
        warehouse: Has the warehouse attached as ``warehouse``.
    """
    return warehouse.execute(
        f"""
        with recursive
        member as (
            select member_id, manager_id, role, team, valid_from,
                case when row_number() over (partition by member_id order by valid_from desc) = 1 then date '9999-12-31'
                    else valid_to end as valid_to
            from warehouse.marts.dim_member
        ),
        chain as (
            select unnest($1::varchar[]) as viewer_id, unnest($1::varchar[]) as member_id,
                date '0001-01-01' as valid_from, date '9999-12-31' as valid_to, 0 as level
            union
            select chain.viewer_id, member.member_id, greatest(chain.valid_from, member.valid_from),
                least(chain.valid_to, member.valid_to), chain.level + 1
            from chain inner join member on chain.member_id = member.manager_id
            where greatest(chain.valid_from, member.valid_from) < least(chain.valid_to, member.valid_to)
                and chain.level < {_LEVELS} and member.member_id <> chain.viewer_id
        )
        select distinct viewer_id, 'member', member_id, valid_from, valid_to, level = 0 from chain
        union
        select chain.viewer_id, 'dealer', care.dealer_id, greatest(chain.valid_from, care.valid_from),
            least(chain.valid_to, care.valid_to), chain.level = 0
        from chain inner join warehouse.marts.bridge_assignment as care on chain.member_id = care.member_id
        where greatest(chain.valid_from, care.valid_from) < least(chain.valid_to, care.valid_to)
        union
        select chain.viewer_id, 'team', member.team, greatest(chain.valid_from, member.valid_from),
            least(chain.valid_to, member.valid_to), false
        from chain inner join member on chain.member_id = member.member_id
        where member.role = 'manager' and member.team is not null
            and greatest(chain.valid_from, member.valid_from) < least(chain.valid_to, member.valid_to)
        order by all
        """,
        [viewers],
    ).fetchall()


def policy(mart: Mart, audience: str, as_of: str, schema: str) -> str | None:
    """The condition on rows of a mart's table (alias-free) for managers or members; None: all rows.

    Args:
        as_of: Day that counts where rows have no date.
        schema: Where the tables of managers and members are now.
    """
    rows = mart.rows
    assert rows is not None
    if rows.kind == "all":
        return None
    table = sql.Identifier(mart.name).as_string()
    if rows.kind == "through":  # who asks finds there the rows alone that its own rule shows
        column = sql.Identifier(rows.column).as_string()
        other = f"{schema}.{sql.Identifier(rows.through).as_string()}"
        return f"exists (select from {other} as other where other.{column} = {table}.{column})"
    kind = f"{table}.{sql.Identifier(rows.type).as_string()}" if rows.kind == "subject" else f"'{rows.kind}'"
    if rows.date is None:
        when = f"date '{as_of}' >= scope.valid_from and date '{as_of}' < scope.valid_to"
    else:
        day = f"{table}.{sql.Identifier(rows.date).as_string()}"
        after, until = (">", "<=") if rows.is_end else (">=", "<")
        when = f"{day} {after} scope.valid_from and {day} {until} scope.valid_to"
    own = " and scope.is_own" if audience == "member" else ""
    return (
        "exists (select from access.scope where scope.viewer_id = (select login.member_id from access.login) "
        f"and scope.subject_type = {kind} and scope.subject_id = {table}.{sql.Identifier(rows.column).as_string()} "
        f"and {when}{own})"
    )
