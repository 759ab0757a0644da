"""Landing: the bytes as they came, kept for ever under the name of their content."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from dealermart import files
from dealermart.errors import DataError
from dealermart.settings import Settings

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Delivery:
    """One file as received. ``delivery_id`` starts the content's sha256: the same content is the same delivery."""

    delivery_id: str
    source: str
    source_file: str
    received: dt.date
    sha256: str
    size: int
    payload: Path


def scan(drop: Path) -> list[tuple[str, Path]]:
    """The files below a drop folder, as (path inside it, full path), in the order of their names.

    Hidden files and folders are how other programs stage what is not finished yet; they are left alone.
    """
    found = []
    for path in sorted(drop.rglob("*")):
        inside = path.relative_to(drop)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            found.append((inside.as_posix(), path))
    return found


def land(settings: Settings, source: str, received: dt.date, source_file: str, path: Path) -> Delivery:
    """Copy a dropped file to landing. Landing the same content for the same day again changes nothing.

    Raises:
        DataError: the file cannot be read.
    """
    folder = settings.landing / source / received.isoformat()
    draft = folder / f".{uuid.uuid4().hex}"
    draft.mkdir(parents=True)
    try:
        digest, size = hashlib.sha256(), 0
        try:
            with path.open("rb") as incoming, (draft / "payload").open("wb") as out:
                while chunk := incoming.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
        except PermissionError:
            raise DataError(
                "the file cannot be read",
                where=str(path),
                mend="give the user who runs dealermart the right to read it",
            ) from None
        sha256 = digest.hexdigest()
        delivery = Delivery(sha256[:16], source, source_file, received, sha256, size, folder / sha256[:16] / "payload")
        if not delivery.payload.exists():
            files.write_json(
                draft / "manifest.json",
                {
                    "delivery_id": delivery.delivery_id,
                    "source": source,
                    "source_file": source_file,
                    "received": received,
                    "sha256": sha256,
                    "bytes": size,
                },
            )
            (draft / "payload").chmod(0o444)
            os.rename(draft, delivery.payload.parent)
            files.sync(folder)
        return delivery
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def find(settings: Settings, source: str, received: str, delivery_id: str, source_file: str) -> Delivery:
    """A delivery that landed before, its content checked against its hash.

    Raises:
        DataError: it is not there, or its content is not what landed.
    """
    folder = settings.landing / source / received / delivery_id
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        with (folder / "payload").open("rb") as payload:
            sha256 = hashlib.file_digest(payload, "sha256").hexdigest()
    except (FileNotFoundError, ValueError):
        raise DataError(
            "a landed file or its manifest is gone or cannot be read",
            where=str(folder),
            mend="restore landing from its backup; it is the truth that all else is built from",
        ) from None
    if sha256 != manifest["sha256"]:
        raise DataError("a landed file was changed", where=str(folder / "payload"), mend="restore it from its backup")
    return Delivery(
        delivery_id, source, source_file, dt.date.fromisoformat(received), sha256, manifest["bytes"], folder / "payload"
    )
