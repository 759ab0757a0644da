"""A small config folder that is right, and a way to break one thing in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart.base import Settings

FILES = {
    "company.yml": """\
name: Small Company
reporting_currency: CNY
fiscal_year_start_month: 4
calendar_start: 2024-04-01
time_zone: Asia/Shanghai
scorecard: scorecard.yml
calendar: calendar.yml
training_plan: training_plan.yml
review_rules: review_rules.yml
career_ladder: career_ladder.yml
""",
    "review_rules.yml": """\
top_ratings: [good]
guideline_pct: {good: 70, poor: 30}
nine_box:
  performance: {middle_from: 60, high_from: 80}
""",
    "career_ladder.yml": """\
ladders:
  - role: service
    grades:
      - {grade: G1, name: Junior, name_zh: 初级}
      - grade: G2
        name: Senior
        name_zh: 高级
        conditions:
          - {kind: rating, rating: good, quarters: 2, of_last: 4}
          - {kind: skill, topic: service, level: 60}
""",
    "training_plan.yml": """\
serious_gap: 25
levels:
  - {role: sales, topic: selling, level: 50}
  - {role: sales, grade: G6, topic: selling, level: 75}
""",
    "calendar.yml": """\
opens: "08:30"
closes: "17:30"
holidays:
  - {from: 2026-01-01, to: 2026-01-03, name: New Year, name_zh: 元旦}
  - {from: 2026-04-04, to: 2026-04-06, name: Qingming, name_zh: 清明节}
make_up_days: [2026-01-04]
""",
    "scorecard.yml": """\
tiers:
  - tier: A
    conditions:
      - {kpi: net_revenue, at_least: 900000}
  - tier: B
    conditions: []
warnings:
  - {code: unhappy, kpi: csat_pct, below: 0.6, name: Unhappy, name_zh: 不满}
""",
    "kpis.yml": """\
kpis:
  - code: net_revenue
    name: Net revenue
    name_zh: 净销售额
    unit: currency
    direction: higher
    formula: sum of net amounts
    numerator: net amount
    population: sale lines
    audience: bi
    kind: model
    model: sales_value
  - code: csat_pct
    name: Satisfaction
    name_zh: 满意度
    unit: share
    direction: higher
    formula: top two / answers
    numerator: top two
    denominator: answers
    population: answered surveys
    audience: bi
    kind: ratio
    numerator_measure: csat_top_two
    denominator_measure: csat_answered
    empty: no survey
    min_sample: 5
  - code: days_open
    name: Days open
    name_zh: 处理天数
    unit: days
    direction: lower
    formula: mean of days
    numerator: days
    denominator: cases
    population: closed cases
    audience: bi
    kind: mean
    numerator_measure: case_resolution_hours
    empty: no case
measures:
  - {code: csat_answered, events: survey, description: answered}
  - {code: csat_top_two, events: survey, description: of these the top two}
  - {code: case_resolution_hours, events: service, description: hours}
""",
    "plans/commission.yml": """\
plan: commission
version: 1
name: Commission
name_zh: 提成
payee: member
currency: CNY
period: quarter
valid_from: 2024-04-01
components:
  - id: rate
    name: Rate
    name_zh: 比例
    measure: {of: net_revenue}
    target: {metric: net_revenue, prorate: none}
    rate:
      basis: attainment
      rule: marginal
      outside: zero
      bands:
        - {from: 0, to: 0.8, value: 1.1}
        - {from: 0.8, to: 1.0, value: 1.5}
        - {from: 1.0, value: 2.5}
  - id: bonus
    name: Bonus
    name_zh: 奖金
    measure: {of: net_revenue}
    target: {metric: net_revenue}
    rate:
      basis: attainment
      rule: whole_base
      pays: fixed
      outside: zero
      bands:
        - {from: 1.0, value: 5000.00}
""",
    "reviews/service.yml": """\
template: service_quarterly
version: 1
name: Service
name_zh: 服务
role: service
valid_from: 2024-04-01
min_scored_weight_pct: 60
parts: [{part: kpi, weight_pct: 80}, {part: self, weight_pct: 0}, {part: peers, weight_pct: 20}]
rated:
  - {id: tact, name: Tact, name_zh: 分寸, weight_pct: 100}
criteria:
  - id: satisfaction
    name: Satisfaction
    name_zh: 满意度
    kpi: csat_pct
    weight_pct: 60
    points:
      - {value: 0.5, score: 0}
      - {value: 0.9, score: 100}
  - id: speed
    name: Speed
    name_zh: 速度
    kpi: days_open
    weight_pct: 40
    points:
      - {value: 1, score: 100}
      - {value: 7.5, score: 0}
ratings:
  - {rating: good, name: Good, name_zh: 良, from: 60, to: 100}
  - {rating: poor, name: Poor, name_zh: 差, from: 0, to: 60}
""",
}

Break = Callable[[str, str, str], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation whose config is ``FILES``."""
    for name, text in FILES.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Settings(home=tmp_path / "home", config=tmp_path / "config")


@pytest.fixture
def change(settings: Settings) -> Break:
    """Replace one text, which stands exactly once, in a config file."""

    def apply(file: str, old: str, new: str) -> None:
        path = settings.config / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), "utf-8")

    return apply
