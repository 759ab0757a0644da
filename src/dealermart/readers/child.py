"""The process that ``apart`` starts: ``python -m dealermart.readers.child WIRE`` reads the files that it is told.

Its memory is bounded, whatever a damaged file asks for. A request is a list in JSON: what, path and arguments; an
answer is a number of parts, and how it ended.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dealermart.base import DataError
from dealermart.readers.archives import container
from dealermart.readers.cells import new_sheet_of
from dealermart.readers.parquets import taste
from dealermart.readers.xls import old_sheet_of

_MOST_MEMORY = 4 * 1024**3

_ROWS = 1000


def _sheet(path: str, name: str | None) -> Iterator[Any]:
    """A sheet: first what there is to know of it, then its rows."""
    kind = container(Path(path))
    if kind is None:
        raise ValueError(kind)
    sheet = (new_sheet_of if kind == "zip" else old_sheet_of)(Path(path), name)
    yield sheet.about()
    while rows := list(islice(sheet.rows, _ROWS)):
        yield rows


def _parquet(path: str, threads: int, memory: str) -> Iterator[Any]:
    taste(Path(path), threads, memory)
    yield from ()


DOES: dict[str, Callable[..., Iterator[Any]]] = {"sheet": _sheet, "parquet": _parquet}


def main(wire: Connection) -> None:
    """Serve until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            what, *arguments = json.loads(wire.recv_bytes())
        except EOFError:
            return
        answer = ["end"]
        try:
            for part in DOES[what](*arguments):
                wire.send_bytes(json.dumps(["part", part]).encode())
        except DataError as error:
            answer = ["refused", error.what, error.mend]
        except MemoryError:
            os._exit(1)  # what is left of it in the process would count against the next file
        except BrokenPipeError:
            return
        except BaseException:  # whatever a damaged file makes a library raise; Rust's panics are no Exception
            answer = ["failed"]
        wire.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as wire_:
        main(wire_)
