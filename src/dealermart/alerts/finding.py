"""An alert: what is wrong, in two languages, and how it is known again."""

from __future__ import annotations

from dataclasses import dataclass

from dealermart.config import AlertKind


@dataclass(frozen=True)
class Alert:
    """Something that somebody has to be told of. It carries no value of the data.

    Attributes:
        key: The same for the same matter at every look, so that it is told once.
        en: What is wrong and how to mend it; ``zh`` the same in Chinese.
        link: Page or file that says more.
    """

    kind: AlertKind
    key: str
    en: str
    zh: str
    link: str = ""

    def text(self, language: str) -> str:
        """The words in a language, with the link."""
        words = self.zh if language == "zh" else self.en
        return f"{words}\n{self.link}" if self.link else words


TITLES: dict[AlertKind, tuple[str, str]] = {
    "run_failed": ("run failed", "运行失败"),
    "files_refused": ("files refused", "文件被拒收"),
    "feed_late": ("file is late", "文件迟到"),
    "ledger_unbalanced": ("ledger does not balance", "台账不平"),
    "publication_late": ("publication is late", "发布延迟"),
    "run_missing": ("run did not begin", "运行未启动"),
    "approval_waits": ("waits for approval", "等待审批"),
}


def dag_failed(dag_id: str, run_id: str, tasks: str, link: str) -> Alert:
    """A red run of Airflow of which the run log may know nothing: the process was killed, or never began."""
    return Alert(
        "run_failed",
        f"airflow {dag_id} {run_id}",
        f"DAG {dag_id} is red: {tasks or 'no task of it'} failed in {run_id}. "
        "Its page in Airflow says what to do when it is red.",
        f"DAG {dag_id} 失败：{tasks or '（无任务）'}，运行 {run_id}。处理办法见该 DAG 在 Airflow 中的说明页。",
        link,
    )


def deadline_missed(dag_id: str, run_id: str, minutes: int, link: str) -> Alert:
    """A run of Airflow that has not ended in time."""
    return Alert(
        "publication_late",
        f"deadline {dag_id} {run_id}",
        f"DAG {dag_id} has not ended {minutes} minutes after {run_id} was queued; what follows it is late. "
        "See which task is at work, and `dealermart doctor` for who holds the lock.",
        f"DAG {dag_id} 的运行 {run_id} 排队 {minutes} 分钟后仍未结束，后续发布将延迟。"
        "请查看正在执行的任务，并用 `dealermart doctor` 查看锁的持有者。",
        link,
    )


def approval_waits(dag_id: str, run_id: str, task_id: str, subject: str, link: str) -> Alert:
    """A closing, or anything else that goes on when a person has approved it; its key says which task waits."""
    return Alert(
        "approval_waits",
        f"approval {dag_id} {run_id} {task_id}",
        f"{subject or dag_id} waits for somebody's approval in Airflow, under Required Actions.",
        f"{subject or dag_id} 正在等待审批：请在 Airflow 的“待处理操作”中处理。",
        link,
    )
