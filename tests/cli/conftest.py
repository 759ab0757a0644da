"""The hand-made company's warehouse, which the tests of dbt build too: once for all."""

from __future__ import annotations

from tests.dbt.conftest import built

__all__ = ["built"]
