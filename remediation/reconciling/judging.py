"""What follows from one refund of the provider's list, given what the ledger knows; no database, no provider."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from remediation.gateways.refunds import ProviderRefund, RefundStatus
from remediation.hearing import OPEN, TAKEN_ON
from remediation.money import Money
from remediation.outbox.states import State
from remediation.reconciling.books import Entry
from remediation.reconciling.discrepancies import Kind

_ENDED: Final = frozenset({State.REJECTED, State.CANCELLED})


class Step(StrEnum):
    """What is certain: they agree, the ledger hears what the list says, or the provider is asked for this refund."""

    AGREES = "agrees"
    HEAR = "hear"
    ASK = "ask"


def judge(refund: ProviderRefund, entry: Entry) -> Step | Kind:
    """What follows from a refund that names a remedy of ours."""
    if entry.state in OPEN and _amount_fits(refund, entry):
        return Step.ASK
    if refund.status is RefundStatus.FAILED:
        return _judge_failed(refund, entry)
    if entry.is_unsent:
        return Kind.NOT_SENT
    if entry.state is None or entry.state in _ENDED:
        return Kind.NOT_OWED
    return _judge_made(refund, entry) if _amount_fits(refund, entry) else Kind.OTHER_AMOUNT


def judge_other(refund: ProviderRefund, entries: Sequence[Entry]) -> Step | Kind:
    """What follows from a refund that names no remedy; `entries` are those on its payment."""
    own = next((entry for entry in entries if entry.reference == refund.reference), None)
    if refund.status is RefundStatus.FAILED:
        return _judge_failed(refund, own) if own else Step.AGREES
    return Step.AGREES if own else Kind.MANUAL_REFUND


def is_concerned(entry: Entry) -> bool:
    """Whether somebody else's refund on the same payment may have paid this remedy a second time, or instead."""
    return entry.state is not None and entry.state not in _ENDED


def _judge_made(refund: ProviderRefund, entry: Entry) -> Step | Kind:
    """A refund of what is owed, while the ledger believes that one was made, or that none could be."""
    if entry.waits:
        return Kind.WITH_A_PERSON
    if refund.reference != entry.reference:
        return Kind.SECOND_REFUND
    is_news = entry.state is State.SENT and refund.status is RefundStatus.SUCCEEDED
    return Step.HEAR if is_news else Step.AGREES


def _judge_failed(refund: ProviderRefund, entry: Entry) -> Step | Kind:
    """A refund that failed moved no money: it matters only where the ledger believes that this very one did."""
    if entry.state not in TAKEN_ON or refund.reference != entry.reference:
        return Step.AGREES
    return Kind.FAILED_BY_HAND if entry.is_by_hand else Step.HEAR


def _amount_fits(refund: ProviderRefund, entry: Entry) -> bool:
    return entry.amount == Money(refund.amount_minor, refund.currency)
