"""The company of the build's benchmark, written straight into a lake: set by set, the same in every run.

Three years, 3,000 dealers, 500 members; only the sale lines per day are chosen. What is said of a day does not depend on how
many days lie before it, so that a longer history is the same one with more before.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from dealermart import lake, mapping
from dealermart.base import Settings, connect, literal, quoted
from dealermart.base.duck import FORMAT
from dealermart.config import Contract, load_contracts

SOURCE = "bench"
CALENDAR_START = dt.date(2023, 1, 1)
DAYS = 1095  # three years, up to the day before the last one: the benchmark brings that
DEALERS, MEMBERS, SELLERS, TEAMS, REGIONS, PRODUCTS, CATEGORIES = 3000, 500, 420, 40, 30, 2000, 8

# Multipliers of sequences that fill a range evenly, one for each thing that is to vary by itself.
_STEPS = (2654435761, 2246822519, 3266489917, 668265263, 374761393, 1640531527)


@dataclass(frozen=True)
class Span:
    """Days to write, as numbers from the calendar's start (``end`` exclusive), with so many sale lines each.

    Attributes:
        first: First day of the whole history: nothing refers to what lies before.
    """

    begin: int
    end: int
    first: int
    lines: int

    @property
    def received(self) -> dt.date:
        return day_of(self.end - 1)


def day_of(number: int) -> dt.date:
    """The day with that number from the calendar's start."""
    return CALENDAR_START + dt.timedelta(days=number)


def deliver(settings: Settings, span: Span, *, masters: bool = False) -> int:
    """Write one delivery of all feeds and commit it. Returns the number of sale lines.

    Args:
        masters: With all that holds for years; else with what one day brings of that.
    """
    known = load_contracts(settings)
    log = lake.read(settings)
    at = dt.datetime.combine(span.received, dt.time(18))
    run_id = f"bench-{log.last + 1:05}"
    files, results = [], []
    selects = {**_daily(span), **(_masters() if masters else _moved(span))}
    spill = settings.home / "spill"
    with connect(settings, spill=spill) as con:
        con.execute("set preserve_insertion_order = true")
        for feed, select in selects.items():
            path = f"{feed}/{run_id}.parquet"
            rows = _write(con, known[feed], settings.lake / path, select, run_id, span.received, at)
            if not rows:
                (settings.lake / path).unlink()
                continue
            files.append({"feed": feed, "path": path, "rows": rows})
            result = lake.FileResult(
                f"{feed}.csv", f"{feed}-{run_id}", feed, "accepted", rows, 0, 0, rows, rows, 0, 0,
                received=span.received.isoformat(), entry=feed, delivery=known[feed].delivery,
            )  # fmt: skip
            result.check()
            results.append(asdict(result) | {"source": SOURCE})
    entry = {
        "kind": "ingest", "run_id": run_id, "source": SOURCE, "received": span.received.isoformat(),
        "ingested_at": at.isoformat(sep=" ", timespec="microseconds"), "files": files, "deliveries": results,
        "quarantine": [], "decisions": None,
    }  # fmt: skip
    lake.commit(settings, log, entry)
    return sum(int(str(file["rows"])) for file in files if file["feed"] == "sales")


def _write(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    path: Path,
    select: str,
    run_id: str,
    received: dt.date,
    at: dt.datetime,
) -> int:
    """The rows of a select as a lake file, with what the lake says of every row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {name for name, *_ in con.execute(f"describe {select}").fetchall()}
    lacking = {column.name for column in contract.columns if column.required} - said
    if lacking or said - set(contract.names):
        raise SystemExit(f"error: {contract.feed} lacks {lacking}, is no column: {said - set(contract.names)}")
    columns = ", ".join(
        f"cast({quoted(name) if name in said else 'null'} as {contract.lake_columns[name]}) as {quoted(name)}"
        for name in contract.names
    )
    kept = ", ".join(quoted(name) for name in contract.names if name in said)
    lineage = f"'{SOURCE}', '{contract.feed}-{run_id}', '{contract.feed}.csv'"
    listed = [f"cast({text} as enum({text}))" for text in lineage.split(", ")]
    (rows,) = con.execute(f"""
        copy (
            select {kept}, {listed[0]} as _source, {listed[1]} as _delivery_id, {listed[2]} as _source_file,
                row_number() over () as _row_number, 1::integer as _row_part,
                date '{received}' as _received_date, timestamp '{at}' as _ingested_at,
                cast({literal(run_id)} as enum({literal(run_id)})) as _run_id,
                {mapping.row_hash(contract)} as _row_hash, false as _is_repeat, _is_deleted
            from (select {columns}, cast(null as boolean) as _is_deleted from ({select}))
        ) to {literal(str(path))} ({FORMAT})
    """).fetchall()[0]  # fmt: skip
    return int(rows)


def _any(number: str, kind: int, below: int) -> str:
    """SQL of a whole number from 0 to ``below`` that varies with ``number``."""
    return f"(((({number}) * {_STEPS[kind]}) % 4294967296 * {below}) >> 32)"


def _code(letter: str, number: str) -> str:
    return f"printf('{letter}%04d', {number})"


def _each(span: Span, per_day: int) -> str:
    """Relation of numbers ``i`` and their ``day``: so many a day."""
    return (
        f"(select i, date '{CALENDAR_START}' + cast(i // {per_day} as integer) as day "
        f"from range({span.begin * per_day}, {span.end * per_day}) as made(i))"
    )


def _daily(span: Span) -> dict[str, str]:
    """What happens every day. Four lines make a document; every 33rd document is a return of one 100 before, on the same day."""
    return {
        "sales": f"""
            select
                printf('INV%010d', document) as transaction_id,
                i % 4 + 1 as line_no,
                if(is_return, 'return', 'invoice') as transaction_type,
                if(of_document % 6 = 0, 'sell_out', 'sell_in') as channel,
                {_code("D", f"({_any('of_document', 0, 1000000)} ** 2 * {DEALERS} / 1e12)::bigint % {DEALERS}")} as dealer_id,
                {_code("P", "product")} as product_id,
                case when {_any("of_document", 1, 10)} < 3 then {_code("M", _any("of_document", 2, SELLERS))} end as seller_id,
                sign * units as quantity,
                cast(10 + product % 490 as decimal(18, 4)) as unit_price_amount,
                cast(sign * units * (10 + product % 490) * discount as decimal(18, 4)) / 100 as discount_amount,
                cast(sign * units * (10 + product % 490) * (100 - discount) as decimal(18, 4)) / 100 as net_amount,
                cast(sign * units * (10 + product % 490) * 61 as decimal(18, 4)) / 100 as cost_amount,
                case {_any("of_document", 3, 20)} when 0 then 'USD' when 1 then 'EUR' else 'CNY' end as currency_code,
                day as sale_date,
                case when not is_return then day + 30 end as due_date,
                case when is_return then printf('INV%010d', of_document) end as original_transaction_id,
                case when is_return then i % 4 + 1 end as original_line_no
            from (
                select
                    *, {_any("of_line", 4, PRODUCTS)} as product, 1 + {_any("of_line", 5, 20)} as units,
                    {_any("of_line", 1, 16)} as discount, if(is_return, -1, 1) as sign
                from (
                    select
                        *, if(is_return, document - 100, document) as of_document,
                        if(is_return, i - 400, i) as of_line
                    from (
                        select i, day, i // 4 as document, i // 4 % 33 = 0 and i % {span.lines} >= 400 as is_return
                        from {_each(span, span.lines)}
                    )
                )
            )
        """,
        "payments": f"""
            select
                printf('PAY%09d', i) as payment_id, printf('INV%010d', i * 20) as transaction_id, 'payment' as payment_type,
                cast({_any("i", 0, 90000)} + 100 as decimal(18, 4)) as amount, 'CNY' as currency_code,
                day + 20 as payment_date
            from {_each(span, max(1, span.lines // 80))} where day + 20 <= date '{span.received}'
        """,
        "training_records": f"""
            select
                printf('T%08d', i) as record_id, {_code("C", _any("i", 0, 60))} as course_id,
                case when i % 2 = 0 then {_code("M", _any("i", 1, MEMBERS))} end as member_id,
                case when i % 2 = 1 then {_code("D", _any("i", 2, DEALERS))} end as dealer_id,
                case when i % 2 = 1 then printf('E%05d', {_any("i", 3, 9000)}) end as dealer_employee_id,
                day as assigned_date, day + 30 as due_date,
                case when i % 10 > 1 and day + 15 <= date '{span.received}' then day + 15 end as completed_date,
                case when i % 10 > 1 and day + 15 <= date '{span.received}' then 40 + {_any("i", 4, 60)} end as score,
                case when i % 10 > 1 and day + 15 <= date '{span.received}' then {_any("i", 4, 60)} > 20 end as is_passed
            from {_each(span, 80)}
        """,
        "survey_responses": f"""
            select
                printf('R%08d', i) as response_id,
                case i % 4 when 0 then 'csat' when 1 then 'nps' when 2 then 'ces' else 'dealer_needs' end as survey,
                if(i % 4 = 1, 0, 1) as scale_min, case i % 4 when 1 then 10 when 2 then 7 else 5 end as scale_max,
                {_code("D", _any("i", 0, DEALERS))} as dealer_id, {_code("M", _any("i", 1, MEMBERS))} as member_id,
                day as sent_date, case when i % 7 > 2 then day end as answered_date,
                case when i % 7 > 2 then if(i % 4 = 1, {_any("i", 2, 11)}, 1 + {_any("i", 2, 5)}) end as score
            from {_each(span, 200)}
        """,
        "service_cases": f"""
            select
                printf('S%08d', i) as case_id, day::timestamp + interval 9 hour as updated_at,
                {_code("D", _any("i", 0, DEALERS))} as dealer_id, {_code("M", _any("i", 1, MEMBERS))} as member_id,
                case when i % 9 = 0 then {_code("M", _any("i", 2, MEMBERS))} end as helper_id,
                case i % 5 when 0 then 'complaint' when 1 then 'dispute' when 2 then 'warranty' else 'question' end as category,
                'phone' as channel, if(i % 3 = 0, 'high', 'normal') as priority,
                day::timestamp + interval 9 hour as opened_at, day::timestamp + interval 57 hour as due_at,
                day::timestamp + interval 11 hour as first_response_at,
                case when i % 8 > 0 then day::timestamp + interval 33 hour end as resolved_at,
                if(i % 20 = 0, 1, 0) as reopened_count, 1 + i % 3 as contact_count, 60 + {_any("i", 3, 40)} as quality_score
            from {_each(span, 150)}
        """,
        "support_requests": f"""
            select
                printf('Q%08d', i) as request_id, day::timestamp + interval 9 hour as updated_at,
                {_code("M", _any("i", 1, MEMBERS))} as member_id, if(i % 3 = 0, 'resource', 'technical') as kind,
                {_code("M", _any("i", 2, MEMBERS))} as assignee_id, day::timestamp + interval 9 hour as opened_at,
                day::timestamp + interval 12 hour as first_response_at,
                case when i % 9 > 0 then day::timestamp + interval 30 hour end as closed_at,
                1 as scale_min, 5 as scale_max, 1 + {_any("i", 3, 5)} as rating
            from {_each(span, 40)}
        """,
        "messages": f"""
            select
                printf('N%08d', i) as message_id, day::timestamp + interval 9 hour as updated_at,
                {_code("M", _any("i", 0, MEMBERS))} as sender_id, 'dealer' as audience_type,
                {_code("D", _any("i", 1, DEALERS))} as audience_id,
                case i % 4 when 0 then 'notice' when 1 then 'instruction' when 2 then 'market_info' else 'feedback' end as kind,
                'email' as channel, if(i % 5 = 0, 'urgent', 'normal') as urgency,
                day::timestamp + interval 9 hour as sent_at, day::timestamp + interval 10 hour as due_at,
                case when i % 3 > 0 then day::timestamp + interval 30 hour end as acknowledged_at
            from {_each(span, 300)}
        """,
        "crm_opportunities": f"""
            select
                'crm' as crm_system, printf('O%08d', i) as opportunity_id, day::timestamp + interval 9 hour as updated_at,
                printf('O%08d', i) as opportunity_name, printf('A%05d', {_any("i", 0, DEALERS)}) as account_id,
                printf('U%04d', {_any("i", 1, SELLERS)}) as owner_user_id, 'main' as pipeline,
                case i % 4 when 0 then 'won' when 1 then 'lost' else 'proposal' end as stage,
                case i % 4 when 0 then 'won' when 1 then 'lost' else 'open' end as status,
                printf('Category %d', {_any("i", 2, CATEGORIES)}) as product_category,
                cast(1000 + {_any("i", 3, 90000)} as decimal(18, 4)) as amount, 'CNY' as currency_code, 40 as probability_pct,
                day::timestamp + interval 9 hour as created_at, day + 60 as expected_close_date,
                case when i % 4 < 2 then day end as closed_date
            from {_each(span, 120)}
        """,
        "crm_stage_changes": f"""
            select
                'crm' as crm_system, printf('G%08d', i) as stage_change_id, printf('O%08d', i // 2) as opportunity_id,
                printf('U%04d', {_any("i", 1, SELLERS)}) as user_id, if(i % 2 = 1, 'lead', null) as from_stage,
                case when i % 2 = 0 then 'lead' when i // 2 % 4 = 0 then 'won' when i // 2 % 4 = 1 then 'lost'
                    else 'proposal' end as to_stage,
                day::timestamp + to_hours(cast(9 + i % 2 as integer)) as changed_at,
                day::timestamp + interval 30 hour as logged_at,
                cast(1000 + {_any("i // 2", 3, 90000)} as decimal(18, 4)) as amount, 'CNY' as currency_code,
                if(i % 2 = 0, 20, 40) as probability_pct, day + 60 as expected_close_date
            from {_each(span, 240)}
        """,
        "crm_activities": f"""
            select
                'crm' as crm_system, printf('V%09d', i) as activity_id, day::timestamp + interval 9 hour as updated_at,
                case i % 3 when 0 then 'call' when 1 then 'visit' else 'email' end as kind,
                printf('A%05d', {_any("i", 0, DEALERS)}) as account_id,
                printf('O%08d', greatest(i // 10 - {_any("i", 2, 3000)}, {span.first * 120})) as opportunity_id,
                printf('U%04d', {_any("i", 1, SELLERS)}) as user_id, day::timestamp + interval 9 hour as occurred_at,
                day::timestamp + interval 10 hour as completed_at, 30 as duration_minutes
            from {_each(span, 1200)}
        """,
        "dealer_stock": f"""
            select
                {_code("D", "i // 20")} as dealer_id, {_code("P", _any("i", 0, PRODUCTS))} as product_id,
                day as as_of_date, cast({_any("i", 1, 400)} as decimal(18, 4)) as on_hand_quantity
            from (
                select i, date '{CALENDAR_START}' + cast(number as integer) as day
                from range({span.begin}, {span.end}) as counted(number), range({DEALERS * 20}) as made(i)
                where day = last_day(day)
            )
            qualify row_number() over (partition by dealer_id, product_id, as_of_date order by i) = 1
        """,
        "market": f"""
            select
                printf('Region %02d', region) as region, printf('Category %d', category) as product_category,
                day as period_start, cast(day + interval 3 month as date) as period_end,
                if(rival = 4, 'total', 'Rival ' || rival) as competitor,
                cast(if(rival = 4, 90000000, 15000000) + day_no * 1000 as decimal(18, 4)) as amount, 'CNY' as currency_code,
                cast(if(rival = 4, 900000, 150000) as decimal(18, 4)) as quantity,
                case when rival < 4 then 90 + rival * 5 end as price_index, 'Bureau' as data_provider
            from (
                select *, date '{CALENDAR_START}' + cast(day_no as integer) as day
                from range({span.begin}, {span.end}) as days(day_no), range({REGIONS}) as regions(region),
                    range({CATEGORIES}) as categories(category), range(5) as rivals(rival)
            )
            where dayofmonth(day) = 1 and month(day) % 3 = 1
        """,
    }  # fmt: skip


def _dated(columns: str, count: int, when: str) -> str:
    """Rows of ``count`` things that hold from before the calendar, and the second row of those that change once."""
    return f"""
        select {columns.replace("@", "0")}, date '2022-01-01' as valid_from from range({count}) as made(i)
        union all
        select {columns.replace("@", "1")}, date '2024-07-01' as valid_from from range({count}) as made(i) where {when}
    """


def _masters() -> dict[str, str]:
    """What holds for years; a part of it changes once, in the middle of a year."""
    region = f"printf('Region %02d', (i + @) % {REGIONS}) as region"
    quarters = (
        "(select date '2023-01-01' + to_months(cast(3 * n as integer)) as starts, "
        "date '2023-01-01' + to_months(cast(3 * n + 3 as integer)) as ends from range(12) as quarters(n))"
    )
    targets = " union all ".join(
        f"""
        select '{kind}-' || i || '-' || strftime(starts, '%Y%m') as target_id, '{kind}' as subject_type,
            {subject} as subject_id, 'net_revenue' as metric, cast(starts as date) as valid_from,
            cast(ends as date) as valid_to, cast({value} + i % 50 * 1000 as decimal(18, 4)) as target_value, 'CNY' as unit
        from {quarters}, range({count}) as made(i)
        """
        for kind, subject, count, value in (
            ("member", _code("M", "i"), SELLERS, 4_000_000),
            ("dealer", _code("D", "i"), DEALERS, 500_000),
            ("team", "printf('Team %02d', i)", TEAMS, 40_000_000),
            ("region", "printf('Region %02d', i)", REGIONS, 50_000_000),
        )
    )
    return {
        "dealers": _dated(
            f"{_code('D', 'i')} as dealer_id, 'Dealer ' || i as dealer_name, 'shop' as dealer_type, "
            f"if(i % 10 + @ > 7, 'gold', 'silver') as tier, {region}, 'China' as country, "
            "date '2020-01-01' as onboarded_date, 'active' as status",
            DEALERS,
            "i % 5 = 0",
        ),
        "team_members": _dated(
            f"{_code('M', 'i')} as member_id, 'Member ' || i as member_name, "
            f"case when i < {SELLERS} then 'sales' when i < 460 then 'service' when i < 480 then 'support' else 'manager' end"
            f" as role, printf('Team %02d', (i + @) % {TEAMS}) as team, {region}, date '2020-01-01' as hired_date",
            MEMBERS,
            "i % 10 = 0",
        ),
        "products": _dated(
            f"{_code('P', 'i')} as product_id, 'Product ' || i as product_name, "
            f"printf('Category %d', (i + @) % {CATEGORIES}) as category",
            PRODUCTS,
            "i % 20 = 0",
        ),
        "assignments": _dated(
            f"{_code('D', 'i')} as dealer_id, {_code('M', f'(i + @) % {SELLERS}')} as member_id, 'owner' as role, "
            "case when i % 3 = 0 then 70 end as split_pct, "
            "case when @ = 0 and i % 4 = 0 then date '2024-07-01' end as valid_to",
            DEALERS,
            "i % 4 = 0",
        )
        + f"""
            union all
            select {_code("D", "i")}, {_code("M", f"(i + 7) % {SELLERS}")}, 'co_owner', 30, null, date '2022-01-01'
            from range({DEALERS}) as made(i) where i % 3 = 0
        """,
        "fx_rates": """
            select
                cast(day as date) as rate_date, code as from_currency_code, 'CNY' as to_currency_code, kind as rate_type,
                cast(if(code = 'USD', 7.1, 7.7) + month(day) / 100 as decimal(18, 10)) as rate
            from range(timestamp '2023-01-01', timestamp '2026-01-01', interval 1 month) as days(day),
                (values ('USD'), ('EUR')) as codes(code), (values ('market'), ('plan')) as kinds(kind)
            where kind = 'market' or month(day) = 1
        """,
        "targets": targets,
        "plan_assignments": f"""
            select {_code("M", "i")} as plan_assignment_id, 'member' as payee_type, {_code("M", "i")} as payee_id,
                'sales_commission' as plan_id, date '2023-01-01' as valid_from
            from range({SELLERS}) as made(i)
        """,
        "training_courses": f"""
            select {_code("C", "i")} as course_id, 'Course ' || i as course_name,
                case i % 4 when 0 then 'product' when 1 then 'market' when 2 then 'selling' else 'service' end as topic,
                i % 3 = 0 as is_mandatory, 2 + i % 7 as hours
            from range(60) as made(i)
        """,
        "id_links": f"""
            select 'crm' as system, 'member' as subject_type, printf('U%04d', i) as external_id, {_code("M", "i")} as subject_id
            from range({MEMBERS}) as made(i)
        """,
        "crm_accounts": f"""
            select
                'crm' as crm_system, printf('A%05d', i) as account_id, timestamp '2023-01-01 08:00:00' as updated_at,
                'Dealer ' || i as account_name, {_code("D", "i")} as dealer_id,
                printf('U%04d', i % {SELLERS}) as owner_user_id, if(i % 9 = 0, null, '021-' || i) as phone,
                timestamp '2023-01-01 08:00:00' as created_at
            from range({DEALERS}) as made(i)
        """,
    }


def _moved(span: Span) -> dict[str, str]:
    """What a day brings of the masters: one dealer that moves, one member, and the day's rates."""
    day = span.received
    return {
        "dealers": f"""
            select 'D0011' as dealer_id, date '{day}' as valid_from, 'Dealer 11' as dealer_name, 'Region 05' as region,
                'silver' as tier, 'China' as country, date '2020-01-01' as onboarded_date, 'active' as status
        """,
        "team_members": f"""
            select 'M0011' as member_id, date '{day}' as valid_from, 'Member 11' as member_name, 'sales' as role,
                'Team 05' as team, 'Region 05' as region, date '2020-01-01' as hired_date
        """,
        "fx_rates": f"""
            select date '{day}' as rate_date, code as from_currency_code, 'CNY' as to_currency_code, 'market' as rate_type,
                cast(7.2 as decimal(18, 10)) as rate
            from (values ('USD'), ('EUR')) as codes(code)
        """,
    }
