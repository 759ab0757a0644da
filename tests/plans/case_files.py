"""Cases of plans as they stand in files: read from YAML files and from the fenced examples of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

Case = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """As config files are read: ``on`` is a word, and numbers keep every digit that stands there."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def _exact(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)).replace("_", ""))


_Loader.add_constructor("tag:yaml.org,2002:float", _exact)


def cases_of_text(text: str) -> list[Case]:
    """The cases of one YAML text."""
    return list(yaml.load(text, Loader=_Loader)["cases"])  # noqa: S506 - a safe loader


def cases_of_page(page: Path) -> Iterator[Case]:
    """The cases of all fenced blocks of a page in Markdown."""
    for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        if block.lstrip().startswith("cases:"):
            yield from cases_of_text(block)


def number(value: Any) -> Fraction:
    """A number of a file, exactly as it is written there."""
    return Fraction(str(value)) if not isinstance(value, Fraction) else value


def maybe(value: Any) -> Fraction | None:
    """A number that may be left out."""
    return None if value is None else number(value)


def day(value: Any) -> date | None:
    """A day that may be left out."""
    return date.fromisoformat(value) if isinstance(value, str) else value
