"""Files that nobody read: which of landing and inbox have to go, because they are replaced or name the person."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from dealermart import lake, landing, readers
from dealermart.base import read_only
from dealermart.upkeep.erasure.tables import Tables

_PIECE, _OVERLAP = 1 << 20, 4096
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "cp1252")


class Search:
    """Looks through landing and inbox, once it is known which deliveries are replaced."""

    def __init__(self, tables: Tables) -> None:
        self.tables, self.settings = tables, tables.settings
        self.unpacked: dict[Path, Path] = {}  # files of an archive that goes: draft -> place

    def remove_unread(self, say: Callable[[str], None]) -> list[Path]:
        """The files of landing and inbox that are to go: those replaced, wherever the same bytes lie, and those that
        were never read and name the person."""
        gone = {delivery_id for _, _, delivery_id in self.tables.changed}
        gone |= {lake.content_of(delivery_id) for delivery_id in gone} | self.tables.log.erased
        homes = {path.parent: json.loads(path.read_text("utf-8")) for path in self._manifests()}
        removes: list[Path] = []
        for home, manifest in homes.items():
            payload = home / "payload"
            if not payload.exists():
                continue
            is_read = (manifest["source"], home.name) in self.tables.received
            if manifest.get("packing") and "packed_in" not in manifest:
                inside = {
                    inside: about
                    for inside, about in homes.items()
                    if inside.parent == home.parent and about.get("packed_in") == home.name
                }
                if gone & _ids_inside(payload) or self._holds(payload):
                    gone.add(home.name)
                    self._unpack(payload, inside, gone, say)
            elif not is_read and home.name not in gone and self._holds(payload):
                gone.add(home.name)
        for home in homes:
            if home.name in gone and (home / "payload").exists():
                removes.append(home / "payload")
        for path in sorted(self.settings.inbox.rglob("*")):
            if path.is_file() and not path.is_symlink() and _id_of(path) in gone:
                removes.append(path)
        return removes

    def _manifests(self) -> Iterator[Path]:
        return iter(sorted(self.settings.landing.glob("*/*/*/manifest.json")))

    def _unpack(
        self, payload: Path, inside: Mapping[Path, dict[str, Any]], gone: set[str], say: Callable[[str], None]
    ) -> None:
        """Lay the other files of an archive that has to go beside it, each in its own folder."""
        for home, manifest in inside.items():
            if home.name in gone or (home / "payload").exists():
                continue
            draft = self.settings.pending / "unpacked" / home.parent.name / home.name
            draft.parent.mkdir(parents=True, exist_ok=True)
            readers.unpack_entry(payload, manifest["member"], manifest["packing"], draft)
            if (manifest["source"], home.name) not in self.tables.received and self._holds(draft):
                gone.add(home.name)
                continue
            read_only(draft)
            self.unpacked[draft] = home / "payload"
        say(f"an archive of {payload.parent.parent.name} is unpacked for good, without what is erased")

    def _holds(self, path: Path) -> bool:
        """Whether a file names the person, in any encoding, also packed."""
        if self.tables.person.pattern is None:
            return False
        pattern = re.compile(self.tables.person.pattern)
        at, before = 0, b""
        for number, piece in _pieces(path):
            if number != at:
                at, before = number, b""
            if any(pattern.search((before + piece).decode(encoding, errors="ignore")) for encoding in _ENCODINGS):
                return True
            before = piece[-_OVERLAP:]  # of an even length, as UTF-16 needs it
        return False


def _ids_inside(path: Path) -> set[str]:
    """The ids that the files in an archive have as deliveries."""
    digests: dict[int, Any] = {}
    for number, piece in _pieces(path):
        digests.setdefault(number, hashlib.sha256()).update(piece)
    return {digest.hexdigest()[: landing.ID_LENGTH] for digest in digests.values()}


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    """The bytes of a file, and of the files packed in it, each with a number of its own, in pieces: one that was
    refused can unpack to any size. What is damaged or encrypted is read as far as it goes."""
    with path.open("rb") as file:
        yield from _read(0, file)
        file.seek(0)
        is_gzip = file.read(2) == b"\x1f\x8b"
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for number, info in enumerate(archive.infolist(), start=1):
                    with archive.open(info) as member:
                        yield from _read(number, member)
        elif is_gzip:
            with gzip.open(path) as whole:
                yield from _read(1, whole)
    except (*readers.UNREADABLE, OSError, RuntimeError):
        return


def _read(number: int, stream: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    while piece := stream.read(_PIECE):
        yield number, piece


def _id_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[: landing.ID_LENGTH]
