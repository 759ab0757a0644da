"""The part of COQL that readers need: one select with conditions, order, limit and offset.

`parse` refuses what the product refuses; `holds` judges a record. Conditions may stand flat or bracketed in pairs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crm_sim.zoho.faults import Refused

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_$][\w.$]*)"
    r"|(?P<sign>!=|<>|>=|<=|=|<|>|\(|\)|,|\*))"
)
SIGNS = {"=", "!=", "<>", ">", "<", ">=", "<="}
COUNTED = re.compile(r"(?i)(count|sum|max|min|avg)\s*\(\s*([\w.]+)\s*\)")


@dataclass(frozen=True)
class Test:
    """One condition: column, operator in lower case, operands as they were written."""

    column: str
    operator: str
    operands: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Group:
    """Conditions joined by and, or by or."""

    joined: str
    parts: tuple[Group | Test, ...]


@dataclass
class Query:
    """A parsed select. ``aggregates`` are (function, column) pairs; then there are no columns."""

    columns: list[str]
    module: str
    where: Group | Test | None = None
    order: list[tuple[str, bool]] = field(default_factory=list)  # column, ascending
    limit: int | None = None
    offset: int = 0
    aggregates: list[tuple[str, str]] = field(default_factory=list)

    def tests(self) -> list[Test]:
        """All of its conditions."""
        return _leaves(self.where) if self.where else []


def _leaves(node: Group | Test) -> list[Test]:
    return [node] if isinstance(node, Test) else [leaf for part in node.parts for leaf in _leaves(part)]


def parse(text: str, *, pairs: bool = False) -> Query:
    """Parse a query.

    Args:
        pairs: Three conditions or more must be bracketed in pairs.

    Raises:
        Refused: SYNTAX_ERROR, with the clause or the text near the fault.
    """
    return _Parser(text, pairs).query()


class _Parser:
    def __init__(self, text: str, pairs: bool) -> None:
        self.pairs = pairs
        self.tokens: list[tuple[str, str]] = []
        place = 0
        text = text.strip().rstrip(";")
        while place < len(text):
            found = TOKEN.match(text, place)
            if not found or found.end() == place:
                if not text[place:].strip():
                    break
                raise Refused("SYNTAX_ERROR", {"near": text[place : place + 20]})
            self.tokens.append((str(found.lastgroup), found[found.lastgroup or 0]))
            place = found.end()
        self.at = 0

    # ---- tokens
    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        kind, text = self.peek()
        return kind == "word" and text.lower() in words

    def word(self, *words: str) -> bool:
        if self.is_word(*words):
            self.at += 1
            return True
        return False

    def need(self, word: str, clause: str) -> None:
        if not self.word(word):
            raise self.fault(clause)

    def sign(self, sign: str) -> bool:
        if self.peek() == ("sign", sign):
            self.at += 1
            return True
        return False

    def fault(self, clause: str = "") -> Refused:
        return Refused("SYNTAX_ERROR", {"clause": clause} if clause else {"near": self.peek()[1]})

    def name(self, clause: str) -> str:
        kind, text = self.take()
        if kind != "word":
            self.at -= 1
            raise self.fault(clause)
        return text

    def number(self, clause: str) -> int:
        kind, text = self.take()
        if kind != "number" or not text.isdigit():
            raise Refused("SYNTAX_ERROR", {"clause": clause})
        return int(text)

    # ---- clauses
    def query(self) -> Query:
        self.need("select", "select")
        query = Query([], "")
        while True:
            name = self.name("select")
            if self.sign("("):
                query.aggregates.append((name.lower(), self.name("select")))
                if not self.sign(")"):
                    raise self.fault("select")
            else:
                query.columns.append(name)
            if not self.sign(","):
                break
        self.need("from", "from")
        query.module = self.name("from")
        if self.word("where"):
            query.where = self.any_of()
        if self.word("group"):
            raise Refused("SYNTAX_ERROR", {"clause": "group by"})  # the product has it, readers do not need it
        if self.word("order"):
            self.need("by", "order by")
            while True:
                column = self.name("order by")
                ascending = not self.word("desc")
                if ascending:
                    self.word("asc")
                query.order.append((column, ascending))
                if not self.sign(","):
                    break
        if self.word("limit"):
            query.limit = self.number("limit")
            if self.sign(","):  # limit offset, rows
                query.offset, query.limit = query.limit, self.number("limit")
        if self.word("offset"):
            query.offset = self.number("offset")
        if self.peek()[0] != "end":
            raise self.fault()
        return query

    def any_of(self) -> Group | Test:
        return self.chain("or", self.all_of)

    def all_of(self) -> Group | Test:
        return self.chain("and", self.single)

    def chain(self, joined: str, part: Callable[[], Group | Test]) -> Group | Test:
        parts = [part()]
        while self.word(joined):
            parts.append(part())
        if len(parts) > 2 and self.pairs:
            raise Refused("SYNTAX_ERROR", {"clause": "where"})
        return parts[0] if len(parts) == 1 else Group(joined, tuple(parts))

    def single(self) -> Group | Test:
        if self.sign("("):
            inside = self.any_of()
            if not self.sign(")"):
                raise self.fault("where")
            return inside
        column = self.name("where")
        if self.word("is"):
            operator = "is not null" if self.word("not") else "is null"
            self.need("null", "where")
            return Test(column, operator)
        negated = "not " if self.word("not") else ""
        if self.word("in"):
            if not self.sign("("):
                raise self.fault("where")
            values = [self.value()]
            while self.sign(","):
                values.append(self.value())
            if not self.sign(")"):
                raise self.fault("where")
            return Test(column, negated + "in", tuple(values))
        if self.word("like"):
            return Test(column, negated + "like", (self.value(),))
        if self.word("between"):
            low = self.value()
            self.need("and", "where")
            return Test(column, negated + "between", (low, self.value()))
        kind, text = self.take()
        if kind != "sign" or text not in SIGNS or negated:
            raise Refused("SYNTAX_ERROR", {"operator": text})
        return Test(column, "!=" if text == "<>" else text, (self.value(),))

    def value(self) -> str:
        kind, text = self.take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1].replace("''", "'"))
        if kind == "number" or (kind == "word" and text.lower() in ("true", "false")):
            return text
        self.at -= 1
        raise self.fault("where")


def holds(node: Group | Test | None, value: Callable[[str], Any], literal: Callable[[str, str], Any]) -> bool:
    """Whether a record fits.

    Args:
        value: Column -> the record's value, None if empty.
        literal: Column and text -> that text as a value of the column's type.
    """
    if node is None:
        return True
    if isinstance(node, Group):
        judged = (holds(part, value, literal) for part in node.parts)
        return all(judged) if node.joined == "and" else any(judged)
    left = value(node.column)
    if node.operator in ("is null", "is not null"):
        return (left is None) == (node.operator == "is null")
    if left is None:
        return False
    operands = [literal(node.column, text) for text in node.operands]
    return _compare(left, node.operator, operands)


def _compare(left: Any, operator: str, operands: list[Any]) -> bool:
    if operator.startswith("not "):
        return not _compare(left, operator[4:], operands)
    match operator:
        case "=":
            return bool(left == operands[0])
        case "!=":
            return bool(left != operands[0])
        case ">":
            return bool(left > operands[0])
        case "<":
            return bool(left < operands[0])
        case ">=":
            return bool(left >= operands[0])
        case "<=":
            return bool(left <= operands[0])
        case "in":
            return left in operands
        case "between":
            return bool(operands[0] <= left <= operands[1])
        case "like":
            pattern = ".*".join(re.escape(part) for part in str(operands[0]).split("%"))
            return re.fullmatch(pattern, str(left), re.IGNORECASE | re.DOTALL) is not None
    raise AssertionError(operator)
