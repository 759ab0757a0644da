"""Examples that ``--help`` shows below the options, by command or command and action."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

EXAMPLES: dict[str, str] = {
    "ingest": """\
dealermart ingest --source sample --received 2026-10-03 --dry-run
dealermart ingest --source sample --received 2026-10-03
dealermart ingest --source sample --received 2026-10-03 --drop ~/Downloads/october
dealermart ingest --source sample --received 2026-10-03 --override shrunk --file 'sales_*.csv' --by Li --reason 'two shops closed'""",
    "fetch": "dealermart fetch --source sample",
    "build": """\
dealermart build
dealermart build --full
dealermart build --as-of 2026-07-01T00:00:00""",
    "publish": "dealermart publish",
    "rebuild": "dealermart rebuild",
    "compact": "dealermart compact",
    "explain": """\
dealermart explain --payee M003 --period 2026-Q1
dealermart explain --payee M003 --period 2026-Q1 --format html --language zh --out statement.html""",
    "close": """\
dealermart close --period 2026-Q1 --dry-run
dealermart close --period 2026-Q1 --by Li --reason 'approved by finance on 12 April'
dealermart close --period 2026-Q1 --by Li --reason 'approved' --waive quarantine --waive-reason 'ten rows of test data'""",
    "review": "dealermart review pull --period 2026-Q3 --lang zh",
    "review pull": """\
dealermart review pull --period 2026-Q3 --lang zh
dealermart review pull --period 2026-Q3 --pay --out handed_out.xlsx
dealermart review pull --period 2026-Q3 --version V1""",
    "review pack": """\
dealermart review pack --period 2026-Q3 --member M003 --lang zh
dealermart review pack --period 2026-Q3 --team M001 --pdf
dealermart review pack --period 2026-Q3 --all""",
    "crm": "dealermart crm check --source zoho",
    "crm check": "dealermart crm check --source zoho",
    "audit rebuild": "dealermart audit rebuild --period 2026-Q1",
    "payroll": "dealermart payroll --period 2026-Q1 --format xlsx --out payroll/",
    "audit": "dealermart audit verify",
    "audit verify": "dealermart audit verify",
    "erase": """\
dealermart erase --person M003 --by Li --reason 'request of 3 October'
dealermart erase --retention --by Li --reason 'kept for 36 months'""",
    "report": """\
dealermart report
dealermart report --all""",
    "runs": """\
dealermart runs --last 5
dealermart runs --command build --json
dealermart runs --sql 'select command, count(*) from runs group by command'""",
    "doctor": """\
dealermart doctor
dealermart doctor --deep""",
    "alerts": """\
dealermart alerts
dealermart alerts --test operations
dealermart alerts --send""",
    "completion": """\
dealermart completion bash > ~/.local/share/bash-completion/completions/dealermart
dealermart completion zsh >> ~/.zshrc""",
    "postgres": "dealermart postgres start",
    "postgres start": "dealermart postgres start",
    "postgres stop": "dealermart postgres stop",
    "postgres status": "dealermart postgres status",
    "postgres password": "dealermart postgres password dealermart_bi",
    "postgres remove": "dealermart postgres remove",
    "plan": "dealermart plan lint config/plans/*.yml",
    "plan schema": """\
dealermart plan schema > plan.schema.json
dealermart plan schema --of cases > cases.schema.json""",
    "plan lint": """\
dealermart plan lint config/plans/*.yml
dealermart plan lint config/plans/*.yml --period 2026-Q1""",
    "plan show": "dealermart plan show config/plans/sales.yml --language zh",
    "plan test": """\
dealermart plan test tests/plans/*.yml
dealermart plan test cases.yml --case 'half a quarter'""",
    "quarantine": "dealermart quarantine list --state open",
    "quarantine list": """\
dealermart quarantine list --state open
dealermart quarantine list --source sample --received 2026-10-03""",
    "quarantine show": "dealermart quarantine show --feed sales --rule dealer_known --values --limit 10",
    "quarantine export": "dealermart quarantine export --feed sales --state open --out to_correct.xlsx",
    "quarantine release": "dealermart quarantine release --feed sales --rule price_range --by Li --reason 'checked with the dealer'",
    "quarantine reject": "dealermart quarantine reject --file sales_1003.csv --rows 5,9-12 --by Li --reason 'test rows'",
}


def actions_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser by name, none where it takes none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def commands_of(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command, and every action of it as ``command action``, with its parser."""
    for name, found in actions_of(parser).items():
        path = f"{before} {name}".strip()
        yield path, found
        yield from commands_of(found, path)


def show_examples(parser: argparse.ArgumentParser) -> None:
    """Give every command its examples as the end of its help."""
    for path, found in commands_of(parser):
        if path in EXAMPLES:
            found.formatter_class = argparse.RawDescriptionHelpFormatter
            lines = EXAMPLES[path].splitlines()
            found.epilog = "\n".join(["examples:" if len(lines) > 1 else "example:", *(f"  {line}" for line in lines)])
