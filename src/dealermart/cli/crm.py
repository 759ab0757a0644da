"""CRM systems whose API is read: ``dealermart crm check``."""

from __future__ import annotations

import argparse
from typing import Any

from dealermart.base import Settings
from dealermart.cli.table import add


def register(commands: Any) -> None:
    """Add the command of this module."""
    actions = commands.add_parser("crm", help="CRM systems whose API is read").add_subparsers(
        required=True, metavar="action"
    )
    add(actions, "check", check).add_argument("--source", required=True, help="a source whose profile has `crm`")


def check(config: Settings, arguments: argparse.Namespace) -> int:
    """Say whether a CRM can be read: credentials, scopes, objects, fields, credits, clocks. Nothing is pulled."""
    from dealermart import landing

    looked = landing.check_crm(config, arguments.source)
    for well, text in looked.found:
        print(f"{'ok    ' if well else 'FAULT '} {text}")
    return 0 if looked.is_well else 1
