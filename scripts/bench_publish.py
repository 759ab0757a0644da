"""Publish ten million rows to PostgreSQL beside plain COPY of them, and measure how long a reader waits meanwhile.

The rows are in several tables, as marts are; in one (``--tables 1``) nothing is done side by side.

Budgets: at most 1.5 times plain COPY; the longest wait of a reader during the swap under 100 ms.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from dealermart.base import Settings, connect, literal
from dealermart.publish.marts import Column, Mart
from dealermart.publish.meta import About
from dealermart.publish.postgres import Publisher, pg_type
from dealermart.publish.server import Server
from dealermart.publish.shape import Shapes

SEEN = ("bi", "hr")
# As wide as a fact: keys, dates, amounts, a share of empty values.
SQL = """
    select 'INV' || lpad(cast(i // 4 as varchar), 9, '0') as transaction_id, i % 4 as line_no,
        case i % 10 when 0 then 'return' else 'invoice' end as transaction_type, 'D' || (hash(i) % 3000) as dealer_id,
        'P' || (hash(i + 1) % 2000) as product_id, case when i % 3 = 0 then null else 'M' || (i % 500) end as seller_id,
        date '2023-01-01' + cast(i % 1095 as integer) as sale_date, cast(1 + i % 40 as decimal(18,4)) as quantity,
        cast((i % 99991) / 100 as decimal(18,4)) as net_amount, cast((i % 77777) / 100 as decimal(18,4)) as cost_amount,
        'CNY' as currency_code, cast((i % 99991) / 100 as decimal(28,8)) as net_amount_reporting,
        'Category ' || (i % 12) as product_category, 'Region ' || (i % 8) as dealer_region
    from range({}) as r(i)"""
TYPES = {
    "transaction_id": "varchar", "line_no": "bigint", "transaction_type": "varchar", "dealer_id": "varchar",
    "product_id": "varchar", "seller_id": "varchar", "sale_date": "date", "quantity": "decimal(18,4)",
    "net_amount": "decimal(18,4)", "cost_amount": "decimal(18,4)", "currency_code": "varchar",
    "net_amount_reporting": "decimal(28,8)", "product_category": "varchar", "dealer_region": "varchar",
}  # fmt: skip


def main() -> int:
    """Command line; returns 1 if a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--tables", type=int, default=4)
    parser.add_argument("--home", type=Path, help="where to work (default: a temporary folder)")
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="dealermart-bench-"))
    settings = Settings(home=home / "home", postgres="embedded", threads=2)
    server = Server.of(settings)
    try:
        return measure(settings, server, given.rows, given.tables)
    finally:
        server.remove()
        shutil.rmtree(home, ignore_errors=True)


def measure(settings: Settings, server: Server, rows: int, tables: int) -> int:
    """Plain COPY, then two publications of the same rows, the second beside a reader of the first."""
    settings.warehouse.parent.mkdir(parents=True)
    marts = tuple(
        Mart(
            f"fct_line_{number}", "marts", "Lines. Grain: one row per line", SEEN,
            tuple(Column(name, kind, name, SEEN, "none") for name, kind in TYPES.items()),
            ("transaction_id", "line_no"), (("dealer_id", "sale_date"),),
        )
        for number in range(1, tables + 1)
    )  # fmt: skip
    with connect(settings, settings.warehouse) as con:
        con.execute("create schema marts")
        for mart in marts:
            con.execute(f"create table marts.{mart.name} as {SQL.format(rows // tables)}")
    server.start()
    con = connect(settings)
    con.execute(f"attach {literal(str(settings.warehouse))} as warehouse (read_only)")
    plain, size = 0.0, 0
    for mart in marts:
        csv = settings.home / "rows.csv"
        con.execute(f"copy warehouse.marts.{mart.name} to {literal(str(csv))} (format csv, header false)")
        plain += copy_plain(server, mart, csv)
        size += csv.stat().st_size
        csv.unlink()
    print(
        f"plain COPY of {rows:,} rows in {tables} tables ({size / 1e9:.1f} GB of CSV, no keys): {plain:.1f} s",
        flush=True,
    )
    took, waits = 0.0, [0.0]
    for turn in ("first", "second, beside readers"):
        with Publisher(settings, con, Shapes(marts), about(turn), (), print) as publisher:
            start = time.monotonic()
            publisher.load()
            loaded = time.monotonic() - start
            with Readers(server, turn != "first") as waits:
                start = time.monotonic()
                publisher.swap()
                swapped = time.monotonic() - start
        took = loaded + swapped
        print(
            f"publication, {turn}: {took:.1f} s with keys, index, comments, rights; of it the swap {swapped:.2f} s",
            flush=True,
        )
    ratio, wait = took / plain, 1000 * max(waits)
    print(f"{ratio:.2f} times plain COPY (budget 1.5); longest wait of a reader {wait:.0f} ms (budget 100)")
    return 0 if ratio <= 1.5 and wait < 100 else 1


def about(turn: str) -> About:
    """What is told of a publication, under a run of its own."""
    moment = "2026-01-01 00:00:00"
    return About(f"bench {turn}", moment, moment[:10], moment[:10], moment, "bench", {})


def copy_plain(server: Server, mart: Mart, csv: Path) -> float:
    """Seconds of COPY into a table that has nothing but columns."""
    listed = ", ".join(f"{column.name} {pg_type(mart, column)}" for column in mart.columns)
    with psycopg.connect(server.url(), autocommit=True) as con:
        con.execute(f"create table public.plain ({listed})")
        start = time.monotonic()
        with con.cursor().copy("copy public.plain from stdin (format csv)") as copy, csv.open("rb") as rows:
            while block := rows.read(1 << 20):
                copy.write(block)
        seconds = time.monotonic() - start
        con.execute("drop table public.plain")
        con.execute("checkpoint")
    return seconds


class Readers:
    """Readers at work while the block runs; gives the list of their waits in seconds."""

    def __init__(self, server: Server, is_on: bool) -> None:
        self.server, self.is_on, self.waits = server, is_on, [0.0]
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._read) for _ in range(2 if is_on else 0)]

    def __enter__(self) -> list[float]:
        for thread in self.threads:
            thread.start()
        if self.is_on:
            time.sleep(1)
        return self.waits

    def __exit__(self, *_: object) -> None:
        if self.is_on:
            time.sleep(1)
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _read(self) -> None:
        with psycopg.connect(self.server.url("dealermart_bi"), autocommit=True) as con:
            while not self.stop.is_set():
                start = time.monotonic()
                con.execute("select net_amount from bi.fct_line_1 where transaction_id = 'INV000000007'").fetchall()
                self.waits.append(time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
