"""From landed files to accepted, quarantined and refused rows: the part of ingestion that a rebuild repeats.

A batch is what one source delivered in one run. Nothing here decides: a judge says which rows fail (the suites when
files arrive, the recorded verdicts when the lake is rebuilt). Every count is checked before anything is returned.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Protocol

import duckdb

from dealermart import checks, erased, files, lake, mapping, profiles, readers
from dealermart.contracts import Contract
from dealermart.errors import BalanceError, ConfigError, DataError
from dealermart.lake import Log, Receipt, Told, literal, quoted
from dealermart.landing import Delivery
from dealermart.profiles import FileSpec, Profile
from dealermart.quarantine import Quarantine
from dealermart.settings import Settings


@dataclass(frozen=True)
class Rejects:
    """Rows of a file that could not be read or mapped: how many of how many (structural ones aside), and the first.

    Rows that wait for what another feed brings are not among them: that says nothing about the file.
    """

    rows: int
    of: int
    first_row: int
    first_reason: str


# (connection, feed, table, rejects per delivery) -> error text per refused delivery.
# Fills the tables failing (_row_id, rule, severity, reason, waits_for) and refused_delivery (delivery_id).
Judge = Callable[[duckdb.DuckDBPyConnection, str, str, dict[str, Rejects]], dict[str, str]]


@dataclass
class FileResult:
    """What became of one delivered file. Counts are rows after unpivoting, None where the file could not be read.

    Attributes:
        feed: Feed, or ``source.name`` of a reference.
        status: accepted, duplicate (its content was taken before), refused or unrecognised; taken_up or released where
            rows of an earlier delivery left the quarantine: counts are then what changed, and add up all the same.
        entry: The kind of file in the source's profile, by name.
        delivery: What the file holds, as contract and profile said when it came: append, delta or snapshot.
        apart: Structural rows that the select sets apart, by its reason.
        seen: What its columns hold, by column: values, how many were tried, numbers and dates among these.
        drift: What differs from the deliveries before and was taken all the same: rule, column, text.
        overridden: Rules that would have refused it, had nobody decided otherwise.
        anew: Whether a duplicate tells something new by the day on which it came.
        faults: What is in quarantine: stage, rule, reason, rows, first_row.
        latest_event: The latest day that an accepted row is about, days after the receipt left aside (ISO).
        encoding: How a text file was read.
        confidence: Percent, where the encoding was detected and not stated.
    """

    file: str
    delivery_id: str
    feed: str | None
    status: str
    records: int | None = None
    structural: int | None = None
    rejected: int | None = None
    mapped: int | None = None
    accepted: int | None = None
    quarantined: int | None = None
    duplicate: int | None = None
    error: str | None = None
    received: str = ""
    entry: str | None = None
    delivery: str | None = None
    apart: dict[str, int] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, list[int]] = field(default_factory=dict)
    drift: list[dict[str, str]] = field(default_factory=list)
    overridden: list[str] = field(default_factory=list)
    anew: bool = False
    latest_event: str | None = None
    encoding: str | None = None
    confidence: int | None = None

    def check(self) -> None:
        """Both balances of a file that was read.

        Raises:
            BalanceError: a row is missing or counted twice.
        """
        if self.records is None:
            return
        names = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")
        records, structural, rejected, mapped, accepted, quarantined, duplicate = (getattr(self, one) for one in names)
        if records != mapped + structural + rejected or mapped != accepted + quarantined + duplicate:
            counts = ", ".join(f"{name} {getattr(self, name)}" for name in names)
            raise BalanceError(
                f"the rows of the file do not add up: {counts}",
                where=self.file,
                mend="report this as a fault of the program; nothing was committed",
            )


class Eraser(Protocol):
    """Looks at the tables of a batch for values of a person, before anything is written from them."""

    def reference(
        self, con: duckdb.DuckDBPyConnection, source: str, spec: FileSpec, reads: Mapping[str, readers.Counts]
    ) -> None:
        """See ``arrived_<spec>`` and what could not be read."""

    def feed(
        self,
        con: duckdb.DuckDBPyConnection,
        source: str,
        spec: FileSpec,
        contract: Contract,
        reads: Mapping[str, readers.Counts],
    ) -> None:
        """See ``<spec>``, what could not be read, and ``mapped_<spec>``."""

    def refused(self, kept: Path, copy: Path, commit: dict[str, Any]) -> None:
        """Copy a quarantine file with rows of files that were refused, which are not read again."""


@dataclass
class Batch:
    """The outcome: files written (relative to their folders) and one result per delivery."""

    files: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    results: list[FileResult] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """Where a batch is written: the lake itself, the draft of a rebuild, or a folder that a dry run throws away."""

    lake: Path
    quarantine: Path


@contextmanager
def workspace(settings: Settings, run_id: str, *readable: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A DuckDB in memory that can reach nothing but this run's folder and ``readable``; gone with all it held."""
    work = settings.work / run_id
    work.mkdir(parents=True)
    options: dict[str, Any] = {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "temp_directory": str(work / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    con = duckdb.connect(":memory:", config=options)
    try:
        allowed = ", ".join(literal(str(path)) for path in (work, *readable))
        con.execute(f"set allowed_directories = [{allowed}]")
        con.execute("set enable_external_access = false; set TimeZone = 'UTC'")
        yield con, work
    finally:
        con.close()
        shutil.rmtree(work, ignore_errors=True)


def process(
    con: duckdb.DuckDBPyConnection,
    work: Path,
    settings: Settings,
    profile: Profile,
    contracts: dict[str, Contract],
    deliveries: Sequence[tuple[Delivery, FileSpec]],
    log: Log,
    lake_root: Path,
    target: Target,
    run_id: str,
    ingested_at: dt.datetime,
    judge: Judge,
    order: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
    eraser: Eraser | None = None,
) -> Batch:
    """Read, map, judge and write a batch.

    Args:
        deliveries: The files, each with its kind, in the order of receipt.
        log: Commits before this batch; references and current rows are looked up as of it.
        lake_root: Where the files that ``log`` names stand.
        target: Where new files go.
        judge: Says which rows fail.
        order: Feeds in the order in which they are processed; by default that of the profile.
        eraser: Looks for values of a person, where that is why a batch is repeated.

    Raises:
        ConfigError: the profile is broken.
        BalanceError: rows went missing.
        CheckCrashed: a check could not be run.
    """
    place = {delivery.delivery_id: ordinal for ordinal, (delivery, _) in enumerate(deliveries)}
    con.execute(DELIVERY_TABLE)
    con.executemany(
        "insert into delivery values (?, ?, ?, ?, ?)",
        [
            [place[one.delivery_id], profile.source, one.delivery_id, one.source_file, one.received]
            for one, _ in deliveries
        ],
    )
    quarantine = Quarantine(con, target.quarantine, run_id, profile.source)
    run = Run(
        con,
        work,
        settings,
        profile,
        contracts,
        log,
        lake_root,
        target.lake,
        run_id,
        ingested_at,
        quarantine,
        Batch(),
        eraser,
    )
    for spec in profile.references:
        run.reference(spec, [delivery for delivery, kind in deliveries if kind is spec])
    for feed in dict.fromkeys((*order, *feeds_of(profile))):
        of_feed = [(delivery, spec) for delivery, spec in deliveries if spec.feed == feed]
        if of_feed:
            say(f"{feed}: {len(of_feed)} file{'s' if len(of_feed) > 1 else ''}")
            run.feed(feed, of_feed, judge)
    batch, faults = run.batch, quarantine.faults()
    batch.quarantine = quarantine.files
    batch.results.sort(key=lambda one: place[one.delivery_id])
    for result in batch.results:
        result.check()
        result.faults = faults.get(result.delivery_id, [])
    for one in batch.files:
        files.sync(target.lake / one["path"])
    return batch


# The columns of a file of verdicts.
VERDICT = {
    "feed": "varchar",
    "delivery_id": "varchar",
    "row_number": "bigint",
    "row_part": "integer",
    "rule": "varchar",
    "severity": "varchar",
    "reason": "varchar",
    "waits_for": "varchar",
}
_ROWS_BITS = 48  # of a row's number; the kind of file has the ones above
DELIVERY_TABLE = (
    "create table delivery (ordinal integer, source varchar, delivery_id varchar, source_file varchar, received date)"
)


def feeds_of(profile: Profile) -> list[str]:
    """The feeds that a source delivers, in the order of its profile."""
    return list(dict.fromkeys(spec.feed for spec in profile.files if spec.feed))


def masters_first(feeds: Iterable[str], waits: Mapping[str, Collection[str]]) -> list[str]:
    """Feeds in an order in which each comes after those that its rows can wait for, so that what arrives together
    need not wait.

    Raises:
        ConfigError: feeds wait for each other in a circle.
    """
    listed = list(feeds)
    sorter = TopologicalSorter({feed: [one for one in listed if one in waits[feed] and one != feed] for feed in listed})
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise ConfigError(
            f"rows of these feeds wait for each other in a circle: {' - '.join(error.args[1])}",
            where="expectations",
            mend="take one of the feeds out of waits_for of a suite, or out of waits of a profile",
        ) from None


@dataclass
class Run:
    """The tables of one batch: ``<spec>`` raw text, ``mapped_<spec>``, ``batch`` typed rows of a feed, ``failing``,
    ``refused_delivery``, ``repeated``, ``twins``; those of a feed are dropped before the next."""

    con: duckdb.DuckDBPyConnection
    work: Path
    settings: Settings
    profile: Profile
    contracts: dict[str, Contract]
    log: Log
    lake_root: Path
    lake: Path
    run_id: str
    ingested_at: dt.datetime
    quarantine: Quarantine
    batch: Batch
    eraser: Eraser | None = None
    suffix: str = ""  # of the lake files' names
    same_delivery: str = "delivery.delivery_id = passed._delivery_id"
    views: dict[str, tuple[list[Path], Told]] = field(default_factory=dict)
    arriving: dict[str, tuple[Receipt, ...]] = field(default_factory=dict)
    same: dict[str, set[str | None]] = field(default_factory=dict)  # column to all that it says in the batch

    def reference(self, spec: FileSpec, deliveries: list[Delivery]) -> None:
        """Table ``spec.name``: the rows of a reference known at receipt, those of this run included."""
        con, label, arrived = self.con, f"{self.profile.source}.{spec.name}", f"arrived_{spec.name}"
        counts = self._read(spec, deliveries, arrived)
        if counts and self.eraser:
            self.eraser.reference(con, self.profile.source, spec, counts)
        if counts:
            self.quarantine.add(label, arrived, "read", spec.name)
            self._write(
                label,
                f"""
                select a.*, delivery.received as _received_date
                from {arrived} as a join delivery on delivery.delivery_id = a._delivery_id
                order by delivery.ordinal, _row_number
                """,
            )
            readers.drop(con, arrived)
        for delivery in deliveries:
            if read := counts.get(delivery.delivery_id):
                kept = read.records - read.structural - read.rejected
                self.batch.results.append(
                    FileResult(
                        delivery.source_file,
                        delivery.delivery_id,
                        label,
                        "accepted",
                        records=read.records,
                        structural=read.structural,
                        rejected=read.rejected,
                        mapped=kept,
                        accepted=kept,
                        quarantined=0,
                        duplicate=0,
                        received=delivery.received.isoformat(),
                        entry=spec.name,
                        encoding=read.encoding,
                        confidence=read.confidence,
                    )
                )
        known = readers.shape(spec, "_received_date date")
        if paths := self._paths(label):
            listed = ", ".join(literal(str(path)) for path in paths)
            known += f" union all by name select * from read_parquet([{listed}], union_by_name = true)"
        latest = "_received_date desc, _delivery_id desc"
        rank = f"dense_rank() over (order by {latest})"
        if spec.key:
            key = ", ".join(map(quoted, spec.key))
            rank = f"row_number() over (partition by {key} order by {latest}, _row_number desc)"
        con.execute(f"""
            create table {spec.name} as
            select * exclude (_rank) from (select *, {rank} as _rank from ({known})) where _rank = 1
        """)

    def feed(self, feed: str, deliveries: list[tuple[Delivery, FileSpec]], judge: Judge) -> None:
        """Read, map and judge all files of one feed; write its lake and quarantine files."""
        con, contract = self.con, self.contracts[feed]
        self.current_views()
        specs: list[FileSpec] = []
        same: list[dict[str, str | None]] = []
        reads: dict[str, readers.Counts] = {}
        for spec in dict.fromkeys(spec for _, spec in deliveries):
            of_spec = [delivery for delivery, kind in deliveries if kind is spec]
            if found := self._read(spec, of_spec, spec.name):
                reads |= found
                specs.append(spec)
                same.append(self.map(spec, contract, found))
                if stored := [
                    path for one in of_spec if one.erased and (path := one.erased / "mapped.parquet").exists()
                ]:
                    erased.restore(con, f"mapped_{spec.name}", contract, stored)
                    same[-1] = {}
                if self.eraser:
                    self.eraser.feed(con, self.profile.source, spec, contract, found)
        if not specs:
            return
        self._gather(specs, contract)
        self.same = {name: {one[name] for one in same} for name in contract.names if all(name in one for one in same)}
        self.arriving = {feed: tuple(self._receipts(deliveries, reads))}
        with self.judged(contract, judge, self._rejects(specs, reads)) as refused:
            self._withhold(specs, contract)
            for spec in specs:
                for stage in ("read", "map", "check"):
                    self.quarantine.add(feed, spec.name, stage, columns=contract.names, waits=self.profile.waits(spec))
            self._keep_verdicts(feed, specs)
            self._count(feed, specs, deliveries, reads, refused)
        self.arriving, self.same = {}, {}
        for spec in specs:
            readers.drop(con, spec.name)
            readers.drop(con, f"mapped_{spec.name}")

    @contextmanager
    def judged(self, contract: Contract, judge: Judge, rejects: dict[str, Rejects]) -> Iterator[dict[str, str]]:
        """Judge the table ``batch`` and write the rows that pass; gives the error texts of refused deliveries.

        Inside the block there are ``passed``, ``failing``, ``refused_delivery``, ``repeated`` and ``twins``; afterwards
        they are gone, and ``batch`` with them.
        """
        con = self.con
        con.execute(
            "create table failing (_row_id bigint, rule varchar, severity varchar, reason varchar, waits_for varchar);"
            "create table refused_delivery (delivery_id varchar)"
        )
        con.execute("""
            create temp view passed as
            select batch.* from batch
            anti join failing on failing._row_id = batch._row_id
            anti join refused_delivery on refused_delivery.delivery_id = batch._delivery_id
        """)
        self._offer(contract)
        checks.find_twins(con, "batch", contract.key)
        refused = judge(con, contract.feed, "batch", rejects)
        if refused:
            con.executemany("insert into refused_delivery values (?)", [[one] for one in refused])
        self._mark_repeats(contract)
        self._accept(contract)
        yield refused
        con.execute("drop view passed; drop view batch")
        for table in ("failing", "refused_delivery", "repeated", "twins"):
            con.execute(f"drop table {table}")

    def _read(self, spec: FileSpec, deliveries: list[Delivery], table: str) -> dict[str, readers.Counts]:
        """Read files of one kind into ``table``; a file that cannot be read is refused and the others go on."""
        files = []
        for delivery in deliveries:
            how = spec.as_delivered(delivery.source_file)
            make = partial(erased.load, folder=delivery.erased) if delivery.erased else None
            files.append(readers.File(delivery.payload, how, delivery.delivery_id, make))
        found = readers.read_all(self.con, files, table, self.work)
        for delivery in deliveries:
            error = found[delivery.delivery_id]
            if isinstance(error, DataError):
                # The delivered name says more to the reader of the message than the payload's own path.
                where = error.where.replace(str(delivery.payload), delivery.label)
                self.batch.results.append(
                    FileResult(
                        delivery.source_file,
                        delivery.delivery_id,
                        spec.feed,
                        "refused",
                        error=str(DataError(error.what, where=where, mend=error.mend)),
                        received=delivery.received.isoformat(),
                        entry=spec.entry_of(delivery.source_file),
                    )
                )
        return {key: counts for key, counts in found.items() if not isinstance(counts, DataError)}

    def _receipts(
        self, deliveries: list[tuple[Delivery, FileSpec]], reads: dict[str, readers.Counts]
    ) -> Iterator[Receipt]:
        for delivery, spec in deliveries:
            if delivery.delivery_id in reads:
                entry = spec.entry_of(delivery.source_file)
                what = spec.delivery_of(delivery.source_file, self.contracts[str(spec.feed)])
                received = delivery.received.isoformat()
                yield Receipt(self.profile.source, delivery.delivery_id, entry, what, received, is_repeat=False)

    def map(
        self, spec: FileSpec, contract: Contract, reads: Mapping[str, readers.Counts] = {}
    ) -> dict[str, str | None]:
        """View ``mapped_<spec>``: what the select makes of the raw rows in table ``<spec>``; see ``map_rows``."""
        path, sql = profiles.sql_of(self.settings, self.profile.source, spec)
        references = [one.name for one in self.profile.references]
        mapping.check_select(self.con, path, sql, [spec.name, *references, *(f"feed_{one}" for one in self.contracts)])
        of_1904 = [delivery_id for delivery_id, read in reads.items() if read.from_1904]
        suspect = not reads or any(read.suspect for read in reads.values())
        return mapping.map_rows(self.con, path, sql, spec, contract, f"mapped_{spec.name}", reads, of_1904, suspect)

    def _gather(self, specs: list[FileSpec], contract: Contract) -> None:
        """View ``batch``: the mapped rows of all files. They are numbered by their place in the mapped tables, which is
        the order of receipt for files of one kind; nothing is copied or sorted."""
        names, parts = _names(contract), []
        for index, spec in enumerate(specs):
            said = "_row_hash"
            if erased.HASH in (name for name, *_ in self.con.execute(f"describe mapped_{spec.name}").fetchall()):
                said = f"coalesce({erased.HASH}, _row_hash, {mapping.row_hash(contract)})"
            parts.append(f"""
                select {index << _ROWS_BITS} + _place as _row_id, {names}, _delivery_id, _row_number, _row_part,
                    _is_deleted, {said} as _row_hash
                from mapped_{spec.name} where _reject_reason is null and _structural is null
            """)
        self.con.execute(f"create temp view batch as {' union all '.join(parts)}")

    def _rejects(self, specs: list[FileSpec], reads: dict[str, readers.Counts]) -> dict[str, Rejects]:
        rejects: dict[str, Rejects] = {}
        for spec in specs:
            waiting = ", ".join(map(literal, spec.waits)) or "null"
            for delivery_id, rows, first_row, first_reason in self.con.execute(f"""
                select _delivery_id, count(*), min(_row_number), arg_min(reason, _row_number)
                from (
                    select _delivery_id, _row_number, reason from {spec.name}__rejects
                    union all
                    select _delivery_id, _row_number, _reject_reason from mapped_{spec.name}
                    where _reject_reason is not null and (_reject_reason in ({waiting})) is not true
                )
                group by all
            """).fetchall():
                read = reads[delivery_id]
                of = (read.records - read.structural) * spec.unpivot
                rejects[delivery_id] = Rejects(rows, of, first_row, first_reason)
        return rejects

    def _mark_repeats(self, contract: Contract) -> None:
        """Table ``repeated``: rows equal in key and content to one accepted before, or earlier in this batch.

        Hashes are compared first: they are numbers, and what lies outside the range of the batch's keys is not read.
        """
        con, key = self.con, ", ".join(map(quoted, contract.key))
        types = {name: kind for name, kind in contract.lake_columns.items() if name in contract.key}
        ends = ", ".join(f"cast({end}({quoted(name)}) as varchar)" for name in types for end in ("min", "max"))
        bounds = con.execute(f"select {ends} from passed").fetchall()[0]
        within = " and ".join(
            f"{quoted(name)} between cast(? as {kind}) and cast(? as {kind})" for name, kind in types.items()
        )
        has_key = " and ".join(f"{quoted(name)} is not null" for name in types)
        known = f"select * from ({lake.rows_sql(contract, self._paths(contract.feed))}) where {within}"
        before = con.execute(f"select count(*) from ({known})", bounds).fetchall()[0][0]
        con.execute("create temp table suspect as select _row_hash from passed semi join twins using (_row_id)")
        if before:
            con.execute(
                f"insert into suspect select _row_hash from ({known}) semi join passed using (_row_hash)", bounds
            )
        con.execute(
            f"""
            create table repeated as
            with suspects as materialized (
                select _row_id, {key}, _row_hash from passed semi join suspect using (_row_hash)
                where {has_key}
            ),
            held as (select {key}, _row_hash from ({known}) semi join suspects using ({key}, _row_hash)),
            copies as (
                select _row_id, row_number() over (partition by {key}, _row_hash order by _row_id) as _copy
                from suspects
            )
            select _row_id from copies where _copy > 1
            union
            select _row_id from suspects semi join held using ({key}, _row_hash)
            """,
            bounds,
        )
        con.execute("drop table suspect")

    def _accept(self, contract: Contract) -> None:
        """Write the lake file of a feed; none if no row passed.

        Columns to which no select gives a value are left out: who reads the lake takes a missing column for NULL.
        """
        if not self.con.execute("select count(*) from passed").fetchall()[0][0]:
            return
        # Texts that few deliveries share cost as much to write as others, unless their type lists them. The list stands
        # in the file, so it names the deliveries of these rows only.
        con = self.con
        con.execute(f"create temp table origin as from delivery semi join passed on {self.same_delivery}")
        for name in ("source", "delivery_id", "source_file"):
            values = con.execute(f"select distinct {name} from origin order by 1").fetchall()
            listed = ", ".join(literal(value) for (value,) in values)
            con.execute(f"alter table origin add column _{name} enum({listed}); update origin set _{name} = {name}")
        columns = [_listed(name, self.same.get(name)) for name in contract.names if self.same.get(name) != {None}]
        self._write(
            contract.feed,
            f"""
            select {", ".join(columns)},
                delivery._source,
                delivery._delivery_id,
                delivery._source_file,
                _row_number,
                _row_part,
                delivery.received as _received_date,
                timestamp {literal(self.ingested_at.isoformat(sep=" "))} as _ingested_at,
                cast({literal(self.run_id)} as enum({literal(self.run_id)})) as _run_id,
                _row_hash,
                repeated._row_id is not null as _is_repeat,
                _is_deleted
            from passed
            join origin as delivery on {self.same_delivery}
            left join repeated on repeated._row_id = passed._row_id
            """,
        )
        con.execute("drop table origin")

    def _withhold(self, specs: list[FileSpec], contract: Contract) -> None:
        """Keep the keys of snapshots' rows that are in quarantine, empty where they could not be read.

        Such a row is there, whatever is wrong with it: that its key is not among the accepted ones must not end it.
        """
        snapshots = [spec for spec in specs if (spec.delivery or contract.delivery) == "snapshot"]
        if not snapshots:
            return
        key = ", ".join(map(quoted, contract.key))
        unread = ", ".join(f"null as {quoted(name)}" for name in contract.key)
        found = " union all ".join(
            f"""
            select {key}, _delivery_id from batch
            where _row_id in (select _row_id from failing)
                and _delivery_id in (select _delivery_id from mapped_{spec.name})
            union all
            select {key}, _delivery_id from mapped_{spec.name} where _reject_reason is not null
            union all
            select {unread}, _delivery_id from {spec.name}__rejects
            """
            for spec in snapshots
        )
        withheld = f"""
            select distinct {key}, {literal(self.profile.source)} as _source, _delivery_id from ({found})
            where _delivery_id not in (select delivery_id from refused_delivery)
            order by all
        """
        if self.con.execute(f"select count(*) from ({withheld})").fetchall()[0][0]:
            self._write(lake.withheld(contract.feed), withheld)

    def _keep_verdicts(self, feed: str, specs: list[FileSpec]) -> None:
        """Keep the verdicts on rows of files that were taken, the selects' own included: a rebuild replays them."""
        path = self.work / f"verdicts-{feed}.parquet"
        rejected = " ".join(
            f"union all select _delivery_id, _row_number, _row_part, 'map', 'warning', _reject_reason, "
            f"{self.quarantine.waits_sql(self.profile.waits(spec))} from mapped_{spec.name} as m "
            "where _reject_reason is not null"
            for spec in specs
        )
        names = ", ".join(VERDICT)
        self.con.execute(f"""
            copy (
                select {names}
                from (
                    select {literal(feed)} as feed, * from (
                        select b._delivery_id as delivery_id, b._row_number as row_number, b._row_part as row_part,
                            f.rule, f.severity, f.reason, f.waits_for
                        from failing as f
                        join batch as b using (_row_id)
                        {rejected}
                    )
                )
                where delivery_id not in (select delivery_id from refused_delivery)
                order by all
            ) to {literal(str(path))} (format parquet, compression zstd)
        """)
        self.batch.verdicts.append(str(path))

    def _count(
        self,
        feed: str,
        specs: list[FileSpec],
        deliveries: list[tuple[Delivery, FileSpec]],
        reads: dict[str, readers.Counts],
        refused: dict[str, str],
    ) -> None:
        """Add the results of the feed's files."""
        rejected: dict[str, int] = {}
        apart: dict[str, dict[str, int]] = {}
        for spec in specs:
            for delivery_id, is_rejected, kind, rows in self.con.execute(f"""
                select _delivery_id, _reject_reason is not null as is_rejected,
                    case when _reject_reason is null then _structural end as kind, count(*)
                from mapped_{spec.name}
                where _reject_reason is not null or _structural is not null
                group by all
                order by all
            """).fetchall():
                if is_rejected:
                    rejected[delivery_id] = rows
                else:
                    apart.setdefault(delivery_id, {})[kind] = rows
        judged: dict[str, list[int]] = {}
        for delivery_id, then, *counts in self.con.execute("""
            select b._delivery_id, count(*) filter (f.is_rejected), count(*) filter (f.is_rejected is not true),
                count(*) filter (not f.is_rejected), count(r._row_id)
            from batch as b
            -- In a rebuild, what was rejected then is rejected, though the profile of today would map it.
            left join (select _row_id, bool_or(rule = 'map') as is_rejected from failing group by _row_id) as f
                using (_row_id)
            left join repeated as r using (_row_id)
            group by b._delivery_id
        """).fetchall():
            judged[delivery_id] = counts
            rejected[delivery_id] = rejected.get(delivery_id, 0) + then
        # What the lake file really holds, not what it should: the balance is checked against it.
        made = [self.lake / one["path"] for one in self.batch.files if one["feed"] == feed]
        about = self.contracts[feed].event_date or self.contracts[feed].valid_from
        day = f"cast({quoted(about)} as date)" if about else "cast(null as date)"
        found = f"""
            select _delivery_id, count(*), cast(max({day}) filter ({day} <= _received_date) as varchar)
            from ({lake.typed_sql(self.contracts[feed].lake_columns, made)}) group by 1
        """
        in_lake = self.con.execute(found).fetchall() if made else []
        written = {delivery_id: rows for delivery_id, rows, _ in in_lake}
        latest = {delivery_id: event for delivery_id, _, event in in_lake}
        for delivery, spec in deliveries:
            if (read := reads.get(delivery.delivery_id)) is None:
                continue
            error = refused.get(delivery.delivery_id)
            own = apart.get(delivery.delivery_id, {})
            rows, failing, repeats = judged.get(delivery.delivery_id, (0, 0, 0))
            self.batch.results.append(
                FileResult(
                    delivery.source_file,
                    delivery.delivery_id,
                    feed,
                    "refused" if error else "accepted",
                    records=read.records * spec.unpivot,
                    structural=read.structural * spec.unpivot + sum(own.values()),
                    rejected=read.rejected * spec.unpivot + rejected.get(delivery.delivery_id, 0),
                    mapped=rows,
                    accepted=0 if error else written.get(delivery.delivery_id, 0) - repeats,
                    quarantined=rows if error else failing,
                    duplicate=0 if error else repeats,
                    error=f"{delivery.label}: {error}" if error else None,
                    received=delivery.received.isoformat(),
                    entry=spec.entry_of(delivery.source_file),
                    delivery=spec.delivery_of(delivery.source_file, self.contracts[feed]),
                    apart=own,
                    latest_event=None if error else latest.get(delivery.delivery_id),
                    encoding=read.encoding,
                    confidence=read.confidence,
                )
            )

    def current_views(self) -> None:
        """``feed_<feed>``: the current rows of every feed, those accepted earlier in this run included;
        ``known_<feed>``: all its rows."""
        for name, contract in self.contracts.items():
            paths, told = self._paths(name), self._told(name)
            if self.views.get(name) == (paths, told):  # to define a view opens every file of it
                continue
            current, every = checks.views(name)
            rows = lake.rows_sql(contract, paths)
            self.con.execute(f"create or replace view {current} as {lake.current_sql(contract, paths, told)}")
            self.con.execute(f"create or replace view {every} as select * from ({rows}) where not _is_deleted")
            self.views[name] = paths, told

    def _offer(self, contract: Contract) -> None:
        """Put the rows of the batch that nothing speaks against so far into the views of their own feed."""
        offered = f"""
            select passed.*, delivery.source as _source, delivery.received as _received_date
            from passed join delivery on {self.same_delivery}
        """
        current, every = checks.views(contract.feed)
        paths, told = self._paths(contract.feed), self._told(contract.feed)
        rows = lake.rows_sql(contract, paths, None, offered)
        self.con.execute(f"create or replace view {current} as {lake.current_sql(contract, paths, told, offered)}")
        self.con.execute(f"create or replace view {every} as select * from ({rows}) where not _is_deleted")
        self.views.pop(contract.feed, None)

    def _told(self, feed: str) -> Told:
        """What is known of a feed besides its rows, this run included."""
        own = [asdict(one) | {"source": self.profile.source} for one in self.batch.results if one.feed == feed]
        receipts = lake.receipts([*self.log.of_feed(feed), *own]) + self.arriving.get(feed, ())
        return Told(receipts, tuple(self._paths(lake.withheld(feed))))

    def _paths(self, feed: str) -> list[Path]:
        new = [one["path"] for one in self.batch.files if one["feed"] == feed]
        return [self.lake_root / path for path in self.log.files(feed)] + [self.lake / path for path in new]

    def _write(self, feed: str, select: str) -> None:
        name = f"{feed}/{self.run_id}{self.suffix}.parquet"
        path = self.lake / name
        path.parent.mkdir(parents=True, exist_ok=True)
        copy = f"copy ({select}) to {literal(str(path))} ({lake.FORMAT})"
        self.batch.files.append({"feed": feed, "path": name, "rows": self.con.execute(copy).fetchall()[0][0]})


def _listed(name: str, texts: set[str | None] | None) -> str:
    """SQL for a column to write; of a type that lists its texts, where they are known."""
    listed = ", ".join(literal(text) for text in sorted(text for text in texts or () if text is not None))
    return f"cast({quoted(name)} as enum({listed})) as {quoted(name)}" if listed else quoted(name)


def _names(contract: Contract) -> str:
    return ", ".join(map(quoted, contract.names))
