"""Schema ``closed``: what was paid, from the folders of closed periods, and the causes of what is settled for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import yaml

from dealermart import frozen
from dealermart.base import Settings, quoted, typed_sql
from dealermart.frozen import Frozen

# Incentive marts of which the rows of a closed period are those that were paid.
MARTS = ("statement", "statement_line", "line_source", "balance", "credit", "proposal")

PAYEE = {"scenario_id": "varchar", "payee_type": "varchar", "payee_id": "varchar", "plan_id": "varchar"}
PAID = {**PAYEE, "component_id": "varchar", "currency_code": "varchar", "period_id": "varchar"}
SOURCE = {
    "source_feed": "varchar",
    "source_id": "varchar",
    "transaction_id": "varchar",
    "line_no": "bigint",
    "credit_role": "varchar",
    "is_paid_anew": "boolean",
}
# What is reckoned besides, beside the warehouse: by ``causes``.
LATE: dict[str, dict[str, str]] = {
    "late_cause": {
        **PAID,
        "cause_no": "integer",
        "cause": "varchar",
        "before_amount": "decimal(18,2)",
        "after_amount": "decimal(18,2)",
        "amount": "decimal(18,2)",
    },
    "late_source": {**PAID, "cause": "varchar", **SOURCE, "amount": "decimal(18,2)"},
}


def closed_before(settings: Settings, moment: str | None = None) -> tuple[Frozen, ...]:
    """The closed pay periods in the order of closing, each looked at whole.

    Args:
        moment: Those closed until then (ISO, UTC); by default all.

    Raises:
        DataError: a closed folder is not what was closed.
    """
    return tuple(
        folder
        for folder in frozen.chain(settings, "pay")
        if moment is None or str(folder.manifest["closed_at"])[:26].replace("T", " ") <= moment
    )


def name_closed(con: duckdb.DuckDBPyConnection, settings: Settings, folders: Sequence[Frozen] = ()) -> None:
    """Write the schema ``closed``; without folders its tables are there and empty."""
    con.execute("create schema if not exists closed")
    rows = "".join(
        f" union all select 'paid', '{folder.period_id}', timestamp '{str(folder.manifest['closed_at'])[:19]}'"
        for folder in folders
    )
    con.execute(
        "create or replace table closed.period as select * from (select cast(null as varchar) as scenario_id,"
        f" cast(null as varchar) as period_id, cast(null as timestamp) as closed_at where false{rows})"
    )
    for name in MARTS:
        mart = f"mart_incentive__{name}"
        if columns := _columns(settings, mart):
            paths = [folder.tables[mart] for folder in folders if mart in folder.tables]
            _view(con, name, typed_sql(columns, paths))
    name_late(con, settings, is_any=bool(folders))


def name_late(con: duckdb.DuckDBPyConnection, settings: Settings, *, is_any: bool) -> None:
    """Write the views of the causes that were told apart last."""
    for name, columns in LATE.items():
        path = late_file(settings, name)
        _view(con, name, typed_sql(columns, [path] if is_any and path.exists() else []))


def late_file(settings: Settings, name: str) -> Path:
    """Where the causes of a warehouse are: beside it."""
    return settings.warehouse.with_suffix(f".{name}.parquet")


def _view(con: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    con.execute(f"create or replace view closed.{quoted(name)} as {sql}")


def _columns(settings: Settings, mart: str) -> dict[str, str]:
    """The columns of a mart of incentives by its contract, or that of the model which it shows; none without either."""
    models = settings.dbt_project / "models"
    shown = mart.replace("mart_", "int_", 1)
    for place in (f"marts/incentive/{mart}", f"intermediate/incentive/{shown}"):
        path = models / f"{place}.yml"
        if path.exists():
            (found,) = yaml.safe_load(path.read_text("utf-8"))["models"]
            return {column["name"]: column["data_type"] for column in found["columns"]}
    return {}
