"""What is hidden cannot be reckoned back: every sum and difference of what is left is tried."""

from __future__ import annotations

import random
from collections import defaultdict
from fractions import Fraction

import pytest

from dealermart.publish.suppression import Sums, hidden, periods_of

SMALLEST = 5
QUARTERS = {f"Q{q}": [f"M{3 * q - 2}", f"M{3 * q - 1}", f"M{3 * q}"] for q in range(1, 5)}


def year() -> list[tuple[str, str, str, str]]:
    rows = [("Y", "year", "", "Y")]
    for quarter, months in QUARTERS.items():
        rows.append((quarter, "quarter", quarter, "Y"))
        rows += [(month, "month", quarter, "Y") for month in months]
    return rows


def equations(cells, parents):
    """All sums that hold between values: each as (whole, parts), written down apart from the program."""
    found = []
    subjects = {subject for subject, _ in cells}
    for subject in subjects:
        found.append(((subject, "Y"), [(subject, quarter) for quarter in QUARTERS]))
        found += [((subject, quarter), [(subject, month) for month in months]) for quarter, months in QUARTERS.items()]
    for period in {period for _, period in cells}:
        by_whole = defaultdict(list)
        for subject in subjects:
            if subject[0] != "company":
                by_whole["company", "all", subject[0]].append(subject)
                for parent in parents.get(subject, ()):
                    by_whole[(*parent, subject[0])].append(subject)
        for (kind, name, _), parts in by_whole.items():
            found.append((((kind, name), period), [(part, period) for part in parts]))
    return found


def reckoned_back(cells, parents, out):
    """The hidden values that follow from all sums at once, by elimination over fractions."""
    unknown = {cell: number for number, cell in enumerate(sorted(out))}
    rows = []
    for whole, parts in equations(cells, parents):
        row = defaultdict(Fraction)
        for cell, sign in [(whole, -1), *((part, 1) for part in parts)]:
            if cell in unknown:
                row[unknown[cell]] += sign
        rows.append({column: value for column, value in row.items() if value})
    done = {}
    for row in rows:
        for pivot in list(row):
            if pivot in done and pivot in row:
                factor = row[pivot]
                for column, value in done[pivot].items():
                    row[column] = row.get(column, 0) - factor * value
                    if not row[column]:
                        del row[column]
        if not row:
            continue
        pivot = min(row)
        row = {column: value / row[pivot] for column, value in row.items()}
        for other in done.values():
            if pivot in other:
                factor = other[pivot]
                for column, value in row.items():
                    other[column] = other.get(column, 0) - factor * value
                    if not other[column]:
                        del other[column]
        done[pivot] = row
    names = {number: cell for cell, number in unknown.items()}
    return {names[pivot] for pivot, row in done.items() if len(row) == 1}


def company(seed: int, busy: int):
    """Answers of members in teams and of the regions in which these work, at random."""
    rng = random.Random(seed)
    teams = [f"T{number}" for number in range(rng.randint(2, 4))]
    regions = [f"R{number}" for number in range(rng.randint(2, 3))]
    parents, counts = {}, defaultdict(int)
    for number in range(rng.randint(4, 9)):
        member, team, region = ("member", f"M{number}"), rng.choice(teams), rng.choice(regions)
        parents[member] = (("team", team), ("region", region))
        for quarter, months in QUARTERS.items():
            for month in months:
                size = rng.choice([0, 0, 1, 2, busy, busy * 2])
                for subject in (member, ("team", team), ("region", region), ("company", "all")):
                    for period in (month, quarter, "Y"):
                        counts[subject, period] += size
    return {cell: size for cell, size in counts.items() if size}, parents


def hide(cells, parents):
    sums = Sums(periods_of(year()), {(s, p): whole for s, whole in parents.items() for p, *_ in year()})
    return hidden(cells, SMALLEST, sums)


@pytest.mark.parametrize("busy", [3, 6, 20])
@pytest.mark.parametrize("seed", range(12))
def test_no_hidden_value_follows_from_the_sums_of_all_that_is_shown(seed: int, busy: int) -> None:
    cells, parents = company(seed, busy)
    out = hide(cells, parents)
    assert {cell for cell, size in cells.items() if size < SMALLEST} <= out
    assert reckoned_back(cells, parents, out) == set()


def test_the_attack_itself_finds_what_is_hidden_without_more() -> None:
    cells, parents = company(1, 20)
    small = {cell for cell, size in cells.items() if size < SMALLEST}
    assert reckoned_back(cells, parents, small), "a test whose attack never succeeds proves nothing"


def test_of_two_teams_the_large_one_is_hidden_with_the_small_one() -> None:
    cells = {(subject, "Y"): size for subject, size in
             {("company", "all"): 43, ("team", "A"): 3, ("team", "B"): 10, ("team", "C"): 30}.items()}  # fmt: skip
    assert hide(cells, {}) == {(("team", "A"), "Y"), (("team", "B"), "Y")}


def test_two_small_ones_that_are_small_together_take_a_third() -> None:
    sizes = {("company", "all"): 43, ("team", "A"): 2, ("team", "B"): 1, ("team", "C"): 12, ("team", "D"): 28}
    assert {subject[1] for subject, _ in hide({(s, "Y"): n for s, n in sizes.items()}, {})} == {"A", "B", "C"}


def test_with_a_small_month_all_months_of_its_quarter_are_hidden_and_the_quarter_stays() -> None:
    team = ("team", "A")
    cells = {(team, "M1"): 9, (team, "M2"): 2, (team, "M3"): 9, (team, "M4"): 9, (team, "M5"): 9, (team, "M6"): 9,
             (team, "Q1"): 20, (team, "Q2"): 27, (team, "Y"): 47}  # fmt: skip
    assert hide(cells, {}) == {(team, "M1"), (team, "M2"), (team, "M3")}


def test_what_is_stated_at_the_end_of_a_period_is_hidden_for_the_whole_year() -> None:
    team = ("team", "A")
    cells = {(team, "M2"): 9, (team, "M3"): 4, (team, "Q1"): 9, (team, "Y"): 9}
    sums = Sums(periods_of(year()))
    assert hidden(cells, SMALLEST, sums, whole_years=True) == set(cells)
