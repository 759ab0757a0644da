"""The fiscal calendar: one row per month."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dealermart.base import ConfigError
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


def month_number(day: date) -> int:
    """Months since the year 0."""
    return day.year * 12 + day.month - 1


def _month_start(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
