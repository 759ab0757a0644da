"""Stands for dbt's ``adapter``: a dispatched macro becomes a literal, or a query where a table expression is due."""

from collections.abc import Callable


def dispatch(macro: str, package: str) -> Callable[..., str]:
    """The macro of the engine at hand, as far as layout goes."""
    return lambda *_: "select 1 as date_day" if macro.endswith("_spine") else "1"
