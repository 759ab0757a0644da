"""The pack of a person: how the score comes about, how it went over time, what was said, what comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dealermart.review import charts
from dealermart.review.blocks import (
    Block,
    Charts,
    Heading,
    Items,
    Note,
    Quote,
    Table,
    Tiles,
    between,
    day,
    measure,
    number,
    plain,
    points,
    signed,
)
from dealermart.review.labels import label
from dealermart.review.people import People
from dealermart.review.quarter import LINE
from dealermart.review.tables import Row
from dealermart.review.words import COLUMNS, Language, own, pick, word

PARTS = ("kpi", "self", "manager", "peers", "dealers")

_FORMS = {"share": "share", "score": "score"}

_TRENDS = 6  # charts of criteria over time


@dataclass(frozen=True)
class Reader:
    """For whom a pack is written.

    Attributes:
        pay: Whether the reader may see what is paid.
        smallest: Ranks are shown among so many people or more: below, they tell of the others.
        appeal_contact, appeal_days: To whom and how long after delivery one may appeal; empty: the pack does not say.
        version: Of the review; empty: it is not frozen.
    """

    language: Language
    pay: bool
    smallest: int
    appeal_contact: str = ""
    appeal_days: int | None = None
    version: str = ""


def blocks_of(people: People, member_id: str, reader: Reader) -> list[Block]:
    """All that a member's pack says."""
    return list(_Person(people, member_id, reader).page())


class _Person:
    def __init__(self, people: People, member_id: str, reader: Reader) -> None:
        self.people, self.member, self.reader, self.language = people, member_id, reader, reader.language
        self.result = people.results[member_id]
        self.lines = list(people.of(LINE, member_id))

    def page(self) -> Iterator[Block]:
        yield from self.glance()
        yield from self.working()
        yield from self.over_time()
        yield from self.targets()
        if self.reader.pay:
            yield from self.pay()
        yield from self.comments()
        yield from self.goals()
        yield from self.career()
        yield from self.follow_up()
        yield from self.appeals()

    # ------------------------------------------------------------------------------------------ words

    def say(self, key: str, **given: object) -> str:
        return label(key, self.language, **given)

    def code(self, column: str, value: Any) -> str:
        return "–" if value is None else word(column, value, self.language)

    def own(self, row: Row, name: str) -> str:
        return str(own(row, name, self.language) or "")

    def head(self, *names: str) -> list[str]:
        return [pick(COLUMNS[name], self.language) for name in names]

    def part(self, part: str) -> str:
        told = word("part", part, self.language)
        return told[:1].upper() + told[1:]

    # ----------------------------------------------------------------------------------------- result

    def glance(self) -> Iterator[Block]:
        row = self.result
        tiles = [(self.say("score"), points(row["final_score"]), self.say("of_hundred"))]
        rating = self.own(row, "final_rating_name") or self.code("status", row["status"])
        tiles.append((self.say("rating"), rating, ""))
        before = row["previous_score"]
        told = f"{row['previous_period_id']}: {points(before)}" if before is not None else self.say("first_quarter")
        tiles.append((self.say("change"), signed(row["change_points"]), told))
        if row["rank_in_role"] and row["ranked_in_role"] >= self.reader.smallest:
            rank = self.say("rank_of", rank=row["rank_in_role"], count=row["ranked_in_role"])
            tiles.append((self.say("rank"), rank, self.code("role", row["role"])))
        yield Tiles(tiles)
        if row["status"] != "rated":
            yield Note(f"{self.say('why_not')}: {self.own(row, 'reason')}", "warn")
        if row["missing_parts"]:
            yield Note(self.say("missing_parts", parts=", ".join(self.part(part) for part in self.missing())), "warn")

    def missing(self) -> list[str]:
        """Parts with a weight that are not there, by code."""
        return [part.strip() for part in self.result["missing_parts"].split(",")]

    # ---------------------------------------------------------------------------------------- working

    def working(self) -> Iterator[Block]:
        if not self.lines:
            return
        yield Heading(2, self.say("working"))
        yield Note(self.say("working_note"))
        weights = {row["part"]: Decimal(row["part_weight_pct"]) for row in self.lines}
        scores = {part: self.result[f"{part}_score"] for part in PARTS if part in weights}
        present = sum((weights[part] for part, score in scores.items() if score is not None), Decimal(0))
        rows, terms = [], []
        for part, score in scores.items():
            weight = weights[part]
            counts = weight > 0 and score is not None
            share = plain((weight / present * 100).quantize(Decimal("0.01"))) if counts else "–"
            if weight == 0:
                share = self.say("shown_only")
            gained = points(weight * Decimal(score) / present) if counts else "–"
            rows.append([self.part(part), points(score), plain(weight), share, gained])
            if counts:
                terms.append(f"{plain(weight)} × {plain(score)}")
        head = [*self.head("part", "score", "part_weight_pct"), self.say("counts"), *self.head("points")]
        total = ["", "", "", "", points(self.result["total_score"])]
        yield Table(head, rows, frozenset({1, 2, 3, 4}), total if self.result["total_score"] is not None else ())
        if self.result["total_score"] is not None:
            told = {"terms": " + ".join(terms), "weight": plain(present), "total": points(self.result["total_score"])}
            yield Note(self.say("working_line", **told), "plain")
        if self.result["is_changed_on_appeal"]:
            yield Note(self.say("on_appeal", score=points(self.result["final_score"])), "plain")
        yield Heading(3, self.say("criteria"))
        parts = [charts.Bar(self.bar_name(row), number(row["score"]), self.say("no_score")) for row in self.lines]
        yield Charts(
            [(self.say("criteria_chart"), charts.bars("c", self.say("criteria_chart"), parts))],
            is_wide=True,
        )
        head = self.head(
            "part",
            "criterion_name",
            "value",
            "target_value",
            "sample_size",
            "interval",
            "weight_pct",
            "score",
            "evidence",
        )
        yield Table(head, [self.line(row) for row in self.lines], frozenset({2, 3, 4, 5, 6, 7}))

    def bar_name(self, row: Row) -> str:
        name = self.own(row, "criterion_name")
        return name if row["part"] == "kpi" else f"{name} · {word('part', row['part'], self.language)}"

    def line(self, row: Row) -> list[str]:
        score = points(row["score"])
        if row["final_score"] is not None and row["final_score"] != row["score"]:
            score = f"{score} → {points(row['final_score'])}"
        told = self.own(row, "evidence") if row["is_scored"] else self.own(row, "reason") or self.own(row, "evidence")
        return [
            self.part(row["part"]), self.own(row, "criterion_name"),
            measure(row["value"], row["unit"], row["currency_code"]),
            measure(row["target_value"], row["unit"], row["currency_code"]), plain(row["sample_size"]), between(row),
            plain(row["weight_pct"]), score, told,
        ]  # fmt: skip

    # --------------------------------------------------------------------------------------- over time

    def over_time(self) -> Iterator[Block]:
        periods = self.people.periods
        past = [self.people.past.get((self.member, period)) for period in periods]
        totals = [number(row["final_score"]) if row else None for row in past]
        drawn: list[tuple[str, str]] = []
        if sum(value is not None for value in totals) > 1:
            drawn.append(
                (self.say("trend_total"), charts.trend("t", self.say("trend_total"), periods, totals, form="score"))
            )
        measured = [row for row in self.lines if row["part"] == "kpi" and row["source"] == "kpi"]
        for place, row in enumerate(sorted(measured, key=lambda line: -line["total_weight_pct"])[:_TRENDS]):
            found = [line for period in periods if (line := self.line_of(period, row["criterion_id"]))]
            by_period = {line["period_id"]: line for line in found}
            values, aims = (
                [number(by_period[period][name]) if period in by_period else None for period in periods]
                for name in ("value", "target_value")
            )
            if sum(value is not None for value in values) < 2:
                continue
            # A quarter that was not measured has no unit either.
            unit, currency = (
                next((line[name] for line in found if line[name]), "") for name in ("unit", "currency_code")
            )
            name = self.own(row, "criterion_name")
            caption = f"{name}（{currency}）" if self.language == "zh" else f"{name} ({currency})"
            chart = charts.trend(f"k{place}", name, periods, values, aims, _FORMS.get(unit, "number"))
            drawn.append((caption if currency else name, chart))
        if drawn:
            yield Heading(2, self.say("trends"))
            yield Note(self.say("trends_note"))
            yield Charts(drawn)

    def line_of(self, period: str, criterion: str) -> Row | None:
        lines = self.people.past_lines.get((self.member, period), ())
        return next((line for line in lines if line["part"] == "kpi" and line["criterion_id"] == criterion), None)

    # ----------------------------------------------------------------------------------- targets, pay

    def targets(self) -> Iterator[Block]:
        rows = [row for row in self.people.targets.get(self.member, ()) if not row["is_next"]]
        if rows:
            yield Heading(2, self.say("targets"))
            yield self.target_table(rows)

    def target_table(self, rows: Sequence[Row]) -> Table:
        head = self.head("kpi_name", "window", "target_value", "actual", "attainment", "reason")
        told = []
        for row in rows:
            kpi = self.people.kpis.get(row["metric"])
            unit = "currency" if row["currency_code"] else kpi["unit"] if kpi else None
            name = self.own(kpi, "kpi_name") if kpi else row["metric"]
            window = f"{day(row['valid_from'])} – {day(row['valid_to'] - dt.timedelta(days=1))}"
            told.append([
                f"{name}, {row['product_category']}" if row["product_category"] else name, window,
                measure(row["target_value_compared"], unit, row["currency_code"]),
                measure(row["actual_value"], unit, row["currency_code"]), measure(row["attainment"], "share"),
                self.why(row),
            ])  # fmt: skip
        return Table(head, told, frozenset({2, 3, 4}))

    def why(self, row: Row) -> str:
        """Why a target has no attainment; the mart says it in English, its status in both languages."""
        if self.language == "en" or row["status"] == "ok":
            return str(row["status_reason"] or "")
        return self.code("status", row["status"])

    def pay(self) -> Iterator[Block]:
        rows = self.people.of("mart_incentive__statement", self.member)
        if not rows:
            return
        yield Heading(2, self.say("pay"))
        yield Note(self.say("pay_note"))
        told = [
            [
                row["plan_id"],
                row["period_id"],
                self.code("status", row["status"]),
                str(row["reason"] or ""),
                measure(row["amount"], "currency", row["currency_code"]),
            ]
            for row in rows
        ]
        yield Table(self.head("plan_id", "period_id", "status", "reason", "amount"), told, frozenset({4}))
        for currency in sorted({row["currency_code"] for row in rows}):
            total = sum(
                (row["amount"] for row in rows if row["currency_code"] == currency and row["amount"] is not None),
                Decimal(0),
            )
            yield Note(f"{self.say('pay_total', currency=currency)}: {points(total)}", "plain")

    # ---------------------------------------------------------------------------------------- comments

    def comments(self) -> Iterator[Block]:
        # Potential is talked over among managers; it is no part of the review.
        rows = [row for row in self.people.of("mart_review__input", self.member) if row["criterion_id"] != "potential"]
        yield Heading(2, self.say("comments"))
        yield Note(self.say("comments_note"))
        # By criterion and text: neither day nor order tells who of the peers it was.
        said = sorted(
            (row for row in rows if row["status"] == "counted" and row["comment"]),
            key=lambda row: (PARTS.index(row["part"]), row["criterion_id"] or "", row["comment"]),
        )
        for row in said:
            named = row["part"] == "manager" and row["rater_name"]
            who = f"{self.part(row['part'])}, {row['rater_name']}" if named else self.part(row["part"])
            yield Quote(who, self.own(row, "criterion_name") or str(row["criterion_id"] or ""), row["comment"])
        if not said:
            yield Note(self.say("no_comments"), "plain")
        for row in rows:  # why the own words, or the manager's, do not count; never those of peers or dealers
            if row["part"] in ("self", "manager") and row["status"] == "refused":
                told = (self.part(row["part"]), self.own(row, "criterion_name"), self.own(row, "reason"))
                yield Note(f"{self.say('not_counted')}: {', '.join(told)}", "warn")

    # ------------------------------------------------------------------------------------- goals, career

    def goals(self) -> Iterator[Block]:
        now = self.people.of("mart_review__goal", self.member)
        if now:
            yield Heading(2, self.say("goals_now", period=self.people.quarter.period_id))
            yield self.goal_table(now)
        if self.people.next_id is None:
            return
        yield Heading(2, self.say("goals_next", period=self.people.next_id))
        following = self.people.next_goals.get(self.member, ())
        targets = [row for row in self.people.targets.get(self.member, ()) if row["is_next"]]
        if following:
            yield self.goal_table(following)
        if targets:
            yield Heading(3, self.say("targets_next"))
            yield self.target_table(targets)
        if not following and not targets:
            yield Note(self.say("no_goals_next"), "plain")

    def goal_table(self, rows: Sequence[Row]) -> Table:
        """Goals with those below them set in; those of a member whose goal above is another's stand at the top."""
        children: dict[str | None, list[Row]] = {}
        here = {row["goal_id"] for row in rows}
        for row in rows:
            parent = row["parent_goal_id"] if row["parent_goal_id"] in here else None
            children.setdefault(parent, []).append(row)
        told: list[list[str]] = []

        def walk(parent: str | None, depth: int) -> None:
            for row in children.get(parent, ()):
                progress = (
                    "–"
                    if row["progress_pct"] is None
                    else f"{plain(Decimal(row['progress_pct']).quantize(Decimal('0.1')))} %"
                )
                told.append(
                    [
                        f"{'– ' * depth}{row['goal_title'] or row['goal_id']}",
                        self.code("status", row["status"]),
                        progress,
                        self.own(row, "reason"),
                    ]
                )
                walk(row["goal_id"], depth + 1)

        walk(None, 0)
        return Table(self.head("goal_title", "status", "progress_pct", "reason"), told, frozenset({2}))

    def career(self) -> Iterator[Block]:
        rows = self.people.of("mart_review__career", self.member)
        if not rows:
            return
        row = rows[0]
        yield Heading(2, self.say("career"), self.code("status", row["status"]))
        if row["grade"]:
            key = "career_line" if row["next_grade"] else "career_top"
            yield Note(
                self.say(key, grade=row["grade"], months=plain(row["months_in_grade"]), next=row["next_grade"]), "plain"
            )
        conditions = self.people.of("mart_review__career_condition", self.member)
        if conditions:
            told = [
                [
                    self.own(line, "condition_text"),
                    plain(line["required_value"]),
                    plain(line["actual_value"]),
                    self.code("status", line["status"]),
                    str(line["proposed_course_name"] or ""),
                ]
                for line in conditions
            ]
            head = [*self.head("condition_text", "required_value", "actual", "status"), self.say("training")]
            yield Table(head, told, frozenset({1, 2}))
        plan = self.people.of("mart_kpi__training_plan", self.member)
        if plan:
            yield Heading(3, self.say("training"))
            told = [
                [
                    self.code("topic", line["topic"]),
                    str(line["proposed_course_name"] or "–"),
                    plain(line["proposed_hours"]),
                    day(line["due_date"]),
                    self.own(line, "reason"),
                ]
                for line in plan
            ]
            yield Table(
                self.head("topic", "proposed_course_name", "proposed_hours", "due_date", "reason"), told, frozenset({2})
            )
        awards = self.people.of("fct_recognition", self.member)
        if awards:
            yield Heading(3, self.say("recognition"))
            yield Items([f"{day(line['awarded_date'])}: {line['award']}" for line in awards])

    def follow_up(self) -> Iterator[Block]:
        rows = self.people.of("mart_review__follow_up", self.member)
        if rows:
            yield Heading(2, self.say("follow_up"))
            told = [
                [
                    self.code("kind", row["kind"]),
                    str(row["text"] or ""),
                    str(row["owner_name"] or ""),
                    day(row["due_date"]),
                    self.code("status", row["status"]),
                ]
                for row in rows
            ]
            yield Table(self.head("kind", "text", "owner_name", "due_date", "status"), told)

    # ---------------------------------------------------------------------------------------- appeals

    def appeals(self) -> Iterator[Block]:
        rows = self.people.of("mart_review__appeal", self.member)
        if rows:
            yield Heading(2, self.say("appeal"))
            told = [
                [
                    self.own(row, "criterion_name") or "–",
                    str(row["reason"] or ""),
                    day(row["submitted_date"]),
                    self.code("status", row["status"]),
                    self.code("outcome", row["outcome"]),
                    points(row["score_before"]),
                    points(row["score_after"]),
                ]
                for row in rows
            ]
            yield Table(
                self.head(
                    "criterion_name", "reason", "submitted_date", "status", "outcome", "score_before", "score_after"
                ),
                told,
                frozenset({5, 6}),
            )
        yield Heading(2, self.say("how_to_appeal"))
        contact = self.say("appeal_contact", contact=self.reader.appeal_contact) if self.reader.appeal_contact else ""
        days = self.say("appeal_days", days=self.reader.appeal_days) if self.reader.appeal_days else ""
        first = self.say("appeal_1", contact=contact, days=days)
        yield Items([first, self.say("appeal_2"), self.say("appeal_3"), self.say("appeal_4")], is_ordered=True)
        delivered = next(
            (row for row in self.people.of("mart_review__timeline", self.member) if row["delivered_date"]), None
        )
        if delivered:
            yield Note(self.say("delivery", day=day(delivered["delivered_date"]), by=delivered["delivered_by_name"]))
