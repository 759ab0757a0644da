"""The watermark of the warehouse: what the last build held, and what one that was cut off began."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dealermart.base import Settings, write_json


@dataclass
class State:
    """The watermark, in a file beside the warehouse. It moves after full success only.

    ``done`` describes the last build that ended well, ``attempt`` one that was started after it and is not known to
    have ended: the warehouse may hold parts of it, which the next build redoes.
    """

    done: dict[str, Any] | None
    attempt: dict[str, Any] | None

    @staticmethod
    def path(settings: Settings) -> Path:
        return settings.warehouse.with_suffix(".state.json")

    @classmethod
    def read(cls, settings: Settings) -> State:
        try:
            data = json.loads(cls.path(settings).read_text("utf-8"))
        except FileNotFoundError:
            return cls(None, None)
        except ValueError:  # the warehouse can be built anew, so what it holds need not be known
            return cls(None, None)
        return cls(data["done"], data["attempt"])

    def base(self, wanted: dict[str, Any], settings: Settings) -> dict[str, Any] | None:
        """The build to go on from, or None where only a full one is right."""
        done = self.done
        if done is None or not settings.warehouse.exists():
            return None
        if (
            done["hashes"] != wanted["hashes"]
            or done["period_end"] > wanted["period_end"]
            or done["seq"] > wanted["seq"]
            or done["as_of"] > wanted["as_of"]
        ):
            return None
        # What a cut-off attempt wrote is redone only if this build redoes the same months.
        if self.attempt and (
            self.attempt["hashes"] != wanted["hashes"]
            or self.attempt["seq"] > wanted["seq"]
            or self.attempt["period_end"] > wanted["period_end"]
            or "from" not in self.attempt
        ):
            return None
        return done

    def start(self, settings: Settings, attempt: dict[str, Any]) -> None:
        self._write(settings, self.done, attempt)

    def finish(self, settings: Settings, done: dict[str, Any]) -> None:
        self._write(settings, done, None)

    def _write(self, settings: Settings, done: dict[str, Any] | None, attempt: dict[str, Any] | None) -> None:
        write_json(self.path(settings), {"done": done, "attempt": attempt})
        self.done, self.attempt = done, attempt


def code_hash(settings: Settings) -> str:
    """Changes with any file of the dbt project that decides what is built."""
    digest = hashlib.sha256()
    for folder in ("models", "macros", "seeds"):
        for path in sorted((settings.dbt_project / folder).rglob("*")):
            if path.suffix in (".sql", ".yml", ".csv"):
                digest.update(
                    path.relative_to(settings.dbt_project).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
                )
    digest.update((settings.dbt_project / "dbt_project.yml").read_bytes())
    return digest.hexdigest()
