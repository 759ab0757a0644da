"""Write what follows from the feed contracts: staging models, the lake's sources, the list of feeds, docs/feeds.md.

A feed without a suite gets a first one, with the rules that its contract implies; from then on the suite is edited by
hand. Everything else named here is overwritten by each run, so change the contract and not the file.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dealermart.base import DealermartError, load_settings
from dealermart.config import MINOR_UNITS, PROVENANCE, Column, Contract, load_contracts
from dealermart.lake import LEDGER

ROOT = Path(__file__).resolve().parents[1]
MODELS = Path("dbt_project/models")
STAGING = MODELS / "staging"
SOURCES = Path("dbt_project/models/sources/lake.yml")
MACRO = Path("dbt_project/macros/feeds.sql")
CURRENCIES = Path("dbt_project/macros/minor_units.sql")
DOC = Path("docs/feeds.md")
WIDTH = 120
# Feeds of many millions of rows: that no row stands twice is held by a test of the fact that all of them end in
# (every_sale_line_delivered_is_in_the_fact_once), and a second pass over the lake in every build is saved.
HELD_BY_THE_FACT = {"sales"}
VISIBLE = "one row per accepted row visible at as_of, repeats and superseded versions included"
_KEY_TEST = (
    "    data_tests:",
    "      - valid_key:",
    "          arguments:",
    "            columns: [_delivery_id, _source_file, _row_number, _row_part]",
)
# The lake holds these columns with the type that staging promises; all others are cast.
_AS_THEY_ARE = {name for name in PROVENANCE if name not in ("_row_number", "_row_part")}


def generated(known: dict[str, Contract], suites: Path) -> dict[Path, str]:
    """Path, relative to the repo, and text of every file that follows from the contracts.

    Args:
        known: Contracts by feed.
        suites: Folder of the suites, whose rules docs/feeds.md lists.
    """
    reached, asked = marts_of(ROOT / MODELS), looked_up(suites, ROOT / "config" / "sources")
    files = {SOURCES: sources_yml(known), MACRO: feeds_macro(known), DOC: document(known, suites, reached, asked)}
    files[CURRENCIES] = currencies_macro()
    for feed, contract in known.items():
        files[STAGING / f"stg_{feed}.sql"] = staging_sql(contract)
        files[STAGING / f"stg_{feed}.yml"] = staging_yml(contract)
    return files


def drift(root: Path, known: dict[str, Contract], suites: Path) -> Iterator[str]:
    """Every line in which a file of the repo and the contracts differ, and every file that one side lacks."""
    wanted = generated(known, suites)
    there = {path.relative_to(root) for path in (root / STAGING).iterdir()}
    for path in sorted(there - wanted.keys()):
        yield f"{path}: belongs to no contract of config/feeds"
    for path, text in sorted(wanted.items()):
        if not (root / path).is_file():
            yield f"{path}: is missing, its contract is there"
            continue
        lines, stands = text.splitlines(), (root / path).read_text("utf-8").splitlines()
        parts: dict[str, list[str]] = {"lacks": _less(lines, stands), "has too much": _less(stands, lines)}
        for what, found in parts.items():
            yield from (f"{path}: {what}: {line.strip()}" for line in found)
        if lines != stands and not any(parts.values()):
            yield f"{path}: has its lines in another order than the contract"


def _less(lines: list[str], others: list[str]) -> list[str]:
    """The lines that ``others`` does not hold as often."""
    rest = list(others)
    found = []
    for line in lines:
        if line in rest:
            rest.remove(line)
        else:
            found.append(line)
    return found


# ------------------------------------------------------------------------------------------------ dbt
def staging_sql(contract: Contract) -> str:
    """The staging model: the lake's rows visible at the moment, with the contract's types."""
    columns = [_selected(column.name, column.sql_type, column.type == "string") for column in contract.columns]
    columns += [_selected(name, kind, name in _AS_THEY_ARE) for name, kind in PROVENANCE.items()]
    listed = ",\n".join(f"    {column}" for column in columns)
    return (
        "-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.\n"
        f"select\n{listed}\n"
        f"from {{{{ source('lake', '{contract.feed}') }}}}\n"
        "where _ingested_at <= {{ as_of() }}\n"
    )


def _selected(name: str, kind: str, as_it_is: bool) -> str:
    return name if as_it_is else f"cast({name} as {kind.replace(',', ', ')}) as {name}"


def staging_yml(contract: Contract) -> str:
    """The staging model's yml: description, key, and every column with type, meaning and HR-only mark."""
    marks = ["hr_only: true"] if contract.hr_only else []
    if contract.hr_only_rows:
        rows = ", ".join(f"{name}: [{', '.join(values)}]" for name, values in contract.hr_only_rows.items())
        marks.append(f"hr_only_rows: {{{rows}}}")
    lines = [
        "version: 2",
        "",
        "models:",
        f"  - name: stg_{contract.feed}",
        *_folded("    description", f"{contract.title} as accepted. Grain: {VISIBLE}."),
        *([f"    config: {{meta: {{{', '.join(marks)}}}}}"] if marks else []),
        *([] if contract.feed in HELD_BY_THE_FACT else _KEY_TEST),
        "    columns:",
    ]
    for column in contract.columns:
        lines += [
            f"      - name: {column.name}",
            f"        data_type: {column.sql_type}",
            f"        description: {_scalar(column.description)}",
        ]
        if column.hr_only:
            lines.append("        config: {meta: {hr_only: true}}")
    for name, kind in PROVENANCE.items():
        lines += [
            f"      - name: {name}",
            f"        data_type: {kind}",
            f"        description: \"{{{{ doc('prov{name}') }}}}\"",
        ]
    return "\n".join(lines) + "\n"


def sources_yml(known: dict[str, Contract]) -> str:
    """The lake as dbt's source: a table per feed, and the ledger."""
    lines = [
        "version: 2",
        "",
        "sources:",
        "  - name: lake",
        "    description: "
        "Accepted rows of every delivery, one table per feed, made visible by the build before dbt starts",
        "    schema: lake",
        "    tables:",
    ]
    for feed, contract in known.items():
        text = f"{contract.title}, every version, repeats included; key of a record: {', '.join(contract.key)}"
        flat = f"        description: {_scalar(text)}"
        lines.append(f"      - name: {feed}")
        lines += [flat] if len(flat) <= WIDTH else _folded("        description", text)
        lines.append("        columns:")
        lines += [f'          - {{name: {column.name}, data_type: "{column.sql_type}"}}' for column in contract.columns]
        lines += [f"          - {{name: {name}, data_type: {kind}}}" for name, kind in PROVENANCE.items()]
    lines += [
        "      - name: ledger",
        "        description: Counts per delivery, as the log of commits has them",
        "        columns:",
        *(f"          - {{name: {name}, data_type: {kind}}}" for name, kind in LEDGER.items()),
    ]
    return "\n".join(lines) + "\n"


def feeds_macro(known: dict[str, Contract]) -> str:
    """A macro that returns the names of all feeds."""
    listed = "".join(f"        '{feed}',\n" for feed in known)
    head, foot = (
        "{#- The names of all feeds. -#}\n{% macro feeds() -%}\n    {{ return([\n",
        "    ]) }}\n{%- endmacro %}\n",
    )
    return f"{head}{listed}{foot}"


def currencies_macro() -> str:
    """A macro that returns the currencies whose minor unit is not a hundredth, as the check of the config has them."""
    listed = "".join(
        f"        {digits}: [\n            {', '.join(repr(code) for code in codes)},\n        ],\n"
        for digits, codes in MINOR_UNITS.items()
    )
    head = "{#- Currencies whose minor unit is not a hundredth (ISO 4217), by its decimals. -#}\n"
    return f"{head}{{% macro minor_units() -%}}\n    {{{{ return({{\n{listed}    }}) }}}}\n{{%- endmacro %}}\n"


def _folded(key: str, text: str) -> list[str]:
    indent = " " * (len(key) - len(key.lstrip()) + 2)
    wrapped = textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return [f"{key}: >-", *wrapped]


def _scalar(text: str) -> str:
    """The text as YAML reads it back: plain where that is possible, else in double quotes."""
    try:
        plain = yaml.safe_load(f"key: {text}") == {"key": text}
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


# ------------------------------------------------------------------------------------------------ suites
def first_suite(contract: Contract) -> str:
    """A suite of the rules that a contract implies, one to a line: key, required values, dates, currency, conflicts."""
    key = contract.key
    rules = [
        _rule(
            "unexpected_rows_expectation",
            {"template": "key_mostly_missing"},
            "key_mostly_missing",
            f"more than half of the file's rows lack {' or '.join(key)}: this is not the file it should be",
            "critical",
        )
    ]
    rules += [
        _rule(_FILLED, {"column": column.name}, f"{column.name}_missing", f"{column.name} is missing")
        for column in contract.columns
        if column.required
    ]
    for column in contract.columns:
        if column.type in ("date", "timestamp") and column.name != contract.version:
            low, high = _bounds(column)
            rules.append(
                _rule(
                    "expect_column_values_to_be_between",
                    {"column": column.name, "min_value": low, "max_value": high},
                    f"{column.name}_out_of_range",
                    f"{column.name} is not between {low} and {high}",
                )
            )
    names = set(contract.names)
    if {"valid_from", "valid_to"} <= names:
        rules.append(
            _rule(
                "expect_column_pair_values_a_to_be_greater_than_b",
                {"column_A": "valid_to", "column_B": "valid_from", "ignore_row_if": "either_value_is_missing"},
                "valid_to_not_after_valid_from",
                "valid_to is not after valid_from",
            )
        )
    rules += [
        _rule(
            "expect_column_values_to_be_between",
            {"column": column.name, "min_value": 0, "max_value": 100},
            f"{column.name}_out_of_range",
            f"{column.name} is not between 0 and 100",
        )
        for column in contract.columns
        if column.name.endswith("_pct")
    ]
    if "currency_code" in names:
        rules.append(
            _rule(
                "expect_column_values_to_match_regex",
                {"column": "currency_code", "regex": "^[A-Z]{3}$"},
                "currency_code_malformed",
                "currency_code is not three capital letters",
            )
        )
        amount = next((name for name in contract.names if name == "amount" or name.endswith("_amount")), None)
        if amount and not next(column for column in contract.columns if column.name == "currency_code").required:
            given = {"type": "nullity", "column": {"name": amount}, "is_null": False}
            rules.append(
                _rule(
                    _FILLED,
                    {"column": "currency_code", "row_condition": given},
                    "currency_code_missing",
                    f"{amount} is given without its currency",
                )
            )
    rules.append(
        _rule(
            "unexpected_rows_expectation",
            {"template": "conflicting_key"},
            "conflicting_key",
            f"rows of one file share {', '.join(key)}{' and change time' if contract.version else ''} but differ "
            "otherwise: which one holds is not known",
        )
    )
    body = ",\n".join(f"    {json.dumps(rule, ensure_ascii=False)}" for rule in rules)
    meta = json.dumps({"description": f"What a delivered row of the feed {contract.feed} must hold"})
    return f'{{\n  "name": "{contract.feed}",\n  "meta": {meta},\n  "expectations": [\n{body}\n  ]\n}}\n'


_FILLED = "expect_column_values_to_not_be_null"


def _rule(kind: str, kwargs: dict[str, Any], rule: str, text: str, severity: str = "warning") -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"rule": rule}, "severity": severity, "description": text}


def _bounds(column: Column) -> tuple[str, str]:
    """What no date of such records exceeds; a window may have begun long ago and may be open."""
    window = column.name in ("valid_from", "valid_to")
    return "1900-01-01" if window else "1990-01-01", (
        "9999-12-31" if column.name == "valid_to" and not column.required else "2100-01-01"
    )


# ------------------------------------------------------------------------------------------------ the document
_INTRO = """\
# Feeds

Written by `make feeds` from the contracts in `config/feeds/` and the suites in `expectations/`; edit those.

A feed is one kind of record. Files and APIs of any shape are mapped to it by a source's profile; from there on only
what stands here counts. A row that a check finds is quarantined with the rule's name, unless the check says otherwise:
*critical* refuses the whole file, *info* only reports. Dates without time are days of the company's time zone, moments
(`timestamp`) are UTC.

Marks: **key** tells records apart; **required** must be filled; **version** is the source's own change time, the later
row wins; **HR** is never shown to BI; **personal** names a person, **about a person** can lead to one.

Where a feed ends: its rows reach published **marts**, or they are taken in, checked and kept as far as **staging**, and
no figure, pay or review counts them yet.

| feed | | one row per | delivered | ends in |
|---|---|---|---|---|
"""


def marts_of(models: Path) -> dict[str, list[str]]:
    """By staging model, the marts that its rows reach through the references of the dbt project, in order of name.

    Args:
        models: Folder of the dbt models.
    """
    paths = {path.stem: path for path in models.rglob("*.sql")}
    texts = {name: path.read_text("utf-8") for name, path in paths.items()}
    macros = "".join(path.read_text("utf-8") for path in sorted((models.parent / "macros").glob("*.sql")))
    reads = {}
    for name, text in texts.items():
        reads[name] = set(re.findall(r"""ref\(\s*['"](\w+)['"]""", text))
        # A model that gathers others, ref('int_kpi__' ~ model), has their names in a list, its own or that of a macro.
        for prefix in re.findall(r"ref\(\s*'(\w+)' ~", text):
            loops = re.findall(r"{% for \w+ in (\w+)\(\)", text)
            listed = text + "".join(
                found for loop in loops for found in re.findall(rf"macro {loop}\b.*?endmacro", macros, re.DOTALL)
            )
            reads[name] |= {
                other for other in paths if other.startswith(prefix) and f"'{other[len(prefix) :]}'" in listed
            }
    readers: dict[str, set[str]] = {}
    for name, others in reads.items():
        for other in others:
            readers.setdefault(other, set()).add(name)
    reached = {}
    for name in (name for name in paths if name.startswith("stg_")):
        seen, todo = {name}, [name]
        while todo:
            new = readers.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        reached[name] = sorted(found for found in seen if "marts" in paths[found].relative_to(models).parts)
    return reached


def looked_up(*folders: Path) -> set[str]:
    """The feeds in which checks and selects of other feeds look things up, as ``feed_<feed>``."""
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in (".json", ".sql"))
    return {feed for path in files for feed in re.findall(r"\bfeed_(\w+)", path.read_text("utf-8"))}


def document(known: dict[str, Contract], suites: Path, reached: dict[str, list[str]], asked: set[str]) -> str:
    """docs/feeds.md.

    Args:
        reached: See `marts_of`.
        asked: See `looked_up`.
    """
    text = [_INTRO]
    marts = {feed: reached.get(f"stg_{feed}", []) for feed in known}
    for feed, contract in known.items():
        grain = contract.grain.removeprefix("one row per ")
        end = "marts" if marts[feed] else "staging"
        named = f"[{feed}](#{feed}) | {contract.title}, {contract.title_zh}"
        text.append(f"| {named} | {grain} | {contract.delivery} | {end} |\n")
    for feed, contract in known.items():
        text.append(f"\n## {feed}\n{contract.title} ({contract.title_zh}): {contract.grain}.")
        if contract.expected_days:
            text.append(f" Late after {contract.expected_days} days without a file, if the source says nothing else.")
        if contract.hr_only:
            text.append(" For HR only.")
        for column, values in contract.hr_only_rows.items():
            text.append(f" Rows whose {column} is {' or '.join(values)} are for HR only.")
        if marts[feed]:
            text.append(f"\n\nReaches {', '.join(f'`{name}`' for name in marts[feed])}.")
        else:
            more = " Other feeds are checked or mapped by it." if feed in asked else ""
            text.append(f"\n\n**Ends at staging**: no mart reads it yet.{more}")
        text.append("\n\n| column | type | | meaning |\n|---|---|---|---|\n")
        for column_of in contract.columns:
            marks = ", ".join(_marks(contract, column_of))
            text.append(f"| `{column_of.name}` | {column_of.type} | {marks} | {column_of.description} |\n")
        text.append("\n| check | |\n|---|---|\n")
        for rule in json.loads((suites / f"{feed}.json").read_text("utf-8"))["expectations"]:
            severity = "" if rule["severity"] == "warning" else f" (*{rule['severity']}*)"
            text.append(f"| `{rule['meta']['rule']}` | {rule['description']}{severity} |\n")
    return "".join(text)


def _marks(contract: Contract, column: Column) -> Iterator[str]:
    if column.name in contract.key:
        yield "key"
    elif column.required:
        yield "required"
    if column.name == contract.version:
        yield "version"
    if column.hr_only:
        yield "HR"
    if column.pii != "none":
        yield "personal" if column.pii == "direct" else "about a person"
    if column.person:
        yield "code of a person"


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns 1 if a contract is broken, or with ``--check`` if a file does not stand as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs from the contracts")
    given = parser.parse_args(arguments)
    where = load_settings()
    try:
        known = load_contracts(where)
    except DealermartError as error:
        print(error, file=sys.stderr)
        return 1
    if given.check:
        found = list(drift(ROOT, known, where.expectations))
        print("\n".join(found) or f"{len(known)} feeds: all files follow from their contracts")
        print("  mend: change the contract and run `make feeds`", file=sys.stderr) if found else None
        return 1 if found else 0
    for feed, contract in known.items():
        suite = where.expectations / f"{feed}.json"
        if not suite.exists():
            suite.write_text(first_suite(contract), "utf-8")
            print(f"{suite.relative_to(ROOT)}: first suite; add value sets, ranges and the order of dates by hand")
    wanted = generated(known, where.expectations)
    for path in {path.relative_to(ROOT) for path in (ROOT / STAGING).iterdir()} - wanted.keys():
        (ROOT / path).unlink()
        print(f"{path}: removed, it belongs to no contract")
    for path, text in wanted.items():
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text:
            (ROOT / path).write_text(text, "utf-8")
            print(f"{path}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
