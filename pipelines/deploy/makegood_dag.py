"""Nights by Apache Airflow 3: one after another, and the missed ones too. Adapt the paths; put it into the DAGs folder.

`makegood` must be on the worker's path, MAKEGOOD_LEDGER and the secrets in its environment.
"""

import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

USAGE = 2
"""The exit code of a command line that makes no sense: the same again would fail again."""

NIGHTLY = (
    *("makegood", "nightly", "--telemetry", "/srv/telemetry/{date}"),
    *("--orders", "/srv/orders.jsonl", "--customers", "/srv/customers.jsonl", "--grants", "/srv/grants.jsonl"),
    *("--metrics", "/var/lib/makegood/metrics/nightly.prom"),
)
RECONCILE = ("makegood", "reconcile", "--gateway", "stripe", "--metrics", "/var/lib/makegood/metrics/reconcile.prom")
DISPATCH = (
    *("makegood", "dispatch", "--once", "--gateway", "stripe", "--mailer", "smtp://mail.example", "--goods", "webhook"),
    *("--metrics", "/var/lib/makegood/metrics/dispatch.prom"),
)


def run(*words: str) -> None:
    """Runs a command. What failed or found another at work is tried again, a mistake in this file is not."""
    code = subprocess.run(words, check=False).returncode  # noqa: S603 - the words above
    if code == USAGE:
        raise AirflowFailException(f"{words[1]} was told what makes no sense: see its log")
    if code:
        raise AirflowException(f"{words[1]} ended with {code}: see its log")


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=True,  # a night that was missed is made up for, before the next one
    max_active_runs=1,
    default_args={"retries": 8, "retry_delay": timedelta(minutes=15), "depends_on_past": True},
    tags=["makegood"],
)
def makegood() -> None:
    """Find and decide, compare with the provider, send."""

    @task
    def nightly(logical_date: datetime) -> None:
        run(*NIGHTLY, "--as-of", logical_date.isoformat())

    @task
    def reconcile() -> None:
        run(*RECONCILE)

    @task
    def dispatch() -> None:
        run(*DISPATCH)

    nightly() >> reconcile() >> dispatch()


makegood()
