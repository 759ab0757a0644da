"""PostgreSQL: a schema per audience, loaded beside the old one and shown by renaming both in one transaction.

Renaming a schema locks no table: readers neither wait nor find anything missing. What a reader has begun on goes on
with the old tables, which are dropped once nobody reads them. A run that dies leaves a schema that nobody but the owner
can enter; the next one drops it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

import duckdb
import psycopg
from psycopg import sql

from dealermart.base import BuildError, DealermartError, FetchError, Settings, UsageError, quoted
from dealermart.config import Login
from dealermart.publish.marts import BY_ROWS, Column, Mart
from dealermart.publish.meta import About, forget, make_meta, write_meta
from dealermart.publish.roles import ROLES, make_roles, policy, write_access
from dealermart.publish.server import Server
from dealermart.publish.shape import Shapes

SCHEMAS = ("bi", "hr", "manager", "member")
_DESCRIBED = {
    "bi": "Marts for BI: no pay, no reviews, no scores of people; small groups are hidden",
    "hr": "Marts for HR: everything; what BI sees just so is a view on its table",
    "manager": "Marts for managers and members, who see the rows of those they are in charge of",
    "member": "Marts for members: views on the schema manager with fewer columns",
}
_NEW, _OLD = "dealermart_new_", "dealermart_old_"
_LOCK = 4_417_002_026  # of publishers among themselves
_BLOCK = 1 << 20
_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which the module fcntl names on some versions only
_DROP_SECONDS = 10.0

_TYPES = {
    "varchar": "text", "string": "text", "bigint": "bigint", "integer": "integer", "smallint": "smallint",
    "date": "date",
    "timestamp": "timestamp", "boolean": "boolean", "double": "double precision",
}  # fmt: skip


@dataclass(frozen=True)
class Loaded:
    """What lies ready to be shown: tables that were loaded, with their rows, by schema."""

    rows: dict[str, dict[str, int]] = field(default_factory=lambda: {schema: {} for schema in SCHEMAS})
    columns: dict[tuple[str, str], tuple[Column, ...]] = field(default_factory=dict)


class Publisher:
    """One publication to a server; a context manager that closes the connection.

    Args:
        warehouse: Has the warehouse attached as ``warehouse``, and what ``shape.prepare`` made.
    """

    def __init__(
        self,
        settings: Settings,
        warehouse: duckdb.DuckDBPyConnection,
        shapes: Shapes,
        about: About,
        logins: tuple[Login, ...],
        say: Callable[[str], None],
    ) -> None:
        self.warehouse, self.shapes, self.about, self.logins, self.say = warehouse, shapes, about, logins, say
        self.server = Server.of(settings) if settings.postgres == "embedded" else None
        self.loaded = Loaded()
        self._at = "connecting"
        if self.server:
            self.server.start()
        with self._told():
            url = self.server.url() if self.server else plain_url(settings.postgres)
            self.con = _connect(url)
            try:
                self.beside = _connect(url)
            except BaseException:  # nobody has the publisher yet, so nobody else would close it
                self.con.close()
                raise

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        for con in (self.con, self.beside):
            with suppress(psycopg.Error):
                con.close()

    # ---- beside the old ------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Load all tables beside those that readers see.

        Raises:
            FetchError: the server is away, or full. BuildError: a table cannot be loaded as it is.
        """
        with self._told():
            self._at = "preparing"
            found = self.con.execute("select pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
            if not found or not found[0]:
                raise FetchError(
                    "another process publishes to this server",
                    where=self._where(),
                    mend="run it again when it has ended",
                )
            made = make_roles(self.con, self.logins)
            self._give_passwords(made)
            make_meta(self.con)
            self._drop_remains()
            for schema in SCHEMAS:
                self.con.execute(f"create schema {_NEW}{schema}")
                self._comment(f"schema {_NEW}{schema}", _DESCRIBED[schema])
            # Keys of one mart are made while the rows of the next come: COPY keeps one core busy, and the other hardly.
            with ThreadPoolExecutor(1) as beside:
                keys: list[tuple[str, Future[None]]] = []
                try:
                    # Whose rows are those of another mart come after it.
                    for mart in sorted(self.shapes.marts, key=lambda mart: bool(mart.rows and mart.rows.through)):
                        for schema in ("bi", "hr", "manager"):
                            keys += self._load_mart(mart, schema, beside)
                            keys = self._made(keys)  # before the next mart is copied for nothing
                    while keys:
                        wait([key for _, key in keys], return_when=FIRST_COMPLETED)
                        keys = self._made(keys)
                finally:
                    beside.shutdown(cancel_futures=True)
            for mart in self.shapes.marts:
                self._add_views(mart)

    def _made(self, keys: list[tuple[str, Future[None]]]) -> list[tuple[str, Future[None]]]:
        """Those of the keys that are still at work, or wait; a fault of the others is raised."""
        left = []
        for told, key in keys:
            if not key.done():  # asked once: one that ends meanwhile is looked at the next time
                left.append((told, key))
                continue
            self._at = told
            key.result()
        return left

    def _load_mart(self, mart: Mart, schema: str, beside: ThreadPoolExecutor) -> list[tuple[str, Future[None]]]:
        if schema == "manager":
            columns = tuple(c for c in mart.columns if set(c.audience) & set(BY_ROWS) & set(mart.audience))
            if not set(mart.audience) & set(BY_ROWS):
                return []
        else:
            columns = mart.seen_by(schema)
        if not columns or (schema == "hr" and self.shapes.is_as_for_hr(mart)):
            return []
        self._at = f"loading {schema}.{mart.name}"
        relation = f"{_NEW}{schema}.{quoted(mart.name)}"
        with self.con.transaction():
            listed = ", ".join(f"{quoted(column.name)} {pg_type(mart, column)}" for column in columns)
            self.con.execute(f"create table {relation} ({listed})")
            audience = next(a for a in BY_ROWS if a in mart.audience) if schema == "manager" else schema
            select = self.shapes.select(mart, audience, columns)
            self.loaded.rows[schema][mart.name] = copy_rows(self.warehouse, select, self.con, relation, columns)
        self.loaded.columns[schema, mart.name] = columns
        return [(f"loading {schema}.{mart.name}", beside.submit(self._finish, mart, schema, relation, columns))]

    def _finish(self, mart: Mart, schema: str, relation: str, columns: tuple[Column, ...]) -> None:
        """What a table has beside its rows, by the second connection."""
        with self.beside.transaction():
            self._keys(mart, schema, relation, {column.name for column in columns})
            self._describe(self.beside, mart, schema, relation, columns)
            self._grant(mart, schema, relation)
        self.beside.execute(f"analyze {relation}")

    def _keys(self, mart: Mart, schema: str, relation: str, names: set[str]) -> None:
        if mart.key and set(mart.key) <= names:
            self.beside.execute(f"alter table {relation} add primary key ({', '.join(map(quoted, mart.key))})")
        indexes = [index for index in mart.indexes if set(index) <= names]
        rows = mart.rows
        if schema == "manager" and rows and rows.column in names and mart.key[:1] != (rows.column,):
            indexes.append((rows.column,))
        for index in indexes:
            self.beside.execute(f"create index on {relation} ({', '.join(map(quoted, index))})")

    @staticmethod
    def _describe(
        con: psycopg.Connection,
        mart: Mart,
        schema: str,
        relation: str,
        columns: tuple[Column, ...],
        kind: str = "table",
    ) -> None:
        told = [(f"{kind} {relation}", mart.description)]
        told += [(f"column {relation}.{quoted(column.name)}", column.description) for column in columns]
        parts: list[sql.Composable] = [
            sql.SQL(f"comment on {what} is {{}}").format(sql.Literal(text)) for what, text in told
        ]
        if schema == "manager":  # what the planner knows of values it tells in its estimates, whoever asks
            parts += [
                sql.SQL(f"alter table {relation} alter column {quoted(column.name)} set statistics 0")
                for column in columns
            ]
        con.execute(sql.SQL("; ").join(parts))

    def _grant(self, mart: Mart, schema: str, relation: str) -> None:
        if schema != "manager":
            self.beside.execute(f"grant select on {relation} to {ROLES[schema]}")
            if schema == "bi":
                self.beside.execute(f"grant select on {relation} to {ROLES['hr']}")
            return
        self.beside.execute(f"alter table {relation} enable row level security")
        for audience in BY_ROWS:
            seen = mart.seen_by(audience)
            if not seen:
                continue
            names = ", ".join(quoted(column.name) for column in seen)
            self.beside.execute(f"grant select ({names}) on {relation} to {ROLES[audience]}")
            rule = policy(mart, audience, self.about.as_of_day, f"{_NEW}manager") or "true"
            self.beside.execute(
                f"create policy {audience} on {relation} for select to {ROLES[audience]} using ({rule})"
            )

    def _add_views(self, mart: Mart) -> None:
        self._at = f"making views of {mart.name}"
        views = []
        if mart.name in self.loaded.rows["bi"] and mart.name not in self.loaded.rows["hr"]:
            views.append(("hr", "bi", mart.seen_by("hr")))
        if mart.seen_by("member"):
            views.append(("member", "manager", mart.seen_by("member")))
        for schema, source, columns in views:
            relation, role = f"{_NEW}{schema}.{quoted(mart.name)}", ROLES[schema]
            names = ", ".join(quoted(column.name) for column in columns)
            # With the rights and rows of who asks: a view of another kind asks with its owner's.
            self.con.execute(
                f"create view {relation} with (security_invoker = true) as "
                f"select {names} from {_NEW}{source}.{quoted(mart.name)}"
            )
            self._describe(self.con, mart, schema, relation, columns, "view")
            self.con.execute(f"grant select on {relation} to {role}")
            self.loaded.rows[schema][mart.name] = self.loaded.rows[source][mart.name]

    # ---- shown ---------------------------------------------------------------------------------------------------

    def swap(self, keep_previous: bool = True) -> None:
        """Show what was loaded, in one transaction, with its rights and what is told of it.

        Args:
            keep_previous: Keep tables whose contract changed, under their version's name.

        Raises:
            FetchError: the server is away; readers see the old tables or the new ones, never both.
        """
        with self._told():
            self._at = "showing the new tables"
            with self.con.transaction():
                self.con.execute("set local lock_timeout = '5s'")
                there = self._schemas()
                for schema in SCHEMAS:
                    if schema in there:
                        self.con.execute(f"alter schema {schema} rename to {_OLD}{schema}")
                    self.con.execute(f"alter schema {_NEW}{schema} rename to {schema}")
                for schema, roles in (
                    ("bi", ("bi", "hr")), ("hr", ("hr",)), ("manager", ("manager", "member")), ("member", ("member",)),
                ):  # fmt: skip
                    for role in roles:
                        self.con.execute(f"grant usage on schema {schema} to {ROLES[role]}")
                write_access(self.con, self.warehouse, self.logins)
                kept = write_meta(self.con, self.about, self.loaded.rows, self._contracts(), set(there))
                for schema, name, version in kept:
                    is_kept = False
                    if keep_previous:
                        # A reader may be in it, and others would wait behind us: then it is not kept.
                        with suppress(psycopg.errors.LockNotAvailable), self.con.transaction():
                            self.con.execute("set local lock_timeout = '500ms'")
                            is_kept = self._keep(schema, name, version)
                    if not is_kept:
                        forget(self.con, schema, name, version)
            self._at = "dropping the old tables"
            self.con.execute("analyze access.login; analyze access.scope")
            self._drop_remains(wait=_DROP_SECONDS)

    def _contracts(self) -> dict[tuple[str, str], tuple[str, str, tuple[str, ...], str]]:
        """Schema and table -> hash and text of its contract, key, description."""
        found = {}
        marts = {mart.name: mart for mart in self.shapes.marts}
        for (schema, name), columns in self.loaded.columns.items():
            mart = marts[name]
            text = json.dumps([[column.name, pg_type(mart, column)] for column in columns])
            key = mart.key if set(mart.key) <= {column.name for column in columns} else ()
            found[schema, name] = (hashlib.sha256(text.encode()).hexdigest(), text, key, mart.description)
        return found

    def _keep(self, schema: str, name: str, version: int) -> bool:
        """Move a table of the old schema whose contract changed into the new one, under its version's name.

        Returns:
            Whether there was one.
        """
        before, kept = f"{_OLD}{schema}", f"{name}__v{version}"
        if not self._is_table(before, kept):
            if not self._is_table(before, name):
                return False
            self.con.execute(f"alter table {before}.{quoted(name)} rename to {quoted(kept)}")
            indexes = self.con.execute(
                "select indexrelid::regclass::text from pg_index where indrelid = to_regclass(%s)",
                [f"{before}.{quoted(kept)}"],
            ).fetchall()
            for number, (index,) in enumerate(indexes):  # names are taken by those of the new table
                self.con.execute(f"alter index {index} rename to {quoted(f'{kept[:50]}__{number}')}")
        self.con.execute(f"alter table {before}.{quoted(kept)} set schema {schema}")
        return True

    def _is_table(self, schema: str, name: str) -> bool:
        found = self.con.execute(
            "select from pg_class where relnamespace = to_regnamespace(%s) and relname = %s and relkind = 'r'",
            [quoted(schema), name],
        )
        return bool(found.fetchall())

    # ---- around --------------------------------------------------------------------------------------------------

    def _schemas(self) -> list[str]:
        return [row[0] for row in self.con.execute("select nspname::text from pg_namespace").fetchall()]

    def _drop_remains(self, wait: float = 0.0) -> None:
        """Drop what no reader sees any more. What a reader is still in stays for the next publication."""
        until = time.monotonic() + wait
        while True:
            names = [name for name in self._schemas() if name.startswith((_NEW, _OLD))]
            # Views first: they stand on tables of other schemas.
            for name in sorted(names, key=lambda name: name.endswith(("bi", "manager"))):
                with suppress(psycopg.errors.LockNotAvailable), self.con.transaction():
                    self.con.execute("set local lock_timeout = '200ms'")
                    self.con.execute(f"drop schema {name} cascade")
                    names.remove(name)
            if not names:
                return
            if time.monotonic() > until:
                if wait:
                    self.say("readers are still in the tables of before: these go with the next publication")
                else:
                    self._set_aside(names)
                return
            time.sleep(0.2)

    def _set_aside(self, names: list[str]) -> None:
        for number, name in enumerate(names):
            if "__" not in name:
                self.con.execute(f"alter schema {name} rename to {name}__{int(time.time())}_{number}")

    def _give_passwords(self, made: list[str]) -> None:
        """To roles of our own server, which nobody else administers."""
        if self.server is None:
            return
        known = self.server.known_passwords()
        for role in (ROLES["bi"], ROLES["hr"]):
            if role in made or role not in known:
                self.server.keep_password(role, set_password(self.con, role))

    def _comment(self, what: str, text: str) -> None:
        self.con.execute(sql.SQL(f"comment on {what} is {{}}").format(sql.Literal(text)))

    def _where(self) -> str:
        info = self.con.info
        return f"PostgreSQL {info.host}:{info.port}/{info.dbname}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Faults of the server in words of ours: its own can quote rows."""
        try:
            yield
        except psycopg.OperationalError as error:
            full = isinstance(error, psycopg.errors.DiskFull)
            reason = "its disk is full" if full else "it went away, or does not let us in"
            mend = (
                "make room on the server's disk" if full
                else "see that it runs and that DEALERMART_POSTGRES_URL is right"
            )  # fmt: skip
            raise FetchError(
                f"PostgreSQL, {self._at}: {reason} ({_code(error)}); readers see what they saw before",
                where="DEALERMART_POSTGRES_URL",
                mend=f"{mend}, then publish again",
            ) from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise DealermartError(
                f"PostgreSQL, {self._at}: this login may not do that ({_code(error)})",
                where="DEALERMART_POSTGRES_URL",
                mend="let it own the database and make roles (createrole); docs/operations.md shows how",
            ) from None
        except psycopg.Error as error:
            raise BuildError(
                f"PostgreSQL, {self._at}: {type(error).__name__} ({_code(error)}); readers see what they saw before",
                where="DEALERMART_POSTGRES_URL",
                mend="compare the mart's contract with its rows; `dealermart publish` runs it again",
            ) from None


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(
        url, autocommit=True, connect_timeout=30, application_name="dealermart publish", prepare_threshold=None
    )


def plain_url(url: str) -> str:
    """An address as PostgreSQL writes it: without the driver that SQLAlchemy names in it."""
    scheme, colon, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{colon}{rest}"


def give_password(settings: Settings, role: str) -> str:
    """Give a login of readers a new password; returns the address by which it logs in.

    Raises:
        UsageError: no server is named, or nothing that readers log in by has this name. FetchError: the server is away.
    """
    if not settings.postgres:
        raise UsageError("no PostgreSQL server is named", where="DEALERMART_POSTGRES_URL", mend="set it to `embedded`")
    server = Server.of(settings) if settings.postgres == "embedded" else None
    url = plain_url(settings.postgres)
    if server:
        server.start()
        url = server.url()
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=30) as con:
            groups = [ROLES[audience] for audience in BY_ROWS]
            found = con.execute(
                """select rolname::text from pg_roles
                where rolname = any(%s) or not rolsuper and rolname <> current_user and oid in (
                    select member from pg_auth_members join pg_roles as g on g.oid = roleid where g.rolname = any(%s)
                )""",
                [[ROLES["bi"], ROLES["hr"]], groups],
            ).fetchall()
            known = sorted(row[0] for row in found)
            if role not in known:
                raise UsageError(
                    f"no reader logs in as {role}",
                    where="dealermart postgres password",
                    mend=f"one of: {', '.join(known) or 'none yet, publish first'}",
                )
            password = set_password(con, role)
            info = con.info
            address = f"postgresql://{quote(role)}:{password}@{info.host}:{info.port}/{info.dbname}"
    except psycopg.Error as error:
        raise FetchError(
            f"PostgreSQL refuses: {type(error).__name__} ({_code(error)})",
            where="DEALERMART_POSTGRES_URL",
            mend="see that it runs, and that this login may alter roles",
        ) from None
    if server and role in (ROLES["bi"], ROLES["hr"]):
        server.keep_password(role, password)
    return address


def set_password(con: psycopg.Connection, role: str) -> str:
    """Give a role a new password, and let it log in by that; returns it."""
    password = secrets.token_urlsafe(18)
    hashed = con.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    con.execute(sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(hashed)))
    return password


def pg_type(mart: Mart, column: Column) -> str:
    """The type of PostgreSQL that holds what a column of a contract holds.

    Raises:
        BuildError: there is none.
    """
    kind = column.type.lower()
    if kind.startswith(("decimal(", "numeric(")):
        return "numeric" + kind[kind.index("(") :]
    if kind in _TYPES:
        return _TYPES[kind]
    raise BuildError(
        f"column {column.name} has the type {column.type or 'none'}, which PostgreSQL is not given",
        where=mart.name,
        mend=f"use one of {', '.join(sorted(_TYPES))} or decimal(p,s) in the model's yml",
    )


def copy_rows(
    warehouse: duckdb.DuckDBPyConnection,
    select: str,
    con: psycopg.Connection,
    relation: str,
    columns: tuple[Column, ...],
) -> int:
    """Stream a select into a table that this transaction made; returns the rows.

    DuckDB writes CSV into a pipe in a thread, PostgreSQL reads it by COPY. The rows are frozen: a transaction that
    began before sees them too, instead of a table that looks empty.

    Raises:
        BuildError: not all rows arrived.
    """
    reader, writer = os.pipe()
    with suppress(OSError):
        fcntl.fcntl(writer, _PIPE_SIZE, _BLOCK)
    faults: list[BaseException] = []
    counted: list[int] = []

    def write() -> None:
        try:
            texts = [quoted(column.name) for column in columns if column.type.lower() in ("varchar", "string")]
            force = f", force_quote ({', '.join(texts)})" if len(columns) == 1 and texts else ""
            found = warehouse.execute(f"copy ({select}) to '/dev/fd/{writer}' (format csv, header false{force})")
            counted.extend(row[0] for row in found.fetchall())
        except BaseException as error:
            faults.append(error)
        finally:
            os.close(writer)

    thread = threading.Thread(target=write, daemon=True)
    names = ", ".join(quoted(column.name) for column in columns)
    try:
        with con.cursor() as target:
            with target.copy(f"copy {relation} ({names}) from stdin (format csv, freeze true)") as copy:
                thread.start()
                while block := os.read(reader, _BLOCK):
                    copy.write(block)
                thread.join()
                if faults:  # inside: what came so far is not kept
                    raise faults[0]
            copied = target.rowcount
    finally:
        os.close(reader)  # a writer that is still at work finds nobody to read
        if thread.ident is None:
            os.close(writer)
        else:
            thread.join()
    if counted != [copied]:
        raise BuildError(f"{copied} of {sum(counted)} rows arrived", where=relation, mend="publish again")
    return copied


def _code(error: psycopg.Error) -> str:
    return error.sqlstate or "no answer"
