"""What a reader finds at the end of a demonstration: the address of PostgreSQL, a first query and its result."""

from __future__ import annotations

import unicodedata
from typing import Any

import psycopg

from dealermart import publish
from dealermart.base import Settings

QUERY = """\
select subject_name as region, period_id, round(value) as net_revenue, round(100 * attainment, 1) as attainment_pct
from bi.mart_kpi__subject_period
where kpi_code = 'net_revenue' and subject_type = 'region' and period_type = 'quarter'
    and period_id = (
        select max(period_id) from bi.mart_kpi__subject_period
        where kpi_code = 'net_revenue' and period_type = 'quarter' and is_complete and value is not null
    )
order by value desc nulls last
limit 5"""


def closing_words(settings: Settings) -> list[str]:
    """Lines that say how to query what was published; only of a server of our own, whose passwords are known here."""
    server = publish.Server.of(settings)
    role = publish.ROLES["bi"]
    if settings.postgres != "embedded" or role not in server.known_passwords():
        return []
    url = server.url(role)
    with psycopg.connect(url, connect_timeout=30) as con:
        found = con.execute(QUERY)
        names = [column.name for column in found.description or ()]
        rows = [["" if value is None else str(value) for value in row] for row in found.fetchall()]
    return [
        f"PostgreSQL for BI:  {url}",
        f"          for HR:   {server.url(publish.ROLES['hr'])}",
        "",
        *QUERY.splitlines(),
        "",
        *_table(names, rows),
    ]


def _table(names: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(names, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        padded: list[Any] = [cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)]
        return "  ".join(padded).rstrip()

    return [line(names), line(["-" * width for width in widths]), *map(line, rows)]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
