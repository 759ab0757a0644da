"""Mapping: a source's select turns raw text into a feed's typed rows. It judges nothing and loses nothing.

The select may name only its own file, the source's references and current rows of feeds; what it does not map it marks
with a reason. Afterwards every record must be there exactly once (times the declared unpivot), or the run stops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import duckdb
import pyarrow as pa

from dealermart import readers
from dealermart.base import BalanceError, ConfigError, literal, quoted
from dealermart.config import Column, Contract, FileSpec
from dealermart.mapping.casts import other_currency_sql, other_sql, plain_sql, reason_sql
from dealermart.mapping.failing import VALUE_FAULTS, in_words, set_apart
from dealermart.mapping.select import nodes_of, parsed

LINEAGE = ("_delivery_id", "_row_number", "_row_part")

_MARKS = ("_reject_reason", "_structural")

_DELETED = "_is_deleted"


def map_rows(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    sql: str,
    spec: FileSpec,
    contract: Contract,
    into: str,
    reads: Mapping[str, readers.Counts] = {},
) -> dict[str, str | None]:
    """Run a mapping select over the raw table ``spec.name`` and create view ``into``; ``readers.drop`` drops it.

    ``into`` has the contract's columns typed, ``_delivery_id, _row_number, _row_part``, ``_reject_reason`` and
    ``_structural``, which are NULL for mapped rows, ``_is_deleted``, ``_row_hash`` and ``_place``, which numbers rows
    from 0. A deletion keeps key and version only: what else its record says counts no more.

    Args:
        reads: What was counted while reading the deliveries in the raw table, where it is known.

    Returns:
        The columns of the contract that say the same in all rows, by what they say: a text or nothing.

    Raises:
        ConfigError: the select fails whatever the rows hold, lacks a required column, or returns one that the contract
            does not know.
        BalanceError: it lost or multiplied records.
    """
    of_1904 = [delivery_id for delivery_id, read in reads.items() if read.from_1904]
    suspect = not reads or any(read.suspect for read in reads.values())
    with _faults_of_the_select(path):
        try:
            con.execute(f"create or replace temp view selected as {sql}")
        except duckdb.BinderException as error:
            _check_names(con, path, sql, spec, contract, str(error))
            raise
    types = {name: kind for name, kind, *_ in con.execute("describe selected").fetchall()}
    _check_columns(path, types, spec, contract, _alias(con, sql, spec))
    part = "_row_part" if "_row_part" in types else "1"
    lineage = f"_delivery_id, cast(_row_number as bigint) as _row_number, cast({part} as integer) as _row_part"
    marks = ", ".join(
        f"nullif(trim(cast({name} as varchar)), '') as {name}" if name in types else f"cast(null as varchar) as {name}"
        for name in _MARKS
    )
    deleted = f"coalesce({_DELETED}, false) as {_DELETED}" if _DELETED in types else f"false as {_DELETED}"
    # Three steps, so that each text is made once and the costly casts meet only what the plain ones leave.
    as_read, constants = _as_read(con, sql, spec)
    texts, plain, values, faults = [], [], [], []
    for column in contract.columns:
        name, said, at_once = (quoted(prefix + column.name) for prefix in ("", "said ", "plain "))
        if column.name not in types:
            values.append(f"cast(null as {column.sql_type}) as {name}")
            continue
        is_clean = column.name in as_read and types[column.name] == "VARCHAR"  # a row's number can be passed on too
        text = f"nullif({name}, '')" if is_clean else _text(name)
        if _is_code(column, contract):
            text = readers.code_sql(text)
        texts.append(f"{text} as {said}")
        if types[column.name] != "VARCHAR":
            plain.append(f"try_cast({said} as {column.sql_type}) as {at_once}")
            values.append(f"{at_once} as {name}")
        elif column.type == "string":
            values.append(f"{said} as {name}")
            continue
        else:
            plain.append(f"{plain_sql(said, column, spec)} as {at_once}")
            values.append(f"coalesce({at_once}, {other_sql(said, column, spec, of_1904)}) as {name}")
        values += [said, at_once]
        unread = f"when {name} is null then {reason_sql(said, column, spec)}"
        if column.type.startswith("decimal") and "currency_code" in contract.names:
            conflict = literal(f"{column.name} names another currency than currency_code")
            unread += f" when {other_currency_sql(said, 'currency_code')} then {conflict}"
        unread = "".join(f"when {said} = {literal(word)} then null " for word in spec.no_value) + unread
        faults.append(f"case when {at_once} is null and {said} is not null then case {unread} end end")
    fault = f"if(_structural is null, coalesce({', '.join(faults)}), null)" if faults else "cast(null as varchar)"
    rows = quoted(f"{into}__rows")
    # What is the same in all rows stands in the view and takes no room: half of what a large file would take.
    told: dict[str, str | None] = dict.fromkeys(name for name in contract.names if name not in types)
    if _DELETED not in types:  # a deletion lacks what the other rows have in common
        said_by = {column: literal(constants[column.name]) for column in contract.columns if column.name in constants}
        texts_by = {
            column.name: readers.code_sql(_text(said)) if _is_code(column, contract) else _text(said)
            for column, said in said_by.items()
            if column.type == "string"
        }
        strings, texts_of = list(texts_by), ", ".join(texts_by.values())
        told |= dict(zip(strings, con.execute(f"select {texts_of}").fetchall()[0], strict=True)) if strings else {}
    sql_types = {column.name: column.sql_type for column in contract.columns}
    same = {name: f"cast(null as {sql_types[name]})" if text is None else literal(text) for name, text in told.items()}
    same |= {} if "_row_part" in types else {"_row_part": "1"}
    same |= {} if "_structural" in types else {"_structural": "cast(null as varchar)"}
    same |= {} if _DELETED in types else {_DELETED: "false"}
    if len(reads) == 1 and "_delivery_id" in as_read:
        same["_delivery_id"] = literal(next(iter(reads)))
    names = [*contract.names, *LINEAGE, *_MARKS, _DELETED, "_row_hash"]
    make = f"""
            create table {rows} as
            with said as (
                select {", ".join([lineage, marks, deleted, *texts])}
                from ({_without_values_of_deletions(types, contract)})
            ),
            plain as (select {", ".join(["*", *plain])} from said),
            read as (select {", ".join([*LINEAGE, *_MARKS, _DELETED, *values])} from plain),
            hashed as (
                select * replace (coalesce(_reject_reason, {fault}) as _reject_reason),
                    {row_hash(contract)} as _row_hash
                from read
            )
            select {", ".join(quoted(name) for name in names if name not in same)} from hashed;
            create view {quoted(into)} as
            select {", ".join(f"{same.get(name, quoted(name))} as {quoted(name)}" for name in names)}, rowid as _place
            from {rows}
    """
    with _faults_of_the_select(path):
        try:
            con.execute(make)
        except VALUE_FAULTS:
            with set_apart(con, path, sql, spec):
                con.execute(f"create or replace temp view selected as {sql}")
                con.execute(make)
                con.execute("drop view selected")
            _reject_unmappable(con, spec, rows)
        else:
            con.execute("drop view selected")
    if suspect:
        _reject_damaged(con, contract, into)
    _check_balance(con, path, spec, into)
    return told


def row_hash(contract: Contract) -> str:
    """SQL for the hash of what a row says: 64 bits, compared among rows of one key only.

    It is DuckDB's own, which a test pins for the versions that are used: with another one, rows that were accepted
    before would not be seen as repeats.
    """
    return f"hash({', '.join(map(quoted, contract.names))}, _is_deleted)"


def _text(name: str) -> str:
    """SQL for a column as trimmed text, nothing being NULL.

    To trim takes ten times longer than to see that there is nothing to trim: of ASCII only, a space at an end. The
    engine trims the wide spaces of Unicode too.
    """
    text = f"cast({name} as varchar)"
    is_bare = (
        f"strlen({text}) = length({text}) and not prefix({text}, ' ') and not suffix({text}, ' ') and {text} <> ''"
    )
    return f"case when {is_bare} then {text} else nullif(trim({text}), '') end"


def _is_code(column: Column, contract: Contract) -> bool:
    """Whether a column holds what is compared letter by letter: a text of the key, or a code that refers to one."""
    return column.type == "string" and (column.name in contract.key or readers.is_code(column.name))


def _as_read(con: duckdb.DuckDBPyConnection, sql: str, spec: FileSpec) -> tuple[set[str], dict[str, str]]:
    """Columns that a select passes on from its file as they were read, and so trimmed, and those in which it has one
    text for all rows; none of a select that joins."""
    node = parsed(con, sql)["statements"][0]["node"]
    if node["type"] != "SELECT_NODE" or node["cte_map"]["map"]:
        return set(), {}
    if node["from_table"]["type"] != "BASE_TABLE" or node["from_table"]["table_name"].lower() != spec.name.lower():
        return set(), {}
    listed = node["select_list"]
    made = [
        column["alias"].lower() for column in listed
    ]  # a name that the file lacks can be that of a column beside it
    as_read = {
        column["alias"] or column["column_names"][-1]
        for column in listed
        if column["class"] == "COLUMN_REF" and column["column_names"][-1].lower() not in made
    }
    constants = {
        column["alias"]: column["value"]["value"]
        for column in listed
        if column["class"] == "CONSTANT"
        and column["value"]["type"]["id"] == "VARCHAR"
        and not column["value"]["is_null"]
        and made.count(column["alias"].lower()) == 1
    }
    return as_read, constants


@contextmanager
def _faults_of_the_select(path: Path) -> Iterator[None]:
    """Tell what is wrong with a select, by file and line; want of memory or room is not."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        message = str(error).split("\n")[0]
        found = re.search(r"LINE (\d+):", str(error))
        where = f"{path}:{found[1]}" if found else str(path)
        if isinstance(error, VALUE_FAULTS):
            message = in_words(error)
        raise ConfigError(
            message, where=where, mend="correct the select; leave casting to the contract, or use try_cast"
        ) from None


def _without_values_of_deletions(types: dict[str, str], contract: Contract) -> str:
    kept = {*contract.key, contract.version}
    blanked = [
        f"case when {_DELETED} then null else {quoted(name)} end as {quoted(name)}"
        for name in contract.names
        if name in types and name not in kept
    ]
    replacing = f"replace ({', '.join(blanked)})" if _DELETED in types and blanked else ""
    return f"select * {replacing} from selected"


def _reject_unmappable(con: duckdb.DuckDBPyConnection, spec: FileSpec, rows: str) -> None:
    """Add the rows for which the select fails, in all their parts, rejected with the reason."""
    made = {name for name, *_ in con.execute(f"describe {rows}").fetchall()}
    said = {"_delivery_id": "_delivery_id", "_row_number": "_row_number", "_row_part": "_row_part"}
    said |= {"_reject_reason": "reason", _DELETED: "false"}
    listed = ", ".join(f"{text} as {name}" for name, text in said.items() if name in made)
    parts = f"(select unnest(range(1, {spec.unpivot + 1})) as _row_part)"
    con.execute(f"insert into {rows} by name select {listed} from unmappable cross join {parts}; drop table unmappable")


def _reject_damaged(con: duckdb.DuckDBPyConnection, contract: Contract, into: str) -> None:
    """Reject mapped rows with damaged text in a column of the feed; what the feed does not take may be as it is."""
    names = [column.name for column in contract.columns if column.type == "string"]
    if not names:
        return
    texts = ", ".join(map(quoted, names))
    mapped = f"from {quoted(into)} where _reject_reason is null and _structural is null"
    found: dict[int, str] = {}
    if codes := [column.name for column in contract.columns if _is_code(column, contract)]:
        shortened = {name: readers.shortened_sql(quoted(name)) for name in codes}
        which = " ".join(f"when {test} then {literal(name)}" for name, test in shortened.items())
        rows = con.execute(
            f"select _place, case {which} end {mapped} and ({' or '.join(shortened.values())})"
        ).fetchall()
        found = {place: f"{name}: {readers.SHORTENED}" for place, name in rows}
    rows = con.execute(
        f"select _place, {texts} {mapped} and regexp_matches(concat_ws(chr(9), {texts}), $suspect)",
        {"suspect": readers.SUSPECT},
    ).fetchall()
    for place, *values in rows:
        for name, text in zip(names, values, strict=True):
            if text is not None and (why := readers.reason(text)) is not None:
                found.setdefault(place, f"{name}: {why}")
    if not found:
        return
    con.register("damaged_rows", pa.table({"place": pa.array(found, pa.int64()), "why": list(found.values())}))
    con.execute(
        f"update {quoted(f'{into}__rows')} as rows set _reject_reason = why from damaged_rows as one "
        "where rows.rowid = one.place"
    )
    con.unregister("damaged_rows")


def _check_names(
    con: duckdb.DuckDBPyConnection, path: Path, sql: str, spec: FileSpec, contract: Contract, said: str
) -> None:
    """Say which column a select names that is not there, and which ones it may mean."""
    found = re.search(r'Referenced column "([^"]+)" not found|a column named "([^"]+)"', said)
    if not found:
        return
    name = found[1] or found[2]
    listed = [column for column, *_ in con.execute(f"describe {quoted(spec.name)}").fetchall()]
    held = [column for column in listed if column not in LINEAGE]
    # Where the select names none of them, the line that was taken for the header may be data, which no message shows.
    is_header = any(re.search(rf"\b{re.escape(column)}\b", sql) for column in held)
    has = ", ".join(column[:40] for column in held[:30]) + (" ..." if len(held) > 30 else "")
    mend = f"the file has {has}" if is_header else f"none of the {len(held)} columns of the file stands in the select"
    if close := get_close_matches(name, [*held, *LINEAGE] if is_header else LINEAGE):
        mend = f"write {' or '.join(close)}? {mend}"
    if name in contract.names:
        mend += f"; {name} is a column of feed {contract.feed}: it stands behind `as`"
    line = re.search(r"LINE (\d+):", said)
    raise ConfigError(
        f"the select names a column {name!r}, which neither {spec.name} nor what it looks up has",
        where=f"{path}:{line[1]}" if line else str(path),
        mend=mend,
    )


def _alias(con: duckdb.DuckDBPyConnection, sql: str, spec: FileSpec) -> str:
    """What a select calls its file, with a dot, where it calls it otherwise."""
    tables = (node for node in nodes_of(parsed(con, sql)) if node.get("type") == "BASE_TABLE")
    aliases = (node["alias"] for node in tables if node["table_name"].lower() == spec.name.lower())
    alias = next(aliases, "")
    return f"{alias}." if alias else ""


def _check_columns(path: Path, types: dict[str, str], spec: FileSpec, contract: Contract, alias: str) -> None:
    lineage = {"_delivery_id", "_row_number"} | ({"_row_part"} if spec.unpivot > 1 else set())
    # A file of deletions may hold keys only; a row of it that deletes nothing is the suite's to judge.
    needed = contract.key if _DELETED in types else [column.name for column in contract.columns if column.required]
    missing = [name for name in needed if name not in types]
    if unfound := sorted(lineage - types.keys()):
        lines = " and ".join(
            f"a number from 1 to {spec.unpivot} `as _row_part`" if name == "_row_part" else f"`{alias}{name},`"
            for name in unfound
        )
        raise ConfigError(
            f"the select does not return {', '.join(unfound)}",
            where=str(path),
            mend=f"add {lines} to its list: by it every row is found again in its file",
        )
    unknown = sorted(types.keys() - set(contract.names) - set(LINEAGE) - set(_MARKS) - {_DELETED})
    if unknown:
        close = [found for name in unknown for found in get_close_matches(name, contract.names, 1)]
        raise ConfigError(
            f"the select returns {', '.join(unknown)}, which feed {contract.feed} does not have",
            where=str(path),
            mend=(f"write {', '.join(close)}? " if close else "") + f"its columns are {', '.join(contract.names)}",
        )
    if missing:
        raise ConfigError(
            f"the select does not return {', '.join(missing)}",
            where=str(path),
            mend=f"feed {contract.feed} needs them; select a typed null if the source has none",
        )
    if types.get(_DELETED, "BOOLEAN") != "BOOLEAN":
        raise ConfigError(
            f"the select returns {_DELETED} as {types[_DELETED].lower()}",
            where=str(path),
            mend="return a condition, such as status = 'void'",
        )


def _check_balance(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, into: str) -> None:
    """Compare records read and rows mapped as multisets of their lineage: equal counts, equal sums of hashes."""
    lineage = "_delivery_id, cast(_row_number as bigint), cast(_row_part as bigint)"
    measure = f"count(*), coalesce(sum(cast(hash({lineage}) as hugeint)), 0)"
    expected = f"{quoted(spec.name)} cross join (select unnest(range(1, {spec.unpivot + 1})) as _row_part)"
    read = con.execute(f"select {measure} from {expected}").fetchall()[0]
    mapped = con.execute(f"select {measure} from {quoted(into)}").fetchall()[0]
    if read != mapped:
        raise BalanceError(
            f"{read[0]} rows were read for mapping and {mapped[0]} came out, or not the same ones",
            where=str(path),
            mend="a mapping never filters or multiplies: move conditions into _reject_reason, make lookups unique, "
            "declare unpivot in source.yml",
        )
