"""What a remedy puts into the outbox."""

from detectors.finding import content_id
from remediation.ledger.owed import Owed
from remediation.ledger.resolution import REFUND_ACTIONS
from remediation.ledger.sql import Row
from remediation.outbox.states import State
from remediation.remedy import GOODS


def items(entry: Owed, canary_percentile: int) -> list[Row]:
    """Rows of `tables.OUTBOX` for an approved remedy: its refund, its goods, its mail, and what a person does.

    Nothing here can give credits or write letters, so that these start as `manual`
    instead of being lost. A remedy in any other state sends nothing.
    `canary_percentile` is the customer's (`ledger.control.percentile`).
    """
    if entry.remedy.state != "approved":
        return []
    others = [action for action in entry.remedy.actions if action.kind not in REFUND_ACTIONS]
    rows = [
        _item(
            entry,
            action.kind,
            State.APPROVED if action.kind in GOODS else State.MANUAL,
            amount_minor=action.amount_minor,
        )
        for action in others
    ]
    if entry.refund.minor:
        rows.append(_item(entry, "refund", State.APPROVED, amount_minor=entry.refund.minor))
    if entry.mail:
        rows.append(_item(entry, "mail", State.APPROVED, not_before=entry.not_before))
    return [{**row, "canary_percentile": canary_percentile} for row in rows]


def _item(entry: Owed, kind: str, state: State, *, amount_minor: int | None = None, not_before: int = 0) -> Row:
    return {
        "outbox_id": content_id(remedy_id=entry.remedy.remedy_id, kind=kind),
        "remedy_id": entry.remedy.remedy_id,
        "kind": kind,
        "state": state,
        "amount_minor": amount_minor or None,
        "currency": entry.remedy.currency if amount_minor else None,
        "not_before": not_before,
    }
