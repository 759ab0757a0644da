#!/usr/bin/env python
"""Time ingest beside plain DuckDB and beside pandas, on the same files, each in a process of its own.

(a) DuckDB reads the CSV with its types and writes Parquet: no checks, no lineage. (b) pandas reads it, Great
Expectations on pandas runs the suite's rules, pandas itself those in SQL, and two Parquet files are written; it is
spared the comparison with what the lake holds. Rows accepted and quarantined must be the same as ours.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from dealermart import checks, ingest, lake, landing, mapping, readers, report
from dealermart.base import REPO, Settings, load_settings
from dealermart.config import load_contracts
from dealermart.ingest import batch, drift, gate, judge, partition, source  # looked into, not only called

DEALERS, PRODUCTS, MEMBERS = 1000, 500, 100
BOOK_ROWS = 50
FIRST_DAY = dt.date(2026, 1, 5)
COLUMNS = {
    "transaction_id": "varchar",
    "line_no": "bigint",
    "transaction_type": "varchar",
    "dealer_id": "varchar",
    "product_id": "varchar",
    "seller_id": "varchar",
    "quantity": "decimal(18,4)",
    "net_amount": "decimal(18,4)",
    "cost_amount": "decimal(18,4)",
    "sale_date": "date",
}
PROFILE = """\
source: bench
title: Made for the benchmark
files:
  - {name: dealer_file, feed: dealers, map: dealers.sql, pattern: "dealers.csv", format: csv}
  - {name: product_file, feed: products, map: products.sql, pattern: "products.csv", format: csv}
  - {name: member_file, feed: team_members, map: members.sql, pattern: "members.csv", format: csv}
  - {name: sale_file, feed: sales, map: sales.sql, pattern: "sales*.csv", format: csv}
  - {name: book_file, feed: sales, map: books.sql, pattern: "book*.xlsx", format: xlsx}
"""
SALES = f"""\
select _delivery_id, _row_number, {", ".join(COLUMNS)}, 'sell_in' as channel, 'CNY' as currency_code
from {{table}}
"""
MAPPINGS = {
    "dealers": "select _delivery_id, _row_number, dealer_id, '2020-01-01' as valid_from, dealer_id as dealer_name, "
    "'east' as region, 'CN' as country, '2020-01-01' as onboarded_date, 'active' as status from dealer_file\n",
    "products": "select _delivery_id, _row_number, product_id, '2020-01-01' as valid_from, product_id as product_name, "
    "'all' as category from product_file\n",
    "members": "select _delivery_id, _row_number, member_id, '2020-01-01' as valid_from, member_id as member_name, "
    "'sales' as role, 'all' as team from member_file\n",
    "sales": SALES.format(table="sale_file"),
    "books": SALES.format(table="book_file"),
}
# What a run is split into. The time of a step is without that of the steps it calls.
STEPS: dict[str, list[tuple[Any, str]]] = {
    "land": [(landing, "land")],
    "read": [(readers, "read_all")],
    "map": [(mapping, "map_rows")],
    "gather, hash": [(source.Source, "_gather")],
    "check": [
        *((checks, name) for name in ("find_twins", "run_batch", "failing_rows")),
        (judge, "judge_by_own_rows"),
    ],
    "drift": [(drift, "observe")],
    "find repeats": [(gate, "_mark_repeats")],
    "write the lake": [(gate, "_accept")],
    "quarantine, verdicts": [(lake.Quarantine, "add"), (batch, "keep_verdicts")],
    "count": [(batch, "count")],
    "take up": [(partition, "take_up")],
    "report": [(report, "after_ingest")],
}


def main() -> int:
    """Run all, or one step in this process. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--lines", type=int, default=10_000_000, help="lines of the file that is timed")
    parser.add_argument("--held", type=int, default=50_000_000, help="lines that the lake holds before")
    parser.add_argument("--books", type=int, default=500, help="small workbooks of one run")
    parser.add_argument("--keep", type=Path, help="a new folder for what is made; by default a temporary one")
    parser.add_argument("--step", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        name, file = options.step
        print(json.dumps(_measured(STEPPERS[name], options.keep, file)))
        return 0
    if options.keep:
        options.keep.mkdir(parents=True)
        return _run(options.keep.resolve(), options.lines, options.held, options.books)
    with tempfile.TemporaryDirectory(prefix="dealermart-bench-") as folder:
        return _run(Path(folder), options.lines, options.held, options.books)


def _run(root: Path, lines: int, held: int, books: int) -> int:
    _prepare(root)
    made, ratios = 0, list[float]()
    while made < held:  # through the front door, in files of the size that is timed
        count = min(lines, held - made)
        size = _make_sales(root, "sales_before.csv", made, count)
        plain, sale = (_step(root, name, "sales_before.csv")["seconds"] for name in ("duckdb", "ours"))
        ratios.append(sale / plain)
        print(
            f"the lake held {made:>11,} lines: {count:,} more ({size:.0f} MB) in {sale:.1f} s, "
            f"plain DuckDB {plain:.1f} s: {ratios[-1]:.2f}x",
            flush=True,
        )
        made += count
    size = _make_sales(root, "sales.csv", made, lines)
    print(f"\n{lines:,} lines, {size:.0f} MB, into a lake of {made:,}")
    # Plain DuckDB just before ours, as the machine is the same then; ours last, as it takes the file away.
    found = {name: _step(root, name, "sales.csv") for name in ("pandas", "duckdb", "ours")}
    ours = found["ours"]
    print(f"{'':24}{'seconds':>9}{'peak MiB':>10}{'ours is':>9}   rows")
    for name, step in found.items():
        print(
            f"{name:24}{step['seconds']:>9.1f}{step['peak_mib']:>10,.0f}{ours['seconds'] / step['seconds']:>8.2f}x   "
            f"{step['rows']}"
        )
    _split(ours)
    ratios.append(ours["seconds"] / found["duckdb"]["seconds"])
    print(f"ours over plain DuckDB, of {len(ratios)} files: median {median(ratios):.2f}x, worst {max(ratios):.2f}x")
    if ours["rows"] != found["pandas"]["rows"]:
        print("error: ours and pandas differ\n  mend: one of them is wrong; do not trust the times", file=sys.stderr)
        return 1
    if books:
        _make_books(root, books, made + lines)
        plain, own = _step(root, "calamine", "books"), _step(root, "ours", "books")
        print(f"\n{books} workbooks of {BOOK_ROWS} rows: plain calamine {plain['seconds']:.2f} s, ours ", end="")
        print(f"{own['seconds']:.2f} s ({own['seconds'] / plain['seconds']:.1f}x), {own['peak_mib']:,.0f} MiB")
        _split(own)
    return 0


def _split(ours: dict[str, Any]) -> None:
    rest = ours["seconds"] - sum(ours["steps"].values())
    for step, seconds in {**ours["steps"], "all else": rest}.items():
        print(f"  {step:22}{seconds:>9.1f}")


# ---------------------------------------------------------------------------------------------- material


def _settings(root: Path) -> Settings:
    return replace(load_settings(), home=root / "home", config=root / "config", company="company.yml")


def _prepare(root: Path) -> None:
    shutil.copytree(REPO / "config", root / "config", ignore=shutil.ignore_patterns("sources"))
    source = root / "config" / "sources" / "bench"
    source.mkdir(parents=True)
    (source / "source.yml").write_text(PROFILE, "utf-8")
    for name, sql in MAPPINGS.items():
        (source / f"{name}.sql").write_text(sql, "utf-8")
    drop = root / "masters"
    drop.mkdir()
    for name, column, letter, count in (
        ("dealers", "dealer_id", "D", DEALERS),
        ("products", "product_id", "P", PRODUCTS),
        ("members", "member_id", "M", MEMBERS),
    ):
        text = "\n".join([column, *(f"{letter}{number:04}" for number in range(count))])
        (drop / f"{name}.csv").write_text(text + "\n", "utf-8")
    _step(root, "ours", "masters")


def _sales_sql(first: int, count: int) -> str:
    """Four lines per document; of every thousand lines one names an unknown product and one sells less than nothing."""
    return f"""
        select
            printf('INV%09d', i // 4) as transaction_id,
            i % 4 + 1 as line_no,
            'invoice' as transaction_type,
            printf('D%04d', i * 7 % {DEALERS}) as dealer_id,
            case when i % 1000 = 500 then 'P9999' else printf('P%04d', i * 13 % {PRODUCTS}) end as product_id,
            printf('M%04d', i * 3 % {MEMBERS}) as seller_id,
            case when i % 1000 = 700 then -1 else i % 20 + 1 end as quantity,
            cast(i % 99991 as decimal(18, 2)) / 100 as net_amount,
            cast(i % 70001 as decimal(18, 2)) / 100 as cost_amount,
            date '2025-01-01' + cast(i % 360 as integer) as sale_date
        from range({first}, {first + count}) as made(i)
    """


def _make_sales(root: Path, name: str, first: int, count: int) -> float:
    path = root / name
    with duckdb.connect() as con:
        con.execute(f"copy ({_sales_sql(first, count)}) to '{path}' (format csv, header)")
    return path.stat().st_size / 1e6


def _make_books(root: Path, books: int, first: int) -> None:
    import xlsxwriter

    folder = root / "books"
    folder.mkdir()
    with duckdb.connect() as con:
        for number in range(books):
            start = first + number * BOOK_ROWS
            rows = con.execute(_sales_sql(start, BOOK_ROWS)).fetchall()
            book = xlsxwriter.Workbook(folder / f"book_{number:04}.xlsx")
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, list(COLUMNS))
            for at, row in enumerate(rows, 1):
                sheet.write_row(at, 0, [str(part) if isinstance(part, dt.date) else part for part in row])
            book.close()


# ------------------------------------------------------------------------------------------ contenders


def _step(root: Path, name: str, file: str) -> dict[str, Any]:
    """One contender in a process of its own, so that its peak memory is its own.

    A process starts with the peak of the one that started it, so this one ingests nothing itself.
    """
    os.sync()  # or it shares the disk with what was written before and is not there yet
    command = [sys.executable, __file__, "--keep", str(root), "--step", name, file]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _measured(work: Callable[[Path, str], dict[str, Any]], root: Path, file: str) -> dict[str, Any]:
    began = time.monotonic()
    found = work(root, file)
    found.setdefault("seconds", time.monotonic() - began)
    return found | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _ours(root: Path, file: str) -> dict[str, Any]:
    import dealermart.checks.gx  # noqa: F401 - as the scheduler does, before it forks a task

    took = dict.fromkeys(STEPS, 0.0)
    for step, places in STEPS.items():
        for owner, name in places:
            setattr(owner, name, _timed(getattr(owner, name), took, step))
    drop = root / "drop"
    shutil.rmtree(drop, ignore_errors=True)
    if (root / file).is_dir():
        shutil.copytree(root / file, drop)
    else:
        drop.mkdir()
        shutil.move(root / file, drop / f"sales_{time.time_ns()}.csv")
    began = time.monotonic()
    result = ingest.run(_settings(root), "bench", FIRST_DAY, drop)
    seconds = time.monotonic() - began
    result.raise_for_refused()
    rows = [sum(getattr(file, name) or 0 for file in result.files) for name in ("accepted", "quarantined")]
    return {"seconds": seconds, "rows": rows, "steps": took}


def _timed(inner: Callable[..., Any], took: dict[str, float], step: str) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began, before = time.monotonic(), sum(took.values())
        try:
            return inner(*args, **kwargs)
        finally:
            within = sum(took.values()) - before  # of steps that this one called
            took[step] += time.monotonic() - began - within

    return timed


def _duckdb(root: Path, file: str) -> dict[str, Any]:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    with duckdb.connect(config={"threads": _settings(root).threads}) as con:
        (rows,) = con.execute(f"""
            copy (select * from read_csv('{root / file}', columns = {{{columns}}}, header = true))
            to '{root / "plain.parquet"}' (format parquet, compression zstd)
        """).fetchall()[0]
    return {"rows": [rows, 0]}


def _pandas(root: Path, file: str) -> dict[str, Any]:
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    began = time.monotonic()
    place = _settings(root)
    known = load_contracts(place)
    contract = known["sales"]
    suite = checks.load_suite(place.expectations / "sales.json", checks.batch_columns(contract), known)
    frame = pd.read_csv(root / file, dtype=str)
    for name, kind in COLUMNS.items():
        if kind != "varchar":
            frame[name] = pd.to_datetime(frame[name]) if kind == "date" else pd.to_numeric(frame[name])
    for name, value in {"channel": "sell_in", "currency_code": "CNY"}.items():
        frame[name] = value
    for name in contract.names:
        if name not in frame:
            frame[name] = None
    rules = [rule for rule in suite.rules if rule.type != "unexpected_rows_expectation"]
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("sales")
    part = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    expectations = gx.ExpectationSuite(name="sales", expectations=[_for_pandas(rule) for rule in rules])
    found = part.validate(expectations, result_format={"result_format": "COMPLETE", "include_unexpected_rows": False})
    evaluated = sum(
        "unexpected_count" in result.result for result in found.results
    )  # a rule that crashed counted nothing
    if evaluated != len(rules):
        raise SystemExit(f"{evaluated} of {len(rules)} rules were evaluated on pandas")
    failing = set().union(*(result.result.get("unexpected_index_list") or [] for result in found.results))
    # The rules in SQL.
    masters = {"dealer_id": ("D", DEALERS), "product_id": ("P", PRODUCTS), "seller_id": ("M", MEMBERS)}
    for name, (letter, count) in masters.items():
        listed = {f"{letter}{number:04}" for number in range(count)}
        failing |= set(frame.index[~frame[name].isin(listed) & frame[name].notna()])
    failing |= set(frame.index[frame["sale_date"] < pd.Timestamp("2020-01-01")])
    key = ["transaction_id", "line_no"]
    failing |= set(frame.index[frame.duplicated(key, keep=False) & ~frame.duplicated(keep=False)])
    bad = frame.index.isin(list(failing))
    frame[~bad].to_parquet(root / "accepted.parquet", compression="zstd")
    frame[bad].to_parquet(root / "refused.parquet", compression="zstd")
    return {"seconds": time.monotonic() - began, "rows": [int((~bad).sum()), int(bad.sum())]}


def _for_pandas(rule: checks.Rule) -> Any:
    """The same expectation, its bounds on days as pandas compares them."""
    import pandas as pd
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    kwargs = dict(rule.kwargs)
    if str(kwargs.get("column", "")).endswith("_date"):
        kwargs |= {name: pd.Timestamp(kwargs[name]) for name in ("min_value", "max_value") if name in kwargs}
    return ExpectationConfiguration(type=rule.type, kwargs=kwargs, meta={"rule": rule.rule}).to_domain_obj()


def _calamine(root: Path, folder: str) -> dict[str, Any]:
    from python_calamine import load_workbook

    rows = 0
    for path in sorted((root / folder).iterdir()):
        rows += len(load_workbook(path).get_sheet_by_index(0).to_python()) - 1
    return {"rows": [rows, 0]}


STEPPERS = {"ours": _ours, "duckdb": _duckdb, "pandas": _pandas, "calamine": _calamine}

if __name__ == "__main__":
    sys.exit(main())
