"""The project made small for tests that judge no rule and no figure: few contracts, short suites, few dbt models.

Everything in it is cut out of the repository, nothing is written anew: a test on it runs the real contracts, rules and
models, only fewer of them. Whole are the builds of the hand-made company (tests/dbt), of the sample and of AdventureWorks;
every rule of every suite is tested in tests/checks.

A test that needs a feed or a rule more adds it to ``RULES``; one that needs a model more says so to ``project``.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from dealermart.base import REPO
from dealermart.warehouse.closed import MARTS

# Feeds of the small company, and the rules that their suites keep.
RULES: dict[str, tuple[str, ...]] = {
    "sales": (
        "key_mostly_missing", "transaction_id_missing", "line_no_missing", "dealer_id_missing", "net_amount_missing",
        "line_no_negative", "transaction_type_unknown", "invoice_net_amount_negative", "dealer_unknown", "product_unknown",
        "seller_unknown", "original_unknown", "conflicting_key",
    ),
    "dealers": ("key_mostly_missing", "dealer_name_missing", "parent_unknown", "conflicting_key"),
    "team_members": ("key_mostly_missing", "role_unknown"),
    "assignments": ("key_mostly_missing", "dealer_unknown", "member_unknown", "shares_above_100"),
    "products": ("key_mostly_missing",),
    "targets": ("key_mostly_missing", "member_unknown", "conflicting_key"),
    "plan_assignments": ("key_mostly_missing",),
    "training_courses": ("topic_unknown",),
    "training_records": ("key_mostly_missing", "score_out_of_range", "dealer_unknown", "course_unknown", "conflicting_key"),
    "survey_responses": ("key_mostly_missing",),
    "id_links": ("key_mostly_missing",),
    "payments": ("key_mostly_missing", "transaction_unknown", "conflicting_key"),
    "fx_rates": ("key_mostly_missing",),
    "objectives": ("key_mostly_missing",),
    "absences": ("key_mostly_missing",),
    "adjustments": ("key_mostly_missing",),
    "dealer_stock": ("key_mostly_missing",),
}  # fmt: skip
# What is built: these models and all that they read.
MODELS = ("int_sales__dealer_month",)
# All tables that are kept by fiscal month or period, and those that the inputs of a build reach directly: where a build
# differs from another one, it is here.
BY_MONTH = (
    "int_kpi__subject_month", "int_kpi__target_sales", "dim_period", "mart_incentive__line_source", "mart_kpi__subject_period",
)  # fmt: skip
# Of the models that gather others by name: which ones they gather here.
GATHERED: dict[str, tuple[str, tuple[str, ...]]] = {
    "int_kpi__value": ("int_kpi__", ("measure_value", "sales_value", "dealer_concentration")),
    "int_measure__event": ("int_measure__", ("training", "survey")),
    "int_kpi__target_value": ("int_kpi__", ("attainment",)),
    "int_kpi__feed_coverage": ("stg_", ("survey_responses", "training_records")),
}


def feeds(folder: Path) -> Path:
    """Write the contracts of the small company's feeds into ``folder``."""
    folder.mkdir(parents=True)
    for feed in RULES:
        shutil.copy(REPO / "config" / "feeds" / f"{feed}.yml", folder)
    return folder


def project(folder: Path, models: Iterable[str] = MODELS, *, judged: bool = True) -> Path:
    """Write dbt project and suites into ``folder``; for ``Settings.project``.

    Args:
        models: What is built.
        judged: Keep the rules of ``RULES``; otherwise each suite has one, for tests in which every row is good.
    """
    chosen = _models(models)
    _suites(folder / "expectations", chosen, judged)
    _dbt(folder / "dbt_project", chosen)
    return folder


def _suites(folder: Path, chosen: dict[str, Path], judged: bool) -> None:
    (folder / "marts").mkdir(parents=True)
    for feed, kept in RULES.items():
        suite = json.loads((REPO / "expectations" / f"{feed}.json").read_text("utf-8"))
        rules = {one["meta"]["rule"]: one for one in suite["expectations"]}
        suite["expectations"] = [rules[name] for name in (kept if judged else kept[:1])]
        (folder / f"{feed}.json").write_text(json.dumps(suite, ensure_ascii=False), "utf-8")
    _sql(folder)
    for path in (REPO / "expectations" / "marts").glob("*.json"):
        if path.stem in chosen:
            shutil.copy(path, folder / "marts")
            _sql(folder / "marts")


def _sql(folder: Path) -> None:
    """The SQL of the rules that the suites in ``folder`` have, and the templates."""
    whole = REPO / "expectations" / ("marts" if folder.name == "marts" else "")
    for path in folder.glob("*.json"):
        for expectation in json.loads(path.read_text("utf-8"))["expectations"]:
            sql = f"sql/{path.stem}/{expectation['meta']['rule']}.sql"
            if (whole / sql).exists():
                (folder / sql).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(whole / sql, folder / sql)
    if (whole / "templates").exists():
        shutil.copytree(whole / "templates", folder / "templates", dirs_exist_ok=True)


def _models(names: Iterable[str]) -> dict[str, Path]:
    """The models and all that they read, by name."""
    known = {path.stem: path for path in (REPO / "dbt_project" / "models").rglob("*.sql")}
    found: dict[str, Path] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = known[name]
            prefix, gathered = GATHERED.get(name, ("", ()))
            todo += [*_refs(known[name], known), *(prefix + model for model in gathered)]
    return found


def _refs(path: Path, known: dict[str, Path]) -> list[str]:
    text = path.read_text("utf-8")
    # What was paid has the columns of what is reckoned, where a model of its own does that.
    reckoned = [f"int_incentive__{name}" for name in re.findall(r"source\('closed', '(\w+)'\)", text) if name in MARTS]
    # Names stand in ref(), in lists that loops go through, and in macros that say what an incremental model redoes.
    return [name for name in re.findall(r"'(\w+)'", text) + reckoned if name in known]


def _gather(path: Path, models: tuple[str, ...]) -> None:
    """Let a model that gathers others in a loop gather these alone."""
    loop = re.compile(r"({% for (\w+)[^%]*?)( %})")
    text, changed = loop.subn(rf"\g<1> if \g<2> in {list(models)}\g<3>", path.read_text("utf-8"), count=1)
    assert changed, path
    path.write_text(text, "utf-8")


def _dbt(folder: Path, chosen: dict[str, Path]) -> None:
    whole = REPO / "dbt_project"
    for name in ("dbt_project.yml", "profiles.yml", "macros", "tests/generic", "models/docs.md", "models/groups.yml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (whole / name).is_dir() else shutil.copy)(whole / name, folder / name)
    texts = [path for path in (whole / "models").rglob("*.md") if path.parent != whole / "models"]
    for model in (*chosen.values(), *texts):
        for path in {model, model.with_suffix(".yml" if model.suffix == ".sql" else ".md")}:
            target = folder / path.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            if path.suffix == ".sql" and path.stem in GATHERED:
                _gather(target, GATHERED[path.stem][1])
    # A claim that goes through relations by name is of the whole project.
    claims = [
        path
        for path in (whole / "tests" / "singular").glob("*.sql")
        if chosen.keys() >= set(_refs(path, chosen)) and not re.search(r"ref\([^']", path.read_text("utf-8"))
    ]
    (folder / "tests" / "singular").mkdir()
    for path in claims:
        shutil.copy(path, folder / "tests" / "singular")
    names = ", ".join(f"'{feed}'" for feed in RULES)
    (folder / "macros" / "feeds.sql").write_text(f"{{% macro feeds() %}}{{{{ return([{names}]) }}}}{{% endmacro %}}", "utf-8")  # fmt: skip
    shutil.copytree(whole / "models" / "sources", folder / "models" / "sources")
    lake = folder / "models" / "sources" / "lake.yml"
    sources = yaml.safe_load(lake.read_text("utf-8"))
    tables = sources["sources"][0]["tables"]
    sources["sources"][0]["tables"] = [one for one in tables if one["name"] in {*RULES, "ledger"}]
    lake.write_text(yaml.safe_dump(sources, allow_unicode=True), "utf-8")
