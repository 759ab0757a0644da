"""The tables of the build's benchmark by hand-written SQL."""

from __future__ import annotations

from dealermart.base import Settings, connect


def count_lines(settings: Settings) -> int:
    """Sale lines of the fact."""
    with connect(settings, settings.warehouse, read_only=True) as con:
        return int(con.execute("select count(*) from marts.fct_sale_line").fetchall()[0][0])


def compare(settings: Settings, full_seconds: float) -> str:
    raise NotImplementedError
