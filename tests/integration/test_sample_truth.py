"""The marts of the sample company hold against its truth.

The warehouse is built as in real life: once from the first load, then from what arrived later, so that corrections,
late files, corrected rates and backdated transfers reach the marts through the months that they make dirty.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from tests.publish.conftest import running
from tests.sample_company import ingested

from dealermart import publish, warehouse
from dealermart.base import REPO, Settings
from dealermart.config import load_contracts
from dealermart.upkeep import Wanted
from dealermart.upkeep.erasure.run import erase

pytestmark = pytest.mark.integration

PERIOD = "2026-M09"


@dataclass(frozen=True)
class Built:
    con: duckdb.DuckDBPyConnection
    truth: dict[str, Any]
    later: warehouse.BuildResult
    settings: Settings  # of the home that was built
    home: Path  # with landing and quarantine
    marts: dict[str, list[tuple[Any, ...]]]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def kpi(self, subject_type: str, kpi_code: str, column: str = "value") -> dict[tuple[str, str], Any]:
        """(quarter, subject) -> the measured values of a KPI."""
        rows = self.con.execute(
            f"select period_id, subject_id, {column} from marts.mart_kpi__subject_period"
            " where period_type = 'quarter' and subject_type = $type and kpi_code = $code"
            f" and period_start >= date '2023-10-01' and {column} is not null",
            {"type": subject_type, "code": kpi_code},
        ).fetchall()
        return {(period, subject): value for period, subject, value in rows}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    home = ingested.run(tmp_path_factory.getbasetemp())
    settings = Settings(home=tmp_path_factory.mktemp("built") / "home")
    shutil.copytree(home.first, settings.home)
    warehouse.run(settings, period=PERIOD)
    for folder in ("log", "lake"):
        shutil.copytree(home.settings.home / folder, settings.home / folder, dirs_exist_ok=True)
    later = warehouse.run(settings, period=PERIOD)
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        yield Built(con, home.truth, later, settings, home.settings.home, _marts(settings.warehouse))


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The columns of a mart, without what is about the run."""
    found = con.execute(f"describe marts.{table}").fetchall()
    return [name for name, *_ in found if name not in ("_run_id", "_ingested_at", "_row_hash")]


def _marts(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of every mart."""
    with duckdb.connect(str(path), read_only=True) as con:
        names = con.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1").fetchall()
        return {
            name: con.execute(f"select {', '.join(_columns(con, name))} from marts.{name}").fetchall()
            for (name,) in names
        }


def test_every_figure_stands_when_a_member_is_erased(built: Built, tmp_path: Path) -> None:
    """A seller with sales, targets, reviews and pay, and with codes of the CRM and the learning system."""
    settings = Settings(home=tmp_path / "home")
    for folder in ("log", "lake", "quarantine", "landing"):
        shutil.copytree(built.home / folder, settings.home / folder)
    result = erase(settings, Wanted("M003"), "data protection", "request 7")
    assert {"targets", "team_members", "id_links"} <= set(result.rows)
    path = warehouse.run(settings, period=PERIOD).warehouse
    assert path is not None
    before, after = built.marts, _marts(path)
    ((token,),) = {(row[0],) for row in after["dim_member"] if str(row[0]).startswith("erased-")}
    place = _columns(built.con, "dim_member").index("member_name")
    ((named,),) = {(row[place],) for row in after["dim_member"] if row[0] == token}
    assert named.startswith("erased-")
    personal = {
        column.name
        for contract in load_contracts(settings).values()
        for column in contract.columns
        if column.pii != "none" and not column.person
    }
    columns = {table: _columns(built.con, table) for table in before}
    described = {
        table: [place for place, name in enumerate(names) if name in personal] for table, names in columns.items()
    }

    def users(marts: dict[str, list[tuple[Any, ...]]], member: str) -> dict[str, str]:
        """The user of each CRM who stands for the member."""
        names = columns["fct_opportunity"]
        system, user, who = (names.index(name) for name in ("crm_system", "owner_user_id", "member_id"))
        return {row[system]: row[user] for row in marts["fct_opportunity"] if row[who] == member}

    erased = users(after, token)
    codes = {"M003": token} | {user: erased[system] for system, user in users(before, "M003").items()}
    assert len(codes) > 1 and not set(codes) & set(codes.values())

    def same(table: str, rows: list[tuple[Any, ...]]) -> list[str]:
        told = []
        for row in rows:
            values = list(row)
            for code, instead in codes.items():
                values = [one.replace(code, instead) if isinstance(one, str) else one for one in values]
            if token in values:  # what describes people is emptied in rows that name the member
                for place in described.get(table, ()):
                    values[place] = None
                names = columns[table]
                subject = next((name for name in ("subject_id", "member_id") if name in names), None)
                if subject and "subject_name" in names and values[names.index(subject)] == token:
                    # A member must have a name: a code of its own stands for it, the same in every mart.
                    place = names.index("subject_name")
                    assert rows is not after[table] or values[place] == named
                    values[place] = None
            told.append(repr(values))
        return sorted(told)

    assert before.keys() == after.keys()
    # What people state of themselves is erased with them, and so leaves the comparison by it.
    place = columns["mart_review__fairness"].index("dimension")
    for marts in (before, after):
        kept = [row for row in marts["mart_review__fairness"] if row[place] != "gender"]
        assert kept
        marts["mart_review__fairness"] = kept
    for table, rows in before.items():
        assert same(table, after[table]) == same(table, rows), table


def _rounded(value: Decimal, places: str = "0.01") -> str:
    return f"{value.quantize(Decimal(places), ROUND_HALF_UP)}"


def _flat(nested: dict[str, dict[str, Any]]) -> dict[tuple[str, str], Any]:
    return {(outer, inner): value for outer, by_inner in nested.items() for inner, value in by_inner.items()}


def test_the_second_build_redid_only_some_months(built: Built) -> None:
    assert not built.later.skipped
    assert not built.later.full


def test_sale_lines_and_net_amount_by_currency(built: Built) -> None:
    sales = built.truth["sales"]
    assert built.rows("select count(*) from marts.fct_sale_line") == [(sales["current_lines"],)]
    rows = built.rows(
        "select currency_code, cast(sum(net_amount) as decimal(18, 2)) from marts.fct_sale_line group by all"
    )
    assert {code: f"{amount}" for code, amount in rows} == sales["net_amount_by_currency"]


def test_staging_holds_every_accepted_row_and_every_repeat(built: Built) -> None:
    totals = built.truth["totals"]
    sql = " union all ".join(
        f"select '{feed}', count(*) filter (not _is_repeat), count(*) filter (_is_repeat) from staging.stg_{feed}"
        for feed in totals
    )
    assert {feed: (accepted, repeats) for feed, accepted, repeats in built.rows(sql)} == {
        feed: (one["accepted"] + one["taken_up"], one["duplicate"]) for feed, one in totals.items()
    }


def test_answers_about_how_teams_feel_are_not_in_what_bi_reads(built: Built) -> None:
    assert built.rows("select count(*) > 0 from staging.stg_survey_responses where survey = 'team_pulse'") == [(True,)]
    assert built.rows("select count(*) from marts.fct_survey_response where survey = 'team_pulse'") == [(0,)]


@pytest.mark.parametrize(
    ("kpi_code", "name"), [("net_revenue", "net_revenue"), ("gross_margin_amount", "gross_margin")], ids=lambda x: x
)
def test_company_by_quarter(built: Built, kpi_code: str, name: str) -> None:
    found = {quarter: _rounded(value) for (quarter, _), value in built.kpi("company", kpi_code).items()}
    assert found == {quarter: figures[name] for quarter, figures in built.truth["sales"]["by_quarter"].items()}


def test_regions_by_quarter(built: Built) -> None:
    found = {key: _rounded(value) for key, value in built.kpi("region", "net_revenue").items()}
    assert found == _flat(built.truth["sales"]["net_revenue_by_region"])


def test_members_by_quarter(built: Built) -> None:
    """A member of the population without a sale has 0; everyone else has what the truth says."""
    truth = _flat(built.truth["sales"]["net_revenue_by_member"])
    found = {key: _rounded(value) for key, value in built.kpi("member", "net_revenue").items()}
    assert {key: value for key, value in found.items() if key in truth} == truth
    assert {value for key, value in found.items() if key not in truth} <= {"0.00"}


def test_attainment_by_member_and_quarter(built: Built) -> None:
    truth = _flat(built.truth["attainment"])
    found = {key: _rounded(value, "0.00000001") for key, value in built.kpi("member", "attainment_pct").items()}
    assert found == {key: one["attainment"] for key, one in truth.items() if one["attainment"] is not None}


def test_attainment_of_a_zero_target_is_missing_with_a_reason(built: Built) -> None:
    member = built.truth["events"]["target_edges"]["zero_target"]
    rows = built.con.execute(
        "select value, status, status_reason is not null from marts.mart_kpi__subject_period"
        " where subject_type = 'member' and subject_id = $member"
        " and period_id = '2025-Q3' and kpi_code = 'attainment_pct'",
        {"member": member},
    ).fetchall()
    assert rows == [(None, "undefined", True)]


def test_targets_on_their_own_windows(built: Built) -> None:
    assert built.rows("select count(*) from marts.mart_kpi__target_window") == [(built.truth["targets"]["current"],)]
    rows = built.rows(
        "select strftime(valid_from, '%Y-%m'), subject_id, actual_value from marts.mart_kpi__target_window"
        " where subject_type = 'region' and product_category = 'E-Bikes'"
    )
    truth = _flat(built.truth["sales"]["ebikes_at_plan_rate_by_month_and_region"])
    assert len(rows) >= len(truth)
    found = {(month, region): _rounded(actual) for month, region, actual in rows}
    assert {key: found[key] for key in truth} == truth
    assert {value for key, value in found.items() if key not in truth} <= {"0.00"}


@pytest.mark.parametrize(("column", "name"), [("numerator", "completed"), ("denominator", "due")], ids=lambda x: x)
def test_training_completion_by_quarter(built: Built, column: str, name: str) -> None:
    truth = built.truth["training"]["by_quarter"]
    company = {
        quarter: int(value) for (quarter, _), value in built.kpi("company", "training_completion_pct", column).items()
    }
    assert company == {quarter: one["members"][name] + one["dealers"][name] for quarter, one in truth.items()}
    for subject_type, population in (("member", "members"), ("dealer", "dealers")):
        sums = dict.fromkeys(truth, 0)
        for (quarter, _), value in built.kpi(subject_type, "training_completion_pct", column).items():
            sums[quarter] += int(value)
        assert sums == {quarter: one[population][name] for quarter, one in truth.items()}


@pytest.mark.parametrize(
    ("column", "name"),
    [("numerator", "top_two"), ("denominator", "answered"), ("sample_size", "answered")],
    ids=lambda x: x,
)
def test_csat_by_quarter(built: Built, column: str, name: str) -> None:
    truth = built.truth["csat"]
    company = {quarter: int(value) for (quarter, _), value in built.kpi("company", "csat_pct", column).items()}
    assert company == {quarter: one[name] for quarter, one in truth["by_quarter"].items()}
    members = {key: int(value) for key, value in built.kpi("member", "csat_pct", column).items() if value}
    assert members == {key: one[name] for key, one in _flat(truth["by_member"]).items() if one[name]}


def test_pay_to_the_cent(built: Built) -> None:
    """Every line that pays something, and no other: commission, what later returns take back, bonus, adjustments."""
    truth: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for (quarter, member), paid in _flat(built.truth["pay"]).items():
        for line in paid["lines"]:
            key = (quarter, member, line["component"], line["kind"], line["band_no"], line["earned_for"])
            truth[key] += Decimal(line["amount"])
    rows = built.rows(
        "select period_id, payee_id, component_id, line_kind, band_no,"
        " case when line_kind = 'earned' and line_detail like '% %' then split_part(line_detail, ' ', 2) else period_id end,"
        " sum(amount) from marts.mart_incentive__statement_line"
        " where scenario_id = 'paid' and amount <> 0 and period_id >= '2025-Q4' group by all"
    )
    found = {tuple(key): amount for *key, amount in rows}
    kinds = {kind for _, _, _, kind, _, _ in truth}
    assert kinds == {"earned", "reversal", "adjustment"}
    assert any(quarter != earned_for for quarter, *_, earned_for in truth), "no bonus is taken back"
    assert found == truth


def test_statements_add_up_to_the_truth(built: Built) -> None:
    truth = {key: paid["amount"] for key, paid in _flat(built.truth["pay"]).items()}
    rows = built.rows(
        "select period_id, payee_id, sum(amount) from marts.mart_incentive__statement"
        " where scenario_id = 'paid' and amount <> 0 and period_id >= '2025-Q4' group by all"
    )
    found = {(quarter, member): f"{amount}" for quarter, member, amount in rows}
    assert found == {key: amount for key, amount in truth.items() if Decimal(amount)}


def test_a_transfer_inside_a_quarter_credits_each_owner_for_their_days(built: Built) -> None:
    transfer = built.truth["events"]["transfer"]
    rows = built.con.execute(
        "select line.transaction_id, line.line_no, line.sale_date, concat(credit.member_id, ' ', credit.credit_role),"
        " cast(line.net_amount * credit.credit_pct * 0.01 as decimal(18, 4))"
        " from marts.fct_sale_line as line"
        " join intermediate.int_credit__sale_line as credit using (transaction_id, line_no)"
        " join marts.dim_period as period on period.period_id = $quarter"
        "  and line.sale_date >= period.period_start and line.sale_date < period.period_end"
        " where line.dealer_id = $dealer order by line.sale_date, line.transaction_id, line.line_no",
        {"quarter": transfer["quarter"], "dealer": transfer["dealer_id"]},
    ).fetchall()
    found = [(document, str(line), day.isoformat(), who, f"{net}") for document, line, day, who, net in rows]
    names = ("transaction_id", "line_no", "sale_date", "credited", "net_amount")
    assert found == [tuple(one[name] for name in names) for one in transfer["sale_lines"]]


def test_dealers_without_sales_are_there(built: Built) -> None:
    masters = built.truth["masters"]
    assert built.rows("select count(distinct dealer_id) from marts.dim_dealer") == [(masters["dealers"],)]
    assert built.rows("select count(distinct member_id) from marts.dim_member") == [(masters["members"],)]
    rows = built.rows(
        "select dealer_id from marts.dim_dealer"
        " where dealer_id not in (select dealer_id from marts.fct_sale_line) group by all"
    )
    assert sorted(dealer for (dealer,) in rows) == masters["dealers_without_sales"]


def test_every_planted_kpi_has_its_figure(built: Built) -> None:
    """Computed by the sample's maker from its own objects; months and quarters, the company and those below it."""
    found = {
        (code, period, subject_type, subject): None if value is None else f"{value:f}"
        for table in ("mart_kpi__subject_period", "mart_kpi__subject_period_hr")
        for code, period, subject_type, subject, value in built.rows(
            f"select kpi_code, period_id, subject_type, subject_id, value from marts.{table}"
        )
    }
    wrong: dict[str, list[str]] = {}
    for row in built.truth["kpis"]:
        key = row["kpi"], row["period"], row["subject_type"], row["subject"]
        if found.get(key) != row["value"]:
            wrong.setdefault(row["kpi"], []).append(f"{key[1:]}: {found.get(key)}, not {row['value']}")
    assert {code: (len(rows), rows[:5]) for code, rows in wrong.items()} == {}
    planted = {row["kpi"] for row in built.truth["kpis"]}
    assert {code for (code,) in built.rows("select kpi_code from marts.dim_kpi")} == planted


RESULT = (
    "kpi_score", "self_score", "manager_score", "peers_score", "dealers_score", "scored_weight_pct", "total_score",
    "final_score", "final_rating", "missing_parts", "rank_in_role",
)  # fmt: skip


def test_every_sellers_review_comes_out_as_reckoned_apart(built: Built) -> None:
    """Part scores, total, what appeals moved, rating and place, of the quarters before and after the planted people."""
    rows = built.rows(
        f"select period_id, member_id, {', '.join(RESULT)} from marts.mart_review__member_quarter"
        " where role = 'sales' and period_id between '2026-Q1' and '2026-Q3'"
    )
    found = {
        (quarter, member): {
            name: f"{value:.4f}" if isinstance(value, Decimal) else value
            for name, value in zip(RESULT, values, strict=True)
        }
        for quarter, member, *values in rows
    }
    assert found == _flat(built.truth["reviews"]["results"])
    assert sum(one["final_score"] is not None for one in found.values()) > 10


def test_the_star_is_praised_by_enough_peers_and_first_in_the_role(built: Built) -> None:
    star = built.truth["reviews"]["people"]["star"]
    results = built.truth["reviews"]["results"]["2026-Q2"]
    assert results[star]["rank_in_role"] == 1
    assert results[star]["peers_score"] == results[star]["manager_score"] == "100.0000"
    assert built.rows(
        "select box.potential_score, box.box >= 8, result.rank_in_role, result.missing_parts from marts.mart_review__nine_box as box"
        " join marts.mart_review__member_quarter as result using (member_id, period_id)"
        f" where member_id = '{star}' and period_id = '2026-Q2'"
    ) == [(Decimal(100), True, 1, "dealers")]
    assert built.rows(
        "select count(*) > 0, bool_and(rater_id is null) from marts.mart_review__input"
        f" where member_id = '{star}' and part = 'peers' and status = 'counted'"
    ) == [(True, True)]


def test_the_struggling_newcomer_is_due_from_the_first_day(built: Built) -> None:
    newcomer = built.truth["reviews"]["people"]["newcomer"]
    rows = built.rows(
        "select period_id, is_newcomer, employed_days, missing_parts, previous_score from marts.mart_review__member_quarter"
        f" where member_id = '{newcomer}' order by period_id"
    )
    assert rows == [("2026-Q3", True, 80, "peers, dealers", None)]
    result = built.truth["reviews"]["results"]["2026-Q3"][newcomer]
    assert (result["manager_score"], result["final_rating"]) == ("0.0000", "partly_meets")


def test_the_lenient_manager_is_flagged_and_no_score_is_changed(built: Built) -> None:
    manager = built.truth["reviews"]["people"]["lenient_manager"]
    rows = built.rows(
        "select period_id, mean_score, leniency_ci_low > 0, is_own_team_only, status from marts.mart_review__rater"
        f" where rater_type = 'manager' and rater_id = '{manager}' order by period_id"
    )
    assert rows == [(quarter, Decimal(100), True, True, "lenient") for quarter in ("2026-Q1", "2026-Q2")]
    assert {status for (status,) in built.rows("select status from marts.mart_review__rater")} >= {
        "lenient",
        "small_sample",
    }
    proposed = built.rows(
        "select bool_and(current_score = total_score), bool_and(proposed_score < total_score), count(*) > 2"
        " from marts.mart_review__calibration_proposal join marts.mart_review__member_quarter using (member_id, period_id)"
        f" where proposal = 'lenient_manager' and rater_id = '{manager}'"
    )
    assert proposed == [(True, True, True)]


def test_the_upheld_appeal_keeps_both_scores(built: Built) -> None:
    member = built.truth["reviews"]["people"]["upheld_appeal"]
    result = built.truth["reviews"]["results"]["2026-Q2"][member]
    assert result["final_score"] > result["total_score"]
    assert built.rows(
        "select outcome, is_applied, score_after, total_score, final_score, status from marts.mart_review__appeal"
        f" where member_id = '{member}' and period_id = '2026-Q2'"
    ) == [("granted", True, Decimal(100), Decimal(result["total_score"]), Decimal(result["final_score"]), "decided")]


def test_a_missing_self_assessment_is_named_and_the_rest_counts(built: Built) -> None:
    member = built.truth["reviews"]["people"]["missing_self"]
    assert built.rows(
        "select result.self_score, result.missing_parts, result.status, timeline.self_status, timeline.manager_status"
        " from marts.mart_review__member_quarter as result"
        " join marts.mart_review__timeline as timeline using (member_id, period_id)"
        f" where member_id = '{member}' and period_id = '2026-Q2'"
    ) == [(None, "self, peers, dealers", "rated", "missing", "given")]


def test_every_question_of_an_analyst_is_one_select_on_what_bi_reads(built: Built, tmp_path: Path) -> None:
    """The selects of docs/bi.md: at most ten lines each, names in the result, the same rows from PostgreSQL and DuckDB."""
    text = (REPO / "docs" / "bi.md").read_text("utf-8")
    questions = re.findall(r"^### (\d+)\. [^\n]*\n```sql\n(.*?)\n```", text, flags=re.MULTILINE | re.DOTALL)
    assert [int(number) for number, _ in questions] == list(range(1, 13))
    found: dict[int, list[dict[str, Any]]] = {}
    with running(tmp_path) as server:
        publish.run(replace(built.settings, postgres=server.url()))
        with (
            duckdb.connect(str(built.settings.published / "bi" / publish.FILE), read_only=True) as files,
            psycopg.connect(server.url(), options="-c search_path=bi") as postgres,
        ):
            for number, select in ((int(number), select) for number, select in questions):
                assert len(select.splitlines()) <= 10, number
                cursor = postgres.execute(select)  # type: ignore[arg-type]
                names = [column.name for column in cursor.description or ()]
                found[number] = [dict(zip(names, row, strict=True)) for row in cursor]
                again = [dict(zip(names, row, strict=True)) for row in files.execute(select).fetchall()]
                assert sorted(map(_plain, found[number])) == sorted(map(_plain, again)), number
                assert any(isinstance(value, str) for value in found[number][0].values()), number
    empty = {
        (number, name) for number, rows in found.items() for name in rows[0] if all(row[name] is None for row in rows)
    }
    # The sample sets targets for members and teams, not for dealers, and nothing of the tenth lacks a value.
    assert empty == {(1, "target_value"), (1, "attainment_actual"), (1, "attainment"), (10, "status_reason")}
    _answers(built, found)


def _plain(row: dict[str, Any]) -> tuple[str, ...]:
    """A row as text, numbers as far as both engines reckon them."""
    return tuple(
        f"{float(value):.7g}" if isinstance(value, int | float | Decimal) else str(value) for value in row.values()
    )


def _answers(built: Built, found: dict[int, list[dict[str, Any]]]) -> None:
    """Some of the answers, by the truth of the sample's maker or reckoned from sale lines here."""
    truth = {
        (row["kpi"], row["period"], row["subject_type"], row["subject"]): row["value"] for row in built.truth["kpis"]
    }
    overdue = sum(row["overdue_amount"] for row in found[12])
    assert f"{overdue:.8f}" == truth["overdue_amount", PERIOD, "company", "company"]
    nps = {row["period_id"]: row["nps"] for row in found[9]}
    for quarter in ("2026-Q1", "2026-Q2"):
        assert f"{nps[quarter]:f}" == truth["nps", quarter, "company", "company"]
    sold: dict[str, Decimal] = defaultdict(Decimal)
    for dealer, amount in built.rows(
        "select dealer_id, net_amount_reporting from marts.fct_sale_line"
        " where channel is distinct from 'sell_out' and sale_date between date '2026-07-01' and date '2026-09-30'"
    ):
        sold[dealer] += amount
    bought = sorted((amount for amount in sold.values() if amount > 0), reverse=True)
    ((name,),) = built.rows(
        "select distinct subject_name from marts.mart_kpi__subject_period where subject_type = 'company'"
    )
    (company,) = (row for row in found[6] if row["area"] == name)
    assert abs(company["share_of_the_five_largest"] - sum(bought[:5]) / sum(bought)) < Decimal("0.00000001")
    squares = sum((amount / sum(bought)) ** 2 for amount in bought)
    assert abs(company["dealer_hhi"] - 10_000 * squares) < 1


def test_an_older_version_received_last_does_not_win(built: Built) -> None:
    records = built.truth["training"]["old_versions"]
    rows = built.con.execute(
        "select record_id from marts.fct_training_record"
        " where record_id in (select unnest($records)) and completed_date is not null",
        {"records": records},
    ).fetchall()
    assert sorted(record for (record,) in rows) == sorted(records)
    assert records


def test_a_correction_holds_and_is_counted_once(built: Built) -> None:
    corrections = built.truth["events"]["corrections"]
    rows = built.con.execute(
        "select transaction_id, line_no, net_amount, sale_date from marts.fct_sale_line"
        " where transaction_id in (select unnest($documents))",
        {"documents": [one["transaction_id"] for one in corrections]},
    ).fetchall()
    found = {(document, str(line)): (_rounded(net), day.isoformat()) for document, line, net, day in rows}
    assert len(found) == len(rows)
    for one in corrections:
        assert found[one["transaction_id"], one["line_no"]] == (one["net_amount"], one["sale_date"])
