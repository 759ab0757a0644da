"""A statement explained: ``dealermart explain``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermart.base import Settings, UsageError, write_text
from dealermart.cli.table import add, say, table, text_width

if TYPE_CHECKING:
    from dealermart.report import Block

_READS = (
    "It reads the warehouse of the last good build, where pay lies that BI never sees: it is for those who may enter "
    "DEALERMART_HOME (HR, engineers). What it writes holds pay: give it to nobody else than the payee."
)


def register(commands: Any) -> None:
    """Add the command."""
    parser = add(commands, "explain", explain)
    parser.epilog = _READS
    parser.add_argument("--payee", required=True, metavar="CODE", help="member or dealer who is paid")
    parser.add_argument("--period", required=True, help="period of the statement: 2026-M03, 2026-Q1 or 2026")
    parser.add_argument("--payee-type", choices=["member", "dealer"], help="where a member and a dealer share a code")
    parser.add_argument("--plan", help="only the statement of this plan")
    parser.add_argument("--line", metavar="STATEMENT_LINE_ID", help="only this line, with all the rows it follows from")
    parser.add_argument("--format", choices=["text", "json", "html"], default="text", help="default text")
    parser.add_argument("--language", choices=["en", "zh"], default="en", help="language (default en)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it to a file")


def explain(config: Settings, arguments: argparse.Namespace) -> int:
    """Explain a payee's statement from the rows of files to the amount; 2 where there is no such statement."""
    from dealermart.warehouse import Asked, explain

    asked = Asked(arguments.payee, arguments.period, arguments.payee_type, arguments.plan, arguments.line)
    try:
        told = explain(config, asked, arguments.language)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    text = _FORMATS[arguments.format](told, arguments.language)
    if arguments.out is None:
        print(text)
    else:
        write_text(arguments.out, text + "\n")
        say(f"written: {arguments.out}")
    return 0


def _json(told: Mapping[str, Any], _: str) -> str:
    """Nested rows as they stand in the tables; amounts are texts, so that no digit is lost."""
    return json.dumps(told, ensure_ascii=False, indent=2, default=str)


def _html(told: Mapping[str, Any], language: Any) -> str:
    from dealermart.report import statement_page

    return statement_page(told, language).rstrip("\n")


def _text(told: Mapping[str, Any], language: Any) -> str:
    from dealermart.report import statement_blocks

    return "\n".join(line for block in statement_blocks(told, language) for line in _lines(block)).lstrip("\n")


_FORMATS: dict[str, Callable[[Mapping[str, Any], Any], str]] = {"text": _text, "json": _json, "html": _html}


def _lines(block: Block) -> list[str]:
    """A block of the explanation as lines of text."""
    from dealermart.report import Facts, Heading, Note, Words

    match block:
        case Heading():
            told = f"{block.text} [{block.aside}]" if block.aside else block.text
            return ["", told, {1: "=", 2: "-"}.get(block.level, "·") * min(text_width(told), 78)]
        case Facts():
            return [f"{name}: {value}" if name else value for name, value in block.pairs]
        case Note():
            return [f"! {block.text}" if block.is_warning else block.text]
        case Words():
            return ["", f"{block.title}:", *(f"  {line}" for line in block.lines)]
    shown = table(block.header, block.rows, [name in block.numbers for name in block.header]).splitlines()
    return ["", f"{block.title}:", *(f"  {line}" for line in shown), *([f"  {block.note}"] if block.note else [])]
