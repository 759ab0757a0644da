"""Random plans and what happened to their payees: the raw material of random cases.

Amounts lie on the ends of bands, on targets and on half cents far more often than chance would have it. What
docs/plans.md leaves open does not occur, as far as it is known.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.plans.facts import next_day
from tests.plans.periods import Period, of_day

Row = dict[str, Any]

CENT = Decimal("0.01")
CATEGORIES = {"P1": "Bikes", "P2": "E-Bikes", "P3": "Helmets"}
TIERS = {"D1": "A", "D2": "B", "D3": "C"}

# What a scenario is about; each is one method of Scenario, `about_...`.
THEMES = (
    "tables", "tables", "tables", "documents", "year", "rules", "filters", "credit", "rollup", "dealers", "targets", "targets",
    "kpi", "kpi", "gates", "gates", "gates", "limits", "excess", "returns", "returns", "rerate", "clawback", "negative", "collected", "shares",
    "holdback", "instalments", "draws", "draws", "spiffs", "leavers", "late", "currency", "target_pay", "less_paid",
    "mixed", "mixed", "mixed", "life", "life", "life", "proposals",
)  # fmt: skip


def dec(text: object) -> Decimal:
    """A decimal of what is written."""
    return Decimal(str(text))


class Scenario:
    """One plan, the facts of its periods, and how to write them as cases."""

    def __init__(self, seed: int, theme: str | None = None) -> None:
        self.random = random.Random(f"{seed}")
        self.seed = seed
        self.theme = theme or self.random.choice(THEMES)
        pick = self.random
        kind = pick.choices(["month", "quarter", "year"], [6, 3, 1])[0]
        first = of_day(kind, date(2026, pick.randint(1, 6), 1))
        self.periods = [first]
        self.plan: Row = {"plan": "p", "period": kind, "valid_from": date(2026, 1, 1), "components": []}
        self.payees: list[Row] = [{"payee_id": name} for name in "ABC"[: pick.choice([1, 1, 2, 3])]]
        self.targets: list[Row] = []
        self.sales: list[Row] = []
        self.known_from: dict[str, int] = {}  # document -> index of the period in which it is learnt, if late
        self.inputs: dict[str, list[Row]] = {}
        self.scale = dec(pick.choice([100, 1000, 1000, 5000]))
        self.target = self.scale
        self.marks: list[Decimal] = []  # measures at which something happens
        self.documents = 0
        self.by_dealer = False
        self.owned = False
        getattr(self, f"about_{self.theme}")()

    # ------------------------------------------------------------------------------------------ small choices

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def span(self, count: int) -> None:
        """So many periods, all in one fiscal year where there are several."""
        kind = self.plan["period"]
        if kind == "year":
            count = 1
        first = self.periods[0]
        room = {"month": 12, "quarter": 4, "year": 1}[kind]
        place = (first.start.month - 1) // first.months
        count = min(count, room)
        first = first.shifted(-max(0, place + count - room))
        self.periods = [first.shifted(number) for number in range(count)]

    def day_in(self, period: Period) -> date:
        """A day of a period, its first and last more often than others."""
        last = period.end - timedelta(1)
        return self.random.choice(
            [period.start, last, *[period.start + timedelta(self.random.randrange(period.length)) for _ in range(4)]]
        )

    def percent(self) -> Decimal:
        return dec(self.random.choice(["0.5", "1", "1.25", "1.5", "2", "2.5", "3.75", "5", "0.0125", "7", "10", "0"]))

    def amount(self, around: Decimal | None = None) -> Decimal:
        """An amount, often where a band or a target ends, or that makes half cents."""
        pick = self.random
        mark = around if around is not None else pick.choice([*self.marks, self.scale])
        near = pick.choice([dec(0), dec(0), CENT, -CENT])
        choices = [
            mark + near,
            mark / 2,
            mark / 4 + near,
            dec(pick.randrange(1, int(self.scale) * 2)),
            dec(pick.randrange(1, int(self.scale) * 200)) / 100,
            mark / 5,
        ]
        return max(CENT, pick.choice(choices).quantize(CENT))

    # ------------------------------------------------------------------------------------------------ tables

    def bands(self, ends: list[str], values: list[Decimal], closed: bool = False) -> list[Row]:
        """Bands with these ends; the first may lack its lower and the last its upper end."""
        pick, found = self.random, []
        cut = sorted({dec(end) for end in pick.sample(ends, min(len(ends), pick.randint(1, 3)))})
        lowers: list[Decimal | None] = [dec(0), *cut]
        for index, lower in enumerate(lowers):
            band: Row = {"from": lower, "value": values[index % len(values)]}
            if index + 1 < len(lowers):
                band["to"] = lowers[index + 1]
            elif closed or self.chance(0.25):
                assert lower is not None
                band["to"] = lower * 2 if lower else dec(1)
            found.append(band)
        return [{key: band[key] for key in ("from", "to", "value", "back_to_start") if key in band} for band in found]

    def rate(
        self,
        measure: str = "net_revenue",
        bases: tuple[str, ...] = (),
        rules: tuple[str, ...] = (),
        target_pay: bool | None = None,
    ) -> Row:
        """A rate table that fits the measure; it may ask for a target or target pay, which the caller then gives."""
        pick = self.random
        money_like = measure not in ("units", "deals")
        has_pay = self.plan.get("target_pay") is not None if target_pay is None else target_pay
        basis = pick.choice(bases or ("attainment", "amount", "amount", "none", "units"))
        if basis == "none":
            pays = pick.choice(["pct", "pct", "per_unit", "fixed"] if money_like else ["per_unit", "fixed"])
            return self.pays({"basis": "none"}, pays, lambda value: {"value": value})
        rule = pick.choice(
            rules or ("marginal", "marginal", "whole_base", "whole_overage", "interpolated", "curve", "rate_from_start")
        )
        if basis in ("margin_pct", "discount_pct", "deal_amount"):
            rule = pick.choice(["whole_base", "curve"])
        options = ["pct", "pct", "base_rate_factor"] if money_like else []
        if rule == "interpolated":
            options = ["fixed", "payout_pct"] if has_pay and basis == "attainment" else ["fixed"]
        else:
            options += ["per_unit"]
            if rule in ("whole_base", "curve") or (rule == "marginal" and self.chance(0.3)):
                options += ["fixed"]
        if has_pay and (basis == "attainment" or rule in ("whole_base", "curve")):
            options += ["payout_pct"]
            if basis == "attainment" and rule != "interpolated":
                options += ["multiplier"]
        pays = pick.choice(options)
        ends = {
            "attainment": ["0.5", "0.8", "1", "1.2", "1.5"],
            "amount": [str(self.scale * dec(part)) for part in ("0.4", "0.8", "1", "1.5")],
            "units": ["2", "5", "10", "20"],
            "margin_pct": ["0.1", "0.2", "0.3", "0.35"],
            "discount_pct": ["0.05", "0.1", "0.2"],
            "deal_amount": [str(self.scale * dec(part)) for part in ("0.25", "0.5", "1")],
        }[basis]
        if basis == "amount" and not money_like:
            ends = ["2", "5", "10"]
        rate: Row = {"basis": basis, "rule": rule}
        outside = pick.choice(["zero", "edge", "hold"] if self.chance(0.4) else ["zero", "edge"])
        if rule == "curve":
            at = sorted({dec(0), *(dec(end) for end in pick.sample(ends, 2))})
            values = sorted(self.values(pays, len(at)))
            rate["points"] = [{"at": where, "value": value} for where, value in zip(at, values, strict=True)]
            outside = pick.choice(["edge", "edge", "edge", "hold"])
            self.mark(basis, at)
        else:
            rate["bands"] = self.bands(ends, self.values(pays, 4), closed=rule == "interpolated")
            if rule == "whole_overage" and len(rate["bands"]) < 2:
                rate["rule"] = rule = "marginal"
            if rule == "marginal" and pays == "fixed" and outside == "edge":
                outside = "zero"
            if rule == "rate_from_start":
                if len(rate["bands"]) < 2:
                    rate["rule"] = rule = "marginal"
                else:
                    rate["bands"][pick.randrange(1, len(rate["bands"]))]["back_to_start"] = True
                    if outside == "hold":
                        outside = "zero"
            if rule != "interpolated" and self.chance(0.15):
                rate["bands"][0].pop("from")  # everything below is in the first band
            gap = len(rate["bands"]) > 2 and rule in ("marginal", "whole_base") and self.chance(0.15)
            if gap:
                rate["bands"].pop(1)
            self.mark(basis, [band["from"] for band in rate["bands"] if "from" in band])
        rate["outside"] = outside
        rate["pays"] = pays
        if pays == "base_rate_factor":
            rate["base_rate"] = self.percent() or dec(1)
        return rate

    def values(self, pays: str, count: int) -> list[Decimal]:
        pick = self.random
        if pays == "pct":
            return [self.percent() for _ in range(count)]
        if pays == "payout_pct":
            return [dec(pick.choice([0, 20, 50, "62.5", 80, 100, 120, 150])) for _ in range(count)]
        if pays in ("multiplier", "base_rate_factor"):
            return [dec(pick.choice(["0", "0.5", "1", "1.25", "1.4", "1.6", "2"])) for _ in range(count)]
        if pays == "per_unit":
            return [dec(pick.choice(["0.333333", "1", "2.5", "15", "0.125"])) for _ in range(count)]
        return [dec(pick.choice([0, 25, 100, "99.99", 250, "1000.01"])) for _ in range(count)]

    def pays(self, rate: Row, pays: str, write: Any) -> Row:
        return {**rate, "pays": pays, **write(self.values(pays, 1)[0])}

    def mark(self, basis: str, at: list[Decimal]) -> None:
        """Remember at which measures bands end, so that sales come to lie there."""
        if basis == "attainment":
            self.marks += [where * self.target for where in at if where]
        elif basis in ("amount", "deal_amount"):
            self.marks += [where for where in at if where and where >= 10]

    def component(self, code: str = "a", measure: str | None = None, **more: Any) -> Row:
        """A component of sales; its rate is drawn where none is given."""
        pick = self.random
        of = measure or pick.choice(["net_revenue"] * 6 + ["gross_revenue", "gross_margin", "units", "deals"])
        found: Row = {"id": code, "measure": {"of": of}}
        if of == "gross_margin" and self.chance(0.4):
            found["measure"]["floor"] = 0
        found.update(more)
        if "rate" not in found and "rules" not in found:
            found["rate"] = self.rate(of)
        self.give_target(found)
        self.plan["components"].append(found)
        return found

    def give_target(self, component: Row) -> None:
        tables = [component.get("rate"), *(rule["rate"] for rule in component.get("rules", []))]
        if "target" not in component and any(
            table and (table["basis"] == "attainment" or table.get("pays") == "multiplier") for table in tables
        ):
            of = component["measure"].get("of")
            value = self.target if of not in ("units", "deals") else dec(self.random.choice([2, 4, 10]))
            component["target"] = {"value": value}

    def give_pay(self, per: str | None = None) -> None:
        """Target pay of the assignments."""
        pick = self.random
        self.plan["target_pay"] = {"of": "assignment", "per": per or pick.choice(["year", "period"])}
        for row in self.payees:
            row["target_pay_amount"] = dec(pick.choice([1000, 2000, "12000.50", 33333]))

    # ------------------------------------------------------------------------------------------------- sales

    def sale(self, period: Period, seller: str | None, amount: Decimal | None = None, lines: int = 1) -> list[Row]:
        """A document of one or more lines."""
        pick = self.random
        self.documents += 1
        document, when = f"T{self.documents:03d}", self.day_in(period)
        found = []
        dealer = pick.choice([*TIERS])
        for line_no in range(1, lines + 1):
            net = amount if amount is not None else self.amount()
            row: Row = {"transaction_id": document}
            if lines > 1:
                row["line_no"] = line_no
            if self.by_dealer and seller is not None:
                row["dealer_id"] = seller
            else:
                if seller is not None and not self.owned:
                    row["seller_id"] = seller
                row["dealer_id"] = dealer
            row["product_id"] = pick.choice([*CATEGORIES])
            row["quantity"] = dec(pick.choice([1, 1, 2, 3, 5, 10]))
            row["net_amount"] = net
            row["discount_amount"] = (net * dec(pick.choice(["0", "0", "0.05", "0.25"]))).quantize(CENT)
            row["cost_amount"] = (net * dec(pick.choice(["0.5", "0.7", "0.8", "1.1"]))).quantize(CENT)
            row["sale_date"] = when
            found.append(row)
        self.sales += found
        return found

    def some_sales(self, low: int = 0, high: int = 4, lines: bool = True) -> None:
        """Sales of every payee in every period."""
        for period in self.periods:
            for payee in self.names:
                for _ in range(self.random.randint(low, high)):
                    self.sale(period, payee, lines=2 if lines and self.chance(0.15) else 1)
            if self.chance(0.4) and self.names:
                self.to_a_mark(period, self.random.choice(self.names))

    def to_a_mark(self, period: Period, payee: str) -> None:
        """One more sale, so that the period's net revenue of a payee comes to lie on a mark, or a cent beside it."""
        if self.owned or not self.marks:
            return
        mine = [
            row
            for row in self.sales
            if payee in (row.get("seller_id"), row.get("dealer_id")) and period.holds(row["sale_date"])
        ]
        lacks = (
            self.random.choice(self.marks)
            - sum((row["net_amount"] for row in mine), dec(0))
            + self.random.choice([dec(0), CENT, -CENT])
        )
        if lacks >= CENT:
            self.sale(period, payee, lacks.quantize(CENT))

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(row["payee_id"] for row in self.payees))

    def back(self, row: Row, period: Period, part: Decimal | None = None, kind: str | None = None) -> Row | None:
        """What comes back of a line in a period, on the day of its sale or later."""
        pick = self.random
        start = max(period.start, row["sale_date"])
        if start >= period.end:
            return None
        when = pick.choice(
            [start, period.end - timedelta(1), start + timedelta(pick.randrange((period.end - start).days))]
        )
        left = dec(1) - sum(
            (
                dec(back["part"])
                for back in self.sales
                if back.get("original_transaction_id") == row["transaction_id"]
                and back.get("original_line_no", 1) == row.get("line_no", 1)
            ),
            dec(0),
        )
        part = min(left, part or dec(pick.choice(["1", "1", "0.5", "0.25"])))
        if part <= 0 or row["net_amount"] <= 0:
            return None
        self.documents += 1
        found = {
            **{key: row[key] for key in ("dealer_id", "product_id", "seller_id") if key in row},
            "transaction_id": f"R{self.documents:03d}",
            "transaction_type": kind or pick.choice(["return", "return", "credit_note"]),
            "original_transaction_id": row["transaction_id"],
            "quantity": -(row["quantity"] * part),
            "net_amount": -(row["net_amount"] * part),
            "discount_amount": -(row["discount_amount"] * part),
            "cost_amount": -(row["cost_amount"] * part),
            "sale_date": when,
            "part": part,
        }
        if "line_no" in row:
            found["original_line_no"] = row["line_no"]
        self.sales.append(found)
        return found

    def backs_inside(self, chance: float = 0.5) -> None:
        """What comes back in the period of its sale."""
        for row in list(self.sales):
            if "original_transaction_id" not in row and self.chance(chance):
                self.back(row, of_day(self.plan["period"], row["sale_date"]))

    def pay(self, document: str, when: date, amount: Decimal) -> None:
        rows = self.inputs.setdefault("payments", [])
        rows.append(
            {"payment_id": f"Y{len(rows) + 1:03d}", "transaction_id": document, "amount": amount, "payment_date": when}
        )

    def some_payments(self, refunds: bool = True) -> None:
        """Payments on documents, in parts, mostly in the period of the sale or later; now and then more than is to be paid,
        or a refund."""
        documents: dict[str, list[Row]] = {}
        for row in self.sales:
            documents.setdefault(row["transaction_id"], []).append(row)
        for document, rows in documents.items():
            whole = sum((row["net_amount"] for row in rows), dec(0))
            paid, when = dec(0), rows[0]["sale_date"]
            for part in self.random.choice([[], ["1"], ["0.5", "0.5"], ["0.3", "0.2"], ["0.333", "0.333"]]):
                when = when + timedelta(self.random.choice([0, 5, 20, 31, 45]))
                amount = min(whole - paid, (whole * dec(part)).quantize(CENT))
                if amount > 0:
                    paid += amount
                    self.pay(document, when, amount)
            if paid and self.chance(0.1):
                self.pay(
                    document, rows[0]["sale_date"] - timedelta(self.random.choice([1, 20])), (whole / 4).quantize(CENT)
                )
            if paid and self.chance(0.1):
                self.pay(
                    document, when + timedelta(5), whole - paid + self.random.choice([CENT, whole / 5]).quantize(CENT)
                )
            if refunds and paid and self.chance(0.15):
                self.pay(document, when + timedelta(10), -(paid / 2).quantize(CENT))

    # ------------------------------------------------------------------------------------------------ themes

    def about_tables(self) -> None:
        """One or two components with tables of all kinds."""
        if self.chance(0.5):
            self.give_pay()
        for code in "ab"[: self.random.choice([1, 1, 2])]:
            found = self.component(code)
            if "target_pay" in self.plan and self.chance(0.5):
                found["weight_pct"] = dec(self.random.choice([60, "33.3333", 40]))
        self.some_sales()
        if self.chance(0.5):
            self.backs_inside()

    def about_documents(self) -> None:
        """Each document by itself."""
        of = self.random.choice(["net_revenue", "gross_margin", "units"])
        bases = (
            ("amount", "deal_amount", "units", "margin_pct", "discount_pct", "none")
            if of != "units"
            else ("amount", "units", "none")
        )
        self.component("a", of, accumulate="transaction", rate=self.rate(of, bases))
        self.some_sales(0, 5)

    def about_year(self) -> None:
        """Over the fiscal year so far."""
        self.span(3)
        rules: tuple[str, ...] = (
            "marginal",
            "marginal",
            "whole_base",
            "whole_overage",
            "interpolated",
            "rate_from_start",
        )
        if self.chance(0.3):
            self.give_pay()
        rate = self.rate("net_revenue", ("amount", "attainment", "amount"), rules)
        found = self.component("a", "net_revenue", accumulate="year_to_date", rate=rate)
        if "target" in found:
            found["target"]["prorate"] = "none"
            if self.chance(0.5):
                found["target"] = {"metric": "net_revenue", "prorate": "none"}
                year = self.periods[0].year
                for payee in self.names:
                    self.targets.append(
                        {
                            "subject_id": payee,
                            "target_value": self.target,
                            "valid_from": year.start,
                            "valid_to": year.end,
                        }
                    )
        self.some_sales(0, 3)
        if self.chance(0.4):
            self.backs_inside(0.3)

    def about_less_paid(self) -> None:
        """The year so far less what was paid, which was not always what it should have been."""
        self.about_year()
        self.plan["year_to_date_less_paid"] = True

    def about_rules(self) -> None:
        """Several rules with filters, by precedence."""
        pick = self.random
        filters: list[Row] = [
            {},
            {"product_category": ["E-Bikes"]},
            {"product_category": ["E-Bikes"], "dealer_tier": ["A", "B"]},
            {"product": ["P1", "P3"]},
            {"dealer": ["D1"]},
        ]
        rules = []
        for index, chosen in enumerate(pick.sample(filters, pick.randint(2, 4))):
            rule: Row = {"name": f"rule {index + 1}"}
            if chosen:
                rule["filter"] = chosen
            rule["rate"] = self.rate("net_revenue", ("none", "amount", "attainment"))
            if self.chance(0.3):
                rule["limits"] = {"cap": dec(pick.choice([10, "25.50", 100]))}
            rules.append(rule)
        self.component("a", "net_revenue", rules=rules, precedence=pick.choice(["most_specific", "add", "first"]))
        self.know_products()
        self.some_sales(1, 5)

    def know_products(self) -> None:
        self.inputs["products"] = [
            {"product_id": code, "category": name, "brand": "Alpha" if code == "P1" else "Beta"}
            for code, name in CATEGORIES.items()
        ]
        self.inputs["dealers"] = [
            {"dealer_id": code, "tier": tier, "region": "East" if code != "D3" else "West"}
            for code, tier in TIERS.items()
        ]

    def about_filters(self) -> None:
        """Filters of all fields, ranges at their ends."""
        pick = self.random
        half = (self.scale / 2).quantize(CENT)
        options: list[Row] = [
            {"product_category": ["Bikes", "Helmets"]},
            {"brand": ["Alpha"]},
            {"dealer_tier": ["A"]},
            {"region": ["East"]},
            {"deal_amount": {"from": half}},
            {"deal_amount": {"to": half}},
            {"margin_pct": {"from": dec("0.3")}},
            {"margin_pct": {"from": dec("0.2"), "to": dec("0.5")}},
            {"discount_pct": {"to": dec("0.2")}},
            {"dealer": ["D1", "D2"]},
        ]
        chosen: Row = {}
        for option in pick.sample(options, pick.randint(1, 2)):
            chosen.update(option)
        if self.chance(0.4):
            others = [option for option in options if not option.keys() & chosen.keys()]
            chosen["any_of"] = pick.sample(others, 2)
        self.marks.append(half)
        self.component("a", "net_revenue", filter=chosen, rate=self.rate("net_revenue", ("none", "amount")))
        self.know_products()
        self.some_sales(2, 5)

    def about_credit(self) -> None:
        """Owners, co-owners and specialists."""
        pick = self.random
        self.owned = True
        self.payees = [{"payee_id": "A"}, {"payee_id": "B"}, {"payee_id": "O"}]
        rows = []
        for dealer in TIERS:
            split = dec(pick.choice(["100", "60", "85", "33.3333", "50"]))
            rows.append({"dealer_id": dealer, "member_id": "A", "role": "owner", "split_pct": split})
            if split < 100:
                second: Row = {"dealer_id": dealer, "member_id": "B", "role": "co_owner"}
                if self.chance(0.6):
                    second["split_pct"] = 100 - split
                    if self.chance(0.1):
                        second["split_pct"] += 1  # more than the whole: nobody is credited
                rows.append(second)
            if self.chance(0.5):
                rows.append(
                    {"dealer_id": dealer, "member_id": "O", "role": "overlay", "split_pct": dec(pick.choice([100, 50]))}
                )
        if self.chance(0.4):  # handed over within the period
            when = self.periods[0].start + timedelta(self.periods[0].length // 2)
            for row in rows:
                if row["dealer_id"] == "D1":
                    row["valid_to"] = when
            rows.append(
                {"dealer_id": "D1", "member_id": "B", "role": "owner", "split_pct": dec(100), "valid_from": when}
            )
        self.inputs["assignments"] = rows
        of = pick.choice(["net_revenue", "net_revenue", "units", "gross_margin"])
        self.component(
            "a", of, credit=pick.choice([["owner", "co_owner"], ["owner", "co_owner", "overlay"], ["owner"]])
        )
        for _ in range(pick.randint(2, 7)):
            self.sale(self.periods[0], None, lines=pick.choice([1, 1, 2]))
        if self.chance(0.4):
            self.backs_inside(0.4)

    def about_rollup(self) -> None:
        """Managers at two heights, by the hierarchy of the day."""
        pick = self.random
        self.payees = [{"payee_id": "M"}, {"payee_id": "N"}, {"payee_id": "A"}]
        middle = self.periods[0].start + timedelta(self.periods[0].length // 2)
        begin = date(2026, 1, 1)
        rows: list[Row] = [
            {"member_id": "A", "manager_id": "M", "valid_from": begin},
            {"member_id": "B", "manager_id": pick.choice(["M", "N"]), "valid_from": begin},
            {"member_id": "M", "manager_id": "N", "valid_from": begin},
            {"member_id": "N", "valid_from": begin},
        ]
        if self.chance(0.5):
            rows.append({"member_id": "B", "manager_id": "N", "valid_from": middle})
        self.inputs["team_members"] = rows
        credit = pick.choice([["rollup"], ["seller", "rollup"]])
        if self.chance(0.4):
            for row in rows:
                row["team"] = "Red" if row["member_id"] != "N" else "Blue"
            window = {"valid_from": self.periods[0].start, "valid_to": self.periods[0].end}
            for team in ("Red", "Blue")[: pick.randint(1, 2)]:
                self.targets.append({"subject_type": "team", "subject_id": team, "target_value": self.target, **window})
            target = {"metric": "net_revenue", "subject": "team", "prorate": "none"}
            self.component(
                "a", "net_revenue", credit=credit, target=target, rate=self.rate("net_revenue", ("attainment",))
            )
        else:
            self.component("a", "net_revenue", credit=credit)
        for _ in range(pick.randint(1, 6)):
            self.sale(self.periods[0], pick.choice(["A", "B"]))

    def about_dealers(self) -> None:
        """Rebates."""
        self.by_dealer = True
        self.plan["payee"] = "dealer"
        self.payees = [{"payee_id": "D1"}, {"payee_id": "D2"}]
        self.component("volume", self.random.choice(["net_revenue", "units"]), credit=["dealer"])
        if self.chance(0.4):
            start = self.periods[0].start
            found = self.plan["components"][0]
            if found["measure"]["of"] == "net_revenue":
                found["target"] = {"from": "last_year", "factor": dec(self.random.choice(["1", "1.1"]))}
                found["rate"] = self.rate("net_revenue", ("attainment",))
                for payee in self.names:
                    if self.chance(0.8):
                        row = self.sale(self.periods[0], payee, self.target)[0]
                        row["sale_date"] = start.replace(year=start.year - 1)
        self.some_sales(0, 4)

    def about_targets(self) -> None:
        """Targets of the feed: prorated, in season, ramped, for joiners, leavers and those on leave."""
        pick = self.random
        period = self.periods[0]
        stated: Row = {"metric": "net_revenue"}
        joins = self.chance(0.5)
        stated["prorate"] = pick.choice(["calendar_days", "calendar_days", "working_days", "months", "none", "equal"])
        window = (period.start, period.end)
        if self.chance(0.25) and self.plan["period"] != "year":
            keys = (
                [f"Q{number}" for number in range(1, 5)]
                if self.chance(0.6)
                else [f"M{number:02d}" for number in range(1, 13)]
            )
            stated["season"] = {key: dec(pick.choice([10, 20, 40, "7.5"])) for key in keys}
            window = (period.year.start, period.year.end)
        if self.chance(0.25):
            stated["ramp"] = [dec(part) for part in pick.choice([["0.25", "0.5"], ["0", "0.5"], ["0.333333"]])]
        for row in self.payees:
            if joins:
                row["valid_from"] = pick.choice([period.start, self.day_in(period), period.shifted(-1).start])
                if row["valid_from"] < date(2026, 1, 1):
                    row["valid_from"] = period.start
            if self.chance(0.85):
                value = dec(pick.choice([self.target, self.target, self.target, 0, self.target / 3 // CENT * CENT]))
                self.targets.append(
                    {
                        "subject_id": row["payee_id"],
                        "target_value": value,
                        "valid_from": window[0],
                        "valid_to": window[1],
                    }
                )
        if "season" not in stated and self.plan["period"] == "quarter" and self.chance(0.3):
            for row in self.targets:  # in months inside the period
                row["valid_to"] = row["valid_from"].replace(month=row["valid_from"].month + 1)
        if self.chance(0.4):
            kind = pick.choice(["vacation", "parental"])
            start = self.day_in(period)
            self.inputs["absences"] = [
                {
                    "member_id": self.names[0],
                    "kind": kind,
                    "is_paid": True,
                    "valid_from": start,
                    "valid_to": start + timedelta(pick.choice([1, 7, 14])),
                    "absence_pct": dec(pick.choice([100, 50])),
                }
            ]
        if self.chance(0.5):
            self.give_pay()
        self.component("a", "net_revenue", target=stated, rate=self.rate("net_revenue", ("attainment",)))
        self.some_sales(0, 3)
        for payee in self.names:
            if self.chance(0.5):
                self.sale(period, payee, pick.choice([self.target, self.target / 2, self.target / 4]).quantize(CENT))

    def about_kpi(self) -> None:
        """Bonuses by KPIs."""
        pick = self.random
        self.give_pay()
        values: list[Row] = []
        for code, kpi in (("a", "csat_pct"), ("b", "resolution_hours"))[: pick.randint(1, 2)]:
            lower = kpi == "resolution_hours"
            target = dec("0.85") if not lower else dec(20)
            if self.chance(0.5):
                rate: Row = {
                    "basis": "attainment",
                    "rule": "curve",
                    "pays": "payout_pct",
                    "outside": "edge",
                    "points": [
                        {"at": dec(0), "value": dec(0)},
                        {"at": dec(1), "value": dec(100)},
                        {"at": dec("1.2"), "value": dec(150)},
                    ],
                }
            else:
                bands = [{"from": dec("0.9"), "to": dec(1), "value": dec(50)}, {"from": dec(1), "value": dec(100)}]
                rate = {
                    "basis": "attainment",
                    "rule": "whole_base",
                    "pays": pick.choice(["payout_pct", "fixed"]),
                    "outside": "zero",
                    "bands": bands,
                }
            self.plan["components"].append(
                {
                    "id": code,
                    "measure": {"kpi": kpi},
                    "target": {"value": target, "prorate": "none"},
                    "weight_pct": dec(pick.choice([100, 60, 40])),
                    "rate": rate,
                }
            )
            company = self.chance(0.2) and not lower
            if company:
                self.plan["components"][-1]["measure"]["subject"] = "company"
                values.append(
                    {
                        "kpi_code": kpi,
                        "subject_type": "company",
                        "subject_id": "company",
                        "value": dec(pick.choice(["0.85", "0.9"])),
                    }
                )
            for payee in [] if company else self.names:
                if self.chance(0.85):
                    marks = ["0.85", "0.765", "0.84", "1", "0.9"] if not lower else ["20", "25", "16", "22.5"]
                    values.append({"kpi_code": kpi, "subject_id": payee, "value": dec(pick.choice(marks))})
        self.inputs["kpi_values"] = values

    def about_gates(self) -> None:
        """Gates and modifiers."""
        pick = self.random
        mark = dec(pick.choice(["0.8", "0.85"]))
        found = self.component("a", "net_revenue", rate=self.rate("net_revenue", ("none", "amount", "attainment")))
        gates: list[Row] = []
        for _ in range(pick.choice([0, 1, 1, 2])):
            then: Row = pick.choice(
                [
                    {"factor": dec(0)},
                    {"factor": dec("0.5")},
                    {"factor": dec("0.333333")},
                    {"rate": {"basis": "none", "value": dec("0.75")}},
                ]
            )
            if self.chance(0.1):
                then = {"hold": True}
            gates.append({"kpi": "csat_pct", pick.choice(["below", "at_most"]): mark, "then": then})
        if self.chance(0.4):
            other = self.component(
                "b", "net_revenue", target={"value": self.target}, rate={"basis": "none", "value": self.percent()}
            )
            gates.append(
                {
                    "weighted": [{"component": other["id"], "weight": dec(pick.choice([1, 60]))}],
                    pick.choice(["below", "at_most"]): dec(pick.choice(["0.5", "1"])),
                    "then": {"factor": dec("0.5")},
                }
            )
            self.marks += [self.target, self.target / 2]
        if gates:
            found["gates"] = gates
        if not gates or self.chance(0.5):
            found["modifier"] = {
                "by": "peer_rating_mean",
                "curve": [{"value": dec(2), "factor": dec("0.9")}, {"value": dec(4), "factor": dec("1.1")}],
            }
        values = []
        for payee in self.names:
            if self.chance(0.9):
                values.append(
                    {
                        "kpi_code": "csat_pct",
                        "subject_id": payee,
                        "value": mark + dec(pick.choice(["0", "-0.01", "0.01", "0.000001"])),
                    }
                )
            if self.chance(0.8):
                values.append(
                    {
                        "kpi_code": "peer_rating_mean",
                        "subject_id": payee,
                        "value": dec(pick.choice(["1", "2", "3.3", "4", "5"])),
                    }
                )
        self.inputs["kpi_values"] = values
        self.some_sales(0, 4)

    def about_limits(self) -> None:
        """Floors and caps of components and statements."""
        pick = self.random
        if self.chance(0.5):
            self.give_pay()
        for code in "ab"[: pick.randint(1, 2)]:
            limits: Row = {}
            if self.chance(0.5):
                limits["cap"] = dec(pick.choice([10, "33.33", 100]))
            if self.chance(0.4):
                limits["floor"] = dec(pick.choice(["5", "9.99"]))
            if "target_pay" in self.plan and self.chance(0.5):
                limits["cap_pct"] = dec(pick.choice([5, "12.5", 100]))
            self.component(code, "net_revenue", limits=limits, rate=self.rate("net_revenue", ("none", "amount")))
        if self.chance(0.4):
            self.plan["limits"] = pick.choice(
                [{"cap": dec(50)}, {"floor": dec(20)}, {"floor": dec(20), "cap": dec(50)}]
            )
        if self.chance(0.3):
            self.payees[0]["valid_from"] = self.day_in(self.periods[0])
        self.some_sales()

    def about_excess(self) -> None:
        """What a cap cuts off waits for later periods."""
        self.span(4)
        cap = dec(self.random.choice([20, "33.33", 50]))
        value = dec(self.random.choice([5, 8, "2.5"]))
        self.marks.append(cap * 100 / value // CENT * CENT)
        self.component(
            "a", "net_revenue", limits={"cap": cap, "carry_excess": True}, rate={"basis": "none", "value": value}
        )
        self.some_sales(0, 2)

    def later_backs(self, chance: float, kind: str | None = None) -> None:
        """What comes back in later periods than that of the sale."""
        for row in list(self.sales):
            if "original_transaction_id" in row:
                continue
            own = of_day(self.plan["period"], row["sale_date"])
            later = [period for period in self.periods if period.start > own.start]
            for _ in range(2):
                if later and self.chance(chance):
                    self.back(row, self.random.choice(later), kind=kind)

    def about_returns(self) -> None:
        """What comes back at the rate of its sale, in the period and later."""
        self.span(3)
        pick = self.random
        accumulate = pick.choice(["period", "period", "transaction"])
        rules = ("marginal", "marginal", "whole_base", "interpolated")
        of = pick.choice(["net_revenue", "net_revenue", "net_revenue", "units", "gross_revenue", "gross_margin"])
        rate = self.rate(of, ("amount", "none", "attainment") if accumulate == "period" else ("amount", "none"), rules)
        if rate["pays"] == "fixed" and rate["basis"] == "none":
            rate = {"basis": "none", "pays": "per_unit", "value": dec("2.5")}
        self.component("a", of, accumulate=accumulate, rate=rate)
        self.some_sales(1, 3, lines=rate["pays"] != "per_unit")
        if self.chance(0.3) and accumulate == "period":
            self.backs_inside(0.2)
        self.later_backs(0.4)

    def about_rerate(self) -> None:
        """What comes back lets the old period be reckoned anew."""
        self.span(3)
        accumulate = self.random.choice(["period", "period", "transaction"])
        bases = ("amount", "none", "attainment") if accumulate == "period" else ("amount", "none", "units")
        rate = self.rate("net_revenue", bases)
        found = self.component("a", "net_revenue", returns="rerate", accumulate=accumulate, rate=rate)
        self.judge(found, carries=True)
        self.some_sales(1, 3)
        self.later_backs(0.4)

    def judge(self, component: Row, *, carries: bool) -> None:
        """Limits, gates and linked measures that differ from period to period, for a component whose periods may change."""
        pick = self.random
        if self.chance(0.5):
            component["limits"] = pick.choice(
                [{"cap": dec(20)}, {"cap": dec("33.33")}, {"floor": dec(5)}, {"floor": dec(5), "cap": dec(50)}]
            )
        if carries and "cap" in component.get("limits", {}) and self.chance(0.3):
            component["limits"]["carry_excess"] = True
        if self.chance(0.3):
            then: Row = pick.choice(
                [{"factor": dec("0.5")}, {"factor": dec(0)}, {"rate": {"basis": "none", "value": dec("0.75")}}]
            )
            component["gates"] = [{"kpi": "csat_pct", "below": dec("0.8"), "then": then}]
        if self.chance(0.3):
            curve = [{"value": dec(2), "factor": dec("0.9")}, {"value": dec(4), "factor": dec("1.1")}]
            component["modifier"] = {"by": "peer_rating_mean", "curve": curve}
        values = [
            {"kpi_code": code, "subject_id": payee, "period": period.name, "value": dec(pick.choice(of))}
            for code, of, is_asked in (
                ("csat_pct", ["0.79", "0.8"], "gates" in component),
                ("peer_rating_mean", ["1.5", "2.5", "3", "3.7"], "modifier" in component),
            )
            for payee in self.names
            for period in self.periods
            if is_asked and self.chance(0.9)
        ]
        if values:
            self.inputs["kpi_values"] = values

    def about_clawback(self) -> None:
        """Windows and parts of what is taken back."""
        self.span(4)
        pick = self.random
        on = pick.choice(["return", "return", "cancel", "leaver"])
        take = pick.choice(["all", {"pct": dec(pick.choice([50, "33.3333"]))}, {"linear_months": pick.choice([3, 12])}])
        claw: Row = {"on": on, "within_days": pick.choice([20, 45, 60]), "take": take}
        self.component(
            "a",
            "net_revenue",
            clawback=claw,
            rate=self.rate("net_revenue", ("none", "amount"), ("marginal", "whole_base")),
        )
        self.some_sales(1, 2)
        if on == "leaver":
            left = self.day_in(self.periods[-1])
            if left == self.periods[-1].start:
                left = next_day(left)
            self.inputs["team_members"] = [{"member_id": self.names[0], "left_date": left}]
        else:
            self.later_backs(0.6)
            for row in list(self.sales):  # just inside and just outside of the window
                if "original_transaction_id" not in row and self.chance(0.5):
                    when = row["sale_date"] + timedelta(claw["within_days"] + pick.choice([0, 1]))
                    found = self.back(row, of_day(self.plan["period"], when))
                    if found is not None:
                        found["sale_date"] = when
        if self.plan["components"][0]["rate"].get("pays") == "fixed":
            self.plan["components"][0]["rate"] = {"basis": "none", "value": dec(10)}

    def about_negative(self) -> None:
        """Below zero: taken back, carried or left."""
        self.about_returns()
        self.plan["components"][0]["negative"] = self.random.choice(["carry", "carry", "zero", "pay"])

    def about_collected(self) -> None:
        """Paid as the money comes in."""
        self.span(3)
        pick = self.random
        of = pick.choice(["net_revenue", "collected_amount"])
        counts = pick.choice(["payment_period", "sale_period"])
        more: Row = {"collected_counts_in": counts}
        if of == "net_revenue" or self.chance(0.5):
            more["trigger"] = "collected"
        self.component(
            "a",
            of,
            **more,
            rate=self.rate(of, ("none", "amount"), ("marginal", "whole_base", "whole_overage", "rate_from_start")),
        )
        rate = self.plan["components"][0]["rate"]
        if rate.get("pays") in ("fixed", "per_unit"):
            self.plan["components"][0]["rate"] = {"basis": "none", "value": self.percent()}
        if counts == "sale_period":
            self.judge(self.plan["components"][0], carries=False)
        self.some_sales(1, 2)
        self.some_payments()

    def about_shares(self) -> None:
        """A part with the invoice, the rest with the money."""
        self.span(3)
        invoiced = dec(self.random.choice([50, 60, 75, "33.3333"]))
        shares = [{"on": "invoiced", "pct": invoiced}, {"on": "collected", "pct": 100 - invoiced}]
        self.component(
            "a",
            "net_revenue",
            trigger={"shares": shares},
            rate=self.rate("net_revenue", ("none", "amount"), ("marginal", "whole_base")),
        )
        rate = self.plan["components"][0]["rate"]
        if rate.get("pays") == "fixed":
            self.plan["components"][0]["rate"] = {"basis": "none", "value": self.percent()}
        self.some_sales(1, 2)
        self.some_payments(refunds=False)

    def about_holdback(self) -> None:
        """A part waits for its release."""
        self.span(5)
        pick = self.random
        release: Row = pick.choice(
            [
                {"after_days": pick.choice([1, 30, 59, 60, 90])},
                {"at": "year_end"},
                {"at": "collected"},
                {"at": "clawback_end"},
            ]
        )
        payout: Row = {"hold_pct": dec(pick.choice([10, 30, "33.3333", 50])), "release": release}
        if self.chance(0.3):
            payout["instalments"] = {"n": 2, "every": "month"}
        more: Row = {"payout": payout}
        if release.get("at") == "clawback_end":
            more["clawback"] = {"on": "return", "within_days": pick.choice([30, 60])}
        accumulate = pick.choice(["period", "period", "year_to_date"])
        self.component(
            "a", "net_revenue", **more, accumulate=accumulate, rate={"basis": "none", "value": self.percent()}
        )
        # Money for a line that came back goes over to the other lines of its document, so there are none.
        comes_back = release.get("at") == "collected" and self.chance(0.5)
        self.some_sales(0, 2, lines=not comes_back)
        if release.get("at") == "collected":
            self.some_payments(refunds=False)
            if comes_back:
                self.later_backs(0.3)
        elif self.chance(0.3):
            self.backs_inside(0.3)

    def about_instalments(self) -> None:
        """In equal parts that are the whole."""
        self.span(5)
        n = self.random.choice([2, 3, 4, 7])
        payout = {"instalments": {"n": n, "every": self.random.choice(["month", "quarter"])}}
        self.component("a", "net_revenue", payout=payout, rate={"basis": "none", "value": self.percent()})
        self.some_sales(0, 2)

    def about_draws(self) -> None:
        """Guarantees and draws over several periods."""
        self.span(5)
        pick = self.random
        self.component("a", "net_revenue", rate={"basis": "none", "value": dec(pick.choice([10, 100, "12.5"]))})
        draws: list[Row] = []
        kind = pick.choice(["guarantee", "guarantee", "on_top", "ahead"])
        draw: Row = {
            "kind": kind,
            "amount": dec(pick.choice([100, 500, "333.33"])),
            "per": pick.choice(["month", "period"]),
        }
        if kind == "ahead" or self.chance(0.7):
            if kind != "ahead":
                draw["recoverable"] = True
            draw["recover_from"] = pick.choice([1, 2, 3])
            draw["recover_pct"] = dec(pick.choice([100, 50, "33.3333"]))
            draw["never_below"] = dec(pick.choice([0, 0, 50, 400]))
        if kind != "guarantee":
            draw["periods"] = pick.choice([1, 2, 3])
        elif self.chance(0.5):
            draw["periods"] = 12
        if self.chance(0.3):
            draw["prorate"] = pick.choice(["none", "months", "working_days"])
        draws.append(draw)
        if self.chance(0.3):
            second = "on_top" if kind == "ahead" or "recoverable" in draw else pick.choice(["on_top", "guarantee"])
            draws.append({"kind": second, "amount": dec(pick.choice([50, 150])), "prorate": "none"})
        self.plan["draws"] = draws
        for row in self.payees:
            row["valid_from"] = pick.choice([self.periods[0].start, self.day_in(self.periods[0])])
        self.some_sales(0, 2)

    def about_spiffs(self) -> None:
        """Extras for single deals."""
        pick = self.random
        self.give_pay()
        self.component(
            "a",
            "net_revenue",
            target={"value": self.target},
            weight_pct=dec(pick.choice([100, 60])),
            rate=self.rate("net_revenue", ("none", "amount")),
        )
        spiff: Row = {
            "id": "extra",
            "of": "a",
            "pays": pick.choice(["fixed", "pct_of_target_pay"]),
            "value": dec(pick.choice([25, "12.5"])),
        }
        if self.chance(0.5):
            half = (self.scale / 2).quantize(CENT)
            spiff["minimum"] = {"deal_amount": half}
            self.marks.append(half)
        if self.chance(0.5):
            spiff["filter"] = {"product": ["P1"]}
        if self.chance(0.4):
            spiff["proportional"] = True
        self.plan["spiffs"] = [spiff]
        self.some_sales(1, 4, lines=False)

    def about_leavers(self) -> None:
        """Who leaves within the period."""
        pick = self.random
        if self.chance(0.8):
            self.plan["leaver"] = {
                "must_be_employed": "period_end",
                "otherwise": pick.choice(["forfeit", "prorate", "pay_earned"]),
            }
        period = self.periods[0]
        left = period.start + timedelta(pick.choice([1, period.length // 2, period.length - 1, period.length]))
        self.inputs["team_members"] = [{"member_id": self.names[0], "left_date": left}]
        self.component("a", "net_revenue", rate=self.rate("net_revenue", ("none", "amount")))
        self.some_sales(1, 4)

    def about_late(self) -> None:
        """Sales that are learnt after their period was closed."""
        self.span(2)
        self.component("a", "net_revenue", rate=self.rate("net_revenue", ("none", "amount", "attainment")))
        rate = self.plan["components"][0]["rate"]
        flat = rate["basis"] == "none" and rate["pays"] != "fixed"
        self.plan["late_facts"] = self.random.choice(["adjust", "corrective"]) if flat else "adjust"
        if len(self.periods) < 2:
            self.some_sales(1, 2)
            return
        for payee in self.names:
            self.sale(self.periods[0], payee)
        self.some_sales(0, 2)
        for payee in self.names:
            for _ in range(self.random.choice([0, 1, 1, 2])):
                row = self.sale(self.periods[0], payee)[0]
                self.known_from[row["transaction_id"]] = 1

    def about_currency(self) -> None:
        """Documents in other currencies than the pay."""
        pick = self.random
        self.plan["rate_type"] = pick.choice(["plan", "market"])
        if self.chance(0.3):
            self.plan["currency"] = "CNY"
        else:
            for row in self.payees:
                row["currency_code"] = "CNY"
        middle = self.periods[0].start + timedelta(self.periods[0].length // 2)
        self.inputs["fx_rates"] = [
            {
                "rate_date": when,
                "from_currency_code": "USD",
                "to_currency_code": "CNY",
                "rate_type": kind,
                "rate": dec(rate),
            }
            for when, rates in ((date(2025, 12, 1), ("7.1", "7.2")), (middle, ("7.1", "7.3333")))
            for kind, rate in zip(("plan", "market"), rates, strict=True)
        ]
        more: Row = {}
        if self.chance(0.3):
            more["rate_type"] = pick.choice(["plan", "market"])
        rate = self.rate("net_revenue", ("none", "amount"))
        if self.chance(0.25):
            more["currency"] = "document"
            rate = self.rate("net_revenue", ("amount",), ("marginal", "whole_base"), target_pay=False)
            if rate["pays"] not in ("pct", "base_rate_factor"):
                rate = {"basis": "none", "pays": "pct", "value": self.percent()}
        self.component("a", "net_revenue", **more, rate=rate)
        self.some_sales(1, 4, lines=False)
        for row in self.sales:
            row["currency_code"] = pick.choice(["CNY", "USD"])
        if self.chance(0.15) and self.sales:
            self.sales[0]["currency_code"] = "EUR"  # of which there is no rate

    def about_target_pay(self) -> None:
        """Target pay that is raised, or not known, and unpaid leave."""
        pick = self.random
        self.give_pay()
        if self.chance(0.1):
            del self.payees[-1]["target_pay_amount"]
        period = self.periods[0]
        if self.chance(0.7):
            first = self.payees[0]
            when = max(self.day_in(period), next_day(period.start))
            first["valid_to"] = when
            self.payees.append(
                {
                    **first,
                    "valid_from": when,
                    "valid_to": None,
                    "target_pay_amount": first.get("target_pay_amount", dec(500)) * 2,
                }
            )
            del self.payees[-1]["valid_to"]
        if self.chance(0.5):
            start = self.day_in(period)
            self.inputs["absences"] = [
                {
                    "member_id": self.names[0],
                    "kind": "unpaid",
                    "is_paid": False,
                    "valid_from": start,
                    "valid_to": start + timedelta(pick.choice([3, 10])),
                    "absence_pct": dec(pick.choice([100, 50])),
                }
            ]
        rate = self.rate("net_revenue", ("attainment",), ("marginal", "whole_base", "curve"))
        self.component(
            "a",
            "net_revenue",
            target={"value": self.target, "prorate": pick.choice(["calendar_days", "none"])},
            weight_pct=dec(pick.choice([100, 60])),
            rate=rate,
        )
        self.some_sales(0, 3)

    def about_proposals(self) -> None:
        """Newcomers' ramps over several periods, and what is proposed for who reaches a mark in a row."""
        self.span(4)
        pick = self.random
        for row in self.payees:
            row["valid_from"] = pick.choice(
                [self.periods[0].start, self.day_in(self.periods[0]), self.periods[-1].start]
            )
        target: Row = {"value": self.target, "prorate": pick.choice(["none", "calendar_days", "months"])}
        if self.chance(0.7):
            target["ramp"] = [dec("0.25"), dec("0.5")]
        self.component("a", "net_revenue", target=target, rate=self.rate("net_revenue", ("attainment", "none")))
        self.plan["proposals"] = [
            {
                "if": {"attainment": {"from": dec(1)}, "periods": pick.choice([1, 2, 3])},
                "award": "recognition",
                "name": "Star",
            },
            {
                "if": {"attainment": {"from": dec("1.2")}, "component": "a"},
                "award": "benefit",
                "name": "A weekend",
                "value": dec(300),
            },
        ]
        self.marks += [self.target, self.target * dec("1.2")]
        self.some_sales(0, 2)
        for period in self.periods:
            self.to_a_mark(period, pick.choice(self.names))

    def about_mixed(self) -> None:
        """Several components of one period, each with some of everything that does not need other periods."""
        pick = self.random
        period = self.periods[0]
        self.give_pay()
        self.know_products()
        values = self.inputs["kpi_values"] = []
        for payee in self.names:
            for code, marks in (("csat_pct", ["0.8", "0.79", "0.9"]), ("peer_rating_mean", ["2", "3.3", "4.5"])):
                if self.chance(0.85):
                    values.append({"kpi_code": code, "subject_id": payee, "value": dec(pick.choice(marks))})
        for row in self.payees:
            if self.chance(0.3):
                row["valid_from"] = self.day_in(period)
        for code in "abc"[: pick.randint(2, 3)]:
            more: Row = {"weight_pct": dec(pick.choice([100, 60, 40, "33.3333"]))}
            if self.chance(0.4):
                more["filter"] = pick.choice(
                    [
                        {"product_category": ["Bikes"]},
                        {"dealer_tier": ["A", "B"]},
                        {"discount_pct": {"to": dec("0.05")}},
                    ]
                )
            if self.chance(0.3):
                more["gates"] = [
                    {
                        "kpi": "csat_pct",
                        "below": dec("0.8"),
                        "then": pick.choice([{"factor": dec("0.5")}, {"factor": dec(0)}]),
                    }
                ]
            elif self.chance(0.3):
                points = [{"value": dec(2), "factor": dec("0.9")}, {"value": dec(4), "factor": dec("1.1")}]
                more["modifier"] = {"by": "peer_rating_mean", "curve": points}
            if self.chance(0.3):
                more["limits"] = pick.choice([{"cap": dec("99.99")}, {"floor": dec(7)}, {"cap_pct": dec("12.5")}])
            if self.chance(0.3):
                more["target"] = {
                    "value": self.target,
                    "prorate": pick.choice(["none", "calendar_days", "working_days"]),
                }
            self.component(code, None if "limits" not in more else "net_revenue", **more)
        if self.chance(0.25):
            self.plan["limits"] = {"cap": dec(pick.choice([200, 1000]))}
        if self.chance(0.3):
            self.plan["leaver"] = {"must_be_employed": "period_end", "otherwise": pick.choice(["forfeit", "prorate"])}
            left = max(self.day_in(period), *(next_day(row.get("valid_from", period.start)) for row in self.payees))
            self.inputs["team_members"] = [{"member_id": self.names[-1], "left_date": left}]
        if self.chance(0.3):
            self.plan["draws"] = [
                {"kind": pick.choice(["guarantee", "on_top"]), "pct_of_target_pay": dec(pick.choice([5, 50]))}
            ]
        if self.chance(0.3):
            self.plan["spiffs"] = [{"id": "extra", "of": "a", "value": dec(15), "filter": {"product": ["P1", "P2"]}}]
        self.some_sales(1, 4, lines=False)

    def about_life(self) -> None:
        """Several components over several periods, with draws on the statement."""
        self.span(4)
        pick = self.random
        rules = ("marginal", "whole_base", "interpolated")
        self.component(
            "a",
            "net_revenue",
            rate=self.rate("net_revenue", ("amount", "none"), rules),
            negative=pick.choice(["pay", "carry", "zero"]),
        )
        if self.plan["components"][0]["rate"]["pays"] in ("fixed", "per_unit"):
            self.plan["components"][0]["rate"] = {"basis": "none", "pays": "pct", "value": dec("2.5")}
        second = pick.choice(["year", "instalments", "hold", "excess", "documents"])
        more: Row = {}
        if second == "year":
            more["accumulate"] = "year_to_date"
        elif second == "instalments":
            more["payout"] = {"instalments": {"n": pick.choice([2, 3]), "every": "month"}}
        elif second == "hold":
            more["payout"] = {"hold_pct": dec(25), "release": pick.choice([{"after_days": 60}, {"at": "year_end"}])}
        elif second == "excess":
            more["limits"] = {"cap": dec(30), "carry_excess": True}
        else:
            more["accumulate"] = "transaction"
        rate = self.rate("net_revenue", ("amount", "none"), ("marginal", "whole_base"), target_pay=False)
        if rate["pays"] in ("fixed", "per_unit"):
            rate = {"basis": "none", "pays": "pct", "value": dec("1.25")}
        # Only what the first component does not have comes back, so that nothing held or capped is taken back.
        self.plan["components"][0]["filter"] = {"product": ["P1", "P2"]}
        self.component("b", "net_revenue", **more, rate=rate, filter={"product": ["P3"]})
        if self.chance(0.6):
            draw: Row = {
                "kind": pick.choice(["guarantee", "on_top"]),
                "amount": dec(pick.choice([50, "66.67"])),
                "prorate": "none",
            }
            if self.chance(0.6) and self.plan["components"][0]["negative"] != "pay":
                draw |= {
                    "recoverable": True,
                    "recover_from": pick.choice([1, 3]),
                    "recover_pct": dec(pick.choice([100, 50])),
                }
            if self.plan["components"][0]["negative"] == "pay":
                draw["kind"] = "on_top"
            self.plan["draws"] = [draw]
            for row in self.payees:  # else draws of periods before would be owed, which a case of the year reckons too
                row["valid_from"] = self.periods[0].start
        if self.chance(0.3):
            self.payees[-1]["valid_from"] = self.day_in(self.periods[min(1, len(self.periods) - 1)])
        self.some_sales(1, 3, lines=False)
        for row in list(self.sales):
            if row["product_id"] != "P3" and self.chance(0.3):
                later = pick.choice(self.periods)
                if later.start > row["sale_date"] or later.holds(row["sale_date"]):
                    self.back(row, later)
