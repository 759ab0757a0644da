"""The SQL of rules: it stands in files beside the suite, one rule a file, or once for many rules in a template.

    expectations/sales.json                       the suite, Great Expectations' own JSON without SQL
    expectations/sql/sales/original_unknown.sql   the SQL of its rule original_unknown, found by these two names
    expectations/templates/unknown.sql            for rules of any suite that say "kwargs": {"template": "unknown", ...}

Files and templates are SQL with Jinja, as dbt's models are. ``{{ batch }}`` is the table to judge. A template is given
the other kwargs of its rule, and of the feed's contract the ``key`` and the ``version`` (a column, or none).

What comes out is the query as Great Expectations wants it, without comments, with ``{batch}`` for the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta

from dealermart.base import SuiteError
from dealermart.config import Contract

ARGUMENT = "unexpected_rows_query"
_BATCH = "\0"
_GIVEN = ("batch", "key", "version")
_TEXTS = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\""
_PIECES = re.compile(rf"(?P<text>{_TEXTS})|(?P<comment>--[^\n]*|/\*.*?\*/)", re.DOTALL)
_GAPS = re.compile(rf"(?P<text>{_TEXTS})|(?<=\()\s+|\s+(?=[),])|(?P<gap>\s+)")
_JINJA = jinja2.Environment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)  # nothing here is HTML


@dataclass(frozen=True)
class Query:
    """The SQL of a rule and where it stands: ``path`` is None for SQL in the suite itself, ``skipped`` are the lines
    of the file above the first of ``text``, None where lines of the two do not match."""

    text: str
    path: Path | None = None
    skipped: int | None = None


def canonical(text: str) -> str:
    """The SQL on one line, as it counts for the hash of a suite: layout does not."""
    return _GAPS.sub(lambda found: found["text"] or (" " if found["gap"] else ""), text).strip()


class Queries:
    """Where the rules of one suite have their SQL.

    Args:
        suite: The suite's JSON file.
        contract: The feed's contract, if there is one.
    """

    def __init__(self, suite: Path, contract: Contract | None) -> None:
        self._suite = suite
        self._folder = suite.parent / "sql" / suite.stem
        self._files = {path.stem: path for path in sorted(self._folder.glob("*.sql"))}
        self._contract = contract

    def of(self, rule: str, kwargs: Mapping[str, Any], where: str) -> Query:
        """The query of a rule with these kwargs.

        Raises:
            SuiteError: there is none, there are two, or it cannot be filled in.
        """
        path = self._files.pop(rule, None)
        if path is not None and kwargs:
            raise SuiteError(
                f"the rule has SQL in {path.name} and {', '.join(kwargs)} in the suite",
                where=f"{path}:1",
                mend='delete the file, or write "kwargs": {} in the suite',
            )
        if ARGUMENT in kwargs:
            if unknown := sorted(kwargs.keys() - {ARGUMENT}):
                raise SuiteError(
                    f"unknown argument {', '.join(unknown)}", where=where, mend=f"beside {ARGUMENT} there is no other"
                )
            return Query(str(kwargs[ARGUMENT]))
        if path is not None:
            return _from_file(path)
        if "template" in kwargs:
            return self._from_template(kwargs, where)
        raise SuiteError(
            "the rule has no SQL",
            where=where,
            mend=f"write {self._folder / rule}.sql, or name a template in kwargs",
        )

    def refuse_left(self) -> None:
        """Refuse a file whose rule the suite does not have."""
        for rule, path in self._files.items():
            raise SuiteError(
                f"the suite {self._suite.name} has no rule {rule} that takes its SQL from here",
                where=f"{path}:1",
                mend=f"add the rule to {self._suite}, name the file after its rule, or delete it",
            )

    def _from_template(self, kwargs: Mapping[str, Any], where: str) -> Query:
        templates = self._suite.parent / "templates"
        path = templates / f"{kwargs['template']}.sql"
        known = sorted(path.stem for path in templates.glob("*.sql"))
        if kwargs["template"] not in known:
            raise SuiteError(
                f"there is no template {kwargs['template']}",
                where=where,
                mend=f"one of: {', '.join(known) or f'none, they would stand in {templates}'}",
            )
        source = _read(path)
        given = {name: value for name, value in kwargs.items() if name != "template"}
        taken = _names(path, source)
        if unknown := sorted(given.keys() - taken):
            raise SuiteError(
                f"the template {path.stem} takes no {', '.join(unknown)}",
                where=where,
                mend=f"it takes {', '.join(sorted(taken - {*_GIVEN})) or 'nothing'}",
            )
        if self._contract is not None:
            given = {"key": list(self._contract.key), "version": self._contract.version} | given
        try:
            text = _rendered(source, {"batch": _BATCH} | given)
        except (jinja2.TemplateError, TypeError, AttributeError) as error:
            raise SuiteError(
                f"the template {path.stem} lacks an argument, or cannot use one: {error}",
                where=where,
                mend="correct kwargs; key and version are those of the feed's contract",
            ) from None
        return Query(text.lstrip("\n"), path)


def _from_file(path: Path) -> Query:
    source = _read(path)
    if unknown := sorted(_names(path, source) - {"batch"}):
        raise SuiteError(
            f"the SQL asks for {', '.join(unknown)}, which nobody gives",
            where=f"{path}:1",
            mend="a rule's own SQL is given {{ batch }} alone; a template takes arguments",
        )
    text = _rendered(source, {"batch": _BATCH})
    return Query(text.lstrip("\n"), path, len(text) - len(text.lstrip("\n")))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise SuiteError("the file is not UTF-8", where=str(path), mend="save it as UTF-8") from None


@cache
def _names(path: Path, source: str) -> frozenset[str]:
    """What the Jinja of a file wants to be given."""
    try:
        return frozenset(meta.find_undeclared_variables(_JINJA.parse(source)))
    except jinja2.TemplateSyntaxError as error:
        raise SuiteError(
            f"not valid Jinja: {error.message}", where=f"{path}:{error.lineno}", mend="correct the Jinja"
        ) from None


@cache
def _compiled(source: str) -> jinja2.Template:
    return _JINJA.from_string(source)


def _rendered(source: str, given: Mapping[str, Any]) -> str:
    """The file's SQL for Great Expectations: comments are gone, braces doubled, and ``{batch}`` is the table."""
    text = _PIECES.sub(lambda found: found["text"] or "\n" * found[0].count("\n"), _compiled(source).render(given))
    text = text.replace("{", "{{").replace("}", "}}").replace(_BATCH, "{batch}")
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
