"""Landing: the bytes as they came, kept for ever under the name of their content.

A packed file is kept as it came, under its own hash, and each file in it has a manifest under the hash of its content,
which says where it is packed. So the same table is one delivery, however it was named and packed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import stat
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from dealermart import readers
from dealermart.base import DataError, Settings, as_json, read_only, sync, sync_all
from dealermart.config import Limits
from dealermart.landing.erased import ERASED_NAME, erased_folders, erased_is_whole
from dealermart.readers import Member

_CHUNK = 1 << 20

ID_LENGTH = 16


@dataclass(frozen=True)
class Delivery:
    """One file as received. ``delivery_id`` starts the content's sha256: the same content is the same delivery. A file
    that a second entry of the profile takes is another delivery: ``<id>~<entry>``.

    Attributes:
        source_file: Path in the drop folder; of a packed file, the path that it would have had unpacked there.
        payload: Where the content lies, unpacked.
        found_in: Path in the drop folder of the packed file that it came in, or nothing.
        erased: What stands for the content, where values of a person were erased from it (``landing.erased``).
    """

    delivery_id: str
    source: str
    source_file: str
    received: dt.date
    sha256: str
    size: int
    payload: Path
    found_in: str = ""
    erased: Path | None = None

    @property
    def label(self) -> str:
        """The name under which a person finds the file."""
        return f"{self.found_in} > {self.source_file}" if self.found_in else self.source_file


class StillChanging(DataError):
    """A file was written to while it was read: none of it was taken, the next run will."""


class Refused(DataError):
    """A file that landed and cannot be taken; ``delivery_id`` is that of the file as it came."""

    delivery_id = ""


def scan(drop: Path) -> list[tuple[str, Path]]:
    """What lies below a drop folder, as (path inside it, full path), in the order of their names.

    Hidden files and folders are how other programs stage what is not finished yet; they are left alone. Links are
    listed, for ``land`` to refuse, and never followed.

    Raises:
        DataError: a folder cannot be read, so nobody knows what is in it.
    """
    found = []
    for folder, folders, names in os.walk(drop, onerror=_refuse_closed):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder, name) for name in (*names, *links) if not name.startswith(".")]
    return [(readers.decoded(os.fsencode(path.relative_to(drop))), path) for path in sorted(found)]


def delivered_names(source_file: str, path: Path) -> list[str]:
    """The paths under which what a dropped file holds is matched with the profile; a look that takes nothing."""
    try:
        if path.is_symlink() or not path.is_file() or (how := readers.packing(path)) is None:
            return [source_file]
    except (DataError, OSError):
        return [source_file]
    inside = [""] if how == "gzip" else readers.names_inside(path)
    return [readers.name_inside(source_file, member) for member in inside]


@dataclass(frozen=True)
class _Draft:
    """A folder that is to be a delivery's place, and the state in which the dropped file was copied."""

    folder: Path
    delivery: Delivery
    state: tuple[int, int]


def land(
    settings: Settings,
    source: str,
    received: dt.date,
    found: Sequence[tuple[str, Path]],
    limits: Limits,
    unpacked: Path,
    gone: Collection[str] = (),
) -> list[list[Delivery] | DataError]:
    """Copy dropped files to landing. Landing the same content for the same day again changes nothing.

    All are copied, then forced to disk together, which takes no longer than for the slowest, and then named.

    Args:
        found: Files as ``scan`` lists them.
        limits: What a packed file or a workbook may grow to.
        unpacked: Folder for the content of packed files, which the caller removes in the end.
        gone: Deliveries that were taken and from which values were erased: their content is not kept a second time.

    Returns:
        For each the file, or the files in it where it is packed; else why it is not taken. With ``StillChanging`` (it
        was written to meanwhile) nothing of it has landed; with ``Refused`` it has, and cannot be unpacked within the
        limits; any other error: it cannot be read, or it is a link or a device.
    """
    if not found:
        return []
    folder = settings.landing / source / received.isoformat()
    room = settings.work / f"landing-{uuid.uuid4().hex}"  # what a kill leaves there, the next run removes
    for path in (folder, room):
        path.mkdir(parents=True, exist_ok=True)
    there = _Landing(source, received, folder, room, limits, unpacked, gone)
    outcomes: list[list[Delivery] | DataError] = []
    drafts: dict[Path, list[_Draft]] = {path: [] for _, path in found}
    try:
        for source_file, path in found:
            try:
                outcomes.append(_copied(there, source_file, path, drafts[path]))
            except DataError as error:
                outcomes.append(error)
        sync_all([path for draft in chain(*drafts.values()) for path in draft.folder.iterdir()])
        for number, (path, own) in enumerate(drafts.items()):
            if any(_has_changed(path, draft.state) for draft in own):
                outcomes[number] = _changing(path)
                continue
            for draft in own:
                _place(draft, folder)
        sync(folder)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return outcomes


@dataclass(frozen=True)
class _Landing:
    """Where files of a source and day land: ``folder``, by way of drafts in ``room``."""

    source: str
    received: dt.date
    folder: Path
    room: Path
    limits: Limits
    unpacked: Path
    gone: Collection[str]


def _copied(there: _Landing, source_file: str, path: Path, drafts: list[_Draft]) -> list[Delivery]:
    """Draft the places of a file and of those in it."""
    draft = there.room / uuid.uuid4().hex
    draft.mkdir()
    sha256, size, state = _copy(path, draft / "payload")
    whole = Delivery(
        sha256[:ID_LENGTH],
        there.source,
        source_file,
        there.received,
        sha256,
        size,
        there.folder / sha256[:ID_LENGTH] / "payload",
    )
    drafts.append(_Draft(draft, whole, state))
    how: Literal["zip", "gzip"] | None = None
    members: list[Member] = []
    fault = None
    try:
        how = readers.packing(draft / "payload")
        if how:
            members = readers.unpack(draft / "payload", how, there.limits, there.unpacked / draft.name)
        for content in [member.path for member in members] or [draft / "payload"]:
            if readers.is_workbook(content):
                readers.check_workbook(content, there.limits)
    except DataError as error:
        fault = Refused(error.what, where=source_file, mend=error.mend)
        fault.delivery_id = whole.delivery_id
    erased_inside = any(member.sha256[:ID_LENGTH] in there.gone for member in members)
    if erased_inside or whole.delivery_id in there.gone:
        (draft / "payload").unlink()
    _describe(draft, whole, {"packing": how} if how else {})
    if fault:
        raise fault
    if not how:
        return [whole]
    found = []
    for member in members:
        name = readers.name_inside(source_file, member.name)
        delivery = Delivery(
            member.sha256[:ID_LENGTH],
            there.source,
            name,
            there.received,
            member.sha256,
            member.size,
            member.path,
            source_file,
        )
        own = there.room / uuid.uuid4().hex
        own.mkdir()
        drafts.append(_Draft(own, delivery, state))
        if erased_inside and delivery.delivery_id not in there.gone:  # the archive itself is not kept
            shutil.copyfile(member.path, own / "payload")
        _describe(
            own,
            delivery,
            {"packed_in": whole.delivery_id, "packing": how, "member": member.name, "found_in": source_file},
        )
        found.append(delivery)
    return found


def has(settings: Settings, source: str, received: dt.date, sha256: str) -> bool:
    """Whether a file of this content landed for a date, plain or as the packed file that it is."""
    return (settings.landing / source / received.isoformat() / sha256[:ID_LENGTH] / "payload").exists()


def find(
    settings: Settings, source: str, received: str, delivery_id: str, source_file: str, unpacked: Path
) -> Delivery:
    """A delivery that landed before, its content checked against its hash.

    Args:
        unpacked: Folder for the content of packed files, which the caller removes in the end.

    Raises:
        DataError: it is not there, or its content is not what landed.
    """
    folder = settings.landing / source / received / delivery_id
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        payload = landed = folder / "payload"
        if instead := erased_folders(settings, source, received, delivery_id):
            (landed,) = instead
            sha256 = manifest["sha256"] if erased_is_whole(landed) else ""
        elif "packed_in" in manifest and not payload.exists():
            landed = folder.with_name(manifest["packed_in"]) / "payload"
            payload = unpacked / delivery_id
            unpacked.mkdir(parents=True, exist_ok=True)
            sha256 = readers.unpack_entry(landed, manifest["member"], manifest["packing"], payload).sha256
        else:
            with payload.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    except (FileNotFoundError, ValueError):
        raise DataError(
            "a landed file or its manifest is gone or cannot be read",
            where=str(folder),
            mend="restore landing from its backup; it is the truth that all else is built from",
        ) from None
    except readers.UNREADABLE:
        sha256 = ""
    if sha256 != manifest["sha256"]:
        raise DataError("a landed file was changed", where=str(landed), mend="restore it from its backup")
    return Delivery(
        delivery_id,
        source,
        source_file,
        dt.date.fromisoformat(received),
        sha256,
        manifest["bytes"],
        payload,
        manifest.get("found_in", ""),
        landed if landed.name == ERASED_NAME else None,
    )


def another(settings: Settings, delivery: Delivery, delivery_id: str) -> Delivery:
    """The same content as a delivery of its own, for another entry of the profile: a second name for the same bytes."""
    folder = settings.landing / delivery.source / delivery.received.isoformat()
    home, draft = folder / delivery_id, settings.work / f"landing-{uuid.uuid4().hex}"
    there = folder / delivery.delivery_id
    if not home.exists():
        draft.mkdir(parents=True)
        manifest = json.loads((there / "manifest.json").read_text("utf-8")) | {"delivery_id": delivery_id}
        (draft / "manifest.json").write_text(as_json(manifest), "utf-8")
        if (there / "payload").exists():
            os.link(there / "payload", draft / "payload")
        sync_all(list(draft.iterdir()))
        os.rename(draft, home)
        sync(folder)
    payload = home / "payload" if delivery.payload == there / "payload" else delivery.payload
    return replace(delivery, delivery_id=delivery_id, payload=payload)


@contextmanager
def unpacking(settings: Settings, run_id: str) -> Iterator[Path]:
    """A folder for the content of packed files while the block runs."""
    folder = settings.work / f"{run_id}-unpacked"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_closed(error: OSError) -> None:
    if isinstance(error, PermissionError):
        raise DataError(
            "the folder cannot be read",
            where=str(error.filename),
            mend="give the user who runs dealermart the right to read it",
        )


def _copy(path: Path, into: Path) -> tuple[str, int, tuple[int, int]]:
    """Copy a file and say the hash, the size and the state of what was copied, if nobody wrote to it meanwhile."""
    digest, size = hashlib.sha256(), 0
    try:
        # A link is not opened, and a pipe without a writer does not hold us up.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        raise DataError(
            "the file cannot be read", where=str(path), mend="give the user who runs dealermart the right to read it"
        ) from None
    except FileNotFoundError:
        raise _changing(path) from None
    except OSError:
        raise _no_file(path) from None
    with open(fd, "rb") as incoming, into.open("wb") as out:  # noqa: PTH123 - a descriptor
        before = os.fstat(incoming.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise _no_file(path)
        while chunk := incoming.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > before.st_size:
                raise _changing(path)
            out.write(chunk)
        after = os.fstat(incoming.fileno())
    if _state(before) != _state(after) or size != after.st_size:
        raise _changing(path)
    return digest.hexdigest(), size, _state(after)


def _has_changed(path: Path, state: tuple[int, int]) -> bool:
    """Whether a file was written to since; one that is gone was copied whole before."""
    try:
        return _state(path.lstat()) != state
    except FileNotFoundError:
        return False


def _state(found: os.stat_result) -> tuple[int, int]:
    """What changes when a file is written to."""
    return found.st_size, found.st_mtime_ns


def _describe(draft: Path, delivery: Delivery, more: dict[str, Any]) -> None:
    """Write the manifest of a draft."""
    if (draft / "payload").exists():
        read_only(draft / "payload")
    manifest = {
        "delivery_id": delivery.delivery_id,
        "source": delivery.source,
        "source_file": delivery.source_file,
        "received": delivery.received,
        "sha256": delivery.sha256,
        "bytes": delivery.size,
        **more,
    }
    (draft / "manifest.json").write_text(as_json(manifest), "utf-8")


def _place(draft: _Draft, folder: Path) -> None:
    """Move a draft, which is on disk, to its place; what is there already stays, plain beside packed."""
    home = folder / draft.delivery.delivery_id
    if not home.exists():
        os.rename(draft.folder, home)
    elif (draft.folder / "payload").exists() and not (home / "payload").exists():
        os.rename(draft.folder / "payload", home / "payload")
        sync(home)


def _changing(path: Path) -> StillChanging:
    return StillChanging(
        "the file was written to while it was read; it is left for the next run",
        where=str(path),
        mend="run the same command again when the sender has finished",
    )


def _no_file(path: Path) -> DataError:
    return DataError(
        "this is a link or a device, no file; it was not opened",
        where=str(path),
        mend="put the file itself into the drop folder",
    )
