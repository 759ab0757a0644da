"""The rules that keep the SQL such that Apache Spark runs it too, with the same result (docs/modelling.md lists them).

They hold the SQL as it is written: models, tests, and macros outside of those made for one engine (``duckdb__``,
``spark__``). Text that Jinja passes on is SQL as well. ``lint_layers`` calls them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from lint_text import PIECES, Finding, blank

FUNCTIONS = {
    *("abs", "bool_and", "bool_or", "cast", "coalesce", "concat", "concat_ws", "count", "dense_rank", "first_value"),
    *("greatest", "instr", "lag", "last_value", "lead", "least", "length", "lower", "max", "min", "ntile", "nullif"),
    "rank",
    *("round", "row_number", "sqrt", "sum", "trim", "upper"),
}
# Words of the language that a bracket may follow.
WORDS = {
    *("all", "and", "any", "as", "between", "by", "case", "decimal", "distinct", "else", "end", "except", "exists"),
    *("filter", "from", "having", "in", "intersect", "is", "join", "like", "not", "on", "or", "over", "partition"),
    *("select", "then", "union", "using", "values", "when", "where", "with"),
}
# Macros of dbt that the project has for one engine, in place of dbt's own.
DISPATCHED_BY_DBT = {"create_table_as"}
ENGINE = "put it into a macro duckdb__<name> with a twin spark__<name>"


class Fault(NamedTuple):
    """A broken rule of the page: its number, where in the text, what is wrong, the mend."""

    rule: int
    at: int
    what: str
    mend: str


# Rule of the page, what stands in the text, what to say, the mend.
FORBIDDEN = [
    (1, r"//", "// is not Spark's", "use exact_divide()"),
    (1, r"\bavg\s*\(", "avg() is a DOUBLE on DuckDB and a decimal on Spark", "use exact_divide() of sum() and count()"),
    (2, r"::", ":: is not Spark's", "write cast(x as type)"),
    (3, r"\bunnest\s*\(", "unnest() is not Spark's", f"days: day_spine(); otherwise {ENGINE}"),
    (3, r"[\[\]{}]", "a list, struct or subscript", ENGINE),
    (3, r"->|\blambda\b", "a lambda or an access to JSON", ENGINE),
    (4, r"\b(?:string_agg|listagg|group_concat|array_agg)\s*\(", "Spark ignores its order", "use ordered_list()"),
    (5, r"\bqualify\b", "qualify", "number the rows in a CTE and filter the next one"),
    (5, r"\b(?:group|order)\s+by\s+all\b", "by all", "name the columns"),
    (5, r"\*\s*(?:exclude|except|replace|rename)\b|\bcolumns\s*\(", "a changed star", "list the columns"),
    (6, r"\b(?:semi|anti|asof|positional)\s+join\b", "a kind of join of one engine", "use exists, or rank and join"),
    (6, r"\b(?:un)?pivot\b", "pivot", "write sum(case when ...) per column"),
    (7, r"\binterval\b", "a bare interval", "use dbt.dateadd()"),
    (8, r"\bread_\w+\s*\(|(?<!distinct )\bfrom\s+'", "a file is read", "declare a source; the build names the files"),
    (
        8,
        r"\b(?:create|drop|alter|truncate)\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|view|schema|macro|function|index)\b"
        r"|\binsert\s+into\b|\bdelete\s+from\b|\b(?:attach|pragma|copy)\s+\S",
        "a statement other than select",
        ENGINE,
    ),
    (8, r'"', "a name in double quotes is a text on Spark", "choose a name that needs no quotes"),
    (14, r"\bwith\s+recursive\b", "recursive", "join the levels that there can be, or use day_spine()"),
]
_TYPES = re.compile(r"string|bigint|integer|date|timestamp|boolean|double|decimal\s*\(.*\)", re.DOTALL)
_DATE = r"(?:\w*(?:_date|_day|_at|_from|_to|_until|_start|_end)\b(?!\s*\()|\bas\s+(?:date|timestamp)\s*\))"
_DATE_MACRO = re.compile(r"\b(?:as_of|as_of_date|received_until|built_until|open_end|stated_end|window_end)\(")
_DATES_MINUS = re.compile(rf"{_DATE}\s*-\s*[\w(]|[\w)]\s*-\s*(?:\w+\.)?{_DATE}")
_LITERAL = re.compile(r"\s*(?:[-+]?[\d.]+(?:e[-+]?\d+)?|'\s*'|null|true|false)\s*", re.IGNORECASE)
_END_OF_ORDER = re.compile(r"\b(?:rows|range|groups|limit|offset|union|except|intersect)\b|;", re.IGNORECASE)
_AGGREGATE = re.compile(r"\b(?:sum|min|max|count|avg|bool_or|bool_and|any_value)\s*\(", re.IGNORECASE)
_ENGINE_MACRO = re.compile(r"\{%-?\s*macro\s+(?:duckdb|spark)__\w+\b.*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
# Calls whose quoted arguments are names or prose, not SQL.
_NO_SQL = re.compile(r"\b(?:ref|source|config|var|env_var|dispatch|raise_compiler_error|required_input)\s*\([^()]*\)")
_DBT_ALLOWED = {"datediff", "dateadd", "date_trunc"}


def of_text(where: str, text: str) -> Iterator[Finding]:
    """Every construct in an SQL file that another engine lacks or understands otherwise."""
    for fault in faults(text):
        line = text.count("\n", 0, fault.at) + 1
        yield Finding(f"portable {fault.rule}" if fault.rule else "portable", f"{where}:{line}", fault.what, fault.mend)


def of_yml(where: str, text: str) -> Iterator[Finding]:
    """The same of the expressions that yml files give to tests."""
    for value in _expressions(yaml.compose(text)):
        for fault in faults(value.value):
            rule = f"portable {fault.rule}" if fault.rule else "portable"
            yield Finding(rule, f"{where}:{value.start_mark.line + 1}", fault.what, fault.mend)


# How an incremental model may be kept: the macro that configures it, and the column by which it does.
KEPT = {
    "by_fiscal_month(": "fiscal_month_start",
    "by_fiscal_period(": "period_id",
    "remembered('fiscal_month_start'": "fiscal_month_start",
    "remembered('period_id'": "period_id",
}


def of_models(manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """Every incremental model that does not hold whole fiscal months or periods."""
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["config"].get("materialized") != "incremental":
            continue
        kept, column = next(
            ((macro, column) for macro, column in KEPT.items() if macro in node["raw_code"]), ("", "fiscal_month_start")
        )
        wrong = {
            "an incremental model is not configured by by_fiscal_month(), by_fiscal_period() or remembered()": not kept,
            "an incremental model has a unique_key": bool(node["config"].get("unique_key"))
            and not kept.startswith("remembered"),
            f"an incremental model has no column {column}": column not in (node.get("columns") or {}),
        }
        for what in (text for text, is_so in wrong.items() if is_so):
            mend = "hold whole months: {{ by_fiscal_month() }} in place of config(), and the column fiscal_month_start"
            yield Finding("portable 12", f"dbt_project/{node['original_file_path']}:1", what, mend)


def twins(macros: Mapping[str, str]) -> Iterator[Finding]:
    """Every macro that one engine has and the other lacks.

    Args:
        macros: Text of the macro files, by path.
    """
    found: dict[str, str] = {}
    dispatched: dict[str, str] = {}
    for where, text in macros.items():
        for macro in re.finditer(r"\{%-?\s*macro\s+((?:duckdb|spark)__\w+)|adapter\.dispatch\(\s*'(\w+)'", text):
            place = f"{where}:{text.count(chr(10), 0, macro.start()) + 1}"
            (found if macro[1] else dispatched)[macro[1] or macro[2]] = place
    for name, place in found.items():
        engine, base = name.split("__", 1)
        if base in DISPATCHED_BY_DBT:
            continue
        if base not in dispatched and engine == "duckdb":
            yield Finding("portable", place, f"nothing dispatches {name}", f"add the macro {base}, which dispatches it")
    for base, place in dispatched.items():
        for name in (f"{engine}__{base}" for engine in ("duckdb", "spark")):
            if name not in found:
                yield Finding("portable", place, f"the macro {name} is missing", f"write it beside the other {base}")


def faults(text: str) -> Iterator[Fault]:
    """What breaks a rule of the page in the SQL of one file."""
    sql = _sql(text)
    for rule, pattern, what, mend in FORBIDDEN:
        for found in re.finditer(pattern, sql, re.IGNORECASE):
            yield Fault(rule, found.start(), what, mend)
    yield from _functions(text, sql)
    yield from _casts(sql)
    yield from _dates(sql)
    yield from _orders(sql)
    yield from _values(sql)
    yield from _havings(sql)


def _functions(text: str, sql: str) -> Iterator[Fault]:
    """Functions that are not on the list, and those of dbt that say different things on different engines."""
    named = {match[0] for match in re.findall(r"\b(as\s+\w+)\s*(\()", sql)}  # aliases with columns, and types
    for found in re.finditer(r"\b(as\s+)?([a-z_]\w+)\s*\(", sql, re.IGNORECASE):
        name = found[2].lower()
        spoken_of = name == "date_trunc" or any(
            re.match(pattern, f"{name}(", re.IGNORECASE) for _, pattern, *_ in FORBIDDEN
        )
        if found[1] or name in FUNCTIONS | WORDS or spoken_of or found[0][:-1].strip() in named:
            continue
        rule = 1 if name in ("divide", "fdiv", "mean") else 3 if name.startswith(("list_", "struct_", "array_")) else 0
        mend = f"add it to FUNCTIONS in scripts/lint_portable.py if Spark has the same; otherwise {ENGINE}"
        yield Fault(rule, found.start(2), f"{name}() is not on the list of functions", mend)
    for found in re.finditer(r"\bdbt\.(\w+)\s*\(", _ENGINE_MACRO.sub(blank, text)):
        if found[1] == "listagg":
            yield Fault(4, found.start(), "dbt.listagg() ignores its order on Spark", "use ordered_list()")
        elif found[1] not in _DBT_ALLOWED:
            yield Fault(0, found.start(), f"dbt.{found[1]}() is not on the list", ENGINE)


def _casts(sql: str) -> Iterator[Fault]:
    """Casts to types that Spark lacks, and to decimals too wide for a product."""
    for found in re.finditer(r"\bcast\s*\(", sql, re.IGNORECASE):
        end = _closing(sql, found.end())
        inner = sql[found.end() : end]
        before = re.match(r".*\bas\b", _flat(inner), re.DOTALL | re.IGNORECASE)
        kind = inner[before.end() :].strip().lower() if before else ""
        if not kind or kind.startswith("_"):  # what Jinja gives is not known here
            continue
        if not _TYPES.fullmatch(kind):
            mend = "write string" if re.match(r"varchar|text|char", kind) else "see the types in docs/modelling.md"
            rule = 1 if re.match(r"u?hugeint|u(?:big|small|tiny)?int", kind) else 2
            yield Fault(rule, found.start(), f"cast as {kind}", mend)
        size = re.match(r"decimal\s*\(\s*(\d+)\s*,\s*(\d+)", kind)
        digits, scale = (int(size[1]), int(size[2])) if size else (0, 0)
        multiplied = re.match(r"\)\s*\*", sql[end:]) or re.search(r"\*\s*$", sql[: found.start()])
        if digits > 28 or (digits == 28 and scale > 8 and multiplied):
            mend = "keep to decimal(28, 8); multiply by multiply(), divide by exact_divide()"
            yield Fault(11, found.start(), f"a {kind} loses digits in a product on Spark", mend)


def _dates(sql: str) -> Iterator[Fault]:
    for found in _DATES_MINUS.finditer(sql):
        yield Fault(7, found.start(), "a date less something is an interval on Spark", "use dbt.datediff()")
    for found in re.finditer(r"\bdate_trunc\s*\(", sql, re.IGNORECASE):
        after = sql[_closing(sql, found.end()) + 1 :]
        if not (re.search(r"\bcast\s*\(\s*$", sql[: found.start()]) and re.match(r"\s*as\s+date\s*\)", after)):
            yield Fault(
                7, found.start(), "date_trunc() is a timestamp or a date", "write cast(date_trunc(...) as date)"
            )


def _orders(sql: str) -> Iterator[Fault]:
    for found in re.finditer(r"\border\s+by\b(?!\s+all\b)", sql, re.IGNORECASE):
        keys = sql[found.end() : _closing(sql, found.end())]
        stop = _END_OF_ORDER.search(_flat(keys))
        for key in _split(keys[: stop.start()] if stop else keys):
            if key.strip() and not re.search(r"\bnulls\s+(?:first|last)\s*$", key, re.IGNORECASE):
                what = f"order by {' '.join(key.split())} does not say where NULL goes"
                yield Fault(9, found.start(), what, "write nulls last: DuckDB's default; Spark's is nulls first")


def _values(sql: str) -> Iterator[Fault]:
    for found in re.finditer(r"\bvalues\s*(?=\()", sql, re.IGNORECASE):
        at = found.end()
        while at < len(sql) and sql[at] == "(":
            end = _closing(sql, at + 1)
            if any(item.strip() and not _LITERAL.fullmatch(item) for item in _split(sql[at + 1 : end])):
                yield Fault(10, at, "an expression inside VALUES", "write selects with union all")
            more = re.match(r"\)\s*,\s*(?=\()", sql[end:])
            at = end + more.end() if more else len(sql)


def _havings(sql: str) -> Iterator[Fault]:
    """Aggregates in HAVING over a column for which an alias of the same select could be taken."""
    for found in re.finditer(r"\bhaving\b", sql, re.IGNORECASE):
        flat = _flat(sql[_opening(sql, found.start()) : found.start()])
        selected = re.split(r"\bfrom\b", re.split(r"\bselect\b", flat)[-1])[0]
        aliases = set(re.findall(r"\bas\s+(\w+)", selected))
        having = sql[found.end() : _closing(sql, found.end())]
        for item in _AGGREGATE.finditer(having):
            inner = having[item.end() : _closing(having, item.end())]
            for name in sorted(set(re.findall(r"(?<![\w.])([a-z_]\w*)(?![\w(.])", inner)) & aliases):
                what = f"having takes an aggregate over {name}, and the select has an alias {name}"
                yield Fault(13, found.end() + item.start(), what, "give the alias another name")


# ------------------------------------------------------------------------------------------------ the text
def _sql(text: str) -> str:
    """The SQL of a file, each character at its place: no comments, no texts, no macros of one engine.

    Of Jinja the quoted parts stay, because they become SQL; what an expression gives is shown as ``_``.
    """
    return PIECES.sub(_piece, _ENGINE_MACRO.sub(blank, text))


def _piece(piece: re.Match[str]) -> str:
    text = piece[0]
    if piece["quiet"]:
        return text[0] + blank(text[1:-1]) + text[-1] if text[0] in "'\"" else blank(text)
    code = _NO_SQL.sub(blank, text[2:-2])
    kept = "".join(
        f" {_sql(part[1:-1])} " if part[:1] in ("'", '"') else blank(part)
        for part in re.split(r"('[^']*'|\"[^\"]*\")", code)
    )
    shown = ""
    if text.startswith("{{"):
        is_date = _DATE_MACRO.search(text)
        shown = "date_trunc()" if "dbt.date_trunc(" in text else "_at" if is_date else "_"
        kept = blank(kept) if "dbt.date_trunc(" in text else kept
    body = f"  {kept}  "
    return shown + body[len(shown) :]


def _closing(sql: str, start: int) -> int:
    """Index of the bracket that closes the one open at ``start``; the end of the text if none does."""
    depth = 1
    for found in re.finditer(r"[()]", sql[start:]):
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return start + found.start()
    return len(sql)


def _opening(sql: str, end: int) -> int:
    """Index after the bracket that is open at ``end``; 0 if none is."""
    depth = 1
    for at in range(end - 1, -1, -1):
        depth += {"(": -1, ")": 1}.get(sql[at], 0)
        if depth == 0:
            return at + 1
    return 0


def _flat(sql: str) -> str:
    """The SQL with what stands in brackets blanked."""
    depth, shown = 0, []
    for character in sql:
        depth -= character == ")"
        shown.append(character if depth <= 0 or character == "\n" else " ")
        depth += character == "("
    return "".join(shown)


def _split(sql: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket."""
    start = 0
    for found in re.finditer(",", _flat(sql)):
        yield sql[start : found.start()]
        start = found.end()
    yield sql[start:]


def _expressions(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The values of all keys ``expression`` below a node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "expression" and isinstance(value, yaml.ScalarNode):
                yield value
            else:
                yield from _expressions(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _expressions(item)
