"""YAML files that people edit: read exactly, checked by pydantic, faults named by file, line and field."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from dealermart.base import ConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)


class Strict(BaseModel):
    """Base of all config models: unknown keys are refused and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(yaml.CSafeLoader):  # libyaml: the same results, ten times as fast, and a command reads a hundred files
    """SafeLoader that keeps decimals exact and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if (
                key_node.tag == "tag:yaml.org,2002:merge"
            ):  # `<<: *name`: what it brings in, the mapping's own keys replace
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a key is no plain text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal | str:
    text = loader.construct_scalar(node)
    # YAML's own .inf and .nan are no amounts; leave them as text for the model to refuse.
    return (
        Decimal(text.replace("_", ""))
        if re.fullmatch(r"[-+]?[\d_]*\.?\d+([eE][-+]?\d+)?|[-+]?[\d_]+\.", text)
        else text
    )


def _timestamp(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:  # 31 April: left as text for the model to refuse with its line
        return loader.construct_scalar(node)


# YAML 1.1 takes on, off, yes and no for truth values, and `on:` is a key of plans; YAML 1.2 knows true and false alone.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}

_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)

_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)

_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


def load_yaml(path: Path, model: type[ModelT]) -> ModelT:
    """Read one YAML file into ``model``.

    Raises:
        ConfigError: the file is missing, is not YAML or does not fit the model; names file, line, field and mend.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            "the file does not exist", where=str(path), mend="create it, or correct the name that leads to it"
        ) from None
    except IsADirectoryError:
        raise ConfigError("this is a folder, not a file", where=str(path), mend="rename or remove it") from None
    except UnicodeDecodeError:
        raise ConfigError("the file is not UTF-8", where=str(path), mend="save it as UTF-8") from None
    return _loaded(path, text, model)


@lru_cache(maxsize=512)  # one text gives one model, and models never change: a run reads a file several times
def _loaded(path: Path, text: str, model: type[ModelT]) -> ModelT:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = loader.construct_document(node) if node else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(
            f"not valid YAML: {getattr(error, 'problem', None) or error}",
            where=where,
            mend="correct the line; indentation and quotes are the usual cause",
        ) from None
    except RecursionError:
        raise ConfigError("nested too deeply", where=str(path), mend="write it flat") from None
    if not isinstance(data, dict):
        raise ConfigError(
            "the file does not hold a mapping of keys to values",
            where=f"{path}:1",
            mend=f"start with the keys of {model.__name__}",
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _config_error(path, node, error) from None


def line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """1-based line of the node at ``location``, or of its nearest parent that stands in the file."""
    line = node.start_mark.line + 1 if node else 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                continue  # pydantic adds tags of unions and the like to the path
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _config_error(path: Path, node: yaml.Node | None, error: ValidationError) -> ConfigError:
    faults = []
    found = error.errors(include_url=False)
    for fault in found:
        depth = len(fault["loc"])
        inside = any(len(other["loc"]) > depth and other["loc"][:depth] == fault["loc"] for other in found)
        if fault["type"] == "too_short" and inside:
            continue  # a list counts as short when one of its items is broken; that item is the fault
        field = ".".join(str(step) for step in fault["loc"]) or "(whole file)"
        message = fault["msg"].removeprefix("Value error, ")
        faults.append((line_of(node, fault["loc"]), field, message, fault["type"]))
    # A misspelt key is reported twice, as unknown and as missing; the unknown one is where the hand slipped.
    faults.sort(key=lambda fault: (fault[3] != "extra_forbidden", fault[0]))
    line, field, message, kind = faults[0]
    mends = {
        "extra_forbidden": "remove the key or correct its spelling",
        "missing": "add the key",
    }
    more = (
        f" (and {len(faults) - 1} more in this file: lines {', '.join(str(fault[0]) for fault in faults[1:6])})"
        if len(faults) > 1
        else ""
    )
    return ConfigError(
        f"field {field}: {message}{more}",
        where=f"{path}:{line}",
        mend=mends.get(kind, "correct the value of this field"),
    )


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
    found = lined(path, faults)
    if not found:
        return
    first = found[0]
    rest = ", ".join(str(fault.where.rpartition(":")[2]) for fault in found[1:6])
    more = f" (and {len(found) - 1} more in this file: lines {rest})" if rest else ""
    raise ConfigError(first.what + more, where=first.where, mend=first.mend)


def lined(path: Path, faults: Iterable[Fault]) -> list[ConfigError]:
    """Each fault with file, line and field, in the order of the lines."""
    found = list(faults)
    if not found:
        return []
    node = yaml.compose(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    placed = sorted(((line_of(node, fault.location), fault) for fault in found), key=lambda fault: fault[0])
    return [
        ConfigError(
            f"field {'.'.join(str(step) for step in fault.location) or '(whole file)'}: {fault.what}",
            where=f"{path}:{line}",
            mend=fault.mend,
        )
        for line, fault in placed
    ]


def repeated(values: Iterable[str], location: Location, field: str, what: str) -> Iterable[Fault]:
    """A fault for every value of a list of items that an earlier item has already."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield Fault((*location, index, field), f"the {what} {value!r} stands twice", f"give each {what} once")
        seen.add(value)
