"""What a run leaves in its output folder: tables, mails, the report."""

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from pipelines.nightly import Result
from pipelines.settings import UsageError
from remediation.database import open_database
from remediation.ledger.book import SqlBook
from remediation.notices.envelope import Sender, address
from remediation.notices.errors import NoticeError
from remediation.report.files import write_declined, write_findings, write_rejects, write_remedies, write_tickets
from remediation.report.html import render_report
from remediation.report.night import Night, RemedyRow
from remediation.report.summary import summary

REPORT: Final = "report.html"
SUMMARY: Final = "summary.txt"
MAIL: Final = "mail"


def write_night(result: Result, out: Path, ledger_url: str, sender: Sender) -> Night:
    """Writes everything of a night below `out`; returns the night that knows where mails and report lie.

    Mails carry their recipient here, as they will be sent: the folder is for
    those who may read them.
    """
    out.mkdir(parents=True, exist_ok=True)
    night = replace(result.night, mail_dir=str(out / MAIL), report_path=str(out / REPORT))
    result.table.sessions.write_parquet(out / "sessions.parquet")
    with (
        (out / "findings.jsonl").open("wb") as findings,
        (out / "remedies.jsonl").open("wb") as remedies,
        (out / "declined.jsonl").open("wb") as declined,
        (out / "rejects.jsonl").open("wb") as rejects,
        (out / "tickets.jsonl").open("wb") as tickets,
    ):
        write_findings(findings, result.findings)
        write_remedies(remedies, (row.remedy for row in night.remedies))
        write_declined(declined, night.declined)
        write_rejects(rejects, night.rejects)
        write_tickets(tickets, night.tickets)
    _write_mails(night.remedies, out / MAIL, ledger_url, sender)
    (out / REPORT).write_text(render_report(night, result.backdrop), encoding="utf-8")
    (out / SUMMARY).write_text(summary(night, result.backdrop), encoding="utf-8")
    return night


def check_sessions_file(out: Path | None) -> None:
    """Demands an ending that says the form.

    Raises:
      UsageError: The ending is neither `.parquet` nor `.jsonl`.
    """
    if out is not None and out.suffix not in {".parquet", ".jsonl"}:
        raise UsageError(f"--out {out} ends neither in .parquet nor in .jsonl; choose one of the two")


def write_sessions(sessions: pl.DataFrame, out: Path | None) -> None:
    """The session table as Parquet or JSON Lines, as the file's ending says; else as JSON Lines to standard output."""
    if out is None:
        _write_json_lines(sessions)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".parquet":
        sessions.write_parquet(out)
    else:
        sessions.write_ndjson(out)


def _write_json_lines(sessions: pl.DataFrame) -> None:
    for row in sessions.iter_rows(named=True):
        sys.stdout.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def _write_mails(rows: Iterable[RemedyRow], folder: Path, ledger_url: str, sender: Sender) -> None:
    """One `.eml` a remedy that has a mail; what an earlier run left there is removed.

    One that cannot be addressed is left out: nobody's address may keep the others
    from their night, and sending refuses it and leaves it to a person.
    """
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.eml"):
        old.unlink()
    written = [row for row in rows if row.mail]
    engine = open_database(ledger_url)
    customers = SqlBook(engine).customers({row.remedy.customer_id for row in written})
    engine.dispose()
    for row in written:
        customer = customers.get(row.remedy.customer_id)
        if row.mail and customer:
            with suppress(NoticeError):
                message = address(row.mail, customer.email, sender)
                (folder / f"{row.remedy.remedy_id}.eml").write_bytes(bytes(message))
