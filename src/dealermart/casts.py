"""Casts: SQL that reads a text as the type that a contract asks for, and gives NULL where the text is none of it."""

from __future__ import annotations

from dealermart.contracts import Column
from dealermart.lake import literal
from dealermart.profiles import FileSpec

_YES = "('true', 't', 'yes', 'y', '1', '是')"
_NO = "('false', 'f', 'no', 'n', '0', '否')"
_ISO = literal(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")


def cast_sql(text: str, column: Column, spec: FileSpec) -> str:
    """SQL that reads ``text`` as the column's type.

    Args:
        text: An SQL expression; trimmed, missing is NULL.
        spec: Says the decimal sign and the date formats that are taken besides ISO.

    Returns:
        SQL expression of the column's type; NULL where the text is missing or cannot be read.
    """
    if column.type == "string":
        return text
    if column.type == "boolean":
        return f"case when lower({text}) in {_YES} then true when lower({text}) in {_NO} then false end"
    if column.type in ("date", "timestamp"):
        ways = [f"case when regexp_full_match({text}, {_ISO}) then try_cast({text} as timestamp) end"]
        ways += [f"try_strptime({text}, {literal(form)})" for form in spec.dates]
        return f"cast(coalesce({', '.join(ways)}) as {column.type})"
    number = _number_sql(text, spec)
    if column.type != "integer":
        return f"try_cast({number} as {column.sql_type})"
    exact = f"try_cast({number} as decimal(38, 6))"
    # A cast to an integer rounds, and 1.5 is no integer.
    return f"case when {exact} % 1 = 0 then try_cast({exact} as {column.sql_type}) end"


def _number_sql(text: str, spec: FileSpec) -> str:
    """SQL of the text with a decimal point and no grouping; NULL where digits are not grouped as numbers are."""
    group, point = (",", ".") if spec.decimal == "." else (".", ",")
    pattern = rf"[-+]?(\d+|\d{{1,3}}([{group}]\d{{3}})+)?([{point}]\d*)?([eE][-+]?\d+)?"
    plain = f"replace(replace({text}, {literal(group)}, ''), ',', '.')"
    return (
        f"case when regexp_full_match({text}, {literal(pattern)}) and regexp_matches({text}, '[0-9]') then {plain} end"
    )
