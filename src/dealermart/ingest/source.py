"""Reading a source: delivered files become the tables of raw text and of typed rows of a batch.

The tables are ``<spec>`` raw text, ``<spec>__rejects`` what could not be read, ``mapped_<spec>`` what the select makes
of it, and ``batch`` the typed rows of a feed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from dealermart import landing, mapping, readers
from dealermart.base import DataError, literal, quoted
from dealermart.config import Contract, FileSpec, Profile, profile_sql
from dealermart.ingest.drift import missing_notes
from dealermart.ingest.job import Eraser
from dealermart.ingest.judge import Rejects
from dealermart.ingest.known import Known
from dealermart.lake import FileResult, Quarantine, Receipt
from dealermart.landing import Delivery

_ROWS_BITS = 48  # of a row's number; the kind of file has the ones above


@dataclass(frozen=True)
class FeedTables:
    """The tables of one feed in a batch.

    Attributes:
        specs: Kinds of file of which at least one file could be read: ``<spec>`` and ``mapped_<spec>`` are there.
        reads: What was counted while reading, by delivery; a file that could not be read is not in it.
        same: What all rows of the batch say in a column, where the selects give constants.
    """

    contract: Contract
    deliveries: list[tuple[Delivery, FileSpec]]
    specs: list[FileSpec]
    reads: dict[str, readers.Counts]
    same: dict[str, set[str | None]]


class Source:
    """The files of one source on their way to typed rows.

    Args:
        work: Folder of this run for temporary files.
        quarantine: Takes what could not be read or mapped.
        eraser: Looks for values of a person before anything is written.
    """

    def __init__(
        self, known: Known, work: Path, profile: Profile, quarantine: Quarantine, eraser: Eraser | None = None
    ) -> None:
        self.known, self.work, self.profile, self.quarantine, self.eraser = known, work, profile, quarantine, eraser
        self.con: duckdb.DuckDBPyConnection = known.con

    def reference(self, spec: FileSpec, deliveries: list[Delivery]) -> None:
        """Table ``spec.name``: the rows of a reference known at receipt, those of this run included."""
        con, label, arrived = self.con, self.profile.label(spec), f"arrived_{spec.name}"
        counts = self.read(spec, deliveries, arrived)
        if counts and self.eraser:
            self.eraser.reference(con, self.profile.source, spec, counts)
        if counts:
            repeats, rejected, refused = self._ambiguous(spec, deliveries, counts, arrived)
            self.quarantine.add(label, arrived, "read", spec.name)
            taken = f"""
                select a.*, delivery.received as _received_date
                from {arrived} as a join delivery on delivery.delivery_id = a._delivery_id
                anti join ambiguous on ambiguous._delivery_id = a._delivery_id and ambiguous._row_number = a._row_number
                where a._delivery_id not in ({", ".join(map(literal, refused)) or "''"})
                order by delivery.ordinal, _row_number
            """
            if len(refused) < len(counts):
                self.known.write(label, taken)
            readers.drop(con, arrived)
            con.execute("drop table ambiguous")
        for delivery in deliveries:
            if read := counts.get(delivery.delivery_id):
                lost, error = rejected.get(delivery.delivery_id, 0), refused.get(delivery.delivery_id)
                twice = 0 if error else repeats.get(delivery.delivery_id, 0)
                kept = read.records - read.structural - read.rejected - lost
                self.known.batch.results.append(
                    FileResult(
                        delivery.source_file,
                        delivery.delivery_id,
                        label,
                        "refused" if error else "accepted",
                        records=read.records,
                        structural=read.structural,
                        rejected=read.rejected + lost,
                        mapped=kept,
                        accepted=0 if error else kept - twice,
                        quarantined=kept if error else 0,
                        duplicate=twice,
                        error=error,
                        received=delivery.received.isoformat(),
                        entry=spec.name,
                        drift=missing_notes(read),
                        encoding=read.encoding,
                        confidence=read.confidence,
                        notes=list(read.notes),
                    )
                )
        known = readers.shape(spec, "_received_date date")
        if paths := self.known.paths(label):
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

    def _ambiguous(
        self, spec: FileSpec, deliveries: list[Delivery], counts: Mapping[str, readers.Counts], arrived: str
    ) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
        """Reject rows of a reference whose key stands in another row of their file that says something else: which of
        them is meant, nobody can tell.

        Table ``ambiguous`` has their lineage.

        Returns:
            By delivery: rows that only repeat another one, rows rejected, and why a file is refused that is mostly so.
        """
        con = self.con
        con.execute("create table ambiguous (_delivery_id varchar, _row_number bigint, reason varchar)")
        if not spec.key:
            return {}, {}, {}
        key = ", ".join(quoted(name) for name in ("_delivery_id", *spec.key))
        listed = con.execute(f"describe {quoted(arrived)}").fetchall()
        said = ", ".join(quoted(name) for name, *_ in listed if name not in ("_delivery_id", "_row_number"))
        con.execute(f"""
            insert into ambiguous
            with row as (
                select {key}, _row_number, hash({said}) as _said from {quoted(arrived)}
                where {" and ".join(f"{quoted(name)} is not null" for name in spec.key)}  -- no lookup finds one without
            ),
            doubtful as (
                select {key}, list(_row_number order by _row_number) as places
                from row group by {key} having count(distinct _said) > 1
            )
            select _delivery_id, _row_number,
                {literal(", ".join(spec.key))} || ' stands in rows ' || array_to_string(places[:5], ', ')
                || if(len(places) > 5, ' ...', '') || ', which differ: none of them is taken'
            from row join doubtful using ({key})
        """)
        con.execute(f"""
            insert into {quoted(f"{arrived}__rejects")}
            select a._delivery_id, a._row_number, reason, cast(to_json(a) as varchar)
            from {quoted(arrived)} as a join ambiguous using (_delivery_id, _row_number)
        """)
        rejected = dict(con.execute("select _delivery_id, count(*) from ambiguous group by 1").fetchall())
        repeats = dict(
            con.execute(f"""
                select _delivery_id, count(*) - count(distinct ({key}, hash({said})))
                from {quoted(arrived)} anti join ambiguous using (_delivery_id, _row_number) group by 1
            """).fetchall()
        )
        refused = {}
        for delivery in deliveries:
            rows = rejected.get(delivery.delivery_id, 0)
            if rows and rows * 2 > counts[delivery.delivery_id].records - counts[delivery.delivery_id].structural:
                fault = DataError(
                    f"in {rows} rows of it the key of {spec.name} ({', '.join(spec.key)}) stands more than once, with "
                    "other values beside it",
                    where=delivery.label,
                    mend="add to key in source.yml what tells these rows apart, leave key out where a list has none, "
                    "or correct the file",
                )
                refused[delivery.delivery_id] = str(fault)
        return repeats, rejected, refused

    @contextmanager
    def feed(self, contract: Contract, deliveries: list[tuple[Delivery, FileSpec]]) -> Iterator[FeedTables | None]:
        """The tables of all files of one feed, with ``batch`` of their typed rows; None where no file could be read.

        After the block they are gone.
        """
        specs: list[FileSpec] = []
        texts: list[dict[str, str | None]] = []
        reads: dict[str, readers.Counts] = {}
        for spec in dict.fromkeys(spec for _, spec in deliveries):
            of_spec = [delivery for delivery, kind in deliveries if kind is spec]
            if found := self.read(spec, of_spec, spec.name):
                reads |= found
                specs.append(spec)
                texts.append(self.map(spec, contract, found))
                stored = [delivery.erased / "mapped.parquet" for delivery in of_spec if delivery.erased]
                if stored := [path for path in stored if path.exists()]:
                    landing.restore_erased(self.con, f"mapped_{spec.name}", contract, stored)
                    texts[-1] = {}
                if self.eraser:
                    self.eraser.feed(self.con, self.profile.source, spec, contract, found)
        if not specs:
            yield None
            return
        self._gather(specs, contract)
        same = {name: {said[name] for said in texts} for name in contract.names if all(name in said for said in texts)}
        yield FeedTables(contract, deliveries, specs, reads, same)
        for spec in specs:
            readers.drop(self.con, spec.name)
            readers.drop(self.con, f"mapped_{spec.name}")

    def read(self, spec: FileSpec, deliveries: list[Delivery], table: str) -> dict[str, readers.Counts]:
        """Read files of one kind into ``table``; a file that cannot be read is refused and the others go on."""
        files: list[readers.File] = []
        for delivery in deliveries:
            how = spec.as_delivered(delivery.source_file)
            make = partial(landing.load_erased, folder=delivery.erased) if delivery.erased else None
            files.append(readers.File(delivery.payload, how, delivery.delivery_id, make))
        found = readers.read_all(self.con, files, table, self.work)
        for delivery in deliveries:
            error = found[delivery.delivery_id]
            if isinstance(error, DataError):
                # The delivered name says more to the reader of the message than the payload's own path.
                where = error.where.replace(str(delivery.payload), delivery.label)
                self.known.batch.results.append(
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
            elif witness := self.known.job.witness:
                witness.read(self.con, spec, delivery, table, error)
        return {key: counts for key, counts in found.items() if not isinstance(counts, DataError)}

    def map(
        self, spec: FileSpec, contract: Contract, reads: Mapping[str, readers.Counts] = {}
    ) -> dict[str, str | None]:
        """View ``mapped_<spec>``: what the select makes of the raw rows in table ``<spec>``; see ``map_rows``."""
        path, sql = profile_sql(self.known.job.settings, self.profile.source, spec)
        references = [reference.name for reference in self.profile.references]
        mapping.check_select(
            self.con, path, sql, [spec.name, *references, *(f"feed_{feed}" for feed in self.known.job.contracts)]
        )
        return mapping.map_rows(self.con, path, sql, spec, contract, f"mapped_{spec.name}", reads)

    def _gather(self, specs: list[FileSpec], contract: Contract) -> None:
        """View ``batch``: the mapped rows of all files. They are numbered by their place in the mapped tables, which is
        the order of receipt for files of one kind; nothing is copied or sorted."""
        names, parts = ", ".join(map(quoted, contract.names)), []
        for index, spec in enumerate(specs):
            said = "_row_hash"
            if landing.ERASED_HASH in (
                name for name, *_ in self.con.execute(f"describe mapped_{spec.name}").fetchall()
            ):
                said = f"coalesce({landing.ERASED_HASH}, _row_hash, {mapping.row_hash(contract)})"
            parts.append(f"""
                select {index << _ROWS_BITS} + _place as _row_id, {names}, _delivery_id, _row_number, _row_part,
                    _is_deleted, {said} as _row_hash
                from mapped_{spec.name} where _reject_reason is null and _structural is null
            """)
        self.con.execute(f"create temp view batch as {' union all '.join(parts)}")

    def rejects(self, tables: FeedTables) -> dict[str, Rejects]:
        """Rows of each delivery that could not be read or mapped."""
        rejects: dict[str, Rejects] = {}
        for spec in tables.specs:
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
                read = tables.reads[delivery_id]
                of = (read.records - read.structural) * spec.unpivot
                rejects[delivery_id] = Rejects(rows, of, first_row, first_reason)
        return rejects

    def receipts(self, tables: FeedTables) -> Iterator[Receipt]:
        """That the files of a feed were received, before they are judged."""
        for delivery, spec in tables.deliveries:
            if delivery.delivery_id in tables.reads:
                entry = spec.entry_of(delivery.source_file)
                kind = spec.delivery_of(delivery.source_file, tables.contract)
                received = delivery.received.isoformat()
                yield Receipt(self.profile.source, delivery.delivery_id, entry, kind, received, is_repeat=False)
