"""What is compared when the CRM's data comes by two ways: the CRM's marts row by row, and all KPIs of periods that ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

# Marts that hold nothing but the CRM's records: which rows are compared, and what says by which way or when a row came.
# A record that was deleted and came back has a later change time and, in the history, a window more; an account that was
# deleted stays in the history; whether a planned activity is done hangs on the last day that was received.
MARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "fct_opportunity": ("true", ("updated_at",)),
    "fct_opportunity_stage": ("true", ("valid_from", "valid_to")),
    "fct_activity": ("true", ("is_done",)),
    "dim_account": ("is_current", ()),
    "bridge_deal_participant": ("true", ()),
}
# KPIs that are computed from the CRM; in the order of the registry.
PIPELINE = (
    "open_pipeline_amount", "weighted_pipeline_amount", "new_opportunities", "win_rate_count_pct", "win_rate_value_pct",
    "sales_cycle_days", "sales_cycle_days_median", "stage_age_days", "stalled_opportunity_pct", "account_completeness_pct",
    "account_fresh_pct", "account_duplicate_pct", "stage_logged_in_time_pct", "crm_active_user_pct",
    "opportunity_with_activity_pct",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """Two warehouses side by side.

    Attributes:
        table: KPI, period, value of each way, of the whole company.
        values: KPI values that were compared, of all subjects.
        differing: Of these, how many differ.
        rows: Mart -> rows of each way and how many stand in one of them only.
    """

    table: list[tuple[str, str, Any, Any]]
    values: int
    differing: list[tuple[Any, ...]]
    rows: dict[str, tuple[int, int, int]]

    @property
    def equal(self) -> bool:
        return not self.differing and not any(only for _, _, only in self.rows.values()) and self.values > 0


def compare(files: Path, pulled: Path, end: str, marts: Iterable[str] = tuple(MARTS)) -> Compared:
    """Hold one warehouse against the other.

    Args:
        files: DuckDB file of the way by files.
        pulled: The same of the way by API.
        marts: Marts whose rows must be the same.
        end: First day after the periods to compare, as 2026-10-01.
    """
    with duckdb.connect() as con:
        con.execute(f"attach '{files}' as a (read_only)")
        con.execute(f"attach '{pulled}' as b (read_only)")
        where = {
            name: con.execute(
                "select database_name || '.' || schema_name || '.' || table_name from duckdb_tables() "
                "where table_name = ? and database_name in ('a', 'b') union "
                "select database_name || '.' || schema_name || '.' || view_name from duckdb_views() "
                "where view_name = ? and database_name in ('a', 'b') order by 1",
                [name, name],
            ).fetchall()
            for name in (*marts, "mart_kpi__subject_period")
        }
        rows = {}
        for name in marts:
            (a,), (b,) = where[name]
            which, apart = MARTS[name]
            columns = [c[0] for c in con.execute(f"describe {a}").fetchall()]
            listed = ", ".join(f'"{c}"' for c in columns if not c.startswith("_") and c not in apart)
            x, y = (f"(select distinct {listed} from {mart} where {which})" for mart in (a, b))
            only = con.execute(
                f"select count(*) from ((from {x} except all from {y}) union all (from {y} except all from {x}))"
            ).fetchone()
            counts = con.execute(f"select (select count(*) from {x}), (select count(*) from {y})").fetchone()
            assert only and counts
            rows[name] = (*counts, only[0])
        (a,), (b,) = where["mart_kpi__subject_period"]
        joined = (
            f"select coalesce(x.kpi_code, y.kpi_code) as kpi, coalesce(x.period_id, y.period_id) as period, "
            f"coalesce(x.subject_type, y.subject_type) as kind, coalesce(x.subject_id, y.subject_id) as subject, "
            f"x.value as of_files, y.value as pulled "
            f"from (select * from {a} where period_end <= date '{end}') x full join "
            f"(select * from {b} where period_end <= date '{end}') y "
            f"on x.kpi_code = y.kpi_code and x.period_id = y.period_id and x.subject_type = y.subject_type "
            f"and x.subject_id is not distinct from y.subject_id"
        )
        count = con.execute(f"select count(*) from ({joined})").fetchone()
        differing = con.execute(f"select * from ({joined}) where of_files is distinct from pulled").fetchall()
        table = con.execute(
            f"select kpi, period, of_files, pulled from ({joined}) where kind = 'company' and kpi in {PIPELINE} "
            "and period = (select max(period) from (select period_id as period from "
            f"{a} where period_end <= date '{end}' and period_type = 'quarter')) order by kpi"
        ).fetchall()
    assert count
    return Compared(table, count[0], differing, rows)
