"""Where the provider and the ledger differ and nobody can be certain: each named, with what a person can do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remediation.gateways.refunds import ProviderRefund
from remediation.money import DIGITS, Money
from remediation.policy.limits import in_words
from remediation.reconciling.books import Entry, is_remedy_id


class Kind(StrEnum):
    """What differs; stable and machine-readable."""

    UNKNOWN_REMEDY = "unknown_remedy"
    NOT_SENT = "not_sent"
    NOT_OWED = "not_owed"
    SECOND_REFUND = "second_refund"
    OTHER_AMOUNT = "other_amount"
    WITH_A_PERSON = "with_a_person"
    FAILED_BY_HAND = "failed_by_hand"
    MANUAL_REFUND = "manual_refund"
    MISSING = "missing"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One difference; `told` is a sentence with ids and amounts, without names and addresses."""

    kind: Kind
    told: str


def differing(kind: Kind, refund: ProviderRefund, entry: Entry) -> Discrepancy:
    """A refund of the provider's that does not fit what the ledger knows of its remedy, or of one on its payment."""
    return Discrepancy(kind, f"{_named(refund)} {_SENTENCES[kind](refund, entry)}")


def unknown_remedy(refund: ProviderRefund) -> Discrepancy:
    """A refund under the id of a remedy that the ledger does not have."""
    remedy_id = refund.remedy_id or ""
    shown = f"remedy {remedy_id}" if is_remedy_id(remedy_id) else "a remedy with no id of ours"
    return Discrepancy(
        Kind.UNKNOWN_REMEDY,
        f"{_named(refund)} names {shown}, which this ledger does not know: find out whether another ledger uses the "
        "account, or this one was restored from an older copy, before anything more is sent",
    )


def missing(entry: Entry) -> Discrepancy:
    """A refund that the ledger calls sent, and the provider does not know."""
    return Discrepancy(
        Kind.MISSING,
        f"refund {entry.reference} of remedy {entry.remedy_id} is {entry.state} here, and the provider does not know "
        "it: check that the key belongs to the account that made it, then look it up there",
    )


def too_many_missing(count: int) -> Discrepancy:
    """More are missing than anybody would look up one by one."""
    return Discrepancy(
        Kind.MISSING,
        f"after {count:,} refunds that the provider does not know no more were looked for: it seems to be another "
        "account than the one that made them, so check the key",
    )


def unclear(remedy_id: str, reference: str | None, words: str) -> Discrepancy:
    """A refund of which the provider could not say what became of it."""
    return Discrepancy(
        Kind.UNCLEAR, f"refund {reference} of remedy {remedy_id} could not be cleared up, try again later: {words}"
    )


def _named(refund: ProviderRefund) -> str:
    return f"refund {refund.reference} ({_amount(Money(refund.amount_minor, refund.currency))})"


def _amount(money: Money) -> str:
    return in_words(money) if money.currency in DIGITS else f"{money.minor:,} minor units of {money.currency}"


def _not_sent(_: ProviderRefund, entry: Entry) -> str:
    return (
        f"was made for remedy {entry.remedy_id}, which is {entry.in_words} here and was never sent: order line "
        f"{entry.order_line_id} is blocked; find out who made it, and reject the remedy if the customer has the money"
    )


def _not_owed(_: ProviderRefund, entry: Entry) -> str:
    return (
        f"was made for remedy {entry.remedy_id}, which is {entry.in_words} here: find out who made it, and whether "
        "it can still be stopped at the provider"
    )


def _second_refund(_: ProviderRefund, entry: Entry) -> str:
    return (
        f"is another one for remedy {entry.remedy_id}, which {entry.reference} made good: find out who made it, and "
        "whether one of the two can still be stopped at the provider"
    )


def _other_amount(_: ProviderRefund, entry: Entry) -> str:
    owed = _amount(entry.amount) if entry.amount else "another amount"
    return (
        f"was made for remedy {entry.remedy_id}, which owes {owed}: compare the two at the provider and make the "
        "difference good by hand"
    )


def _with_a_person(refund: ProviderRefund, entry: Entry) -> str:
    return (
        f"was made for remedy {entry.remedy_id}, whose refund is {entry.in_words} here and waits for a person: if the "
        f"customer has the money, {_done(refund, entry)}"
    )


def _failed_by_hand(_: ProviderRefund, entry: Entry) -> str:
    return (
        f"has failed, and a person wrote it down as having made remedy {entry.remedy_id} good: pay the customer in "
        "another way"
    )


def _manual_refund(refund: ProviderRefund, entry: Entry) -> str:
    found = (
        f"of payment {' or '.join(refund.payment_ids)} was made by somebody else, and remedy {entry.remedy_id} "
        f"({entry.in_words}) is on the same payment: order line {entry.order_line_id} is blocked"
    )
    lift = f"makegood block {entry.order_line_id} --kind manual_refund --lift"
    if entry.waits:
        return f"{found}; if it made the remedy good, {_done(refund, entry)}, then {lift}"
    if entry.is_unsent:
        return f"{found}; reject the remedy if the customer has the money, or let it go on by {lift}"
    return f"{found}; see whether the customer was paid twice, then let the line go on by {lift}"


def _done(refund: ProviderRefund, entry: Entry) -> str:
    return f"say so by makegood review done {entry.outbox_id} --reference {refund.reference}"


_SENTENCES: Final[Mapping[Kind, Callable[[ProviderRefund, Entry], str]]] = {
    Kind.NOT_SENT: _not_sent,
    Kind.NOT_OWED: _not_owed,
    Kind.SECOND_REFUND: _second_refund,
    Kind.OTHER_AMOUNT: _other_amount,
    Kind.WITH_A_PERSON: _with_a_person,
    Kind.FAILED_BY_HAND: _failed_by_hand,
    Kind.MANUAL_REFUND: _manual_refund,
}
