"""The vendor's clock: it runs beside the real one, and a test may set it, let it run ahead, or stop it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that ticks from ``start`` on, or from the real time.

    Args:
        start: The moment it shows first; aware.
        ticking: Whether it goes by itself; a stopped clock moves by `advance` alone.
    """

    def __init__(self, start: datetime | None = None, *, ticking: bool = True) -> None:
        self._lock = threading.Lock()
        self._shown = start or datetime.now(UTC)
        self._since = time.monotonic()
        self._ticking = ticking

    def now(self) -> datetime:
        """The moment in UTC."""
        with self._lock:
            gone = time.monotonic() - self._since if self._ticking else 0.0
            return self._shown + timedelta(seconds=gone)

    def milliseconds(self) -> int:
        """The moment in milliseconds since 1970."""
        return milliseconds(self.now())

    def set(self, moment: datetime) -> None:
        """Show another moment from now on."""
        with self._lock:
            self._shown, self._since = moment.astimezone(UTC), time.monotonic()

    def advance(self, seconds: float) -> None:
        """Let it run ahead; negative: put it back. Fits as the ``sleep`` of a client under test."""
        self.set(self.now() + timedelta(seconds=seconds))

    def stop(self) -> None:
        """It ticks no more."""
        self.set(self.now())
        self._ticking = False


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds from 1970 to an aware moment."""
    gone = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (gone.days * 86_400 + gone.seconds) * 1000 + gone.microseconds // 1000
