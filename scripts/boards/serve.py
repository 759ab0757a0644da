"""Superset as a program on this machine: prepared, filled, started on loopback, stopped for sure."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from boards import access, bundle
from boards.spec import FOLDER, load_boards
from dealermart import publish, site
from dealermart.base import DealermartError, Settings, child_environment, write_json, write_text

LOOPBACK = "127.0.0.1"
AUDIENCES = ("bi", "hr")
_START_SECONDS = 180
# What a login sees; its own schema last, so that it goes before another's.
_COLUMNS = """
select space.nspname, class.relname, att.attname, format_type(att.atttypid, att.atttypmod),
    coalesce(col_description(class.oid, att.attnum), '')
from pg_attribute as att
join pg_class as class on class.oid = att.attrelid
join pg_namespace as space on space.oid = class.relnamespace
where space.nspname in ('bi', 'hr') and class.relkind in ('r', 'v') and att.attnum > 0 and not att.attisdropped
    and has_schema_privilege(space.oid, 'usage') and has_column_privilege(class.oid, att.attnum, 'select')
order by space.nspname = %s, space.nspname, class.relname, att.attnum
"""


class Superset:
    """Superset beside a home, whose PostgreSQL it reads.

    Args:
        python: That of Superset's environment.
        port: Where its page is; 0 is any free one.
    """

    def __init__(self, settings: Settings, python: Path, port: int = 0) -> None:
        self.settings, self.bin = settings, python.parent
        self.home = settings.home / "dashboards"
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.server = publish.Server.of(settings)
        self.secrets = self._secrets()
        self.port = port or _free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"

    def prepare(self, say: Callable[[str], None] = lambda text: None) -> None:
        """Metadata, dashboards and logins, whatever was there before.

        Raises:
            DealermartError: nothing was published to the embedded PostgreSQL, or Superset refuses something.
        """
        self._write_services()
        say("Superset: its own tables")
        self._superset("db", "upgrade")
        admin = ("--username", "admin", "--firstname", "Ad", "--lastname", "Min", "--email", "admin@example.com")
        self._superset("fab", "create-admin", *admin, "--password", self.secrets["admin"])
        self._superset("fab", "reset-password", "--username", "admin", "--password", self.secrets["admin"])
        self._superset("init")
        say("Superset: dashboards")
        folder = self.home / "bundle"
        shutil.rmtree(folder, ignore_errors=True)
        self._write_bundle(folder)
        self._superset("import-directory", "--overwrite", str(folder))
        self._run(str(self.bin / "python"), str(Path(access.__file__)), *AUDIENCES)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its address, while it runs."""
        command = [
            str(self.bin / "gunicorn"), "-w", "1", "-k", "gthread", "--threads", "8", "-t", "120",
            "-b", f"{LOOPBACK}:{self.port}", "superset.app:create_app()",
        ]  # fmt: skip
        log = self.home / "server.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, env=self._environment(), cwd=self.home, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
            try:
                self._await(process, log)
                yield self.url
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(20)

    def _await(self, process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=10, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.5)
        raise DealermartError("Superset did not start", where=str(log), mend="its log says why")

    # ---- how ----------------------------------------------------------------------------------------------------

    def _secrets(self) -> dict[str, str]:
        """Made once: the key that signs its sessions, and the passwords of its logins."""
        path = self.home / "secrets.json"
        if not path.exists():
            made = {"key": secrets.token_urlsafe(42)} | {
                name: secrets.token_urlsafe(15) for name in ("admin", *AUDIENCES)
            }
            write_json(path, made)
            path.chmod(0o600)
        return dict(json.loads(path.read_text("utf-8")))

    def _write_services(self) -> None:
        """The service file of libpq: where PostgreSQL is, and how each audience logs in."""
        if not self.server.exists:
            raise DealermartError(
                "nothing was published to the embedded PostgreSQL of this home",
                where=str(self.settings.home),
                mend="DEALERMART_POSTGRES_URL=embedded dealermart publish",
            )
        self.server.start()
        lines = []
        for audience in AUDIENCES:
            known = psycopg.conninfo.conninfo_to_dict(self.server.url(publish.ROLES[audience]))
            lines.append(f"[{bundle.service(audience)}]")
            lines += [f"{name}={known[name]}" for name in ("host", "port", "dbname", "user", "password")]
        path = self.home / "services.conf"
        path.touch(mode=0o600)
        write_text(path, "\n".join(lines) + "\n")
        path.chmod(0o600)

    def _write_bundle(self, out: Path) -> None:
        boards, words = load_boards(), site.load_words(self.settings)
        schemas: dict[tuple[str, str], str] = {}
        columns: bundle.Columns = {}
        for audience in AUDIENCES:
            with psycopg.connect(self.server.url(publish.ROLES[audience])) as con:
                found = con.execute(_COLUMNS, [audience]).fetchall()
            for schema, table, name, kind, english in found:
                if schemas.get((audience, table)) != schema:
                    schemas[audience, table], columns[table] = schema, {}
                columns[table][name] = (kind, english, words.column(name, table) or "")
        wanted = {(board.audience, chart.table) for board in boards.values() for chart in board.charts}
        if unseen := sorted(f"{table} for {audience}" for audience, table in wanted - schemas.keys()):
            raise DealermartError(
                f"a dashboard shows what its audience does not see: {', '.join(unseen)}",
                where=str(FOLDER),
                mend="correct it",
            )
        bundle.write(out, boards, schemas, columns)

    def _environment(self) -> dict[str, str]:
        return child_environment(
            SUPERSET_HOME=str(self.home),
            SUPERSET_CONFIG_PATH=str(FOLDER / "superset_config.py"),
            SUPERSET_SECRET_KEY=self.secrets["key"],
            SUPERSET_METADATA_URI=f"sqlite:///{self.home / 'superset.db'}",
            FLASK_APP="superset.app:create_app()",
            PGSERVICEFILE=str(self.home / "services.conf"),
            PYTHONPATH="",
            **{f"SUPERSET_PASSWORD_{audience.upper()}": self.secrets[audience] for audience in AUDIENCES},
        )

    def _superset(self, *words: str) -> None:
        self._run(str(self.bin / "superset"), *words)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, env=self._environment(), cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        with (self.home / "setup.log").open("a") as log:
            log.write(done.stdout)
        if done.returncode:
            what = " ".join(Path(word).name for word in command[:2])
            raise DealermartError(
                f"{what} failed",
                where=str(self.home / "setup.log"),
                mend="its last lines say why; remove the folder to begin anew",
            )


def _free_port() -> int:
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        return int(held.getsockname()[1])
