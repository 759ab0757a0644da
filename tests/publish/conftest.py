"""One PostgreSQL server for all tests of a process; each test that asks has a database of its own on it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest

from dealermart.base import Settings
from dealermart.publish import Server
from dealermart.publish.server import DATABASE

_NUMBER = count()


@dataclass(frozen=True)
class Database:
    """A database on the server; ``url`` is its owner's."""

    server: Server
    name: str

    @property
    def url(self) -> str:
        return self.server.url().removesuffix(DATABASE) + self.name

    def owner(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True)

    def password(self, role: str) -> str:
        """A password for the role, which is given it."""
        with self.owner() as con:
            con.execute(f"alter role \"{role}\" login password 'right {role}'")
        return f"right {role}"

    def login(self, role: str, password: str | None = None) -> psycopg.Connection:
        """Log in by a password, as readers do."""
        secret = password or self.password(role)
        port = self.server.url().rsplit(":", 1)[1].split("/")[0]
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            dbname=self.name,
            user=role,
            password=secret,
            autocommit=True,
            connect_timeout=10,
        )


@contextmanager
def running(home: Path) -> Iterator[Server]:
    """A server whose files are in ``home``, stopped and gone in the end."""
    # Another user finds no way into a folder of pytest's.
    elsewhere = Path(tempfile.mkdtemp(prefix="dealermart-pg-", dir="/tmp"))
    found = Server.of(Settings(home=home), elsewhere)
    found = replace(found, options={"fsync": "off", "shared_buffers": "32MB"})
    try:
        found.start()
        yield found
    finally:
        found.remove()
        if os.geteuid() == 0:
            shutil.rmtree(elsewhere, ignore_errors=True)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("postgres")) as found:
        yield found


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    name = f"test_{next(_NUMBER)}"
    with psycopg.connect(server.url(), autocommit=True) as con:
        con.execute(f"create database {name}")
    yield Database(server, name)
    with psycopg.connect(server.url(), autocommit=True) as con:
        con.execute(f"drop database {name} with (force)")
