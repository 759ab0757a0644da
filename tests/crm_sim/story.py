"""What happens in the two CRM systems while they are pulled: the sample company's days, edits, deletions, and what comes back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.sample import Version, load

SOON = timedelta(days=5)  # after the first pull: the second one
EXTRA = 3  # records of each kind that are entered by mistake and deleted later


def evening(day: date) -> datetime:
    """The moment at which a day's records are all entered: the sample's people sleep then."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, seconds=1)


@dataclass
class Story:
    """Plays the sample company's CRM step by step into both simulators, whose clock it sets.

    Beside the company's own records some are there at first that do not belong: trial accounts with a deal, a call and a
    change of stage. They are deleted before the second pull, half of them for good; no month ends in between, so that no
    figure may know of them. One real deal of each vendor is deleted with them and comes back before the third pull. In the
    end both hold what the files tell, no more and no less.
    """

    versions: list[Version]
    zoho: Zoho
    fxiaoke: Fxiaoke
    clock: Clock
    trials: dict[str, list[str]] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    done: int = 0

    @property
    def steps(self) -> list[date]:
        """Days in whose evening the CRMs are pulled: those whose files tell how all kinds of records stand, and one more."""
        told = {v.received for v in self.versions if v.kind == "activity"}
        return sorted({*told, min(told) + SOON})

    def versions_of(self, day: date) -> list[Version]:
        """What is new on a day. A version that a later file tells is there since its own moment."""
        before = self.steps[self.steps.index(day) - 1] if day != self.steps[0] else None
        return [v for v in self.versions if self._is_there(v, day) and not (before and self._is_there(v, before))]

    def _is_there(self, version: Version, day: date) -> bool:
        return version.received <= day or (day != self.steps[0] and version.modified <= evening(day))

    def play(self) -> str:
        """Go on to the next step; says what happened."""
        day = self.steps[self.done]
        self.clock.set(evening(day))
        edits = load(self.zoho, self.fxiaoke, self.versions_of(day))
        said = f"{day}: {edits} records entered or changed"
        if self.done == 0:
            self._try_out(evening(day) - timedelta(hours=5))
            said += f", {4 * EXTRA} more in each system by mistake"
        elif self.done == 1:
            said += f", {self._delete()} deleted"
        elif self.done == 2:
            self._bring_back()
            said += f", {len(self.taken)} deleted ones brought back"
        self.done += 1
        return said

    def _try_out(self, at: datetime) -> None:
        for number in range(EXTRA):
            name = f"Trial {number}"
            account = self.zoho.add("Accounts", {"Account_Name": name}, at=at)
            deal = self.zoho.add(
                "Deals",
                {"Deal_Name": name, "Account_Name": account, "Stage": "Qualification", "Pipeline": "Standard", "Amount": 1e6,
                 "Currency": "EUR", "Closing_Date": "2026-12-31", "Probability": 10},
                at=at,
            )  # fmt: skip
            change = self.zoho.add(
                "DealHistory",
                {
                    "Deal": deal,
                    "Stage": "Qualification",
                    "Changed_Time": at,
                    "Amount": 1e6,
                    "Currency": "EUR",
                    "Probability": 10,
                },
                at=at,
            )
            call = self.zoho.add(
                "Calls",
                {
                    "Subject": name,
                    "Call_Start_Time": at,
                    "What_Id": deal,
                    "Account": account,
                    "Call_Duration_in_seconds": 60,
                },
                at=at,
            )
            for module, record in (("Calls", call), ("DealHistory", change), ("Deals", deal), ("Accounts", account)):
                self.trials.setdefault(module, []).append(record)
            account = self.fxiaoke.add("AccountObj", {"name": name}, at=at)
            deal = self.fxiaoke.add(
                "NewOpportunityObj",
                {"name": name, "account_id": account, "sales_stage": "stage_1", "sales_status": "1", "amount": 1_000_000,
                 "sales_process_id": "process_1", "mc_currency": "CNY", "probability": 10, "close_date": date(2026, 12, 31)},
                at=at,
            )  # fmt: skip
            change = self.fxiaoke.add(
                "object_stage_change__c",
                {"opportunity_id__c": deal, "to_stage__c": "初步接洽", "changed_time__c": at, "amount__c": 1_000_000,
                 "currency__c": "CNY", "probability__c": 10},
                at=at,
            )  # fmt: skip
            call = self.fxiaoke.add(
                "ActiveRecordObj",
                {"interactive_types": "电话", "active_record_content": name, "interactive_time": at, "account_id": account,
                 "opportunity_id": deal},
                at=at,
            )  # fmt: skip
            kinds = (
                ("ActiveRecordObj", call),
                ("object_stage_change__c", change),
                ("NewOpportunityObj", deal),
                ("AccountObj", account),
            )
            for kind, record in kinds:
                self.trials.setdefault(kind, []).append(record)

    def _delete(self) -> int:
        count = 0
        quiet = {"Deals": self._quiet("zoho"), "NewOpportunityObj": self._quiet("fxiaoke")}
        self.taken = {name: record for name, record in quiet.items() if record}
        for name, records in self.trials.items():
            for number, record in enumerate(records):
                if name in self.zoho.modules:
                    self.zoho.delete(name, record, "permanent" if number % 2 else "recycle")
                else:
                    self.fxiaoke.delete(name, record, purge=number % 2 == 1)
                count += 1
        self.fxiaoke.switches.delete_modifies = False  # what comes back shall be as the files tell it
        if "Deals" in self.taken:
            self.zoho.delete("Deals", self.taken["Deals"])
        if "NewOpportunityObj" in self.taken:
            self.fxiaoke.invalidate("NewOpportunityObj", self.taken["NewOpportunityObj"])
        return count + len(self.taken)

    def _quiet(self, system: str) -> str:
        """A deal of the first day that does not change later."""
        told = Counter(v.id for v in self.versions if v.system == system and v.kind == "deal")
        first = (v.id for v in self.versions if v.received == self.steps[0] and told[v.id] == 1)
        return min(first, default="")

    def _bring_back(self) -> None:
        if "Deals" in self.taken:
            self.zoho.restore("Deals", self.taken["Deals"])
        if "NewOpportunityObj" in self.taken:
            self.fxiaoke.restore("NewOpportunityObj", self.taken["NewOpportunityObj"])
