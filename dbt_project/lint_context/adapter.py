"""Stands for dbt's ``adapter``: a dispatched macro becomes a literal, or what else can stand in its place."""

from collections.abc import Callable


def dispatch(macro: str, package: str) -> Callable[..., str]:
    """The macro of the engine at hand, as far as layout goes."""
    stand_ins = {"day_spine": "select 1 as date_day", "by_fiscal_month": "", "read_anew": "materialized"}
    return lambda *_: stand_ins.get(macro, "1")
