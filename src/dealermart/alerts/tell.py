"""A look at everything, and telling what is new: each alert once, and again when it still holds after a day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dealermart.alerts.find import find
from dealermart.alerts.finding import Alert
from dealermart.alerts.kept import drop, drop_old, keep, kept, lasts
from dealermart.alerts.send import addresses_of, deliver, message, without_address
from dealermart.base import DealermartError, LockError, Settings, alone, utc_now, write_json
from dealermart.config import Alerts, load_alerts

_PATIENCE_SECONDS = 60.0


@dataclass
class Told:
    """What a look found, and what became of it.

    Attributes:
        alerts: Everything that holds now, whether it was told before or not.
        sent: Alerts told now, by channel.
        failed: Channels that did not take their message; it is sent again at the next look.
        without_address: Channels that nobody can be reached by.
    """

    alerts: list[Alert]
    sent: dict[str, list[Alert]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    without_address: list[str] = field(default_factory=list)

    def raise_for_failed(self) -> None:
        """Raise DealermartError where a channel did not take its message."""
        if self.failed:
            raise DealermartError(
                f"not told: {', '.join(self.failed)} did not take the message",
                mend="see that the address is right and the server answers: `dealermart alerts --test CHANNEL`; "
                "it is sent again at the next look",
            )


def look(
    settings: Settings,
    more: Iterable[Alert] = (),
    addresses: Mapping[str, str] | None = None,
    now: dt.datetime | None = None,
    say: Callable[[str], None] = lambda text: None,
    over: Iterable[str] = (),
) -> Told:
    """Find what is wrong, and tell those whom ``config/alerts.yml`` names for it, once.

    Args:
        more: What Airflow knows besides. It is kept until all who are named for it took it; an approval until it is
            ``over``.
        addresses: Address by channel that Airflow keeps; others come from the environment.
        over: Keys of what was given before and holds no more.

    Raises:
        DealermartError: config, log or lake cannot be read, or somebody else is telling. ``more`` was told all the
            same, or is told by the next look.
    """
    now, more = now or utc_now(), list(more)
    with suppress(OSError):  # without room for it, it can still be sent
        keep(settings, more, now)
    rules = load_alerts(settings)
    reached = addresses_of(rules, addresses)
    busy = LockError("somebody else is telling alerts", where=str(_file(settings)), mend="look again later")
    with alone(settings.home / "alerts" / ".lock", busy, _PATIENCE_SECONDS):
        memory, fault = _read(settings), None
        try:
            found = find(settings, rules, now)
        except DealermartError as error:
            found, fault = [], error
        drop(settings, over)
        keys = {alert.key for alert in found}
        given = {alert.key: alert for alert in (*kept(settings, now), *more) if alert.key not in keys}
        told = Told([*found, *given.values()])
        once = {key for key, alert in given.items() if not lasts(alert)}
        due = dt.timedelta(hours=rules.remind_after_hours)
        for channel in rules.channels:
            before = memory["told"].get(channel, {})
            new = [
                alert
                for alert in told.alerts
                if channel in rules.tell.get(alert.kind, ())
                and (
                    alert.key not in before
                    or (alert.key not in once and now - dt.datetime.fromisoformat(before[alert.key]) >= due)
                )
            ]
            if not new:
                continue
            if channel not in reached:
                told.without_address.append(channel)
                say(f"{channel} is not told: it has no address\n  mend: {without_address(channel)}")
                continue
            if _taken(reached[channel], message(new, rules.channels[channel].language), say):
                told.sent[channel] = new
                memory["told"][channel] = before | {alert.key: now.isoformat() for alert in new}
                _write(settings, memory)
            else:
                told.failed.append(channel)
        events = [alert for alert in kept(settings, now) if not lasts(alert)]
        drop(settings, [alert.key for alert in events if alert.key in keys or _all_took(memory, rules, alert)])
        if fault is not None:
            raise fault
        drop_old(settings, now)
        _forget(memory, told.alerts, now)
        memory["looked_at"], memory["holding"] = now.isoformat(timespec="seconds"), len(told.alerts)
        _write(settings, memory)
    return told


def last_look(settings: Settings) -> tuple[str, int] | None:
    """When somebody looked last (ISO, UTC) and how many alerts held then; None if nobody ever did."""
    memory = _read(settings)
    return (memory["looked_at"], int(memory["holding"])) if "looked_at" in memory else None


def _taken(address: str, words: tuple[str, str], say: Callable[[str], None]) -> bool:
    try:
        return deliver(address, *words)
    except DealermartError as error:
        say(str(error))
    except Exception as error:  # a server's answer that apprise does not expect; its text can hold the address
        say(f"unforeseen {type(error).__name__}")
    return False


def _all_took(memory: dict[str, Any], rules: Alerts, alert: Alert) -> bool:
    """Whether every channel that is named for it has it."""
    return all(alert.key in memory["told"].get(channel, {}) for channel in rules.tell.get(alert.kind, ()))


def _forget(memory: dict[str, Any], alerts: list[Alert], now: dt.datetime) -> None:
    """What holds no more is news when it comes back. An event of Airflow holds at no look: it goes by age."""
    holding, month = {alert.key for alert in alerts}, dt.timedelta(days=30)
    for channel, before in memory["told"].items():
        memory["told"][channel] = {
            key: at
            for key, at in before.items()
            if key in holding
            or (key.split()[0] in ("airflow", "deadline") and now - dt.datetime.fromisoformat(at) < month)
        }


def _file(settings: Settings) -> Path:
    return settings.home / "alerts" / "told.json"


def _read(settings: Settings) -> dict[str, Any]:
    """What was told when. A damaged file is begun anew: something is told twice rather than never."""
    try:
        memory = json.loads(_file(settings).read_text("utf-8"))
        for before in memory["told"].values():
            for at in before.values():
                dt.datetime.fromisoformat(at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {"told": {}}
    return dict(memory)


def _write(settings: Settings, memory: dict[str, Any]) -> None:
    write_json(_file(settings), memory)
