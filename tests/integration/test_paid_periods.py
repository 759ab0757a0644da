"""What was paid stays paid: six quarters are closed, and what is learnt of them later is settled openly, cause by cause."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from tests import small

from dealermart import closing, ingest, warehouse
from dealermart.base import Settings

from . import paid_story as story

pytestmark = pytest.mark.integration

MARTS = ("mart_incentive__statement_line", "mart_incentive__line_source", "mart_incentive__payout", "mart_incentive__balance", "mart_incentive__credit", "mart_incentive__proposal")  # fmt: skip

# By hand from ``paid_story``: 1 or 2 % of the revenue by its target, 1 % of what was collected, 1 % of the revenue of the
# trained, 10 in any case.
PAID = {
    ("A", "2025-Q1"): "50.00",  # 2 % and 1 % and 1 % of 1,000, and 10
    ("A", "2025-Q2"): "32.00",  # 1 % of 900, 1 % of 400, 1 % of 900, and 10
    ("A", "2025-Q3"): "40.00",
    ("A", "2025-Q4"): "40.00",
    ("A", "2026-Q1"): "61.00",  # 2 % and 1 % of 1,000 + 100 x 7, and 10
    **{("B", quarter): "30.00" for quarter in story.QUARTERS[:5]},  # 1 % of 2,000, and 10
}
# payee, period, cause, component -> amount
LATER = {
    ("A", "2026-Q1", "late_sale", "a"): "10.00",  # 2 % of 500
    ("A", "2026-Q1", "late_sale", "c"): "5.00",
    ("A", "2025-Q4", "return", "a"): "-12.00",  # 1 % of 800 instead of 2 % of 1,000
    ("A", "2025-Q4", "return", "c"): "-2.00",
    ("A", "2025-Q3", "correction", "a"): "2.00",  # 2 % of 1,100
    ("A", "2025-Q3", "correction", "c"): "1.00",
    ("A", "2025-Q2", "payment", "b"): "5.00",  # 1 % of 500
}
LAST = {
    ("A", "2025-Q1", "credit", "a"): "-14.00",  # 1 % of 600 instead of 2 % of 1,000
    ("A", "2025-Q1", "credit", "b"): "-4.00",
    ("A", "2025-Q1", "credit", "c"): "-4.00",
    ("B", "2025-Q1", "credit", "b"): "4.00",
    ("B", "2025-Q1", "credit", "c"): "4.00",
    ("A", "2025-Q2", "employment", "a"): "9.00",  # 46 of 91 days: 900 reach the target of 505.49, 2 % instead of 1 %
    ("A", "2025-Q3", "target", "a"): "-11.00",  # 1,100 of 1,200: 1 % instead of 2 %
    ("A", "2025-Q4", "kpi", "c"): "-4.00",  # half of 1 % of 800
    ("A", "2026-Q1", "rate", "a"): "1.00",  # 2 % of 100 x 0.5
    ("A", "2026-Q1", "rate", "c"): "0.50",
    **{(payee, quarter, "plan", "d"): "2.00" for payee in ("A", "B") for quarter in story.QUARTERS},
    ("A", "2025-Q4", "manual", "adjustment"): "30.00",
}


STATEMENTS = """
    select statement_line_id, amount, cause, base_amount, reason from marts.mart_incentive__statement_line order by all
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("paid")
    project = small.project(root / "project", MARTS, judged=False)
    return Settings(home=root / "home", config=story.write_config(root / "config"), project=project, user="tester")


def take(settings: Settings, name: str, delivery: story.Delivery, day: dt.date, period: str) -> None:
    folder = story.write(settings.home.parent / name, delivery)
    ingest.run(settings, "plain", day, folder, ingested_at=dt.datetime.combine(day, dt.time(6)))
    warehouse.run(settings, period=period)


def shut(settings: Settings, period: str) -> None:
    closing.close(settings, closing.Asked("pay", period, by="Chen", reason="pay run"))


def rows(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def payouts(settings: Settings) -> dict[tuple[object, ...], str]:
    sql = "select payee_id, period_id, amount from marts.mart_incentive__payout where amount <> 0"
    return {(payee, period): str(amount) for payee, period, amount in rows(settings, sql)}


def late(settings: Settings, period: str) -> dict[tuple[object, ...], str]:
    """The lines of an open period that settle closed ones."""
    sql = f"""
        select payee_id, earlier_period_id, cause, component_id, amount from marts.mart_incentive__statement_line
        where line_kind = 'late' and period_id = '{period}'
    """
    return {(payee, of, cause, component): str(amount) for payee, of, cause, component, amount in rows(settings, sql)}


def test_what_was_paid_stays_and_what_is_learnt_is_settled_by_cause(settings: Settings) -> None:
    take(settings, "first", story.first(), dt.date(2026, 4, 2), "2026-M04")
    before = payouts(settings)
    assert {key: amount for key, amount in before.items() if key[1] != "2026-Q2"} == PAID
    for quarter in story.QUARTERS[:5]:
        shut(settings, quarter)

    take(settings, "later", story.later(), dt.date(2026, 4, 10), "2026-M04")
    assert {key: amount for key, amount in payouts(settings).items() if key[1] != "2026-Q2"} == PAID
    assert late(settings, "2026-Q2") == LATER
    # Each cause has the rows behind it, which add up to it.
    assert rows(
        settings,
        """
        select source_id, source.amount, _source_file from marts.mart_incentive__line_source as source
        inner join marts.mart_incentive__statement_line using (statement_line_id)
        where cause = 'late_sale' order by all
        """,
    ) == [
        ("sale LATE/1 as owner", Decimal("5.00"), "sales.csv"),
        ("sale LATE/1 as owner", Decimal("10.00"), "sales.csv"),
    ]

    take(settings, "sixth", story.sixth(), dt.date(2026, 7, 2), "2026-M07")
    shut(settings, "2026-Q2")
    paid = payouts(settings)
    story.write_plan(settings.config, 12)
    take(settings, "last", story.last(), dt.date(2026, 7, 10), "2026-M07")
    now = payouts(settings)
    assert {key: amount for key, amount in now.items() if key[1] != "2026-Q3"} == {
        key: amount for key, amount in paid.items() if key[1] != "2026-Q3"
    }
    assert late(settings, "2026-Q3") == LAST
    assert rows(settings, "select count(*) from marts.mart_incentive__statement_line where line_kind = 'late' and cause is null") == [(0,)]  # fmt: skip


def test_paid_and_settled_is_what_a_fresh_calculation_gives(settings: Settings) -> None:
    """A home that never closed anything, fed with the same files, owes the same in all."""
    fresh = Settings(
        home=settings.home.parent / "fresh", config=settings.config, project=settings.project, user="tester"
    )
    for name, day in (("first", (4, 2)), ("later", (4, 10)), ("sixth", (7, 2)), ("last", (7, 10))):
        moment = dt.datetime(2026, *day, 6)
        ingest.run(fresh, "plain", moment.date(), settings.home.parent / name, ingested_at=moment)
    warehouse.run(fresh, period="2026-M07")
    sql = """
        select payee_id, coalesce(earlier_period_id, period_id), sum(amount) from marts.mart_incentive__statement_line
        group by all order by all
    """
    assert rows(settings, sql) == rows(fresh, sql)


@pytest.mark.soak
def test_the_open_period_of_a_past_moment_is_built_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of the tenth of April five quarters were closed; a full build of today has the same open period as the daily one."""
    home = replace(settings, home=tmp_path / "home")
    story.write_plan(settings.config, 10)
    moments = {"first": dt.datetime(2026, 4, 2, 6), "later": dt.datetime(2026, 4, 10, 6)}
    for name, moment in moments.items():
        ingest.run(
            home, "plain", moment.date(), story.write(tmp_path / name, getattr(story, name)()), ingested_at=moment
        )
        warehouse.run(home, period="2026-M04")
        monkeypatch.setattr("dealermart.closing.run.utc_now", lambda: dt.datetime(2026, 4, 5, 6, tzinfo=dt.UTC))
        for quarter in story.QUARTERS[:5] if name == "first" else ():
            shut(home, quarter)
    daily = rows(home, STATEMENTS)
    warehouse.run(home, period="2026-M04", full=True)
    assert rows(home, STATEMENTS) == daily
    moment = dt.datetime(2026, 7, 2, 6)
    ingest.run(home, "plain", moment.date(), story.write(tmp_path / "sixth", story.sixth()), ingested_at=moment)
    past = warehouse.run(home, as_of=dt.datetime(2026, 4, 10, 7), period="2026-M04")
    assert past.warehouse is not None and past.warehouse != home.warehouse
    assert rows(replace(home, warehouse_override=past.warehouse), STATEMENTS) == daily
