"""Plans compiled to tables: what each stage of the incentive models joins.

Percents of the files become fractions where they are rates (values of ``pct`` and ``payout_pct``, base rates) or parts
of the target pay (caps, draws, SPIFFs); shares, weights, holds, clawbacks and recoveries stay percents of 100.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from dealermart.config import (
    Component,
    Draw,
    Gate,
    PayLimits,
    Plan,
    RateRule,
    Segment,
    Spiff,
    all_of,
    modifier_segments,
    rate_segments,
)
from dealermart.warehouse.canonical import model_hash

# The plans as they are paid. Simulations and plan tests add scenarios of their own.
PAID = "paid"

# From when a version holds that does not say so: before everything.
BEGINNING = date(1900, 1, 1)

Rows = list[tuple[Any, ...]]

_KEY = {"scenario_id": "varchar", "plan_id": "varchar", "plan_version": "integer"}

_COMPONENT = _KEY | {"component_id": "varchar"}

_MONEY = "decimal(18,2)"
_BOUND = "decimal(18,6)"
_PCT = "decimal(9,4)"
_LINE = "decimal(18,8)"

_LIMITS = {"floor_amount": _MONEY, "cap_amount": _MONEY, "cap_pct": _BOUND}

_CURVE = {
    "lower_bound": _BOUND,
    "upper_bound": _BOUND,
    "offset_value": _LINE,
    "rise_value": _LINE,
    "run_value": _LINE,
}

LISTS = ("product_category", "product", "product_subcategory", "brand", "dealer", "dealer_tier", "region", "channel")

RANGES = ("deal_amount", "margin_pct", "discount_pct")

SCHEMAS: dict[str, dict[str, str]] = {
    "plan": _KEY
    | {
        "plan_name": "varchar",
        "plan_name_zh": "varchar",
        "plan_hash": "varchar",
        "plan_file": "varchar",
        "payee_type": "varchar",
        "currency_code": "varchar",
        "rate_type": "varchar",
        "period_type": "varchar",
        "valid_from": "date",
        "valid_to": "date",
        "target_pay_amount": _MONEY,
        "target_pay_per": "varchar",
        "late_facts": "varchar",
        "is_year_to_date_less_paid": "boolean",
        "must_be_employed": "varchar",
        "leaver_otherwise": "varchar",
    }
    | _LIMITS,
    "plan_component": _COMPONENT
    | {
        "component_no": "integer",
        "component_name": "varchar",
        "component_name_zh": "varchar",
        "kind": "varchar",
        "of_component_id": "varchar",
        "measure": "varchar",
        "measure_floor": _MONEY,
        "kpi_code": "varchar",
        "kpi_subject": "varchar",
        "is_credit_owner": "boolean",
        "is_credit_co_owner": "boolean",
        "is_credit_seller": "boolean",
        "is_credit_overlay": "boolean",
        "is_credit_rollup": "boolean",
        "is_credit_dealer": "boolean",
        "invoiced_pct": _PCT,
        "collected_pct": _PCT,
        "collected_counts_in": "varchar",
        "accumulate": "varchar",
        "target_kind": "varchar",
        "target_metric": "varchar",
        "target_product_category": "varchar",
        "target_value": "decimal(28,8)",
        "target_factor": _BOUND,
        "target_subject": "varchar",
        "prorate": "varchar",
        "precedence": "varchar",
        "modifier_kpi_code": "varchar",
        "modifier_subject": "varchar",
        "weight_pct": _PCT,
    }
    | _LIMITS
    | {
        "is_excess_carried": "boolean",
        "negative": "varchar",
        "returns": "varchar",
        "clawback_on": "varchar",
        "clawback_days": "integer",
        "clawback_pct": _PCT,
        "clawback_linear_months": "integer",
        "hold_pct": _PCT,
        "release_days": "integer",
        "release_at": "varchar",
        "instalment_count": "integer",
        "instalment_every": "varchar",
        "rate_type": "varchar",
        "is_document_currency": "boolean",
        "is_spiff_proportional": "boolean",
    },
    "plan_ramp": _COMPONENT | {"period_no": "integer", "factor": _BOUND},
    "plan_season": _COMPONENT | {"part_type": "varchar", "part_no": "integer", "weight": _BOUND},
    "plan_rule": _COMPONENT
    | {
        "rule_no": "integer",
        "rule_name": "varchar",
        "specificity": "integer",
        "basis": "varchar",
        "band_rule": "varchar",
        "form": "varchar",
        "pays": "varchar",
        "base_rate": _BOUND,
        "outside": "varchar",
    }
    | _LIMITS
    | {"gate_no": "integer"},
    "plan_filter": _COMPONENT
    | {"rule_no": "integer", "alternative_no": "integer"}
    | dict.fromkeys(LISTS, "varchar")
    | {"is_new_dealer": "boolean"}
    | {f"{field}_{end}": _BOUND for field in RANGES for end in ("from", "to")},
    "plan_segment": _COMPONENT
    | {"rule_no": "integer", "segment_no": "integer", "band_no": "integer"}
    | _CURVE
    | {"band_value": _BOUND, "outside": "varchar"},
    "plan_gate": _COMPONENT
    | {
        "gate_no": "integer",
        "kpi_code": "varchar",
        "kpi_subject": "varchar",
        "below": _BOUND,
        "at_most": _BOUND,
        "factor": _BOUND,
        "is_hold": "boolean",
        "then_rate": "boolean",
        "weighted": "boolean",
    },
    "plan_gate_part": _COMPONENT | {"gate_no": "integer", "part_component_id": "varchar", "weight": _BOUND},
    "plan_modifier": _COMPONENT | {"segment_no": "integer"} | _CURVE,
    "plan_draw": _KEY
    | {
        "draw_no": "integer",
        "kind": "varchar",
        "is_recoverable": "boolean",
        "amount": _MONEY,
        "pct_of_target_pay": _BOUND,
        "per": "varchar",
        "prorate": "varchar",
        "period_count": "integer",
        "recover_from": "integer",
        "recover_pct": _PCT,
        "never_below": _MONEY,
        "repay_order": "integer",
    },
    "plan_proposal": _KEY
    | {
        "proposal_no": "integer",
        "component_id": "varchar",
        "attainment_from": _BOUND,
        "period_count": "integer",
        "award": "varchar",
        "proposal_name": "varchar",
        "proposal_name_zh": "varchar",
        "benefit_value": _MONEY,
    },
}
"""Column -> type of each table. The key is scenario, plan and version, and below it component and number.

A column is NULL where it does not apply to the row, and where nothing is stated and no default holds.
"""


def plan_rows(file: str, plan: Plan, scenario: str = PAID) -> dict[str, Rows]:
    """Rows of every table of ``SCHEMAS`` for one version of a plan that has no fault.

    Args:
        file: Where the plan stands, inside the config folder.
        plan: The plan.
        scenario: In whose run it is paid.
    """
    key = (scenario, plan.plan, plan.version)
    tables: dict[str, Rows] = {name: [] for name in SCHEMAS}

    def add(table: str, *values: Any, **named: Any) -> None:
        columns = list(SCHEMAS[table])
        row = dict(zip(columns, (*key, *values), strict=False)) | named
        if lost := row.keys() ^ columns:
            raise ValueError(f"row of {table} and its columns differ: {', '.join(sorted(lost))}")
        tables[table].append(tuple(row[column] for column in columns))

    pay = plan.target_pay
    add(
        "plan",
        plan_name=plan.name or plan.plan,
        plan_name_zh=plan.name_zh or plan.name or plan.plan,
        plan_hash=model_hash(plan),
        plan_file=file,
        payee_type=plan.payee,
        currency_code=None if plan.currency == "payee" else plan.currency,
        rate_type=plan.rate_type,
        period_type=plan.period,
        valid_from=plan.valid_from or BEGINNING,
        valid_to=plan.valid_to,
        target_pay_amount=pay and pay.amount,
        target_pay_per=pay.per if pay else "year",
        late_facts=plan.late_facts,
        is_year_to_date_less_paid=plan.year_to_date_less_paid,
        must_be_employed=plan.leaver and plan.leaver.must_be_employed,
        leaver_otherwise=plan.leaver.otherwise if plan.leaver else "pay_earned",
        **_limits(plan.limits),
    )
    for number, component in enumerate(plan.components, start=1):
        _add_component(add, plan, number, component)
    for number, spiff in enumerate(plan.spiffs, start=len(plan.components) + 1):
        _add_spiff(add, plan, number, spiff)
    for number, draw in enumerate(plan.draws, start=1):
        _add_draw(add, number, draw)
    for number, proposal in enumerate(plan.proposals, start=1):
        name = proposal.name or proposal.award
        add(
            "plan_proposal",
            number,
            proposal.condition.component,
            proposal.condition.attainment.lower,
            proposal.condition.periods,
            proposal.award,
            name,
            proposal.name_zh or name,
            proposal.value,
        )
    return tables


def _limits(limits: PayLimits) -> dict[str, Decimal | None]:
    return {
        "floor_amount": limits.floor,
        "cap_amount": limits.cap,
        "cap_pct": None if limits.cap_pct is None else limits.cap_pct / 100,
    }


def _credited(plan: Plan, component: Component) -> dict[str, bool]:
    roles = component.credits(plan.payee)
    return {
        f"is_credit_{role}": role in roles for role in ("owner", "co_owner", "seller", "overlay", "rollup", "dealer")
    }


# Of a SPIFF what is not its component's: it pays each deal once, at once.
_PLAIN: dict[str, Any] = {
    "target_kind": None,
    "target_metric": None,
    "target_product_category": None,
    "target_value": None,
    "target_factor": None,
    "target_subject": None,
    "prorate": None,
    "precedence": None,
    "modifier_kpi_code": None,
    "modifier_subject": None,
    "floor_amount": None,
    "cap_amount": None,
    "cap_pct": None,
    "is_excess_carried": False,
    "clawback_on": None,
    "clawback_days": None,
    "clawback_pct": None,
    "clawback_linear_months": None,
    "hold_pct": Decimal(0),
    "release_days": None,
    "release_at": None,
    "instalment_count": 1,
    "instalment_every": "month",
}


def _shared(plan: Plan, component: Component) -> dict[str, Any]:
    """What a component and its SPIFFs have in common."""
    measure = component.measure
    return {
        "measure": measure.code,
        "measure_floor": measure.floor,
        "kpi_code": measure.kpi,
        "kpi_subject": measure.subject if measure.kpi else None,
        "invoiced_pct": component.due.pct("invoiced"),
        "collected_pct": component.due.pct("collected"),
        "collected_counts_in": component.collected_counts_in,
        "weight_pct": component.weight_pct,
        "negative": component.negative,
        "returns": component.returns,
        "rate_type": component.rate_type or plan.rate_type,
        "is_document_currency": component.currency == "document",
        **_credited(plan, component),
    }


def _add_component(add: Any, plan: Plan, number: int, component: Component) -> None:
    target, modifier, clawback, payout = component.target, component.modifier, component.clawback, component.payout
    add(
        "plan_component",
        component.id,
        number,
        component.name or component.id,
        component.name_zh or component.name or component.id,
        "rate",
        None,
        **_shared(plan, component),
        accumulate=component.accumulate,
        target_kind=target and target.kind,
        target_metric=target and target.metric,
        target_product_category=component.target_category,
        target_value=target and target.value,
        target_factor=(target.factor or Decimal(1)) if target and target.kind == "last_year" else None,
        target_subject=target and target.subject,
        prorate=target and target.prorate,
        precedence=component.precedence,
        modifier_kpi_code=modifier and modifier.by,
        modifier_subject=modifier and modifier.subject,
        **_limits(component.limits),
        is_excess_carried=component.limits.carry_excess,
        clawback_on=clawback and clawback.on,
        clawback_days=clawback and clawback.within_days,
        clawback_pct=clawback and clawback.take.pct,
        clawback_linear_months=clawback and clawback.take.linear_months,
        hold_pct=payout.hold_pct,
        release_days=payout.release and payout.release.after_days,
        release_at=payout.release and payout.release.at,
        instalment_count=payout.instalments.n,
        instalment_every=payout.instalments.every,
        is_spiff_proportional=None,
    )
    for period_no, factor in enumerate(target.ramp if target else (), start=1):
        add("plan_ramp", component.id, period_no, factor)
    for part, weight in ((target.season if target else None) or {}).items():
        add("plan_season", component.id, "quarter" if part[0] == "Q" else "month", int(part[1:]), weight)
    if modifier:
        curve = modifier_segments([(point.value, point.factor) for point in modifier.curve])
        for no, stretch in enumerate(curve, start=1):
            add("plan_modifier", component.id, no, *_line(stretch))
    _add_filter(add, component.id, 0, component.alternatives)
    rules = component.rate_rules
    for rule_no, rule in enumerate(rules, start=1):
        _add_rule(add, component.id, rule_no, rule, None)
    rule_no = len(rules)
    for gate_no, gate in enumerate(component.gates, start=1):
        _add_gate(add, component.id, gate_no, gate)
        if gate.then.rate is not None:
            rule_no += 1
            _add_rule(add, component.id, rule_no, RateRule(rate=gate.then.rate), gate_no)


def _add_spiff(add: Any, plan: Plan, number: int, spiff: Spiff) -> None:
    parent = plan.by_id[spiff.of]
    add(
        "plan_component",
        spiff.id,
        number,
        spiff.name or spiff.id,
        spiff.name_zh or spiff.name or spiff.id,
        "spiff",
        spiff.of,
        **_shared(plan, parent),
        **_PLAIN,
        accumulate="transaction",
        is_spiff_proportional=spiff.proportional,
    )
    _add_filter(add, spiff.id, 0, all_of(parent.alternatives, spiff.filter.alternatives))
    _add_rule(add, spiff.id, 1, RateRule(rate=spiff.rate), None)


def _add_rule(add: Any, component: str, rule_no: int, rule: RateRule, gate_no: int | None) -> None:
    rate = rule.rate
    add(
        "plan_rule",
        component,
        rule_no,
        rule.name,
        rule.filter.specificity,
        rate.basis,
        rate.band_rule,
        rate.form,
        rate.pays,
        None if rate.base_rate is None else rate.base_rate / 100,
        rate.outside,
        **_limits(rule.limits),
        gate_no=gate_no,
    )
    _add_filter(add, component, rule_no, rule.filter.alternatives)
    for number, stretch in enumerate(rate_segments(rate), start=1):
        add(
            "plan_segment",
            component,
            rule_no,
            number,
            stretch.band_no,
            *_line(stretch),
            band_value=stretch.value,
            outside=stretch.outside,
        )


def _line(stretch: Segment) -> tuple[Decimal | None, ...]:
    return stretch.lower, stretch.upper, stretch.offset, stretch.rise, stretch.run


def _add_filter(add: Any, component: str, rule_no: int, alternatives: list[dict[str, Any]]) -> None:
    for number, given in enumerate(alternatives, start=1):
        texts = {field: f"|{'|'.join(given[field])}|" if field in given else None for field in LISTS}
        ends = {
            f"{field}_{end}": getattr(given[field], side) if field in given else None
            for field in RANGES
            for end, side in (("from", "lower"), ("to", "upper"))
        }
        add("plan_filter", component, rule_no, number, **texts, is_new_dealer=given.get("new_dealer"), **ends)


def _add_gate(add: Any, component: str, gate_no: int, gate: Gate) -> None:
    add(
        "plan_gate",
        component,
        gate_no,
        gate.kpi,
        gate.subject if gate.kpi else None,
        gate.below,
        gate.at_most,
        gate.then.factor,
        gate.then.hold is not None,
        gate.then.rate is not None,
        bool(gate.weighted),
    )
    for part in gate.weighted:
        add("plan_gate_part", component, gate_no, part.component, part.weight)


def _add_draw(add: Any, number: int, draw: Draw) -> None:
    add(
        "plan_draw",
        number,
        draw.kind,
        draw.is_recoverable,
        draw.amount,
        None if draw.pct_of_target_pay is None else draw.pct_of_target_pay / 100,
        draw.per,
        draw.prorate,
        draw.periods,
        draw.recover_from,
        draw.recover_pct,
        draw.never_below,
        draw.repay_order or number,
    )
