"""Binding: which customer and order line a finding belongs to. The service's grant says so, else the orders do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from detectors.finding import Finding, Subject
from remediation.book import Book
from remediation.orders import Grant, OrderLine
from remediation.remedy import Declined, Outcome

CLOCK_SLACK_MS: Final = 600_000
"""A player's clock may differ this much from ours before sessions are corrected for it: ten minutes."""


class BindingCode(StrEnum):
    """Why a finding belongs to no order line by itself."""

    NO_CUSTOMER = "no_customer"
    NO_ITEM = "no_item"
    NO_ORDER = "no_order"
    SEVERAL_ORDERS = "several_orders"
    SEVERAL_GRANTS = "several_grants"
    ORDER_MISSING = "order_missing"
    ANOTHER_CUSTOMERS_ORDER = "another_customers_order"
    CUSTOMER_CONTRADICTS_GRANT = "customer_contradicts_grant"
    AFTER_AS_OF = "after_as_of"


_VERDICTS: Final[Mapping[BindingCode, tuple[Outcome, str]]] = {
    BindingCode.NO_CUSTOMER: (
        "declined",
        "Neither the player nor our own records say which customer this was, so that there is nobody to refund.",
    ),
    BindingCode.NO_ITEM: (
        "review",
        "The player did not say which title it played, and we hold no record of the permission to play it.",
    ),
    BindingCode.NO_ORDER: (
        "declined",
        "No rental, purchase or subscription of this customer covered this title when it was played.",
    ),
    BindingCode.SEVERAL_ORDERS: (
        "review",
        "More than one order of this customer covered this title when it was played; it is not clear which one failed.",
    ),
    BindingCode.SEVERAL_GRANTS: (
        "review",
        "Our records allow this one playback for several orders; it is not clear which one failed.",
    ),
    BindingCode.ORDER_MISSING: (
        "review",
        "Our records name an order line for this, but we do not have that order line.",
    ),
    BindingCode.ANOTHER_CUSTOMERS_ORDER: (
        "review",
        "Our records allowed this playback for one customer on the order of another.",
    ),
    BindingCode.CUSTOMER_CONTRADICTS_GRANT: (
        "review",
        "The player names another customer than our own records do.",
    ),
    BindingCode.AFTER_AS_OF: (
        "review",
        "It is said to have happened after this run was made, so that some clock is wrong.",
    ),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """`findings` with customer and order line set, in the order given; `declined` by subject and code."""

    findings: tuple[Finding, ...]
    declined: tuple[Declined, ...]


@dataclass(frozen=True, slots=True)
class _Records:
    """What the book answered."""

    grants: Mapping[str, tuple[Grant, ...]]
    lines: Mapping[str, OrderLine]
    lines_of: Mapping[tuple[str, str], tuple[OrderLine, ...]]
    subscriptions: Mapping[str, tuple[OrderLine, ...]]


def bind(findings: Sequence[Finding], book: Book, as_of: int) -> Bound:
    """Every finding, either bound to its customer and order line or declined with the reason.

    A grant binds a session; a player's word on the customer is only a claim, and
    one that contradicts the grant goes to a person. Without a grant the session
    belongs to the one rental or purchase of that item by that customer that was
    valid at the time, else to the customer's one subscription that was. A finding on
    an order line belongs to that line. What happened after `as_of` (milliseconds
    since the epoch) goes to a person.

    What a grant allowed is noted with the finding's provenance; without that, its
    word remains a claim.

    Four questions to the book, however many findings there are.
    """
    records = _ask(findings, book)
    bound: list[Finding] = []
    declined: defaultdict[tuple[Subject, BindingCode], list[Finding]] = defaultdict(list)
    for finding in findings:
        owner = BindingCode.AFTER_AS_OF if finding.occurred_from > as_of else _owner(finding, records)
        if isinstance(owner, OrderLine):
            bound.append(_bound(finding, owner, records))
        else:
            declined[finding.subject, owner].append(finding)
    in_order = sorted(declined.items(), key=lambda each: (each[0][0].type, each[0][0].id, each[0][1]))
    return Bound(tuple(bound), tuple(_declined(subject, code, group) for (subject, code), group in in_order))


def _bound(finding: Finding, line: OrderLine, records: _Records) -> Finding:
    grants = records.grants.get(finding.subject.id, ()) if finding.subject.type == "session" else ()
    granted_at = min((grant.granted_at for grant in grants), default=None)
    return replace(
        finding,
        customer_id=line.customer_id,
        order_line_id=line.order_line_id,
        provenance=replace(finding.provenance, granted_at=granted_at),
    )


def _ask(findings: Sequence[Finding], book: Book) -> _Records:
    sessions = [finding for finding in findings if finding.subject.type == "session"]
    grants = book.grants({finding.subject.id for finding in sessions})
    line_ids = {grant.order_line_id for of_session in grants.values() for grant in of_session}
    line_ids |= {finding.subject.id for finding in findings if finding.subject.type == "order_line"}
    claims = {
        (finding.customer_id, finding.content_id)
        for finding in sessions
        if finding.customer_id and finding.content_id and not grants.get(finding.subject.id)
    }
    return _Records(
        grants,
        book.order_lines(line_ids),
        book.order_lines_of(claims),
        book.subscriptions_of({customer_id for customer_id, _ in claims}),
    )


def _owner(finding: Finding, records: _Records) -> OrderLine | BindingCode:
    if finding.subject.type == "order_line":
        return _named_line(finding.subject.id, finding.customer_id, records)
    grants = records.grants.get(finding.subject.id)
    return _granted(finding, grants, records) if grants else _claimed(finding, records)


def _granted(finding: Finding, grants: Sequence[Grant], records: _Records) -> OrderLine | BindingCode:
    line_ids = {grant.order_line_id for grant in grants}
    if len(line_ids) > 1:
        return BindingCode.SEVERAL_GRANTS
    line_id = line_ids.pop()
    line = records.lines.get(line_id)
    if line and any(grant.customer_id != line.customer_id for grant in grants):
        return BindingCode.ANOTHER_CUSTOMERS_ORDER
    return _named_line(line_id, finding.customer_id, records)


def _named_line(order_line_id: str, claimed_customer: str | None, records: _Records) -> OrderLine | BindingCode:
    line = records.lines.get(order_line_id)
    if line is None:
        return BindingCode.ORDER_MISSING
    return line if claimed_customer in (None, line.customer_id) else BindingCode.CUSTOMER_CONTRADICTS_GRANT


def _claimed(finding: Finding, records: _Records) -> OrderLine | BindingCode:
    """The one order line that covered the item then; a rental or purchase of the title goes before a subscription."""
    if not finding.customer_id:
        return BindingCode.NO_CUSTOMER
    if not finding.content_id:
        return BindingCode.NO_ITEM
    lines = records.lines_of.get((finding.customer_id, finding.content_id), ())
    single = tuple(line for line in lines if line.kind in ("rental", "purchase"))
    subscriptions = records.subscriptions.get(finding.customer_id, ())
    for candidates in (single, subscriptions):
        # The exact time first: with slack, an order that ended just before another began would count as well.
        for slack_ms in (0, CLOCK_SLACK_MS):
            valid = [line for line in candidates if _was_valid(line, finding.occurred_from, slack_ms)]
            if valid:
                return valid[0] if len(valid) == 1 else BindingCode.SEVERAL_ORDERS
    return BindingCode.NO_ORDER


def _was_valid(line: OrderLine, moment_ms: int, slack_ms: int) -> bool:
    until = line.available_until
    return line.purchased_at - slack_ms <= moment_ms and (until is None or moment_ms <= until + slack_ms)


def _declined(subject: Subject, code: BindingCode, findings: Sequence[Finding]) -> Declined:
    """One record a subject and code. It names a customer only where one is claimed and nothing contradicts that."""
    outcome, reason = _VERDICTS[code]
    claims = {finding.customer_id for finding in findings}
    undisputed = len(claims) == 1 and code != BindingCode.CUSTOMER_CONTRADICTS_GRANT
    return Declined(
        finding_ids=tuple(sorted({finding.finding_id for finding in findings})),
        subject=subject,
        outcome=outcome,
        code=code.value,
        reason=reason,
        order_line_id=subject.id if subject.type == "order_line" else None,
        customer_id=claims.pop() if undisputed else None,
    )
