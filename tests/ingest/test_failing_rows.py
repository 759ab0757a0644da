"""One bad value of a file: its row is rejected like others, and comes in once the select can read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb

from dealermart import ingest, upkeep
from dealermart.base import Settings
from dealermart.ingest import Choice

DAY = dt.date(2026, 3, 2)
TARGETS = "target,member,year,quarter,value\nT1,M1,2026,1,100\nT2,M2,2026,5,200\nT3,M3,2026,4,300\n"
SELECT = """
    select
        _delivery_id, _row_number, target as target_id, 'member' as subject_type, member as subject_id,
        'net_revenue' as metric, make_date(cast(year as integer), {month}, 1) as valid_from,
        '2027-01-01' as valid_to, value as target_value, 'CNY' as unit
    from target_file
"""
REASON = (
    "valid_from: targets.sql cannot compute "
    'make_date(CAST("year" AS INTEGER), ((CAST("quarter" AS INTEGER) * 3) - 2), 1)'
)


def test_a_wrong_quarter_costs_its_row_and_not_the_day(settings: Settings, drop: Callable[..., Path]) -> None:
    select = settings.sources / "mini" / "targets.sql"
    select.write_text(SELECT.format(month="cast(quarter as integer) * 3 - 2"), "utf-8")
    files = {
        "targets.csv": TARGETS,
        "targets_old.csv": "target,member,year,quarter,value\nT8,M1,2025,0,100\nT9,M2,2025,9,200\n",
        "members.csv": "member,since,name,role,team,manager\nM1,2026-01-01,Ann,sales,,\n",
    }
    result = ingest.run(settings, "mini", DAY, drop(files))
    counts = {file.file: (file.status, file.records, file.rejected, file.accepted) for file in result.files}
    assert counts == {
        "targets.csv": ("accepted", 3, 1, 2),
        "targets_old.csv": ("refused", 2, 2, 0),
        "members.csv": ("accepted", 1, 0, 1),
    }
    [fault] = result.files[[file.file for file in result.files].index("targets.csv")].faults
    assert fault == {"stage": "map", "rule": "map", "reason": REASON, "rows": 1, "first_row": 3}
    [refused] = result.refused
    assert f"2 of 2 rows cannot be taken (first in row 2: {REASON})" in str(refused.error)

    # Made again from the log, with the select of then and with a mended one: the same counts, which rebuild compares.
    upkeep.rebuild(settings)
    select.write_text(SELECT.format(month="least(cast(quarter as integer), 4) * 3 - 2"), "utf-8")
    upkeep.rebuild(settings)

    decided = ingest.release(settings, Choice(file="targets.csv"), "Li", "5 was meant to be the last quarter")
    assert decided.rows == 1
    rows = duckdb.sql(
        f"select target_id, cast(valid_from as varchar) from '{settings.lake}/targets/*.parquet' order by 1"
    )
    assert rows.fetchall() == [("T1", "2026-01-01"), ("T2", "2026-10-01"), ("T3", "2026-10-01")]
