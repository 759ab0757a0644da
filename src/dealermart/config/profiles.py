"""Source profiles: how the files of a source system are read and mapped to feeds. Files and SQL, no Python."""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from dealermart.base import ConfigError, Settings
from dealermart.config.contracts import Contract, Kind, Name
from dealermart.config.crm import Crm
from dealermart.config.limits import Limits
from dealermart.config.yamlfile import Strict, load_yaml

# Tables of a batch, and words that SQL does not take as a table's name.
_RESERVED = {
    *("delivery", "batch", "batch_kept", "failing", "refused_delivery", "repeated", "passed", "selected", "again"),
    *("accepted", "fault", "decision", "held", "moving", "moved", "gathered", "commits", "corrected", "state"),
    *("chosen", "unmapped", "numbered", "touched", "touched_line", "stored", "suspect", "twins"),
    *("verdict", "record", "origin", "restored", "unsettled", "ambiguous"),
    *("select", "from", "where", "group", "order", "table", "all", "and", "or", "not", "case", "when", "then", "else"),
    *("end", "join", "left", "right", "full", "inner", "cross", "on", "using", "union", "limit", "offset", "having"),
    *("with", "as", "in", "is", "null", "true", "false", "distinct", "desc", "asc", "default", "primary", "references"),
    *("user", "window", "qualify", "pivot", "unpivot", "lateral", "natural", "column", "check", "constraint"),
}

TAKEN_COLUMNS = frozenset({"_delivery_id", "_row_number", "_reason", "_line", "rowid"})

STORAGES = ("file", "s3", "sftp")

CORRECTED = "corrected"  # folder of a drop in which corrected rows come back

NULLS = ("", "NULL", "null", "N/A", "n/a", "-", "—", "——", "无", "空", "未填")

NO_VALUE = ("NA",)  # a word that is a code in texts (Namibia, North America) and means missing elsewhere

DETECTABLE = ("utf-8", "utf-16", "gb18030", "cp1252")


def _known_encoding(name: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(name, tuple):
        if unknown := [sign for sign in name if sign not in DETECTABLE]:
            raise ValueError(f"{', '.join(unknown)} cannot be detected; candidates are {', '.join(DETECTABLE)}")
        if len(name) < 2:
            raise ValueError("a list of candidates needs two or more; write a single encoding without a list")
        return name
    try:
        if name != "auto":
            codecs.lookup(name)
            "".encode(name)  # some codecs are not of text
    except LookupError:
        raise ValueError(f"unknown encoding {name!r}; examples are utf-8, utf-16, gb18030, cp1252, auto") from None
    return name


def _storage_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in STORAGES:
        raise ValueError(
            f"{parts.scheme!r} is no storage that is known; write file:///folder, s3://bucket/folder or sftp://host/folder"
        )
    if parts.password is not None:
        raise ValueError("a password stands in the URL; give it in the environment, see docs/operations.md")
    if parts.scheme == "file" and (parts.netloc or not parts.path.strip("/")):
        raise ValueError("a local folder is written with three slashes: file:///srv/exports")
    if parts.scheme != "file" and not parts.netloc:
        raise ValueError("the bucket or host is missing: s3://bucket/folder, sftp://host/folder")
    return url


def _settled(form: str) -> str:
    if "%y" in form or "%Y" not in form:
        raise ValueError(f"dates: {form!r} has no year of four digits (%Y), so the century would be a guess")
    return form


class Totals(Strict):
    """Rows that only add up others: where ``column`` holds one of ``values``."""

    column: str
    """The column in which such a row shows itself."""

    values: Annotated[tuple[str, ...], Field(min_length=1)]
    """The texts that it then holds, such as `合计` or `Total`."""


class FileSpec(Strict):
    """One kind of file of a source: how to find, read and map it."""

    name: Name
    """The entry's name, and that of its table in selects."""

    feed: Name | None = None
    """The feed that the file brings ([feeds.md](feeds.md)); together with `map`. An entry without both is a file
    to look things up in."""

    map: str | None = None
    """The SQL file beside `source.yml` whose select turns the file's columns into the feed's."""

    pattern: str
    """Which files are meant: a path below the delivery's folder. `*` stays inside a folder, `**/` is any number
    of folders, `?` is one letter."""

    required: bool = False
    """Whether a delivery without such a file is an error. With `expected_days` a day on which nothing came is one
    too, once the file is late."""

    delivery: Kind | None = None
    """What the file holds, where it is not as the feed's contract says: new rows only, changed ones, or the
    whole."""

    shrink_below: Annotated[float, Field(gt=0, le=1)] | None = None
    """Fewer rows than this share of the deliveries before refuse the file. A snapshot is refused below 0.5 if
    nothing is said."""

    expected_days: Annotated[int, Field(ge=1)] | Literal["irregular"] | None = None
    """After how many days of silence the report, each run and the alerts call the file late; `irregular` where it
    comes when it comes. Left out, it is what the feed's contract says."""

    format: Literal["csv", "xlsx", "xls", "json", "jsonl", "parquet"]
    """What the file is. Whether a workbook is an old or a new one its content says."""

    encoding: Annotated[str | tuple[str, ...], AfterValidator(_known_encoding)] = "utf-8"
    """The encoding of a text file: its name, `auto`, or the candidates among which it is detected (`utf-8`,
    `utf-16`, `gb18030`, `cp1252`)."""

    delimiter: Annotated[str, Field(min_length=1)] = ","
    """What stands between two fields; `\\t` in double quotes is a tab."""

    quote: Annotated[str, Field(max_length=1)] = '"'
    """What a field with a delimiter in it is enclosed by; an empty text where nothing is."""

    row_end: str | None = None
    """What ends a record, where it is not the end of the line."""

    skip_rows: Annotated[int, Field(ge=0)] = 0
    """Lines, or rows of a sheet, above the header."""

    header: bool | Literal["find"] = True
    """Whether the first row names the columns; `find` looks for the row that holds all required ones."""

    columns: tuple[str, ...] = ()
    """The names of the columns. Of a file without a header all, in their order; of another one those that selects
    use."""

    aliases: dict[str, tuple[str, ...]] = {}
    """By name of a column, the texts that may stand for it in a header. Case, width and blanks do not count."""

    required_columns: tuple[str, ...] = ()
    """Columns without which the file is refused; without this list all that `columns` and `aliases` name."""

    sheet: str | None = None
    """Which sheet of a workbook."""

    records: str | None = None
    """Where the list of records is in a JSON file: its key, with dots into the depth."""

    nulls: tuple[str, ...] = NULLS
    """Texts that mean a missing value; the list replaces the usual one."""

    more_nulls: tuple[str, ...] = ()
    """Texts that mean a missing value, besides `nulls`."""

    totals: Totals | None = None
    """Rows that only add up others; they are counted as structure and not taken."""

    dates: tuple[Annotated[str, AfterValidator(_settled)], ...] = ()
    """The order of day, month and year, such as `%d/%m/%Y`; needed where the year stands last. For files of a
    feed: what is looked up stays text."""

    decimal: Literal[".", ","] = "."
    """The decimal sign; the other one groups digits. For files of a feed."""

    unpivot: Annotated[int, Field(ge=1)] = 1
    """How many rows the select makes of each record, such as 12 of a line with a column per month. It numbers
    them from 1 in `_row_part` and never drops one: an empty one it marks in `_structural`."""

    key: tuple[str, ...] = ()
    """Of a file to look things up in: the columns by which the latest row of each is kept. Without it the latest
    file holds alone."""

    waits: dict[str, Annotated[tuple[Name, ...], Field(min_length=1)]] = {}
    """By reject reason of the select, the feeds or lookups for which such rows wait; they are taken up when these
    bring what was missing."""

    @model_validator(mode="after")
    def _fits_together(self) -> FileSpec:
        if (self.feed is None) != (self.map is None):
            raise ValueError("feed and map go together: a file with neither is a reference for lookups")
        if self.feed is not None and self.key:
            raise ValueError("key belongs to references; a feed's key stands in its contract")
        if self.feed is None and (self.delivery is not None or self.shrink_below is not None):
            raise ValueError("delivery and shrink_below belong to files of a feed")
        if self.format == "csv" and not self.header and not self.columns:
            raise ValueError("a file without a header line needs columns")
        if self.feed is None and self.waits:
            raise ValueError("waits belongs to files of a feed: a reference has no reject reasons")
        if self.header == "find" and not (self.columns or self.aliases or self.required_columns):
            raise ValueError("header: find needs names to find: aliases, columns or required_columns")
        return self

    @model_validator(mode="after")
    def _one_order(self) -> FileSpec:
        for form in self.dates:
            other = form.translate(str.maketrans("dm", "md"))
            if other != form and other in self.dates:
                raise ValueError(f"dates: {form!r} and {other!r} read one text as two days; keep the one that holds")
        return self

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def missing(self) -> tuple[str, ...]:
        """Texts that mean a missing value."""
        return (*self.nulls, *self.more_nulls)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Words among these that nobody stated."""
        return tuple(word for word in self.nulls if word and word not in self.more_nulls) if self.nulls == NULLS else ()

    @property
    def no_value(self) -> tuple[str, ...]:
        """Texts that mean missing where a number, a date or yes or no is asked for."""
        return NO_VALUE if self.nulls == NULLS else ()

    def takes(self, path: str) -> bool:
        """Whether the file at ``path`` (inside the drop folder, with forward slashes) is of this kind."""
        return self.is_corrected(path) or _glob(self.pattern).fullmatch(path) is not None

    def is_corrected(self, path: str) -> bool:
        """Whether the file holds corrected rows of an export of the quarantine: ``corrected/<name>/*.xlsx`` or csv."""
        folder, _, file = path.rpartition("/")
        return folder == f"{CORRECTED}/{self.name}" and file.lower().endswith((".xlsx", ".csv"))

    @property
    def silence_days(self) -> int | None:
        """Days after which the file is late; None where nothing is expected."""
        return self.expected_days if isinstance(self.expected_days, int) else None

    def entry_of(self, path: str) -> str:
        """Under which name the log keeps the file at ``path``: corrected rows are a kind of their own, by whose number
        and columns no other delivery is measured."""
        return f"{CORRECTED}/{self.name}" if self.is_corrected(path) else self.name

    def delivery_of(self, path: str, contract: Contract) -> Kind:
        """What the file at ``path`` holds. Corrected rows of a snapshot are not the whole."""
        found = self.delivery or contract.delivery
        return "delta" if found == "snapshot" and self.is_corrected(path) else found

    def as_delivered(self, path: str) -> FileSpec:
        """How the file at ``path`` is read: as the entry says, or as the export wrote it."""
        if not self.is_corrected(path):
            return self
        return self.model_copy(
            update={
                "format": "xlsx" if path.lower().endswith(".xlsx") else "csv",
                "encoding": "utf-8",
                "delimiter": ",",
                "quote": '"',
                "row_end": None,
                "skip_rows": 0,
                "header": True,
                "sheet": None,
                "records": None,
            }
        )


class Ignored(Strict):
    """Files that a source delivers and nobody needs, with the reason."""

    pattern: str
    """Which files, written like that of an entry. A file that an entry takes is not ignored."""

    reason: Annotated[str, Field(min_length=3)]
    """Why nobody needs them."""


class Origin(Strict):
    """Where the files of a source come from, when nobody puts them into its inbox."""

    url: Annotated[str, AfterValidator(_storage_url)]
    """A folder: `file:///srv/exports`, `s3://bucket/folder` or `sftp://user@host/folder`. No secret stands in it;
    those come from the environment."""

    quiet_seconds: Annotated[int, Field(ge=0)] = 60
    """A file that was written to later than so many seconds ago may be half there, and is left for the next time.
    Objects of S3 appear whole."""


class Profile(Strict):
    """A source system, described by files."""

    source: Name
    """The name of the folder."""

    title: str
    """What the source is, for the report."""

    files: Annotated[tuple[FileSpec, ...], Field(min_length=1)]
    """The kinds of file that the source delivers."""

    ignore: tuple[Ignored, ...] = ()
    """Files that come and that nobody needs."""

    origin: Annotated[Origin | None, Field(alias="from")] = None
    """Where files are fetched from, by `dealermart fetch` and the DAG `arrivals`."""

    crm: Crm | None = None
    """The CRM system whose API is read in place of files, by `dealermart fetch` and the source's own DAG
    ([crm.md](crm.md))."""

    limits: Limits = Limits()
    """How large files may get."""

    demo_received: dt.date | None = None
    """The received date that `make demo PROFILE=<source> DATA=<folder>` takes."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Profile:
        names = [spec.name for spec in self.files]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"file names stand twice: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _takes_what_is_pulled(self) -> Profile:
        if self.crm and self.origin:
            raise ValueError("from and crm: a source comes from one place; make a second source of one of them")
        for stem in self.crm.stems if self.crm else ():
            name = f"{stem}_20260302T000000_001.jsonl"
            if not self.specs_of(name) and self.ignores(name) is None:
                raise ValueError(
                    f"crm: no entry of files takes what is pulled as {stem}_*.jsonl; write one, or ignore it"
                )
        return self

    def specs_of(self, path: str) -> tuple[FileSpec, ...]:
        """Entries that take the file at ``path``: all whose pattern fits, of corrected rows that of their folder."""
        taking = tuple(spec for spec in self.files if spec.takes(path))
        return tuple(spec for spec in taking if spec.is_corrected(path)) or taking

    def spec_for(self, path: str, label: str) -> FileSpec | None:
        """The entry that takes the file at ``path`` for a feed, or for the reference that ``label`` names."""
        return next((spec for spec in self.specs_of(path) if self.label(spec) == label), None)

    def label(self, spec: FileSpec) -> str:
        """What the lake calls the rows of an entry: its feed, or ``source.name`` of a reference."""
        return spec.feed or f"{self.source}.{spec.name}"

    def ignores(self, path: str) -> str | None:
        """The reason for which the file is left alone, or None."""
        return next((ignored.reason for ignored in self.ignore if _glob(ignored.pattern).fullmatch(path)), None)

    @property
    def references(self) -> tuple[FileSpec, ...]:
        return tuple(spec for spec in self.files if spec.feed is None)

    def waits(self, spec: FileSpec) -> dict[str, tuple[str, ...]]:
        """Reject reasons of an entry that wait, each with what it waits for as the lake names it: a feed, or
        ``source.name`` of a reference."""
        own = {spec.name for spec in self.references}
        return {
            reason: tuple(f"{self.source}.{name}" if name in own else name for name in names)
            for reason, names in spec.waits.items()
        }


def source_names(settings: Settings) -> list[str]:
    """The sources that have a profile."""
    return sorted(path.parent.name for path in settings.sources.glob("*/source.yml"))


def crm_source_names(settings: Settings) -> list[str]:
    """The sources that read a CRM's API; a look that loads no profile, so that a broken one harms no other."""
    said = re.compile(r"^crm:", re.MULTILINE)
    return [name for name in source_names(settings) if said.search(_text(settings.sources / name / "source.yml"))]


def _text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


def load_profile(settings: Settings, source: str, contracts: dict[str, Contract]) -> Profile:
    """The profile of a source, with feeds and SQL files checked for existence.

    Raises:
        ConfigError: no such source, a broken file, an unknown feed or a missing SQL file.
    """
    path = settings.sources / source / "source.yml"
    if not path.is_file():
        known = ", ".join(source_names(settings)) or "none"
        raise ConfigError(f"there is no source {source!r}", where=str(path), mend=f"known sources: {known}")
    profile = load_yaml(path, Profile)
    if profile.source != source:
        raise ConfigError(
            f"field source: {profile.source!r} is not the folder's name",
            where=str(path),
            mend=f"write source: {source}",
        )
    for index, spec in enumerate(profile.files):
        field = f"field files.{index} ({spec.name})"
        if spec.feed is not None and spec.feed not in contracts:
            raise ConfigError(
                f"{field}: there is no feed {spec.feed!r}", where=str(path), mend=f"one of: {', '.join(contracts)}"
            )
        taken = spec.name in _RESERVED or spec.name.startswith(("feed_", "known_", "mapped_", "arrived_"))
        if taken or "__" in spec.name:
            raise ConfigError(
                f"{field}: the name is taken by the program",
                where=str(path),
                mend=f"call it {re.sub('_+', '_', spec.name)}_file, for example",
            )
        if own := sorted(TAKEN_COLUMNS & {*spec.columns, *spec.aliases, *spec.required_columns}):
            raise ConfigError(
                f"{field}: the column name {own[0]} is taken by the program",
                where=str(path),
                mend=f"give it another name under aliases, such as {own[0].strip('_')}_said",
            )
        if spec.feed is None and (spec.dates or spec.decimal != "." or spec.unpivot != 1):
            raise ConfigError(
                f"{field}: dates, decimal and unpivot belong to files of a feed; what is looked up stays text",
                where=str(path),
                mend=f"let the select that looks it up read it, such as try_strptime({spec.name}.since, '%d/%m/%Y')",
            )
        if spec.map is not None and not (path.parent / spec.map).is_file():
            raise ConfigError(
                f"{field}: the SQL file {spec.map} does not exist", where=str(path), mend="write it beside source.yml"
            )
        _check_waits(path, field, profile, spec, contracts)
    return profile.model_copy(update={"files": tuple(_expecting(spec, contracts) for spec in profile.files)})


def _expecting(spec: FileSpec, contracts: dict[str, Contract]) -> FileSpec:
    """The entry, with its contract's ``expected_days`` where it says nothing of its own."""
    if spec.expected_days is not None or spec.feed is None:
        return spec
    return spec.model_copy(update={"expected_days": contracts[spec.feed].expected_days})


def _check_waits(path: Path, field: str, profile: Profile, spec: FileSpec, contracts: dict[str, Contract]) -> None:
    """A reason that the select never gives, or a wait for nothing, would leave rows behind in silence."""
    known = [*contracts, *(spec.name for spec in profile.references)]
    for reason, waited in spec.waits.items():
        if unknown := sorted(set(waited) - set(known)):
            raise ConfigError(
                f"{field}: waits for {', '.join(unknown)}, which is neither a feed nor a reference of this source",
                where=str(path),
                mend=f"one of: {', '.join(known)}",
            )
        if reason not in (path.parent / str(spec.map)).read_text("utf-8"):
            raise ConfigError(
                f"{field}: the select {spec.map} never gives the reason {reason!r} that waits",
                where=str(path),
                mend="write the very text that the select puts into _reject_reason",
            )


def profile_sql(settings: Settings, source: str, spec: FileSpec) -> tuple[Path, str]:
    """Path and text of the select that maps a file to its feed."""
    path = settings.sources / source / str(spec.map)
    try:
        return path, path.read_text("utf-8").strip().rstrip(";")
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8", where=str(path), mend="save it as UTF-8") from None


def profile_hash(settings: Settings, source: str) -> str:
    """Hash over everything that describes the source."""
    digest = hashlib.sha256()
    for path in sorted(path for path in (settings.sources / source).iterdir() if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _glob(pattern: str) -> re.Pattern[str]:
    """A path pattern as a regular expression: ``*`` stays inside a folder, ``**/`` is any number of folders."""
    parts = []
    for part in re.split(r"(\*\*/|\*|\?)", str(PurePosixPath(pattern))):
        parts.append({"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part)))
    return re.compile("".join(parts))
