"""Casts: SQL that reads a text as the type that a contract asks for, and gives NULL where the text is none of it.

Two steps, because files are large and most of their values are plain: `plain_sql` takes ISO dates and plain numbers at
little cost; `other_sql` takes everything else that people and systems write, and is evaluated for what is left only.
Which forms are taken, and why, stands in docs/decisions/mapping.md. Numbers never pass through floating point.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from dealermart.base import literal
from dealermart.config import Column, FileSpec

_YES = "('true', 't', 'yes', 'y', '1', '是')"

_NO = "('false', 'f', 'no', 'n', '0', '否')"

# Full-width signs of ASCII, and the spaces, apostrophes and minuses that stand in numbers.
_WIDE = "".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000\xa0\u2007\u2009\u202f’‘−–￥"

_NARROW = "".join(map(chr, range(0x21, 0x7F))) + "     ''--¥"

_HAS_WIDE = f"[{_WIDE}]"

_YEAR = r"([1-9]\d{3})"

_TIME = r"([ T]+(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?)?"

_ISO = rf"{_YEAR}-(\d\d)-(\d\d)"

# Pattern, and what the engine's own cast reads in its place.
_MOMENTS = (
    (rf"{_YEAR}(?:-\d\d?-|/\d\d?/)\d\d?{_TIME}", ""),
    (rf"{_YEAR}(?:\.(\d\d?)\.|年(\d\d?)月)(\d\d?)[日号]?{_TIME}", r"\1-\2\3-\4\5"),
    (rf"{_YEAR}(\d\d)(\d\d){_TIME}", r"\1-\2-\3\4"),
    (rf"{_YEAR}(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", r"\1-\2-\3 \4:\5:\6"),
)

_DOTTED = (rf"(\d\d?)\.(\d\d?)\.{_YEAR}{_TIME}", r"\3-\2-\1\4")

_SERIAL = r"[1-9]\d{4}(\.\d{1,12})?"

_WHOLE = r"^(-?\d+)\.0+$"

_PLAIN_INTEGER = r"[-+]?\d{1,18}"

_LATER_1904 = 1462  # days between the two days from which Excel counts

_YEAR_LAST = r"\d\d?[-/.]\d\d?[-/.]\d{4}([ T].*)?"

_SHORT_YEAR = r"(\d\d?[-/.]\d\d?[-/.]\d\d|\d\d[-/.]\d\d?[-/.]\d\d?|\d\d年\d\d?月\d\d?[日号]?)([ T].*)?"

_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")

# What a sign can stand for: a bare dollar, yen or yuan sign is that of several currencies.
_SIGNS = {
    "¥": ("CNY", "JPY"),
    "元": ("CNY", "HKD", "TWD", "MOP", "SGD"),
    "人民币": ("CNY",),
    "RMB": ("CNY",),
    "US$": ("USD",),
    "HK$": ("HKD",),
    "NT$": ("TWD",),
    "$": ("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"),
    "€": ("EUR",),
    "£": ("GBP",),
    "₩": ("KRW",),
    "₹": ("INR",),
}

# Not any three letters: PCS and BOX are no money.
_CODES = (
    "AED|ARS|AUD|BRL|CAD|CHF|CLP|CNH|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KRW|MOP|MXN|MYR|NOK|NZD|PEN|"
    "PHP|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)

_MONEY = f"(?i:{'|'.join(sign.replace('$', '[$]') for sign in _SIGNS)}|{_CODES})"

_UNITS = {"千万": 7, "百万": 6, "万亿": 12, "千": 3, "万": 4, "亿": 8}


def cast_sql(text: str, column: Column, spec: FileSpec, of_1904: Collection[str] = ()) -> str:
    """SQL that reads ``text`` as the column's type: `plain_sql`, and `other_sql` where that finds nothing."""
    return f"coalesce({plain_sql(text, column, spec)}, {other_sql(text, column, spec, of_1904)})"


def plain_sql(text: str, column: Column, spec: FileSpec) -> str:
    """SQL that reads what costs little to recognise, as the column's type; NULL for the rest.

    Args:
        text: An SQL expression; trimmed, missing is NULL.
        spec: Says the decimal sign and the date formats that are taken besides the usual ones.
    """
    if column.type == "string":
        return text
    if column.type == "boolean":
        return f"case when lower({text}) in {_YES} then true when lower({text}) in {_NO} then false end"
    if column.type in ("date", "timestamp"):
        form = _ISO if column.type == "date" else _ISO + _TIME
        return f"case when {_is(text, form)} then try_cast({text} as {column.type}) end"
    if column.type == "integer":
        return f"case when {_is(text, _PLAIN_INTEGER)} then try_cast({text} as bigint) end"
    # The engine's cast takes what we take, and 1_000 besides. To see it fail takes ten times longer than to look first.
    group = "," if spec.decimal == "." else "."
    plain = f"not contains({text}, '_') and not contains({text}, {literal(group)})"
    pointed = text if spec.decimal == "." else f"replace({text}, ',', '.')"
    return f"case when {plain} then try_cast({pointed} as {column.sql_type}) end"


def other_sql(text: str, column: Column, spec: FileSpec, of_1904: Collection[str] = ()) -> str:
    """SQL that reads every other form that is taken, as the column's type; NULL where nothing can be read.

    Args:
        of_1904: Deliveries whose workbook counts days from 1904; where there are any, a row has ``_delivery_id``.
    """
    if column.type in ("string", "boolean"):
        return f"cast(null as {column.sql_type})"
    if column.type in ("date", "timestamp"):
        return _moment_sql(text, column, spec, of_1904)
    number = _number_sql(text, column, spec)
    if column.type != "integer":
        return f"try_cast({number} as {column.sql_type})"
    # A cast to an integer rounds, and 1.5 is no integer. Nothing stands twice here: the engine would compute a common
    # part for every row.
    exact = f"cast(try_cast({number} as decimal(38, 6)) as varchar)"
    return f"try_cast(regexp_extract({exact}, {literal(_WHOLE)}, 1) as {column.sql_type})"


def reason_sql(text: str, column: Column, spec: FileSpec) -> str:
    """SQL of the reason why a text cannot be read as the column's type; no value stands in it."""
    kind = column.type.split("(")[0]
    general = literal(f"{column.name} is not {'an' if kind == 'integer' else 'a'} {kind}")
    if column.type not in ("date", "timestamp"):
        return general
    order = f"{column.name} does not say which of day and month comes first, and neither does the profile's dates"
    short = f"{column.name} has a year of two digits"
    # Where the profile gives an order, a text of that form is simply no date in it.
    unclear = "" if _gives_order(spec) else f"when {_is(_narrow(text), _YEAR_LAST)} then {literal(order)} "
    return f"case {unclear}when {_is(text, _SHORT_YEAR)} then {literal(short)} else {general} end"


def is_of_dates(reason: str) -> bool:
    """Whether ``reason_sql`` says so of a date: then the order of day and month may be another than it was thought."""
    return (
        re.search(r" is not a (date|timestamp)$| does not say which of day and month comes first", reason) is not None
    )


def other_currency_sql(text: str, currency: str) -> str:
    """SQL that says whether a number's text names a currency that is not ``currency`` (an SQL expression of a code)."""
    named = f"upper(regexp_extract({_narrow(text)}, {literal(_MONEY)}))"
    # Not by NOT IN: of five or more codes the engine makes a join, which every row of every file goes through.
    signs = " ".join(
        f"when {literal(sign)} then {' and '.join(f'{currency} <> {literal(code)}' for code in codes)}"
        for sign, codes in _SIGNS.items()
    )
    return f"case {named} when '' then false {signs} else {named} <> {currency} end"


def _is(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _narrow(text: str) -> str:
    """SQL of a text with ASCII signs in place of wide ones; looking first, because the engine's translate is slow."""
    translated = f"translate({text}, {literal(_WIDE)}, {literal(_NARROW)})"
    return f"case when regexp_matches({text}, {literal(_HAS_WIDE)}) then {translated} else {text} end"


# -- dates -------------------------------------------------------------------------------------------------------------


def _gives_order(spec: FileSpec) -> bool:
    """Whether the profile has a format with the year last."""
    return any("%Y" in form and form.index("%Y") > 0 for form in spec.dates)


def _moment_sql(text: str, column: Column, spec: FileSpec, of_1904: Collection[str]) -> str:
    translated = f"translate({text}, {literal(_WIDE)}, {literal(_NARROW)})"
    ways, others = (", ".join(_ways(form, spec, of_1904)) for form in (text, translated))
    wide = f"case when regexp_matches({text}, {literal(_HAS_WIDE)}) then coalesce({others}) end"
    return f"cast(coalesce({ways}, {wide}) as {column.type})"


def _ways(text: str, spec: FileSpec, of_1904: Collection[str]) -> list[str]:
    ways = []
    if spec.dates:
        forms = [form + time for form in spec.dates for time in (("",) if re.search("%[HI]", form) else _TIMES)]
        read = f"try_strptime({text}, [{', '.join(map(literal, forms))}])"
        # The engine takes 26 for the year 26; greatest() gives the bound for that, and for NULL.
        ways.append(f"nullif(greatest({read}, timestamp '0999-12-31'), timestamp '0999-12-31')")
    whens = [
        f"when {_is(text, pattern)} then try_cast("
        + (f"regexp_replace({text}, {literal(f'^{pattern}$')}, {literal(written)})" if written else text)
        + " as timestamp)"
        for pattern, written in (*_MOMENTS, *([] if _gives_order(spec) else [_DOTTED]))
    ]
    whens.append(f"when {_is(text, _SERIAL)} then {_serial_sql(text, of_1904)}")
    return [*ways, f"case {' '.join(whens)} end"]


def _serial_sql(text: str, of_1904: Collection[str]) -> str:
    """Days since 1899-12-30, which is Excel's count from 1900-03-01 on, or since 1904-01-01."""
    number = f"try_cast({text} as decimal(18, 12))"
    later = ""
    if of_1904:
        later = f" + if(_delivery_id in ({', '.join(map(literal, of_1904))}), {_LATER_1904}, 0)"
    seconds = f"cast(round({number} % 1 * 86400) as bigint)"
    return f"timestamp '1899-12-30' + to_days(cast({number} - {number} % 1 as integer){later}) + to_seconds({seconds})"


# -- numbers -----------------------------------------------------------------------------------------------------------


def _number_sql(text: str, column: Column, spec: FileSpec) -> str:
    """SQL of a number's text as the engine reads it; a text that it does not read where there is no number."""
    point, group = spec.decimal, "," if spec.decimal == "." else "."
    fraction = rf"([{point}]\d*)?"
    grouped = rf"[-+]?\d{{1,3}}([{group}]\d{{3}})+{fraction}"
    number = rf"^[-+]?(\d+|\d{{1,3}}(([{group}]\d{{3}})+|( \d{{3}})+|('\d{{3}})+))?{fraction}([eE][-+]?\d+)?$"
    cheap = f"replace(replace({text}, {literal(group)}, ''), ',', '.')"
    found = f"regexp_extract({_bare_sql(text, column)}, {literal(number)})"
    return (
        f"case when {_is(text, grouped)} then {cheap} "
        f"else translate({found}, {literal(f'{point}{group} ' + chr(39))}, '.') end"
    )


def _bare_sql(text: str, column: Column) -> str:
    """SQL of a number's text with sign in front, without currency, and 万 and the like as exponents."""
    steps = [
        (rf"^({_MONEY})? *\(([^-+()]+)\) *({_MONEY})?$", r"-\1\2\3"),
        (r"^([^-+]+?) *-$", r"-\1"),
        (rf"^([-+]?) *{_MONEY}? *", r"\1"),
        (rf" *{_MONEY}$", ""),
        *((rf"(\d) *{unit}$", rf"\1e{power}") for unit, power in _UNITS.items()),
    ]
    if column.name.endswith("_pct"):
        steps.append((" *%$", ""))
    bare = _narrow(text)
    for pattern, written in steps:
        bare = f"regexp_replace({bare}, {literal(pattern)}, {literal(written)})"
    return bare
