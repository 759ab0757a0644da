"""What readers can learn of a publication: the schema ``meta`` of PostgreSQL and of the served files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from dealermart import __version__
from dealermart.publish.marts import AUDIENCES

_ROLES = {audience: f"dealermart_{audience}" for audience in AUDIENCES}

META = """
create schema if not exists meta;
create table if not exists meta.publication (
    audience text not null, run_id text not null, as_of timestamp not null, period_end date not null,
    published_at timestamp not null, code_version text not null,
    table_count integer not null, row_count bigint not null,
    checks_passed integer, checks_noted integer, is_current boolean not null, primary key (audience, run_id)
);
create table if not exists meta.published_table (
    audience text not null, table_name text not null, row_count bigint not null, contract_version integer not null,
    contract_hash text not null, key_columns text, description text, primary key (audience, table_name)
);
create table if not exists meta.contract (
    audience text not null, table_name text not null, contract_version integer not null, contract_hash text not null,
    columns text not null, since_run text not null, since timestamp not null, replaced_release text, kept_as text,
    primary key (audience, table_name, contract_version)
);
create table if not exists meta.feed_freshness (
    feed text primary key, last_received date not null, last_ingested_at timestamp not null, last_event date,
    days_before_as_of integer not null
);
comment on schema meta is 'What was published, when, of which state, by which contract';
comment on table meta.publication is 'Publications of each audience. Grain: one row per audience and run';
comment on column meta.publication.as_of is 'Rows learnt until this moment (UTC) are in it';
comment on column meta.publication.period_end is 'First day after the last fiscal month that was built';
comment on column meta.publication.published_at is 'When readers saw it first, UTC';
comment on column meta.publication.checks_passed is 'Tests on the marts that the build passed';
comment on column meta.publication.checks_noted is 'Rows that break a rule which only notes it';
comment on column meta.publication.is_current is 'Whether it is what readers see now';
comment on table meta.published_table is 'Tables that readers see now. Grain: one row per audience and table';
comment on table meta.contract is
    'Columns and types of each table over time. Grain: one row per audience, table and version';
comment on column meta.contract.kept_as is 'Table that holds the last rows of this version, for one release';
comment on table meta.feed_freshness is 'How fresh what came in is. Grain: one row per feed';
comment on column meta.feed_freshness.days_before_as_of is 'Days from the last delivery to the moment of the build';
"""


@dataclass(frozen=True)
class About:
    """What is told of a publication.

    Attributes:
        freshness: Of each feed: last received date, moment it was ingested, latest event or None.
        checks_passed: Tests on the marts that passed; None where the run log does not say.
        checks_noted: Rows that broke a rule which only notes it.
    """

    run_id: str
    as_of: str
    as_of_day: str
    period_end: str
    published_at: str
    code_version: str
    freshness: dict[str, tuple[str, str, str | None]]
    checks_passed: int | None = None
    checks_noted: int | None = None

    def freshness_rows(self) -> list[tuple[Any, ...]]:
        """Rows of ``feed_freshness`` but its last column."""
        return [(feed, *values) for feed, values in sorted(self.freshness.items())]


def write_meta(
    con: psycopg.Connection,
    about: About,
    rows: Mapping[str, Mapping[str, int]],
    contracts: Mapping[tuple[str, str], tuple[str, str, tuple[str, ...], str]],
    schemas: set[str],
) -> list[tuple[str, str, int]]:
    """Tell of a publication, inside the transaction that shows it.

    Args:
        rows: Of each audience, tables and their rows.
        contracts: Of each table that was loaded: hash, columns as text, key, description.
        schemas: Those that were there before.

    Returns:
        Tables of before that are kept, as schema, table and version: their contract changed in this release.
    """
    con.execute("update meta.publication set is_current = false where is_current")
    for audience, tables in rows.items():
        con.execute(
            "insert into meta.publication values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, true)",
            [
                audience, about.run_id, about.as_of, about.period_end, about.published_at, about.code_version,
                len(tables), sum(tables.values()), about.checks_passed, about.checks_noted,
            ],
        )  # fmt: skip
    versions = _new_versions(con, about, contracts)
    con.execute("delete from meta.published_table")
    with con.cursor() as cursor:
        sources = {"hr": "bi", "member": "manager"}
        values = []
        for audience, tables in rows.items():
            for name, count in tables.items():
                found = contracts.get((audience, name)) or contracts[sources[audience], name]
                version = versions.get((audience, name)) or versions[sources[audience], name]
                values.append((audience, name, count, version, found[0], ", ".join(found[2]), found[3]))
        cursor.executemany("insert into meta.published_table values (%s, %s, %s, %s, %s, %s, %s)", values)
        con.execute("delete from meta.feed_freshness")
        cursor.executemany(
            "insert into meta.feed_freshness values (%s, %s, %s, %s, %s::date - %s::date)",
            [(*row, about.as_of_day, row[1]) for row in about.freshness_rows()],
        )
    con.execute(
        "update meta.contract set kept_as = null where kept_as is not null and replaced_release <> %s", [__version__]
    )
    kept = con.execute("select audience, table_name, contract_version from meta.contract where kept_as is not null")
    return [(row[0], row[1], row[2]) for row in kept.fetchall() if row[0] in schemas]


def forget(con: psycopg.Connection, audience: str, table: str, version: int) -> None:
    """Tell that the table of a contract's version is not kept."""
    con.execute(
        "update meta.contract set kept_as = null where audience = %s and table_name = %s and contract_version = %s",
        [audience, table, version],
    )


def _new_versions(
    con: psycopg.Connection, about: About, contracts: Mapping[tuple[str, str], tuple[str, str, tuple[str, ...], str]]
) -> dict[tuple[str, str], int]:
    """The version of each table's contract; a changed one is a new version, and the one before is kept."""
    known = {
        (row[0], row[1]): (row[2], row[3])
        for row in con.execute(
            "select distinct on (audience, table_name) audience, table_name, contract_version, contract_hash "
            "from meta.contract order by audience, table_name, contract_version desc"
        ).fetchall()
    }
    versions = {}
    for (audience, name), (digest, columns, _, _) in contracts.items():
        version, before = known.get((audience, name), (0, ""))
        if before != digest:
            version += 1
            con.execute(
                "insert into meta.contract values (%s, %s, %s, %s, %s, %s, %s, null, null)",
                [audience, name, version, digest, columns, about.run_id, about.published_at],
            )
            con.execute(
                "update meta.contract set replaced_release = %s, kept_as = %s "
                "where audience = %s and table_name = %s and contract_version = %s",
                [__version__, f"{name}__v{version - 1}", audience, name, version - 1],
            )
        versions[audience, name] = version
    return versions


def make_meta(con: psycopg.Connection) -> None:
    """The schema ``meta``: each audience reads of its own publications, HR of all, everybody how fresh feeds are."""
    con.execute(META)
    for audience, role in _ROLES.items():
        con.execute(f"grant usage on schema meta to {role}")
        con.execute(f"grant select on meta.feed_freshness to {role}")
        for table in ("publication", "published_table", "contract"):
            add_policy(con, f"meta.{table}", role, "true" if audience == "hr" else f"audience = '{audience}'")


def add_policy(con: psycopg.Connection, relation: str, role: str, rule: str) -> None:
    """Let a role read the rows of a table that a rule names.

    What is there already stays: to change it would need a lock that readers wait for, and between the old rule and the
    new one they would see nothing.
    """
    schema, table = relation.split(".")
    found = con.execute(
        "select from pg_policies where schemaname = %s and tablename = %s and policyname = %s", [schema, table, role]
    )
    if found.fetchall():
        return
    with con.transaction():
        con.execute(f"alter table {relation} enable row level security")
        con.execute(f"grant select on {relation} to {role}")
        con.execute(f"create policy {role} on {relation} for select to {role} using ({rule})")
