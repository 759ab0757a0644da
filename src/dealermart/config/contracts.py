"""Feed contracts: what the columns of each kind of record are, whatever system they come from."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dealermart.base import ConfigError, Settings
from dealermart.config.yamlfile import Strict, load_yaml

_SIMPLE = {"string": "varchar", "integer": "bigint", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}

_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")

Kind = Literal["append", "delta", "snapshot"]

# Columns that every lake row has after the contract's own. `_row_part` numbers the rows that an unpivot makes of one
# record. `_gone_date` stands in no file: the lake finds it when it is read, because later snapshots decide it.
PROVENANCE = {
    "_source": "varchar",
    "_delivery_id": "varchar",
    "_source_file": "varchar",
    "_row_number": "bigint",
    "_row_part": "integer",
    "_received_date": "date",
    "_ingested_at": "timestamp",
    "_run_id": "varchar",
    "_row_hash": "ubigint",
    "_is_repeat": "boolean",
    "_gone_date": "date",
    "_is_deleted": "boolean",
}


def _known_type(text: str) -> str:
    text = text.replace(" ", "")
    match = _DECIMAL.fullmatch(text)
    if text in _SIMPLE or (match and int(match[2]) <= int(match[1]) <= 38):
        return text
    raise ValueError(f"type {text!r} is none of {', '.join(_SIMPLE)}, decimal(precision,scale)")


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


PersonKind = Literal["member", "dealer_employee", "respondent", "user"]


class Person(Strict):
    """That a column holds the code of a person.

    Attributes:
        kind: Whose code it is; ``user`` is one in another system.
        when: Values that other columns must have for it; a code of a dealer can stand in the same column.
        system: Column that names the system of a user.
        of: Column with our code of the person whom a user's code stands for.
    """

    kind: PersonKind
    when: dict[Name, tuple[str, ...]] = {}
    system: Name | None = None
    of: Name | None = None

    @model_validator(mode="after")
    def _user_of_a_system(self) -> Person:
        if (self.kind == "user") != (self.system is not None):
            raise ValueError("system goes with kind: user, and only with it")
        return self


class Column(Strict):
    """One column of a feed.

    ``person`` says whose code stands in it. ``pii`` says that it describes a person: by ``pii_of`` the one whose code
    is in that column, otherwise everybody whom the row names.
    """

    name: Name
    type: Annotated[str, AfterValidator(_known_type)]
    required: bool = False
    description: Annotated[str, Field(min_length=3)]
    hr_only: bool = False
    pii: Literal["direct", "indirect", "none"] = "none"
    pii_of: Name | None = None
    person: tuple[Person, ...] = ()

    @property
    def sql_type(self) -> str:
        return _SIMPLE.get(self.type, self.type)


class Contract(Strict):
    """What a feed delivers: grain, key, columns, and how later rows relate to earlier ones.

    ``delivery`` says what a file holds: new facts (``append``), rows that changed (``delta``) or all there is
    (``snapshot``); a source's profile can say otherwise for one of its files. ``valid_to`` names the column with the
    end of a record that holds from a day to a day: one that a snapshot lacks ends then, others no longer hold at all.
    ``expected_days`` is after how many days of silence a file of the feed is late, where the source's profile says
    nothing else; a feed without it comes when it comes.
    """

    feed: Name
    title: str
    title_zh: str
    grain: str
    delivery: Kind
    key: Annotated[tuple[Name, ...], Field(min_length=1)]
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    version: Name | None = None
    event_date: Name | None = None
    valid_from: Name | None = None
    valid_to: Name | None = None
    expected_days: Annotated[int, Field(ge=1)] | None = None
    hr_only: bool = False
    hr_only_rows: dict[Name, Annotated[tuple[str, ...], Field(min_length=1)]] = {}  # column: values of rows for HR only

    @model_validator(mode="after")
    def _columns_exist(self) -> Contract:
        names = [column.name for column in self.columns]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"columns stand twice: {', '.join(repeated)}")
        for field in (*self.key, self.version, self.event_date, self.valid_from, self.valid_to, *self.hr_only_rows):
            if field is not None and field not in names:
                raise ValueError(f"{field} is named as key, date or HR-only mark but is no column")
        if self.valid_to is not None and self.valid_from is None:
            raise ValueError("valid_to needs valid_from")
        return self

    @model_validator(mode="after")
    def _persons_can_be_erased(self) -> Contract:
        persons = {column.name for column in self.columns if column.person}
        for column in self.columns:
            for role in column.person:
                named = [*role.when, *(name for name in (role.system, role.of) if name)]
                if unknown := sorted(set(named) - set(self.names)):
                    raise ValueError(f"person of {column.name} names {', '.join(unknown)}, which is no column")
            if column.pii_of is not None and (column.pii == "none" or column.pii_of not in persons):
                raise ValueError(f"pii_of of {column.name} belongs to a column with pii and names one with person")
            kept = column.required or column.name in self.key
            if (column.person or (column.pii != "none" and kept)) and column.type != "string":
                raise ValueError(f"{column.name} cannot be erased: it needs a value, and no {column.type} can stand in")
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def lake_columns(self) -> dict[str, str]:
        """Column name to SQL type of a lake file of this feed, in order."""
        return {column.name: column.sql_type for column in self.columns} | PROVENANCE

    @property
    def hash(self) -> str:
        """Changes when the meaning of stored rows changes (texts excluded)."""
        parts = [
            self.feed,
            self.delivery,
            repr(self.key),
            repr(self.version),
            repr(self.valid_to),
            *(f"{column.name} {column.type}" for column in self.columns),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def load_contracts(settings: Settings) -> dict[str, Contract]:
    """All contracts of ``config/feeds``, by feed name.

    Raises:
        ConfigError: a file is broken, or its name is not its feed's.
    """
    contracts = {}
    for path in sorted(settings.feeds.glob("*.yml")):
        contract = load_yaml(path, Contract)
        if contract.feed != path.stem:
            raise ConfigError(
                f"field feed: {contract.feed!r} is not the file's name",
                where=str(path),
                mend=f"write feed: {path.stem}, or rename the file",
            )
        contracts[contract.feed] = contract
    if not contracts:
        raise ConfigError("no feed contract found", where=str(settings.feeds), mend="put one YAML file per feed there")
    return contracts
