"""A source's CRM by its profile: pulled from, or looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from dealermart.base import Settings, UsageError, crm_entry
from dealermart.config import Crm, Profile, crm_source_names, load_contracts, load_profile
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


def check_crm(settings: Settings, source: str, entry: dict[str, str] | None = None) -> checking.Looked:
    """Whether a source's CRM can be read, in words; nothing is pulled.

    Raises:
        UsageError: the source reads no CRM. ConfigError: it cannot be entered. FetchError: it does not answer.
    """
    profile = load_profile(settings, source, load_contracts(settings))
    if profile.crm is None:
        crms = ", ".join(crm_source_names(settings)) or "none"
        raise UsageError(f"{source} reads no CRM", mend=f"sources that do: {crms}")
    with _client(settings, profile, entry) as client:
        return checking.look(profile, client)


def crm_entry_of(host: str | None, login: str | None, password: str | None, extra: dict[str, Any]) -> dict[str, str]:
    """A connection as schedulers keep it, in the words of ``DEALERMART_CRM_<SOURCE>_...``."""
    said = {"base_url": host, "client_id": login, "client_secret": password, **extra}
    return {name: str(text) for name, text in said.items() if text}


def crm_is_entered(settings: Settings, source: str, entry: dict[str, str] | None) -> bool:
    """Whether a source's CRM has credentials, or ever had: then their lack is a fault."""
    return bool(crm_entry(source).get("client_id") or entry) or (settings.arrivals / f"{source}.crm.db").exists()


def asked_of(said: dict[str, Any]) -> sync.Asked:
    """What a run is asked for: ``since`` and ``until`` as ISO moments, in UTC where they name no zone, and ``sweep``.

    Raises:
        UsageError: a moment is none.
    """
    moments = {}
    for name in ("since", "until"):
        try:
            found = dt.datetime.fromisoformat(str(said[name])) if said.get(name) else None
        except ValueError:
            raise UsageError(f"{name} is no moment", mend="write it like 2026-03-02T18:00:00Z") from None
        moments[name] = found.replace(tzinfo=dt.UTC) if found and found.tzinfo is None else found
    return sync.Asked(**moments, sweep=bool(said.get("sweep")))


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
