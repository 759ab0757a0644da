"""Fetching from S3-compatible storage and from an SFTP server, both real ones on the loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dealermart import ingest, landing
from dealermart.base import ConfigError, FetchError, Settings

from .conftest import TODAY

pytest.importorskip("s3fs", reason="the packages of `make remote` are not here")
paramiko = pytest.importorskip("paramiko", reason="the packages of `make remote` are not here")

GOOD = b"doc,line,kind,dealer,product,qty,net,cost,day\nA1,1,invoice,D1,P1,2,100.50,60,2026-03-01\n"
Inbox = Callable[[], dict[str, bytes]]
From = Callable[..., None]


# -- S3 ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's server, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        while True:
            assert server.poll() is None, log.read_text("utf-8")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the bucket ``exports``; the credentials are those of everyone else, from the environment."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "us")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="exports")
    yield client
    for one in client.list_objects_v2(Bucket="exports").get("Contents", []):
        client.delete_object(Bucket="exports", Key=one["Key"])


def keys(s3: Any) -> dict[str, str]:
    return {one["Key"]: one["ETag"] for one in s3.list_objects_v2(Bucket="exports").get("Contents", [])}


@pytest.mark.usefixtures("now")
def test_objects_of_s3_come_once_and_new_versions_again(
    settings: Settings, comes_from: From, inbox: Inbox, s3: Any
) -> None:
    comes_from("s3://exports/erp")
    contents = {
        "erp/sales.csv": GOOD,
        "erp/2026-01-31/deep/sales.csv": b"22",
        "erp/.hidden": b"no",
        "erp/": b"",  # the mark of a folder
        "erp/../../evil.csv": b"evil",
        "erp2/sales.csv": b"another folder",
    }
    for key, content in contents.items():
        s3.put_object(Bucket="exports", Key=key, Body=content)
    before = keys(s3)
    result = landing.fetch(settings, "mini")
    assert inbox() == {"2026-03-03/sales.csv": GOOD, "2026-01-31/deep/sales.csv": b"22"}
    assert len(result.left) == 1
    assert "its name leads out of the folder" in result.left[0]
    assert landing.fetch(settings, "mini").fetched == ()
    assert ingest.run(settings, "mini", TODAY).committed
    s3.put_object(Bucket="exports", Key="erp/sales.csv", Body=GOOD.replace(b"A1", b"A2"))  # of the same size
    assert landing.fetch(settings, "mini").fetched == ((TODAY, "sales.csv"),)
    assert inbox()["2026-03-03/sales.csv"] == GOOD.replace(b"A1", b"A2")
    assert set(keys(s3)) == set(before), "nothing is written or deleted there"


@pytest.mark.usefixtures("now")
def test_an_object_larger_than_a_piece_comes_whole(settings: Settings, comes_from: From, inbox: Inbox, s3: Any) -> None:
    content = os.urandom(5_500_001)
    s3.put_object(Bucket="exports", Key="sales.csv", Body=content)
    comes_from("s3://exports")
    landing.fetch(settings, "mini")
    assert inbox() == {"2026-03-03/sales.csv": content}


def test_storage_that_does_not_answer_may_be_tried_again(
    settings: Settings, comes_from: From, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes_from("s3://exports/erp")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # not listening
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("DEALERMART_STORAGE_MINI", '{"key": "us", "secret": "4711secret"}')
        with pytest.raises(FetchError, match=r"s3://exports/erp: the storage did not answer as it should") as caught:
            landing.fetch(settings, "mini")
    assert caught.value.retryable
    assert "4711" not in str(caught.value)


def test_a_bucket_that_is_not_there_is_a_fault_of_the_profile(settings: Settings, comes_from: From, s3: Any) -> None:
    comes_from("s3://nobody/erp")
    with pytest.raises(ConfigError, match=r"s3://nobody/erp: the storage cannot be entered: FileNotFoundError"):
        landing.fetch(settings, "mini")


# -- SFTP --------------------------------------------------------------------------------------------------------------


class Server(paramiko.ServerInterface):
    """Lets the user ``erp`` in with a password."""

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == ("erp", "4711secret")
        return paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class Files(paramiko.SFTPServerInterface):
    """A folder, read only."""

    root: Path

    def _real(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def list_folder(self, path: str) -> Any:
        return [self._attributes(one) for one in self._real(path).iterdir()]

    def stat(self, path: str) -> Any:
        real = self._real(path)
        return self._attributes(real) if real.exists() else paramiko.SFTP_NO_SUCH_FILE

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = self._real(path).open("rb")
        return handle

    def _attributes(self, path: Path) -> Any:
        found = paramiko.SFTPAttributes.from_stat(path.lstat())
        found.filename = path.name
        return found


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str, Any]]:
    """A server: the folder that it serves, its address, its key. The user's home is one of the test."""
    root = tmp_path / "served"
    (root / "out").mkdir(parents=True)
    monkeypatch.setattr(Files, "root", root, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("DEALERMART_STORAGE_MINI", '{"password": "4711secret", "look_for_keys": false}')
    key = paramiko.RSAKey.generate(2048)
    listener = socket.create_server(("127.0.0.1", 0))
    transports = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            transports.append(transport)
            transport.start_server(server=Server(), event=threading.Event())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    yield root / "out", f"127.0.0.1:{port}", key
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for transport in transports:
        transport.close()
    thread.join(timeout=10)


def trust(address: str, key: Any) -> None:
    host, port = address.split(":")
    path = Path("~/.ssh/known_hosts").expanduser()
    path.parent.mkdir(parents=True)
    path.write_text(f"[{host}]:{port} {key.get_name()} {key.get_base64()}\n", "utf-8")


@pytest.mark.usefixtures("now")
def test_files_of_an_sftp_server_come_once(
    settings: Settings, comes_from: From, inbox: Inbox, sftp: tuple[Path, str, Any]
) -> None:
    folder, address, key = sftp
    trust(address, key)
    comes_from(f"sftp://erp@{address}/out")
    (folder / "2026-01-31").mkdir()
    for path, content in ((folder / "sales.csv", GOOD), (folder / "2026-01-31" / "sales.csv", b"22")):
        path.write_bytes(content)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (folder / "just.csv").write_bytes(b"1")
    os.utime(folder / "just.csv", (4_000_000_000, 4_000_000_000))
    result = landing.fetch(settings, "mini")
    assert inbox() == {"2026-03-03/sales.csv": GOOD, "2026-01-31/sales.csv": b"22"}
    assert result.left == ("just.csv: written to less than 60 seconds ago; left for the next time",)
    assert landing.fetch(settings, "mini").fetched == ()


def test_a_server_whose_key_is_not_known_is_not_entered(
    settings: Settings, comes_from: From, sftp: tuple[Path, str, Any]
) -> None:
    _, address, _key = sftp
    comes_from(f"sftp://erp@{address}/out")
    with pytest.raises(ConfigError, match="is not among the known hosts"):
        landing.fetch(settings, "mini")
    trust(address, paramiko.RSAKey.generate(2048))  # somebody else's key
    with pytest.raises(ConfigError, match="is not among the known hosts"):
        landing.fetch(settings, "mini")


def test_a_wrong_password_is_said_without_it(
    settings: Settings, comes_from: From, sftp: tuple[Path, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address, key = sftp
    trust(address, key)
    comes_from(f"sftp://erp@{address}/out")
    monkeypatch.setenv("DEALERMART_STORAGE_MINI", '{"password": "wrong9", "look_for_keys": false}')
    with pytest.raises(ConfigError, match="AuthenticationException") as caught:
        landing.fetch(settings, "mini")
    assert "wrong9" not in str(caught.value)
