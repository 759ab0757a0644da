"""What a company edits, loaded and checked: contracts, source profiles, the company file, KPIs, plans, reviews.

A new field of a YAML file is a field of a model here, with the error that names file, line and mend. Nothing here reads
data; what the rules mean for rows is decided in the rooms above.
"""

from dealermart.config.alerts import ALERT_KINDS, AlertKind, Alerts, load_alerts
from dealermart.config.calendar import WEEKDAYS
from dealermart.config.career import CareerLadder
from dealermart.config.company import MINOR_UNITS, Company
from dealermart.config.contracts import PROVENANCE, Column, Contract, PersonKind, load_contracts
from dealermart.config.crm import LISTS, PULLS, Crm, CrmObject
from dealermart.config.kpis import Kpi, Registry
from dealermart.config.limits import MIB, Limits
from dealermart.config.load import (
    Config,
    check_company,
    company_of,
    load_company,
    load_config,
    load_logins,
    load_plan,
    load_plans_beside,
    load_registry,
    load_review_rules,
    load_rules,
)
from dealermart.config.logins import Login
from dealermart.config.plan_cases import Case, Expect, TestCase, cases_schema, load_cases
from dealermart.config.plan_component import Component, Gate, PayLimits, RateRule
from dealermart.config.plan_filter import all_of
from dealermart.config.plan_lint import plan_findings
from dealermart.config.plan_pay import Draw, Spiff
from dealermart.config.plan_show import FilterRow, PlanParts, RateRow, plan_parts, plan_words, row_words
from dealermart.config.plans import Plan, plan_schema
from dealermart.config.profiles import (
    CORRECTED,
    DETECTABLE,
    TAKEN_COLUMNS,
    FileSpec,
    Ignored,
    Origin,
    Profile,
    Totals,
    crm_source_names,
    load_profile,
    profile_hash,
    profile_sql,
    source_names,
)
from dealermart.config.review_rules import ReviewRules
from dealermart.config.reviews import PARTS, WHOLE, Template
from dealermart.config.segments import Segment, modifier_segments, rate_segments
from dealermart.config.yamlfile import Strict, lined, load_yaml

__all__ = [
    "ALERT_KINDS",
    "CORRECTED",
    "DETECTABLE",
    "LISTS",
    "MIB",
    "MINOR_UNITS",
    "PARTS",
    "PROVENANCE",
    "PULLS",
    "TAKEN_COLUMNS",
    "WEEKDAYS",
    "WHOLE",
    "AlertKind",
    "Alerts",
    "CareerLadder",
    "Case",
    "Column",
    "Company",
    "Component",
    "Config",
    "Contract",
    "Crm",
    "CrmObject",
    "Draw",
    "Expect",
    "FileSpec",
    "FilterRow",
    "Gate",
    "Ignored",
    "Kpi",
    "Limits",
    "Login",
    "Origin",
    "PayLimits",
    "PersonKind",
    "Plan",
    "PlanParts",
    "Profile",
    "RateRow",
    "RateRule",
    "Registry",
    "ReviewRules",
    "Segment",
    "Spiff",
    "Strict",
    "Template",
    "TestCase",
    "Totals",
    "all_of",
    "cases_schema",
    "check_company",
    "company_of",
    "crm_source_names",
    "lined",
    "load_alerts",
    "load_cases",
    "load_company",
    "load_config",
    "load_contracts",
    "load_logins",
    "load_plan",
    "load_plans_beside",
    "load_profile",
    "load_registry",
    "load_review_rules",
    "load_rules",
    "load_yaml",
    "modifier_segments",
    "plan_findings",
    "plan_parts",
    "plan_schema",
    "plan_words",
    "profile_hash",
    "profile_sql",
    "rate_segments",
    "row_words",
    "source_names",
]
