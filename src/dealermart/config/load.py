"""All of the company's rules, read and checked together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dealermart.base import ConfigError, Settings
from dealermart.config.calendar import Calendar
from dealermart.config.career import CareerLadder
from dealermart.config.company import Company
from dealermart.config.kpis import Registry
from dealermart.config.plans import Plan, version_faults
from dealermart.config.review_rules import ReviewRules
from dealermart.config.reviews import Template
from dealermart.config.scorecard import Scorecard
from dealermart.config.training import TrainingPlan
from dealermart.config.yamlfile import Fault, load_yaml, refuse

NO_RULES, NO_LADDER = ReviewRules(), CareerLadder()


@dataclass(frozen=True)
class Config:
    """All of the company's rules, checked. Plans and templates come with their paths inside the config folder."""

    company: Company
    calendar: Calendar
    registry: Registry
    plans: tuple[tuple[str, Plan], ...]
    templates: tuple[tuple[str, Template], ...]
    scorecard: Scorecard
    training: TrainingPlan
    review_rules: ReviewRules = NO_RULES
    career: CareerLadder = NO_LADDER


def load_config(settings: Settings) -> Config:
    """Read and check the company file, the KPI registry, the plans and the review templates.

    Raises:
        ConfigError: a file is missing or broken; names file, line, field and mend.
    """
    company = load_company(settings)
    registry = load_registry(settings)

    plans: list[tuple[str, Plan]] = []
    for path in _files(settings, "plans", company.plans):
        plans.append((path.relative_to(settings.config).as_posix(), load_plan(path, registry, plans)))

    templates: list[tuple[str, Template]] = []
    for path in _files(settings, "reviews", company.reviews):
        template = load_yaml(path, Template)
        taken = {other.template: name for name, other in templates}
        refuse(path, [*_taken(("template",), template.template, taken), *template.faults(registry.by_code)])
        refuse(path, _same_role(template, templates))
        templates.append((f"reviews/{path.name}", template))
    calendar, scorecard = _calendar(settings, company), _scorecard(settings, company, registry)
    rules, career = _review_rules(settings, company, templates), _career(settings, company, templates)
    training = _training(settings, company)
    return Config(company, calendar, registry, tuple(plans), tuple(templates), scorecard, training, rules, career)


def load_rules(settings: Settings, company: Company | None = None) -> Config:
    """The same without plans and reviews, for another company than that of the company file where one is given.

    Raises:
        ConfigError: a file is missing or broken.
    """
    company = company or load_company(settings)
    registry = load_registry(settings)
    calendar, scorecard = _calendar(settings, company), _scorecard(settings, company, registry)
    return Config(company, calendar, registry, (), (), scorecard, _training(settings, company))


def company_of(settings: Settings, changed: str | dict[str, Any] | None) -> Company:
    """The company, or that of another file of the config folder, or with other values of some fields.

    Raises:
        ConfigError: the file is missing, or what it holds is broken.
    """
    if isinstance(changed, str):
        settings = replace(settings, company=changed)
    company = load_company(settings)
    if isinstance(changed, dict):
        try:
            given = {name: getattr(company, name) for name in company.model_fields_set} | changed
            company = Company.model_validate(given)
        except ValidationError as error:
            told = error.errors(include_url=False)[0]
            field = ".".join(str(step) for step in told["loc"])
            raise ConfigError(f"company, field {field}: {told['msg']}", mend="correct the field") from None
    return company


def load_company(settings: Settings) -> Company:
    """Read and check the company file.

    Raises:
        ConfigError: the file is missing or broken.
    """
    company = load_yaml(settings.company_file, Company)
    refuse(settings.company_file, company.faults())
    return company


def load_registry(settings: Settings) -> Registry:
    """Read and check the registry of KPIs.

    Raises:
        ConfigError: the file is missing or broken.
    """
    path = settings.config / "kpis.yml"
    registry = load_yaml(path, Registry)
    refuse(path, registry.faults())
    return registry


def load_plan(path: Path, registry: Registry, others: Iterable[tuple[str, Plan]] = ()) -> Plan:
    """Read and check one plan file.

    Args:
        path: The file.
        registry: The KPIs that it may name.
        others: Plans that apply beside it, with their files: versions of one plan must not hold at the same time.

    Raises:
        ConfigError: the file is missing or broken; names file, line, field and mend.
    """
    plan = load_yaml(path, Plan)
    refuse(path, [*version_faults(plan, others), *plan.faults(registry.by_code)])
    return plan


def load_plans_beside(settings: Settings, registry: Registry, files: Iterable[Path]) -> list[tuple[str, Plan]]:
    """The company's plans that are not among ``files``; one that is broken is left out, for its own file tells of it.

    Raises:
        ConfigError: the company file is missing or broken.
    """
    given = {path.resolve() for path in files}
    found = []
    for path in _files(settings, "plans", load_company(settings).plans):
        if path.resolve() not in given:
            with contextlib.suppress(ConfigError):
                found.append((path.relative_to(settings.config).as_posix(), load_plan(path, registry)))
    return found


def _named(settings: Settings, field: str, name: str | None) -> Path | None:
    """The file of the config folder that a field of the company file names."""
    if name is None:
        return None
    path = settings.config / name
    if not path.is_file():
        lost = Fault((field,), f"config holds no file {name}", "correct the name, or remove the line")
        refuse(settings.company_file, [lost])
    return path


def _calendar(settings: Settings, company: Company) -> Calendar:
    path = _named(settings, "calendar", company.calendar)
    if path is None:
        return Calendar()
    calendar = load_yaml(path, Calendar)
    refuse(path, calendar.faults())
    return calendar


def _scorecard(settings: Settings, company: Company, registry: Registry) -> Scorecard:
    path = _named(settings, "scorecard", company.scorecard)
    if path is None:
        return Scorecard()
    scorecard = load_yaml(path, Scorecard)
    refuse(path, scorecard.faults(registry.by_code))
    return scorecard


def _training(settings: Settings, company: Company) -> TrainingPlan:
    path = _named(settings, "training_plan", company.training_plan)
    if path is None:
        return TrainingPlan()
    training = load_yaml(path, TrainingPlan)
    refuse(path, training.faults())
    return training


def _review_rules(settings: Settings, company: Company, templates: list[tuple[str, Template]]) -> ReviewRules:
    path = _named(settings, "review_rules", company.review_rules)
    if path is None:
        return NO_RULES
    rules = load_yaml(path, ReviewRules)
    refuse(path, rules.faults(frozenset(band.rating for _, template in templates for band in template.ratings)))
    return rules


def _career(settings: Settings, company: Company, templates: list[tuple[str, Template]]) -> CareerLadder:
    path = _named(settings, "career_ladder", company.career_ladder)
    if path is None:
        return NO_LADDER
    ladder = load_yaml(path, CareerLadder)
    ratings: dict[str, frozenset[str]] = {}
    for _, template in templates:
        named = frozenset(band.rating for band in template.ratings)
        ratings[template.role] = ratings.get(template.role, frozenset()) | named
    refuse(path, ladder.faults(ratings))
    return ladder


def check_company(settings: Settings, source: str) -> None:
    """Refuse to read a source in the light of another company than its own.

    Raises:
        ConfigError: ``company.<source>.yml`` is there, and another file is in use.
    """
    own = settings.company_file.with_name(f"company.{source}.yml")
    if own.is_file() and own != settings.company_file:
        raise ConfigError(
            f"source {source} has a company file of its own, and {settings.company} is in use",
            where=str(own),
            mend=f"set DEALERMART_COMPANY={own.name}, with a home of its own in DEALERMART_HOME; or remove the file, "
            "if the source belongs to the company in use",
        )


def _files(settings: Settings, folder: str, chosen: tuple[str, ...] | None) -> list[Path]:
    """The YAML files of a config folder that apply, in order of name."""
    if chosen is None:
        return sorted((settings.config / folder).glob("*.yml"))
    for index, name in enumerate(chosen):
        if not (settings.config / folder / name).is_file():
            lost = Fault(
                (folder, index), f"config/{folder} holds no file {name}", "correct the name, or remove the line"
            )
            refuse(settings.company_file, [lost])
    return sorted(settings.config / folder / name for name in set(chosen))


def _taken(location: tuple[str], value: str, taken: dict[str, str]) -> Iterable[Fault]:
    if value in taken:
        yield Fault(location, f"{value!r} is taken by {taken[value]}", "give each file an id of its own")


def _same_role(template: Template, others: Iterable[tuple[str, Template]]) -> Iterable[Fault]:
    """A member would have two reviews where two templates of one role hold on one day."""
    for name, other in others:
        starts_before = other.valid_to is None or template.valid_from < other.valid_to
        ends_after = template.valid_to is None or other.valid_from < template.valid_to
        if other.role == template.role and starts_before and ends_after:
            yield Fault(
                ("role",),
                f"{name} holds for {template.role} at the same time",
                "end the older template with valid_to where the newer one begins",
            )
