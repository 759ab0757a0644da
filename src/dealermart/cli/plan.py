"""Incentive plans as people write them: ``dealermart plan schema | lint | show | test``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealermart.base import ConfigError, Settings, UsageError
from dealermart.cli.table import add, number, say, table

if TYPE_CHECKING:
    from dealermart.config import Plan
    from dealermart.warehouse import Outcome


def register(commands: Any) -> None:
    """Add the command with its actions."""
    actions = add(commands, "plan", plan).add_subparsers(required=True, metavar="action")
    for name, action in (("schema", plan_schema), ("lint", plan_lint), ("show", plan_show), ("test", plan_test)):
        parser = actions.add_parser(name, help=(action.__doc__ or "").rstrip("."), description=action.__doc__)
        parser.set_defaults(action=action)
        if name == "schema":
            parser.add_argument("--of", choices=["plan", "cases"], default="plan", help="of which files (default plan)")
        if name == "test":
            parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of cases")
            parser.add_argument("--case", metavar="NAME", help="only the case of this name")
            parser.add_argument("--json", action="store_true", help="for programs")
        if name == "lint":
            parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="plan files")
            parser.add_argument("--period", help="also look for payees of this period whom no plan covers: 2026-Q1")
            parser.add_argument(
                "--payees",
                type=Path,
                metavar="FILE",
                help="with --period: a CSV file with payee_id and plan_id (default: whom the warehouse knows)",
            )
            parser.set_defaults(refuse=parser.error)
        if name == "show":
            parser.add_argument("file", type=Path, metavar="FILE", help="plan file")
            parser.add_argument("--language", choices=["en", "zh"], default="en", help="language (default en)")


def plan(config: Settings, arguments: argparse.Namespace) -> int:
    """Check and read incentive plans."""
    action: Callable[[Settings, argparse.Namespace], int] = arguments.action
    return action(config, arguments)


def plan_schema(config: Settings, arguments: argparse.Namespace) -> int:
    """Print the JSON Schema of plan files or files of cases, for editors."""
    from dealermart.config import cases_schema, load_contracts, plan_schema

    schema = plan_schema() if arguments.of == "plan" else cases_schema(load_contracts(config))
    print(json.dumps(schema, ensure_ascii=False, indent=2))
    return 0


def plan_lint(config: Settings, arguments: argparse.Namespace) -> int:
    """Look for what is wrong in plan files and for what is probably not meant; 1 where there is any."""
    from dealermart.config import lined, load_plan, load_plans_beside, load_registry, plan_findings

    if arguments.payees and not arguments.period:
        arguments.refuse("--payees goes with --period")
    registry = load_registry(config)
    plans = load_plans_beside(config, registry, arguments.files)
    found: list[ConfigError] = []
    refused = 0
    for path in arguments.files:
        try:
            checked = load_plan(path, registry, plans)
        except ConfigError as error:
            refused += 1
            print(f"refused: {error}")
            continue
        plans.append((str(path), checked))
        found += lined(path, plan_findings(checked, registry.by_code))
    for finding in found:
        print(finding)
    lost = _lost(config, arguments, plans) if arguments.period else 0
    said = f"{number(refused)} refused, {number(len(found))} findings"
    payees = f", {number(lost)} payees of {arguments.period} without a plan" if arguments.period else ""
    print(f"{number(len(arguments.files))} files: {said}{payees}")
    return 1 if refused or found or lost else 0


def _lost(config: Settings, arguments: argparse.Namespace, plans: list[tuple[str, Plan]]) -> int:
    """Print the payees of the period whom no plan covers; how many they are."""
    from dealermart.config import load_company
    from dealermart.warehouse import payees_of, read_payees, uncovered

    company = load_company(config)
    listed = arguments.payees
    payees = read_payees(listed) if listed else payees_of(config, company, arguments.period)
    lost = uncovered(company, arguments.period, payees, [given for _, given in plans])
    for payee in lost:
        print(f"{payee.payee_id}: {payee.reason}\n  mend: assign a plan that holds in {arguments.period}")
    return len(lost)


def plan_test(config: Settings, arguments: argparse.Namespace) -> int:
    """Pay the cases of files by their plans and compare; 1 where one differs, 2 where a file cannot be read."""
    from dealermart.config import load_cases, load_contracts, load_registry
    from dealermart.warehouse import check_cases

    try:
        contracts, registry = load_contracts(config), load_registry(config)
        tests = [test for path in arguments.files for test in load_cases(path, contracts, registry)]
        if arguments.case is not None:
            named = [test for test in tests if test.case.case == arguments.case]
            if not named:
                raise UsageError(f"no file has a case {arguments.case!r}", mend="correct the name")
            tests = named
        outcomes = check_cases(config, tests, say)
    except (ConfigError, UsageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    different = sum(not outcome.is_ok for outcome in outcomes)
    if arguments.json:
        told = {
            "ok": len(outcomes) - different,
            "different": different,
            "cases": [
                {
                    "file": str(outcome.test.file),
                    "case": outcome.test.case.case,
                    "result": "ok" if outcome.is_ok else "different",
                    "differences": [asdict(difference) for difference in outcome.differences],
                    "working": outcome.working,
                }
                for outcome in outcomes
            ],
        }
        print(json.dumps(told, ensure_ascii=False, indent=2, default=str))
    else:
        for outcome in outcomes:
            _tell(outcome)
        print(f"{number(len(outcomes))} cases: {number(len(outcomes) - different)} ok, {number(different)} different")
    return 1 if different else 0


def _tell(outcome: Outcome) -> None:
    """A case for people: what is not as expected, and how it came about."""
    from dealermart.warehouse import plain

    print(f"{'ok' if outcome.is_ok else 'different'}  {outcome.test.file}: {outcome.test.case.case}")
    for difference in outcome.differences:
        print(f"  {difference.what}")
        print(f"    expected  {difference.expected}")
        for line_no, line in enumerate(difference.actual.splitlines()):
            print(f"    {'actual  ' if line_no == 0 else '        '}  {line}")
    for payee, lines in outcome.working.items():
        if not lines:
            print(f"  working of {payee}: the statement has no lines")
            continue
        header = list(dict.fromkeys(name for line in lines for name in line))
        shown = table(header, [[plain(line[name]) if name in line else "" for name in header] for line in lines])
        print(f"  working of {payee}")
        print("\n".join(f"    {line}" for line in shown.splitlines()))


def plan_show(config: Settings, arguments: argparse.Namespace) -> int:
    """Print a plan in sentences, with every default stated."""
    from dealermart.config import load_plan, load_registry, plan_words

    checked = load_plan(arguments.file, load_registry(config))
    print("\n".join(plan_words(checked, arguments.language)))
    return 0
