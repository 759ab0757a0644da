"""A small warehouse of rows written by hand, and dbt run on it as the build runs it: as a subprocess."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import REPO, Settings
from dealermart.config import load_contracts
from dealermart.warehouse.closed import name_closed
from dealermart.warehouse.inputs import STEP_LINES, name_steps
from dealermart.warehouse.tables import compile_config

Row = Mapping[str, Any]
AS_OF = "2026-04-05 00:00:00"
PERIOD_END = date(2026, 4, 1)
LEDGER = {
    "delivery_id": "varchar", "source": "varchar", "source_file": "varchar", "feed": "varchar",
    "received_date": "date", "ingested_at": "timestamp", "status": "varchar",
    **dict.fromkeys(("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate"), "bigint"),
}  # fmt: skip


def make(
    folder: Path,
    feeds: Mapping[str, Sequence[Row]],
    company: Mapping[str, Any],
    plans: Mapping[str, Any] | None = None,
    kpis: str = "",
) -> Path:
    """A DuckDB file with the schemas lake, config and meta as the build leaves them; every month is dirty.

    Args:
        folder: Where the file goes.
        feeds: Rows of each feed, columns by name; what is left out is NULL, or for provenance a default.
        company: The company file's fields.
        plans: Plans by name, as ``config/plans`` has them; by default the repository's.
        kpis: Entries of KPIs, as the registry has them, besides those of the repository.
    """
    config = folder / "config"
    config.mkdir(parents=True)
    for name in ("feeds", "reviews", *([] if plans else ["plans"])):
        (config / name).symlink_to(REPO / "config" / name)
    registry = (REPO / "config" / "kpis.yml").read_text("utf-8")
    (config / "kpis.yml").write_text(registry.replace("\nkpis:\n", f"\nkpis:\n{kpis}"), "utf-8")
    for name, plan in (plans or {}).items():
        (config / "plans").mkdir(exist_ok=True)
        (config / "plans" / f"{name}.yml").write_text(json.dumps(plan), "utf-8")
    (config / "company.yml").write_text(json.dumps(dict(company)), "utf-8")  # JSON is YAML
    here = Settings(home=folder / "home", config=config)
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema lake; create schema config; create schema meta")
        for name, file in compile_config(here, PERIOD_END, con).items():
            con.execute(f"create table config.{name} as from read_parquet('{file}')")
        for feed, contract in load_contracts(here).items():
            columns = ", ".join(f"{name} {type_}" for name, type_ in contract.lake_columns.items())
            con.execute(f"create table lake.{feed} ({columns})")
        con.execute(f"create table lake.ledger ({', '.join(f'{name} {type_}' for name, type_ in LEDGER.items())})")
        name_closed(con, here)
        name_steps(con, STEP_LINES)
        for name in ("dirty_month", "dirty_pay_month"):
            con.execute(f"create table meta.{name} as select month_start from config.fiscal_month")
    add(path, feeds)
    return path


def add(path: Path, feeds: Mapping[str, Iterable[Row]]) -> None:
    """Append rows to the lake, and to the ledger what their deliveries came to."""
    with duckdb.connect(str(path)) as con:
        con.execute("begin")
        for feed, rows in feeds.items():
            for row in rows:
                received = row.get("_received_date", date(2026, 1, 1))
                (number,) = con.execute(f"select count(*) + 2 from lake.{feed}").fetchone() or (2,)
                delivery = f"{feed}-{received}"
                full = {
                    "_source": "hand", "_delivery_id": delivery, "_source_file": f"{feed}.csv", "_row_number": number,
                    "_row_part": 1, "_received_date": received, "_ingested_at": datetime.combine(received, time(2)),
                    "_run_id": f"run-{received}", "_is_repeat": False, **row,
                }  # fmt: skip
                names, marks = ", ".join(full), ", ".join("?" * len(full))
                con.execute(f"insert into lake.{feed} ({names}) values ({marks})", list(full.values()))
        con.execute("delete from lake.ledger")
        for feed in [
            name
            for (name,) in con.execute("select table_name from duckdb_tables() where schema_name = 'lake'").fetchall()
        ]:
            if feed != "ledger":
                con.execute(
                    f"""insert into lake.ledger
                    select _delivery_id, 'hand', any_value(_source_file), '{feed}', any_value(_received_date),
                        any_value(_ingested_at), 'accepted', count(*), 0, 0, count(*), count(*), 0, 0
                    from lake.{feed} group by _delivery_id"""
                )
        con.execute("commit")


def build(path: Path, *arguments: str, command: str = "build") -> dict[str, str]:
    """Run dbt on the warehouse; returns the status of each node by name. If dbt fails, so does the test."""
    project, state = REPO / "dbt_project", path.parent / "dbt"
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "dbt"), "--no-use-colors", "--log-path", str(state), command,
            "--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(state), *arguments,
        ],
        env={
            **os.environ, "DEALERMART_WAREHOUSE": str(path), "DEALERMART_TEMP_DIR": str(state / "spill"),
            "DEALERMART_MEMORY_LIMIT": "1GB", "DO_NOT_TRACK": "1", "DEALERMART_AS_OF": AS_OF,
            "DEALERMART_AS_OF_DATE": AS_OF[:10], "DEALERMART_RECEIVED_UNTIL": f"{PERIOD_END}",
            "DEALERMART_PERIOD_END": f"{PERIOD_END}",
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    results = json.loads((state / "run_results.json").read_text("utf-8"))["results"]
    return {result["unique_id"].split(".", 2)[2]: result["status"] for result in results}
