"""Erase values of a person from all that is kept, or those of everybody that are older than their feed's retention.

An erasure is a rebuild on whose way the values are taken out. The files that held them are replaced in landing by what
was read of them (``dealermart.erased``); codes of the person become one random code each, so that every total stands.
Lake and quarantine are made anew beside the old ones and compared with them; one commit of the log is the moment from
which the new ones hold, and ``lake.recover`` finishes what a kill leaves undone.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import duckdb

from dealermart import (
    archives,
    batch,
    build,
    contracts,
    decisions,
    erased,
    lake,
    landing,
    lock,
    mapping,
    publish,
    rebuild,
    runlog,
    yamlfile,
)
from dealermart.batch import Target
from dealermart.company import Company
from dealermart.contracts import Column, Contract, PersonKind
from dealermart.errors import BalanceError, ConfigError, DataError
from dealermart.lake import Log, literal, quoted
from dealermart.profiles import FileSpec
from dealermart.readers import Counts
from dealermart.settings import Settings

TOKEN = "erased-"  # how a code begins that stands for one that was erased
_OF_COPIES = "where _delivery_id in (select _delivery_id from touched_delivery)"
_PIECE, _OVERLAP = 1 << 20, 4096
_SPECIAL = frozenset("\\^$.|?*+()[]{}-")  # signs with a meaning in regular expressions
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "cp1252")


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


@dataclass
class EraseResult:
    """What an erasure did.

    Attributes:
        rows: Rows from which something was erased, by feed (or reference, as ``source.name``).
        deliveries: How many files these rows came in.
        files: How many files of landing and inbox are gone.
        named_in: Files of the log in whose words the person is named; they stay as they are.
        had_marts: Whether there was a warehouse, which is gone now.
    """

    rows: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    files: int = 0
    named_in: list[str] = field(default_factory=list)
    had_marts: bool = False


def run(
    settings: Settings,
    wanted: Wanted,
    by: str,
    reason: str,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> EraseResult:
    """Erase, and drop the warehouse, so that the next build is a full one; ``renew`` does it.

    Raises:
        DataError: name or reason is missing or names the person, nobody has that code, or no feed has a retention.
        BalanceError: another value than those that are to go would change; nothing was committed.
    """
    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise DataError(f"{name} is empty", mend="say who decides this and why: it stands in the decision log")
    known = contracts.load_all(settings)
    company = yamlfile.load(settings.company_file, Company)
    if unknown := sorted(set(company.retention_months) - set(known)):
        raise ConfigError(
            f"field retention_months: there is no feed {', '.join(unknown)}",
            where=str(settings.company_file),
            mend=f"one of: {', '.join(known)}",
        )
    if wanted.until and not company.retention_months:
        raise DataError(
            "no feed has a retention", where=str(settings.company_file), mend="add retention_months: {feed: months}"
        )
    with (
        # The person's code goes into no log, nor do words that may name the person.
        runlog.record(settings, "erase", until=wanted.until) as entry,
        lock.warehouse(settings, "erasure", say=say),
    ):
        lake.recover(settings)
        log = lake.read(settings)
        before, draft = (
            Target(settings.pending / name / "lake", settings.pending / name / "quarantine")
            for name in ("before", "after")
        )
        cutoffs = {
            feed: _months_before(wanted.until, months)
            for feed, months in company.retention_months.items()
            if wanted.until
        }
        eraser = _Eraser(settings, known, log, wanted, cutoffs)
        try:
            if eraser.names(reason) or eraser.names(by):
                raise DataError(
                    "--by or --reason names the person", mend="refer to the request instead: it stands in the log"
                )
            entry.note(by=by, reason=reason)
            # Once as it was, to find the rows while records are whole, and once with what stands in for them.
            say("looking for rows")
            rebuild.redo(settings, known, log, before, entry.run_id, say, eraser)
            shutil.rmtree(before.lake.parent)
            if eraser.rows:
                say("making lake and quarantine anew")
                eraser.is_looking = False
                rebuild.redo(settings, known, log, draft, f"{entry.run_id}-2", say, eraser)
            done = EraseResult(dict(sorted(eraser.rows.items())), len(eraser.changed), 0, eraser.named_in())
            removed = eraser.remove_unread(say)
            if wanted.person is not None and not (eraser.found or (wanted.also and (done.rows or removed))):
                raise DataError(
                    f"nobody of this code is known as {wanted.kind.replace('_', ' ')}",
                    mend="look at the code and --kind",
                )
            done.files = len(removed)
            if not dry_run and (done.rows or removed):
                done.had_marts = settings.warehouse.exists()
                if done.rows:
                    _compare(settings, known, log, draft, eraser)
                _commit(settings, log, known, eraser, entry.run_id, draft, removed, by, reason)
            entry.note(erased=done.rows, deliveries=done.deliveries, files_removed=done.files, dry_run=dry_run)
        except Exception:
            shutil.rmtree(settings.pending, ignore_errors=True)
            raise
        lake.recover(settings)
    return done


def by_retention(
    settings: Settings, until: dt.date | None = None, say: Callable[[str], None] = lambda text: None
) -> EraseResult | None:
    """For a schedule: erase what is older than the retention of its feed, and renew marts and copies.

    Args:
        until: The day on which it is judged; by default today (UTC).

    Returns:
        Nothing where no feed has a retention.
    """
    if not yamlfile.load(settings.company_file, Company).retention_months:
        return None
    wanted = Wanted(until=until or runlog.now().date())
    done = run(settings, wanted, settings.user, f"retention_months of {settings.company}", say=say)
    renew(settings, done, say)
    return done


def renew(settings: Settings, done: EraseResult, say: Callable[[str], None]) -> build.BuildResult | None:
    """Marts and served copies anew after an erasure, the copies before removed; none where there were none."""
    if not done.had_marts:
        return None
    built = build.run(settings, say=say)
    if settings.published.exists():
        publish.run(settings, say=say, keep_previous=False)
    return built


def _commit(
    settings: Settings,
    log: Log,
    known: dict[str, Contract],
    eraser: _Eraser,
    run_id: str,
    draft: Target,
    removed: list[Path],
    by: str,
    reason: str,
) -> None:
    moment = runlog.now()
    moves = {draft.lake: settings.lake, draft.quarantine: settings.quarantine}
    for source, received, delivery_id in eraser.changed:
        home = settings.landing / source / received / delivery_id
        moves[_draft_of(settings, source, received, delivery_id)] = home / erased.NAME
    moves |= eraser.unpacked
    lake.plan(settings, run_id, moves, [*removed, settings.warehouse.parent])
    lake.commit(
        settings,
        log,
        {
            "kind": lake.ERASE,
            "run_id": run_id,
            "decided_at": moment.isoformat(sep=" ", timespec="microseconds"),
            "code_version": runlog.code_version(),
            "user": settings.user,
            "by": by,
            "reason": reason,
            "what": "retention" if eraser.cutoffs else eraser.wanted.kind,
            "retention": {feed: day.isoformat() for feed, day in eraser.cutoffs.items()},
            "rows": eraser.rows,
            "erased": [list(one) for one in eraser.changed],
            "files": [],
            "quarantine": [],
            "verdicts": None,
            "deliveries": [],
            "decisions": _close(settings, log, draft, run_id, moment, by, reason, eraser),
        },
    )


def _close(
    settings: Settings, log: Log, draft: Target, run_id: str, at: dt.datetime, by: str, reason: str, eraser: _Eraser
) -> str | None:
    """Reject the quarantined rows that cannot be mapped any more, because their raw text is gone."""
    if not eraser.unmapped:
        return None
    paths = [draft.quarantine / one["path"] for commit in log.commits for one in commit["quarantine"]]
    with batch.workspace(settings, f"{run_id}-close", settings.log, draft.quarantine) as (con, work):
        decisions.load(con, log, settings.log, paths)
        con.execute("create table gone (source varchar, delivery_id varchar, row_number bigint)")
        con.executemany("insert into gone values (?, ?, ?)", [list(one) for one in sorted(eraser.unmapped)])
        con.execute("""
            create table chosen as
            select held.* exclude (decision, decided_at, decided_by, why)
            from held semi join gone using (source, delivery_id, row_number)
            where held.decision is null and held.stage = 'map'
        """)
        if not con.execute("select count(*) from chosen").fetchall()[0][0]:
            return None
        return decisions.keep(con, settings, work, run_id, decisions.select_of("'rejected'", "chosen", at, by, reason))


def _compare(settings: Settings, known: dict[str, Contract], log: Log, draft: Target, eraser: _Eraser) -> None:
    """Hold the new lake against the old one: nothing but codes and descriptions of persons may differ.

    Raises:
        BalanceError: it does.
    """
    with batch.workspace(settings, f"compare-{secrets.token_hex(4)}", settings.lake, draft.lake) as (con, _):
        for path, feed in log.current.items():
            contract = known.get(feed)
            sums = []
            old, new = (f"read_parquet({literal(str(folder / path))})" for folder in (settings.lake, draft.lake))
            for mine, other in ((old, new), (new, old)):  # a column without a value is in none of them, or in one
                relation = f"(from {mine} union all by name select * from {other} where false)"
                kept = [
                    quoted(name) if kind != "VARCHAR" else eraser.but_codes(quoted(name))
                    for name, kind in sorted(
                        row[:2] for row in con.execute(f"describe select * from {relation}").fetchall()
                    )
                    if contract is not None and name not in _may_change(contract)
                ]
                row = f"sum(cast(hash({', '.join(kept)}) as hugeint))" if kept else "0"
                sums.append((kept, con.execute(f"select count(*), {row} from {relation}").fetchall()[0]))
            if sums[0] != sums[1]:
                raise BalanceError(
                    "what has nothing to do with a person would change too: config maps otherwise than then, or maps "
                    "rows by others of their file",
                    where=path,
                    mend="bring back the profile and contract of then; nothing was erased",
                )


def _may_change(contract: Contract) -> set[str]:
    personal = {column.name for column in contract.columns if column.person or column.pii != "none"}
    return personal | {"_row_hash", "_is_repeat"}


def _months_before(day: dt.date, months: int) -> dt.date:
    count = day.year * 12 + day.month - 1 - months
    return dt.date(count // 12, count % 12 + 1, 1)


def _draft_of(settings: Settings, source: str, received: str, delivery_id: str) -> Path:
    return settings.pending / "landing" / source / received / delivery_id / erased.NAME


class _Eraser:
    """Finds the rows and takes the values out; keeps what is to stand in landing below ``settings.pending``."""

    def __init__(
        self,
        settings: Settings,
        known: dict[str, Contract],
        log: Log,
        wanted: Wanted,
        cutoffs: dict[str, dt.date],
    ) -> None:
        self.settings, self.known, self.log, self.wanted, self.cutoffs = settings, known, log, wanted, cutoffs
        self.rows: dict[str, int] = {}
        self.changed: list[tuple[str, str, str]] = []  # source, received, delivery_id
        self.unmapped: set[tuple[str, str, int]] = set()  # source, delivery_id, row_number
        self.unpacked: dict[Path, Path] = {}
        self.is_looking = True  # at records that are still whole; afterwards at refused rows only
        self.found = False  # whether the code stands anywhere as that of a person of this kind
        self._key = secrets.token_hex(32)  # thrown away in the end: nobody can make a code of a person again
        self._received = {
            (one["source"], one["delivery_id"]): one["received"]
            for one in log.deliveries()
            if one["status"] == "accepted"
        }
        self._codes: dict[PersonKind, set[tuple[str, str]]] = {}  # kind -> (system or nothing, code)
        if wanted.person is not None:
            self._codes[wanted.kind] = {("", wanted.person)}
        self._texts = {text for text in wanted.also if text.strip()}
        if wanted.person is not None:
            self._learn()
        self._telling = sorted({code for codes in self._codes.values() for _, code in codes if _is_telling(code)})
        self._pattern = _pattern(self._texts | set(self._telling))

    # ---------------------------------------------------------------------------------------- who it is
    def _learn(self) -> None:
        """Codes of the person in other systems, and names, from all that lake and quarantine say of the person."""
        folders = (self.settings.lake, self.settings.quarantine)
        with batch.workspace(self.settings, f"learn-{secrets.token_hex(4)}", *folders) as (con, _):
            for feed, contract in self.known.items():
                users = [(column, role) for column in contract.columns for role in column.person if role.of]
                names = [column for column in contract.columns if column.pii == "direct"]
                if not (users or names):
                    continue
                held = [
                    path
                    for commit in self.log.commits
                    for one in commit["quarantine"]
                    if one["feed"] == feed and (path := self.settings.quarantine / one["path"]).exists()
                ]
                listed = ", ".join(literal(str(path)) for path in held)
                mapped = f"""
                    select {decisions.mapped_sql(contract)} from read_parquet([{listed}]) where mapped is not null
                """
                every = lake.rows_sql(contract, self.log.paths(self.settings, feed))
                columns = ", ".join(map(quoted, contract.names))
                con.execute(
                    f"create table said as select {columns} from ({every})"
                    + (f" union all by name select {columns} from ({mapped})" if held else "")
                )
                for column, role in users:
                    one = self._matches(contract, str(role.of))
                    sql = f"select distinct {quoted(str(role.system))}, {quoted(column.name)} from said where {one}"
                    found = {(str(system), str(code)) for system, code in con.execute(sql).fetchall() if code}
                    self._codes.setdefault(role.kind, set()).update(found)
                for column in names:
                    one = self._about(contract, column)
                    sql = f"select distinct {quoted(column.name)} from said where {one}"
                    self._texts |= {str(text) for (text,) in con.execute(sql).fetchall() if text and len(text) > 1}
                con.execute("drop table said")

    def names(self, text: str) -> bool:
        """Whether a text names the person."""
        return self._pattern is not None and re.search(self._pattern, text) is not None

    def named_in(self) -> list[str]:
        """Files of the log whose words name the person."""
        if self._pattern is None:
            return []
        found = []
        for path in sorted(self.settings.log.glob("*.json")):
            if self.names(path.read_text("utf-8")):
                found.append(path.name)
        made = sorted((self.settings.log / "decisions").glob("*.parquet"))
        for path in made:
            with duckdb.connect() as con:
                sql = f"select count(*) from read_parquet({literal(str(path))}) where {self._mentions('reason')}"
                if con.execute(sql).fetchall()[0][0]:
                    found.append(f"decisions/{path.name}")
        return found

    # ------------------------------------------------------------------------------------------- in SQL
    def _matches(self, contract: Contract, name: str) -> str:
        """Whether the column holds a code of the person."""
        column = next(one for one in contract.columns if one.name == name)
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
            return self._matches(contract, column.pii_of)
        tests = {self._matches(contract, one.name) for one in contract.columns if one.person} - {"false"}
        return f"({' or '.join(sorted(tests))})" if tests else "false"

    def _mentions(self, text: str) -> str:
        if self._pattern is None:
            return "false"
        return f"coalesce(regexp_matches({text}, {literal(self._pattern)}), false)"

    def but_codes(self, value: str) -> str:
        """A text, or nothing where it holds a code of the person or what stands for one."""
        return f"case when {self._mentions(value)} or contains({value}, {literal(TOKEN)}) then null else {value} end"

    def _token(self, value: str) -> str:
        """A code for a value: the same for the same one in this run, and for erased ones themselves."""
        new = f"{literal(TOKEN)} || left(sha256({literal(self._key)} || {value}), 12)"
        return f"case when {value} is null or starts_with({value}, {literal(TOKEN)}) then {value} else {new} end"

    def _is_old(self, contract: Contract) -> str:
        """Whether the retention of a row is over: by the day that it is about, or on which it came."""
        if (cutoff := self.cutoffs.get(contract.feed)) is None:
            return "false"
        about = contract.event_date or contract.valid_from
        day = f"coalesce(cast({quoted(about)} as date), _received)" if about else "_received"
        return f"({day} < date '{cutoff}')"

    def _without_codes(self, value: str) -> str:
        """A text in which codes of the person stand among others, such as the key of a target, with new ones."""
        for code in self._telling:
            new = TOKEN + hashlib.sha256((self._key + code).encode()).hexdigest()[:12]  # as _token makes it
            value = f"regexp_replace({value}, {literal(_pattern([code], '(', ')') or '')}, '\\1{new}\\2', 'g')"
        return value

    def _changes(self, contract: Contract) -> tuple[dict[str, str], str]:
        """New values of a feed's columns in SQL, and which rows they change."""
        new: dict[str, str] = {}
        tests = []
        old = self._is_old(contract)
        for column in contract.columns:
            name = quoted(column.name)
            hits = []
            if column.person:
                hits.append(self._matches(contract, column.name))
                if column.pii != "none":
                    hits.append(old)
            elif column.pii != "none":
                hits += [self._about(contract, column), old]
                if column.type == "string" and not column.pii_of:
                    hits.append(self._mentions(name))
            elif column.type == "string" and self._telling:
                value = self._without_codes(name)
                new[column.name] = value
                tests.append(f"{name} is distinct from {value}")
            if not (hits := [one for one in hits if one != "false"]):
                continue
            hit = " or ".join(hits)
            keeps_place = column.person or column.required or column.name in contract.key
            value = self._token(name) if keeps_place else f"cast(null as {column.sql_type})"
            new[column.name] = f"case when {hit} then {value} else {name} end"
            tests.append(f"(({hit}) and {name} is distinct from ({value}))")
        return new, " or ".join(tests) or "false"

    # --------------------------------------------------------------------------------------- the tables
    def feed(
        self,
        con: duckdb.DuckDBPyConnection,
        source: str,
        spec: FileSpec,
        contract: Contract,
        reads: Mapping[str, Counts],
    ) -> None:
        """See ``batch.Eraser``. The tables of the batch stay as they are: others may look up what is in them."""
        if not self.is_looking:
            return
        raw, mapped = quoted(spec.name), f"mapped_{spec.name}"
        named = " or ".join(self._matches(contract, column.name) for column in contract.columns if column.person)
        if named and not self.found:
            self.found = bool(con.execute(f"select count(*) from {mapped} where {named}").fetchall()[0][0])
        new, changed = self._changes(contract)
        texts = _texts(con, spec.name)
        said = f"concat_ws(chr(31), {', '.join(texts)})" if texts else "''"
        con.execute(f"""
            create temp table touched as
            with dated as (
                select rows.*, delivery.received as _received
                from {mapped} as rows join delivery on delivery.delivery_id = rows._delivery_id
            )
            select _delivery_id, _row_number from dated where {changed}
            union
            select _delivery_id, _row_number from {raw} where {self._mentions(said)}
            union
            select _delivery_id, _row_number from {raw}
            semi join (select _delivery_id, _row_number from dated where {self._is_old(contract)}) as old
                using (_delivery_id, _row_number)
            where {said} <> ''
        """)
        with self._copies(con, source, contract.feed, spec.name, reads) as (changed_in, rows):
            if rows:
                # The hash of what a row said would let whoever guesses it know that he is right.
                said = f"select * exclude (_row_hash, _place) from {mapped} {_OF_COPIES}"
                con.execute(f"create temp table erasing_mapped as {said}")
                self._erase_rows(con, contract, new, texts)
            for delivery_id, folder in changed_in:
                if rows:
                    self._keep_mapped(con, source, contract, delivery_id, folder)
            con.execute("drop table if exists erasing_mapped")

    def _erase_rows(
        self, con: duckdb.DuckDBPyConnection, contract: Contract, new: dict[str, str], texts: list[str]
    ) -> None:
        where = "(_delivery_id, _row_number) in (select _delivery_id, _row_number from touched)"
        if texts:
            con.execute(f"update erasing set {', '.join(f'{name} = null' for name in texts)} where {where}")
        if erased.HASH not in (name for name, *_ in con.execute("describe erasing_mapped").fetchall()):
            con.execute(f"alter table erasing_mapped add column {erased.HASH} {erased.MARKS[erased.HASH]}")
        said = f"cast(coalesce({erased.HASH}, {mapping.row_hash(contract)}) as varchar)"
        con.execute(f"update erasing_mapped set {erased.HASH} = hash({literal(self._key)} || {said}) where {where}")
        if new:
            con.execute(f"""
                update erasing_mapped as rows set {", ".join(f"{quoted(name)} = {sql}" for name, sql in new.items())}
                from (select delivery_id, received as _received from delivery) as delivery
                where delivery.delivery_id = rows._delivery_id and {where}
            """)

    @contextmanager
    def _copies(
        self, con: duckdb.DuckDBPyConnection, source: str, feed: str, raw: str, reads: Mapping[str, Counts]
    ) -> Iterator[tuple[list[tuple[str, Path]], int]]:
        """Tables ``erasing`` and ``erasing__rejects`` of the deliveries with a row in ``touched``, or with a record
        that could not be read and is to lose its text; what the block makes of them is kept. Gives these deliveries
        with their folders, and the number of rows touched."""
        old = "false"
        if cutoff := self.cutoffs.get(feed):
            old = f"_delivery_id in (select delivery_id from delivery where received < date '{cutoff}')"
        where = f"line is not null and ({self._mentions('line')} or {old})"
        rejects = quoted(f"{raw}__rejects")
        con.execute(f"""
            create temp table touched_delivery as
            select _delivery_id from touched union select _delivery_id from {rejects} where {where};
            create temp table erasing as from {quoted(raw)} {_OF_COPIES};
            create temp table erasing__rejects as from {rejects} {_OF_COPIES}
        """)
        rows: int = con.execute("select count(*) from touched").fetchall()[0][0]
        lines = con.execute(f"update erasing__rejects set line = null where {where}").fetchall()[0][0]
        if rows + lines:
            self.rows[feed] = self.rows.get(feed, 0) + rows + lines
        made = []
        for (delivery_id,) in con.execute("select _delivery_id from touched_delivery order by 1").fetchall():
            received = self._received[source, delivery_id]
            self.changed.append((source, received, delivery_id))
            made.append((delivery_id, _draft_of(self.settings, source, received, delivery_id)))
            made[-1][1].mkdir(parents=True)
        yield made, rows
        for delivery_id, folder in made:
            for name, table in (("read", "erasing"), ("rejects", "erasing__rejects")):
                _write(
                    con, f"from {table} where _delivery_id = {literal(delivery_id)} order by _row_number", folder, name
                )
            erased.close(folder, reads[delivery_id])
        con.execute("drop table touched; drop table touched_delivery; drop table erasing; drop table erasing__rejects")

    def reference(
        self, con: duckdb.DuckDBPyConnection, source: str, spec: FileSpec, reads: Mapping[str, Counts]
    ) -> None:
        """See ``batch.Eraser``. A reference has no contract: cells that name the person get a code instead."""
        if not self.is_looking:
            return
        table = f"arrived_{spec.name}"
        texts = _texts(con, table)
        cells = " or ".join(self._mentions(name) for name in texts) or "false"
        con.execute(f"create temp table touched as select _delivery_id from {table} where {cells}")
        with self._copies(con, source, f"{source}.{spec.name}", table, reads):
            for name in texts:
                con.execute(f"update erasing set {name} = {self._token(name)} where {self._mentions(name)}")

    def refused(self, kept: Path, copy: Path, commit: dict[str, Any]) -> None:
        """See ``batch.Eraser``."""
        with batch.workspace(self.settings, f"refused-{secrets.token_hex(4)}", kept.parent, copy.parent) as (con, _):
            con.execute(f"create table kept as from read_parquet({literal(str(kept))})")
            (feed,) = con.execute("select any_value(feed) from kept").fetchall()[0]
            contract = self.known.get(feed)
            hits = [self._mentions("coalesce(\"row\", '') || coalesce(mapped, '')")]
            if contract is not None:
                con.execute(f"create table said as select rowid as place, {decisions.mapped_sql(contract)} from kept")
                tests = [one for column in contract.columns if (one := self._matches(contract, column.name)) != "false"]
                hits.append(f"rowid in (select place from said where {' or '.join(tests) or 'false'})")
            if (cutoff := self.cutoffs.get(feed)) and commit["received"] < cutoff.isoformat():
                hits.append("true")
            changed = con.execute(
                f'update kept set "row" = null, mapped = null where ("row" is not null or mapped is not null) '
                f"and ({' or '.join(hits)})"
            ).fetchall()[0][0]
            con.execute(f"copy (from kept) to {literal(str(copy))} (format parquet, compression zstd)")
        if changed and self.is_looking:
            self.rows[feed] = self.rows.get(feed, 0) + changed

    # ------------------------------------------------------------------------------------------ landing
    def _keep_mapped(
        self, con: duckdb.DuckDBPyConnection, source: str, contract: Contract, delivery_id: str, folder: Path
    ) -> None:
        """Keep the rows of a delivery from which something was erased, as mapped; and those of them that their select
        had rejected and that left the quarantine later, as they are in the lake: they cannot be mapped again."""
        own = f"where _delivery_id = {literal(delivery_id)} and {erased.HASH} is not null"
        _write(con, f"from erasing_mapped {own} order by _row_number, _row_part", folder, "mapped")
        gone = f"select _row_number, _row_part from erasing_mapped {own} and _reject_reason is not null"
        new, _ = self._changes(contract)
        names = ", ".join(f"{new.get(name, quoted(name))} as {quoted(name)}" for name in contract.names)
        every = lake.rows_sql(contract, self.log.paths(self.settings, contract.feed))
        moved = f"""
            select {names}, _is_deleted, _delivery_id, _row_number, _row_part
            from (
                select *, _received_date as _received from ({every})
                where _source = {literal(source)} and _delivery_id = {literal(delivery_id)}
                    and (_row_number, _row_part) in ({gone})
            )
            order by _row_number, _row_part
        """
        if con.execute(f"select count(*) from ({gone})").fetchall()[0][0]:
            _write(con, moved, folder, "moved")
            self.unmapped |= {(source, delivery_id, row) for row, _ in con.execute(gone).fetchall()}

    def remove_unread(self, say: Callable[[str], None]) -> list[Path]:
        """The files of landing and inbox that are to go: those replaced, wherever the same bytes lie, and those that
        were never read and name the person."""
        gone = {delivery_id for _, _, delivery_id in self.changed}
        gone |= self.log.erased
        homes = {path.parent: json.loads(path.read_text("utf-8")) for path in self._manifests()}
        removes: list[Path] = []
        for home, manifest in homes.items():
            payload = home / "payload"
            if not payload.exists():
                continue
            is_read = (manifest["source"], home.name) in self._received
            if manifest.get("packing") and "packed_in" not in manifest:
                inside = {
                    one: about
                    for one, about in homes.items()
                    if one.parent == home.parent and about.get("packed_in") == home.name
                }
                if gone & _ids_inside(payload) or self._holds(payload):
                    gone.add(home.name)
                    self._unpack(payload, inside, gone, say)
            elif not is_read and home.name not in gone and self._holds(payload):
                gone.add(home.name)
        for home in homes:
            if home.name in gone and (home / "payload").exists():
                removes.append(home / "payload")
        for path in sorted(self.settings.inbox.rglob("*")):
            if path.is_file() and not path.is_symlink() and _id_of(path) in gone:
                removes.append(path)
        return removes

    def _manifests(self) -> Iterator[Path]:
        return iter(sorted(self.settings.landing.glob("*/*/*/manifest.json")))

    def _unpack(
        self, payload: Path, inside: Mapping[Path, dict[str, Any]], gone: set[str], say: Callable[[str], None]
    ) -> None:
        """Lay the other files of an archive that has to go beside it, each in its own folder."""
        for home, manifest in inside.items():
            if home.name in gone or (home / "payload").exists():
                continue
            draft = self.settings.pending / "unpacked" / home.parent.name / home.name
            draft.parent.mkdir(parents=True, exist_ok=True)
            archives.entry(payload, manifest["member"], manifest["packing"], draft)
            if (manifest["source"], home.name) not in self._received and self._holds(draft):
                gone.add(home.name)
                continue
            draft.chmod(0o444)
            self.unpacked[draft] = home / "payload"
        say(f"an archive of {payload.parent.parent.name} is unpacked for good, without what is erased")

    def _holds(self, path: Path) -> bool:
        """Whether a file names the person, in any encoding, also packed."""
        if self._pattern is None:
            return False
        pattern = re.compile(self._pattern)
        at, before = 0, b""
        for number, piece in _pieces(path):
            if number != at:
                at, before = number, b""
            if any(pattern.search((before + piece).decode(one, errors="ignore")) for one in _ENCODINGS):
                return True
            before = piece[-_OVERLAP:]  # of an even length, as UTF-16 needs it
        return False


def _ids_inside(path: Path) -> set[str]:
    """The ids that the files in an archive have as deliveries."""
    digests: dict[int, Any] = {}
    for number, piece in _pieces(path):
        digests.setdefault(number, hashlib.sha256()).update(piece)
    return {digest.hexdigest()[: landing.ID_LENGTH] for digest in digests.values()}


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    """The bytes of a file, and of the files packed in it, each with a number of its own, in pieces: one that was
    refused can unpack to any size. What is damaged or encrypted is read as far as it goes."""
    with path.open("rb") as file:
        yield from _read(0, file)
        file.seek(0)
        is_gzip = file.read(2) == b"\x1f\x8b"
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for number, info in enumerate(archive.infolist(), start=1):
                    with archive.open(info) as member:
                        yield from _read(number, member)
        elif is_gzip:
            with gzip.open(path) as whole:
                yield from _read(1, whole)
    except (*archives.UNREADABLE, OSError, RuntimeError):
        return


def _read(number: int, stream: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    while piece := stream.read(_PIECE):
        yield number, piece


def _id_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[: landing.ID_LENGTH]


def _write(con: duckdb.DuckDBPyConnection, sql: str, folder: Path, name: str) -> None:
    con.execute(f"copy ({sql}) to {literal(str(folder / f'{name}.parquet'))} (format parquet, compression zstd)")


def _texts(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of raw text of a table."""
    found = con.execute(f"describe {quoted(table)}").fetchall()
    return [quoted(name) for name, kind, *_ in found if kind == "VARCHAR" and name != "_delivery_id"]


def _is_telling(code: str) -> bool:
    """Whether a code is long enough to be looked for in texts; a short one stands for much else."""
    return len(code) >= 4


def _pattern(texts: Iterable[str], opened: str = "(?:", closed: str = ")") -> str | None:
    """A regular expression, for DuckDB and Python, that finds any of the texts as words of their own.

    Args:
        opened, closed: Around what stands before and after.
    """
    parts = []
    for text in sorted(texts, key=lambda one: (-len(one), one)):
        before = f"{opened}{'^|[^0-9A-Za-z]' if text[0].isascii() and text[0].isalnum() else ''}{closed}"
        after = f"{opened}{'$|[^0-9A-Za-z]' if text[-1].isascii() and text[-1].isalnum() else ''}{closed}"
        parts.append(before + "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text) + after)
    return f"(?i){'|'.join(parts)}" if parts else None
