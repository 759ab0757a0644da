"""``dealermart review pull``: the workbook of a quarter from a published copy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dealermart.base import Settings, UsageError, record_run
from dealermart.config import load_company
from dealermart.review import workbook
from dealermart.review.places import folder_of, replacing
from dealermart.review.quarter import read_quarter
from dealermart.review.tables import opened, version_of
from dealermart.review.workbook import House, Wanted


@dataclass(frozen=True)
class Pulled:
    """A workbook that was written, and its rows by sheet."""

    path: Path
    rows: Mapping[str, int]


def pull(settings: Settings, place: Path, period_id: str, wanted: Wanted, out: Path | None = None) -> Pulled:
    """Write the workbook of a quarter for HR.

    Args:
        place: The copy for HR: a DuckDB file, or a folder of Parquet files.
        out: The file; by default below ``published/reviews``, readable for HR alone.

    Raises:
        UsageError: there is no copy, or no review of the quarter, or not this version, or ``out`` is no ``.xlsx``.
        DataError: the copy holds no reviews, or is damaged.
    """
    if out is not None and out.suffix.lower() != ".xlsx":
        raise UsageError("the file to write has another ending than .xlsx", where=str(out), mend="name it .xlsx")
    company = load_company(settings)
    said = {"action": "pull", "period": period_id, "language": wanted.language, "pay": wanted.pay}
    with record_run(settings, "review", **said, version=wanted.version) as entry:
        version = version_of(settings, period_id, wanted.version) if wanted.version else None
        wanted = replace(wanted, version=f"V{version.version}" if version else "")
        with opened(settings, place, version) as tables:
            quarter = read_quarter(tables, period_id, wanted.pay)
            house = House(company.name, company.name_zh, tables.all("dim_kpi", "kpi_code"))
        path = out or folder_of(settings, period_id, "hr") / file_name("review", period_id, wanted)
        with replacing(path) as draft:
            rows = workbook.write(draft, quarter, house, wanted)
        entry.note(rows=rows)
    return Pulled(path, rows)


def file_name(kind: str, period_id: str, wanted: Wanted, ending: str = "xlsx") -> str:
    """``review-2026-Q3-zh.xlsx``; what holds pay, and which version it is, stands in the name."""
    version = f"-{re.sub(r'[^A-Za-z0-9]+', '-', wanted.version).strip('-')}" if wanted.version else ""
    return f"{kind}-{period_id}{version}-{wanted.language}{'-pay' if wanted.pay else ''}.{ending}"
