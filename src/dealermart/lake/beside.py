"""Files beside the log that a commit names: verdicts and decisions on single rows, too many for the commit itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from dealermart.base import Settings, literal, read_only, sync


def keep(con: duckdb.DuckDBPyConnection, select: str, settings: Settings, draft: Path, kept: str) -> str:
    """Write the rows of a select beside the log, for good; they count once a commit names them.

    Args:
        draft: Folder that ``con`` may write to.
        kept: Path below the log, such as ``verdicts/<run>.parquet``; must not be there yet.

    Returns:
        ``kept``, for the commit.
    """
    made, path = draft / "kept.parquet", settings.log / kept
    con.execute(f"copy ({select}) to {literal(str(made))} (format parquet, compression zstd)")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, path)
    sync(path)
    read_only(path)
    return kept
