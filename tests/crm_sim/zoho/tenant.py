"""A Zoho tenant as it is delivered, with the custom fields of the sample company: modules, stages, users."""

from __future__ import annotations

from dataclasses import dataclass

from tests.crm_sim.zoho.schema import Field, Module, module


@dataclass(frozen=True)
class Stage:
    """A stage of a pipeline; ``forecast`` is Open, Closed Won or Closed Lost."""

    name: str
    probability: int
    forecast: str


@dataclass(frozen=True)
class User:
    """A user; status is active, inactive, deleted or disabled."""

    id: str
    name: str
    email: str
    status: str = "active"
    role: str = "Sales"


STAGES = (
    Stage("Qualification", 10, "Open"), Stage("Needs Analysis", 20, "Open"), Stage("Value Proposition", 40, "Open"),
    Stage("Identify Decision Makers", 60, "Open"), Stage("Proposal/Price Quote", 75, "Open"),
    Stage("Negotiation/Review", 90, "Open"), Stage("Closed Won", 100, "Closed Won"), Stage("Closed Lost", 0, "Closed Lost"),
    Stage("Closed Lost to Competition", 0, "Closed Lost"),
)  # fmt: skip


def texts(*names: str) -> list[Field]:
    return [Field(name) for name in names]


def default_modules() -> dict[str, Module]:
    """Modules by API name."""
    account = Field("Account_Name", "lookup", lookup="Accounts")
    stage = Field("Stage", "picklist", pick=tuple(s.name for s in STAGES))
    money = [Field("Amount", "currency"), Field("Currency", "picklist", pick=("USD", "EUR", "CNY"))]
    made = [
        module("Accounts", [
            *texts("Account_Name"), Field("Account_Type", "picklist", pick=("Reseller", "Distributor", "Partner", "Customer")),
            Field("Dealer_Code", custom=True), Field("Phone", "phone"), Field("Website", "website"),
            *texts("Billing_Street", "Billing_City", "Billing_State", "Billing_Code", "Billing_Country", "Account_Number"),
            Field("Industry", "picklist"), Field("Employees", "integer"), Field("Annual_Revenue", "currency"),
            Field("Parent_Account", "lookup", lookup="Accounts"), Field("Description", "textarea", rich=True),
            Field("Last_Activity_Time", "datetime"), Field("Record_Image", "profileimage"),
        ], named="Account_Name"),
        module("Contacts", [
            *texts("First_Name", "Last_Name", "Full_Name", "Title"), Field("Email", "email"), Field("Phone", "phone"), account,
        ], named="Full_Name"),
        module("Deals", [
            *texts("Deal_Name"), stage, Field("Pipeline", "picklist", pick=("Standard",)), *money,
            Field("Exchange_Rate", "double"), Field("Probability", "integer"), Field("Expected_Revenue", "currency"),
            Field("Closing_Date", "date"), account, Field("Contact_Name", "lookup", lookup="Contacts"),
            Field("Type", "picklist"), Field("Next_Step"), Field("Reason_For_Loss__s", "picklist"),
            Field("Product_Line", "picklist", pick=("E-Bikes", "Bikes", "Components"), custom=True),
            Field("Invoice_No", custom=True), Field("Last_Activity_Time", "datetime"), Field("Locked__s", "boolean"),
            Field("Competitors", "multiselectpicklist", custom=True), Field("Weighted", "formula", custom=True),
            Field("Deal_Team", "subform", custom=True),
        ], named="Deal_Name", related={"Stage_History": ("DealHistory", "Deal")}),
        module("DealHistory", [
            Field("Deal", "lookup", lookup="Deals"), Field("From_Stage", "picklist"), stage, *money,
            Field("Probability", "integer"), Field("Close_Date", "date"), Field("Changed_Time", "datetime"),
            Field("Modified_Time", "datetime"), Field("Modified_By", "userlookup"),
        ], named="Stage", system=False, generated_type="field_tracker"),
        module("Calls", [
            *texts("Subject", "Call_Duration"), Field("Call_Type", "picklist", pick=("Outbound", "Inbound", "Missed")),
            Field("Call_Start_Time", "datetime"), Field("Call_Duration_in_seconds", "integer"),
            Field("What_Id", "lookup"), Field("Who_Id", "lookup", lookup="Contacts"),
            Field("Account", "lookup", lookup="Accounts", custom=True), Field("CTI_Entry", coql=False),
        ], named="Subject"),
        module("Tasks", [
            *texts("Subject"), Field("Status", "picklist"), Field("Due_Date", "date"), Field("Closed_Time", "datetime"),
            Field("What_Id", "lookup"), Field("Who_Id", "lookup", lookup="Contacts"),
        ], named="Subject"),
        module("Events", [
            *texts("Event_Title", "Venue"), Field("Start_DateTime", "datetime"), Field("End_DateTime", "datetime"),
            Field("All_day", "boolean"), Field("Participants", "jsonarray", coql=False), Field("What_Id", "lookup"),
            Field("Who_Id", "lookup", lookup="Contacts"),
        ], named="Event_Title"),
        module("Cases", [
            *texts("Case_Number", "Subject"), Field("Status", "picklist"), Field("Priority", "picklist"),
            Field("Type", "picklist"), Field("Case_Origin", "picklist"), account,
            Field("Deal_Name", "lookup", lookup="Deals"), Field("Description", "textarea", rich=True),
            Field("Comments", "jsonarray", coql=False),
        ], named="Case_Number"),
        module("Products", [*texts("Product_Name", "Product_Code"), Field("Unit_Price", "currency")], named="Product_Name"),
        module("Notes", texts("Note_Title", "Note_Content"), named="Note_Title", refuses="NOT_SUPPORTED"),
        module("CTI_Entry", [], refuses="INVALID_MODULE"),
        module("Email_Sentiment", [], refuses="INVALID_QUERY"),
        # A module without Modified_Time: its rows are written once.
        module("Actions_Performed", [Field("Action_Performed_Time", "datetime")], system=False),
    ]  # fmt: skip
    return {kind.name: kind for kind in made}
