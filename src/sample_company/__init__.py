"""The sample company: three years of files as real sources send them, and the figures that must come out of them.

`make(seed, size, out)` writes `<out>/<received date>/...`, to be copied to the inbox of the source `sample`, and
`<out>/truth.json`. The same seed and size give the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sample_company.aims import write_aims
from sample_company.care import write_care
from sample_company.company import END, SIZES, START, Company, make_company
from sample_company.crm import write_crm
from sample_company.feeds import Feeds
from sample_company.figures import Figures, half_up, quarter_of, quarters
from sample_company.kpis_reviews import Reviews
from sample_company.ledger import Ledger
from sample_company.masters import write_masters, write_targets
from sample_company.pay import pay
from sample_company.people import write_surveys, write_training
from sample_company.planted import as_truth, figures_of
from sample_company.sales import write_sales
from sample_company.staff import write_staff
from sample_company.trade import write_trade

SOURCE = "sample"
EIGHT = Decimal("0.00000001")


def make(seed: int, size: str, out: Path) -> dict[str, Any]:
    """Write the sample.

    Args:
        seed: Any integer; the same one gives the same files.
        size: S, M or L (see `company.SIZES`).
        out: A folder that does not exist or is empty.

    Returns:
        The truth, as also written to `truth.json`. Amounts are texts of decimals; files stand in the order of receipt.
    """
    company = make_company(seed, SIZES[size])
    ledger = Ledger(out)
    figures = Figures(company)
    events = write_sales(ledger, company, figures, seed)
    write_masters(ledger, company)
    targets, edges, aims = write_targets(ledger, company, figures, seed)
    feeds = Feeds(ledger, company, figures, seed)
    training = write_training(feeds, seed)
    surveys = write_surveys(feeds, seed)
    feeds.targets = targets
    feeds.aims += aims
    write_aims(feeds)
    for write in (write_trade, write_crm, write_care, write_staff):
        write(feeds)
    later = feeds.truth()
    kpis = figures_of(feeds)
    reviews = Reviews(feeds, kpis, surveys["by_member"])
    surveys["responses"] += later["survey_responses"]["current"]
    files = [f.as_json() for f in sorted(ledger.files, key=lambda f: (f.received, f.file))]
    truth = {
        "source": SOURCE,
        "seed": seed,
        "size": size,
        "period_start": START.isoformat(),
        "period_end": END.isoformat(),
        "received_dates": sorted({f["received"] for f in files}),
        "files": files,
        "totals": _totals(files),
        "masters": {
            "dealers": len(company.by_dealer),
            "members": len(company.employment),
            "products": len(company.products),
            "dealers_without_sales": sorted(set(company.by_dealer) - figures.buyers),
        },
        "sales": _sales(figures),
        "targets": {"current": len(feeds.aims)},
        "attainment": _attainment(company, figures, targets),
        "pay": pay(feeds, "2025-Q4"),
        "training": training,
        "csat": surveys,
        "feeds": later,
        "kpis": as_truth([*kpis, *reviews.not_ready()]),
        "reviews": reviews.truth(),
        "events": {**events, "target_edges": edges, "transfer": _transfer(company, figures)},
    }
    (out / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return truth


def _totals(files: list[dict[str, Any]]) -> dict[str, Any]:
    keys = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate", "taken_up")
    by_feed: dict[str, Counter[str]] = {}
    for file in files:
        if file["feed"] is not None and file["status"] == "accepted":
            by_feed.setdefault(file["feed"], Counter()).update({key: file[key] for key in keys})
    return {feed: {key: counts[key] for key in keys} for feed, counts in sorted(by_feed.items())}


def _money(value: Decimal) -> str:
    return f"{half_up(value)}"


def _sales(figures: Figures) -> dict[str, Any]:
    return {
        "current_lines": figures.lines,
        "net_amount_by_currency": {code: f"{Decimal(cents).scaleb(-2)}" for code, cents in sorted(figures.net.items())},
        "by_quarter": {
            quarter: {"net_revenue": _money(sums["net"]), "gross_margin": _money(sums["net"] - sums["cost"])}
            for quarter, sums in figures.revenue_by_quarter().items()
        },
        "net_revenue_by_region": {
            q: {r: _money(v) for r, v in regions.items()} for q, regions in figures.revenue_by_region().items()
        },
        "ebikes_at_plan_rate_by_month_and_region": {
            month: {r: _money(v) for r, v in regions.items()}
            for month, regions in figures.ebikes_by_region_and_month().items()
        },
        "net_revenue_by_member": {
            q: {m: _money(v) for m, v in members.items()} for q, members in figures.revenue_by_member().items()
        },
    }


def _quarter_target(targets: dict[tuple[str, date], Decimal], member: str, quarter: str) -> Decimal | None:
    months = [value for (who, month), value in targets.items() if who == member and quarter_of(month) == quarter]
    return sum(months, Decimal(0)) if months else None


def _attainment(company: Company, figures: Figures, targets: dict[tuple[str, date], Decimal]) -> dict[str, Any]:
    """Quarter -> member -> credited net revenue at the plan rate, target, attainment (None for a target of 0).

    Like is set against like: where targets cover only some months of the quarter, so does the revenue.
    """
    revenue = figures.revenue_by_member("plan", lambda member, day: (member, day.replace(day=1)) in targets)
    found: dict[str, Any] = {}
    for quarter, _, _ in quarters(START, END):
        for member in sorted({who for who, _ in targets}):
            target = _quarter_target(targets, member, quarter)
            if target is None:
                continue
            actual = revenue.get(quarter, {}).get(member, Decimal(0))
            found.setdefault(quarter, {})[member] = {
                "actual": _money(actual),
                "target": f"{target:f}",
                "attainment": f"{half_up(actual / target, EIGHT)}" if target > 0 else None,
            }
    return found


def _transfer(company: Company, figures: Figures) -> dict[str, Any]:
    """One dealer that changed hands inside a quarter: its sales before and after, and to whom they count."""
    day = company.transfer["on"]
    assert isinstance(day, date)
    quarter = quarter_of(day)
    sums: dict[tuple[str, str], list[int]] = {}
    each = []
    for line in sorted(figures.watched, key=lambda sold: (sold.day, sold.transaction_id, sold.line_no)):
        if quarter_of(line.day) != quarter:
            continue
        part = "before" if line.day < day else "from"
        for member, role, percent in figures.credits(line):
            entry = sums.setdefault((part, f"{member} {role}"), [0, 0])
            entry[0] += 1
            entry[1] += line.net * percent
            each.append(
                {
                    "transaction_id": line.transaction_id,
                    "line_no": str(line.line_no),
                    "sale_date": line.day.isoformat(),
                    "credited": f"{member} {role}",
                    "net_amount": f"{Decimal(line.net * percent).scaleb(-4)}",
                }
            )
    return {
        **{key: f"{value}" for key, value in company.transfer.items()},
        "quarter": quarter,
        "told_on": "2026-07-24",
        "explanation": "Lines with a stated seller count for the seller, others for the owner on the day of the sale.",
        "lines": [
            {"when": part, "credited": who, "lines": count, "net_amount": f"{Decimal(cents).scaleb(-4)}"}
            for (part, who), (count, cents) in sorted(sums.items())
        ],
        "sale_lines": each,
    }
