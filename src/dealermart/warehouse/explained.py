"""A statement with all that it follows from, read from the marts and the stages of the last good build.

Nothing is reckoned here: amounts, targets, attainments, factors and balances are those that the tables hold. Only what
is credited by role is a sum of rows of ``mart_incentive__credit``, and rows are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb

from dealermart.base import BuildError, ConfigError, Settings, UsageError, connect
from dealermart.config import FilterRow, RateRow, load_plan, load_registry, plan_parts, row_words
from dealermart.warehouse.build import finished
from dealermart.warehouse.canonical import model_hash
from dealermart.warehouse.plan_tables import LISTS, PAID, RANGES

Row = dict[str, Any]

LARGEST = 20  # rows of files that are named of each component; where one line is asked for, all of it

_NAMED = 20  # payees, periods or lines that an error names

# What is told of a component besides its id.
_KNOWN = (
    "component_no",
    "component_name",
    "component_name_zh",
    "kind",
    "of_component_id",
    "measure",
    "kpi_code",
    "accumulate",
    "prorate",
    "weight_pct",
)

# Lines that stand beside the components.
_BESIDE = ("statement", "adjustment")

# What becomes of what was earned, in the order of the stages.
_STAGES = (
    "earned",
    "gate",
    "modifier",
    "rule_limit",
    "limit",
    "excess",
    "leaver",
    "reversal",
    "negative",
    "hold",
    "uncollected",
    "instalment",
    "release",
    "late",
)


@dataclass(frozen=True)
class Asked:
    """Which statements are to be explained.

    Attributes:
        payee_type: Member or dealer; None where the code is of one of them only.
        plan: Only the statement of this plan.
        line: Only this line, with its component.
    """

    payee: str
    period: str
    payee_type: str | None = None
    plan: str | None = None
    line: str | None = None


def explain(settings: Settings, asked: Asked, language: Literal["en", "zh"] = "en") -> Row:
    """Everything that the last good build holds of a payee's statements of a period, as nested rows.

    Args:
        language: Of the plan's sentences; all else is as it stands in the tables.

    Raises:
        BuildError: there is no finished build, or it has no statements. UsageError: there is no such payee, period,
            plan or line; says which there are.
    """
    built = finished(settings)
    con = connect(settings, settings.warehouse, read_only=True)
    try:
        return {**_Reader(con, settings, asked, language).told(), "built": built}
    except duckdb.CatalogException:
        raise BuildError(
            "the warehouse has no statements", where=str(settings.warehouse), mend="run `dealermart build --full`"
        ) from None
    finally:
        con.close()


class _Reader:
    """Reads the tables for one payee and period."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, settings: Settings, asked: Asked, language: Literal["en", "zh"]
    ) -> None:
        self.con, self.settings, self.asked, self.language = con, settings, asked, language

    def rows(self, sql: str, **values: Any) -> list[Row]:
        result = self.con.execute(sql, values)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def column(self, sql: str, **values: Any) -> list[Any]:
        return [row[0] for row in self.con.execute(sql, values).fetchall()]

    # ------------------------------------------------------------------------------------- what there is

    def told(self) -> Row:
        payee_type = self._payee_type()
        key = {"payee_type": payee_type, "payee_id": self.asked.payee, "period_id": self.asked.period}
        statements = self._statements(key)
        if self.asked.line is not None:
            statements = self._of_line(key, statements)
        names = self.column(
            "select subject_name from marts.dim_subject where subject_type = $payee_type and subject_id = $payee_id",
            payee_type=payee_type,
            payee_id=self.asked.payee,
        )
        first = statements[0]
        return {
            **key,
            "payee_name": names[0] if names else None,
            "period_start": first["period_start"],
            "period_end": first["period_end"],
            "is_complete": first["is_complete"],
            "line": self.asked.line,
            "payouts": self.rows(
                """
                select currency_code, statement_count, held_line_count, amount from marts.mart_incentive__payout
                where
                    scenario_id = $scenario
                    and payee_type = $payee_type and payee_id = $payee_id and period_id = $period_id
                order by currency_code
                """,
                scenario=PAID,
                **key,
            ),
            "statements": [self._statement(statement) for statement in statements],
        }

    def _payee_type(self) -> str:
        """Member or dealer.

        Raises:
            UsageError: nobody of that code has a statement, or both a member and a dealer have.
        """
        payee, wanted = self.asked.payee, self.asked.payee_type
        types = self.column(
            """
            select distinct payee_type from marts.mart_incentive__statement
            where scenario_id = $scenario and payee_id = $payee order by payee_type
            """,
            scenario=PAID,
            payee=payee,
        )
        if wanted in types or (wanted is None and len(types) == 1):
            return str(wanted or types[0])
        if wanted is None and types:
            raise UsageError(
                f"{payee} is both a member and a dealer with statements", mend="add --payee-type member or dealer"
            )
        if types:
            raise UsageError(f"no {wanted} {payee} has a statement", mend=f"{payee} is a {types[0]}")
        known = self.column(
            """
            select distinct payee_id from marts.mart_incentive__statement
            where scenario_id = $scenario and payee_type = coalesce($wanted, payee_type) order by payee_id
            """,
            scenario=PAID,
            wanted=wanted,
        )
        raise UsageError(f"{wanted or 'payee'} {payee} has no statement in any period", mend=_there_are(known))

    def _statements(self, key: Row) -> list[Row]:
        """The payee's statements of the period.

        Raises:
            UsageError: there is none, or none of the plan.
        """
        found = self.rows(
            """
            select * from marts.mart_incentive__statement
            where scenario_id = $scenario and payee_type = $payee_type and payee_id = $payee_id
            order by period_start, plan_id, plan_version, currency_code
            """,
            scenario=PAID,
            payee_type=key["payee_type"],
            payee_id=key["payee_id"],
        )
        of_period = [row for row in found if row["period_id"] == self.asked.period]
        if not of_period:
            raise UsageError(
                f"{self.asked.payee} has no statement of {self.asked.period}",
                mend=_there_are(dict.fromkeys(row["period_id"] for row in found)),
            )
        of_plan = [row for row in of_period if self.asked.plan in (None, row["plan_id"])]
        if not of_plan:
            raise UsageError(
                f"{self.asked.payee} has no statement of the plan {self.asked.plan} in {self.asked.period}",
                mend=_there_are(dict.fromkeys(row["plan_id"] for row in of_period)),
            )
        return of_plan

    def _of_line(self, key: Row, statements: list[Row]) -> list[Row]:
        """The statement on which the line stands.

        Raises:
            UsageError: there is no such line.
        """
        lines = self.rows(
            """
            select statement_line_id, plan_id, plan_version, currency_code from marts.mart_incentive__statement_line
            where
                scenario_id = $scenario
                and payee_type = $payee_type and payee_id = $payee_id and period_id = $period_id
            order by plan_id, component_no, line_kind, line_detail
            """,
            scenario=PAID,
            **key,
        )
        place = ("plan_id", "plan_version", "currency_code")
        found = [
            statement
            for statement in statements
            for line in lines
            if line["statement_line_id"] == self.asked.line and all(line[name] == statement[name] for name in place)
        ]
        if not found:
            plans = {row["plan_id"] for row in statements}
            raise UsageError(
                f"the statement has no line {self.asked.line}",
                mend=_there_are(line["statement_line_id"] for line in lines if line["plan_id"] in plans),
            )
        return found

    # ------------------------------------------------------------------------------------- a statement

    def _statement(self, statement: Row) -> Row:
        at = {
            name: statement[name]
            for name in ("scenario_id", "payee_type", "payee_id", "plan_id", "plan_version", "period_id")
        }
        money = at | {"currency_code": statement["currency_code"]}
        lines = self._lines(money)
        if self.asked.line is not None:
            lines = [line for line in lines if line["statement_line_id"] == self.asked.line]
        words = self._words(statement)
        names: dict[str, Row] = {
            row["component_id"]: row
            for row in self.rows(
                f"""
                select component_id, {", ".join(_KNOWN)}
                from config.plan_component
                where scenario_id = $scenario_id and plan_id = $plan_id and plan_version = $plan_version
                """,
                **_plan_of(at),
            )
        }
        components = dict.fromkeys(line["component_id"] for line in lines if line["component_id"] not in _BESIDE)
        whole = self.asked.line is None
        return {
            **statement,
            "plan": _first(
                self.rows(
                    """
                    select plan_name, plan_name_zh, valid_from, valid_to from config.plan
                    where scenario_id = $scenario_id and plan_id = $plan_id and plan_version = $plan_version
                    """,
                    **_plan_of(at),
                )
            ),
            "words": words,
            "payee_period": self._payee_period(at),
            "components": [
                self._component(
                    money, names.get(name), name, [line for line in lines if line["component_id"] == name], words
                )
                for name in components
            ],
            "beside": [line for line in lines if line["component_id"] in _BESIDE],
            "adjustments": self._adjustments(lines),
            "draws": self._draws(money) if whole or any(line["component_id"] == "statement" for line in lines) else [],
            "untaken": self._untaken(at, statement) if whole else _NOTHING,
            "proposals": self._proposals(at) if whole else [],
        }

    def _lines(self, money: Row) -> list[Row]:
        """Lines of the statement; those that were earned with their rate and what they come to before rounding."""
        found = self.rows(
            """
            select
                line.*, earned.earned_period_id, earned.segment_no, earned.basis, earned.band_rule, earned.form,
                earned.earned_amount
            from marts.mart_incentive__statement_line as line
            left join intermediate.int_incentive__line as earned
                on
                    line.scenario_id = earned.scenario_id
                    and line.payee_type = earned.payee_type
                    and line.payee_id = earned.payee_id
                    and line.plan_id = earned.plan_id
                    and line.plan_version = earned.plan_version
                    and line.component_id = earned.component_id
                    and line.currency_code = earned.currency_code
                    and line.period_id = earned.period_id
                    and line.line_kind = 'earned'
                    and line.rule_no = earned.rule_no
                    and line.rate_rule_no = earned.rate_rule_no
                    and line.line_detail = cast(earned.rule_no as varchar) || '.' || cast(earned.segment_no as varchar)
                    || case
                        when earned.earned_period_id <> earned.period_id then ' ' || earned.earned_period_id else ''
                    end
            where
                line.scenario_id = $scenario_id
                and line.payee_type = $payee_type
                and line.payee_id = $payee_id
                and line.plan_id = $plan_id
                and line.plan_version = $plan_version
                and line.period_id = $period_id
                and line.currency_code = $currency_code
            order by
                line.component_no nulls last, line.component_id, earned.earned_period_id, line.rule_no,
                earned.segment_no, line.line_kind, line.line_detail
            """,
            **money,
        )
        order = {kind: number for number, kind in enumerate(_STAGES)}
        return sorted(
            found, key=lambda line: (line["component_no"] or len(found), order.get(line["line_kind"], len(order)))
        )

    def _payee_period(self, at: Row) -> Row | None:
        return _first(
            self.rows(f"select * from intermediate.int_incentive__payee_period where {_where('', *at)}", **at)
        )

    def _draws(self, money: Row) -> list[Row]:
        """Draws and guarantees; draw 0 is the limit of the statement. The movement is that of the balance."""
        return self.rows(
            f"""
            select drawn.draw_no, drawn.kind, drawn.is_recoverable, drawn.draw_amount, drawn.paid_amount,
                drawn.recovered_amount, drawn.opening_amount, balance.movement_amount, drawn.closing_amount
            from intermediate.int_incentive__drawn as drawn
            left join marts.mart_incentive__balance as balance
                on
                    {" and ".join(f"drawn.{name} = balance.{name}" for name in money)}
                    and balance.balance_kind = 'draw'
                    and drawn.draw_no = balance.draw_no
            where {_where("drawn.", *money)}
            order by drawn.draw_no
            """,
            **money,
        )

    def _adjustments(self, lines: list[Row]) -> list[Row]:
        """Manual adjustments behind the lines, with their rows of files."""
        ids = [line["line_detail"] for line in lines if line["line_kind"] == "adjustment"]
        return self.rows(
            """
            select adjustment_id, effective_date, amount, currency_code, reason, requested_by_id, approved_by_id,
                approved_date, _source, _source_file, _row_number
            from marts.fct_adjustment where list_contains($ids::varchar[], adjustment_id) order by adjustment_id
            """,
            ids=ids,
        )

    def _untaken(self, at: Row, statement: Row) -> Row:
        """What the payee is credited with in the period and no component of the plan takes."""
        values = {name: at[name] for name in at if name != "period_id"}
        condition = f"""
            {_where("credit.", *values)}
            and credit.component_id = 'none'
            and credit.event_date >= $period_start
            and credit.event_date < $period_end
        """
        values |= {"period_start": statement["period_start"], "period_end": statement["period_end"]}
        return self._events(condition, values)

    def _proposals(self, at: Row) -> list[Row]:
        return self.rows(
            f"""
            select proposal_no, award, proposal_name, proposal_name_zh, benefit_amount, currency_code, attainment,
                reached_count, reason
            from marts.mart_incentive__proposal where {_where("", *at)} order by proposal_no
            """,
            **at,
        )

    # ------------------------------------------------------------------------------------- a component

    def _component(self, money: Row, known: Row | None, name: str, lines: list[Row], words: Row) -> Row:
        here = money | {"component_id": name}
        at = {key: value for key, value in here.items() if key != "currency_code"}
        if self.asked.line is None:
            # What is not counted, or waits for a rate, may stand without a currency.
            events = self._events(
                f"{_where('credit.', *at)} and coalesce(credit.currency_code, $currency_code) = $currency_code", here
            )
        else:
            events = _NOTHING
        # What is reckoned anew bears the gates, factors and limits of the period that it is earned for.
        factors = self.rows(
            f"""
            select gated.*, nullif(gated.earned_period_id, gated.period_id) as earlier_period_id,
                component.modifier_kpi_code, kpi.kpi_name, kpi.kpi_name_zh
            from intermediate.int_incentive__gated as gated
            inner join config.plan_component as component
                using (scenario_id, plan_id, plan_version, component_id)
            left join marts.dim_kpi as kpi on component.modifier_kpi_code = kpi.kpi_code
            where {_where("gated.", *here)} order by gated.rule_no, gated.earned_period_id
            """,
            **here,
        )
        earned_for = sorted({at["period_id"], *(row["earned_period_id"] for row in factors)})
        return {
            "component_id": name,
            **(known or _unnamed(name)),
            "words": words["components"].get(name) or self._compiled(at),
            "credited": events,
            "target": self._target(at),
            "earned": [line for line in lines if line["line_kind"] == "earned"],
            "steps": [line for line in lines if line["line_kind"] != "earned"],
            "sources": self._sources([line["statement_line_id"] for line in lines]),
            "gates": self._gates(at, earned_for),
            "factors": factors,
            "limits": self.rows(
                f"""
                select *, nullif(earned_period_id, period_id) as earlier_period_id
                from intermediate.int_incentive__limited where {_where("", *here)} order by earned_period_id
                """,
                **here,
            ),
            "reversals": self._reversals(here),
            "due": self._due(here),
            "balances": self.rows(
                f"""
                select balance_kind, opening_amount, movement_amount, closing_amount
                from marts.mart_incentive__balance where {_where("", *here)} order by balance_kind
                """,
                **here,
            ),
            "late": self.rows(
                f"""
                select earlier_period_id, now_amount, paid_amount, amount, late_facts
                from intermediate.int_incentive__late where {_where("", *here)} order by earlier_period_id
                """,
                **here,
            ),
        }

    def _events(self, condition: str, values: Row) -> Row:
        """What is credited: by role, and the largest rows of files."""
        by_role = self.rows(
            f"""
            select rule_no, credit_role, event_kind, counted, count(*) as event_count,
                case when count(*) = count(measure_amount) then sum(measure_amount) end as measure_amount,
                case when count(*) = count(units) then sum(units) end as units, reason
            from marts.mart_incentive__credit as credit
            where {condition}
            group by rule_no, credit_role, event_kind, counted, reason
            order by rule_no, event_kind desc, credit_role, counted, reason
            """,
            **values,
        )
        rows = self.rows(
            f"""
            select credit.rule_no, credit.event_kind, credit.event_id, credit.event_line_no, credit.event_date,
                credit.transaction_id, credit.line_no, credit.credit_role, credit.credit_pct, credit.counted,
                credit.measure_amount, credit.units, credit.reason,
                coalesce(payment._source, event._source, sale._source) as _source,
                coalesce(payment._source_file, event._source_file, sale._source_file) as _source_file,
                coalesce(payment._row_number, event._row_number, sale._row_number) as _row_number
            from marts.mart_incentive__credit as credit
            left join marts.fct_sale_line as sale
                on credit.transaction_id = sale.transaction_id and credit.line_no = sale.line_no
            left join marts.fct_sale_line as event
                on
                    credit.event_kind = 'return'
                    and credit.event_id = event.transaction_id
                    and credit.event_line_no = event.line_no
            left join marts.fct_payment as payment
                on credit.event_kind = 'payment' and credit.event_id = payment.payment_id
            where {condition}
            order by
                abs(credit.measure_amount) desc nulls last, credit.event_date, credit.event_id, credit.event_line_no,
                credit.transaction_id, credit.line_no, credit.credit_role, credit.rule_no
            limit {LARGEST}
            """,
            **values,
        )
        return {"by_role": by_role, "rows": rows, "row_count": sum(row["event_count"] for row in by_role)}

    def _sources(self, lines: list[str]) -> Row:
        """The rows behind lines that bring most, of a single line all, and how many there are."""
        rows = self.rows(
            f"""
            select source.statement_line_id, line.line_kind, line.line_detail, line.band_no, source.source_feed,
                source.source_id, source.transaction_id, source.line_no, source._source, source._source_file,
                source._row_number, source.credit_role, source.is_paid_anew, source.credited_amount, source.amount
            from marts.mart_incentive__line_source as source
            inner join marts.mart_incentive__statement_line as line using (statement_line_id)
            where list_contains($lines::varchar[], source.statement_line_id)
            order by abs(source.amount) desc nulls last, abs(source.credited_amount) desc nulls last, line.line_kind,
                line.line_detail, source.source_id
            {f"limit {LARGEST}" if self.asked.line is None else ""}
            """,
            lines=lines,
        )
        (count,) = self.column(
            """
            select count(*) from marts.mart_incentive__line_source
            where list_contains($lines::varchar[], statement_line_id)
            """,
            lines=lines,
        )
        return {"rows": rows, "row_count": count}

    def _target(self, at: Row) -> Row | None:
        found = _first(self.rows(f"select * from intermediate.int_incentive__target where {_where('', *at)}", **at))
        if found is None:
            return None
        found["windows"] = self.rows(
            """
            select target.target_id, target.subject_type, target.subject_id, target.metric, target.product_category,
                target.valid_from, target.valid_to, target.target_value, target.unit,
                fact._source, fact._source_file, fact._row_number
            from intermediate.int_kpi__target as target
            left join marts.fct_target as fact using (target_id)
            where list_contains(string_split($ids, ', '), target.target_id)
            order by target.valid_from, target.target_id
            """,
            ids=found["target_ids"] or "",
        )
        found["season"] = self.rows(
            """
            select part_type, part_no, weight from config.plan_season
            where
                scenario_id = $scenario_id
                and plan_id = $plan_id and plan_version = $plan_version and component_id = $component_id
            order by part_no
            """,
            **_plan_of(at, "component_id"),
        )
        return found

    def _gates(self, at: Row, periods: list[str]) -> list[Row]:
        others = {name: value for name, value in at.items() if name != "period_id"}
        return self.rows(
            f"""
            select nullif(gate.period_id, $period_id) as earlier_period_id, gate.gate_no, gate.kpi_code, kpi.kpi_name,
                kpi.kpi_name_zh, gate.below, gate.at_most, gate.gate_value, gate.is_closed, gate.factor, gate.is_hold,
                gate.then_rate, gate.reason
            from intermediate.int_incentive__gate as gate
            left join marts.dim_kpi as kpi on gate.kpi_code = kpi.kpi_code
            where {_where("gate.", *others)} and list_contains($periods::varchar[], gate.period_id)
            order by gate.gate_no, gate.period_id
            """,
            **at,
            periods=periods,
        )

    def _reversals(self, here: Row) -> Row:
        """What came back of sales of earlier periods, with the sale and the period with whose pay it was paid."""
        rows = self.rows(
            f"""
            select reversed.event_kind, reversed.event_id, reversed.event_line_no, reversed.event_date,
                reversed.transaction_id, reversed.line_no, sale.sale_date, reversed.credit_role,
                reversed.sale_period_id, period.period_end as sale_period_end, reversed.measure_amount,
                reversed.taken_pct, reversed.earned_amount, reversed.reversed_amount,
                event._source, event._source_file, event._row_number, sale._source_file as sale_file,
                sale._row_number as sale_row_number
            from intermediate.int_incentive__reversed as reversed
            left join marts.dim_period as period on reversed.sale_period_id = period.period_id
            left join marts.fct_sale_line as sale
                on reversed.transaction_id = sale.transaction_id and reversed.line_no = sale.line_no
            left join marts.fct_sale_line as event
                on reversed.event_id = event.transaction_id and reversed.event_line_no = event.line_no
            where {_where("reversed.", *here)}
            order by abs(reversed.reversed_amount) desc nulls first, reversed.event_date, reversed.event_id,
                reversed.event_line_no, reversed.transaction_id, reversed.line_no, reversed.rule_no
            """,
            **here,
        )
        return {"rows": rows[:LARGEST], "row_count": len(rows)}

    def _due(self, here: Row) -> list[Row]:
        """What of the period's earnings is due when, and what earlier periods earned and is due now."""
        known = {name: here[name] for name in here if name != "period_id"}
        return self.rows(
            f"""
            select period_id as earned_period_id, part_kind, part_no, due_date, due_period_id, amount
            from intermediate.int_incentive__due
            where {_where("", *known)} and $period_id in (period_id, due_period_id)
            order by period_id = $period_id, period_id, part_kind, part_no
            """,
            **here,
        )

    # ------------------------------------------------------------------------------------- the plan in words

    def _words(self, statement: Row) -> Row:
        """Sentences of the plan file, where it still says what was paid."""
        nothing: Row = {"is_file_same": False, "plan": [], "components": {}}
        file = statement["plan_file"]
        path = self.settings.config / str(file)
        if file is None or not Path(path).is_file():
            return nothing
        try:
            plan = load_plan(path, load_registry(self.settings))
        except ConfigError:
            return nothing
        if model_hash(plan) != statement["plan_hash"]:
            return nothing
        parts = plan_parts(plan, self.language)
        return {"is_file_same": True, "plan": parts.whole, "components": parts.components}

    def _compiled(self, at: Row) -> list[str]:
        """Filter and rate tables as they were compiled for the build, where the file cannot say it."""
        key = _plan_of(at, "component_id")
        filters = self.rows(
            f"select * from config.plan_filter where {_where('', *key)} order by rule_no, alternative_no",
            **key,
        )
        rules = self.rows(f"select * from config.plan_rule where {_where('', *key)} order by rule_no", **key)
        segments = self.rows(
            f"select * from config.plan_segment where {_where('', *key)} order by rule_no, segment_no",
            **key,
        )
        rates = [
            RateRow(
                rule["rule_no"],
                rule["rule_name"],
                rule["basis"],
                rule["band_rule"],
                rule["pays"],
                rule["base_rate"],
                [
                    (segment["lower_bound"], segment["upper_bound"], segment["band_value"])
                    for segment in segments
                    if segment["rule_no"] == rule["rule_no"] and segment["band_value"] is not None
                ],
            )
            for rule in rules
        ]
        return row_words([_filter(row) for row in filters], rates, self.language)


_NOTHING: Row = {"by_role": [], "rows": [], "row_count": 0}


def _filter(row: Row) -> FilterRow:
    lists = {name: row[name].strip("|").split("|") for name in LISTS if row[name] is not None}
    ends: dict[str, tuple[Decimal | None, Decimal | None]] = {
        name: (row[f"{name}_from"], row[f"{name}_to"])
        for name in RANGES
        if row[f"{name}_from"] is not None or row[f"{name}_to"] is not None
    }
    return FilterRow(row["rule_no"], lists, ends, row["is_new_dealer"])


def _unnamed(component: str) -> Row:
    """A component that only an earlier version has, whose closed period comes to another amount now."""
    return dict.fromkeys(_KNOWN) | {"component_name": component, "component_name_zh": component, "kind": "rate"}


def _where(prefix: str, *names: str) -> str:
    return " and ".join(f"{prefix}{name} = ${name}" for name in names)


def _plan_of(at: Row, *more: str) -> Row:
    return {name: at[name] for name in ("scenario_id", "plan_id", "plan_version", *more)}


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _there_are(names: Iterable[Any]) -> str:
    """What there is, for an error."""
    known = [str(name) for name in names]
    if not known:
        return "there is none at all: assign plans, or build the period"
    more = f", and {len(known) - _NAMED:,} more" if len(known) > _NAMED else ""
    return f"there are: {', '.join(known[:_NAMED])}{more}"
