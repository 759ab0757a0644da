"""exact_divide against Python's integers, on random numbers and on those that lie at the edges of its two ways."""

from __future__ import annotations

import random
from decimal import Decimal

import duckdb
import jinja2
import pytest

from dealermart.base import REPO

MACROS = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(
    (REPO / "dbt_project" / "macros" / "arithmetic.sql").read_text("utf-8")
)
TEN = 10**10


def half_up(numerator: int, denominator: int, scale: int) -> Decimal:
    """The quotient of two whole numbers of ten decimals, half away from zero, in integers alone."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    whole = (2 * abs(numerator) * 10**scale + abs(denominator)) // (2 * abs(denominator))
    return Decimal(sign * whole).scaleb(-scale)


def pairs(scale: int) -> list[tuple[int, int]]:
    """Numerators and denominators, counted in the tenth decimal."""
    rng = random.Random(f"division {scale}")
    found = [
        (rng.randint(-(10 ** rng.randint(1, 19)), 10 ** rng.randint(1, 19)), rng.randint(1, 10 ** rng.randint(1, 18)))
        for _ in range(1200)
    ]
    for _ in range(1200):  # ties, and one part beside them, with quotients at the bound of the fast way and below
        denominator = 2 * rng.randint(1, 10 ** rng.randint(1, 9))
        quotient = rng.choice([10**15, 10 ** rng.randint(1, 15)]) + rng.randint(-3, 3)
        tie = (2 * quotient + 1) * denominator // 2
        if tie % 10**scale == 0 or scale == 0:
            found.append((tie // 10**scale + rng.randint(-1, 1), denominator))
        found.append((quotient * denominator // 10**scale + rng.randint(-1, 1), denominator))
    # The operands must stay below 10^18 in amount, and the result has 28 digits.
    return [(n, -d if rng.random() < 0.3 else d) for n, d in found if abs(n) // d * 10**scale < 10**27]


@pytest.mark.parametrize("scale", [0, 2, 4, 8])
def test_every_digit_is_that_of_integers(scale: int) -> None:
    chosen = pairs(scale)
    expression = MACROS.module.duckdb__exact_divide("n", "d", scale, 10)  # type: ignore[attr-defined]
    with duckdb.connect() as con:
        con.execute("create table pair (place integer, n decimal(38, 10), d decimal(38, 10))")
        con.executemany(
            "insert into pair values (?, ?, ?)",
            [(place, Decimal(n).scaleb(-10), Decimal(d).scaleb(-10)) for place, (n, d) in enumerate(chosen)],
        )
        found = [value for (value,) in con.execute(f"select {expression} from pair order by place").fetchall()]
    wrong = [
        (n, d, value, half_up(n, d, scale))
        for (n, d), value in zip(chosen, found, strict=True)
        if value != half_up(n, d, scale)
    ]
    assert not wrong, (len(wrong), wrong[:5])
