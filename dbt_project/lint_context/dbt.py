"""Stands for dbt's own macros."""


def datediff(first: str, last: str, part: str) -> str:
    """Days, months ... between two dates."""
    return f"date_diff('{part}', {first}, {last})"


def listagg(measure: str, delimiter: str, order_by: str | None = None, limit: int | None = None) -> str:
    """Values of a group in one text."""
    return f"string_agg({measure}, {delimiter} {order_by or ''})"


def dateadd(part: str, count: int | str, day: str) -> str:
    """A date so many days, months ... later."""
    return f"date_add({day}, to_{part}s({count}))"
