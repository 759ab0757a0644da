from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.callers import FxiaokeCaller, ZohoCaller

START = datetime(2026, 8, 3, 11, 48, 37, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    """It stands at START and moves by `advance` alone."""
    return Clock(START, ticking=False)


@pytest.fixture
def zoho(clock: Clock) -> Iterator[Zoho]:
    with Zoho(zone=timezone(timedelta(hours=3)), clock=clock) as sim:
        yield sim


@pytest.fixture
def fxiaoke(clock: Clock) -> Iterator[Fxiaoke]:
    with Fxiaoke(clock=clock) as sim:
        yield sim


@pytest.fixture
def call(zoho: Zoho) -> Iterator[ZohoCaller]:
    with ZohoCaller(zoho) as caller:
        yield caller


@pytest.fixture
def ask(fxiaoke: Fxiaoke) -> Iterator[FxiaokeCaller]:
    with FxiaokeCaller(fxiaoke) as caller:
        yield caller
