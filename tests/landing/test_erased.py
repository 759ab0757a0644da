"""What is put back of erased rows when a batch is repeated."""

from __future__ import annotations

from pathlib import Path

from dealermart import landing
from dealermart.base import Settings, workspace
from dealermart.config import load_contracts

ROWS, ERASED = 400_000, 250_000


def test_rows_keep_their_places_after_erased_ones_were_put_back(settings: Settings, tmp_path: Path) -> None:
    """A batch's rows are numbered by their places in the table. The engine moves rows of a table from which some were
    deleted when it makes a checkpoint, and it makes one when other tables have grown."""
    contract = load_contracts(settings)["team_members"]
    path = tmp_path / "mapped.parquet"
    with workspace(settings, "run", tmp_path) as (con, _):
        texts = {column.name: "'x' || i" for column in contract.columns if column.type == "string"}
        values = ", ".join(
            f"cast({texts.get(column.name, 'null')} as {column.sql_type}) as {column.name}"
            for column in contract.columns
        )
        con.execute(f"""
            create table mapped_member_file__rows as
            select {values}, 'd' as _delivery_id, cast(i + 2 as bigint) as _row_number, 1 as _row_part,
                cast(null as varchar) as _reject_reason, cast(null as varchar) as _structural, false as _is_deleted,
                cast(i as ubigint) as _row_hash
            from range({ROWS}) as made(i);
            create view mapped_member_file as select *, rowid as _place from mapped_member_file__rows
        """)
        con.execute(f"""
            copy (
                select * exclude (_row_hash, _place), cast(1 as ubigint) as {landing.ERASED_HASH} from mapped_member_file
                where _row_number < {ERASED} + 2
            ) to '{path}'
        """)
        landing.restore_erased(con, "mapped_member_file", contract, [path])
        con.execute("create table before as select _place as place, _row_number from mapped_member_file")
        con.execute("create table other (text varchar)")
        for _ in range(20):
            con.execute("insert into other select 'a text that is not short ' || i from range(20000) as made(i)")
        con.execute("checkpoint")
        moved = con.execute("""
            select count(*), count(*) filter (m._row_number <> b._row_number), count(distinct m._place)
            from before as b left join mapped_member_file as m on m._place = b.place
        """).fetchall()
        counts = con.execute(
            f"select count(*), count({landing.ERASED_HASH}), count(_row_hash) from mapped_member_file"
        ).fetchall()
    assert moved == [(ROWS, 0, ROWS)]
    assert counts == [(ROWS, ERASED, ROWS - ERASED)]
