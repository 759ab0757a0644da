"""The fiscal calendar: one row per month."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from dealermart.base import ConfigError, UsageError
from dealermart.config import Company


def fiscal_months(company: Company, period_end: date, company_file: Path) -> list[tuple[object, ...]]:
    """One row per fiscal month from the calendar's start to the end of the fiscal year that ``period_end`` closes."""
    if period_end.day != 1 or period_end <= company.calendar_start:
        raise ConfigError(
            f"{period_end} does not end a fiscal month after {company.calendar_start}, where the calendar starts",
            where=str(company_file),
            mend="build to the first day of a month, or let calendar_start begin earlier",
        )
    rows: list[tuple[object, ...]] = []
    first = month_number(company.calendar_start)
    built = month_number(period_end) - first
    for number in range(-(-built // 12) * 12):
        in_year, in_quarter = number % 12, number % 3
        month, quarter, year = first + number, first + number - in_quarter, first + number - in_year
        last_month_of_year = _month_start(year + 11)
        fiscal_year, quarter_no = last_month_of_year.year, in_year // 3 + 1
        rows.append(
            (
                f"{fiscal_year}-M{in_year + 1:02d}",
                _month_start(month),
                _month_start(month + 1),
                fiscal_year,
                in_year + 1,
                quarter_no,
                f"{fiscal_year}-Q{quarter_no}",
                _month_start(quarter),
                _month_start(quarter + 3),
                f"{fiscal_year}",
                _month_start(year),
                _month_start(year + 12),
            )
        )
    return rows


def period_bounds(company: Company, period_id: str) -> tuple[date, date]:
    """First day of a fiscal period (``2026-M03``, ``2026-Q1``, ``2026``), and first day after it.

    Raises:
        UsageError: it is no period of the calendar.
    """
    if re.fullmatch(r"\d{4}(-Q[1-4]|-M(0[1-9]|1[0-2]))?", period_id):
        year_begins = _month_start(month_number(company.calendar_start) % 12 + int(period_id[:4]) * 12)
        first = month_number(year_begins) - (12 if company.fiscal_year_start_month > 1 else 0)
        length = {"": 12, "Q": 3, "M": 1}[period_id[5:6]]
        start = first + (int(period_id[6:]) - 1) * length if length < 12 else first
        if _month_start(start) >= company.calendar_start:
            return _month_start(start), _month_start(start + length)
    raise UsageError(
        f"{period_id} is no period of the calendar, which begins on {company.calendar_start}",
        mend="name a month, quarter or year, such as 2026-M03, 2026-Q1 or 2026",
    )


def month_number(day: date) -> int:
    """Months since the year 0."""
    return day.year * 12 + day.month - 1


def _month_start(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
