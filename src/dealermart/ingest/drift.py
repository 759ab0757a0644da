"""Drift: what a file holds against the deliveries of the same kind that were taken before it.

A new column and one that holds nothing any more are reported. A column that changes its type, and a file that has
shrunk, refuse the file; an override takes it all the same. Before is a matter of received dates: what was loaded first
plays no part. Only names and counts are kept, in the log beside each delivery.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from statistics import median
from typing import Any

import duckdb

from dealermart import readers
from dealermart.base import literal, quoted
from dealermart.config import Column, Contract, FileSpec, Profile
from dealermart.ingest.judge import DATES, Judge, Rejects
from dealermart.ingest.overrides import Refusals
from dealermart.lake import FileResult, Log
from dealermart.landing import Delivery
from dealermart.mapping import cast_sql
from dealermart.readers import named

RULES = ("shrinkage", "type_flip")

SHRINK_BELOW = 0.5  # of a snapshot for which the profile says nothing

LAST = 5  # deliveries to compare with

FEWEST = 10  # values from which anything is concluded

_SAMPLE = 10_000

_STRETCH = 100  # rows of a large file's sample that stand together

_MOST_COLUMNS = 200

# Every column is text when it is read; these casts are what a contract would ask of it.
_KINDS = {
    kind: Column(name="value", type=type_, description="any value")
    for kind, type_ in (("number", "decimal(38,6)"), ("date", "date"))
}

# Per column of a file: how many values, how many of them were tried, and how many of these are numbers and dates.
Seen = dict[str, list[int]]

# A file of the run: delivery id and the name under which it came.
File = tuple[str, str]


class DriftWatch:
    """Compares the files of one run with the deliveries of the log, and keeps what it saw for those to come."""

    def __init__(self, profile: Profile, contracts: dict[str, Contract], log: Log, refusals: Refusals) -> None:
        self._profile, self._contracts, self._log, self._refusals = profile, contracts, log, refusals
        self._seen: dict[str, Seen] = {}
        self._notes: dict[str, list[dict[str, str]]] = {}
        self._repeats: dict[str, list[Delivery]] = {}

    def repeated(self, delivery: Delivery, spec: FileSpec) -> None:
        """Note a file whose content was taken before: as a snapshot of another day it is the whole once more."""
        known = {
            (delivery["delivery_id"], delivery["received"])
            for delivery in self._of(spec)
            if delivery["status"] != "refused"
        }
        if spec.is_corrected(delivery.source_file):
            return
        if self._is_snapshot(spec) and (delivery.delivery_id, delivery.received.isoformat()) not in known:
            self._repeats.setdefault(spec.name, []).append(delivery)

    def judge(self, inner: Judge) -> Judge:
        """A judge that refuses, besides what ``inner`` refuses, what has drifted too far."""

        def judged(
            con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]
        ) -> dict[str, str]:
            inner(con, feed, table, rejects)
            tables = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
            for spec in self._profile.files:
                if spec.feed == feed and spec.name in tables:
                    self._compare(con, spec, table)
            return self._refusals.errors

        return judged

    def finish(self, results: Sequence[FileResult]) -> None:
        """Refuse repeats of a snapshot that has shrunk since; put what was seen and decided into the results."""
        for spec in self._profile.files:
            if repeats := self._repeats.get(spec.name):
                rows = sum(
                    result.mapped or 0
                    for result in results
                    if result.entry == spec.name and result.status == "accepted"
                )
                self._compare_snapshot(
                    spec,
                    repeats[0].received,
                    [(delivery.delivery_id, delivery.source_file) for delivery in repeats],
                    rows,
                )
        for result in results:
            result.seen = self._seen.get(result.delivery_id, {})
            result.drift = [*result.drift, *self._notes.get(result.delivery_id, [])]
            result.overridden = [
                used["rule"] for used in self._refusals.used if used["delivery_id"] == result.delivery_id
            ]
            error = self._refusals.errors.get(result.delivery_id)
            if result.status == "duplicate" and error is not None:
                result.status, result.error = "refused", f"{result.file}: {error}"

    def _compare(self, con: duckdb.DuckDBPyConnection, spec: FileSpec, table: str) -> None:
        rows = dict(con.execute(f"select _delivery_id, count(*) from {table} group by 1").fetchall())
        files = con.execute(f"""
            select delivery_id, source_file, received from delivery
            where delivery_id in (select _delivery_id from mapped_{spec.name})
            order by ordinal
        """).fetchall()
        found = observe(con, spec, is_alone=len(files) == 1)
        files = [file for file in files if not spec.is_corrected(file[1])]  # a few rows, chosen by a person
        for delivery_id, source_file, received in files:
            now, before = found.get(delivery_id, {}), self._before(spec, received)
            self._seen[delivery_id] = now
            self._notes[delivery_id] = column_notes(spec, now, [earlier.get("seen", {}) for earlier in before])
            for what in flips(now, [earlier.get("seen", {}) for earlier in before[-LAST:]]):
                mend = "compare the file with earlier ones; correct it, or the profile if the source has changed"
                held_dates = " dates so far" in what
                self._refusals.add(
                    "type_flip", delivery_id, source_file, what, DATES if held_dates else mend, not held_dates
                )
            if spec.shrink_below is not None and before and not self._is_snapshot(spec):
                usual = median(earlier["mapped"] for earlier in before[-LAST:])
                self._compare_rows(spec, [(delivery_id, source_file)], rows.get(delivery_id, 0), usual)
        if files and self._is_snapshot(spec):
            mapped = sum(rows.get(delivery_id, 0) for delivery_id, *_ in files)
            self._compare_snapshot(spec, files[0][2], [(file[0], file[1]) for file in files], mapped)

    def _compare_snapshot(self, spec: FileSpec, received: dt.date, files: list[File], rows: int) -> None:
        """Compare all that came as one snapshot, earlier runs of the day included, with the snapshot before.

        Args:
            files: Files of this run, which are refused if too little came.
            rows: Rows of this run's new files.
        """
        taken = {
            delivery["delivery_id"]: delivery["mapped"]
            for delivery in self._of(spec)
            if delivery["status"] == "accepted"
        }
        days: dict[str, set[str]] = {}
        for delivery in self._of(spec):
            if delivery["delivery_id"] in taken and delivery["delivery"] == "snapshot":
                days.setdefault(delivery["received"], set()).add(delivery["delivery_id"])
        today = received.isoformat()
        earlier = [day for day in days if day < today]
        if not earlier:
            return
        again = {delivery.delivery_id for delivery in self._repeats.get(spec.name, [])}
        rows += sum(taken.get(delivery_id, 0) for delivery_id in days.get(today, set()) | again)
        self._compare_rows(spec, files, rows, sum(taken[delivery_id] for delivery_id in days[max(earlier)]))

    def _compare_rows(self, spec: FileSpec, files: list[File], rows: int, usual: float) -> None:
        if rows < (spec.shrink_below or SHRINK_BELOW) * usual:
            what = f"{rows:,} rows of {spec.name} where {usual:,.0f} came before: this is hardly the whole"
            for delivery_id, source_file in files:
                self._refusals.add("shrinkage", delivery_id, source_file, what, "have it delivered whole")

    def _is_snapshot(self, spec: FileSpec) -> bool:
        return spec.feed is not None and (spec.delivery or self._contracts[spec.feed].delivery) == "snapshot"

    def _of(self, spec: FileSpec) -> list[dict[str, Any]]:
        """What the log knows of one kind of file; what was logged before kinds were kept is not among it."""
        source = self._profile.source
        listed = self._log.of_feed(str(spec.feed))
        return [known for known in listed if known["source"] == source and known.get("entry") == spec.name]

    def _before(self, spec: FileSpec, received: dt.date) -> list[dict[str, Any]]:
        """Accepted deliveries received up to a day, the latest last."""
        day = received.isoformat()
        taken = [
            delivery for delivery in self._of(spec) if delivery["status"] == "accepted" and delivery["received"] <= day
        ]
        return sorted(taken, key=lambda delivery: (delivery["received"], delivery["delivery_id"]))


def observe(con: duckdb.DuckDBPyConnection, spec: FileSpec, is_alone: bool = False) -> dict[str, Seen]:
    """What the columns of each file in the raw table ``spec.name`` hold. Columns without a value are left out.

    Args:
        is_alone: Whether the rows are those of one file.
    """
    listed = [row[0] for row in con.execute(f"describe {quoted(spec.name)}").fetchall()]
    columns = [name for name in listed if name not in ("_delivery_id", "_row_number")][:_MOST_COLUMNS]
    if not columns:
        return {}
    names = list(map(quoted, columns))
    counts = ", ".join(f"count({name})" for name in names)
    # To group the rows of one large file takes longer than to count them.
    delivery, by = ("any_value(_delivery_id)", "having count(*) > 0") if is_alone else ("_delivery_id", "group by 1")
    values = con.execute(f"select {delivery}, count(*), {counts} from {quoted(spec.name)} {by}").fetchall()
    # Every n-th row, so that the same file always gives the same answer; of one large file stretches of rows, so that
    # the engine need not read what lies between.
    step = max(values[0][1] // _SAMPLE, 1) if is_alone and values else 1
    if step > 1 and (rows := readers.rows(con, spec.name)):
        picked = f"""
            select {literal(values[0][0])} as _delivery_id, {", ".join(names)} from {rows}
            where rowid % {step * _STRETCH} < {_STRETCH}
        """
    else:
        steps = ", ".join(f"({literal(row[0])}, {max(row[1] // _SAMPLE, 1)})" for row in values) or "(null, 1)"
        picked = f"""
            select _delivery_id, {", ".join(names)}
            from {quoted(spec.name)}
            join (select * from (values {steps}) as size(_delivery_id, step)) using (_delivery_id)
            where _row_number % step = 0
        """
    # One value below the other and each once: the casts are long, to plan them once for every column takes longer than
    # to run them, and values repeat.
    is_value = " and ".join(f"__value <> {literal(word)}" for word in spec.no_value) or "true"
    casts = ", ".join(f"{cast_sql('__value', column, spec)} is not null as {kind}" for kind, column in _KINDS.items())
    tried = con.execute(f"""
        with picked as ({picked}),
        below as materialized (unpivot picked on {", ".join(names)} into name __column value __value),
        told as materialized (select __value, {casts} from (select distinct __value from below where {is_value}))
        select _delivery_id, __column, count(*), {", ".join(f"count(*) filter ({kind})" for kind in _KINDS)}
        from below join told using (__value)
        group by 1, 2
    """).fetchall()
    kinds = {(delivery_id, name): kind for delivery_id, name, *kind in tried}
    nothing = [0] * (1 + len(_KINDS))
    return {
        row[0]: {
            name: [count, *kinds.get((row[0], name), nothing)]
            for name, count in zip(columns, row[2:], strict=True)
            if count
        }
        for row in values
    }


def column_notes(spec: FileSpec, now: Seen, before: Sequence[Seen]) -> list[dict[str, str]]:
    """Columns that no earlier file had and the profile does not name, and columns that every late one filled."""
    if not before:
        return []
    known = set(named(spec)).union(*before)
    steady = set.intersection(*(set(earlier) for earlier in before[-LAST:]))
    # Of a few changed records, or deleted ones, most fields are often empty.
    says = max((counts[0] for counts in now.values()), default=0) >= FEWEST
    gone = [name for name in steady if says and name not in now and _sum(name, before[-LAST:])[0] >= FEWEST]
    return [
        *(
            {"rule": "column_new", "column": name, "text": f"column {name[:40]} is new"}
            for name in now
            if name not in known
        ),
        *(
            {"rule": "column_gone", "column": name, "text": f"column {name[:40]}, filled so far, holds nothing"}
            for name in sorted(gone)
        ),
    ]


def missing_notes(read: readers.Counts) -> list[dict[str, str]]:
    """Words that mean missing by default where they are a good part of a column: they may be values after all."""
    return [
        {
            "rule": "taken_as_missing",
            "column": name,
            "text": f"column {name[:40]}: {rows:,} of {of:,} values are {word!r}, which was taken as missing; if it is "
            "so, list it under more_nulls in the source profile, and if it is a value, write nulls without it",
        }
        for name, word, rows, of in read.taken_as_missing
    ]


def flips(now: Seen, before: Sequence[Seen]) -> list[str]:
    """Columns whose values were nearly all of a kind and mostly are not any more, in words."""
    found = []
    for name, counts in now.items():
        was = _sum(name, before)
        if min(was[1], counts[1]) < FEWEST:
            continue
        kinds = [kind for at, kind in enumerate(_KINDS, 2) if was[at] * 10 >= was[1] * 9]
        if kinds and all(counts[at] * 2 < counts[1] for at, kind in enumerate(_KINDS, 2) if kind in kinds):
            held = " or ".join(f"{kind}s" for kind in kinds)
            found.append(f"column {name[:40]}, which held {held} so far, mostly does not now")
    return found


def _sum(name: str, seen: Sequence[Seen]) -> list[int]:
    nothing = [0] * (2 + len(_KINDS))
    return [sum(counts) for counts in zip(nothing, *(old.get(name, nothing) for old in seen), strict=True)]
