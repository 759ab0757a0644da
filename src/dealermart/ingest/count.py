"""What became of a feed's files: their counts, their verdicts, and the keys that a snapshot withholds."""

from __future__ import annotations

from dataclasses import dataclass, field

from dealermart import lake
from dealermart.base import literal, quoted, typed_sql
from dealermart.ingest.drift import missing_notes
from dealermart.ingest.source import FeedTables, Source
from dealermart.lake import FileResult

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


def withhold(source: Source, tables: FeedTables) -> None:
    """Keep the keys of snapshots' rows that are in quarantine, empty where they could not be read.

    Such a row is there, whatever is wrong with it: that its key is not among the accepted ones must not end it.
    """
    contract = tables.contract
    snapshots = [spec for spec in tables.specs if (spec.delivery or contract.delivery) == "snapshot"]
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
        select distinct {key}, {literal(source.profile.source)} as _source, _delivery_id from ({found})
        where _delivery_id not in (select delivery_id from refused_delivery)
        order by all
    """
    if source.con.execute(f"select count(*) from ({withheld})").fetchall()[0][0]:
        source.known.write(lake.withheld(contract.feed), withheld)


def keep_verdicts(source: Source, tables: FeedTables) -> None:
    """Keep the verdicts on rows of files that were taken, the selects' own included: a rebuild replays them."""
    feed = tables.contract.feed
    path = source.work / f"verdicts-{feed}.parquet"
    rejected = " ".join(
        f"union all select _delivery_id, _row_number, _row_part, 'map', 'warning', _reject_reason, "
        f"{source.quarantine.waits_sql(source.profile.waits(spec))} from mapped_{spec.name} as m "
        "where _reject_reason is not null"
        for spec in tables.specs
    )
    names = ", ".join(VERDICT)
    source.con.execute(f"""
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
    source.known.batch.verdicts.append(str(path))


@dataclass
class _Counts:
    """Rows of one delivery: what selects rejected and set apart, what was judged how, what stands in the lake."""

    rejected: int = 0
    apart: dict[str, int] = field(default_factory=dict)
    mapped: int = 0
    failing: int = 0
    repeats: int = 0
    written: int = 0
    latest_event: str | None = None


def count(source: Source, tables: FeedTables, refused: dict[str, str]) -> None:
    """Add the results of the feed's files. ``refused`` has the error of each delivery that was refused."""
    counts = {delivery_id: _Counts() for delivery_id in tables.reads}
    _count_mapped(source, tables, counts)
    _count_judged(source, counts)
    _count_written(source, tables, counts)
    contract = tables.contract
    for delivery, spec in tables.deliveries:
        if (read := tables.reads.get(delivery.delivery_id)) is None:
            continue
        rows, error = counts[delivery.delivery_id], refused.get(delivery.delivery_id)
        source.known.batch.results.append(
            FileResult(
                delivery.source_file,
                delivery.delivery_id,
                contract.feed,
                "refused" if error else "accepted",
                records=read.records * spec.unpivot,
                structural=read.structural * spec.unpivot + sum(rows.apart.values()),
                rejected=read.rejected * spec.unpivot + rows.rejected,
                mapped=rows.mapped,
                accepted=0 if error else rows.written - rows.repeats,
                quarantined=rows.mapped if error else rows.failing,
                duplicate=0 if error else rows.repeats,
                error=f"{delivery.label}: {error}" if error else None,
                received=delivery.received.isoformat(),
                entry=spec.entry_of(delivery.source_file),
                delivery=spec.delivery_of(delivery.source_file, contract),
                apart=rows.apart,
                drift=missing_notes(read),
                latest_event=None if error else rows.latest_event,
                encoding=read.encoding,
                confidence=read.confidence,
                notes=list(read.notes),
            )
        )


def _count_mapped(source: Source, tables: FeedTables, counts: dict[str, _Counts]) -> None:
    """What the selects rejected, and what they set apart as no record of the feed."""
    for spec in tables.specs:
        for delivery_id, is_rejected, kind, rows in source.con.execute(f"""
            select _delivery_id, _reject_reason is not null as is_rejected,
                case when _reject_reason is null then _structural end as kind, count(*)
            from mapped_{spec.name}
            where _reject_reason is not null or _structural is not null
            group by all
            order by all
        """).fetchall():
            if is_rejected:
                counts[delivery_id].rejected = rows
            else:
                counts[delivery_id].apart[kind] = rows


def _count_judged(source: Source, counts: dict[str, _Counts]) -> None:
    """What was judged, how much of it fails, and what repeats rows that are there already."""
    for delivery_id, rejected, mapped, failing, repeats in source.con.execute("""
        select b._delivery_id, count(*) filter (f.is_rejected), count(*) filter (f.is_rejected is not true),
            count(*) filter (not f.is_rejected), count(r._row_id)
        from batch as b
        -- In a rebuild, what was rejected then is rejected, though the profile of today would map it.
        left join (select _row_id, bool_or(rule = 'map') as is_rejected from failing group by _row_id) as f
            using (_row_id)
        left join repeated as r using (_row_id)
        group by b._delivery_id
    """).fetchall():
        rows = counts[delivery_id]
        rows.rejected += rejected
        rows.mapped, rows.failing, rows.repeats = mapped, failing, repeats


def _count_written(source: Source, tables: FeedTables, counts: dict[str, _Counts]) -> None:
    """What the lake file really holds, not what it should: the balance is checked against it."""
    contract, known = tables.contract, source.known
    made = [known.job.folders.lake / file["path"] for file in known.batch.files if file["feed"] == contract.feed]
    if not made:
        return
    about = contract.event_date or contract.valid_from
    day = f"cast({quoted(about)} as date)" if about else "cast(null as date)"
    for delivery_id, rows, latest in source.con.execute(f"""
        select _delivery_id, count(*), cast(max({day}) filter ({day} <= _received_date) as varchar)
        from ({typed_sql(contract.lake_columns, made)}) group by 1
    """).fetchall():
        counts[delivery_id].written, counts[delivery_id].latest_event = rows, latest
