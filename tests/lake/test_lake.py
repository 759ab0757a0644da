"""The rows that hold, found by the lake's SQL, against the model in plain Python: many small histories, no ingest."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dealermart import lake
from dealermart.config import Contract

from .model import File, Held, Key, Kind, Row, deliveries, held

pytestmark = pytest.mark.slow

TIMES = (None, "2026-01-01 08:00:00", "2026-01-02 08:00:00")
FAULTS = ("row", "row", "key")
KINDS = [  # one of them twice: it shall come more often
    Kind("erp", "whole", "snapshot", FAULTS, TIMES),
    Kind("erp", "whole", "snapshot", FAULTS, TIMES),
    Kind("erp", "other_whole", "snapshot", FAULTS, TIMES),
    Kind("lms", "whole", "snapshot", FAULTS, TIMES),
    Kind("crm", "changes", "delta", FAULTS, TIMES),
]


def contract(*, dated: bool, versioned: bool) -> Contract:
    names = ["code", "valid_from", "valid_to", "value", "changed_at"]
    types = {"valid_from": "date", "valid_to": "date", "changed_at": "timestamp"}
    return Contract.model_validate(
        {
            "feed": "things",
            "title": "Things",
            "title_zh": "物",
            "grain": "one row per thing",
            "delivery": "delta",
            "key": ["code", "valid_from"],
            "version": "changed_at" if versioned else None,
            "valid_from": "valid_from",
            "valid_to": "valid_to" if dated else None,
            "columns": [{"name": name, "type": types.get(name, "string"), "description": name} for name in names],
        }
    )


class Lake:
    """Lake files as ingest leaves them, one per delivery, and the log's list of deliveries."""

    def __init__(self, folder: Path, made: Contract) -> None:
        self.folder, self.contract, self.con = folder, made, duckdb.connect()
        self.taken: set[tuple[str, str]] = set()
        self.log: list[dict[str, object]] = []
        self.rows: list[Path] = []
        self.withheld: list[Path] = []

    def load(self, file: File) -> None:
        again = (file.source, file.id) in self.taken
        self.taken.add((file.source, file.id))
        self.log.append(
            {
                "source": file.source,
                "delivery_id": file.id,
                "entry": file.entry,
                "delivery": file.delivery,
                "received": file.day.isoformat(),
                "status": "duplicate" if again else "accepted",
            }
        )
        if again:
            return
        good = [(number, row) for number, row in enumerate(file.rows, 2) if row.fault is None]
        self._write(
            self.rows,
            [
                {
                    "code": row.key[0],
                    "valid_from": row.key[1],
                    "value": row.value,
                    "changed_at": row.version,
                    "_source": file.source,
                    "_delivery_id": file.id,
                    "_row_number": number,
                    "_row_part": 1,
                    "_received_date": file.day.isoformat(),
                    "_is_deleted": row.is_deleted,
                }
                for number, row in good
            ],
        )
        self._write(
            self.withheld,
            [
                {
                    "code": row.key[0] if row.fault == "row" else None,
                    "valid_from": row.key[1],
                    "_source": file.source,
                    "_delivery_id": file.id,
                }
                for row in file.rows
                if row.fault is not None and file.delivery == "snapshot"
            ],
        )

    def _write(self, paths: list[Path], rows: list[dict[str, object]]) -> None:
        if not rows:
            return
        path = self.folder / f"{len(self.rows)}-{len(self.withheld)}-{len(paths)}.parquet"
        columns = {name: kind for name, kind in self.contract.lake_columns.items() if name in rows[0]}
        self.con.execute(
            f"create or replace table rows ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"
        )
        for row in rows:
            self.con.execute(
                f"insert into rows values ({', '.join('?' * len(columns))})", [row[name] for name in columns]
            )
        self.con.execute(f"copy rows to '{path}'")
        paths.append(path)

    @property
    def told(self) -> lake.KnownReceipts:
        return lake.KnownReceipts(lake.receipts_of(self.log), tuple(self.withheld))

    def held(self) -> dict[Key, Held]:
        sql = lake.current_sql(self.contract, self.rows, self.told)
        found = self.con.execute(
            f"select code, cast(valid_from as varchar), value, cast(changed_at as varchar), valid_to from ({sql})"
        ).fetchall()
        assert len({row[:2] for row in found}) == len(found), "one row per key"
        return {
            (code, start): Held(Row((code, start), value, version), gone) for code, start, value, version, gone in found
        }


SEEDS = [range(30), pytest.param(range(60), marks=pytest.mark.soak)]


@pytest.mark.integration  # thirty histories, each a long chain of commits
@pytest.mark.parametrize("seeds", SEEDS, ids=["some", "many"])
@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
def test_any_order_of_files_gives_what_the_model_says(
    tmp_path: Path, dated: bool, versioned: bool, seeds: range
) -> None:
    keys = [("A", "2026-01-01"), ("A", "2026-03-04"), ("B", "2026-01-01"), ("C", "2026-01-01")]
    ended = returned = 0
    for seed in seeds:
        rng = random.Random(seed)
        kinds = KINDS if versioned else [replace(one, versions=(None,)) for one in KINDS]
        files = deliveries(rng, kinds, keys, rng.randint(4, 12))
        model = held(files)
        expected = {
            key: one
            for key, one in model.items()
            if one.gone is None or (dated and one.gone > dt.date.fromisoformat(key[1]))
        }
        for turn in range(2):
            rng.shuffle(files)
            folder = tmp_path / f"{seed}-{turn}"
            folder.mkdir()
            here = Lake(folder, contract(dated=dated, versioned=versioned))
            for file in files:
                here.load(file)
            assert here.held() == expected, f"seed {seed}, order {[(one.entry, one.day.day, one.id) for one in files]}"
        ended += sum(one.gone is not None for one in model.values())
        returned += sum(len([f for f in files if f.id == one.id]) > 1 for one in files)
    assert ended > 4 and returned > 20, "the histories must hold what they are to test"


WHOLE = ("erp", "whole", "snapshot")
ONE, TWO = Row(("A", "2026-01-01"), "a"), Row(("B", "2026-01-01"), "a")


def day(number: int) -> dt.date:
    return dt.date(2026, 3, number)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param([(1, [ONE, TWO]), (3, [ONE])], {"A": None, "B": day(3)}, id="gone on the day of the first without it"),
        pytest.param([(1, [ONE, TWO]), (5, [ONE]), (3, [ONE])], {"A": None, "B": day(3)}, id="a late older one ends it earlier"),
        pytest.param([(1, [ONE, TWO]), (3, [ONE]), (2, [ONE, TWO])], {"A": None, "B": day(3)}, id="a late older one changes nothing else"),
        pytest.param([(1, [ONE, TWO]), (3, [ONE]), (5, [ONE, TWO])], {"A": None, "B": None}, id="back again, the same content as at first"),
        pytest.param([(1, [ONE, TWO]), (3, [ONE]), (3, [TWO])], {"A": None, "B": None}, id="two files of a day are one whole"),
    ],
)  # fmt: skip
def test_what_a_snapshot_lacks_ends(
    tmp_path: Path, files: list[tuple[int, list[Row]]], expected: dict[str, object]
) -> None:
    here = Lake(tmp_path, contract(dated=True, versioned=False))
    for number, rows in files:
        here.load(File(*WHOLE, day(number), tuple(rows)))
    assert {key[0]: one.gone for key, one in here.held().items()} == expected


def test_a_row_in_quarantine_is_no_absence(tmp_path: Path) -> None:
    for name, fault, gone in (("readable", "row", None), ("unreadable", "key", None), ("absent", None, day(3))):
        (tmp_path / name).mkdir()
        here = Lake(tmp_path / name, contract(dated=True, versioned=False))
        here.load(File(*WHOLE, day(1), (ONE, TWO)))
        here.load(File(*WHOLE, day(3), (ONE, Row(TWO.key, "b", fault=fault)) if fault else (ONE,)))
        assert {key[0]: one.gone for key, one in here.held().items()} == {"A": None, "B": gone}, name


def test_a_source_ends_only_what_it_said_itself(tmp_path: Path) -> None:
    here = Lake(tmp_path, contract(dated=True, versioned=False))
    here.load(File(*WHOLE, day(1), (ONE, TWO)))
    here.load(File("crm", "changes", "delta", day(2), (Row(TWO.key, "b"),)))
    here.load(File(*WHOLE, day(3), (ONE,)))
    assert {key[0]: (one.row.value, one.gone) for key, one in here.held().items()} == {
        "A": ("a", None),
        "B": ("b", None),
    }


def test_what_changes_by_a_repeat_is_told(tmp_path: Path) -> None:
    here = Lake(tmp_path, contract(dated=True, versioned=False))
    first, other = File(*WHOLE, day(1), (ONE, TWO)), File(*WHOLE, day(3), (ONE,))
    change = File("crm", "changes", "delta", day(4), (Row(TWO.key, "b"),))
    for file in (first, other, change):
        here.load(file)
    before = here.told
    here.load(File(*WHOLE, day(3), (ONE,)))
    here.load(File("crm", "changes", "delta", day(6), change.rows))
    assert here.told.changes(before) == set(), "a day that was told already, and a later receipt of a change"
    here.load(File(*WHOLE, day(5), first.rows))
    assert here.told.changes(before) == {("erp", first.id), ("erp", other.id)}
    here.load(File("crm", "changes", "delta", day(2), change.rows))
    assert here.told.changes(before) == {("erp", first.id), ("erp", other.id), ("crm", change.id)}
