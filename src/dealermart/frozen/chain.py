"""The chain of closed folders: which there are, in their order, and whether each is what was closed.

``closed/<kind>/<period>/V1R1/`` holds tables as Parquet, the config of then and ``manifest.json``, which has the hash
of every file, the hash of the folder before and one hash over all of itself. V is the version of what was closed, R the
form of the folder. Names that begin with a dot are drafts and belong to nobody.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dealermart.base import DataError, Settings, file_hash, read_runs

MANIFEST = "manifest.json"
FORM = 1  # of a folder: raised when a folder is written in another way
TABLES = "tables"
CONFIG = "config"

_VERSION = re.compile(r"V([1-9]\d*)R([1-9]\d*)")
_RESTORE = "restore it from a backup of `closed/`; nothing else can stand for what was closed"


@dataclass(frozen=True)
class Frozen:
    """A closed folder. ``manifest`` is what its file says."""

    kind: str
    period_id: str
    version: int
    path: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """Its place below ``closed/``."""
        return folder_name(self.kind, self.period_id, self.version)

    @property
    def seq(self) -> int:
        """Its place in the chain, from 1."""
        return int(self.manifest["seq"])

    @property
    def hash(self) -> str:
        """The one hash over all that it holds."""
        return str(self.manifest["hash"])

    @property
    def tables(self) -> dict[str, Path]:
        """Table -> its Parquet file."""
        return {name: self.path / TABLES / f"{name}.parquet" for name in self.manifest["tables"]}

    @property
    def config(self) -> Path:
        """The config folder of then."""
        return self.path / CONFIG


@dataclass(frozen=True)
class Flaw:
    """Something that is not as it was closed: where (below ``closed/``), what, and how to mend it."""

    where: str
    what: str
    mend: str = _RESTORE

    def __str__(self) -> str:
        return f"closed/{self.where}: {self.what}\n  mend: {self.mend}"


def folder_name(kind: str, period_id: str, version: int) -> str:
    """The place of a folder below ``closed/``."""
    return f"{kind}/{period_id}/V{version}R{FORM}"


def manifest_hash(manifest: dict[str, Any]) -> str:
    """The hash over a manifest, and by the hashes in it over all files (sha256, 64 hex digits)."""
    said = {name: value for name, value in manifest.items() if name != "hash"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def chain(settings: Settings, kind: str | None = None) -> tuple[Frozen, ...]:
    """All closed folders in the order of closing, each looked at whole.

    Args:
        kind: Those of this kind alone; all are looked at all the same.

    Raises:
        DataError: one is not what was closed.
    """
    folders, flaws = _look(settings)
    if flaws:
        more = f" (and {len(flaws) - 1} more: `dealermart audit verify`)" if len(flaws) > 1 else ""
        raise DataError(f"{flaws[0].what}{more}", where=f"closed/{flaws[0].where}", mend=flaws[0].mend)
    return tuple(folder for folder in folders if kind in (None, folder.kind))


def closed_tables(settings: Settings, kind: str) -> dict[str, tuple[Path, ...]]:
    """Table -> Parquet files of its closed periods, in the order of closing; of a period the newest version alone.

    Raises:
        DataError: a closed folder is not what was closed.
    """
    newest = {folder.period_id: folder for folder in chain(settings, kind)}
    found: dict[str, tuple[Path, ...]] = {}
    for folder in sorted(newest.values(), key=lambda folder: folder.seq):
        for name, path in folder.tables.items():
            found[name] = (*found.get(name, ()), path)
    return found


def verify(settings: Settings) -> list[Flaw]:
    """All that is not as it was closed: changed, removed and added files, removed folders, folders out of the chain."""
    return _look(settings)[1]


def _look(settings: Settings) -> tuple[list[Frozen], list[Flaw]]:
    folders: list[Frozen] = []
    flaws: list[Flaw] = []
    for path, flaw in _places(settings.closed):
        name = path.relative_to(settings.closed).as_posix()
        if flaw:
            flaws.append(Flaw(name, flaw, "take it away: nobody reads it, and nobody may take it for what was closed"))
            continue
        try:
            manifest = json.loads((path / MANIFEST).read_text("utf-8"))
            kind, period_id, version = name.split("/")
            found = Frozen(kind, period_id, int(version[1:].partition("R")[0]), path, manifest)
            flaws += _inside(found)
            folders.append(found)
        except FileNotFoundError:
            flaws.append(Flaw(f"{name}/{MANIFEST}", "the manifest is gone"))
        except (ValueError, TypeError, KeyError, AttributeError):
            flaws.append(Flaw(f"{name}/{MANIFEST}", "the manifest cannot be read: it was changed"))
    folders.sort(key=lambda folder: (folder.seq, folder.name))
    return folders, flaws + list(_links(settings, folders, {flaw.where for flaw in flaws}))


def _places(closed: Path) -> Iterator[tuple[Path, str]]:
    """Folders of versions, and whatever lies where no such folder can be, with what is wrong with it."""
    for kind in _listed(closed):
        for period in _listed(kind) if kind.is_dir() else ():
            for version in _listed(period) if period.is_dir() else ():
                is_version = version.is_dir() and not version.is_symlink() and _VERSION.fullmatch(version.name)
                yield version, "" if is_version else "this belongs to no closing"
            if not period.is_dir():
                yield period, "this file belongs to no closing"
        if not kind.is_dir():
            yield kind, "this file belongs to no closing"


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _inside(folder: Frozen) -> Iterator[Flaw]:
    """What differs from the manifest, and the manifest from its own hash."""
    manifest, name = folder.manifest, folder.name
    if manifest_hash(manifest) != manifest["hash"]:
        yield Flaw(f"{name}/{MANIFEST}", "the manifest was changed: its hash is another")
    if (manifest["kind"], manifest["period_id"], manifest["version"]) != (
        folder.kind, folder.period_id, folder.version,
    ):  # fmt: skip
        was = folder_name(manifest["kind"], manifest["period_id"], manifest["version"])
        yield Flaw(name, f"this folder was closed as {was}: it is out of its place in the chain")
    files: dict[str, dict[str, Any]] = manifest["files"]
    there = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if not path.is_dir()}
    for file in sorted(files.keys() - there):
        yield Flaw(f"{name}/{file}", "the file was removed")
    for file in sorted(there - files.keys() - {MANIFEST}):
        yield Flaw(f"{name}/{file}", "the file was added", "take it away: it is no part of what was closed")
    for file in sorted(files.keys() & there):
        if file_hash(folder.path / file) != files[file]["sha256"]:
            yield Flaw(f"{name}/{file}", "the file was changed: its hash is another")


def _links(settings: Settings, folders: list[Frozen], known: set[str]) -> Iterator[Flaw]:
    """Folders that do not follow the one before, and those that must have been there."""
    before: dict[str, Any] | None = None
    gone: set[str] = set()
    for number, folder in enumerate(folders):
        said = folder.manifest["previous"]
        last = folders[number - 1] if number else None
        if said == before:
            pass
        elif said is not None and said["folder"] not in {other.name for other in folders}:
            if said["folder"] not in {place.removesuffix(f"/{MANIFEST}") for place in known}:
                gone.add(said["folder"])
                yield Flaw(said["folder"], f"the folder was removed; {folder.name} was closed after it")
        elif folder.name not in known:
            follows = f"it says that it follows {said['folder']}" if said else "it says that it is the first"
            place = f"after {last.name}" if last else "first"
            yield Flaw(folder.name, f"this folder is out of the chain: {follows}, and it stands {place}")
        before = {"folder": folder.name, "hash": folder.hash}
    # The last folder is followed by none; the run log is its witness.
    hashes = {folder.name: folder.hash for folder in folders}
    for run in read_runs(settings):
        said = run.get("closed")
        if run["command"] != "close" or run["status"] != "done" or not said:
            continue
        name = said["folder"]
        if name not in hashes and name not in gone and f"{name}/{MANIFEST}" not in known:
            yield Flaw(name, f"the folder was removed; the run {run['run_id']} closed it")
        elif name in hashes and hashes[name] != said["hash"] and f"{name}/{MANIFEST}" not in known:
            yield Flaw(name, f"this is another folder than the one that the run {run['run_id']} closed")
