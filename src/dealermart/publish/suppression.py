"""Which values of KPIs are too small to be shown, and which more are hidden so that no sum gives them away.

A value is small where it rests on fewer people or answers than ``min_group_size``. Around it two kinds of sums hold, by
which it could be reckoned back: over time (a quarter is its months, a year its quarters), and over subjects (the
company is its regions, teams, members, dealers; a region its dealers, members and teams; a team its members). So:

- Over time whole sets are hidden: with a month all months of its quarter, with a quarter all quarters of its year and
  their months. What is left visible of a subject is a set whose groups are all large enough.
- Over subjects, of what one sum holds at least two are hidden, together not fewer than ``min_group_size``.
- Linear algebra over all sums of a year, of both kinds, finds what still follows from them. Then the next smallest
  value that stands in a sum with it is hidden too.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

Subject = tuple[str, str]  # type and id
Cell = tuple[Subject, str]  # subject and period
COMPANY = "company"
_ZERO = 1e-9
_LEVELS = ("year", "quarter", "month")


class Period(NamedTuple):
    """A fiscal period: its kind, and the set in which its values are hidden together."""

    kind: str
    block: str
    quarter: str
    year: str


@dataclass(frozen=True)
class Sums:
    """What adds up to what.

    Attributes:
        periods: By id.
        parents: Of a subject at a period's end, the subjects it is a part of, beside the company.
    """

    periods: dict[str, Period]
    parents: dict[tuple[Subject, str], tuple[Subject, ...]] = field(default_factory=dict)

    def whole(self, subject: Subject, period: str) -> tuple[Subject, ...]:
        """What a subject is a part of."""
        return self.parents.get((subject, period), ())


def periods_of(rows: Iterable[tuple[str, str, str, str]]) -> dict[str, Period]:
    """Periods from their id, kind, and the ids of the quarter and year they lie in."""
    return {
        name: Period(kind, {"month": quarter, "quarter": year, "year": year}[kind], quarter, year)
        for name, kind, quarter, year in rows
    }


def hidden(
    sizes: dict[Cell, int],
    smallest: int,
    sums: Sums,
    whole_years: bool = False,
    counts: dict[Cell, int] | None = None,
) -> set[Cell]:
    """The values of one KPI that are not shown.

    Args:
        sizes: People or answers behind each value; what rests on none says nothing and is left out.
        smallest: Groups of fewer are hidden.
        whole_years: Of a KPI that is stated at the end of a period: then the last month is the quarter, and all values
            of a year are hidden together.
        counts: How many things each value counts, where that is not the size: a sum holds where these add up.
    """
    counts = counts or sizes
    # No sum reaches from one year into another.
    years: dict[str, dict[Cell, int]] = defaultdict(dict)
    for cell, size in sizes.items():
        if size > 0:
            years[sums.periods[cell[1]].year][cell] = size
    return set().union(*(_Hiding(year, counts, smallest, sums, whole_years).run() for year in years.values()))


class _Hiding:
    """Hides sets (subject, level, block) until nothing follows from what is left."""

    def __init__(
        self, sizes: dict[Cell, int], counts: dict[Cell, int], smallest: int, sums: Sums, whole_years: bool
    ) -> None:
        self.sizes, self.counts, self.smallest, self.sums, self.whole_years = sizes, counts, smallest, sums, whole_years
        self.cells: dict[tuple[Subject, str, str], list[str]] = defaultdict(list)  # periods of a set
        self.subjects: dict[str, set[Subject]] = defaultdict(set)  # with any value in the period
        for subject, name in sizes:
            self.cells[self._key(subject, name)].append(name)
            self.subjects[name].add(subject)
        self.sets: set[tuple[Subject, str, str]] = set()
        self.over_subjects = {name: list(self._sums_over_subjects(name)) for name in self.subjects}
        self.part_of: dict[Cell, list[int]] = defaultdict(list)
        self.made_of: dict[Cell, list[int]] = defaultdict(list)
        row = 0
        for name, found in self.over_subjects.items():
            for whole, parts in found:
                self.made_of[whole, name].append(row)
                for part in parts:
                    self.part_of[part, name].append(row)
                row += 1
        self.row_count = row

    def run(self) -> set[Cell]:
        for (subject, name), size in self.sizes.items():
            if size < self.smallest:
                self._hide(subject, name)
        while self._over_time() or self._over_subjects() or self._over_both():
            pass
        return {(key[0], name) for key in self.sets for name in self.cells[key]}

    def _key(self, subject: Subject, name: str) -> tuple[Subject, str, str]:
        period = self.sums.periods[name]
        return (subject, "year", period.year) if self.whole_years else (subject, period.kind, period.block)

    def _hide(self, subject: Subject, name: str) -> bool:
        key = self._key(subject, name)
        if key in self.sets:
            return False
        self.sets.add(key)
        return True

    def is_hidden(self, subject: Subject, name: str) -> bool:
        return self._key(subject, name) in self.sets

    # ---- over time ----------------------------------------------------------------------------------------------

    def _over_time(self) -> bool:
        """With a whole its parts; with a part that is alone its whole."""
        if self.whole_years:
            return False
        changed = False
        for subject, name in self.sizes:
            period = self.sums.periods[name]
            above = {"month": period.quarter, "quarter": period.year}.get(period.kind)
            if above is None or (subject, above) not in self.sizes:
                continue
            if self.is_hidden(subject, above):
                changed |= self._hide(subject, name)
            elif self.is_hidden(subject, name) and self._is_alone(subject, name, above):
                changed |= self._hide(subject, above)
        return changed

    def _is_alone(self, subject: Subject, name: str, above: str) -> bool:
        """Whether what lies above has no other part, or the size of this one is its own."""
        siblings = self.cells[self._key(subject, name)]
        return len([other for other in siblings if self._above(other) == above]) < 2

    def _above(self, name: str) -> str:
        period = self.sums.periods[name]
        return period.quarter if period.kind == "month" else period.year

    # ---- over subjects ------------------------------------------------------------------------------------------

    def _over_subjects(self) -> bool:
        changed = False
        for name in sorted(self.subjects, key=lambda name: (_LEVELS.index(self.sums.periods[name].kind), name)):
            while self._mend(name):
                changed = True
        return changed

    def _sums_over_subjects(self, name: str) -> Iterator[tuple[Subject, list[Subject]]]:
        """The sums of a period: what they come to, and what is in them.

        Only those that hold: where something belongs to no team, the teams are not the company, and nothing follows.
        """
        known = self.subjects[name]
        parts: dict[tuple[Subject, str], list[Subject]] = defaultdict(list)
        for subject in sorted(known):
            if subject[0] != COMPANY:
                companies = [whole for whole in known if whole[0] == COMPANY]
                for whole in (*companies, *self.sums.whole(subject, name)):
                    if whole in known:
                        parts[whole, subject[0]].append(subject)
        for whole in sorted({whole for whole, _ in parts}):
            both = parts.get((whole, "member"), []) + parts.get((whole, "dealer"), [])
            for found in (*(parts[key] for key in sorted(parts) if key[0] == whole), both):
                if sum(self.counts[part, name] for part in found) == self.counts[whole, name]:
                    yield whole, found

    def _mend(self, name: str) -> bool:
        """Hide one more where a sum of the period gives something away; returns whether it did."""
        for whole, parts in self.over_subjects[name]:
            out = [part for part in parts if self.is_hidden(part, name)]
            left = [part for part in parts if not self.is_hidden(part, name)]
            if self.is_hidden(whole, name):
                if not out and left:  # all parts are shown: together they are the whole
                    return self._hide(min(left, key=lambda part: (self.sizes[part, name], part)), name)
            elif out and (len(out) < 2 or sum(self.sizes[part, name] for part in out) < self.smallest):
                return self._hide_one_more(left, whole, name)
        return False

    def _hide_one_more(self, left: list[Subject], whole: Subject, name: str) -> bool:
        if left:
            return self._hide(min(left, key=lambda part: (self.sizes[part, name], part)), name)
        return self._hide(whole, name)

    # ---- over both ----------------------------------------------------------------------------------------------

    def _over_both(self) -> bool:
        """Hide one more for what follows from the sums over time and over subjects together."""
        # All at once: a value that another one's shield covers too may get one more than it needs.
        changed = False
        for subject, name in self._determined(sorted(self.subjects)):
            changed |= self._shield(subject, name)
        return changed

    def _shield(self, subject: Subject, name: str) -> bool:
        """Hide the smallest value that stands in a sum with this one, else any of the period, or what lies above it."""
        for whole, parts in self.over_subjects[name]:
            if subject == whole or subject in parts:
                left = [part for part in parts if not self.is_hidden(part, name)]
                # One that has values in the other periods of the set too hides them all at once.
                left = [part for part in left if len(self.cells[self._key(part, name)]) > 1] or left
                if (left or not self.is_hidden(whole, name)) and self._hide_one_more(left, whole, name):
                    return True
        shown = [other for other in self.subjects[name] if not self.is_hidden(other, name)]
        if shown:  # what gives it away stands in no sum with itself, but with its parts
            return self._hide(min(shown, key=lambda other: (other[0] == COMPANY, self.sizes[other, name], other)), name)
        above = self._above(name)
        return (subject, above) in self.sizes and self._hide(subject, above)

    def _determined(self, names: list[str]) -> list[Cell]:
        """The hidden values of a year that all its sums together determine.

        What the sums over time leave open of a subject are a few free numbers; the sums over subjects are equations of
        these. A value is determined where its part of them lies in what the equations span.
        """
        found: list[Cell] = []
        alike: dict[tuple[object, ...], list[tuple[Subject, list[str]]]] = defaultdict(list)
        for subject in sorted({subject for name in names for subject in self.subjects[name]}):
            own = [name for name in names if (subject, name) in self.sizes]
            out = [name for name in own if self.is_hidden(subject, name)]
            if out:
                # Of two subjects that are alike, what the one has more the other can have less: nothing follows.
                place = tuple(tuple(self.part_of[subject, name]) for name in out)
                is_whole = any(self.made_of[subject, name] for name in out)
                alike[subject if is_whole else None, place, tuple(own), tuple(out)].append((subject, out))
        columns: list[dict[int, float]] = []
        asked: list[tuple[Cell, dict[int, float]]] = []
        for group in alike.values():
            subject, out = group[0]
            own = [name for name in names if (subject, name) in self.sizes]
            basis = _open(tuple(self._sums_over_time(subject, own)), tuple(out))
            first = len(columns)
            for vector in basis:
                column: dict[int, float] = defaultdict(float)
                for name, value in vector.items():
                    for row in self.part_of[subject, name]:
                        column[row] += value
                    for row in self.made_of[subject, name]:
                        column[row] -= value
                columns.append(dict(column))
            for name in out:
                part = {first + number: vector[name] for number, vector in enumerate(basis) if name in vector}
                if not part:
                    found += [(member, name) for member, _ in group]
                elif len(group) == 1:
                    asked.append(((subject, name), part))
        return found + _spanned(self.row_count, columns, asked)

    def _sums_over_time(self, subject: Subject, own: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """A subject's sums over time in a year: a period, and those it is made of."""
        for above in own:
            parts = [name for name in own if name != above and self._above(name) == above]
            if parts and self.whole_years:
                yield above, (parts[-1],)
            elif parts and sum(self.counts[subject, name] for name in parts) == self.counts[subject, above]:
                yield above, tuple(parts)


@functools.cache
def _open(equations: tuple[tuple[str, tuple[str, ...]], ...], out: tuple[str, ...]) -> tuple[dict[str, float], ...]:
    """A basis of what the sums over time leave open of the hidden values."""
    rows: dict[str, dict[str, Fraction]] = {}
    for above, parts in equations:
        row = {name: Fraction(-1 if name == above else 1) for name in (above, *parts) if name in out}
        for pivot in [name for name in row if name in rows]:
            _subtract(row, rows[pivot], row[pivot])
        if not row:
            continue
        pivot = min(row)
        row = {name: value / row[pivot] for name, value in row.items()}
        for other in rows.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        rows[pivot] = row
    basis = []
    for free in (name for name in out if name not in rows):
        vector = {pivot: float(-row[free]) for pivot, row in rows.items() if free in row}
        basis.append({free: 1.0, **vector})
    return tuple(basis)


def _subtract(row: dict[str, Fraction], other: dict[str, Fraction], factor: Fraction) -> None:
    for name, value in other.items():
        left = row.get(name, Fraction(0)) - factor * value
        if left:
            row[name] = left
        else:
            row.pop(name, None)


def _spanned(height: int, columns: list[dict[int, float]], asked: list[tuple[Cell, dict[int, float]]]) -> list[Cell]:
    """Those of ``asked`` whose combination of free numbers lies in the span of the equations.

    Args:
        height: Number of equations.
        columns: Of each free number, its coefficient in each equation.
        asked: Values as combinations of free numbers.
    """
    if not asked or not height:
        return []
    used = {row: number for number, row in enumerate(sorted({row for column in columns for row in column}))}
    matrix = np.zeros((len(used), len(columns)))
    for number, column in enumerate(columns):
        for row, value in column.items():
            matrix[used[row], number] = value
    sizes, vectors = np.linalg.eigh(matrix @ matrix.T)
    kept = sizes > _ZERO * max(1.0, float(sizes[-1]))
    span = (vectors[:, kept] / np.sqrt(sizes[kept])).T @ matrix  # its rows are of length 1 and at right angles
    found = []
    for cell, part in asked:
        within = sum(value * span[:, number] for number, value in part.items())
        length = sum(value * value for value in part.values())
        if length - float(np.square(within).sum()) < _ZERO * length:
            found.append(cell)
    return found
