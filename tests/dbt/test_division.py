"""What divides and rounds in the models against Python's integers, on random numbers and at the edges of its ways."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import duckdb
import jinja2
import pytest

from dealermart.base import REPO

FILES = [REPO / "dbt_project" / "macros" / name for name in ("arithmetic.sql", "incentive.sql")]
MACROS = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string("\n".join(f.read_text("utf-8") for f in FILES))


class Adapter:
    """As dbt's: hands on to what DuckDB has of its own."""

    def dispatch(self, name: str, package: str) -> Any:
        return getattr(MODULE, f"duckdb__{name}")


MODULE: Any = MACROS.make_module({"adapter": Adapter(), "return": lambda text: text})
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
    expression = MODULE.duckdb__exact_divide("n", "d", scale, 10)
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


def numbers(rng: random.Random, scale: int, most: int) -> int:
    """A whole number of ``scale`` decimals below 10^``most``, of any size, half of them with two decimals or none."""
    size = 10 ** rng.randint(0, most)
    whole = rng.randint(-size * 10**scale, size * 10**scale)
    return whole if rng.random() < 0.5 else whole // 10**scale * 10**scale + rng.choice([0, 25, 50]) * 10 ** (scale - 2)


def asked(expression: str, rows: list[tuple[int, ...]], scales: tuple[int, ...]) -> list[Decimal | None]:
    """The expression over columns a, b, c of these scales."""
    columns = ", ".join(f"{name} decimal(28, {scale})" for name, scale in zip("abc", scales, strict=False))
    with duckdb.connect() as con:
        con.execute(f"create table given (place integer, {columns})")
        con.executemany(
            f"insert into given values ({', '.join('?' * (len(scales) + 1))})",
            [
                [place, *(Decimal(n).scaleb(-s) for n, s in zip(row, scales, strict=True))]
                for place, row in enumerate(rows)
            ],
        )
        return [value for (value,) in con.execute(f"select {expression} from given order by place").fetchall()]


@pytest.mark.parametrize(("scales", "scale"), [((8, 10), 8), ((10, 8), 10), ((8, 8), 10)])
def test_a_product_is_rounded_as_integers_are(scales: tuple[int, int], scale: int) -> None:
    rng = random.Random(f"product {scales}")
    rows = [(numbers(rng, scales[0], 9), numbers(rng, scales[1], 6)) for _ in range(1500)]
    # Ties: an odd number of halves of the last unit.
    half = 5 * 10 ** (sum(scales) - scale - 1)
    rows += [(rng.choice([-1, 1]) * (2 * rng.randint(0, 10 ** rng.randint(1, 9)) + 1), half) for _ in range(1500)]
    rows = [row for row in rows if abs(row[0] * row[1]) < 10 ** (sum(scales) + 17)]
    found = asked(MODULE.rounded_product("a", scales[0], "b", scales[1], scale), rows, scales)
    wanted = [half_up(a * b, 10 ** sum(scales), scale) for a, b in rows]
    assert [(row, got, want) for row, got, want in zip(rows, found, wanted, strict=True) if got != want][:5] == []


def test_a_part_is_rounded_as_integers_are() -> None:
    rng = random.Random("part")
    rows = [(numbers(rng, 10, 8), numbers(rng, 8, 7), numbers(rng, 8, 8)) for _ in range(2500)]
    for _ in range(1500):  # ties: by a power of two
        base = rng.choice([2, 4, 8, 1024]) * rng.choice([-1, 1]) * 10**8
        rows.append((rng.randint(-(10**7), 10**7), rng.randint(-50, 50) * 10**8, base))
    # The wide way rounds the product to ten decimals first, so what is looked at is what the fast way takes.
    rows = [(a, b, c) for a, b, c in rows if c == 0 or abs(a * b) < abs(c) * 10**18]
    found = asked(MODULE.part_of("a", "b", "c"), rows, (10, 8, 8))
    wanted = [None if c == 0 else half_up(a * b, c * 10**10, 10) for a, b, c in rows]
    assert [(row, got, want) for row, got, want in zip(rows, found, wanted, strict=True) if got != want][:5] == []


def test_beyond_64_bits_it_is_the_other_way_that_answers() -> None:
    large = 123_456_789_012 * 10**10
    assert asked(MODULE.part_of("a", "b", "c"), [(large, 10**8, 4 * 10**8)], (10, 8, 8)) == [Decimal("30864197253")]
    assert asked(MODULE.rounded_product("a", 8, "b", 10, 8), [(large // 100, 5 * 10**9)], (8, 10)) == [
        Decimal("61728394506")
    ]
