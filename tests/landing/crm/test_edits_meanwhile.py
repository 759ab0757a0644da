"""Whatever is edited while a CRM is read: in the end what was pulled is what the CRM holds, each version once."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.crm_sim import Clock, Fxiaoke, Zoho

from dealermart.base import DealermartError, Settings

from .conftest import CHANCES, DEALS, START, Source, entry_of, profile
from .test_pull import add, plain, same

WAYS = {
    "zoho": (DEALS, {}),
    "zoho by query": ({**DEALS, "first_by": "query"}, {}),
    "zoho by list": ({**DEALS, "read_by": "list"}, {}),
    "zoho by list, first too": ({**DEALS, "read_by": "list", "first_by": "query"}, {}),
    "fxiaoke": (CHANCES, {}),
    "fxiaoke, all shown": (CHANCES, {"invalid_rows": "shown", "deleted_rows": "shown", "restore_modifies": True}),
    "fxiaoke, short pages": (CHANCES, {"ties": "shuffled", "rights": "after"}),
}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few records make many pages."""
    module = "dealermart.landing.crm"
    for name, value in (
        ("zoho.BULK_AFTER", 2),
        ("zoho.FEW", 3),
        ("zoho.MANY", 4),
        ("zoho.PAGE", 3),
        ("zoho.IDS", 3),
        ("fxiaoke.LIMIT", 3),
    ):
        monkeypatch.setattr(f"{module}.{name}", value)
    monkeypatch.setattr(f"{module}.sync.LOOKED_AT", 2)
    monkeypatch.setattr(f"{module}.zoho.REFRESHES", (10**6, 600.0))  # tokens expire here all the time
    monkeypatch.setattr(f"{module}.fxiaoke.TOKENS", (10**6, 60.0))


def simulator(way: str) -> Zoho | Fxiaoke:
    clock = Clock(START, ticking=False)
    sim: Any = Zoho(zone=dt.timezone(dt.timedelta(hours=8)), clock=clock) if "zoho" in way else Fxiaoke(clock=clock)
    for name, value in WAYS[way][1].items():
        setattr(sim.switches, name, value)
    if isinstance(sim, Zoho):
        sim.limits.bulk_rows = 5
        sim.switches.bulk_downloads = sim.limits.refreshes = 10**6
    else:
        sim.limits.burst = sim.limits.token_calls = 10**6
    return sim


class Editor:
    """Somebody who works in the CRM: every edit is drawn from a seed."""

    def __init__(self, source: Source, seed: int) -> None:
        self.source, self.sim, self.rng, self.number = source, source.sim, random.Random(seed), 0
        self.expired = 0
        self.name = "Deals" if isinstance(self.sim, Zoho) else "NewOpportunityObj"

    def edit(self) -> None:
        """Some edits, in the same second or not."""
        table = (self.sim.modules if isinstance(self.sim, Zoho) else self.sim.kinds)[self.name].table
        for _ in range(self.rng.randint(1, 4)):
            self.number += 1
            if isinstance(self.sim, Zoho):
                alive, gone = list(table.rows), [item for item, what in table.gone.items() if what.row]
            else:
                alive = [row.id for row in table.rows.values() if row.values["life_status"] == "normal"]
                gone = [row.id for row in table.rows.values() if row.values["life_status"] == "invalid"]
            what = self.rng.choice(["add", "change", "change", "delete", "restore", "tick", "expire"])
            if what == "add":
                add(self.source, self.number)
            elif what == "change" and alive:
                field = "Amount" if isinstance(self.sim, Zoho) else "amount"
                self.sim.change(self.name, self.rng.choice(alive), {field: self.number})
            elif what == "delete" and len(alive) > 3:
                self.sim.delete(self.name, self.rng.choice(alive))
            elif what == "restore" and gone:
                self.sim.restore(self.name, self.rng.choice(gone))
            elif what == "tick":
                self.sim.clock.advance(self.rng.choice([0.3, 1, 90, 4000]))
            elif what == "expire" and len(self.sim.calls) > self.expired + 20:  # a token that was just got is good
                self.sim.expire_tokens()
                self.expired = len(self.sim.calls)


def run(way: str, seed: int, pulls: int, faults: float) -> None:
    """Pulls with edits between any two calls; after the last a quiet one."""
    with tempfile.TemporaryDirectory() as folder, simulator(way) as sim:
        home = Settings(home=Path(folder), config=Path(folder))
        made = profile("zoho" if "zoho" in way else "fxiaoke", WAYS[way][0], sweep_hours=0, part_records=4)
        source = Source(home, sim, made, entry_of(sim), "id" if isinstance(sim, Zoho) else "_id")
        editor = Editor(source, seed)
        for number in range(20):
            add(source, -number)
        for _ in range(pulls):
            for nth in range(1, 60):
                if editor.rng.random() < 0.3:
                    sim.before("/(crm|cgi)/", nth, editor.edit)
            sim.faults.random(editor.rng.randint(0, 10**6), faults, ["429", "500", "503", "reset", "truncated", "lost"])
            broken = editor.rng.random() < 0.3
            if broken:  # so that no patience helps: the pull ends in the middle, and is run again
                sim.faults.add("500", "coql|query|deleted|result|/Deals", skip=editor.rng.randint(0, 12), times=50)
            files = len(source.files())
            try:
                source.pull(land=editor.rng.random() < 0.7)
            except DealermartError as error:
                if not broken:
                    raise AssertionError(str(error)) from error
            sim.faults.clear()
            if editor.rng.random() < 0.2 and len(source.files()) > files:
                _lose(source, editor)
            sim._hooks.clear()
        source.pull(sweep=True)
        source.pull()
        same(source)
        for before, after in _steps(source):
            assert (
                plain(before, source.key) != plain(after, source.key)
                or before["_pull"]["gone"] != after["_pull"]["gone"]
            )


def _lose(source: Source, editor: Editor) -> None:
    """A file that nobody took yet is deleted from the inbox."""
    import hashlib

    waiting = [
        path
        for path in source.files()
        if not list(source.settings.landing.glob(f"*/*/{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"))
    ]
    if waiting:
        editor.rng.choice(waiting).unlink()


def _steps(source: Source) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Versions of a record, each with the one after it."""
    if not any("gone from the inbox" in text for text in source.said):
        by_id: dict[str, list[dict[str, Any]]] = {}
        for record in source.lines(source.profile.crm.objects[0].name):  # type: ignore[union-attr]
            by_id.setdefault(record[source.key], []).append(record)
        for records in by_id.values():
            records.sort(key=lambda record: record["_pull"]["changed_at"])
            yield from itertools.pairwise(records)


@pytest.mark.integration
@pytest.mark.parametrize("way", WAYS)
def test_edits_meanwhile_lose_nothing(way: str) -> None:
    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 10**9), pulls=st.integers(1, 4), faults=st.sampled_from([0.0, 0.1]))
    @example(seed=1, pulls=3, faults=0.1)
    def check(seed: int, pulls: int, faults: float) -> None:
        run(way, seed, pulls, faults)

    check()


@pytest.mark.soak
@pytest.mark.parametrize("way", WAYS)
def test_edits_meanwhile_lose_nothing_many_times_over(way: str) -> None:
    for seed in range(400):
        run(way, seed, 1 + seed % 5, 0.1 * (seed % 2))
