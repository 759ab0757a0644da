"""Criteria of search (`((Stage:equals:Won)and(Amount:greater_than:5))`) and of bulk read (nested objects)."""

from __future__ import annotations

import re
from typing import Any

from tests.crm_sim.zoho.coql import Group, Test
from tests.crm_sim.zoho.faults import Refused
from tests.crm_sim.zoho.switches import Limits

WORDS = {
    "equals": "=", "not_equal": "!=", "greater_equal": ">=", "greater_than": ">", "less_equal": "<=", "less_than": "<",
    "in": "in", "between": "between", "starts_with": "like", "contains": "like", "ends_with": "like",
    "equal": "=", "not_in": "not in",
}  # fmt: skip
PATTERN = {"starts_with": "{}%", "contains": "%{}%", "ends_with": "%{}"}
CONDITION = re.compile(r"(?s)\(\s*([\w.$]+)\s*:\s*(\w+)\s*:\s*((?:\\.|[^()\\])*)\)")


def _test(column: str, word: str, values: list[str]) -> Test:
    if word in PATTERN:
        values = [PATTERN[word].format(value) for value in values]
    return Test(column, WORDS[word], tuple(values))


def of_search(text: str) -> Group | Test:
    """Parse the criteria of a search.

    Raises:
        Refused: INVALID_QUERY.
    """
    found, rest = _search(text.strip())
    if rest.strip():
        raise Refused("INVALID_QUERY", {"reason": "criteria", "near": rest[:20]})
    return found


def _search(text: str) -> tuple[Group | Test, str]:
    if leaf := CONDITION.match(text):
        column, word, value = leaf.groups()
        if word not in WORDS:
            raise Refused("INVALID_QUERY", {"column_name": column, "operator": word})
        values = value.split(",") if word in ("in", "between") else [re.sub(r"\\(.)", r"\1", value)]
        return _test(column, word, values), text[leaf.end() :]
    if not text.startswith("("):
        raise Refused("INVALID_QUERY", {"reason": "criteria", "near": text[:20]})
    parts, rest = [], text[1:].lstrip()
    joined = ""
    while True:
        part, rest = _search(rest)
        parts.append(part)
        rest = rest.lstrip()
        if rest.startswith(")"):
            return (parts[0] if len(parts) == 1 else Group(joined, tuple(parts))), rest[1:]
        word = next((w for w in ("and", "or") if rest.startswith(w)), "")
        if not word or (joined and word != joined):
            raise Refused("INVALID_QUERY", {"reason": "criteria", "near": rest[:20]})
        joined, rest = word, rest[len(word) :].lstrip()


def of_bulk(given: Any, limits: Limits) -> Group | Test:
    """Parse the criteria of a bulk read.

    Raises:
        Refused: INVALID_CRITERIA, CRITERIA_LIMIT_EXCEEDED or VALUE_LIMIT_EXCEEDED_IN_CRITERIA.
    """
    found = _bulk(given, limits)
    if _count(found) > limits.bulk_criteria:
        raise Refused("CRITERIA_LIMIT_EXCEEDED", {"max_limit": limits.bulk_criteria})
    return found


def _count(node: Group | Test) -> int:
    return 1 if isinstance(node, Test) else sum(map(_count, node.parts))


def _bulk(given: Any, limits: Limits) -> Group | Test:
    if isinstance(given, dict) and "group" in given:
        joined = str(given.get("group_operator", "")).lower()
        if joined not in ("and", "or") or not isinstance(given["group"], list) or not given["group"]:
            raise Refused("INVALID_CRITERIA", {"api_name": "group_operator"})
        return Group(joined, tuple(_bulk(part, limits) for part in given["group"]))
    try:
        column, word, value = given["field"]["api_name"], given["comparator"], given["value"]
    except (KeyError, TypeError):
        raise Refused("INVALID_CRITERIA", {"api_name": "criteria"}) from None
    if word not in WORDS:
        raise Refused("INVALID_CRITERIA", {"api_name": "comparator"})
    values = [str(v) for v in value] if isinstance(value, list) else [str(value)]
    if len(values) > limits.bulk_values:
        raise Refused("VALUE_LIMIT_EXCEEDED_IN_CRITERIA", {"max_limit": limits.bulk_values})
    if value == "${EMPTY}":
        return Test(column, "is null" if WORDS[word] == "=" else "is not null")
    return _test(column, word, values)
