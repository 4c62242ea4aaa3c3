"""Records what a run decided: everything of a call in one transaction, and nothing twice.

Ids name content, so that a repeated bundle, a second run of the same night and a
restart after a crash all meet the rows of the first time and leave them alone.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, Engine, select

from remediation.database import writing
from remediation.ledger.audit import Author, Change, note
from remediation.ledger.budgets import Caps, spend
from remediation.ledger.claims import write_claims
from remediation.ledger.control import control, percentile
from remediation.ledger.findings import write_findings
from remediation.ledger.owed import Owed, hold, owed, reserve
from remediation.ledger.postings import EXPENSE, Transfer, owed_account, post
from remediation.ledger.resolution import Resolution
from remediation.ledger.run import Run, write_run
from remediation.ledger.sql import Row, chunks, insert, insert_new
from remediation.ledger.tables import DECLINED, MAILS, ORDER_LINES, OUTBOX, REMEDIES, REMEDY_FINDINGS
from remediation.money import Money
from remediation.outbox.items import items
from remediation.remedy import Declined

_LOG: Final = logging.getLogger(__name__)


class UnknownOrderLineError(LookupError):
    """A remedy rests on an order line that the ledger does not hold."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Rows written by table, all zero where everything was known; a refreshed finding counts as written.

    `held` are the ids of remedies that came approved and were recorded as held,
    because the ledger's own check stood against them; their reason says which.
    """

    findings: int
    remedies: int
    remedy_findings: int
    declined: int
    mails: int
    outbox: int
    postings: int
    held: tuple[str, ...]

    @property
    def nothing_new(self) -> bool:
        """Whether the ledger held all of this already."""
        return not any((self.findings, self.remedies, self.declined))


def record(engine: Engine, run: Run, resolutions: Sequence[Resolution], caps: Caps) -> Recorded:
    """Records findings, remedies, mails, reasons, postings, what is to be sent, and what the decisions rested on.

    A remedy that the ledger holds stays as it is, with its mail and its state.
    A new one whose refund would exceed what was paid for its order line, that
    names another currency or customer than the line, or that does not fit into a
    budget any more, is recorded as held. Nothing is sent before the run is released.

    Raises:
      UnknownOrderLineError: A remedy's order line is not in the ledger; nothing
        was recorded.
      ValueError: The actions of a remedy do not sum to its amount.
    """
    decided = {each.remedy.remedy_id: each for each in resolutions if each.remedy}
    entries = [entry for remedy_id in sorted(decided) if (entry := owed(decided[remedy_id]))]
    with writing(engine) as connection:
        write_run(connection, run)
        decisions = [each for each in resolutions if each.remedy or each.declined]
        findings = {finding.finding_id: finding for each in decisions for finding in each.findings}
        written = write_findings(connection, run.as_of, findings.values())
        declined = insert_new(
            connection, DECLINED, [_declined(run, each.declined) for each in resolutions if each.declined]
        )
        _demand_order_lines(connection, entries)
        new = _insert_remedies(connection, run, entries, decided)
        write_claims(connection, run, resolutions, new)
        asked = [entry for entry in entries if entry.remedy.remedy_id in new]
        checked = [_within_budget(connection, run, reserve(connection, entry), caps) for entry in asked]
        rows = outbox_rows(connection, checked)
        _tell(connection, run, checked, rows)
        recorded = Recorded(
            findings=written,
            remedies=len(new),
            remedy_findings=insert_new(
                connection,
                REMEDY_FINDINGS,
                [row for each in checked for row in _evidence(decided[each.remedy.remedy_id])],
            ),
            declined=declined,
            mails=insert_new(connection, MAILS, [asdict(each.mail) for each in checked if each.mail]),
            outbox=insert_new(connection, OUTBOX, rows),
            postings=post(connection, [debt for each in checked if (debt := debt_of(each, run.as_of))]),
            held=tuple(after.remedy.remedy_id for before, after in zip(asked, checked, strict=True) if after != before),
        )
    for each in checked:
        amount = {"amount_minor": each.remedy.amount, "currency": each.remedy.currency}
        known = {"run_id": run.run_id, "remedy_id": each.remedy.remedy_id, "state": each.remedy.state}
        _LOG.info("remedy recorded", extra=known | amount)
    return recorded


def _demand_order_lines(connection: Connection, entries: Sequence[Owed]) -> None:
    for chunk in chunks({entry.remedy.order_line_id for entry in entries}):
        found = connection.scalars(select(ORDER_LINES.c.order_line_id).where(ORDER_LINES.c.order_line_id.in_(chunk)))
        missing = set(chunk) - set(found)
        if missing:
            raise UnknownOrderLineError(
                f"order line {min(missing)} has a remedy but is not in the ledger: import or adopt the orders first"
            )


def _insert_remedies(
    connection: Connection, run: Run, entries: Sequence[Owed], decided: Mapping[str, Resolution]
) -> set[str]:
    """The ids of those that are new."""
    if not entries:
        return set()
    rows = [
        {
            "remedy_id": entry.remedy.remedy_id,
            "order_line_id": entry.remedy.order_line_id,
            "number": entry.remedy.number,
            "customer_id": entry.remedy.customer_id,
            "actions": [asdict(action) for action in entry.remedy.actions],
            "amount": entry.remedy.amount,
            "currency": entry.remedy.currency,
            "policy_sha256": entry.remedy.policy_sha256,
            "reason": entry.remedy.reason,
            "state": entry.remedy.state,
            "as_of": run.as_of,
            "evidence_sha256": decided[entry.remedy.remedy_id].evidence_sha256,
            "run_id": run.run_id,
            "arm": entry.remedy.arm,
            "withheld_minor": entry.remedy.withheld_minor,
        }
        for entry in entries
    ]
    key = REMEDIES.c.remedy_id
    statement = insert(connection, REMEDIES).on_conflict_do_nothing(index_elements=[key]).returning(key)
    return set(connection.scalars(statement, rows))


def _evidence(resolution: Resolution) -> list[Row]:
    if resolution.remedy is None:
        return []
    figures = {finding.finding_id: dict(finding.evidence) for finding in resolution.findings}
    remedy_id = resolution.remedy.remedy_id
    return [
        {"remedy_id": remedy_id, "finding_id": finding_id, "evidence": figures[finding_id]}
        for finding_id in resolution.remedy.finding_ids
    ]


def _declined(run: Run, declined: Declined) -> Row:
    return {
        "declined_id": declined.declined_id,
        "subject_type": declined.subject.type,
        "subject_id": declined.subject.id,
        "order_line_id": declined.order_line_id,
        "customer_id": declined.customer_id,
        "finding_ids": list(declined.finding_ids),
        "outcome": declined.outcome,
        "code": declined.code,
        "reason": declined.reason,
        "run_id": run.run_id,
    }


def outbox_rows(connection: Connection, entries: Sequence[Owed]) -> list[Row]:
    """Rows of `tables.OUTBOX` for those entries that are approved."""
    salt = control(connection).salt
    return [row for each in entries for row in items(each, percentile(each.remedy.customer_id, salt))]


def debt_of(entry: Owed, at: int) -> Transfer | None:
    """The posting of what is owed from `at` on (milliseconds since the epoch); a held remedy is not yet a debt."""
    if entry.remedy.state != "approved" or not entry.refund.minor:
        return None
    account = owed_account(entry.remedy.order_line_id)
    return Transfer(entry.remedy.remedy_id, "approved", EXPENSE, account, entry.refund, at)


def _within_budget(connection: Connection, run: Run, entry: Owed, caps: Caps) -> Owed:
    remedy = entry.remedy
    if remedy.state != "approved":
        return entry
    amount = Money(remedy.amount, remedy.currency)
    objection = spend(connection, remedy.remedy_id, remedy.customer_id, amount, run.as_of, caps)
    return hold(connection, entry, objection) if objection else entry


def _tell(connection: Connection, run: Run, entries: Sequence[Owed], rows: Sequence[Row]) -> None:
    """Every remedy and everything to be sent enters the audit log with its first state."""
    author = Author(f"run {run.run_id}", run.as_of)
    remedies = [
        Change("remedy", each.remedy.remedy_id, None, each.remedy.state, each.remedy.reason) for each in entries
    ]
    told = [
        Change("outbox", str(row["outbox_id"]), None, str(row["state"]), f"{row['kind']} of remedy {row['remedy_id']}")
        for row in rows
    ]
    note(connection, author, [*remedies, *told])
