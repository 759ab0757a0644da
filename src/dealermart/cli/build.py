"""Marts and lake as a whole: ``dealermart build | publish | rebuild | compact``."""

from __future__ import annotations

import argparse
from typing import Any

from dealermart.base import Settings
from dealermart.cli.table import add, moment, number, say, table


def register(commands: Any) -> None:
    """Add the commands of this module."""
    parser = add(commands, "build", build)
    parser.add_argument("--as-of", type=moment, help="rows learnt later (UTC) are not seen (default: everything)")
    parser.add_argument(
        "--period", help="last fiscal month to build, such as 2026-M03 (default: that of the latest received date)"
    )
    parser.add_argument("--full", action="store_true", help="build every month, whatever changed")
    add(commands, "publish", publish)
    add(commands, "rebuild", rebuild)
    add(commands, "compact", compact)


def build(config: Settings, arguments: argparse.Namespace) -> int:
    """Bring the marts up to the lake."""
    from dealermart import warehouse

    result = warehouse.run(config, arguments.as_of, arguments.period, arguments.full, say=say)
    if result.skipped:
        print(f"nothing new since the last build (as of {result.as_of}); --full builds all the same")
    else:
        scope = "all" if result.full else str(result.months)
        print(
            f"built {result.models} models, {result.tests} tests passed, {scope} fiscal months, {result.seconds} s, "
            f"as of {result.as_of}"
        )
        print(f"warehouse: {result.warehouse}")
    return 0


def publish(config: Settings, arguments: argparse.Namespace) -> int:
    """Swap in new served copies."""
    from dealermart import publish

    result = publish.run(config, say=say)
    rows = [
        [audience, name, number(count)]
        for audience, tables in result.audiences.items()
        for name, count in tables.items()
    ]
    print(table(["audience", "table", "rows"], rows))
    for audience in result.audiences:
        print(f"{audience}: {result.path / audience / publish.FILE}")
    if result.postgres:
        told = ", ".join(f"{schema} {len(tables)}" for schema, tables in result.postgres.items())
        print(f"PostgreSQL, tables by schema: {told}")
    else:
        print("PostgreSQL: no server is named; DEALERMART_POSTGRES_URL=embedded publishes to one of our own")
    return 0


def rebuild(config: Settings, arguments: argparse.Namespace) -> int:
    """Make the lake and the warehouse anew from landing, config and log."""
    from dealermart import upkeep, warehouse

    counts = upkeep.rebuild(config, say=say)
    print(f"lake rebuilt: {counts['commits']} commits, {counts['deliveries']} deliveries, {counts['rows']} rows")
    if counts["commits"]:
        result = warehouse.run(config, say=say)
        print(f"marts rebuilt: {result.models} models, {result.tests} tests passed, as of {result.as_of}")
    return 0


def compact(config: Settings, arguments: argparse.Namespace) -> int:
    """Merge the lake's many files into one per feed and month of receipt."""
    from dealermart import upkeep

    result = upkeep.compact(config, say=say)
    if result.made:
        print(f"{result.replaced:,} lake files became {result.made:,}, with the same {result.rows:,} rows")
    else:
        print("nothing to merge: the months of receipt that are over have one file per feed")
    print(f"{result.deleted:,} files that an earlier compaction replaced were deleted")
    return 0
