"""Faults of config files that no single field shows: found in the loaded model, told with the line they stand on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

from dealermart.errors import ConfigError
from dealermart.yamlfile import line_of

Location = tuple[int | str, ...]


class Fault(NamedTuple):
    """One fault: where in the file (keys and list positions), what is wrong, how to mend it."""

    location: Location
    what: str
    mend: str


def refuse(path: Path, faults: Iterable[Fault]) -> None:
    """Raise the first of ``faults`` (by line), if there is any.

    Raises:
        ConfigError: names file, line, field and mend, and how many faults more the file has.
    """
    found = list(faults)
    if not found:
        return
    node = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    lined = sorted(((line_of(node, fault.location), fault) for fault in found), key=lambda one: one[0])
    line, first = lined[0]
    rest = ", ".join(str(one[0]) for one in lined[1:6])
    more = f" (and {len(lined) - 1} more in this file: lines {rest})" if rest else ""
    field = ".".join(str(step) for step in first.location) or "(whole file)"
    raise ConfigError(f"field {field}: {first.what}{more}", where=f"{path}:{line}", mend=first.mend)


def repeated(values: Iterable[str], location: Location, field: str, what: str) -> Iterable[Fault]:
    """A fault for every value of a list of items that an earlier item has already."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield Fault((*location, index, field), f"the {what} {value!r} stands twice", f"give each {what} once")
        seen.add(value)
