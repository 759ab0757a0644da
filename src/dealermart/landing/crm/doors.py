"""A source's CRM by its profile: pulled from, or looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from dealermart.base import Settings, crm_entry
from dealermart.config import Crm, Profile
from dealermart.landing.crm import checking, fxiaoke, sync, zoho
from dealermart.landing.crm.web import Clock, Web


def pull_crm(
    settings: Settings,
    profile: Profile,
    received: dt.date,
    entry: dict[str, str] | None,
    asked: sync.Asked,
    say: Callable[[str], None],
) -> sync.Pulled:
    """Pull what is new into the inbox; see ``landing.fetch``."""
    with _client(settings, profile, entry) as client:
        return sync.pull(settings, profile, client, received, asked, say)


def check_crm(settings: Settings, profile: Profile, entry: dict[str, str] | None = None) -> checking.Looked:
    """Whether a source's CRM can be read, in words; nothing is pulled."""
    with _client(settings, profile, entry) as client:
        return checking.look(profile, client)


@contextmanager
def _client(
    settings: Settings,
    profile: Profile,
    entry: dict[str, str] | None,
    clock: Clock | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Iterator[zoho.Zoho | fxiaoke.Fxiaoke]:
    """The client of the system that a profile names."""
    crm: Crm | None = profile.crm
    assert crm is not None
    said = {**crm_entry(profile.source), **{name: text for name, text in (entry or {}).items() if text}}
    where = f"DEALERMART_CRM_{profile.source.upper()}_... or the connection dealermart_{profile.source}"
    folder = settings.arrivals / f"{profile.source}.crm"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = clock or Clock()
    is_test = bool(said.get("test_host"))
    if crm.system == "zoho":
        login = zoho.login(said, where)
        web = Web(zoho.HOSTS, is_test, None, clock, transport)
        client: zoho.Zoho | fxiaoke.Fxiaoke = zoho.Zoho(login, crm, folder, web, clock)
    else:
        entered = fxiaoke.login(said, where)
        web = Web(fxiaoke.HOSTS, is_test, (crm.calls_per_20_seconds, 20.0), clock, transport)
        client = fxiaoke.Fxiaoke(entered, crm, folder, web, clock)
    try:
        yield client
    finally:
        web.close()
