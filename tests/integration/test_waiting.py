"""Dealers, members and products that come first, last or never: the marts are the same once they are there."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from dealermart import ingest, lake, upkeep, warehouse
from dealermart.base import Settings

from . import states

pytestmark = pytest.mark.integration

FIRST, THEN = dt.date(2026, 5, 4), dt.date(2026, 5, 11)


def test_masters_first_or_last_give_the_same_marts(settings: Settings, tmp_path: Path) -> None:
    company = settings.company_file
    company.write_text(company.read_text("utf-8").replace("complete_feeds: []", "complete_feeds: [dealers, team_members, products]"), "utf-8")  # fmt: skip
    files = states.first_delivery()
    masters = {name: files[name] for name in ("dealers", "members", "products")}
    facts = {name: files[name] for name in ("sales", "assignments", "targets")}
    # M3 is nobody's member: the sale waits for ever and may not show.
    facts["sales"] = [*facts["sales"], "X1,1,invoice,D1,P1,1,5000,1,2026-02-02,M3"]
    early, late = states.write(tmp_path / "masters", masters), states.write(tmp_path / "facts", facts)
    known = replace(settings, home=tmp_path / "known")
    states.deliver(known, FIRST, early, dt.datetime(2026, 5, 4, 6))
    states.deliver(known, THEN, late, dt.datetime(2026, 5, 11, 6))
    expected = states.built(known)

    # The same deliveries by their dates, and the facts learnt first.
    states.deliver(settings, THEN, late, dt.datetime(2026, 5, 11, 6))
    lines = len(facts["sales"]) + len(facts["assignments"]) + len(facts["targets"])
    assert sum(one["quarantined"] for one in lake.read(settings).deliveries()) == lines
    result = ingest.run(settings, "mini", FIRST, early, ingested_at=dt.datetime(2026, 5, 18, 6))
    assert sum(one.accepted or 0 for one in result.taken_up) == lines - 1
    assert states.built(settings) == expected

    upkeep.rebuild(settings)
    assert states.built(settings) == expected, "the log says what was taken up"

    past = warehouse.run(settings, as_of=dt.datetime(2026, 5, 12), period=states.PERIOD)
    assert past.warehouse is not None
    with pytest.raises(AssertionError, match="'fct_sale_line': 0"):  # there is nothing but what waits
        states.marts(past.warehouse)
