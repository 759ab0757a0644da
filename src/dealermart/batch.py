"""From landed files to accepted, quarantined and refused rows: the part of ingestion that a rebuild repeats.

A batch is what one source delivered in one run. Nothing here decides: a judge says which rows fail (the suites when files
arrive, the recorded verdicts when the lake is rebuilt). Every count is checked before anything is returned.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dealermart import files, lake, mapping, profiles, readers
from dealermart.contracts import Contract
from dealermart.errors import BalanceError, DataError
from dealermart.lake import Log, literal, quoted
from dealermart.landing import Delivery
from dealermart.profiles import FileSpec, Profile
from dealermart.settings import Settings


@dataclass(frozen=True)
class Rejects:
    """Rows of a file that could not be read or mapped: how many of how many (structural ones aside), and the first of them."""

    rows: int
    of: int
    first_row: int
    first_reason: str


# (connection, feed, table, rejects per delivery) -> error text per refused delivery; fills `failing(_row_id, rule, severity, reason)`.
Judge = Callable[[duckdb.DuckDBPyConnection, str, str, dict[str, Rejects]], dict[str, str]]

QUARANTINE = {
    "run_id": "varchar",
    "source": "varchar",
    "feed": "varchar",
    "delivery_id": "varchar",
    "source_file": "varchar",
    "row_number": "bigint",
    "row_part": "integer",
    "stage": "varchar",
    "rule": "varchar",
    "severity": "varchar",
    "reason": "varchar",
    "row": "varchar",
}

# The record as it was read, for people who correct it.
_RECORD = "cast(to_json(raw) as varchar)"


@dataclass
class FileResult:
    """What became of one delivered file. Counts are None where the file could not be read."""

    file: str
    delivery_id: str
    feed: str | None
    status: str  # accepted, duplicate, refused, unrecognised
    records: int | None = None
    structural: int | None = None
    rejected: int | None = None
    mapped: int | None = None
    accepted: int | None = None
    quarantined: int | None = None
    duplicate: int | None = None
    error: str | None = None
    received: str = ""
    apart: dict[str, int] = field(default_factory=dict)  # structural rows that the select sets apart, by its reason
    faults: list[dict[str, Any]] = field(
        default_factory=list
    )  # per rule and reason: stage, rule, reason, rows, first_row

    def check(self) -> None:
        """Both balances of a file that was read.

        Raises:
            BalanceError: a row is missing or counted twice.
        """
        if self.records is None:
            return
        assert self.mapped is not None and self.structural is not None and self.rejected is not None
        assert self.accepted is not None and self.quarantined is not None and self.duplicate is not None
        if (
            self.records != self.mapped + self.structural + self.rejected
            or self.mapped != self.accepted + self.quarantined + self.duplicate
        ):
            raise BalanceError(
                f"the rows of the file do not add up: {self}",
                where=self.file,
                mend="report this as a fault of the program; nothing was committed",
            )


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
    """A DuckDB in memory that can reach nothing but this run's folder and ``readable``; gone with all it held afterwards."""
    work = settings.work / run_id
    work.mkdir(parents=True)
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    try:
        allowed = ", ".join(literal(str(path)) for path in (work, *readable))
        con.execute(f"set allowed_directories = [{allowed}]; set enable_external_access = false; set TimeZone = 'UTC'")
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
    say: Callable[[str], None] = lambda text: None,
) -> Batch:
    """Read, map, judge and write a batch.

    Args:
        deliveries: The files, each with its kind, in the order of receipt.
        log: Commits before this batch; references and current rows are looked up as of it.
        lake_root: Where the files that ``log`` names stand.
        target: Where new files go.
        judge: Says which rows fail.

    Raises:
        ConfigError: the profile is broken. BalanceError: rows went missing. CheckCrashed: a check could not be run.
    """
    batch = Batch()
    con.execute("create table delivery (ordinal integer, delivery_id varchar, source_file varchar, received date)")
    for ordinal, (delivery, _) in enumerate(deliveries):
        con.execute(
            "insert into delivery values (?, ?, ?, ?)",
            [ordinal, delivery.delivery_id, delivery.source_file, delivery.received],
        )
    context = _Context(con, work, settings, profile, contracts, log, lake_root, target, run_id, ingested_at, batch)
    for spec in profile.references:
        context.reference(spec, [one for one, kind in deliveries if kind is spec])
    for feed in dict.fromkeys(spec.feed for spec in profile.files if spec.feed):
        of_feed = [(delivery, spec) for delivery, spec in deliveries if spec.feed == feed]
        if of_feed:
            say(f"{feed}: {len(of_feed)} file{'s' if len(of_feed) > 1 else ''}")
            context.feed(feed, of_feed, judge)
    order = {delivery.delivery_id: ordinal for ordinal, (delivery, _) in enumerate(deliveries)}
    batch.results.sort(key=lambda one: order[one.delivery_id])
    found = context.faults()
    for result in batch.results:
        result.check()
        result.faults = found.get(result.delivery_id, [])
    for name in (*{one["path"] for one in batch.files},):
        files.sync(target.lake / name)
    return batch


@dataclass
class _Context:
    con: duckdb.DuckDBPyConnection
    work: Path
    settings: Settings
    profile: Profile
    contracts: dict[str, Contract]
    log: Log
    lake_root: Path
    target: Target
    run_id: str
    ingested_at: dt.datetime
    batch: Batch

    def reference(self, spec: FileSpec, deliveries: list[Delivery]) -> None:
        """Table ``spec.name``: the rows of a reference known at receipt, those of this run included."""
        label = f"{self.profile.source}.{spec.name}"
        counts = self._read(spec, deliveries, "arrived")
        for delivery in deliveries:
            if delivery.delivery_id in counts:
                read = counts[delivery.delivery_id]
                kept = read.records - read.structural - read.rejected
                self._quarantine_rejects(spec, delivery, label, "arrived")
                self.batch.results.append(
                    FileResult(
                        delivery.source_file,
                        delivery.delivery_id,
                        label,
                        "accepted",
                        read.records,
                        read.structural,
                        read.rejected,
                        kept,
                        kept,
                        0,
                        0,
                        received=delivery.received.isoformat(),
                    )
                )
        paths = self._paths(label)
        if counts:
            columns = "select arrived.*, delivery.received as _received_date from arrived join delivery on delivery.delivery_id = arrived._delivery_id"
            paths.append(self._write(label, f"{columns} order by delivery.ordinal, _row_number"))
        shape = (
            ", ".join(f"cast(null as varchar) as {quoted(name)}" for name in (*_canonical(spec), "_delivery_id"))
            + ", cast(null as bigint) as _row_number, cast(null as date) as _received_date"
        )
        known = f"select {shape} where false"
        if paths:
            known += f" union all by name select * from read_parquet([{', '.join(literal(str(path)) for path in paths)}], union_by_name = true)"
        rank = (
            f"row_number() over (partition by {', '.join(map(quoted, spec.key))} order by _received_date desc, _delivery_id desc, _row_number desc)"
            if spec.key
            else "dense_rank() over (order by _received_date desc, _delivery_id desc)"
        )
        self.con.execute(
            f"create table {quoted(spec.name)} as select * exclude (_rank) from (select *, {rank} as _rank from ({known})) where _rank = 1"
        )
        self.con.execute("drop table if exists arrived; drop table if exists arrived__rejects")

    def feed(self, feed: str, deliveries: list[tuple[Delivery, FileSpec]], judge: Judge) -> None:
        """Read, map and judge all files of one feed; write its lake and quarantine files."""
        con, contract = self.con, self.contracts[feed]
        self._current_views()
        mapped, reads = [], {}
        for spec in dict.fromkeys(spec for _, spec in deliveries):
            found = self._read(spec, [delivery for delivery, kind in deliveries if kind is spec], spec.name)
            reads |= {delivery_id: (spec, counts) for delivery_id, counts in found.items()}
            if found:
                path, sql = profiles.sql_of(self.settings, self.profile.source, spec)
                tables = [
                    spec.name,
                    *(one.name for one in self.profile.references),
                    *(f"feed_{name}" for name in self.contracts),
                ]
                mapping.check_select(con, path, sql, tables)
                mapping.map_rows(con, path, sql, spec, contract, f"mapped_{spec.name}")
                mapped.append(spec)
        if not reads:
            return
        names = ", ".join(quoted(name) for name in contract.names)
        digest = ", ".join(f"coalesce(cast({quoted(name)} as varchar), chr(0))" for name in contract.names)
        union = " union all ".join(
            f"select {names}, _delivery_id, _row_number, _row_part from mapped_{spec.name} where _reject_reason is null and _structural is null"
            for spec in mapped
        )
        con.execute(f"""
            create table batch as
            select row_number() over (order by delivery.ordinal, _row_number, _row_part) as _row_id, {names}, _delivery_id,
                delivery.source_file as _source_file, _row_number, _row_part, md5(concat_ws(chr(31), {digest})) as _row_hash
            from ({union}) join delivery on delivery.delivery_id = _delivery_id
        """)
        con.execute("create table failing (_row_id bigint, rule varchar, severity varchar, reason varchar)")
        refused = judge(con, feed, "batch", self._rejects(reads, mapped))
        con.execute("create table refused_delivery (delivery_id varchar)")
        if refused:
            con.executemany("insert into refused_delivery values (?)", [[delivery_id] for delivery_id in refused])
        self._mark_repeats(contract)
        self._write_accepted(feed, contract, names)
        for delivery_id, (spec, _) in reads.items():
            self._quarantine_rejects(
                spec, next(one for one, _ in deliveries if one.delivery_id == delivery_id), feed, spec.name
            )
        for spec in mapped:
            self._quarantine_unmapped(spec, feed)
            self._quarantine_failing(spec, feed)
        self._verdicts(feed)
        self._count(feed, deliveries, reads, mapped, refused)
        for table in (
            "batch",
            "failing",
            "refused_delivery",
            "repeated",
            *(f"mapped_{spec.name}" for spec in mapped),
            *(spec.name for spec in mapped),
            *(f"{spec.name}__rejects" for spec in mapped),
        ):
            con.execute(f"drop table {quoted(table)}")

    def _read(self, spec: FileSpec, deliveries: list[Delivery], table: str) -> dict[str, readers.Counts]:
        """Read files of one kind into ``table``; a file that cannot be read is refused and the others go on."""
        con, counts = self.con, {}
        for index, delivery in enumerate(deliveries):
            try:
                counts[delivery.delivery_id] = readers.read(
                    con, delivery.payload, spec, f"{table}_{index}", delivery.delivery_id, self.work
                )
            except DataError as error:
                # The payload's own path says nothing to the reader of the message; the delivered name does.
                where = error.where.replace(str(delivery.payload), delivery.source_file)
                text = str(DataError(error.what, where=where, mend=error.mend))
                self.batch.results.append(
                    FileResult(
                        delivery.source_file,
                        delivery.delivery_id,
                        spec.feed,
                        "refused",
                        error=text,
                        received=delivery.received.isoformat(),
                    )
                )
                for left in (f"{table}_{index}", f"{table}_{index}__rejects"):
                    con.execute(f"drop table if exists {quoted(left)}")
        good = [index for index, delivery in enumerate(deliveries) if delivery.delivery_id in counts]
        if good:
            shape = ", ".join(
                f"cast(null as varchar) as {quoted(name)}" for name in (*_canonical(spec), "_delivery_id")
            )
            for suffix, empty in (
                ("", f"select {shape}, cast(null as bigint) as _row_number where false union all by name "),
                ("__rejects", ""),
            ):
                parts = " union all by name ".join(
                    f"select * from {quoted(f'{table}_{index}{suffix}')}" for index in good
                )
                con.execute(f"create table {quoted(table + suffix)} as {empty}{parts}")
                for index in good:
                    con.execute(f"drop table {quoted(f'{table}_{index}{suffix}')}")
        return counts

    def _current_views(self) -> None:
        """``feed_<feed>``: the current rows of every feed, those accepted earlier in this run included."""
        for name, contract in self.contracts.items():
            self.con.execute(
                f"create or replace view {quoted(f'feed_{name}')} as {lake.current_sql(contract, self._paths(name))}"
            )

    def _paths(self, feed: str) -> list[Path]:
        known = [
            self.lake_root / one["path"]
            for commit in self.log.commits
            for one in commit["files"]
            if one["feed"] == feed
        ]
        return known + [self.target.lake / one["path"] for one in self.batch.files if one["feed"] == feed]

    def _write(self, feed: str, select: str) -> Path:
        name = f"{feed}/{self.run_id}.parquet"
        path = self.target.lake / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = self.con.execute(
            f"copy ({select}) to {literal(str(path))} (format parquet, compression zstd)"
        ).fetchall()[0][0]
        self.batch.files.append({"feed": feed, "path": name, "rows": rows})
        return path

    def _mark_repeats(self, contract: Contract) -> None:
        """Table ``repeated``: rows equal in key and content to one that was accepted before, or that stands earlier in this batch."""
        key = ", ".join(quoted(name) for name in contract.key)
        paths = self._paths(contract.feed)
        known = f"select {key}, _row_hash from ({lake.rows_sql(contract, paths)})"
        self.con.execute(f"""
            create table repeated as
            with candidates as (
                select _row_id, {key}, _row_hash, row_number() over (partition by {key}, _row_hash order by _row_id) as _copy from batch
                where _row_id not in (select _row_id from failing) and _delivery_id not in (select delivery_id from refused_delivery)
            )
            select _row_id from candidates where _copy > 1
            union
            select _row_id from candidates semi join ({known}) as known using ({key}, _row_hash)
        """)

    def _write_accepted(self, feed: str, contract: Contract, names: str) -> None:
        passed = "_row_id not in (select _row_id from failing) and _delivery_id not in (select delivery_id from refused_delivery)"
        if not self.con.execute(f"select count(*) from batch where {passed}").fetchall()[0][0]:
            return
        self._write(
            feed,
            f"""
            select {names}, {literal(self.profile.source)} as _source, _delivery_id, _source_file, _row_number, _row_part, delivery.received as _received_date,
                timestamp {literal(self.ingested_at.isoformat(sep=" "))} as _ingested_at, {literal(self.run_id)} as _run_id, _row_hash,
                repeated._row_id is not null as _is_repeat
            from batch join delivery on delivery.delivery_id = batch._delivery_id left join repeated on repeated._row_id = batch._row_id
            where batch.{passed} order by batch._row_id
        """,
        )

    def _quarantine(self, feed: str, label: str, stage: str, select: str) -> None:
        """Write quarantine rows from a select of (delivery_id, row_number, row_part, rule, severity, reason, row)."""
        name = f"{feed}/{self.run_id}-{label}-{stage}.parquet"
        path = self.target.quarantine / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f"cast({name} as {kind}) as {quoted(name)}" for name, kind in QUARANTINE.items())
        rows = self.con.execute(f"""
            copy (
                select {columns} from (
                    select found.*, delivery.source_file, {literal(self.run_id)} as run_id, {literal(self.profile.source)} as source,
                        {literal(feed)} as feed, {literal(stage)} as stage
                    from ({select}) as found join delivery using (delivery_id)
                ) order by source_file, row_number, row_part, rule
            ) to {literal(str(path))} (format parquet, compression zstd)
        """).fetchall()[0][0]
        if rows:
            self.batch.quarantine.append({"feed": feed, "path": name, "rows": rows})
        else:
            path.unlink()

    def _quarantine_rejects(self, spec: FileSpec, delivery: Delivery, feed: str, table: str) -> None:
        self._quarantine(
            feed,
            f"{spec.name}-{delivery.delivery_id}",
            "read",
            f"""
            select _delivery_id as delivery_id, _row_number as row_number, 1 as row_part, 'read' as rule, 'warning' as severity, reason, line as "row"
            from {quoted(table + "__rejects")} where _delivery_id = {literal(delivery.delivery_id)}
        """,
        )

    def _quarantine_unmapped(self, spec: FileSpec, feed: str) -> None:
        self._quarantine(
            feed,
            spec.name,
            "map",
            f"""
            select m._delivery_id as delivery_id, m._row_number as row_number, m._row_part as row_part, 'map' as rule, 'warning' as severity,
                m._reject_reason as reason, {_RECORD} as "row"
            from mapped_{spec.name} as m join {quoted(spec.name)} as raw using (_delivery_id, _row_number) where m._reject_reason is not null
        """,
        )

    def _quarantine_failing(self, spec: FileSpec, feed: str) -> None:
        self._quarantine(
            feed,
            spec.name,
            "check",
            f"""
            select b._delivery_id as delivery_id, b._row_number as row_number, b._row_part as row_part, f.rule, f.severity, f.reason, {_RECORD} as "row"
            from failing as f join batch as b using (_row_id) join {quoted(spec.name)} as raw on raw._delivery_id = b._delivery_id and raw._row_number = b._row_number
        """,
        )

    def faults(self) -> dict[str, list[dict[str, Any]]]:
        """What is in quarantine, per delivery: how many rows for which reason, and the first of them."""
        paths = ", ".join(literal(str(self.target.quarantine / one["path"])) for one in self.batch.quarantine)
        if not paths:
            return {}
        names = ("stage", "rule", "reason", "rows", "first_row")
        found: dict[str, list[dict[str, Any]]] = {}
        for delivery_id, *values in self.con.execute(f"""
            select delivery_id, stage, rule, reason, count(*), min(row_number) from read_parquet([{paths}])
            group by all order by delivery_id, min(row_number), rule, reason
        """).fetchall():
            found.setdefault(delivery_id, []).append(dict(zip(names, values, strict=True)))
        return found

    def _rejects(self, reads: dict[str, tuple[FileSpec, readers.Counts]], mapped: list[FileSpec]) -> dict[str, Rejects]:
        rejects: dict[str, Rejects] = {}
        for spec in mapped:
            for delivery_id, rows, first_row, first_reason in self.con.execute(f"""
                select _delivery_id, count(*), min(_row_number), arg_min(reason, _row_number) from (
                    select _delivery_id, _row_number, reason from {quoted(spec.name + "__rejects")}
                    union all
                    select _delivery_id, _row_number, _reject_reason from mapped_{spec.name} where _reject_reason is not null
                ) group by all
            """).fetchall():
                read = reads[delivery_id][1]
                rejects[delivery_id] = Rejects(
                    rows, (read.records - read.structural) * spec.unpivot, first_row, first_reason
                )
        return rejects

    def _verdicts(self, feed: str) -> None:
        """Keep the judge's verdicts on rows of files that were taken: a rebuild replays them."""
        path = self.work / f"verdicts-{feed}.parquet"
        self.con.execute(f"""
            copy (
                select {literal(feed)} as feed, b._delivery_id as delivery_id, b._row_number as row_number, b._row_part as row_part, f.rule, f.severity, f.reason
                from failing as f join batch as b using (_row_id)
                where b._delivery_id not in (select delivery_id from refused_delivery) order by all
            ) to {literal(str(path))} (format parquet, compression zstd)
        """)
        self.batch.verdicts.append(str(path))

    def _count(
        self,
        feed: str,
        deliveries: list[tuple[Delivery, FileSpec]],
        reads: dict[str, tuple[FileSpec, readers.Counts]],
        mapped: list[FileSpec],
        refused: dict[str, str],
    ) -> None:
        unmapped: dict[str, tuple[int, int]] = {}
        apart: dict[str, dict[str, int]] = {}
        for spec in mapped:
            for delivery_id, is_rejected, kind, rows in self.con.execute(f"""
                select _delivery_id, _reject_reason is not null, case when _reject_reason is null then _structural end, count(*)
                from mapped_{spec.name} where _reject_reason is not null or _structural is not null
                group by all order by all
            """).fetchall():
                rejected, structural = unmapped.get(delivery_id, (0, 0))
                unmapped[delivery_id] = (rejected + rows, structural) if is_rejected else (rejected, structural + rows)
                if not is_rejected:
                    apart.setdefault(delivery_id, {})[kind] = rows
        judged = {
            delivery_id: counts
            for delivery_id, *counts in self.con.execute("""
                select b._delivery_id, count(*), count(f._row_id), count(r._row_id)
                from batch as b
                left join (select _row_id from failing group by _row_id) as f using (_row_id)
                left join repeated as r using (_row_id)
                group by b._delivery_id
            """).fetchall()
        }
        # What the lake file really holds, not what it should: the balance is checked against it.
        made = [literal(str(self.target.lake / one["path"])) for one in self.batch.files if one["feed"] == feed]
        count = f"select _delivery_id, count(*) from read_parquet([{', '.join(made)}]) group by 1"
        written: dict[str, int] = dict(self.con.execute(count).fetchall()) if made else {}
        for delivery, spec in deliveries:
            if delivery.delivery_id not in reads:
                continue
            read = reads[delivery.delivery_id][1]
            rejected, structural = unmapped.get(delivery.delivery_id, (0, 0))
            rows, failing, repeats = judged.get(delivery.delivery_id, (0, 0, 0))
            error = refused.get(delivery.delivery_id)
            result = FileResult(
                delivery.source_file,
                delivery.delivery_id,
                feed,
                "refused" if error else "accepted",
                records=read.records * spec.unpivot,
                structural=read.structural * spec.unpivot + structural,
                rejected=read.rejected * spec.unpivot + rejected,
                mapped=rows,
                accepted=0 if error else written.get(delivery.delivery_id, 0) - repeats,
                quarantined=rows if error else failing,
                duplicate=0 if error else repeats,
                error=f"{delivery.source_file}: {error}" if error else None,
                received=delivery.received.isoformat(),
                apart=apart.get(delivery.delivery_id, {}),
            )
            self.batch.results.append(result)


def _canonical(spec: FileSpec) -> list[str]:
    """Raw column names that the profile promises to the select, whether or not a file has them."""
    return list(dict.fromkeys((*spec.columns, *spec.aliases, *spec.required_columns)))
