"""Arguments that are right at first sight.

Great Expectations' own models have the last word on arguments, but to import them takes seconds, and a run that judges
nothing should not wait for that. What is seen to be right here would be right for them; all else they are asked about.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any

from dealermart.checks.kinds import COMMON, QUERY
from dealermart.checks.types import Rule

_IGNORED = ("both_values_are_missing", "either_value_is_missing", "neither")
_COMPARED = ("==", "!=", "<", "<=", ">", ">=")
_AMONG = ("IN", "NOT_IN")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def is_plain(rule: Rule) -> bool:
    """Whether Great Expectations would take this rule for sure."""
    if rule.type == QUERY:
        return isinstance(rule.kwargs.get("unexpected_rows_query"), str)
    return (
        rule.type in COMMON
        and all(_is_right(name, value) for name, value in rule.kwargs.items())
        and _in_order(rule.kwargs.get("min_value"), rule.kwargs.get("max_value"))
    )


def _is_right(name: str, value: Any) -> bool:
    match name:
        case "column" | "column_A" | "column_B" | "regex":
            return isinstance(value, str) and value != ""
        case "min_value" | "max_value":
            return _is_number(value) or _is_day(value)
        case "strict_min" | "strict_max" | "or_equal":
            return isinstance(value, bool)
        case "value_set":
            return isinstance(value, list) and len({type(part) for part in value}) == 1 and all(map(_is_value, value))
        case "mostly":
            return _is_number(value) and 0 <= value <= 1
        case "ignore_row_if":
            return value in _IGNORED
        case "row_condition":
            return isinstance(value, Mapping) and _is_condition(value)
    return False


def _in_order(low: Any, high: Any) -> bool:
    return low is None or high is None or (isinstance(low, str) == isinstance(high, str) and low <= high)


def _is_condition(value: Mapping[str, Any]) -> bool:
    column = value.get("column")
    if not isinstance(column, Mapping) or set(column) != {"name"} or not isinstance(column["name"], str):
        return False
    if value.get("type") == "nullity":
        return set(value) == {"type", "column", "is_null"} and isinstance(value["is_null"], bool)
    if value.get("type") != "comparison" or set(value) != {"type", "column", "operator", "parameter"}:
        return False
    parameter = value["parameter"]
    if value["operator"] in _AMONG:
        return isinstance(parameter, list) and bool(parameter) and all(map(_is_value, parameter))
    return value["operator"] in _COMPARED and _is_value(parameter)


def _is_value(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and _DAY.fullmatch(value) is not None and dt.date.fromisoformat(value) is not None
    except ValueError:
        return False
