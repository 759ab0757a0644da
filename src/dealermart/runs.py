"""Query the run log by SQL."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from dealermart import runlog
from dealermart.errors import DealermartError
from dealermart.settings import Settings

_COLUMNS = {
    "run_id": "varchar",
    "command": "varchar",
    "arguments": "json",
    "user": "varchar",
    "code_version": "varchar",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "seconds": "decimal(18,3)",
    "status": "varchar",
    "error": "varchar",
    "files": "json",
    "rows": "json",
    "dbt": "json",
}


def query(settings: Settings, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a select from the table ``runs``, which has one row per run.

    Raises:
        DealermartError: the SQL does not run.
    """
    con = duckdb.connect(":memory:", config={"enable_external_access": False, "autoinstall_known_extensions": False})
    try:
        con.execute(
            f"create table runs ({', '.join(f'{chr(34)}{name}{chr(34)} {kind}' for name, kind in _COLUMNS.items())})"
        )
        rows = [
            [
                json.dumps(one.get(name)) if kind == "json" and name in one else one.get(name)
                for name, kind in _COLUMNS.items()
            ]
            for one in runlog.read(settings)
        ]
        if rows:
            con.executemany(f"insert into runs values ({', '.join('?' * len(_COLUMNS))})", rows)
        found = con.execute(sql)
        return [column[0] for column in found.description or []], found.fetchall()
    except duckdb.Error as error:
        raise DealermartError(
            f"the query does not run: {str(error).splitlines()[0]}", mend=f"the table runs has {', '.join(_COLUMNS)}"
        ) from None
    finally:
        con.close()
