"""Faults that a simulator plays on its callers: by plan, or at random from a seed."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

# What happens instead of the answer. A number that is no HTTP status is a vendor's error code in the body.
#   timeout    the call hangs, then the connection closes without an answer; it had no effect
#   reset      the connection breaks at once; it had no effect
#   lost       the call has its effect (a job is made, a credit is spent), but its answer never comes
#   slow       the answer comes in small pieces with pauses
#   truncated  half of the announced body comes, then the connection closes
KINDS = ("429", "500", "502", "503", "timeout", "reset", "lost", "slow", "truncated")


@dataclass
class Fault:
    """One planned fault.

    Attributes:
        kind: One of `KINDS`, any other HTTP status as text, or an error code as a number.
        path: Pattern that is searched in the path; empty: every call.
        skip: Calls that go well before it.
        times: Calls that it strikes.
        seconds: How long a call hangs, or how long a slow answer takes.
    """

    kind: str | int
    path: str = ""
    skip: int = 0
    times: int = 1
    seconds: float = 5.0


class Faults:
    """The faults to come, and those that came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._random: tuple[random.Random, float, Sequence[str | int], float, str] | None = None
        self.struck: list[tuple[str | int, str]] = []  # kind and path

    def add(self, kind: str | int, path: str = "", *, skip: int = 0, times: int = 1, seconds: float = 5.0) -> None:
        """Plan a fault; see `Fault`."""
        if isinstance(kind, str) and kind not in KINDS and not re.fullmatch(r"[45]\d\d", kind):
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(KINDS)}")
        with self._lock:
            self._planned.append(Fault(kind, path, skip, times, seconds))

    def random(
        self, seed: int, rate: float, kinds: Sequence[str | int] = KINDS, *, seconds: float = 5.0, path: str = ""
    ) -> None:
        """From now on each call on a path fails with this probability."""
        with self._lock:
            self._random = (random.Random(seed), rate, kinds, seconds, path)

    def clear(self) -> None:
        """From now on all goes well."""
        with self._lock:
            self._planned, self._random = [], None

    def strike(self, path: str) -> Fault | None:
        """The fault of this call, if it has one."""
        with self._lock:
            for fault in self._planned:
                if not re.search(fault.path, path) or not fault.times:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                self.struck.append((fault.kind, path))
                return fault
            if self._random:
                rng, rate, kinds, seconds, where = self._random
                if re.search(where, path) and rng.random() < rate:
                    fault = Fault(kinds[int(rng.random() * len(kinds))], seconds=seconds)
                    self.struck.append((fault.kind, path))
                    return fault
        return None
