"""One access token for all processes of this machine, kept sealed, and renewed no more often than the vendor allows."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from dealermart.base import FetchError, LockError, alone
from dealermart.landing.crm.web import Clock

_LONGEST_WAIT = 90.0  # what is worth waiting for; for longer a later run is better


@dataclass(frozen=True)
class Token:
    """An access token, until when it is good (seconds since 1970), and what came with it."""

    text: str = field(repr=False)
    until: float
    more: dict[str, str] = field(default_factory=dict, repr=False)


class Tokens:
    """The token of a source, shared by a file that only those who know its secrets can read.

    Args:
        path: The file.
        secrets: What seals it.
        limit: How many tokens may be asked for in how many seconds.
        margin: How many seconds before its end a token is no longer used.
    """

    def __init__(
        self, path: Path, secrets: tuple[str, ...], limit: tuple[int, float], margin: float, clock: Clock
    ) -> None:
        self.path, self.limit, self.margin, self.clock = path, limit, margin, clock
        digest = hashlib.sha256("\n".join(secrets).encode()).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(digest))
        self._token: Token | None = None

    def get(self, ask: Callable[[], Token], instead_of: str | None = None) -> Token:
        """A token that is good, from the file if there is one, else by ``ask``.

        Args:
            instead_of: A token that the vendor has just refused.

        Raises:
            FetchError: the vendor allows no further one for a while.
        """
        if self._token and self._is_good(self._token, instead_of):
            return self._token
        busy = LockError("another process asks for a token", where=str(self.path), mend="run it again")
        with alone(self.path.with_suffix(".token-lock"), busy, wait_seconds=120):
            kept, asked = self._load()
            if kept is None or not self._is_good(kept, instead_of):
                asked = self._wait(asked)
                self._save(None, [*asked, self.clock.now()])  # before: an asking that dies counts as well
                kept = ask()
                self._save(kept, [*asked, self.clock.now()])
        self._token = kept
        return kept

    def _is_good(self, token: Token, instead_of: str | None) -> bool:
        return token.text != instead_of and token.until - self.margin > self.clock.now()

    def _wait(self, asked: list[float]) -> list[float]:
        calls, seconds = self.limit
        recent = [at for at in asked if at > self.clock.now() - seconds]
        if len(recent) >= calls:
            pause = recent[-calls] + seconds - self.clock.now()
            if pause > _LONGEST_WAIT:
                raise FetchError(
                    f"{calls} tokens were asked for in {seconds:g} seconds; the vendor allows no more",
                    where=str(self.path),
                    mend=f"run it again in {pause:.0f} seconds; nothing else should ask with the same credentials",
                )
            self.clock.sleep(max(0.0, pause))
        return recent

    def _load(self) -> tuple[Token | None, list[float]]:
        try:
            said: dict[str, Any] = json.loads(self._seal.decrypt(self.path.read_bytes()))
        except (FileNotFoundError, InvalidToken, ValueError):  # none yet, or the secrets are new
            return None, []
        token = said["token"]
        return Token(**token) if token else None, list(said["asked"])

    def _save(self, token: Token | None, asked: list[float]) -> None:
        kept = {"text": token.text, "until": token.until, "more": token.more} if token else None
        sealed = self._seal.encrypt(json.dumps({"token": kept, "asked": asked[-20:]}).encode())
        draft = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with open(fd, "wb") as out:  # noqa: PTH123 - a descriptor
            out.write(sealed)
        os.replace(draft, self.path)
