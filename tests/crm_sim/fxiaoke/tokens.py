"""Tokens of Fxiaoke: one app, two styles; the same token for most of its life, few calls and one at a time."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.crm_sim.clock import Clock
from tests.crm_sim.fxiaoke.faults import Refused
from tests.crm_sim.fxiaoke.switches import Limits, Switches


@dataclass
class Tokens:
    """What the vendor knows of the app."""

    clock: Clock
    switches: Switches
    limits: Limits
    app_id: str = field(default_factory=lambda: f"FSAID_{secrets.token_hex(4)}")
    app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    permanent_code: str = field(default_factory=lambda: secrets.token_hex(16).upper())
    asked: deque[datetime] = field(default_factory=deque)
    issued: dict[str, list[tuple[str, datetime]]] = field(default_factory=dict)  # style -> tokens, the newest last

    def get(self, style: str, given: dict[str, Any], parallel: bool) -> tuple[str, int]:
        """A token and the seconds that it still lives.

        Args:
            style: "new" or "legacy"; each has tokens of its own.
            parallel: Another token call is under way.

        Raises:
            Refused: A wrong credential, too many calls, or two at a time.
        """
        now = self.clock.now()
        while self.asked and self.asked[0] <= now - timedelta(minutes=1):
            self.asked.popleft()
        if len(self.asked) >= self.limits.token_calls:
            raise Refused(self.switches.token_often_code)
        self.asked.append(now)
        if parallel:
            raise Refused(self.switches.token_parallel_code)
        for name, value in (
            ("appId", self.app_id),
            ("appSecret", self.app_secret),
            ("permanentCode", self.permanent_code),
        ):
            if given.get(name) != value:
                message = f"the parameter {name} is missing or illegal"
                raise Refused(10006, message, error=10006, error_description=message)
        if style == "new" and given.get("grantType") != "app_secret":
            message = "the parameter grantType is missing or illegal"
            raise Refused(10006, message, error=10006, error_description=message)
        held = self._live(style)
        if not held or now - held[-1][1] >= timedelta(seconds=self.limits.token_same):
            held.append((secrets.token_hex(16).upper(), now))
        token, since = held[-1]
        return token, self.limits.token_seconds - int((now - since).total_seconds())

    def _live(self, style: str) -> list[tuple[str, datetime]]:
        oldest = self.clock.now() - timedelta(seconds=self.limits.token_seconds)
        self.issued[style] = [(token, since) for token, since in self.issued.get(style, []) if since > oldest]
        return self.issued[style]

    def known(self, token: str) -> bool:
        """Whether a token holds."""
        return any(token == held for style in list(self.issued) for held, _ in self._live(style))

    def expire(self) -> None:
        """All tokens end now."""
        self.issued.clear()
