"""Archives, workbooks and Parquet for tests, good ones and hostile ones, made byte by byte where no library would make them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

CONTENT_TYPES = "[Content_Types].xml"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name) if name.endswith("/") else name, content)
    return out.getvalue()


def linked(name: str, target: bytes) -> bytes:
    """A zip with a symbolic link in it, as Unix writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, target)
    return out.getvalue()


def encrypted(content: bytes) -> bytes:
    """The zip with the bit that says that its first entry is encrypted set, in both headers."""
    archive = bytearray(content)
    archive[6] |= 1
    archive[archive.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(archive)


def workbook(sheet: str, strings: str = "", more: Mapping[str, bytes] | None = None) -> bytes:
    """An xlsx with the given inside of ``sheetData`` and of the list of shared texts."""
    parts = {
        CONTENT_TYPES: f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        STRINGS: f'<sst xmlns="{_SPREADSHEET}">{strings}</sst>',
        SHEET: f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    return zipped({name: text.encode() for name, text in parts.items()} | dict(more or {}))


def said_to_be_encrypted(content: bytes) -> bytes:
    """A Parquet file with word of a key at its only column of texts, and none of an algorithm in the footer: the engine gives itself up."""
    end = b"\x11\x11\x00\x00\x00\x16"  # of the column's statistics, what is known of it, and the column
    assert content.count(end) == 1
    length = struct.unpack("<I", content[-8:-4])[0] + 4
    return content[:-8].replace(end, end[:4] + b"\x5c\x1c\x00\x00" + end[4:]) + struct.pack("<I", length) + b"PAR1"
