"""A small company whose deliveries correct each other, and the content hashes of what is built from them."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import duckdb

from dealermart import ingest, publish, warehouse
from dealermart.base import Settings, content_hash

HEADS = {
    "sales": "doc,line,kind,dealer,product,qty,net,cost,day,seller",
    "dealers": "dealer,since,name,region,city",
    "members": "member,since,name,role,team,manager",
    "assignments": "dealer,member,role,since,share",
    "products": "product,since,name,category",
    "targets": "target,member,first_day,end_day,value",
    "plans": "member,plan,since,until",
}
Files = dict[str, list[str]]
PERIOD = "2026-M06"
DEAL_BONUS = """
plan: deal_bonus
version: 1
name: An amount for each deal
name_zh: 每单奖金
payee: member
currency: CNY
rate_type: plan
period: quarter
valid_from: 2023-01-01
components:
  - id: deal
    name: Deals
    name_zh: 成交单
    measure: {of: deals}
    credit: [owner, co_owner, seller]
    rate: {basis: none, pays: per_unit, value: 50}
"""


def first_delivery() -> Files:
    """Three dealers, two sellers and their manager, four months of sales, three invoices with lines in two months."""
    sales = [
        f"A{month}{dealer},{line},invoice,D{dealer},P{line},{line},{100 * month + 7 * dealer + line}.25,{60 * month},2026-0{month}-1{dealer},"
        for month in range(1, 5)
        for dealer in range(1, 4)
        for line in (1, 2)
    ]
    sales += [
        f"S{dealer},{line},invoice,D{dealer},P1,1,{10 * line}.50,3,{day},"
        for dealer, days in enumerate(
            (("2026-04-20", "2026-01-20"), ("2026-04-21", "2026-05-02"), ("2026-03-30", "2026-04-01")), start=1
        )
        for line, day in enumerate(days, start=1)
    ]
    return {
        "sales": sales,
        "dealers": ["D1,2026-01-01,甲,East,上海", "D2,2026-01-01,乙,East,上海", "D3,2026-01-01,丙,West,成都"],
        "members": ["M0,2026-01-01,Wu,manager,T1,", "M1,2026-01-01,Li,sales,T1,M0", "M2,2026-01-01,He,sales,T1,M0"],
        "assignments": [
            "D1,M1,owner,2026-01-01,100",
            "D2,M1,owner,2026-01-01,60",
            "D2,M2,co_owner,2026-01-01,40",
            "D3,M2,owner,2026-01-01,100",
        ],
        "products": ["P1,2026-01-01,Tent,Shelter", "P2,2026-01-01,Lamp,Light"],
        "targets": [
            "T1,M1,2026-01-01,2026-04-01,2500",
            "T2,M2,2026-01-01,2026-04-01,1500",
            "T3,M1,2026-04-01,2026-07-01,900",
        ],
    }


def corrections(rng: random.Random) -> Files:
    """A later delivery that reaches back: amounts and months of old lines, new versions of dealers, owners, products, targets."""

    def day(low: int = 1, high: int = 6) -> str:
        return f"2026-{rng.randint(low, high):02d}-{rng.randint(1, 28):02d}"

    files: Files = {}
    months, dealers = rng.sample(range(1, 5), 2), rng.sample(range(1, 4), 2)
    files["sales"] = [
        f"A{month}{dealer},{rng.randint(1, 2)},invoice,D{rng.randint(1, 3)},P{rng.randint(1, 2)},1,{rng.randint(1, 99999)}.{rng.randint(10, 99)},10,{day()},"
        for month, dealer in zip(months, dealers, strict=True)
    ]
    files["sales"].append(
        f"N{rng.randint(1, 9)},1,return,D{rng.randint(1, 3)},P1,-1,-{rng.randint(1, 50)},-5,{day()},{rng.choice(['', 'M1', 'M2'])}"
    )
    if rng.random() < 0.6:
        files["dealers"] = [f"D{rng.randint(1, 3)},{day()},丁,{rng.choice(['East', 'West', 'North'])},北京"]
    if rng.random() < 0.6:
        files["assignments"] = [f"D{rng.randint(1, 3)},M{rng.randint(1, 2)},owner,{day()},{rng.choice([30, 50, 100])}"]
    if rng.random() < 0.4:
        files["products"] = [f"P{rng.randint(1, 2)},{day()},Stove,{rng.choice(['Shelter', 'Fire'])}"]
    if rng.random() < 0.4:
        files["members"] = [f"M{rng.randint(1, 2)},{day()},Li,sales,T{rng.randint(1, 2)},M0"]
    if rng.random() < 0.6:
        files["targets"] = [f"T{rng.randint(1, 3)},M{rng.randint(1, 2)},2026-01-01,2026-04-01,{rng.randint(0, 4000)}"]
    return files


def add_plans(config: Path) -> None:
    """Let the small company say in ``plans.csv`` who is paid by which plan, one of them for each deal."""
    source = config / "sources" / "mini"
    with (source / "source.yml").open("a", encoding="utf-8") as profile:
        profile.write(
            '  - {name: plan_file, feed: plan_assignments, map: plans.sql, pattern: "plans*.csv", format: csv}\n'
        )
    (source / "plans.sql").write_text(
        "select _delivery_id, _row_number, member || plan as plan_assignment_id, 'member' as payee_type, "
        "member as payee_id, plan as plan_id, since as valid_from, until as valid_to from plan_file\n",
        "utf-8",
    )
    (config / "plans" / "deal_bonus.yml").write_text(DEAL_BONUS, "utf-8")


PLANS = {
    "plans": [f"{member},{plan},2026-01-01," for member in ("M1", "M2") for plan in ("sales_commission", "deal_bonus")]
}


def new_plans(rng: random.Random) -> Files:
    """A later delivery that reaches back: from when or until when somebody is paid."""
    since, until = (f"2026-{month:02d}-{rng.randint(1, 28):02d}" for month in (rng.randint(1, 3), rng.randint(4, 6)))
    return (
        {"plans": [f"M{rng.randint(1, 2)},sales_commission,{since},{rng.choice(['', until])}"]}
        if rng.random() < 0.6
        else {}
    )


def write(folder: Path, files: Files) -> Path:
    folder.mkdir(parents=True)
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("\n".join([HEADS[name], *rows, ""]), "utf-8")
    return folder


def deliver(settings: Settings, day: dt.date, drop: Path, ingested_at: dt.datetime | None = None) -> None:
    result = ingest.run(settings, "mini", day, drop, ingested_at=ingested_at)
    # Of files written by chance, two can be the same: that is a duplicate, and no fault.
    assert all(one.status in ("accepted", "duplicate") for one in result.files), [one.error for one in result.files]
    assert result.committed


def marts(path: Path) -> dict[str, str]:
    """Content hash of every table that was built, in a warehouse or served file."""
    con = duckdb.connect(str(path), read_only=True)
    try:
        found = con.execute("""
            select schema_name, table_name from duckdb_tables()
            where table_name <> 'about' and schema_name in ('intermediate', 'marts', 'main') order by all
        """).fetchall()
        # A state says besides what the last build redid.
        hashes = {
            name: content_hash(con, f'"{schema}"."{name}"', exclude=["is_changed"] if name.endswith("_state") else [])
            for schema, name in found
        }
        rows = {
            name: con.execute(f'select count(*) from "{schema}"."{name}"').fetchall()[0][0] for schema, name in found
        }
    finally:
        con.close()
    assert rows["fct_sale_line"] > 0 and rows["dim_dealer"] > 0, rows
    return hashes


def built(
    settings: Settings, *, full: bool = False, as_of: dt.datetime | None = None, period: str | None = PERIOD
) -> dict[str, str]:
    result = warehouse.run(settings, period=period, full=full, as_of=as_of)
    assert result.warehouse is not None
    return marts(result.warehouse)


def served(settings: Settings) -> dict[str, str]:
    return marts(settings.published / "hr" / publish.FILE)
