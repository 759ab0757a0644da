"""What is wrong at a moment, found in run log, lake and profiles; nothing is changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from dealermart import ingest, lake, warehouse
from dealermart.alerts.finding import Alert
from dealermart.base import WRONG_USAGE, DealermartError, Settings, read_runs, utc_now
from dealermart.config import Alerts, load_contracts, load_profile, source_names
from dealermart.lake import Log

# What is older was seen, or nobody needs it any more.
FORGOTTEN = dt.timedelta(days=7)

# A held lock and a broken network are tried again by Airflow; only what stays so is told.
RETRIED, PATIENCE = ("LockError", "FetchError"), dt.timedelta(minutes=30)

_NAMED = 5

Run = dict[str, Any]


def find(settings: Settings, rules: Alerts, now: dt.datetime | None = None) -> list[Alert]:
    """Every alert that holds now, in the order of the kinds.

    Args:
        now: In UTC, without zone; default the present moment.

    Raises:
        DealermartError: log or lake cannot be read.
    """
    now = now or utc_now()
    runs = [run for run in read_runs(settings) if run["status"] not in (WRONG_USAGE, "unreadable")]
    log = lake.read(settings)
    return [
        *_failed(settings, runs, now),
        *_late_files(settings, log, now),
        *_unbalanced(log),
        *_behind(settings, runs, rules, now),
        *_missing(settings, runs, rules, now),
    ]


def _began(run: Run) -> dt.datetime:
    return dt.datetime.fromisoformat(run["started_at"])


def _ended(run: Run) -> dt.datetime:
    return dt.datetime.fromisoformat(run.get("ended_at") or run["started_at"])


def _matter(run: Run) -> tuple[str, ...]:
    """Runs of one matter: the next that ends well mends those before it."""
    if run["command"] != "ingest":
        return (run["command"],)
    return "ingest", run["arguments"].get("source", ""), run["arguments"].get("received", "")


def _what(run: Run) -> str:
    return " ".join(part for part in _matter(run) if part)


def _failed(settings: Settings, runs: list[Run], now: dt.datetime) -> Iterator[Alert]:
    """The last run of a matter, where it failed, was killed or refused files."""
    latest = {_matter(run): run for run in runs}
    for run in latest.values():
        ended, refused = _ended(run), run.get("refused")
        # The key of a run of Airflow, so that it is not told again when Airflow tells of its red run.
        key = f"airflow {run['scheduler']}" if run.get("scheduler") else f"run {run['run_id']}"
        if now - ended > FORGOTTEN:
            continue
        if run["status"] in ("failed", "killed"):
            if run.get("error_type") in RETRIED and now - ended < PATIENCE:
                continue
            error = run.get("error") or "its process was killed; run the same command again"
            kind = "ledger_unbalanced" if run.get("error_type") == "BalanceError" else "run_failed"
            at = ended.isoformat(" ", "minutes")
            yield Alert(
                kind,  # type: ignore[arg-type]  # one of two of its values
                key,
                f"{_what(run)} {run['status']} at {at} UTC: {error}",
                f"{_what(run)} 于 {at}（UTC）{'被终止' if run['status'] == 'killed' else '失败'}：{error}",
            )
        elif refused:
            names = [str(error).split(":")[0] for error in refused[:_NAMED]]
            more = f" (+{len(refused) - _NAMED})" if len(refused) > _NAMED else ""
            page = str(settings.home / run["report"]) if run.get("report") else ""
            yield Alert(
                "files_refused",
                key,
                f"{_what(run)}: {len(refused)} files not taken: {', '.join(names)}{more}. "
                "The others went through; the report says why and how to mend it.",
                f"{_what(run)}：{len(refused)} 个文件被拒收：{'、'.join(names)}{more}。"
                "其余文件已入库；原因与处理办法见报告。",
                page,
            )


def _late_files(settings: Settings, log: Log, now: dt.datetime) -> Iterator[Alert]:
    """Kinds of file of the sources in use that are silent for longer than expected, counted to today."""
    known = load_contracts(settings)
    used = {delivery["source"] for delivery in log.deliveries()}
    for source in (name for name in source_names(settings) if name in used):
        try:
            profile = load_profile(settings, source, known)
        except DealermartError:
            continue  # its own runs fail, and that is told
        every = [spec.name for spec in profile.files]
        for name, text in ingest.late(profile, log, now.date(), every).items():
            last = ingest.last_received(profile, log, name)
            spec = next(spec for spec in profile.files if spec.name == name)
            came = f"最近一次收到：{last}" if last else "从未收到"
            yield Alert(
                "feed_late",
                f"late {source} {name} {last}",
                f"{source}: {text}. Ask who delivers it; if it comes less often, correct expected_days of the entry.",
                f"{source}：{name}（{spec.pattern}）迟到，{came}，应每 {spec.silence_days} 天一次。"
                "请联系提供方；如实际频率更低，请修改 expected_days。",
            )


def _unbalanced(log: Log) -> Iterator[Alert]:
    """Files whose counts in the log do not add up: a fault of the program, or somebody wrote into the log."""
    for commit in log.commits:
        faults = [delivery for delivery in commit["deliveries"] if not lake.balanced(delivery)]
        if faults:
            names = ", ".join(sorted({delivery["file"] for delivery in faults})[:_NAMED])
            yield Alert(
                "ledger_unbalanced",
                f"ledger {commit['seq']}",
                f"the rows of {names} do not add up in commit {commit['seq']} of the log. "
                "Restore log/ from its backup, or report it as a fault of the program.",
                f"日志第 {commit['seq']} 次提交中 {names} 的行数不平。请从备份恢复 log/，或作为程序缺陷上报。",
            )


def _behind(settings: Settings, runs: list[Run], rules: Alerts, now: dt.datetime) -> Iterator[Alert]:
    """New rows that are not published in time: the marts are behind the lake, or the copies behind the marts."""
    done = [run for run in runs if run["status"] == "done"]
    built = [run for run in done if run["command"] == "build" and not run.get("skipped") and not _of_the_past(run)]
    last_build = _began(built[-1]) if built else dt.datetime(1, 1, 1)
    news = [_ended(run) for run in done if run.get("committed") and _ended(run) > last_build]
    published = [_began(run) for run in done if run["command"] == "publish"]
    if news and warehouse.pending(settings):
        since, en, zh = news[0], "the marts are behind the lake", "数据集市落后于数据湖"
        mend = "`dealermart build`"
    elif built and (not published or published[-1] < _ended(built[-1])):
        since, en, zh = _ended(built[-1]), "the published copies are behind the marts", "已发布数据落后于数据集市"
        mend = "`dealermart publish`"
    else:
        return
    hours = (now - since).total_seconds() / 3600
    if hours > rules.publish_within_hours:
        at = since.isoformat(" ", "minutes")
        yield Alert(
            "publication_late",
            f"behind {since.isoformat()}",
            f"{en} since {at} UTC. See why build_marts or publish does not run, or run {mend}.",
            f"自 {at}（UTC）起{zh}。请查看 build_marts 或 publish 未运行的原因，或执行 {mend}。",
        )


def _of_the_past(run: Run) -> bool:
    return bool(run["arguments"].get("as_of"))


def _missing(settings: Settings, runs: list[Run], rules: Alerts, now: dt.datetime) -> Iterator[Alert]:
    """Sources in use of which no ingest began for too long: the scheduler stands still, or the DAG is paused."""
    begun = {run["arguments"].get("source"): _began(run) for run in runs if run["command"] == "ingest"}
    for source in source_names(settings):
        last = begun.get(source)
        if last is not None and now - last > dt.timedelta(hours=rules.ingest_every_hours):
            at = last.isoformat(" ", "minutes")
            yield Alert(
                "run_missing",
                f"missing {source} {last.isoformat()}",
                f"no ingest of {source} began since {at} UTC. See that Airflow is up and ingest_{source} not paused; "
                "then run the days that were left out.",
                f"自 {at}（UTC）起没有启动 {source} 的入库运行。"
                f"请确认 Airflow 正在运行且 ingest_{source} 未暂停，然后补跑遗漏日期。",
            )
