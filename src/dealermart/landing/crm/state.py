"""What is known of a source's CRM: how far each object was read, and which version of each record was handed on.

A part is a file of records. What is known changes in one step with it, after the file is in the inbox under its name.
A part whose file never landed and is no longer in the inbox was lost: what it said is forgotten, so that it is read
again. No value of a record stands here but its id, its stage and a hash.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dealermart.base import Settings
from dealermart.landing.crm.records import Gone, Row, Window, fingerprint, read, written
from dealermart.landing.store import ID_LENGTH

_TABLES = """
create table if not exists mark (object text primary key, said text not null) without rowid;
create table if not exists seen (
    object text, id text, print blob, modified text, changed text, is_gone integer, stage text,
    checked integer default 0, part integer, primary key (object, id)
) without rowid;
create table if not exists part (
    part integer, pull text, object text, file text primary key, received text, sha256 text, facts text, before text,
    has_landed integer default 0, is_told integer default 0
) without rowid;
create temp table if not exists swept (id text primary key, modified text) without rowid;
"""

_PART = ("part", "pull", "object", "file", "received", "sha256")

_STEP = dt.timedelta(microseconds=1)

_MANY = 500  # ids in one statement


@dataclass(frozen=True)
class Mark:
    """How far an object was read: changes before ``hi``; ``open`` is a window that was begun after it.

    Attributes:
        gone: Deletions before this were read.
        swept: When all ids were last compared.
    """

    hi: dt.datetime | None = None
    open: Window | None = None
    gone: dt.datetime | None = None
    swept: dt.datetime | None = None


@dataclass(frozen=True)
class Told:
    """A version of a record that is new: what is written of it.

    Attributes:
        before: The stage before, where it is another one now.
    """

    raw: str
    changed: str
    is_gone: bool
    row: Row | None = None
    before: str | None = None
    is_first: bool = False
    stage: str | None = None


class State:
    """The state of a source; open while one process pulls."""

    def __init__(self, settings: Settings, source: str) -> None:
        self.settings, self.source = settings, source
        self.path = settings.arrivals / f"{source}.crm.db"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.is_new = not self.path.exists()
        self._con = sqlite3.connect(self.path, isolation_level=None)
        self._con.execute("pragma synchronous = full")
        self._con.executescript(_TABLES)

    def close(self) -> None:
        """Close the file; what was not committed is forgotten."""
        self._con.close()

    # ------------------------------------------------------------------------------------------------ marks and parts
    def mark(self, name: str) -> Mark:
        """How far an object was read."""
        found = self._con.execute("select said from mark where object = ?", [name]).fetchone()
        return _mark(json.loads(found[0])) if found else Mark()

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it."""
        self._con.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._con.execute("rollback")
            raise
        self._con.execute("commit")

    def begin(self) -> None:
        """Begin what ``settle`` ends."""
        if not self._con.in_transaction:
            self._con.execute("begin immediate")

    def forget_open(self) -> None:
        """Take back what was not settled."""
        if self._con.in_transaction:
            self._con.execute("rollback")

    def next_part(self) -> int:
        """The number of the part in the making."""
        return int(self._con.execute("select coalesce(max(part), 0) + 1 from part").fetchone()[0])

    def settle(self, name: str, mark: Mark, files: list[dict[str, Any]]) -> None:
        """Keep a mark, the versions handed on since ``begin``, and the files of the part that holds them."""
        self.begin()
        before = self._con.execute("select said from mark where object = ?", [name]).fetchone()
        for file in files:
            values = [*(file[key] for key in _PART), json.dumps(file["facts"]), before[0] if before else None]
            self._con.execute(
                f"insert into part ({', '.join(_PART)}, facts, before) values (?, ?, ?, ?, ?, ?, ?, ?)", values
            )
        self._con.execute("insert or replace into mark values (?, ?)", [name, json.dumps(_said(mark))])
        self._con.execute("commit")

    def untold(self) -> list[dict[str, Any]]:
        """Files that stand in no manifest yet."""
        found = self._con.execute(f"select {', '.join(_PART)}, facts from part where is_told = 0 order by part, file")
        return [dict(zip(_PART, row, strict=False)) | json.loads(row[-1]) for row in found.fetchall()]

    def tell(self, files: Iterable[str]) -> None:
        """Note that files stand in a manifest."""
        with self.one_step():
            self._con.executemany("update part set is_told = 1 where file = ?", [[file] for file in files])

    def recover(self) -> list[str]:
        """Forget what parts said whose files are gone unread; gives the names of the files."""
        found = self._con.execute("select part, object, file, received, sha256 from part where has_landed = 0")
        lost: dict[str, int] = {}
        names: list[str] = []
        for part, name, file, received, sha256 in found.fetchall():
            if (self.settings.landing / self.source / received / sha256[:ID_LENGTH] / "manifest.json").exists():
                self._con.execute("update part set has_landed = 1 where file = ?", [file])
            elif not _is(self.settings.inbox / self.source / received / file, sha256):
                lost[name] = min(part, lost.get(name, part))
                names.append(file)
        for name, first in lost.items():
            with self.one_step():
                before = self._con.execute("select before from part where part = ?", [first]).fetchone()[0]
                if before is None:
                    self._con.execute("delete from mark where object = ?", [name])
                else:
                    mark = replace(_mark(json.loads(before)), swept=None)
                    self._con.execute("insert or replace into mark values (?, ?)", [name, json.dumps(_said(mark))])
                # Still known, so that a sweep finds what was deleted; unknown is only what is said of it.
                self._con.execute(
                    "update seen set print = null, modified = '', is_gone = 0 where object = ? and part >= ?",
                    [name, first],
                )
                self._con.execute("delete from part where object = ? and part >= ?", [name, first])
        return names

    # ------------------------------------------------------------------------------------------------ versions
    def news(self, name: str, rows: list[Row], now: dt.datetime, stage: str | None, part: int) -> list[Told]:
        """Which of the rows say something new, each with a version above all that were handed on of its record.

        The CRM's times have seconds, and a record that is restored keeps its old one: so a later version that has no
        later time gets one.
        """
        known = self._known(name, [row.id for row in rows])
        told: list[Told] = []
        for row in rows:
            old = known.get(row.id)
            print_, modified = fingerprint(row.record), written(row.modified)
            if old is not None:
                was_gone, old_print, old_modified, old_changed, old_stage = old
                if row.is_gone and was_gone:
                    continue
                if not was_gone and not row.is_gone and (old_print == print_ or modified < old_modified):
                    continue
                earliest = read(old_changed) + _STEP
                came_back = was_gone and row.modified < earliest
                changed = written(max(now if came_back else row.modified, earliest))
            else:
                old_stage, changed = None, modified
            new_stage = _text(row.record.get(stage)) if stage else None
            is_first = old is None or old_stage is None
            differs = new_stage is not None and new_stage != old_stage and not row.is_gone
            told.append(Told(row.raw, changed, row.is_gone, row, old_stage, is_first, new_stage if differs else None))
            known[row.id] = (row.is_gone, print_, modified, changed, new_stage or old_stage)
            self._con.execute(
                "insert or replace into seen (object, id, print, modified, changed, is_gone, stage, part) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                [name, row.id, print_, modified, changed, int(row.is_gone), new_stage or old_stage, part],
            )
        return told

    def deleted(self, name: str, gone: list[Gone], part: int) -> list[Told]:
        """Which deletions are new, each with a version above those of its record."""
        known = self._known(name, [item.id for item in gone])
        told: list[Told] = []
        for item in gone:
            old = known.get(item.id)
            if old is not None and old[0]:
                continue
            changed = written(item.at if old is None else max(item.at, read(old[3]) + _STEP))
            told.append(Told(item.raw, changed, True))
            known[item.id] = (True, b"", "", changed, None)
            self._con.execute(
                "insert or replace into seen (object, id, print, modified, changed, is_gone, stage, part) "
                "values (?, ?, null, '', ?, 1, ?, ?)",
                [name, item.id, changed, old[4] if old else None, part],
            )
        return told

    def new_deletions(self, name: str, gone: list[Gone]) -> list[Gone]:
        """Those of the deletions that were not handed on."""
        known = self._known(name, [item.id for item in gone])
        return [item for item in gone if item.id not in known or not known[item.id][0]]

    def lately_gone(self, name: str, many: int) -> list[str]:
        """Ids of deleted records that may have been restored: those looked at longest ago."""
        found = self._con.execute(
            "select id from seen where object = ? and is_gone = 1 order by checked, changed desc limit ?", [name, many]
        )
        return [row[0] for row in found.fetchall()]

    def looked_at(self, name: str, ids: list[str]) -> None:
        """Note that these deleted records were looked at."""
        turn = self._con.execute("select coalesce(max(checked), 0) + 1 from seen where object = ?", [name]).fetchone()
        self._con.executemany(
            "update seen set checked = ? where object = ? and id = ?", [[turn[0], name, item] for item in ids]
        )

    # ------------------------------------------------------------------------------------------------ sweeps
    def sweep(self, ids: Iterator[list[tuple[str, dt.datetime]]]) -> None:
        """Note all ids that there are, with the time of change of each."""
        self._con.execute("delete from swept")
        for some in ids:
            rows = [[item, written(modified)] for item, modified in some]
            self._con.executemany("insert or replace into swept values (?, ?)", rows)

    def alive(self, name: str) -> int:
        """How many records are known that are not deleted."""
        found = self._con.execute("select count(*) from seen where object = ? and is_gone = 0", [name])
        return int(found.fetchone()[0])

    def missing(self, name: str) -> list[str]:
        """Known records that the sweep did not see."""
        return self._ids(
            "select id from seen where object = ? and is_gone = 0 and id not in (select id from swept) order by id",
            name,
        )

    def unknown(self, name: str) -> list[str]:
        """Records that the sweep saw and that are not known as they are: new, thought deleted, or of another time."""
        return self._ids(
            "select id from swept where not exists (select 1 from seen where seen.object = ? and seen.id = swept.id "
            "and seen.is_gone = 0 and seen.print is not null and seen.modified >= swept.modified) order by id",
            name,
        )

    def _ids(self, sql: str, name: str) -> list[str]:
        return [row[0] for row in self._con.execute(sql, [name]).fetchall()]

    def _known(self, name: str, ids: list[str]) -> dict[str, tuple[bool, bytes, str, str, str | None]]:
        known: dict[str, tuple[bool, bytes, str, str, str | None]] = {}
        for start in range(0, len(ids), _MANY):
            some = ids[start : start + _MANY]
            marks = ", ".join("?" * len(some))
            found = self._con.execute(
                f"select id, is_gone, print, modified, changed, stage from seen where object = ? and id in ({marks})",
                [name, *some],
            )
            known |= {row[0]: (bool(row[1]), row[2], row[3], row[4], row[5]) for row in found.fetchall()}
        return known


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _is(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _said(mark: Mark) -> dict[str, Any]:
    window = mark.open
    return {
        "hi": _or_none(written, mark.hi),
        "gone": _or_none(written, mark.gone),
        "swept": _or_none(written, mark.swept),
        "open": [_or_none(written, window.lo), written(window.hi), window.after] if window else None,
    }


def _mark(said: dict[str, Any]) -> Mark:
    window = said["open"]
    return Mark(
        _or_none(read, said["hi"]),
        Window(_or_none(read, window[0]), read(window[1]), window[2]) if window else None,
        _or_none(read, said["gone"]),
        _or_none(read, said["swept"]),
    )


def _or_none(do: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else do(value)
