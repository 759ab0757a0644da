"""Write docs/kpis.md from the registry, config/kpis.yml: what each KPI is, in two languages, and of what it is made."""

from __future__ import annotations

import sys
from pathlib import Path

from dealermart.base import load_settings
from dealermart.config import Kpi, Registry, load_config

ROOT = Path(__file__).resolve().parents[1]
DOC = Path("docs/kpis.md")
HEAD = """\
# KPIs

Written by `make feeds` from `config/kpis.yml`; do not edit. All values stand in `mart_kpi__subject_period`, those that
only HR may read in `mart_kpi__subject_period_hr`: one row per subject (member, dealer, team, region, company, product
category), fiscal period and KPI, with numerator, denominator, sample size, 95 % interval, target, the previous period
and the same period last year. Shares are fractions. Who has no data has a status and a reason, and no value.

"""
INTERVALS = {"wilson": "Wilson", "normal": "normal approximation", "nps": "variance of promoters and detractors"}


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
        f"{''.join(map(_kpi, registry.kpis))}"
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
        "without any": {"none": kpi.empty or "as the SQL says", "zero": "0 where the company has any"}[
            kpi.without_events
        ],
        "smallest sample": str(kpi.min_sample),
        "read by": {"bi": "BI and HR", "hr": "HR only"}[kpi.audience],
        "version of the definition": str(kpi.version),
    }
    table = "".join(f"| {name} | {text} |\n" for name, text in rows.items())
    return f"### {kpi.code}\n{kpi.name}, {kpi.name_zh}: {kpi.formula}.\n\n| | |\n|---|---|\n{table}\n"


def main() -> int:
    """Write the document where it differs."""
    path, text = ROOT / DOC, document(load_config(load_settings()).registry)
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
        print(f"{DOC}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
