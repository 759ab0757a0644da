"""The gate of the lake: a feed's typed rows are judged, and those that pass become its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dealermart import checks, lake
from dealermart.base import literal, quoted
from dealermart.config import Contract
from dealermart.ingest.judge import Judge, Rejects
from dealermart.ingest.known import Known

# What all rows of a batch say in a column, where that is known: the texts, None for no value.
Same = Mapping[str, set[str | None]]


@contextmanager
def judged(
    known: Known, contract: Contract, judge: Judge, rejects: dict[str, Rejects], same: Same | None = None
) -> Iterator[dict[str, str]]:
    """Judge the table ``batch`` and write the rows that pass; gives the error texts of refused deliveries.

    Inside the block there are ``passed``, ``failing``, ``refused_delivery``, ``repeated`` and ``twins``; afterwards
    they are gone, and ``batch`` with them.

    Args:
        same: Columns of which all rows say one of a few texts are written as a type that lists them.
    """
    con = known.con
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
    known.offer(contract)
    checks.find_twins(con, "batch", contract.key)
    refused = judge(con, contract.feed, "batch", rejects)
    if refused:
        con.executemany("insert into refused_delivery values (?)", [[delivery_id] for delivery_id in refused])
    _mark_repeats(known, contract)
    _accept(known, contract, same or {})
    yield refused
    con.execute("drop view passed; drop view batch")
    for table in ("failing", "refused_delivery", "repeated", "twins"):
        con.execute(f"drop table {table}")


def _mark_repeats(known: Known, contract: Contract) -> None:
    """Table ``repeated``: rows equal in key and content to one accepted before, or earlier in this batch.

    Hashes are compared first: they are numbers, and what lies outside the range of the batch's keys is not read.
    """
    con, key = known.con, ", ".join(map(quoted, contract.key))
    types = {name: kind for name, kind in contract.lake_columns.items() if name in contract.key}
    ends = ", ".join(f"cast({end}({quoted(name)}) as varchar)" for name in types for end in ("min", "max"))
    bounds = con.execute(f"select {ends} from passed").fetchall()[0]
    within = " and ".join(
        f"{quoted(name)} between cast(? as {kind}) and cast(? as {kind})" for name, kind in types.items()
    )
    has_key = " and ".join(f"{quoted(name)} is not null" for name in types)
    held = f"select * from ({lake.rows_sql(contract, known.paths(contract.feed))}) where {within}"
    before = con.execute(f"select count(*) from ({held})", bounds).fetchall()[0][0]
    con.execute("create temp table suspect as select _row_hash from passed semi join twins using (_row_id)")
    if before:
        con.execute(f"insert into suspect select _row_hash from ({held}) semi join passed using (_row_hash)", bounds)
    con.execute(
        f"""
        create table repeated as
        with suspects as materialized (
            select _row_id, {key}, _row_hash from passed semi join suspect using (_row_hash)
            where {has_key}
        ),
        held as (select {key}, _row_hash from ({held}) semi join suspects using ({key}, _row_hash)),
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


def _accept(known: Known, contract: Contract, same: Same) -> None:
    """Write the lake file of a feed; none if no row passed.

    Columns to which no select gives a value are left out: who reads the lake takes a missing column for NULL.
    """
    con, job = known.con, known.job
    if not con.execute("select count(*) from passed").fetchall()[0][0]:
        return
    # Texts that few deliveries share cost as much to write as others, unless their type lists them. The list stands
    # in the file, so it names the deliveries of these rows only.
    con.execute(f"create temp table origin as from delivery semi join passed on {known.same_delivery}")
    for name in ("source", "delivery_id", "source_file"):
        values = con.execute(f"select distinct {name} from origin order by 1").fetchall()
        listed = ", ".join(literal(value) for (value,) in values)
        con.execute(f"alter table origin add column _{name} enum({listed}); update origin set _{name} = {name}")
    columns = [_listed(name, same.get(name)) for name in contract.names if same.get(name) != {None}]
    known.write(
        contract.feed,
        f"""
        select {", ".join(columns)},
            delivery._source,
            delivery._delivery_id,
            delivery._source_file,
            _row_number,
            _row_part,
            delivery.received as _received_date,
            timestamp {literal(job.at.isoformat(sep=" "))} as _ingested_at,
            cast({literal(job.run_id)} as enum({literal(job.run_id)})) as _run_id,
            _row_hash,
            repeated._row_id is not null as _is_repeat,
            _is_deleted
        from passed
        join origin as delivery on {known.same_delivery}
        left join repeated on repeated._row_id = passed._row_id
        """,
    )
    con.execute("drop table origin")


def _listed(name: str, texts: set[str | None] | None) -> str:
    """SQL for a column to write; of a type that lists its texts, where they are known."""
    listed = ", ".join(literal(text) for text in sorted(text for text in texts or () if text is not None))
    return f"cast({quoted(name)} as enum({listed})) as {quoted(name)}" if listed else quoted(name)
