"""What a company edits, loaded and checked: contracts, source profiles, the company file, KPIs, plans, reviews.

A new field of a YAML file is a field of a model here, with the error that names file, line and mend. Nothing here reads
data; what the rules mean for rows is decided in the rooms above.
"""

from dealermart.config.calendar import WEEKDAYS
from dealermart.config.company import Company
from dealermart.config.contracts import PROVENANCE, Column, Contract, PersonKind, load_contracts
from dealermart.config.kpis import Kpi, Registry
from dealermart.config.limits import MIB, Limits
from dealermart.config.load import Config, check_company, load_config
from dealermart.config.plans import Bonus, Commission, Plan
from dealermart.config.profiles import (
    CORRECTED,
    DETECTABLE,
    TAKEN_COLUMNS,
    FileSpec,
    Ignored,
    Origin,
    Profile,
    Totals,
    load_profile,
    profile_hash,
    profile_sql,
    source_names,
)
from dealermart.config.reviews import WHOLE, Template
from dealermart.config.yamlfile import load_yaml

__all__ = [
    "CORRECTED",
    "DETECTABLE",
    "MIB",
    "PROVENANCE",
    "TAKEN_COLUMNS",
    "WEEKDAYS",
    "WHOLE",
    "Bonus",
    "Column",
    "Commission",
    "Company",
    "Config",
    "Contract",
    "FileSpec",
    "Ignored",
    "Kpi",
    "Limits",
    "Origin",
    "PersonKind",
    "Plan",
    "Profile",
    "Registry",
    "Template",
    "Totals",
    "check_company",
    "load_config",
    "load_contracts",
    "load_profile",
    "load_yaml",
    "profile_hash",
    "profile_sql",
    "source_names",
]
