"""How large a delivered file may get: part of a source's profile."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dealermart.config.yamlfile import Strict

MIB = 1024 * 1024


class Limits(Strict):
    """What a packed file or a workbook of a source may grow to. The profile may say other numbers under ``limits``."""

    members: Annotated[int, Field(ge=1)] = 1_000
    """Files in a zip, parts of a workbook."""

    unpacked_mb: Annotated[int, Field(ge=1)] = 4_096
    """All members of a packed file together."""

    ratio: Annotated[int, Field(ge=1)] = 200
    """Unpacked size to packed size, above 16 MB. Deflate reaches 1,032; tables of text stay below 50."""

    workbook_mb: Annotated[int, Field(ge=1)] = 1_024
    """The unpacked parts of a workbook, and apart from that the text of all its cells."""

    cells: Annotated[int, Field(ge=1)] = 20_000_000
    """Cells of a sheet, empty ones between the first and the last included: a reader makes them all."""
