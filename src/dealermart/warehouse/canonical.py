"""Hashes of what config files say, whatever their layout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


def model_hash(model: BaseModel) -> str:
    """Hash of what a file says (sha256, 64 hex digits); its comments and layout do not count."""
    return digest(model.model_dump(mode="python"))


def digest(content: Sequence[Any] | dict[str, Any]) -> str:
    """Hash of nested lists and mappings of numbers, texts and dates (sha256, 64 hex digits).

    Raises:
        TypeError: a value has no canonical text.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=_exact).encode()).hexdigest()


def _exact(value: object) -> str:
    """Text of a value that JSON has no type for; 1.0 and 1.00 are the same number and give the same text."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical text for {type(value).__name__}")
