"""The airflow DAG that writes a quarter's review for people: the workbook for HR, and the packs."""

from datetime import datetime

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from care import care, note


@dag(
    schedule=None,
    start_date=datetime(2020, 1, 1),
    catchup=False,
    max_active_runs=1,
    params={
        "period": Param(type="string", pattern=r"^\d{4}-Q[1-4]$", title="Quarter", description="Such as 2026-Q3"),
        "version": Param(None, type=["null", "string"], title="Frozen version", description="V1; empty: as published"),
        "languages": Param(["en", "zh"], type="array", items={"enum": ["en", "zh"]}, title="Languages"),
        "pay": Param(False, type="boolean", title="With a sheet of pay in the workbook"),
        "packs": Param(True, type="boolean", title="A page per member and per team besides"),
        "pdf": Param(False, type="boolean", title="A PDF beside each page; needs Chromium"),
    },
    **care("review_documents", "review"),
)
def review_documents():
    @task
    def workbook(params, ti) -> list:
        """Writes the workbook for HR, one for each language."""
        from dealermart import base, publish, review

        config = base.load_settings()
        copy = config.published / "hr" / publish.FILE
        wanted = [review.Wanted(language, params["pay"], params["version"] or "") for language in params["languages"]]
        done = [review.pull(config, copy, params["period"], each) for each in wanted]
        note(config, ti, *(f"{each.path}: {sum(each.rows.values()):,} rows" for each in done))
        return [str(each.path) for each in done]

    @task
    def packs(params, ti) -> dict:
        """Writes a page per member and per team, into the folder of who may read it."""
        from dealermart import base, publish, review

        if not params["packs"]:
            raise AirflowSkipException("the form asks for no packs")
        config = base.load_settings()
        copy, counted = config.published / "hr" / publish.FILE, {}
        for language in params["languages"]:
            wanted = review.Packs(language, everybody=True, pdf=params["pdf"], version=params["version"] or "")
            done = review.pack(config, copy, params["period"], wanted, print)
            counted[language] = {"members": len(done.members), "teams": len(done.teams)}
        note(
            config, ti, *(f"{name}: {many['members']} members, {many['teams']} teams" for name, many in counted.items())
        )
        return counted

    workbook() >> packs()


review_documents_dag = review_documents()
