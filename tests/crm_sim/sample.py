"""The CRM of the sample company, out of the files that it exports, into the simulators.

The files tell how accounts, deals, stage changes and activities stood on several days. `read` turns their lines into
versions in common words, without the lines that were planted to be refused; `load` plays the versions of some days into a
vendor's shape, each at its own moment. Either vendor may take the records of both systems.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from tests.crm_sim.fxiaoke import Fxiaoke
from tests.crm_sim.fxiaoke.schema import CN_STAGES, SHANGHAI
from tests.crm_sim.zoho import Stage, Zoho

KINDS = ("account", "deal", "change", "activity")
STATUS_CN = {"进行中": "open", "赢单": "won", "输单": "lost"}
ACTS_CN = {"电话": "call", "拜访": "visit", "会议": "meeting", "微信": "chat"}


@dataclass(frozen=True)
class Version:
    """How a record of a CRM stood from a moment on, as a file of a day tells it; ``values`` bear common names."""

    received: date
    system: str
    kind: str
    id: str
    modified: datetime
    values: dict[str, Any]


# ------------------------------------------------------------------------------------------------ reading
def read(folder: Path) -> list[Version]:
    """All versions in the sample's files, in the order of their moments.

    Args:
        folder: What `sample_company.make` wrote: one folder per day of receipt.
    """
    found: list[Version] = []
    for day in sorted(path for path in folder.iterdir() if path.is_dir()):
        received = date.fromisoformat(day.name)
        for path in sorted((day / "zoho").glob("*.json")):
            found += _zoho(received, path)
        for path in sorted((day / "fxiaoke").glob("*")):
            found += _fxiaoke(received, path)
    return sorted(found, key=lambda v: (v.received, v.modified, KINDS.index(v.kind), v.id))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _id(value: dict[str, str | None] | None) -> str | None:
    return value["id"] if value else None


def _zoho(received: date, path: Path) -> Iterator[Version]:
    kind = {"Accounts": "account", "Deals": "deal", "DealHistory": "change", "Calls": "activity"}[
        path.stem.split("_")[0]
    ]
    for row in json.loads(path.read_text("utf-8"))["data"]:
        if not row["id"] or len(row["id"]) < 15:  # planted
            continue
        common: dict[str, Any] = {"created": _moment(row.get("Created_Time")), "owner": _id(row.get("Owner"))}
        if kind == "account":
            common |= {
                "name": row["Account_Name"], "type": row["Account_Type"], "dealer": row["Dealer_Code"], "phone": row["Phone"],
                "website": row["Website"], "country": row["Billing_Country"], "city": row["Billing_City"],
                "active": _moment(row["Last_Activity_Time"]),
            }  # fmt: skip
        elif kind == "deal":
            stage = row["Stage"]
            status = "won" if stage == "Closed Won" else "lost" if stage.startswith("Closed Lost") else "open"
            day = date.fromisoformat(row["Closing_Date"])
            common |= {
                "name": row["Deal_Name"], "account": _id(row["Account_Name"]), "pipeline": row["Pipeline"], "stage": stage,
                "status": status, "category": row["Product_Line"], "amount": Decimal(str(row["Amount"])),
                "currency": row["Currency"], "probability": row["Probability"], "expected": day,
                "closed": None if status == "open" else day, "reason": row["Reason_For_Loss__s"],
                "invoice": row["Invoice_No"], "active": _moment(row["Last_Activity_Time"]),
            }  # fmt: skip
        elif kind == "change":
            common |= {
                "deal": _id(row["Deal"]), "from": row["From_Stage"], "to": row["Stage"], "owner": _id(row["Modified_By"]),
                "at": _moment(row["Changed_Time"]), "amount": Decimal(str(row["Amount"])), "currency": row["Currency"],
                "probability": row["Probability"], "expected": date.fromisoformat(row["Close_Date"]),
            }  # fmt: skip
        else:
            common |= {
                "kind": "call", "subject": row["Subject"], "at": _moment(row["Call_Start_Time"]),
                "seconds": row["Call_Duration_in_seconds"], "deal": _id(row["What_Id"]), "account": _id(row["Account"]),
            }  # fmt: skip
        modified = _moment(row["Modified_Time"])
        assert modified is not None
        yield Version(received, "zoho", kind, row["id"], modified, common)


def _fxiaoke(received: date, path: Path) -> Iterator[Version]:
    if path.suffix == ".jsonl":
        yield from _activities(received, path)
        return
    kind = "account" if path.suffix == ".xlsx" else "change" if "阶段变更" in path.stem else "deal"
    for row in _table(path):
        number = row.get("变更ID") or row.get("商机ID") or row.get("客户ID") or ""
        if len(number) < 15:  # planted, or blank
            continue
        common: dict[str, Any] = {
            "created": _shanghai(row.get("创建时间")),
            "owner": row.get("负责人ID") or row.get("操作人ID") or None,
        }
        if kind == "account":
            common |= {
                "name": row["客户名称"], "type": row["客户类型"], "dealer": row["经销商编码"] or None, "phone": row["电话"] or None,
                "website": row["网址"] or None, "country": row["国家"], "city": row["城市"], "active": _shanghai(row["最后跟进时间"]),
            }  # fmt: skip
        else:
            common |= {
                "amount": Decimal(row["商机金额"].replace(",", "")), "currency": row["币种"], "probability": int(row["赢率"]),
                "expected": date.fromisoformat(row["预计成交日期"]),
            }  # fmt: skip
        if kind == "deal":
            closed = row["实际成交日期"]
            common |= {
                "name": row["商机名称"], "account": row["客户ID"], "pipeline": row["销售流程"], "stage": row["销售阶段"],
                "status": STATUS_CN[row["销售状态"]], "category": row["产品品类"], "active": _shanghai(row["最后跟进时间"]),
                "closed": date.fromisoformat(closed) if closed else None, "reason": row["输单原因"] or None,
                "invoice": row["关联单据号"] or None,
            }  # fmt: skip
        elif kind == "change":
            at = _shanghai(row["变更时间"])
            if at is None or not row["变更后阶段"]:
                continue
            common |= {"deal": row["商机ID"], "from": row["变更前阶段"] or None, "to": row["变更后阶段"], "at": at}
        modified = _shanghai(row.get("最后修改时间") or row.get("登记时间"))
        if modified is not None:
            yield Version(received, "fxiaoke", kind, number, modified, common)


def _table(path: Path) -> Iterator[dict[str, str]]:
    if path.suffix == ".xlsx":
        rows: Iterable[Iterable[Any]] = openpyxl.load_workbook(path, read_only=True).active.iter_rows(values_only=True)
    else:
        encoding = "gb18030" if "阶段变更" in path.stem else "utf-8-sig"
        rows = csv.reader(path.read_text(encoding).splitlines())
    lines = iter(rows)
    header = [str(cell) for cell in next(lines)]
    for cells in lines:
        yield dict(zip(header, ("" if cell is None else str(cell) for cell in cells), strict=False))


def _shanghai(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y/%m/%d %H:%M").replace(tzinfo=SHANGHAI).astimezone(UTC) if text else None
    except ValueError:
        return None


def _since(value: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)


def _activities(received: date, path: Path) -> Iterator[Version]:
    for line in path.read_text("utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if len(row["_id"]) < 15:
            continue
        common = {
            "kind": ACTS_CN[row["interactive_types"]], "subject": row["active_record_content"], "seconds": None,
            "at": _since(row["interactive_time"]), "deal": row["opportunity_id"], "account": row["account_id"],
            "owner": (row["owner"] or [None])[0], "created": None,
        }  # fmt: skip
        yield Version(received, "fxiaoke", "activity", row["_id"], _since(row["last_modified_time"]), common)


# ------------------------------------------------------------------------------------------------ writing
def load(zoho: Zoho | None, fxiaoke: Fxiaoke | None, versions: Iterable[Version]) -> int:
    """Play versions into the vendors, each at its moment; an older one than the vendor has is left.

    Args:
        zoho: Takes the records of Zoho; None: nobody does.
        fxiaoke: Takes those of Fxiaoke.
        versions: Of the days to play, in the order of `read`.

    Returns:
        How many records were made or changed.
    """
    done = 0
    for version in versions:
        if version.system == "zoho" and zoho is not None:
            done += _to_zoho(zoho, version)
        elif version.system == "fxiaoke" and fxiaoke is not None:
            done += _to_fxiaoke(fxiaoke, version)
    return done


def _to_zoho(sim: Zoho, version: Version) -> int:
    v, owner = version.values, version.values["owner"]
    if owner and owner not in sim.users:
        sim.add_user(owner, f"User {owner[-3:]}", f"user{owner[-3:]}@example.com")
    common = {"Created_Time": v["created"], "Modified_Time": version.modified, "Owner": owner}
    if version.kind == "account":
        name, values = "Accounts", {
            **common, "Account_Name": v["name"], "Account_Type": v["type"], "Dealer_Code": v["dealer"], "Phone": v["phone"],
            "Website": v["website"], "Billing_Country": v["country"], "Billing_City": v["city"], "Last_Activity_Time": v["active"],
        }  # fmt: skip
    elif version.kind == "deal":
        name, values = "Deals", {
            **common, "Deal_Name": v["name"], "Account_Name": v["account"], "Pipeline": v["pipeline"], "Stage": v["stage"],
            "Product_Line": v["category"], "Amount": float(v["amount"]), "Currency": v["currency"],
            "Probability": v["probability"], "Closing_Date": (v["closed"] or v["expected"]).isoformat(),
            "Reason_For_Loss__s": v["reason"], "Invoice_No": v["invoice"], "Last_Activity_Time": v["active"],
        }  # fmt: skip
    elif version.kind == "change":
        name, values = "DealHistory", {
            "Modified_Time": version.modified, "Modified_By": owner, "Deal": v["deal"], "From_Stage": v["from"], "Stage": v["to"],
            "Changed_Time": v["at"], "Amount": float(v["amount"]), "Currency": v["currency"], "Probability": v["probability"],
            "Close_Date": v["expected"].isoformat(),
        }  # fmt: skip
    else:
        name, values = "Calls", {
            **common, "Created_Time": version.modified, "Subject": v["subject"], "Call_Type": "Outbound",
            "Call_Start_Time": v["at"], "Call_Duration_in_seconds": v["seconds"], "What_Id": v["deal"], "Account": v["account"],
        }  # fmt: skip
    row = sim.modules[name].table.rows.get(version.id)
    if row is None:
        sim.add(name, values, id=version.id)
    elif row.values["Modified_Time"] < version.modified:
        sim.change(name, version.id, values)
    else:
        return 0
    return 1


def _option(sim: Fxiaoke, name: str, field: str, label: str) -> str:
    """The value of an option by its label; a new one for a label that is not there."""
    options = sim.kinds[name].fields[field].options
    for value, known in options.items():
        if known == label:
            return value
    options[f"option_{len(options) + 1}"] = label
    return f"option_{len(options)}"


def _to_fxiaoke(sim: Fxiaoke, version: Version) -> int:
    v, owner = version.values, version.values["owner"]
    if owner and owner not in sim.employee_of:
        sim.add_person(f"{1000 + int(owner[-8:], 16)}", owner, f"员工{owner[-3:]}")
    people = [owner] if owner else []
    common = {"create_time": v["created"] or version.modified, "last_modified_time": version.modified, "owner": people}
    if version.kind == "account":
        name, values = "AccountObj", {
            **common, "name": v["name"], "account_type": _option(sim, "AccountObj", "account_type", v["type"]),
            "dealer_code__c": v["dealer"], "tel": v["phone"], "url": v["website"],
            "country": _option(sim, "AccountObj", "country", v["country"]),
            "city": _option(sim, "AccountObj", "city", v["city"]), "last_followed_time": v["active"],
        }  # fmt: skip
    elif version.kind == "deal":
        name = "NewOpportunityObj"
        values = {
            **common, "name": v["name"], "account_id": v["account"], "amount": v["amount"], "mc_currency": v["currency"],
            "sales_process_id": _option(sim, name, "sales_process_id", v["pipeline"]),
            "sales_stage": _option(sim, name, "sales_stage", v["stage"]),
            "sales_status": {"open": "1", "won": "2", "lost": "3"}[v["status"]], "probability": v["probability"],
            "close_date": v["expected"], "actual_close_date__c": v["closed"], "last_followed_time": v["active"],
            "product_line__c": v["category"], "loss_reason__c": v["reason"], "invoice_no__c": v["invoice"],
        }  # fmt: skip
    elif version.kind == "change":
        name, values = "object_stage_change__c", {
            **common, "create_time": version.modified, "name": version.id[-8:], "opportunity_id__c": v["deal"],
            "operator__c": people, "from_stage__c": v["from"], "to_stage__c": v["to"], "changed_time__c": v["at"],
            "amount__c": v["amount"], "currency__c": v["currency"], "probability__c": v["probability"],
            "expected_close_date__c": v["expected"],
        }  # fmt: skip
    else:
        words = {word: cn for cn, word in ACTS_CN.items()}
        name, values = "ActiveRecordObj", {
            **common, "name": version.id[-8:], "interactive_types": words[v["kind"]], "active_record_content": v["subject"],
            "interactive_time": v["at"], "account_id": v["account"], "opportunity_id": v["deal"],
            "related_object_data": [{"id": v["deal"], "describe_api_name": "NewOpportunityObj"}],
        }  # fmt: skip
    row = sim.kinds[name].table.rows.get(version.id)
    if row is None:
        sim.add(name, values, id=version.id)
    elif row.values["last_modified_time"] < int(version.modified.timestamp() * 1000):
        sim.change(name, version.id, values)
    else:
        return 0
    return 1


# ------------------------------------------------------------------------------------------------ one vendor for all
def moved(versions: Iterable[Version], system: str) -> list[Version]:
    """All records as if one vendor had them, with ids in its form; see `moved_id`."""
    return [
        replace(
            v,
            system=system,
            id=moved_id(v.system, v.id, system),
            values={
                key: moved_id(v.system, value, system) if key in ("account", "deal", "owner") and value else value
                for key, value in v.values.items()
            },
        )
        for v in versions
    ]


def moved_id(of: str, value: str, system: str) -> str:
    """An id of one vendor in the other's form; the same for the same record, and different for different ones."""
    if of == system:
        return value
    if system == "zoho" and value.startswith("FSUID_"):
        return f"55459740000386{int(value.removeprefix('FSUID_'), 16):05d}"
    if system == "zoho":  # what follows the 24 digits is the number of a thing that belongs to the record
        return f"5545974{'12'[value[:6] == '66a0b1']}{int(value[6:24], 16):07d}{value[24:]}"
    return f"FSUID_{int(value[-5:]):08X}" if value.startswith("55459740000386") else f"{int(value):024x}"


def move_files(folder: Path, system: str) -> None:
    """Let the sample's lists of codes and of deal teams, below a folder, name one vendor for all; in place."""
    for path in [*folder.rglob("id_links_*.csv"), *folder.rglob("deal_team_*.csv")]:
        rows = list(csv.reader(path.read_text("utf-8").splitlines()))
        header = rows[0]
        of, number = header.index("System"), header.index("External ID" if "External ID" in header else "Deal")
        for row in rows[1:]:
            if row[of] in ("zoho", "fxiaoke") and len(row[number]) >= 12:
                row[number], row[of] = moved_id(row[of], row[number], system), system
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)


def stages(zoho: Zoho, versions: Iterable[Version]) -> None:
    """Give Zoho's pipelines the stages of deals that Fxiaoke had: a pipeline of their own, with what each stage means."""
    ends = {"赢单": "Closed Won", "输单": "Closed Lost"}
    for version in versions:
        if version.kind == "deal" and version.values["pipeline"] not in zoho.pipelines:
            made = [Stage(name, 0, ends.get(name, "Open")) for name in CN_STAGES.values()]
            zoho.pipelines[version.values["pipeline"]] = made
