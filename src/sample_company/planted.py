"""What the KPIs of the sample must be: computed from the company's objects, in exact arithmetic and without SQL.

Each practice has a module `kpis_<practice>` with a function that takes the feeds as they finally stand and yields
figures (`Planted` of `sample_company.figures`). A period is a month or quarter such as 2026-M08 or 2026-Q3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sample_company import kpis_collection, kpis_communication, kpis_crm, kpis_service, kpis_targets
from sample_company.feeds import Feeds
from sample_company.figures import EIGHT, Planted, half_up
from sample_company.kpis_people import people, training_and_surveys
from sample_company.kpis_sales import planted_revenue, planted_sales

PRACTICES: dict[str, tuple[Callable[[Feeds], Iterator[Planted]], ...]] = {
    "training and surveys": (training_and_surveys,),

    "sales": (planted_revenue, planted_sales),

    "stock and market": (),

    "collection": (kpis_collection.planted,),

    "targets": (kpis_targets.planted,),

    "CRM": (kpis_crm.planted,),

    "service and communication": (kpis_service.planted, kpis_communication.planted),

    "people": (people,),
}  # fmt: skip


def figures_of(feeds: Feeds) -> list[Planted]:
    """All planted figures but those of reviews, which are taken of them."""
    return [row for functions in PRACTICES.values() for function in functions for row in function(feeds)]


def as_truth(figures: Iterable[Planted]) -> list[dict[str, Any]]:
    """Figures as the truth holds them: values as texts of 8 decimals, rounded half up."""
    rows = [
        {**row._asdict(), "value": None if row.value is None else f"{half_up(row.value, EIGHT):f}"} for row in figures
    ]
    return sorted(rows, key=lambda row: (row["kpi"], row["period"], row["subject_type"], row["subject"]))
