"""Suites written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a suite named batch and return its path."""

    def write(*rules: Any, **extra: Any) -> Path:
        path = tmp_path / "batch.json"
        path.write_text(json.dumps({"name": "batch", "expectations": list(rules), **extra}, indent=1), "utf-8")
        return path

    return write
