"""What a profile says of a CRM system whose API is read: which objects, which fields, how politely."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dealermart.config.yamlfile import Strict

ApiName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

LISTS = {"zoho": ("users", "stages"), "fxiaoke": ("users", "departments", "options")}

PULLS = "pull"  # what the files are called that say what was pulled


class CrmObject(Strict):
    """One kind of record of a CRM system."""

    name: ApiName
    """The object as the API names it, such as `Deals`, `NewOpportunityObj` or `object_x1__c`."""

    fields: tuple[ApiName, ...] = ()
    """The fields that are read, those of your own included. Id and time of change come always. Zoho needs the list;
    without it Fxiaoke gives all."""

    stage: ApiName | None = None
    """The field whose changes are written down, each in a record of its own, where the CRM keeps no history."""

    stage_since: ApiName | None = None
    """The field with the moment since which the stage holds; without it the record's change says it."""

    read_by: Literal["query", "list"] = "query"
    """How changes are asked for at Zoho: by COQL, or by the plain list, which some modules only have. Where COQL is
    refused, the list is taken by itself."""

    first_by: Literal["bulk", "query"] = "bulk"
    """How Zoho is read for the first time, where it is more than a few pages: by its bulk read, or by COQL alone."""

    modified: ApiName | None = None
    """The field with the time of change, where it is not `Modified_Time` or `last_modified_time`."""

    @model_validator(mode="after")
    def _fits_together(self) -> CrmObject:
        if self.stage_since and not self.stage:
            raise ValueError("stage_since says since when the stage holds; name the field of the stage too")
        return self


class Crm(Strict):
    """A CRM system whose API is read. No secret stands here."""

    system: Literal["zoho", "fxiaoke"]
    """Which system it is."""

    objects: Annotated[tuple[CrmObject, ...], Field(min_length=1)]
    """The kinds of record that are read, in this order."""

    lists: dict[str, tuple[ApiName, ...]] = {}
    """Short lists that are read whole: `users`; of Zoho `stages`, of Fxiaoke `departments` and `options`. Behind each
    stand the fields that are kept, because people's data are kept only where they are needed."""

    overlap_minutes: Annotated[int, Field(ge=0)] = 10
    """By how much a window of changes reaches back into the one before it, for changes that the system shows late."""

    sweep_hours: Annotated[int, Field(ge=0)] | None = None
    """After how many hours all ids are compared with those that are known, which finds what was deleted, restored or
    never seen; 0 is every time. Without it once a day at Fxiaoke, which lists no deletions, and once a week at Zoho."""

    sweep_stop: Annotated[float, Field(gt=0, le=1)] = 0.2
    """A sweep that misses more than this share of the known records marks none as deleted: the user whose rights the
    answers follow probably lost some."""

    calls_per_20_seconds: Annotated[int, Field(ge=1)] = 90
    """How often one interface of Fxiaoke is called; its limit is 100, unless you have a database of your own."""

    leave_credits: Annotated[int, Field(ge=0)] = 500
    """Zoho's credits that are left for others: reading stops where fewer remain."""

    part_records: Annotated[int, Field(ge=1)] = 50_000
    """After how many records a file is closed, which is from where an interrupted run goes on."""

    @model_validator(mode="after")
    def _fits_together(self) -> Crm:
        names = [item.name for item in self.objects]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"objects stand twice: {', '.join(repeated)}")
        if unknown := sorted(set(self.lists) - set(LISTS[self.system])):
            raise ValueError(
                f"lists: {', '.join(unknown)} is no list of {self.system}; one of {', '.join(LISTS[self.system])}"
            )
        if taken := sorted(set(names) & {*LISTS[self.system], PULLS}):
            raise ValueError(f"objects: {', '.join(taken)} is read as a list; name it under lists")
        if self.system == "zoho" and (bare := [item.name for item in self.objects if not item.fields]):
            raise ValueError(f"objects: {', '.join(bare)} needs fields; Zoho gives only those that are asked for")
        return self

    @property
    def sweep_after_hours(self) -> int:
        """After how many hours ids are compared."""
        return {"zoho": 168, "fxiaoke": 24}[self.system] if self.sweep_hours is None else self.sweep_hours

    @property
    def stems(self) -> tuple[str, ...]:
        """What the names of the files begin with that a pull brings."""
        changes = (f"{item.name}-changes" for item in self.objects if item.stage)
        return (PULLS, *(item.name for item in self.objects), *changes, *self.lists)
