"""A statement explained: what the warehouse tells of it (``warehouse.explain``) as blocks, and these as an HTML page.

Nothing is added up or derived here. A number is shown as it is stored: without zeros behind it, shares as percents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from dealermart.report.statement_words import Language, code, label, reason, source

Row = Mapping[str, Any]

# Bases whose ends are shares.
_SHARES = ("attainment", "margin_pct", "discount_pct")


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the page's own."""

    level: int
    text: str
    aside: str = ""


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Words:
    """Sentences, indented by blanks."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Note:
    """A remark; ``is_warning`` where something is not as it should be."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        numbers: Names of the columns that hold numbers.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = field(default_factory=frozenset)
    note: str = ""


Block = Heading | Facts | Words | Note | Table


def statement_blocks(told: Row, language: Language) -> list[Block]:
    """What there is to say of the statements, in the order in which pay is reckoned."""
    return list(_Teller(language).page(told))


def statement_page(told: Row, language: Language) -> str:
    """The same as an HTML page that needs nothing besides itself."""
    blocks = [(type(block).__name__, block) for block in statement_blocks(told, language)]
    page: str = _template().render(blocks=blocks, language=language, numbers=label("numbers", language))
    return page


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dealermart.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("statement.html")


# --------------------------------------------------------------------------------------------- figures


def number(value: Decimal | int | None) -> str:
    """A number without zeros behind it: 3,661 or 16.525."""
    if value is None:
        return ""
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def money(value: Decimal | None) -> str:
    """An amount that is paid, with its cents."""
    return "" if value is None else f"{value:,.2f}"


def percent(value: Decimal | None) -> str:
    """A share in percent: 0.015 is 1.5 %."""
    return "" if value is None else f"{number(value.scaleb(2))} %"


def _day(value: dt.date | None) -> str:
    return "" if value is None else str(value)


def _ends(lower: Decimal | None, upper: Decimal | None, show: Callable[[Decimal | None], str]) -> str:
    if lower is None and upper is None:
        return "–"
    if upper is None:
        return f"≥ {show(lower)}"
    return f"< {show(upper)}" if lower is None else f"{show(lower)} – {show(upper)}"


# --------------------------------------------------------------------------------------------- telling

Column = tuple[str, Callable[[Row], str], bool]
"""Label, text of a row, whether it is a number."""


class _Teller:
    """Says in a language what the tables hold."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return label(key, self.language, **values)

    def code(self, value: str | None) -> str:
        return code(value, self.language)

    def reason(self, row: Row) -> str:
        return reason(row["reason"], self.language)

    def named(self, row: Row, field_name: str, default: str) -> str:
        names = (row.get(field_name), row.get(f"{field_name}_zh"))
        first, second = names if self.language == "en" else names[::-1]
        return str(first or second or default)

    # columns

    def text(self, key: str, name: str) -> Column:
        return self.say(key), lambda row: "" if row[name] is None else str(row[name]), False

    def coded(self, key: str, name: str) -> Column:
        return self.say(key), lambda row: self.code(row[name]), False

    def day(self, key: str, name: str) -> Column:
        return self.say(key), lambda row: _day(row[name]), False

    def figure(self, key: str, name: str) -> Column:
        return self.say(key), lambda row: number(row[name]), True

    def pay(self, key: str, name: str) -> Column:
        """An amount in cents; one that is empty waits for a person."""
        return self.say(key), lambda row: self.say("held") if row[name] is None else money(row[name]), True

    def cents(self, key: str, name: str) -> Column:
        """An amount in cents, or nothing."""
        return self.say(key), lambda row: money(row[name]), True

    def why(self) -> Column:
        return self.say("reason"), self.reason, False

    def file(self) -> Column:
        return self.say("file"), lambda row: str(row["_source_file"] or ""), False

    def file_row(self) -> Column:
        return self.say("row"), lambda row: str(row["_row_number"] or ""), True

    def table(self, title: str, columns: Iterable[Column], rows: Sequence[Row], note: str = "") -> Iterator[Table]:
        """A table; none where there are no rows. Columns that no row fills are left out."""
        if not rows:
            return
        cells = [(name, [show(row) for row in rows], is_number) for name, show, is_number in columns]
        kept = [(name, texts, is_number) for name, texts, is_number in cells if any(texts)]
        yield Table(
            self.say(title),
            [name for name, _, _ in kept],
            [list(texts) for texts in zip(*(texts for _, texts, _ in kept), strict=True)],
            frozenset(name for name, _, is_number in kept if is_number),
            note,
        )

    def more(self, found: Row) -> str:
        left = found["row_count"] - len(found["rows"])
        return self.say("more_rows", count=number(left)) if left > 0 else ""

    # the page

    def page(self, told: Row) -> Iterator[Block]:
        payee = told["payee_id"] if told["payee_name"] in (None, told["payee_id"]) else None
        payee = payee or f"{told['payee_name']} ({told['payee_id']})"
        yield Heading(1, self.say("title", payee=payee, period=told["period_id"]))
        yield Facts(
            [
                (self.say("payee"), f"{self.code(told['payee_type'])} {told['payee_id']}"),
                (self.say("period"), self.say("period_of", start=told["period_start"], end=told["period_end"])),
                ("", self.say("complete" if told["is_complete"] else "incomplete")),
                (self.say("built"), str(told["built"]["as_of"])),
            ]
        )
        if told["line"] is not None:
            yield Note(self.say("line_title", line=told["line"]))
        yield from self.table(
            "payouts",
            [
                self.text("currency", "currency_code"),
                self.figure("statements", "statement_count"),
                self.figure("held_lines", "held_line_count"),
                self.pay("amount", "amount"),
            ],
            told["payouts"],
        )
        for statement in told["statements"]:
            yield from self.statement(statement, told["line"] is None)

    def statement(self, row: Row, is_whole: bool) -> Iterator[Block]:
        plan = row["plan"] or {}
        name = self.named(plan, "plan_name", row["plan_id"])
        yield Heading(2, f"{name}: {money(row['amount'])} {row['currency_code']}", self.code(row["status"]))
        period = row["payee_period"] or {}
        facts = [
            (self.say("plan"), row["plan_id"]),
            (self.say("version"), str(row["plan_version"])),
            (self.say("file"), row["plan_file"] or ""),
            (self.say("hash"), row["plan_hash"] or ""),
            (self.say("reason"), self.reason(row)),
        ]
        if period and period["stopped_reason"] is None:
            days = self.say(
                "days_of",
                days=number(period["plan_days"]),
                all=number(period["period_days"]),
                first=period["first_day"],
                last=period["last_day"],
            )
            facts += [
                (self.say("days"), days),
                (self.say("period_no"), number(period["period_no"])),
                (self.say("target_pay"), number(period["target_pay_amount"])),
            ]
        yield Facts([(key, value) for key, value in facts if value])
        if row["plan_hash"] and not row["words"]["is_file_same"]:
            yield Note(self.say("other_file"), is_warning=True)
        if not row["components"] and not row["beside"]:
            yield Note(self.say("no_component"))
        if is_whole:
            yield from self.at_a_glance(row)
        for component in row["components"]:
            yield from self.component(component, is_whole)
        yield from self.besides(row, is_whole)

    def at_a_glance(self, row: Row) -> Iterator[Block]:
        """All lines, which add up to the statement."""
        names = {part["component_id"]: self.named(part, "component_name", "") for part in row["components"]}
        lines = [line for part in row["components"] for line in (*part["earned"], *part["steps"])]
        yield from self.table(
            "at_a_glance",
            [
                (self.say("part_of"), lambda row: names.get(row["component_id"], ""), False),
                self.coded("line", "line_kind"),
                self.figure("band", "band_no"),
                self.pay("amount", "amount"),
                self.coded("status", "status"),
                self.why(),
            ],
            [*lines, *row["beside"]],
        )

    # a component

    def component(self, row: Row, is_whole: bool) -> Iterator[Block]:
        name = self.named(row, "component_name", row["component_id"])
        aside = self.say("spiff_of", id=row["of_component_id"]) if row["kind"] == "spiff" else ""
        yield Heading(3, self.say("component", name=name, id=row["component_id"]), aside)
        if row["words"]:
            yield Words(self.say("plan_says"), row["words"])
        yield from self.credited(row, is_whole)
        yield from self.target(row)
        yield from self.earned(row["earned"])
        yield from self.factors(row)
        yield from self.reversals(row["reversals"])
        yield from self.table("steps", self.step_columns(), row["steps"])
        yield from self.due(row)
        yield from self.table("sources", self.source_columns(), row["sources"]["rows"], self.more(row["sources"]))

    def credited(self, row: Row, is_whole: bool) -> Iterator[Block]:
        found = row["credited"]
        if row.get("kpi_code"):
            yield Note(self.say("of_kpi", kpi=row["kpi_code"]))
            return
        if not found["row_count"] and is_whole:
            yield Note(self.say("nothing_credited"))
        yield from self.table("credited", self.role_columns(found["by_role"]), found["by_role"])
        yield from self.table("rows", self.event_columns(), found["rows"], self.more(found))

    def role_columns(self, rows: Sequence[Row]) -> list[Column]:
        rules = {row["rule_no"] for row in rows}
        return [
            *([self.figure("rule", "rule_no")] if len(rules) > 1 else []),
            self.coded("role", "credit_role"),
            self.coded("kind", "event_kind"),
            (self.say("counts"), lambda row: self.code(f"counted {row['counted']}"), False),
            self.figure("count", "event_count"),
            self.figure("measure", "measure_amount"),
            self.figure("units", "units"),
            self.why(),
        ]

    def event_columns(self) -> list[Column]:
        return [
            (self.say("document"), self.document, False),
            self.coded("kind", "event_kind"),
            self.day("day", "event_date"),
            self.coded("role", "credit_role"),
            (self.say("share"), lambda row: f"{number(row['credit_pct'])} %", True),
            self.figure("measure", "measure_amount"),
            self.file(),
            self.file_row(),
            self.why(),
        ]

    def document(self, row: Row) -> str:
        here = f"{row['event_id']}/{row['event_line_no']}"
        sale = f"{row['transaction_id']}/{row['line_no']}"
        return here if row["event_kind"] == "sale" else f"{here} ← {sale}"

    def target(self, component: Row) -> Iterator[Block]:
        row = component["target"]
        if row is None or all(row[name] is None for name in ("full_value", "target_pay_amount", "reason")):
            return
        share = ""
        if row["share_numerator"] != row["share_denominator"]:
            share = self.say(
                "proration_of",
                part=number(row["share_numerator"]),
                all=number(row["share_denominator"]),
                by=self.code(component["prorate"]),
            )
        weight = "" if row["target_pay_amount"] is None else f"{number(component['weight_pct'])} %"
        has_target = row["full_value"] is not None
        yield from self.table(
            "target",
            [
                self.figure("full", "full_value"),
                self.figure("of_period", "period_value"),
                (self.say("proration"), lambda row: share, False),
                *([self.figure("ramp", "ramp_factor")] if has_target else []),
                self.figure("target_value", "target_value"),
                self.text("currency", "currency_code"),
                self.figure("target_pay", "target_pay_amount"),
                (self.say("weight"), lambda row: weight, True),
                self.coded("status", "status"),
                self.why(),
            ],
            [row],
        )
        yield from self.table(
            "windows",
            [
                self.text("target_value", "target_id"),
                (self.say("subject"), lambda row: f"{self.code(row['subject_type'])} {row['subject_id']}", False),
                self.text("metric", "metric"),
                self.text("category", "product_category"),
                (
                    self.say("window"),
                    lambda row: self.say("period_of", start=row["valid_from"], end=row["valid_to"]),
                    False,
                ),
                self.figure("value", "target_value"),
                self.text("unit", "unit"),
                self.file(),
                self.file_row(),
            ],
            row["windows"],
        )
        yield from self.table(
            "season",
            [
                (self.say("part"), lambda row: f"{self.code(row['part_type'])} {row['part_no']}", False),
                self.figure("weight", "weight"),
            ],
            row["season"],
        )

    def earned(self, rows: Sequence[Row]) -> Iterator[Block]:
        heads = list({(row["earned_period_id"], row["rule_no"]): row for row in rows}.values())
        yield from self.table(
            "attained",
            [
                self.text("earned_for", "earned_period_id"),
                *([self.figure("rule", "rule_no")] if len(heads) > 1 else []),
                self.figure("lines", "credited_line_count"),
                self.figure("measure", "credited_amount"),
                self.figure("target_value", "target_value"),
                (self.say("attainment"), lambda row: percent(row["attainment"]), True),
            ],
            heads,
        )
        bases = {row["basis"] for row in rows}
        basis = self.code(bases.pop()) if len(bases) == 1 else None
        rules, periods = {row["rate_rule_no"] for row in rows}, {row["earned_period_id"] for row in rows}
        yield from self.table(
            "bands",
            [
                *([self.text("earned_for", "earned_period_id")] if len(periods) > 1 else []),
                *([self.figure("rule", "rate_rule_no")] if len(rules) > 1 else []),
                self.figure("band", "band_no"),
                (self.say("range", basis=basis) if basis else self.say("range_any"), self.range, False),
                self.figure("base", "base_amount"),
                (self.say("rate"), self.rate, True),
                self.coded("pays", "pays"),
                self.figure("exactly", "earned_amount"),
                self.pay("earned", "amount"),
                self.why(),
            ],
            rows,
        )

    def range(self, row: Row) -> str:
        if row["basis"] in (None, "none"):
            return ""
        return _ends(row["lower_bound"], row["upper_bound"], percent if row["basis"] in _SHARES else number)

    def rate(self, row: Row) -> str:
        return percent(row["rate"]) if row["pays"] in ("pct", "payout_pct") else number(row["rate"])

    def factors(self, row: Row) -> Iterator[Block]:
        """Gates, modifier and limits, where there are any."""
        yield from self.table(
            "gates",
            [
                self.text("period", "earlier_period_id"),
                (
                    self.say("kpi"),
                    lambda row: self.named(row, "kpi_name", row["kpi_code"] or self.say("weighted")),
                    False,
                ),
                (self.say("mark"), self.mark, False),
                self.figure("value", "gate_value"),
                (self.say("state"), lambda row: self.say("closed" if row["is_closed"] else "open"), False),
                (self.say("then"), self.then, False),
                self.why(),
            ],
            row["gates"],
        )
        touched = [
            rule
            for rule in row["factors"]
            if rule["gate_factor"] != 1
            or rule["modifier_value"] is not None
            or rule["floor_amount"] is not None
            or rule["cap_amount"] is not None
        ]
        yield from self.table(
            "factors",
            [
                self.text("period", "earlier_period_id"),
                self.figure("rule", "rule_no"),
                self.cents("earned", "line_amount"),
                self.figure("gate_factor", "gate_factor"),
                self.cents("after_gate", "gated_amount"),
                (self.say("kpi"), lambda row: self.named(row, "kpi_name", ""), False),
                self.figure("modifier_value", "modifier_value"),
                self.figure("modifier_factor", "modifier_factor"),
                self.cents("after_modifier", "modified_amount"),
                self.cents("floor", "floor_amount"),
                self.cents("cap", "cap_amount"),
                self.cents("after", "amount"),
            ],
            touched,
        )
        named = ("floor_amount", "cap_amount", "excess_opening_amount", "excess_closing_amount", "leaver_rule")
        yield from self.table(
            "limits",
            [
                self.text("period", "earlier_period_id"),
                self.cents("before", "ruled_amount"),
                self.cents("floor", "floor_amount"),
                self.cents("cap", "cap_amount"),
                self.cents("capped", "capped_amount"),
                self.cents("allowed", "allowed_amount"),
                (self.say("reason"), lambda row: self.code(row["leaver_rule"]), False),
                self.cents("after", "amount"),
            ],
            [limits for limits in row["limits"] if any(limits[name] not in (None, 0) for name in named)],
        )

    def looked_at(self, row: Row) -> str:
        """What a gate asks for."""
        return self.named(row, "kpi_name", row["kpi_code"] or self.say("weighted"))

    def mark(self, row: Row) -> str:
        if row["below"] is not None:
            return self.say("below", value=number(row["below"]))
        return self.say("at_most", value=number(row["at_most"]))

    def then(self, row: Row) -> str:
        if row["then_rate"]:
            return self.say("then_rate")
        return self.say("then_hold") if row["is_hold"] else self.say("then_factor", factor=number(row["factor"]))

    def reversals(self, found: Row) -> Iterator[Block]:
        yield from self.table(
            "reversals",
            [
                (self.say("came"), self.came_back, False),
                self.day("day", "event_date"),
                self.file(),
                self.file_row(),
                (self.say("sale"), lambda row: f"{row['transaction_id']}/{row['line_no']}", False),
                self.day("sold", "sale_date"),
                (
                    self.say("paid_with"),
                    lambda row: self.say("paid_with_of", period=row["sale_period_id"], end=row["sale_period_end"]),
                    False,
                ),
                self.figure("measure", "measure_amount"),
                self.figure("sale_earned", "earned_amount"),
                (self.say("taken_pct"), lambda row: f"{number(row['taken_pct'])} %", True),
                (
                    self.say("taken"),
                    lambda row: self.say("held") if row["reversed_amount"] is None else number(row["reversed_amount"]),
                    True,
                ),
            ],
            found["rows"],
            self.more(found),
        )

    def came_back(self, row: Row) -> str:
        return f"{self.code(row['event_kind'])} {row['event_id']}/{row['event_line_no']}"

    def step_columns(self) -> list[Column]:
        return [
            self.coded("line", "line_kind"),
            (self.say("about"), lambda row: self.detail(row["line_detail"]), False),
            self.figure("base", "base_amount"),
            self.figure("factor", "rate"),
            self.pay("amount", "amount"),
            self.why(),
        ]

    def detail(self, text: str | None) -> str:
        """What a line is about: a rule, a draw, or a kind of part and the period that earned it."""
        return " ".join(self.code(word) for word in (text or "").split(" "))

    def due(self, row: Row) -> Iterator[Block]:
        parts = row["due"]
        # What is all due with its own period needs no table.
        if any(part["due_period_id"] != part["earned_period_id"] for part in parts):
            yield from self.table(
                "due",
                [
                    (self.say("earned_in"), lambda row: self.code(row["earned_period_id"]), False),
                    self.coded("kind", "part_kind"),
                    self.figure("number", "part_no"),
                    (self.say("due_on"), lambda row: _day(row["due_date"]) or self.say("not_known"), False),
                    (self.say("due_with"), lambda row: row["due_period_id"] or self.say("later"), False),
                    self.pay("amount", "amount"),
                ],
                parts,
            )
        yield from self.table(
            "balances",
            [
                self.coded("kind", "balance_kind"),
                self.cents("opening", "opening_amount"),
                self.cents("movement", "movement_amount"),
                self.cents("closing", "closing_amount"),
            ],
            row["balances"],
        )
        yield from self.table(
            "late",
            [
                self.text("period", "earlier_period_id"),
                self.cents("now", "now_amount"),
                self.cents("was_paid", "paid_amount"),
                self.cents("amount", "amount"),
                self.coded("kind", "late_facts"),
            ],
            row["late"],
        )

    def source_columns(self) -> list[Column]:
        return [
            self.coded("line", "line_kind"),
            self.figure("band", "band_no"),
            (self.say("source"), lambda row: source(row["source_id"], self.language), False),
            self.file(),
            self.file_row(),
            self.figure("base", "credited_amount"),
            self.pay("earned", "amount"),
        ]

    # the whole statement

    def besides(self, row: Row, is_whole: bool) -> Iterator[Block]:
        parts = [
            *([Words(self.say("plan_says"), row["words"]["plan"])] if is_whole and row["words"]["plan"] else []),
            *self.table(
                "draws",
                [
                    self.figure("draw", "draw_no"),
                    self.coded("kind", "kind"),
                    (self.say("recoverable"), lambda row: self.say("yes" if row["is_recoverable"] else "no"), False),
                    self.cents("of_draw", "draw_amount"),
                    self.cents("paid_by_draw", "paid_amount"),
                    self.cents("recovered", "recovered_amount"),
                    self.cents("opening", "opening_amount"),
                    self.cents("movement", "movement_amount"),
                    self.cents("closing", "closing_amount"),
                ],
                row["draws"],
            ),
            *self.table("beside", self.step_columns(), row["beside"]),
            *self.adjustments(row["adjustments"]),
            *self.table("untaken", self.role_columns(row["untaken"]["by_role"]), row["untaken"]["by_role"]),
            *self.table("untaken_rows", self.event_columns(), row["untaken"]["rows"], note=self.more(row["untaken"])),
            *self.proposals(row["proposals"]),
        ]
        if parts:
            yield Heading(3, self.say("whole"))
            yield from parts
        if is_whole:
            yield Facts([(self.say("total"), f"{money(row['amount'])} {row['currency_code']}")])

    def adjustments(self, rows: Sequence[Row]) -> Iterator[Block]:
        yield from self.table(
            "adjustments",
            [
                self.text("adjustment", "adjustment_id"),
                self.day("day", "effective_date"),
                self.figure("amount", "amount"),
                self.text("currency", "currency_code"),
                self.text("reason", "reason"),
                self.text("asked_by", "requested_by_id"),
                self.text("approved_by", "approved_by_id"),
                self.file(),
                self.file_row(),
            ],
            rows,
        )

    def proposals(self, rows: Sequence[Row]) -> Iterator[Block]:
        yield from self.table(
            "proposals",
            [
                self.coded("award", "award"),
                (self.say("name"), lambda row: self.named(row, "proposal_name", ""), False),
                self.cents("value", "benefit_amount"),
                (self.say("attainment"), lambda row: percent(row["attainment"]), True),
                self.figure("in_a_row", "reached_count"),
                self.why(),
            ],
            rows,
        )
