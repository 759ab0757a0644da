"""Overrides: a person takes a file that a rule refuses. The rule, who and why stand in the decision log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dealermart.base import UsageError


@dataclass(frozen=True)
class Override:
    """One rule that does not refuse the files of a run, or those of them that ``file`` (a name or pattern) takes."""

    rule: str
    by: str
    reason: str
    file: str = "*"


def check_overrides(overrides: Sequence[Override], rules: Collection[str]) -> None:
    """Refuse overrides that would do nothing or say too little.

    Raises:
        UsageError: a rule that refuses no file, or no name or reason.
    """
    for override in overrides:
        if override.rule not in rules:
            raise UsageError(
                f"no rule {override.rule!r} refuses files of this source",
                where="--override",
                mend=f"one of: {', '.join(sorted(rules))}",
            )
        if not override.by.strip() or not override.reason.strip():
            raise UsageError(
                f"the override of {override.rule} has no name or no reason",
                where="--override",
                mend="say who decides and why: --by NAME --reason TEXT; the decision log keeps both",
            )


class Refusals:
    """Why files of a run are refused, less what a person has overridden.

    Attributes:
        used: The overrides that let a file pass, for the decision log: rule, by, reason, delivery_id, file.
    """

    def __init__(self, overrides: Sequence[Override] = ()) -> None:
        self._overrides = overrides
        self._found: dict[str, list[str]] = {}
        self.used: list[dict[str, Any]] = []

    def add(self, rule: str, delivery_id: str, source_file: str, what: str, mend: str, is_offered: bool = True) -> None:
        """Refuse a file, unless somebody has decided otherwise.

        Args:
            is_offered: Whether the message offers to take the file all the same. Where rows would then be wrong in
                silence it does not.
        """
        for override in self._overrides:
            if override.rule == rule and fnmatchcase(source_file, override.file):
                decided = {"rule": rule, "by": override.by, "reason": override.reason}
                self.used.append({**decided, "delivery_id": delivery_id, "file": source_file})
                return
        if is_offered:
            mend += f"; to take it as it is: --override {rule} --file '{source_file}' --by NAME --reason TEXT"
        self._found.setdefault(delivery_id, []).append(f"{what}\n  mend: {mend}")

    @property
    def errors(self) -> dict[str, str]:
        """Per refused delivery everything that is wrong with it."""
        return {delivery_id: "\n".join(texts) for delivery_id, texts in self._found.items()}
