"""Objects and fields of a Fxiaoke tenant, and how their values look: numbers as texts, moments in milliseconds, people as
lists, labels beside values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.crm_sim.clock import milliseconds
from tests.crm_sim.store import Table

SHANGHAI = timezone(timedelta(hours=8))
NUMBERS = {"number", "currency", "percentile"}
MOMENTS = {"date", "date_time"}
PEOPLE = {"employee", "department"}
LABELLED = {"select_one", "record_type", "country", "province", "city"}
REFERENCES = {"object_reference", "master_detail"}


@dataclass(frozen=True)
class Field:
    """A field; ``options`` maps values to labels, ``target`` is the object that a reference points to."""

    name: str
    type: str = "text"
    label: str = ""
    options: dict[str, str] = field(default_factory=dict)
    target: str = ""

    @property
    def define_type(self) -> str:
        return "custom" if self.name.endswith("__c") else "package"


@dataclass(frozen=True)
class Kind:
    """An object with its fields by API name; a custom one stands on a path of its own."""

    name: str
    label: str
    fields: dict[str, Field]
    table: Table = field(default_factory=Table, compare=False)

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")


def kind(name: str, label: str, fields: Iterable[Field]) -> Kind:
    """An object with the system fields that all have."""
    system = [
        Field("_id", label="ID"), Field("name", label="名称"), Field("owner", "employee", "负责人"),
        Field("owner_department", "text", "负责人所在部门"), Field("data_own_department", "department", "归属部门"),
        Field("created_by", "employee", "创建人"), Field("create_time", "date_time", "创建时间"),
        Field("last_modified_by", "employee", "最后修改人"), Field("last_modified_time", "date_time", "最后修改时间"),
        Field("record_type", "record_type", "业务类型", {"default__c": "预设业务类型"}),
        Field("life_status", "select_one", "生命状态", {"normal": "正常", "invalid": "作废", "in_change": "变更中"}),
        Field("lock_status", "select_one", "锁定状态", {"0": "未锁定", "1": "锁定"}),
        Field("is_deleted", "true_or_false", "是否删除"), Field("version", "number", "版本"),
        Field("mc_currency", "select_one", "币种", {"CNY": "CNY - 人民币", "EUR": "EUR - 欧元", "USD": "USD - 美元"}),
        Field("object_describe_api_name", "text"), Field("tenant_id", "text"), Field("package", "text"),
    ]  # fmt: skip
    return Kind(name, label, {f.name: f for f in [*system, *fields]})


def stored(f: Field, value: Any, employee_of: dict[str, str]) -> Any:
    """A value as it is kept: numbers as texts, moments as milliseconds, people by employee number.

    Args:
        employee_of: Open user id -> employee number.
    """
    if value is None:
        return None
    if f.type in NUMBERS:
        return f"{Decimal(str(value)):f}"
    if f.type in MOMENTS:
        if isinstance(value, datetime):
            return milliseconds(value)
        return (
            milliseconds(datetime(value.year, value.month, value.day, tzinfo=SHANGHAI))
            if isinstance(value, date)
            else value
        )
    if f.type == "employee":
        return [employee_of.get(person, person) for person in value]
    return value


def comparable(f: Field, value: Any) -> Any:
    """A stored or asked value as one to compare; numbers may come as texts and the other way round.

    Raises:
        ValueError: It does not fit the type.
    """
    if value is None:
        return None
    if f.type in NUMBERS:
        try:
            return Decimal(str(value))
        except ArithmeticError:
            raise ValueError(f"{value} is no number") from None
    if f.type in MOMENTS:
        return int(value)
    if f.type == "true_or_false":
        return str(value).lower() == "true"
    return value if isinstance(value, list) else str(value)


CN_STAGES = {
    "stage_1": "初步接洽",
    "stage_2": "需求确认",
    "stage_3": "方案报价",
    "stage_4": "商务谈判",
    "stage_won": "赢单",
    "stage_lost": "输单",
}
ACTS = {"电话": "电话", "拜访": "拜访", "会议": "会议", "微信": "微信", "邮件": "邮件"}


def default_kinds() -> dict[str, Kind]:
    """Objects by API name: preset ones, and the custom ones of the sample company."""
    account = Field("account_id", "object_reference", "客户名称", target="AccountObj")
    deal = Field("opportunity_id", "object_reference", "商机名称", target="NewOpportunityObj")
    made = [
        kind("AccountObj", "客户", [
            Field("account_no", label="客户编号"), Field("account_type", "select_one", "客户类型", {"distributor": "经销商", "customer": "终端客户"}),
            Field("dealer_code__c", label="经销商编码"), Field("tel", "phone_number", "电话"), Field("url", "url", "网址"),
            Field("country", "country", "国家", {"248": "中国"}), Field("province", "province", "省"), Field("city", "city", "市"),
            Field("address", "long_text", "详细地址"), Field("last_followed_time", "date_time", "最后跟进时间"),
            Field("deal_status", "select_one", "成交状态", {"1": "未成交", "2": "已成交"}), Field("remark", "long_text", "备注"),
        ]),
        kind("PartnerObj", "合作伙伴", [Field("partner_type", "select_one", "类型")]),
        kind("ContactObj", "联系人", [account, Field("tel1", "phone_number"), Field("mobile1", "phone_number"), Field("email", "email")]),
        kind("NewOpportunityObj", "商机2.0", [
            account, Field("amount", "currency", "商机金额"), Field("close_date", "date", "预计成交日期"),
            Field("sales_process_id", "object_reference", "销售流程", {"process_1": "标准销售流程"}),
            Field("sales_stage", "select_one", "销售阶段", dict(CN_STAGES)),
            Field("sales_status", "select_one", "阶段状态", {"1": "进行中", "2": "赢单", "3": "输单"}),
            Field("probability", "percentile", "赢率"), Field("probability_amount", "formula", "赢率金额"),
            Field("stg_changed_time", "date_time", "阶段变更时间"), Field("last_followed_time", "date_time", "最后跟进时间"),
            Field("product_line__c", label="产品品类"), Field("actual_close_date__c", "date", "实际成交日期"),
            Field("loss_reason__c", label="输单原因"), Field("invoice_no__c", label="关联单据号"),
        ]),
        kind("ActiveRecordObj", "销售记录", [
            Field("interactive_types", "select_one", "互动类型", dict(ACTS)), Field("active_record_content", "long_text", "内容"),
            Field("interactive_time", "date_time", "互动时间"), account, deal, Field("related_object_data", "group", "关联对象"),
        ]),
        kind("CasesObj", "工单", [account, Field("case_status", "select_one", "状态")]),
        kind("PersonnelObj", "人员", [Field("full_name"), Field("phone", "phone_number"), Field("status", "select_one"), Field("user_id")]),
        kind("object_stage_change__c", "商机阶段变更", [
            Field("opportunity_id__c", "object_reference", "商机", target="NewOpportunityObj"),
            Field("operator__c", "employee", "操作人"), Field("from_stage__c", label="变更前阶段"), Field("to_stage__c", label="变更后阶段"),
            Field("changed_time__c", "date_time", "变更时间"), Field("amount__c", "currency", "商机金额"), Field("currency__c", label="币种"),
            Field("probability__c", "percentile", "赢率"), Field("expected_close_date__c", "date", "预计成交日期"),
        ]),
    ]  # fmt: skip
    return {of.name: of for of in made}
