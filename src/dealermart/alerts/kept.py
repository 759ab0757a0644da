"""What is given to a look besides its findings and is found by no look: it is kept until it was told, or is over."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from dealermart.alerts.finding import Alert
from dealermart.base import Settings, utc_now, write_json
from dealermart.config import ALERT_KINDS

# An event of a week ago was seen; who was reminded of an approval for a month needs no more words.
_EVENT, _WAITING = dt.timedelta(days=7), dt.timedelta(days=30)


def lasts(alert: Alert) -> bool:
    """Whether it holds until somebody has done something; a red run or a missed deadline is an event and told once."""
    return alert.kind == "approval_waits"


def keep(settings: Settings, alerts: Iterable[Alert], now: dt.datetime) -> None:
    """Keep alerts, each in a file of its own: nobody has to be waited for, and nothing else has to be readable."""
    for alert in alerts:
        path = _file(settings, alert.key)
        if not path.exists():
            write_json(path, asdict(alert) | {"at": now.isoformat()})


def kept(settings: Settings, now: dt.datetime | None = None) -> list[Alert]:
    """What is kept: approvals that wait, and events that were not told to everybody yet."""
    now = now or utc_now()
    return [alert for alert, at in _all(settings) if now - at <= (_WAITING if lasts(alert) else _EVENT)]


def drop(settings: Settings, keys: Iterable[str]) -> None:
    """Keep them no more."""
    for key in keys:
        _file(settings, key).unlink(missing_ok=True)


def drop_old(settings: Settings, now: dt.datetime) -> None:
    """Keep no more what is too old to be told."""
    young = {alert.key for alert in kept(settings, now)}
    drop(settings, [alert.key for alert, _ in _all(settings) if alert.key not in young])


def _all(settings: Settings) -> Iterator[tuple[Alert, dt.datetime]]:
    found = []
    for path in (settings.home / "alerts" / "kept").glob("*.json"):
        with suppress(OSError, ValueError, TypeError, KeyError):  # gone meanwhile, or of another version
            content = json.loads(path.read_text("utf-8"))
            at = dt.datetime.fromisoformat(content.pop("at"))
            if (alert := Alert(**content)).kind in ALERT_KINDS:
                found.append((at, alert.key, alert))
    yield from ((alert, at) for at, _, alert in sorted(found, key=lambda item: item[:2]))


def _file(settings: Settings, key: str) -> Path:
    return settings.home / "alerts" / "kept" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
