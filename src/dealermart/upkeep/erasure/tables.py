"""The tables of a batch on which an erasure looks: rows that are touched, and what stands in for them in landing."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dealermart import lake, mapping
from dealermart.base import Settings, literal, quoted, typed_sql, workspace
from dealermart.config import Contract, FileSpec
from dealermart.landing import ERASED_HASH, ERASED_MARKS, ERASED_NAME, close_erased
from dealermart.readers import Counts
from dealermart.upkeep.erasure.person import Person

_OF_COPIES = "where _delivery_id in (select _delivery_id from touched_delivery)"


def draft_of(settings: Settings, source: str, received: str, delivery_id: str) -> Path:
    """Where what is to stand in for a delivery is made, until the commit."""
    return settings.pending / "landing" / source / received / delivery_id / ERASED_NAME


class Tables:
    """Finds the rows and takes the values out; keeps what is to stand in landing below ``settings.pending``.

    It is the ``ingest.Eraser`` of two rebuilds: the first looks at records that are still whole, the second
    (``is_looking`` false) at refused rows only.
    """

    def __init__(self, person: Person) -> None:
        self.person, self.settings, self.log = person, person.settings, person.log
        self.rows: dict[str, int] = {}
        self.changed: list[tuple[str, str, str]] = []  # source, received, delivery_id
        self.unmapped: set[tuple[str, str, int]] = set()  # source, delivery_id, row_number
        self.is_looking = True
        self.others: set[tuple[str, str]] = set()  # source, delivery_id: of the same bytes as one that is changed
        self.received = {
            (delivery["source"], delivery["delivery_id"]): delivery["received"]
            for delivery in self.log.deliveries()
            if delivery["status"] == "accepted"
        }

    def look_again(self) -> bool:
        """Whether deliveries are left whose bytes go because the same bytes are another delivery that is changed: then
        the look begins anew, and they are changed too."""
        changed = {(source, delivery_id) for source, _, delivery_id in self.changed}
        contents = {(source, lake.content_of(delivery_id)) for source, delivery_id in changed}
        left = {pair for pair in self.received if (pair[0], lake.content_of(pair[1])) in contents} - changed
        if not left:
            return False
        self.others |= left
        self.rows, self.changed, self.unmapped = {}, [], set()
        shutil.rmtree(self.settings.pending / "landing")
        return True

    def feed(
        self,
        con: duckdb.DuckDBPyConnection,
        source: str,
        spec: FileSpec,
        contract: Contract,
        reads: Mapping[str, Counts],
    ) -> None:
        """See ``ingest.Eraser``. The tables of the batch stay as they are: others may look up what is in them."""
        if not self.is_looking:
            return
        raw, mapped = quoted(spec.name), f"mapped_{spec.name}"
        new, changed = self.person.changes(contract)
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
            select _delivery_id, _row_number from {raw} where {self.person.mentions(said)}
            union
            select _delivery_id, _row_number from {raw}
            semi join (select _delivery_id, _row_number from dated where {self.person.is_old(contract)}) as old
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
        if ERASED_HASH not in (name for name, *_ in con.execute("describe erasing_mapped").fetchall()):
            con.execute(f"alter table erasing_mapped add column {ERASED_HASH} {ERASED_MARKS[ERASED_HASH]}")
        said = f"cast(coalesce({ERASED_HASH}, {mapping.row_hash(contract)}) as varchar)"
        con.execute(
            f"update erasing_mapped set {ERASED_HASH} = hash({literal(self.person.key)} || {said}) where {where}"
        )
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
        if cutoff := self.person.cutoffs.get(feed):
            old = f"_delivery_id in (select delivery_id from delivery where received < date '{cutoff}')"
        where = f"line is not null and ({self.person.mentions('line')} or {old})"
        rejects = quoted(f"{raw}__rejects")
        others = ", ".join(literal(delivery_id) for of, delivery_id in self.others if of == source) or "''"
        con.execute(f"""
            create temp table touched_delivery as
            select _delivery_id from touched union select _delivery_id from {rejects} where {where}
            union select _delivery_id from {quoted(raw)} where _delivery_id in ({others});
            create temp table erasing as from {quoted(raw)} {_OF_COPIES};
            create temp table erasing__rejects as from {rejects} {_OF_COPIES}
        """)
        rows: int = con.execute("select count(*) from touched").fetchall()[0][0]
        lines = con.execute(f"update erasing__rejects set line = null where {where}").fetchall()[0][0]
        if rows + lines:
            self.rows[feed] = self.rows.get(feed, 0) + rows + lines
        made = []
        for (delivery_id,) in con.execute("select _delivery_id from touched_delivery order by 1").fetchall():
            received = self.received[source, delivery_id]
            self.changed.append((source, received, delivery_id))
            made.append((delivery_id, draft_of(self.settings, source, received, delivery_id)))
            made[-1][1].mkdir(parents=True)
        yield made, rows
        for delivery_id, folder in made:
            for name, table in (("read", "erasing"), ("rejects", "erasing__rejects")):
                _write(
                    con, f"from {table} where _delivery_id = {literal(delivery_id)} order by _row_number", folder, name
                )
            close_erased(folder, reads[delivery_id])
        con.execute("drop table touched; drop table touched_delivery; drop table erasing; drop table erasing__rejects")

    def reference(
        self, con: duckdb.DuckDBPyConnection, source: str, spec: FileSpec, reads: Mapping[str, Counts]
    ) -> None:
        """See ``ingest.Eraser``. A reference has no contract: cells that name the person get a code instead."""
        if not self.is_looking:
            return
        table = f"arrived_{spec.name}"
        texts = _texts(con, table)
        cells = " or ".join(self.person.mentions(name) for name in texts) or "false"
        con.execute(f"create temp table touched as select _delivery_id from {table} where {cells}")
        with self._copies(con, source, f"{source}.{spec.name}", table, reads):
            for name in texts:
                con.execute(f"update erasing set {name} = {self.person.token(name)} where {self.person.mentions(name)}")

    def refused(self, kept: Path, copy: Path, commit: dict[str, Any]) -> None:
        """See ``ingest.Eraser``."""
        with workspace(self.settings, f"refused-{secrets.token_hex(4)}", kept.parent, copy.parent) as (con, _):
            con.execute(f"create table kept as from read_parquet({literal(str(kept))})")
            (feed,) = con.execute("select any_value(feed) from kept").fetchall()[0]
            contract = self.person.known.get(feed)
            hits = [self.person.mentions("coalesce(\"row\", '') || coalesce(mapped, '')")]
            if contract is not None:
                con.execute(f"create table said as select rowid as place, {lake.mapped_sql(contract)} from kept")
                tests = [
                    test
                    for column in contract.columns
                    if (test := self.person.matches(contract, column.name)) != "false"
                ]
                hits.append(f"rowid in (select place from said where {' or '.join(tests) or 'false'})")
            if (cutoff := self.person.cutoffs.get(feed)) and commit["received"] < cutoff.isoformat():
                hits.append("true")
            where = f"""("row" is not null or mapped is not null) and ({" or ".join(hits)})"""
            # A row stands there once per rule.
            rows = f"select count(distinct (delivery_id, row_number, row_part)) from kept where {where}"
            changed = con.execute(rows).fetchall()[0][0]
            con.execute(f'update kept set "row" = null, mapped = null where {where}')
            con.execute(f"copy (from kept) to {literal(str(copy))} (format parquet, compression zstd)")
        if changed and self.is_looking:
            self.rows[feed] = self.rows.get(feed, 0) + changed

    def _keep_mapped(
        self, con: duckdb.DuckDBPyConnection, source: str, contract: Contract, delivery_id: str, folder: Path
    ) -> None:
        """Keep the rows of a delivery from which something was erased, as mapped; and those of them that were mapped
        again when they left the quarantine, as they are in the lake: nothing is left to map them from."""
        own = f"where _delivery_id = {literal(delivery_id)} and {ERASED_HASH} is not null"
        _write(con, f"from erasing_mapped {own} order by _row_number, _row_part", folder, "mapped")
        made = [self.settings.log / kept for commit in self.log.commits if (kept := commit.get("decisions"))]
        again = f"""
            select row_number, row_part from ({typed_sql(lake.DECISION_COLUMNS, made)})
            where decision = 'mapped_again' and source = {literal(source)} and delivery_id = {literal(delivery_id)}
                and feed = {literal(contract.feed)}
        """
        gone = f"""
            select _row_number, _row_part from erasing_mapped {own}
                and (_reject_reason is not null or (_row_number, _row_part) in ({again}))
        """
        new, _ = self.person.changes(contract)
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


def _write(con: duckdb.DuckDBPyConnection, sql: str, folder: Path, name: str) -> None:
    con.execute(f"copy ({sql}) to {literal(str(folder / f'{name}.parquet'))} (format parquet, compression zstd)")


def _texts(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of raw text of a table."""
    found = con.execute(f"describe {quoted(table)}").fetchall()
    return [quoted(name) for name, kind, *_ in found if kind == "VARCHAR" and name != "_delivery_id"]
