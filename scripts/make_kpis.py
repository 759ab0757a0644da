"""Write what follows from the registry, config/kpis.yml.

That is docs/kpis.md, what each KPI is, in two languages, and of what it is made; and the wide tables by quarter, which
have a column per KPI.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

from dealermart.base import load_settings
from dealermart.config import Kpi, Registry, load_config

ROOT = Path(__file__).resolve().parents[1]
DOC = Path("docs/kpis.md")
EXAMPLE = ROOT / "scripts" / "kpis_example.md"
MARTS = Path("dbt_project/models/marts/kpi")
# Subject, and the kind of period that its table has; the few categories have them all.
WIDE = (
    ("member", "quarter"),
    ("dealer", "quarter"),
    ("team", "quarter"),
    ("region", "quarter"),
    ("category", "period"),
)
HEAD = """\
# KPIs

Written by `make feeds` from `config/kpis.yml`; do not edit. All values stand in `mart_kpi__subject_period`, those that
only HR may read in `mart_kpi__subject_period_hr`: one row per subject (member, dealer, team, region, company, product
category), fiscal period and KPI, with numerator, denominator, sample size, 95 % interval, target, the previous period
and the same period last year. Shares are fractions. Who has no data has a status and a reason, and no value.

"""
INTERVALS = {
    "wilson": "Wilson",
    "normal": "normal approximation",
    "nps": "variance of promoters and detractors",
    "cluster": "variance of a ratio of sums by dealer",
}


def document(registry: Registry) -> str:
    """The whole text of docs/kpis.md."""
    listed = "".join(
        f"| [`{kpi.code}`](#{kpi.code}) | {kpi.name} | {kpi.name_zh} | {kpi.unit} | {kpi.formula} |\n"
        for kpi in registry.kpis
    )
    measures = "".join(
        f"| `{measure.code}` | `int_measure__{measure.events}` | {measure.description} |\n"
        for measure in registry.measures
    )
    return (
        f"{HEAD}| code | name | 名称 | unit | formula |\n|---|---|---|---|---|\n{listed}\n"
        f"{EXAMPLE.read_text('utf-8')}{''.join(map(_kpi, registry.kpis))}"
        "## Measures\nWhat the KPIs of events are made of; a KPI over these is an entry of the registry, no SQL.\n\n"
        f"| measure | model | what it sums |\n|---|---|---|\n{measures}"
    )


def _kpi(kpi: Kpi) -> str:
    made = {
        "ratio": f"`{kpi.numerator_measure}` / `{kpi.denominator_measure}`",
        "mean": f"`{kpi.numerator_measure}` / number of its events",
        "sum": f"`{kpi.numerator_measure}`",
        "median": f"median of `{kpi.numerator_measure}`",
        "distinct": f"different things of `{kpi.numerator_measure}`",
        "distinct_share": f"different things of `{kpi.numerator_measure}` / of `{kpi.denominator_measure}`",
        "net_promoter": f"(`{kpi.numerator_measure}` - `{kpi.minus_measure}`) / `{kpi.denominator_measure}`, in points",
        "model": f"SQL of its own, `int_kpi__{kpi.model}`",
    }
    rows = {
        "numerator": kpi.numerator,
        "denominator": kpi.denominator or "none: it is a sum",
        "population": kpi.population,
        "made of": made[kpi.kind] + (f", times {kpi.factor}" if kpi.factor != 1 else ""),
        "stated for": ", ".join(kpi.subjects),
        "interval": INTERVALS[kpi.interval] if kpi.interval else "none",
        "better": {"higher": "higher", "lower": "lower", "none": "neither"}[kpi.direction],
        "without any": {
            "none": kpi.empty or "no value, and the reason in `status_reason`",
            "zero": "0 where the company has any",
        }[kpi.without_events],
        "smallest sample": str(kpi.min_sample),
        "read by": {"bi": "BI and HR", "hr": "HR only"}[kpi.audience]
        + (f"; of a {' or '.join(kpi.hr_subjects)} HR only" if kpi.hr_subjects else ""),
        "small groups": {
            "none": "shown",
            "people": "of people, BI does not see",
            "respondents": "of respondents, BI does not see",
        }[kpi.suppress],
        "version of the definition": str(kpi.version),
    }
    table = "".join(f"| {name} | {text} |\n" for name, text in rows.items())
    chinese = f"{kpi.name_zh}：{kpi.formula_zh or kpi.formula}。总体：{kpi.population_zh or kpi.population}。"
    return f"### {kpi.code}\n{kpi.name}: {kpi.formula}.\n\n{chinese}\n\n| | |\n|---|---|\n{table}\n"


def generated(registry: Registry) -> dict[Path, str]:
    """Path, relative to the repo, and text of every file that follows from the registry."""
    files = {DOC: document(registry)}
    for subject, kind in WIDE:
        kpis = [kpi for kpi in registry.kpis if kpi.audience == "bi" and subject in kpi.subjects]
        if kpis:
            files[MARTS / f"mart_kpi__{subject}_{kind}.sql"] = _wide_sql(subject, kind, kpis)
            files[MARTS / f"mart_kpi__{subject}_{kind}.yml"] = _wide_yml(subject, kind, kpis)
    return files


def _wide_sql(subject: str, kind: str, kpis: list[Kpi]) -> str:
    listed = textwrap.fill(
        ", ".join(f"'{kpi.code}'" for kpi in kpis) + ",", 140, initial_indent="    ", subsequent_indent="    "
    )
    only = "\n        and period_type = 'quarter'" if kind == "quarter" else ""
    return f"""\
-- Grain: one row per {subject} and fiscal {kind} begun.
{{{{ by_fiscal_period('int_kpi__subject_state') }}}}
{{%- set keys = [
    '{subject}_id', 'subject_name', 'period_id', 'period_type', 'period_start', 'period_end', 'is_complete',
] %}}
{{%- set kpis = [
{listed}
] %}}
with

listed as (
    select
        subject_id as {subject}_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        kpi_code,
        value
    from {{{{ ref('mart_kpi__subject_period') }}}}
    where
        subject_type = '{subject}'{only}
        and {{{{ of_this_build('int_kpi__subject_state', 'period_id') }}}}
),

final as (
    {{{{ a_column_per_kpi('listed', keys, kpis) }}}}
)

select * from final
"""


def _wide_yml(subject: str, kind: str, kpis: list[Kpi]) -> str:
    keys = (
        (f"{subject}_id", "varchar", "\"{{ doc('subject_id') }}\""),
        ("subject_name", "varchar", "\"{{ doc('subject_name') }}\""),
        ("period_id", "varchar", "\"{{ doc('period_id') }}\""),
        ("period_type", "varchar", "\"{{ doc('period_type') }}\""),
        ("period_start", "date", "\"{{ doc('period_start') }}\""),
        ("period_end", "date", "\"{{ doc('period_end') }}\""),
        ("is_complete", "boolean", "\"{{ doc('is_complete') }}\""),
        *((kpi.code, "decimal(28,8)", json.dumps(f"{kpi.name}; unit: {kpi.unit}")) for kpi in kpis),
    )
    columns = "".join(
        f"      - name: {n}\n        data_type: {t}\n        config: {{meta: {{{_column_meta(subject, n, kpis)}}}}}\n"
        f"        description: {d}\n"
        for n, t, d in keys
    )
    rows = f"\n        rows: {{{subject}: {subject}_id, before: period_end}}" if len(_audience(subject)) > 2 else ""
    return f"""\
version: 2

models:
  - name: mart_kpi__{subject}_{kind}
    description: >-
      The KPIs of a {subject} side by side, a column each: mart_kpi__subject_period pivoted. An empty value is explained
      there. Grain: one row per {subject} and fiscal {kind} begun.
    config:
      meta:
        audience: [{", ".join(_audience(subject))}]{rows}
        kpi: {{type: {subject}, subject: {subject}_id, period: period_id}}
    data_tests:
      - valid_key:
          arguments:
            columns: [{subject}_id, period_id]
    columns:
{columns}"""


def _audience(subject: str) -> tuple[str, ...]:
    """Whoever is in charge of a member or dealer sees its figures."""
    return ("bi", "hr", "manager", "member") if subject in ("member", "dealer") else ("bi", "hr")


def _column_meta(subject: str, column: str, kpis: list[Kpi]) -> str:
    audience = _audience(subject)
    if any(kpi.code == column and subject in kpi.hr_subjects for kpi in kpis):
        return f"audience: [{', '.join(name for name in audience if name != 'bi')}], pii: sensitive"
    pii = "none"
    if subject == "member" and column in ("member_id", "subject_name"):
        pii = f"direct, person: {'self' if column == 'member_id' else 'member_id'}"
    return f"audience: [{', '.join(audience)}], pii: {pii}"


def main() -> int:
    """Write the files that differ."""
    for name, text in generated(load_config(load_settings()).registry).items():
        path = ROOT / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"{name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
