"""Quarantine: the rows that were not taken, with rule, reason, file and row number, as Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import literal, quoted

FAULT_COLUMNS = {
    "run_id": "varchar",
    "source": "varchar",
    "feed": "varchar",
    "delivery_id": "varchar",
    "source_file": "varchar",
    "row_number": "bigint",
    "row_part": "integer",
    "stage": "varchar",  # read, map or check
    "rule": "varchar",
    "severity": "varchar",
    "reason": "varchar",
    "row": "varchar",  # the record as it was read, as JSON; the line itself where it could not be read
    "mapped": "varchar",  # what the select made of it, as JSON of texts; nothing where it could not be read
    "waits_for": "varchar",  # what the row waits for, with commas between; nothing where it does not wait
}

_FOUND = {
    "read": """
        select _delivery_id as delivery_id, _row_number as row_number, 1 as row_part, 'read' as rule,
            'warning' as severity, reason, line as "row", cast(null as varchar) as mapped,
            cast(null as varchar) as waits_for
        from {raw}__rejects
    """,
    "map": """
        select m._delivery_id as delivery_id, m._row_number as row_number, m._row_part as row_part, 'map' as rule,
            'warning' as severity, m._reject_reason as reason, {mapped} as mapped, {waits} as waits_for
        from mapped_{raw} as m
        where m._reject_reason is not null
        union all
        -- In a rebuild: rows that were rejected then and would map by the profile of today.
        {failing} where f.rule = 'map'
    """,
    "check": "{failing} where f.rule <> 'map'",
}

_FAILING = """
        select m._delivery_id as delivery_id, m._row_number as row_number, m._row_part as row_part, f.rule, f.severity,
            f.reason, {mapped} as mapped, f.waits_for
        from failing as f
        join batch as m using (_row_id)
"""

# A batch holds the rows of other tables too: only those with a record in this one are found. The table can be large
# and the rows few, so it is gone through once, and not joined before it is known which rows are asked for.
_WITH_RECORDS = """
        with verdict as materialized ({found}),
        record as materialized (
            select raw._delivery_id as delivery_id, raw._row_number as row_number,
                cast(to_json(raw) as varchar) as "row"
            from {raw} as raw
            semi join verdict on verdict.delivery_id = raw._delivery_id and verdict.row_number = raw._row_number
        )
        select * from verdict join record using (delivery_id, row_number)
"""


@dataclass
class Quarantine:
    """Writes the quarantine files of one run.

    The tables it reads are those of a batch: ``delivery``, ``<raw>``, ``<raw>__rejects``, ``mapped_<raw>``, ``batch``
    and ``failing``.
    """

    con: duckdb.DuckDBPyConnection
    folder: Path
    run_id: str
    source: str
    files: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        feed: str,
        raw: str,
        stage: str,
        label: str | None = None,
        columns: Sequence[str] = (),
        waits: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Write what ``stage`` (read, map, check) found in the files of table ``raw``; no file if it found nothing.

        Args:
            columns: The feed's columns.
            waits: Reject reasons that wait, each with what it waits for.
        """
        name = f"{feed}/{self.run_id}-{label or raw}-{stage}.parquet"
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        typed = ", ".join(f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in FAULT_COLUMNS.items())
        texts = ", ".join(f"{quoted(name)} := cast(m.{quoted(name)} as varchar)" for name in (*columns, "_is_deleted"))
        mapped = f"cast(to_json(struct_pack({texts})) as varchar)"
        found = _FOUND[stage].format(
            raw=raw,
            mapped=mapped,
            waits=self.waits_sql(waits or {}),
            failing=_FAILING.format(mapped=mapped),
        )
        if stage != "read":
            found = _WITH_RECORDS.format(found=found, raw=raw)
        rows = self.con.execute(f"""
            copy (
                select {typed}
                from (
                    select found.*, delivery.source_file, {literal(self.run_id)} as run_id,
                        {literal(self.source)} as source, {literal(feed)} as feed, {literal(stage)} as stage
                    from ({found}) as found
                    join delivery using (delivery_id)
                )
                order by source_file, row_number, row_part, rule
            ) to {literal(str(path))} (format parquet, compression zstd)
        """).fetchall()[0][0]
        if rows:
            waited = self.con.execute(f"""
                select distinct unnest(string_split(waits_for, ',')) from read_parquet({literal(str(path))}) order by 1
            """).fetchall()
            waits_for = [feed for (feed,) in waited]
            self.files.append({"feed": feed, "path": name, "rows": rows, "stage": stage, "waits_for": waits_for})
        else:
            path.unlink()

    @staticmethod
    def waits_sql(waits: Mapping[str, Sequence[str]]) -> str:
        """SQL for what a row ``m`` that its select rejected waits for."""
        whens = " ".join(f"when {literal(reason)} then {literal(','.join(on))}" for reason, on in waits.items())
        return f"case m._reject_reason {whens} end" if whens else "cast(null as varchar)"

    def faults(self) -> dict[str, list[dict[str, Any]]]:
        """Per delivery: stage, rule, reason, number of rows and the first of them."""
        if not self.files:
            return {}
        paths = ", ".join(literal(str(self.folder / file["path"])) for file in self.files)
        names = ("stage", "rule", "reason", "rows", "first_row")
        found: dict[str, list[dict[str, Any]]] = {}
        for delivery_id, *values in self.con.execute(f"""
            select delivery_id, stage, rule, reason, count(*), min(row_number)
            from read_parquet([{paths}])
            group by all
            order by delivery_id, min(row_number), rule, reason
        """).fetchall():
            found.setdefault(delivery_id, []).append(dict(zip(names, values, strict=True)))
        return found
