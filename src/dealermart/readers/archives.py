"""Packed files: gzip and zip around files of any format, told by their first bytes and unpacked in a stream.

A zip stands for its members as if it had been unpacked where it lies, a gzip for the one file that it holds. Whatever
cannot be unpacked whole, within the limits of the source, is refused whole.
"""

from __future__ import annotations

import copy
import gzip
import hashlib
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from dealermart.base import DataError
from dealermart.config import MIB, Limits

_CHUNK = MIB

_RATIO_COUNTS_FROM = 16 * MIB  # a small file may well be all zeros

_DIRECTORY_PER_MEMBER = 1024  # bytes; a name may have 65,535, and the directory is read as a whole

_LARGEST_DIRECTORY = 16 * MIB

_ENCRYPTED = 0x1

_NAME_IS_UTF8 = 0x800

_SYSTEM_FILES = ("__MACOSX", "Thumbs.db")

# What is recognised and not unpacked. A tar has its mark further in.
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}

_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")

_TAR = slice(257, 262)

# The first bytes of the two containers that workbooks are kept in.
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_DOCUMENTS = ("mimetype", "[content_types].xml")  # OpenDocument, Office

_FIRST_PARTS = (*_DOCUMENTS, "_rels/", "docprops/", "xl/")

# What the standard library says of archives that it cannot read.
UNREADABLE = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, UnicodeError, NotImplementedError)


@dataclass(frozen=True)
class Member:
    """A file out of a packed one: ``name`` is its path inside (empty in a gzip), ``path`` where it now lies."""

    name: str
    sha256: str
    size: int
    path: Path


def container(path: Path) -> Literal["zip", "compound"] | None:
    """What a workbook is kept in, by its first bytes: a zip (xlsx), or a compound file (xls, and xlsx with a password).

    What lies further in does not count: an xls can hold a zip.
    """
    with path.open("rb") as file:
        start = file.read(len(_COMPOUND))
    return "zip" if start.startswith(_ZIP) else "compound" if start == _COMPOUND else None


def packing(path: Path) -> Literal["zip", "gzip"] | None:
    """How a file is packed, by its first bytes; None for a plain file, which a workbook is too, though it is a zip.

    Raises:
        DataError: packed in a way that is not unpacked here.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if container(path) == "zip":
        return None if _is_document(path, start) else "zip"
    other = next((name for mark, name in _OTHERS.items() if start.startswith(mark)), None)
    other = other or ("bzip2" if _BZIP2.match(start) else "tar" if start[_TAR] == b"ustar" else None)
    if other:
        raise DataError(f"the file is packed as {other}, which is not unpacked", mend="send it as it is, zip or gzip")
    return None


def unpack(path: Path, how: Literal["zip", "gzip"], limits: Limits, into: Path) -> list[Member]:
    """Unpack a packed file into the folder ``into``, which is made, under names of our own.

    Raises:
        DataError: it is damaged, encrypted, too large, holds an archive, or names files outside itself. What was
            unpacked stays in ``into`` for the caller to remove. The error has no ``where``.
    """
    into.mkdir(parents=True)
    budget = _Budget(limits.unpacked_mb, limits.ratio, path.stat().st_size)
    try:
        if how == "gzip":
            with gzip.open(path) as stream:
                members = [_write(stream, "", into / "0", budget)]
        else:
            members = []
            with open_checked(path, limits) as archive:
                for index, (name, info) in enumerate(_checked_entries(archive)):
                    with archive.open(_unbounded(info)) as stream:
                        members.append(_write(stream, name, into / str(index), budget))
                    if members[-1].size != info.file_size:
                        raise _damaged()
    except UNREADABLE:
        raise _damaged() from None
    for member in members:
        _refuse_nested(member)
    return members


def unpack_entry(path: Path, name: str, how: Literal["zip", "gzip"], into: Path) -> Member:
    """Unpack one member again, as often as a rebuild needs it, from a file that was unpacked whole before.

    Raises:
        DataError: it is not there.
    """
    budget = _Budget()
    if how == "gzip":
        with gzip.open(path) as stream:
            return _write(stream, name, into, budget)
    with zipfile.ZipFile(path) as archive:
        for found, info in _entries(archive):
            if found == name:
                with archive.open(info) as stream:
                    return _write(stream, name, into, budget)
    raise DataError(f"there is no {name} in it", mend="restore landing from its backup")


def name_inside(source_file: str, member: str) -> str:
    """The path under which a file of a packed one is matched with the profile.

    Args:
        source_file: Path of the packed file in the drop folder.
        member: Path inside the zip; nothing in a gzip, which holds one file.
    """
    whole = PurePosixPath(source_file)
    if member:
        return str(whole.parent / member)
    return str(whole.with_suffix("")) if whole.suffix.lower() == ".gz" else source_file


def is_workbook(path: Path) -> bool:
    """Whether a file is a zip that is read as a document."""
    with path.open("rb") as file:
        start = file.read(512)
    return container(path) == "zip" and _is_document(path, start)


def decoded(name: bytes) -> str:
    """A file's name in the encoding in which systems write it, here Chinese ones; never fails."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("ascii", errors="backslashreplace")


def names_inside(path: Path) -> list[str]:
    """The names that a zip gives its members, without unpacking; none where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [name for name, _ in _entries(archive)]
    except (DataError, OSError, zipfile.BadZipFile, UnicodeError, NotImplementedError):
        return []


def parts(archive: zipfile.ZipFile, limits: Limits) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The parts of a workbook with their content in pieces; each must be used up before the next.

    Raises:
        DataError: they are larger than the limits allow, whatever their headers say. zipfile's own errors, too.
    """
    budget = _Budget(limits.workbook_mb)
    for info in archive.infolist():
        if info.flag_bits & _ENCRYPTED:
            raise _encrypted()
        with archive.open(_unbounded(info)) as stream:
            yield info.filename, budget.pieces(stream)


def open_checked(path: Path, limits: Limits) -> zipfile.ZipFile:
    """A zip whose directory is small enough to be read as a whole.

    Raises:
        DataError: it has more members than ``limits`` allow. BadZipFile: it is none.
    """
    if _directory_size(path) > (limits.members + 1) * _DIRECTORY_PER_MEMBER:
        raise _too_many(limits)
    archive = zipfile.ZipFile(path)
    if len(archive.infolist()) > limits.members:
        archive.close()
        raise _too_many(limits)
    return archive


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Budget:
    """Counts what comes out of a packed file and stops at the limit."""

    def __init__(self, most_mb: int | None = None, ratio: int | None = None, packed: int = 0) -> None:
        self.most_mb, self.ratio, self.packed, self.used = most_mb, ratio, packed, 0

    def pieces(self, stream: _Readable) -> Iterator[bytes]:
        while piece := stream.read(_CHUNK):
            self.used += len(piece)
            if self.most_mb is not None and self.used > self.most_mb * MIB:
                raise DataError(
                    f"unpacked it is larger than {self.most_mb:,} MB",
                    mend="send it in smaller files, or set a higher limit (limits) in the source's profile",
                )
            if self.ratio is not None and self.used > max(_RATIO_COUNTS_FROM, self.ratio * self.packed):
                raise DataError(
                    f"unpacked it is more than {self.ratio} times its size, as only made-up files are",
                    mend="send it unpacked, or set limits: {ratio: ...} in the source's profile",
                )
            yield piece


def _checked_entries(archive: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    if any(info.flag_bits & _ENCRYPTED for info in archive.infolist()):
        raise _encrypted()
    found = list(_entries(archive))
    if not found:
        raise DataError("the archive holds no file", mend="if there is nothing to report, deliver nothing")
    if len({name for name, _ in found}) < len(found):
        raise DataError("a file name stands twice in the archive", mend="pack the files anew, each under its own name")
    return found


def _entries(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Name and entry of every file in a zip. What systems add for themselves is no file of anybody.

    Raises:
        DataError: a name leads out of the archive, or an entry is a link or device.
    """
    for number, info in enumerate(archive.infolist(), start=1):
        name = _name(info)
        kind = stat.S_IFMT(info.external_attr >> 16)
        steps = PurePosixPath(name).parts
        if not steps or name.startswith("/") or ".." in steps or re.match(r"[A-Za-z]:", name) or not name.isprintable():
            raise DataError(
                f"the name of entry {number} leads out of the archive or cannot be written",
                mend="pack the files anew with plain names; nothing of this archive was taken",
            )
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DataError(
                f"entry {number} is a link or a device, no file", mend="pack the files themselves, not links to them"
            )
        if not (name.endswith("/") or kind == stat.S_IFDIR or _is_of_the_system(steps)):
            yield str(PurePosixPath(name)), info


def _is_of_the_system(steps: tuple[str, ...]) -> bool:
    return any(step.startswith(".") or step in _SYSTEM_FILES for step in steps)


def _name(info: zipfile.ZipInfo) -> str:
    """The entry's path. Without the mark for UTF-8 it is in the encoding of the sender's system, here Chinese."""
    name = info.orig_filename
    if not info.flag_bits & _NAME_IS_UTF8:
        name = decoded(name.encode("cp437"))  # as which zipfile took it
    return name.replace("\\", "/")


def _unbounded(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """The entry without its word for its size: it is read to its real end, as other readers do, and then compared."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(
            "the archive is compressed by a method other than deflate", mend="pack it anew with the usual method"
        )
    unbounded = copy.copy(info)
    unbounded.file_size = 2**62
    return unbounded


def _write(stream: _Readable, name: str, path: Path, budget: _Budget) -> Member:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as out:
        for piece in budget.pieces(stream):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
    return Member(name, digest.hexdigest(), size, path)


def _refuse_nested(member: Member) -> None:
    try:
        inner = packing(member.path)
    except DataError:
        inner = "zip"
    if inner:
        raise DataError(
            "there is an archive inside the archive", mend="pack the files once; archives in archives are not opened"
        )


def _is_document(path: Path, start: bytes) -> bool:
    """Whether a zip is a workbook or another document. A damaged one is judged by its first entry."""
    try:
        if _directory_size(path) <= _LARGEST_DIRECTORY:
            with zipfile.ZipFile(path) as archive:
                return any(_plain(name) in _DOCUMENTS for name in archive.NameToInfo)
    except (OSError, zipfile.BadZipFile, UnicodeError, NotImplementedError):
        pass
    return _plain(start[30:].decode("latin-1")).startswith(_FIRST_PARTS)


def _plain(name: str) -> str:
    """A part's name as documents compare it: case does not count, and either slash will do."""
    return name.replace("\\", "/").lstrip("/").lower()


def _directory_size(path: Path) -> int:
    """Bytes of a zip's directory, which zipfile's public door would read as a whole, however long it is."""
    with path.open("rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    return int(end[5]) if end else 0


def _damaged() -> DataError:
    return DataError("the archive is damaged or was cut off", mend="deliver it again, whole")


def _encrypted() -> DataError:
    return DataError("the archive is protected by a password", mend="send it without one")


def _too_many(limits: Limits) -> DataError:
    return DataError(
        f"there are more than {limits.members} files in it",
        mend="send fewer files at once, or set limits: {members: ...} in the source's profile",
    )
