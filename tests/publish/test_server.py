"""The PostgreSQL of our own: closed to others, and there again whatever happened to it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.nobody import as_nobody, needs_root

from dealermart.base import Settings
from dealermart.publish import Server
from dealermart.publish.server import OWNER


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    elsewhere = Path(tempfile.mkdtemp(prefix="dealermart-pg-", dir="/tmp"))
    found = Server.of(Settings(home=tmp_path_factory.mktemp("server") / "home"), elsewhere)
    found.start()
    yield found
    found.remove()
    shutil.rmtree(elsewhere, ignore_errors=True)
    assert not found.is_running() and not found.cluster.exists()


def test_it_asks_for_a_password_on_every_way_and_listens_here_alone(own: Server) -> None:
    rules = [line.split() for line in (own.data / "pg_hba.conf").read_text().splitlines() if line and line[0] != "#"]
    assert rules and {rule[-1] for rule in rules} == {"scram-sha-256"}
    with psycopg.connect(own.url()) as con:
        found = con.execute("select rolpassword from pg_authid where rolname = %s", [OWNER]).fetchone()
        assert found is not None and found[0].startswith("SCRAM-SHA-256$")
        settings = dict(con.execute("select name, setting from pg_settings").fetchall())
    assert settings["listen_addresses"] == "127.0.0.1"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(own.url(password="wrong"), connect_timeout=10)
    socket = settings["unix_socket_directories"]
    if socket:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=socket, port=settings["port"], user=OWNER, dbname="dealermart", password="wrong")
        assert stat.S_IMODE(Path(socket).stat().st_mode) == 0o700


def test_nobody_else_reads_its_files_or_passwords(own: Server) -> None:
    assert stat.S_IMODE(own.cluster.stat().st_mode) == 0o700
    assert stat.S_IMODE(own.data.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(own.passwords.stat().st_mode) == 0o600
    assert own.known_passwords()[OWNER] not in own.log.read_text()


@needs_root
def test_as_root_it_runs_as_somebody_who_has_no_way_into_the_home(own: Server) -> None:
    pid = int((own.data / "postmaster.pid").read_text().splitlines()[0])
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert not own.cluster.is_relative_to(own.home)
    folder = str(own.data)
    assert as_nobody(lambda: os.access(folder, os.R_OK)) is False


def test_it_keeps_its_port_and_passwords_over_a_restart_and_a_crash(own: Server) -> None:
    url = own.url()
    assert own.stop() and not own.is_running() and not own.stop()
    own.start()
    assert own.url() == url
    pid = int((own.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    while own.is_running():
        pass
    own.start()
    with psycopg.connect(own.url()) as con:
        assert con.execute("select 1").fetchall() == [(1,)]


def test_it_is_made_anew_where_its_passwords_are_gone(own: Server) -> None:
    shutil.rmtree(own.home)
    own.start()
    with psycopg.connect(own.url()) as con:
        assert con.execute("select current_user::text").fetchall() == [(OWNER,)]
