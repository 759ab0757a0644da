"""Who the person is: codes in all systems, names, other texts that tell; and the SQL that finds and replaces them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from dealermart import frozen, lake
from dealermart.base import Settings, confine, connect, literal, quoted, workspace
from dealermart.config import Column, Contract, PersonKind
from dealermart.lake import Log

TOKEN = "erased-"  # how a code begins that stands for one that was erased
_SPECIAL = frozenset("\\^$.|?*+()[]{}-")  # signs with a meaning in regular expressions


@dataclass(frozen=True)
class Wanted:
    """What is to be erased: a person, or by the retention of feeds.

    Attributes:
        person: Our code of the person.
        kind: Whose code it is.
        also: More texts that tell who it is, such as a former name or a telephone number.
        until: Instead of a person: values of feeds with a retention that were older on this day.
    """

    person: str | None = None
    kind: PersonKind = "member"
    also: tuple[str, ...] = ()
    until: dt.date | None = None


class Person:
    """The person whose values go, or for a retention nobody: then the age of a row decides alone.

    Args:
        cutoffs: By feed the day before which values go.
    """

    def __init__(
        self,
        settings: Settings,
        known: dict[str, Contract],
        log: Log,
        wanted: Wanted,
        cutoffs: dict[str, dt.date],
    ) -> None:
        self.settings, self.known, self.log, self.wanted, self.cutoffs = settings, known, log, wanted, cutoffs
        self.key = secrets.token_hex(32)  # thrown away in the end: nobody can make a code of a person again
        self._codes: dict[PersonKind, set[tuple[str, str]]] = {}  # kind -> (system or nothing, code)
        if wanted.person is not None:
            self._codes[wanted.kind] = {("", wanted.person)}
        self._texts = {text for text in wanted.also if text.strip()}
        if wanted.person is not None:
            self._learn()
        self._telling = sorted({code for codes in self._codes.values() for _, code in codes if _is_telling(code)})
        self.pattern = _pattern(self._texts | set(self._telling))

    def is_known(self) -> bool:
        """Whether lake or quarantine, rows of refused files included, hold the code as that of a person of its kind."""
        folders = (self.settings.lake, self.settings.quarantine)
        with workspace(self.settings, f"known-{secrets.token_hex(4)}", *folders) as (con, _):
            for contract in self.known.values():
                tests = {self.matches(contract, column.name) for column in contract.columns if column.person} - {
                    "false"
                }
                where = " or ".join(sorted(tests))
                if tests and con.execute(f"select 1 from ({self._said(contract)}) where {where} limit 1").fetchall():
                    return True
        return False

    def _said(self, contract: Contract) -> str:
        """SELECT of all rows of a feed in lake and quarantine."""
        held = [
            path
            for commit in self.log.commits
            for entry in commit["quarantine"]
            if entry["feed"] == contract.feed and (path := self.settings.quarantine / entry["path"]).exists()
        ]
        listed = ", ".join(literal(str(path)) for path in held)
        mapped = f"select {lake.mapped_sql(contract)} from read_parquet([{listed}]) where mapped is not null"
        every = lake.rows_sql(contract, self.log.paths(self.settings, contract.feed))
        columns = ", ".join(map(quoted, contract.names))
        more = f" union all by name select {columns} from ({mapped})" if held else ""
        return f"select {columns} from ({every}){more}"

    def _learn(self) -> None:
        """Codes of the person in other systems, and names, from all that lake and quarantine say of the person."""
        folders = (self.settings.lake, self.settings.quarantine)
        with workspace(self.settings, f"learn-{secrets.token_hex(4)}", *folders) as (con, _):
            for contract in self.known.values():
                users = [(column, role) for column in contract.columns for role in column.person if role.of]
                names = [column for column in contract.columns if column.pii == "direct"]
                if not (users or names):
                    continue
                con.execute(f"create table said as {self._said(contract)}")
                for column, role in users:
                    test = self.matches(contract, str(role.of))
                    sql = f"select distinct {quoted(str(role.system))}, {quoted(column.name)} from said where {test}"
                    found = {(str(system), str(code)) for system, code in con.execute(sql).fetchall() if code}
                    self._codes.setdefault(role.kind, set()).update(found)
                for column in names:
                    test = self._about(contract, column)
                    sql = f"select distinct {quoted(column.name)} from said where {test}"
                    self._texts |= {str(text) for (text,) in con.execute(sql).fetchall() if text and len(text) > 1}
                con.execute("drop table said")

    def names(self, text: str) -> bool:
        """Whether a text names the person."""
        return self.pattern is not None and re.search(self.pattern, text) is not None

    def named_in(self) -> list[str]:
        """Files of the log and of closed folders whose words name the person."""
        if self.pattern is None:
            return []
        found = []
        for folder in frozen.chain(self.settings):
            words = [folder.manifest[name] for name in ("by", "reason")]
            words += [waiver["reason"] for waiver in folder.manifest["waivers"]]
            if self.names("\n".join(words)):
                found.append(f"closed/{folder.name}/{frozen.MANIFEST}")
        for path in sorted(self.settings.log.glob("*.json")):
            if self.names(path.read_text("utf-8")):
                found.append(f"log/{path.name}")
        made = sorted((self.settings.log / "decisions").glob("*.parquet"))
        for path in made:
            with connect(self.settings) as con:
                confine(con, path.parent)
                sql = f"select count(*) from read_parquet({literal(str(path))}) where {self.mentions('reason')}"
                if con.execute(sql).fetchall()[0][0]:
                    found.append(f"log/decisions/{path.name}")
        return found

    def in_closed(self) -> dict[str, int]:
        """Rows of closed folders, by folder, that hold our code of the person. They stay: what was paid is paid.

        Raises:
            DataError: a closed folder is not what was closed.
        """
        own = [code for system, code in self._codes.get(self.wanted.kind, ()) if not system]
        pattern = _pattern(own)
        found: dict[str, int] = {}
        for folder in frozen.chain(self.settings) if pattern else ():
            with connect(self.settings) as con:
                confine(con, folder.path)
                for path in folder.tables.values():
                    table = f"read_parquet({literal(str(path))})"
                    tests = [
                        f"coalesce(regexp_matches({quoted(name)}, {literal(str(pattern))}), false)"
                        for name, kind, *_ in con.execute(f"describe from {table}").fetchall()
                        if kind == "VARCHAR" and name.endswith(("_id", "_ids"))
                    ]
                    sql = f"select count(*) from {table} where {' or '.join(tests) or 'false'}"
                    if rows := con.execute(sql).fetchall()[0][0]:
                        found[folder.name] = found.get(folder.name, 0) + int(rows)
        return found

    def matches(self, contract: Contract, name: str) -> str:
        """Whether the column holds a code of the person."""
        column = next(other for other in contract.columns if other.name == name)
        tests = []
        for role in column.person:
            codes = self._codes.get(role.kind, ())
            when = [f"{quoted(other)} in ({', '.join(map(literal, of))})" for other, of in role.when.items()]
            for system, code in sorted(codes):
                own = [f"{quoted(name)} = {literal(code)}", *when]
                if role.system:
                    own.append(f"{quoted(role.system)} = {literal(system)}")
                tests.append(f"({' and '.join(own)})")
        return f"coalesce({' or '.join(tests)}, false)" if tests else "false"

    def _about(self, contract: Contract, column: Column) -> str:
        """Whether a column with a description of a person describes this one."""
        if column.pii_of:
            return self.matches(contract, column.pii_of)
        tests = {self.matches(contract, other.name) for other in contract.columns if other.person} - {"false"}
        return f"({' or '.join(sorted(tests))})" if tests else "false"

    def mentions(self, text: str) -> str:
        """Whether a text in SQL names the person."""
        if self.pattern is None:
            return "false"
        return f"coalesce(regexp_matches({text}, {literal(self.pattern)}), false)"

    def but_codes(self, value: str) -> str:
        """A text, or nothing where it holds a code of the person or what stands for one."""
        return f"case when {self.mentions(value)} or contains({value}, {literal(TOKEN)}) then null else {value} end"

    def token(self, value: str) -> str:
        """A code for a value: the same for the same one in this run, and for erased ones themselves."""
        new = f"{literal(TOKEN)} || left(sha256({literal(self.key)} || {value}), 12)"
        return f"case when {value} is null or starts_with({value}, {literal(TOKEN)}) then {value} else {new} end"

    def is_old(self, contract: Contract) -> str:
        """Whether the retention of a row is over: by the day that it is about, or on which it came."""
        if (cutoff := self.cutoffs.get(contract.feed)) is None:
            return "false"
        about = contract.event_date or contract.valid_from
        day = f"coalesce(cast({quoted(about)} as date), _received)" if about else "_received"
        return f"({day} < date '{cutoff}')"

    def _without_codes(self, value: str) -> str:
        """A text in which codes of the person stand among others, such as the key of a target, with new ones."""
        for code in self._telling:
            new = TOKEN + hashlib.sha256((self.key + code).encode()).hexdigest()[:12]  # as token makes it
            value = f"regexp_replace({value}, {literal(_pattern([code], '(', ')') or '')}, '\\1{new}\\2', 'g')"
        return value

    def changes(self, contract: Contract) -> tuple[dict[str, str], str]:
        """New values of a feed's columns in SQL, and which rows they change."""
        new: dict[str, str] = {}
        tests = []
        old = self.is_old(contract)
        for column in contract.columns:
            name = quoted(column.name)
            hits = []
            if column.person:
                hits.append(self.matches(contract, column.name))
                if column.pii != "none":
                    hits.append(old)
            elif column.pii != "none":
                hits += [self._about(contract, column), old]
                if column.type == "string" and not column.pii_of:
                    hits.append(self.mentions(name))
            elif column.type == "string" and self._telling:
                value = self._without_codes(name)
                new[column.name] = value
                tests.append(f"{name} is distinct from {value}")
            if not (hits := [test for test in hits if test != "false"]):
                continue
            hit = " or ".join(hits)
            keeps_place = column.person or column.required or column.name in contract.key
            value = self.token(name) if keeps_place else f"cast(null as {column.sql_type})"
            new[column.name] = f"case when {hit} then {value} else {name} end"
            tests.append(f"(({hit}) and {name} is distinct from ({value}))")
        return new, " or ".join(tests) or "false"


def _is_telling(code: str) -> bool:
    """Whether a code is long enough to be looked for in texts; a short one stands for much else."""
    return len(code) >= 4


def _pattern(texts: Iterable[str], opened: str = "(?:", closed: str = ")") -> str | None:
    """A regular expression, for DuckDB and Python, that finds any of the texts as words of their own.

    Args:
        opened, closed: Around what stands before and after.
    """
    parts = []
    for text in sorted(texts, key=lambda text: (-len(text), text)):
        before = f"{opened}{'^|[^0-9A-Za-z]' if text[0].isascii() and text[0].isalnum() else ''}{closed}"
        after = f"{opened}{'$|[^0-9A-Za-z]' if text[-1].isascii() and text[-1].isalnum() else ''}{closed}"
        parts.append(before + "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text) + after)
    return f"(?i){'|'.join(parts)}" if parts else None
