"""Files of records on their way into the inbox: JSON lines, gzip, under their name when they are whole."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

from dealermart.base import Settings, sync, write_text
from dealermart.config import PULLS
from dealermart.landing.crm.records import line, written
from dealermart.landing.crm.state import State, Told


class Part:
    """The records of an object that belong to one step, and the changes of stage among them."""

    def __init__(self, settings: Settings, source: str, name: str, stage: str | None, stamp: str, number: int) -> None:
        self.inbox, self.name, self.stage, self.stamp, self.number = settings.inbox / source, name, stage, stamp, number
        self.drafts = drafts(settings, source)
        self.written = self.gone = self.changes = self.read = 0
        self._drafts: dict[str, tuple[Path, _Packed]] = {}

    def write(self, told: list[Told], read_rows: int, since: dt.datetime | None = None) -> None:
        """Add versions.

        Args:
            read_rows: How many were read to find them.
            since: What was entered since then had no stage before.
        """
        self.read += read_rows
        for item in told:
            self._out(self.name).write(line(item.raw, item.changed, item.is_gone).encode("utf-8", "replace"))
            self.written += 1
            self.gone += item.is_gone
            if changed_stage := _change(item, since):
                self._out(f"{self.name}-changes").write(changed_stage.encode("utf-8", "replace"))
                self.changes += 1

    def place(self, received: dt.date, facts: dict[str, Any]) -> list[dict[str, Any]]:
        """Put the files into the inbox; gives what is known of each. Without records there is none."""
        placed = []
        for stem, (draft, out) in self._drafts.items():
            out.close()
            with draft.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            sync(draft)
            name = f"{stem}_{self.stamp}_{self.number:05}.jsonl.gz"
            folder = self.inbox / received.isoformat()
            folder.mkdir(parents=True, exist_ok=True)
            os.replace(draft, folder / name)
            sync(folder)
            counts = {
                "records": self.changes if stem != self.name else self.written,
                "gone": self.gone,
                "read": self.read,
            }
            placed.append(
                {
                    "part": self.number,
                    "pull": self.stamp,
                    "object": self.name,
                    "file": name,
                    "received": received.isoformat(),
                    "sha256": digest,
                    "facts": {**facts, **counts},
                }
            )
        self._drafts.clear()
        return placed

    def _out(self, stem: str) -> _Packed:
        if stem not in self._drafts:
            self.drafts.mkdir(parents=True, exist_ok=True)
            draft = self.drafts / uuid.uuid4().hex
            # No time and no name in its header: the same records are the same bytes.
            self._drafts[stem] = (draft, _Packed(draft))
        return self._drafts[stem][1]


class _Packed:
    """A file of gzip: no time and no name in its header, so that the same records are the same bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._packed = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)

    def write(self, data: bytes) -> None:
        self._packed.write(data)

    def close(self) -> None:
        self._packed.close()
        self._file.close()


def drafts(settings: Settings, source: str) -> Path:
    """Where files are written that are not whole yet; what a kill leaves there, the next pull removes."""
    return settings.inbox / source / ".pull"


def _change(item: Told, since: dt.datetime | None) -> str | None:
    """A change of stage: from which to which, and the record as it came. Its id is the same however often it is read.

    Of a record that was not known before only where the CRM says since when its stage holds, or it was just entered.
    """
    row = item.row
    if item.stage is None or row is None:
        return None
    is_new = since is not None and row.created is not None and row.created >= since
    if item.is_first and row.staged is None and not is_new:
        return None
    at = row.staged or row.modified
    said = {"id": f"{row.id}-{at:%Y%m%d%H%M%S%f}", "from": item.before, "to": item.stage, "at": written(at)}
    return line(f'{json.dumps(said, ensure_ascii=False)[:-1]}, "record": {row.raw.strip()}}}', item.changed, False)


def place_manifest(settings: Settings, source: str, received: dt.date, state: State, stamp: str) -> str | None:
    """Write what files came, with windows and counts, where any are not told of yet; gives the manifest's name."""
    files = state.untold()
    if not files:
        return None
    name = f"{PULLS}_{stamp}_{max(file['part'] for file in files):05}.jsonl"
    lines = [json.dumps({**file, "file": file["file"].removesuffix(".gz")}, ensure_ascii=False) for file in files]
    write_text(settings.inbox / source / received.isoformat() / name, "\n".join(lines) + "\n")
    state.tell(file["file"] for file in files)
    return name
