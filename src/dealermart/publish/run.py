"""Publish: what each audience may see, as served files and in PostgreSQL, all copies of one build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dealermart import lake, warehouse
from dealermart.base import (
    BuildError,
    Settings,
    code_version,
    connect,
    literal,
    read_runs,
    record_run,
    utc_now,
    warehouse_lock,
)
from dealermart.config import load_company, load_logins
from dealermart.publish import served
from dealermart.publish.marts import FILES, marts_of, refuse, untold
from dealermart.publish.meta import About
from dealermart.publish.postgres import Publisher
from dealermart.publish.shape import prepare


@dataclass(frozen=True)
class PublishResult:
    """Rows per table and audience, and where the copies are; ``postgres`` says rows per schema, if there is a server.

    Attributes:
        untold: Marts and columns that nobody sees, because nothing says who may.
    """

    run_id: str
    audiences: dict[str, dict[str, int]]
    path: Path
    postgres: dict[str, dict[str, int]]
    untold: list[str]


def run(
    settings: Settings,
    say: Callable[[str], None] = lambda text: None,
    keep_previous: bool = True,
    postgres: str | None = None,
) -> PublishResult:
    """Write new copies beside the old ones and let readers see them.

    PostgreSQL first, by one transaction, then the files of each audience, by renaming one link. Before that nothing of
    it is visible.

    Args:
        keep_previous: False where nothing of the copies before may remain.
        postgres: Address of the PostgreSQL to publish to, in place of that of the settings.

    Raises:
        BuildError: there is no finished build, or it would show an audience what it may not see.
        UsageError: nothing was ingested yet. ConfigError: config is broken, or a key is missing.
        FetchError: PostgreSQL is away or full. LockError: another process is at work.
    """
    if postgres is not None:
        settings = replace(settings, postgres=postgres)
    with record_run(settings, "publish") as entry, warehouse_lock(settings, "publish", say=say):
        built = warehouse.finished(settings)
        nodes = warehouse.manifest(settings)["nodes"]
        marts = tuple(marts_of(nodes))
        hidden = untold(nodes)
        if hidden:
            more = f" and {len(hidden) - 8} more" if len(hidden) > 8 else ""
            say(f"not published, as nothing says who may see it: {', '.join(hidden[:8])}{more}")
        if refused := refuse(marts):
            raise BuildError(
                f"{len(refused)} columns or tables would be shown to whom they are not for: {', '.join(refused[:5])}",
                where="dbt_project/models",
                mend="correct config.meta in their yml; docs/modelling.md says how",
            )
        company = load_company(settings)
        logins = load_logins(settings, company)
        about = _about(settings, built, entry.run_id)
        con = connect(settings, spill=settings.home / "dbt" / "spill")
        drafts: list[served.Draft] = []
        loaded: dict[str, dict[str, int]] = {}
        try:
            con.execute(f"attach {literal(str(settings.warehouse))} as warehouse (read_only)")
            shapes = prepare(con, settings, marts)
            for audience in FILES:
                drafts.append(served.draft(settings, con, shapes, audience, about))
                say(_counts(f"published for {audience}", drafts[-1].rows))
            if settings.postgres:
                with Publisher(settings, con, shapes, about, logins, say) as publisher:
                    publisher.load()
                    publisher.swap(keep_previous)
                    loaded = publisher.loaded.rows
                say(_counts("published to PostgreSQL", {s: sum(tables.values()) for s, tables in loaded.items()}))
        finally:
            con.close()
        served.open_home(settings)
        for draft in drafts:
            served.swap(settings, draft, company.published_keep_days if keep_previous else None, utc_now())
        entry.note(
            tables={draft.audience: len(draft.rows) for draft in drafts},
            rows={draft.audience: sum(draft.rows.values()) for draft in drafts},
            postgres={schema: len(tables) for schema, tables in loaded.items()},
            untold=len(hidden),
            **built,
        )
        rows = {draft.audience: draft.rows for draft in drafts}
        return PublishResult(entry.run_id, rows, settings.published, loaded, hidden)


def _counts(what: str, rows: dict[str, int]) -> str:
    return f"{what}: {len(rows)} {'schemas' if 'PostgreSQL' in what else 'tables'}, {sum(rows.values())} rows"


def _about(settings: Settings, built: dict[str, Any], run_id: str) -> About:
    builds = [run for run in read_runs(settings) if run["command"] == "build" and run.get("dbt")]
    dbt = builds[-1]["dbt"] if builds else {}
    noted = builds[-1].get("mart_checks") if builds else None
    freshness: dict[str, tuple[str, str, str | None]] = {}
    for delivery in lake.read(settings).deliveries():
        if delivery["status"] == "accepted" and delivery["feed"]:
            before = freshness.get(delivery["feed"], ("", "", None))
            freshness[delivery["feed"]] = (
                max(before[0], delivery["received"]),
                max(before[1], delivery["ingested_at"]),
                max(filter(None, (before[2], delivery.get("latest_event"))), default=None),
            )
    return About(
        run_id=run_id,
        as_of=built["as_of"],
        as_of_day=built["as_of"][:10],
        period_end=built["period_end"],
        published_at=utc_now().isoformat(sep=" ", timespec="milliseconds"),
        code_version=code_version(),
        freshness=freshness,
        checks_passed=dbt.get("status", {}).get("pass"),
        checks_noted=None if noted is None else sum(noted.values()),
    )
