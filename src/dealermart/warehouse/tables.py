"""Compile the YAML that a company edits into typed Parquet tables that dbt reads as sources.

Companies edit texts; dbt joins tables. Every column has a stated type, because a column that holds no value in any row
would otherwise get a type of its own that later loads cannot cast.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from dealermart.base import Settings
from dealermart.config import WEEKDAYS, Config, load_config
from dealermart.warehouse import plan_tables, review_tables
from dealermart.warehouse.calendar import fiscal_months
from dealermart.warehouse.canonical import digest
from dealermart.warehouse.plan_tables import Rows

SCHEMAS: dict[str, dict[str, str]] = {
    "company": {
        "company_name": "varchar",
        "company_name_zh": "varchar",
        "reporting_currency_code": "varchar",
        "fx_rate_type": "varchar",
        "plan_fx_rate_type": "varchar",
        "min_group_size": "integer",
        "credit_rule": "varchar",
        "payments_on_account": "varchar",
        "payment_terms_days": "integer",
        "receivables_from": "date",
        "time_zone": "varchar",
        "fiscal_year_start_month": "integer",
        "calendar_start": "date",
        "opens_at_second": "integer",
        "closes_at_second": "integer",
        "feedback_days": "integer",
    },
    "calendar_weekday": {
        "weekday_no": "integer",
        "is_working_day": "boolean",
    },
    "calendar_exception": {
        "date_day": "date",
        "is_working_day": "boolean",
        "day_name": "varchar",
        "day_name_zh": "varchar",
    },
    "fiscal_month": {
        "month_id": "varchar",
        "month_start": "date",
        "month_end": "date",
        "fiscal_year": "integer",
        "fiscal_month_no": "integer",
        "fiscal_quarter_no": "integer",
        "quarter_id": "varchar",
        "quarter_start": "date",
        "quarter_end": "date",
        "year_id": "varchar",
        "year_start": "date",
        "year_end": "date",
    },
    "kpi": {
        "kpi_code": "varchar",
        "kpi_name": "varchar",
        "kpi_name_zh": "varchar",
        "unit": "varchar",
        "direction": "varchar",
        "formula": "varchar",
        "formula_zh": "varchar",
        "numerator": "varchar",
        "denominator": "varchar",
        "population": "varchar",
        "population_zh": "varchar",
        "min_sample": "integer",
        "definition_version": "integer",
        "kind": "varchar",
        "numerator_measure": "varchar",
        "minus_measure": "varchar",
        "denominator_measure": "varchar",
        "expected_measure": "varchar",
        "interval_method": "varchar",
        "empty_reason": "varchar",
        "unanswered_reason": "varchar",
        "is_absence_stated": "boolean",
        "model": "varchar",
        "factor": "integer",
        "is_zero_without_events": "boolean",
        "audience": "varchar",
        "suppress": "varchar",
    },
    "kpi_subject": {
        "kpi_code": "varchar",
        "subject_type": "varchar",
    },
    "measure": {
        "measure_code": "varchar",
        "events": "varchar",
        "taken": "varchar",
        "unknown_status": "varchar",
        "unowned_subject": "varchar",
        "unowned_category": "varchar",
    },
    "training_plan": {
        "serious_gap": "decimal(9,4)",
    },
    "required_skill": {
        "role": "varchar",
        "grade": "varchar",
        "topic": "varchar",
        "required_level": "decimal(9,4)",
    },
    "response_limit": {
        "priority": "varchar",
        "limit_hours": "decimal(9,4)",
    },
    "scorecard_tier": {
        "tier": "varchar",
        "tier_no": "integer",
    },
    "scorecard_condition": {
        "tier": "varchar",
        "condition_no": "integer",
        "kpi_code": "varchar",
        "at_least": "decimal(18,6)",
        "at_most": "decimal(18,6)",
    },
    "scorecard_warning": {
        "warning_code": "varchar",
        "warning_no": "integer",
        "warning_name": "varchar",
        "warning_name_zh": "varchar",
        "kpi_code": "varchar",
        "below": "decimal(18,6)",
        "above": "decimal(18,6)",
    },
    "crm_rule": {
        "account_fresh_days": "integer",
        "stalled_days": "integer",
        "stage_logged_days": "integer",
    },
    "crm_account_field": {
        "field_name": "varchar",
    },
    "message_rule": {
        "correction_days": "integer",
        "suggestion_answer_days": "integer",
        "contact_other_days": "integer",
    },
    "message_channel": {
        "urgency": "varchar",
        "channel": "varchar",
    },
    "acknowledged_kind": {
        "kind": "varchar",
    },
    "contact_cadence": {
        "tier": "varchar",
        "cadence_days": "integer",
    },
    **plan_tables.SCHEMAS,
    # What was paid before: empty until periods are closed.
    "paid_line": {
        "scenario_id": "varchar",
        "payee_type": "varchar",
        "payee_id": "varchar",
        "plan_id": "varchar",
        "component_id": "varchar",
        "period_id": "varchar",
        "currency_code": "varchar",
        "amount": "decimal(18,2)",
    },
    # What was carried into the first period that is reckoned: empty but in plan tests.
    "balance_before": {
        "scenario_id": "varchar",
        "payee_type": "varchar",
        "payee_id": "varchar",
        "plan_id": "varchar",
        "component_id": "varchar",
        "currency_code": "varchar",
        "period_id": "varchar",
        "balance": "varchar",
        "amount": "decimal(18,2)",
    },
    **review_tables.SCHEMAS,
}


def compile_config(settings: Settings, period_end: date, con: duckdb.DuckDBPyConnection) -> dict[str, Path]:
    """Write the config tables as Parquet to ``settings.compiled``.

    Args:
        settings: Where the config lies and where the tables go.
        period_end: First day after the last fiscal month to build; the calendar runs to the end of its fiscal year.
        con: A DuckDB connection that may create temporary tables; nothing of its database is touched.

    Returns:
        File of each table of ``SCHEMAS``. Files appear by rename, each whole or not at all.

    Raises:
        ConfigError: a config file is broken, or ``period_end`` is no month's first day after the calendar's start.
    """
    config = load_config(settings)
    tables = config_tables(config, period_end, settings.company_file)
    settings.compiled.mkdir(parents=True, exist_ok=True)
    return {name: _write(con, settings.compiled / f"{name}.parquet", name, tables[name]) for name in SCHEMAS}


def config_hash(settings: Settings) -> dict[str, str]:
    """A hash of each config table's content (sha256, 64 hex digits), so that a build knows what changed.

    The calendar's hash covers its rule and not its length, so that time passing is no change. Comments, key order and
    spacing of the YAML change nothing.

    Raises:
        ConfigError: a config file is broken.
    """
    config = load_config(settings)
    calendar = [(config.company.calendar_start, config.company.fiscal_year_start_month)]
    contents = _tables(config) | {"fiscal_month": calendar}
    return {name: digest([list(SCHEMAS[name].items()), contents[name]]) for name in SCHEMAS}


def config_tables(config: Config, period_end: date, company_file: Path) -> dict[str, Rows]:
    """Rows of every table of ``SCHEMAS``, without writing them anywhere.

    Raises:
        ConfigError: ``period_end`` is no month's first day after the calendar's start.
    """
    return _tables(config) | {"fiscal_month": fiscal_months(config.company, period_end, company_file)}


def _tables(config: Config) -> dict[str, Rows]:
    """Rows of every table that does not depend on the period."""
    company = config.company
    tables: dict[str, Rows] = {name: [] for name in SCHEMAS if name != "fiscal_month"}
    tables["company"].append(
        (
            company.name,
            company.name_zh,
            company.reporting_currency,
            company.fx_rate_type,
            company.plan_fx_rate_type,
            company.min_group_size,
            company.credit_rule,
            company.payments_on_account,
            company.payment_terms_days,
            company.receivables_from,
            company.time_zone,
            company.fiscal_year_start_month,
            company.calendar_start,
            config.calendar.opens_at,
            config.calendar.closes_at,
            company.feedback_days,
        )
    )
    tables["calendar_weekday"] = [(no, day in config.calendar.weekdays) for no, day in enumerate(WEEKDAYS)]
    tables["calendar_exception"] = [(day, *told) for day, told in sorted(config.calendar.exceptions.items())]
    tables["crm_rule"].append((company.crm_account_fresh_days, company.crm_stalled_days, company.crm_stage_logged_days))
    tables["crm_account_field"] = [(field,) for field in company.crm_account_fields]
    tables["message_rule"].append(
        (company.message_correction_days, company.suggestion_answer_days, company.contact_cadence_other_days)
    )
    tables["message_channel"] = [(urgency, name) for urgency, names in company.channels.items() for name in names]
    tables["acknowledged_kind"] = [(kind,) for kind in company.acknowledged_kinds]
    tables["contact_cadence"] = sorted(company.contact_cadence_days.items())
    tables["kpi"] = [
        (
            kpi.code,
            kpi.name,
            kpi.name_zh,
            kpi.unit,
            kpi.direction,
            kpi.formula,
            kpi.formula_zh or kpi.formula,
            kpi.numerator,
            kpi.denominator,
            kpi.population,
            kpi.population_zh or kpi.population,
            kpi.min_sample,
            kpi.version,
            kpi.kind,
            kpi.numerator_measure,
            kpi.minus_measure,
            kpi.denominator_measure,
            kpi.expected_measure or kpi.denominator_measure or kpi.numerator_measure,
            kpi.interval,
            kpi.empty,
            kpi.unanswered,
            kpi.absence == "everybody",
            kpi.model,
            kpi.factor,
            kpi.without_events == "zero",
            kpi.audience,
            kpi.suppress,
        )
        for kpi in config.registry.kpis
    ]
    tables["kpi_subject"] = [(kpi.code, subject) for kpi in config.registry.kpis for subject in kpi.subjects]
    by_category = {code for kpi in config.registry.kpis if "category" in kpi.subjects for code in kpi.measures.values()}
    for measure in config.registry.measures:
        nobody = "unassigned" if measure.unowned == "unassigned" else None
        # Of what no KPI states by category, no category is known: it would all be without one.
        category = nobody if measure.code in by_category else None
        tables["measure"].append((measure.code, measure.events, measure.taken, measure.unknown, nobody, category))
    tables["training_plan"] = [(config.training.serious_gap,)]
    tables["required_skill"] = [(level.role, level.grade, level.topic, level.level) for level in config.training.levels]
    tables["response_limit"] = sorted(company.first_response_hours.items())
    tables["scorecard_tier"] = [(tier.tier, number) for number, tier in enumerate(config.scorecard.tiers, start=1)]
    tables["scorecard_condition"] = [
        (tier.tier, number, condition.kpi, condition.at_least, condition.at_most)
        for tier in config.scorecard.tiers
        for number, condition in enumerate(tier.conditions, start=1)
    ]
    tables["scorecard_warning"] = [
        (sign.code, number, sign.name, sign.name_zh, sign.kpi, sign.below, sign.above)
        for number, sign in enumerate(config.scorecard.warnings, start=1)
    ]
    for file, plan in config.plans:
        for name, rows in plan_tables.plan_rows(file, plan).items():
            tables[name] += rows
    tables.update(review_tables.review_rows(config))
    return tables


def _write(con: duckdb.DuckDBPyConnection, path: Path, name: str, rows: Rows) -> Path:
    columns = SCHEMAS[name]
    table = f"temp._compiled_{name}"
    types = ", ".join(f'"{column}" {sql_type}' for column, sql_type in columns.items())
    con.execute(f"create or replace temp table _compiled_{name} ({types})")
    if rows:
        con.executemany(f"insert into {table} values ({', '.join('?' for _ in columns)})", rows)
    unfinished = path.with_suffix(".unfinished")
    target = str(unfinished).replace("'", "''")
    con.execute(f"copy {table} to '{target}' (format parquet)")
    con.execute(f"drop table {table}")
    unfinished.replace(path)
    return path
