"""The PostgreSQL that readers connect to: ``dealermart postgres start | stop | status | password | remove``."""

from __future__ import annotations

import argparse
from typing import Any

from dealermart.base import Settings
from dealermart.cli.table import add


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = commands.add_parser(
        "postgres",
        help="The PostgreSQL server that readers connect to",
        description="The server of our own (DEALERMART_POSTGRES_URL=embedded), and passwords of readers on any server.",
    )
    below = parser.add_subparsers(required=True, metavar="command")
    add(below, "start", start)
    add(below, "stop", stop)
    add(below, "status", status)
    password_parser = add(below, "password", password)
    password_parser.add_argument("login", help="dealermart_bi, dealermart_hr, or a login of config/logins.yml")
    add(below, "remove", remove)


def start(config: Settings, arguments: argparse.Namespace) -> int:
    """Start the server of our own; it is made if there is none yet."""
    from dealermart import publish

    server = publish.Server.of(config)
    server.start()
    print(f"PostgreSQL runs at {server.address}; passwords are in {server.passwords}")
    return 0


def stop(config: Settings, arguments: argparse.Namespace) -> int:
    """Stop the server of our own."""
    from dealermart import publish

    print("stopped" if publish.Server.of(config).stop() else "it did not run")
    return 0


def status(config: Settings, arguments: argparse.Namespace) -> int:
    """Say whether the server of our own runs, and where."""
    from dealermart import publish

    server = publish.Server.of(config)
    if not server.exists:
        print("there is none; `dealermart postgres start` makes it")
    elif server.is_running():
        print(f"PostgreSQL runs at {server.address}; passwords are in {server.passwords}, its log is {server.log}")
    else:
        print(f"PostgreSQL does not run; its files are in {server.cluster}; `dealermart postgres start` starts it")
    return 0


def password(config: Settings, arguments: argparse.Namespace) -> int:
    """Give a login of readers a new password, and show it this once."""
    from dealermart import publish

    print(publish.give_password(config, arguments.login))
    return 0


def remove(config: Settings, arguments: argparse.Namespace) -> int:
    """Stop the server of our own and delete it; the next publication makes it anew."""
    from dealermart import publish

    publish.Server.of(config).remove()
    print("removed")
    return 0
