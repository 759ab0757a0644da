"""The pack of a manager: the own team side by side, what is owed, and each member in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dealermart.review import charts
from dealermart.review.blocks import Block, Charts, Heading, Items, Note, Table, Tiles, measure, number, points, signed
from dealermart.review.labels import label
from dealermart.review.people import People
from dealermart.review.person import PARTS, Reader
from dealermart.review.quarter import LINE, mean
from dealermart.review.tables import Row
from dealermart.review.words import COLUMNS, own, pick, word

# What a manager owes, as columns of mart_review__manager_overdue.
OWED = (
    "ratings_missing",
    "deliveries_overdue",
    "acknowledgements_overdue",
    "appeals_overdue",
    "improvements_overdue",
    "talks_overdue",
)

_STATES = ("self_status", "manager_status", "delivery_status", "acknowledgement_status")

_CHARTED = 60  # members in one chart

_EXTREMES = 2  # criteria named as the highest and the lowest of a member


def blocks_of(people: People, manager_id: str, reader: Reader) -> list[Block]:
    """All that a manager's team pack says; a team of nobody says nothing."""
    return list(_Team(people, manager_id, reader).page())


class _Team:
    def __init__(self, people: People, manager_id: str, reader: Reader) -> None:
        self.people, self.manager, self.reader, self.language = people, manager_id, reader, reader.language
        team = people.team(manager_id)
        self.rows = sorted(
            team, key=lambda row: (row["final_score"] is None, -(row["final_score"] or 0), row["member_id"])
        )

    def page(self) -> Iterator[Block]:
        yield from self.glance()
        yield from self.side_by_side()
        yield from self.owed()
        yield from self.as_rater()
        yield Heading(2, self.say("one_by_one"))
        for row in self.rows:
            yield from self.member(row)

    def say(self, key: str, **given: object) -> str:
        return label(key, self.language, **given)

    def code(self, column: str, value: Any) -> str:
        return "–" if value is None else word(column, value, self.language)

    def own(self, row: Row, name: str) -> str:
        return str(own(row, name, self.language) or "")

    def head(self, *names: str) -> list[str]:
        return [pick(COLUMNS[name], self.language) for name in names]

    def glance(self) -> Iterator[Block]:
        rated = [row for row in self.rows if row["status"] == "rated"]
        average = mean(row["final_score"] for row in rated)
        yield Tiles([
            (self.say("team_size"), str(len(self.rows)), ""),
            (self.say("rated"), str(len(rated)), ""),
            (self.say("not_rated"), str(len(self.rows) - len(rated)), ""),
            (self.say("mean_final"), points(average), self.say("of_hundred")),
        ])  # fmt: skip
        boss = self.people.results.get(self.manager)
        yield Note(self.say("team_note", name=boss["member_name"] if boss else self.manager))

    def side_by_side(self) -> Iterator[Block]:
        yield Heading(2, self.say("team"))
        bars = [
            charts.Bar(str(row["member_name"]), number(row["final_score"]), self.code("status", row["status"]))
            for row in self.rows[:_CHARTED]
        ]
        told = self.say("team_scores")
        yield Charts([(told, charts.bars("team", told, bars))], is_wide=True)
        head = self.head("member_name", "role", "final_score", "final_rating_name", "change_points")
        head += [*self.head(*(f"{part}_score" for part in PARTS)), *self.head("missing_parts")]
        rows = [self.line(row) for row in self.rows]
        numbers = {2, 4, *range(5, 5 + len(PARTS))}
        if self.reader.pay:
            numbers.add(len(head))
            head.append(self.say("pay"))
        yield Table(head, rows, frozenset(numbers))
        counts = Counter(
            (row["final_rating_no"], self.own(row, "final_rating_name")) for row in self.rows if row["final_rating"]
        )
        if counts:
            yield Heading(3, self.say("by_rating"))
            yield Items([f"{name}: {count}" for (_, name), count in sorted(counts.items())])

    def line(self, row: Row) -> list[str]:
        missing = [part.strip() for part in (row["missing_parts"] or "").split(",") if part.strip()]
        told = [
            str(row["member_name"]),
            self.code("role", row["role"]),
            points(row["final_score"]),
            self.own(row, "final_rating_name") or self.code("status", row["status"]),
            signed(row["change_points"]),
            *(points(row[f"{part}_score"]) for part in PARTS),
            ", ".join(word("part", part, self.language) for part in missing),
        ]
        return [*told, self.paid(row["member_id"])] if self.reader.pay else told

    def paid(self, member_id: str) -> str:
        sums: Counter[str] = Counter()
        for row in self.people.of("mart_incentive__statement", member_id):
            sums[row["currency_code"]] += row["amount"] or 0
        return ", ".join(measure(amount, "currency", currency) for currency, amount in sorted(sums.items())) or "–"

    def owed(self) -> Iterator[Block]:
        yield Heading(2, self.say("owed"))
        owed = self.people.quarter.rows["mart_review__manager_overdue"]
        rows = [row for row in owed if row["manager_id"] == self.manager]
        told = [f"{pick(COLUMNS[kind], self.language)}: {row[kind]}" for row in rows for kind in OWED if row[kind]]
        yield Items(told) if told else Note(self.say("nothing_owed"), "plain")

    def as_rater(self) -> Iterator[Block]:
        for row in self.people.quarter.rows["mart_review__rater"]:
            if (row["rater_type"], row["rater_id"]) != ("manager", self.manager) or row["leniency_points"] is None:
                continue
            yield Heading(3, self.say("as_rater"), self.code("status", row["status"]))
            told = {
                "mean": points(row["mean_score"]),
                "others": points(row["others_mean_score"]),
                "points": signed(row["leniency_points"]),
                "low": signed(row["leniency_ci_low"]),
                "high": signed(row["leniency_ci_high"]),
            }
            yield Note(self.say("as_rater_line", **told), "plain")
            yield Note(self.own(row, "reason"))

    def member(self, row: Row) -> Iterator[Block]:
        member_id = row["member_id"]
        score = self.code("status", row["status"])
        if row["final_score"] is not None:
            score = f"{points(row['final_score'])}, {self.own(row, 'final_rating_name')}"
        yield Heading(3, f"{row['member_name']} ({self.code('role', row['role'])})", score)
        told = [f"{self.say('why_not')}: {self.own(row, 'reason')}"] if row["status"] != "rated" else []
        told += self.extremes(member_id)
        for line in self.people.of("mart_review__timeline", member_id):
            states = (f"{pick(COLUMNS[name], self.language)}: {self.code(name, line[name])}" for name in _STATES)
            told.append(" · ".join(states))
        for line in self.people.of("mart_review__career", member_id):
            lacking = self.own(line, "missing")
            status = self.code("status", line["status"])
            told.append(f"{self.say('career')}: {status}{f' ({lacking})' if lacking else ''}")
        for line in self.people.of("mart_review__appeal", member_id):
            states = (self.code(name, line[name]) for name in ("status", "outcome"))
            told.append(f"{self.say('appeals')}: {', '.join((self.own(line, 'criterion_name') or '–', *states))}")
        for line in self.people.of("mart_review__follow_up", member_id):
            told.append(f"{self.code('kind', line['kind'])}: {line['text']} ({self.code('status', line['status'])})")
        yield Items(told)

    def extremes(self, member_id: str) -> list[str]:
        """The criteria with the highest and the lowest scores, where there are enough of them."""
        lines = (line for line in self.people.of(LINE, member_id) if line["is_scored"])
        scored = sorted(lines, key=lambda line: -line["final_score"])
        if len(scored) < 2 * _EXTREMES:
            return []
        told = []
        for key, some in (("strong", scored[:_EXTREMES]), ("weak", scored[-_EXTREMES:])):
            names = (
                f"{self.own(line, 'criterion_name')} ({word('part', line['part'], self.language)})" for line in some
            )
            scores = (points(line["final_score"]) for line in some)
            named = ", ".join(f"{name} {score}" for name, score in zip(names, scores, strict=True))
            told.append(f"{self.say(key)}: {named}")
        return told
