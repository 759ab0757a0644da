"""Sending: one address per channel, in the form of apprise; mail and the messengers of offices are all reached so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from dealermart.alerts.finding import TITLES, Alert
from dealermart.base import DealermartError, alert_address
from dealermart.config import Alerts

# Messengers cut what is longer, or refuse it. Robots of WeCom take 2,048 bytes, a Chinese sign is three.
_LONGEST = 600


def addresses_of(rules: Alerts, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Address by channel, of those that have one: from ``known`` (what Airflow keeps), else from the environment."""
    found = {name: (known or {}).get(name) or alert_address(name) for name in rules.channels}
    return {name: address for name, address in found.items() if address}


def message(alerts: Iterable[Alert], language: str) -> tuple[str, str]:
    """Title and text of one message for several alerts."""
    alerts = list(alerts)
    kinds = list(dict.fromkeys(alert.kind for alert in alerts))
    names = (", ", "、")[language == "zh"].join(TITLES[kind][language == "zh"] for kind in kinds)
    title = f"dealermart: {names}" if len(alerts) == 1 else f"dealermart ({len(alerts)}): {names}"
    return title, "\n\n".join(_cut(alert.text(language)) for alert in alerts)


def deliver(address: str, title: str, text: str) -> bool:
    """Send one message; returns whether it was taken. What the other side said may hold the secret and is not told.

    Raises:
        DealermartError: the address is none.
    """
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its warnings can quote an address
    channel = apprise.Apprise()
    if not channel.add(address):
        raise DealermartError(
            "the address of a channel is none that apprise knows",
            mend="write it like mailtos://user:password@smtp.example.com or dingtalk://token; see docs/operations.md",
        )
    with _codes() as codes:
        taken = channel.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
    return bool(taken) and not any(codes)


@contextmanager
def _codes() -> Iterator[list[int]]:
    """Codes of the answers: DingTalk, WeCom and Feishu refuse a message with status 200 and a code in the body, which
    apprise takes for success."""
    import requests

    codes: list[int] = []
    send = requests.Session.send

    def noted(self: Any, request: Any, **more: Any) -> Any:
        answer = send(self, request, **more)
        with suppress(ValueError, AttributeError):
            body = answer.json()
            codes.append(body.get("errcode") or body.get("code") or 0)
        return answer

    requests.Session.send = noted  # type: ignore[method-assign]
    try:
        yield codes
    finally:
        requests.Session.send = send  # type: ignore[method-assign]


def send_test(rules: Alerts, channel: str, addresses: Mapping[str, str]) -> bool:
    """A message that says only that it arrived; returns whether it was taken.

    Raises:
        DealermartError: no such channel, or it has no address.
    """
    if channel not in rules.channels:
        names = ", ".join(rules.channels) or "none"
        raise DealermartError(f"there is no channel {channel!r}", where="config/alerts.yml", mend=f"there are: {names}")
    if channel not in addresses:
        raise DealermartError(f"the channel {channel} has no address", mend=without_address(channel))
    zh = rules.channels[channel].language == "zh"
    text = "这是一条测试消息，无需处理。" if zh else "This is a test; nothing has to be done."
    return deliver(addresses[channel], "dealermart", text)


def without_address(channel: str) -> str:
    """What to do about a channel that has no address."""
    return (
        f"set DEALERMART_ALERT_{channel.upper()}, or in Airflow the password of the connection "
        f"dealermart_alert_{channel}; see docs/operations.md"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
