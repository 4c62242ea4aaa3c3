"""Goes through the provider's list page by page, and then through what the ledger calls sent and the list lacks."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from sqlalchemy import Engine

from remediation.durations import HOUR_MS
from remediation.gateways.refunds import ProviderRefund, RefundGateway
from remediation.hearing import Heard
from remediation.ledger.audit import Author
from remediation.locks import IsHeld
from remediation.outbox.claims import recover
from remediation.outbox.lock import SenderBusyError, sender_lock
from remediation.reconciling.books import Entry, oldest_open, sent_since
from remediation.reconciling.comparing import ACTOR, Comparison
from remediation.reconciling.discrepancies import Discrepancy, too_many_missing
from remediation.reconciling.seen import Seen
from remediation.spans import span

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)

PORTION: Final = 500
"""Refunds compared at once."""
LOOK_BACK_MS: Final = 30 * 24 * HOUR_MS
"""The list goes back so far at least: a bank may send money back weeks after the provider called it paid."""
FARTHEST_MS: Final = 180 * 24 * HOUR_MS
"""The list goes back so far at most. What has not ended for longer is still asked for by the sender, one by one."""
SLACK_MS: Final = HOUR_MS
"""How far the provider's clock may be behind this one's."""
MOST_MISSING: Final = 100
"""When so many refunds are not known to the provider, something else is wrong than any of them."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a comparison came to.

    Each of the `seen` refunds of the provider's list agrees with the ledger, is of
    others and concerns nobody here, or differs. `completed`, `settled` and `failed`
    are refunds of the ledger's that went on by what was found, `blocked` order lines
    that were stopped. `since_ms` is in milliseconds since the epoch.
    """

    since_ms: int
    seen: int
    agree: int
    others: int
    differ: int
    completed: int
    settled: int
    failed: int
    blocked: int
    discrepancies: tuple[Discrepancy, ...]


def reconcile(
    engine: Engine, gateway: RefundGateway, clock: Callable[[], int], since_ms: int | None = None
) -> Reconciled:
    """Compares all refunds that the provider lists since then with the ledger, and the ledger with the list.

    `since_ms` (milliseconds since the epoch) is by default when the oldest refund was
    begun that has not ended. It may be stopped anywhere and run again: what it does it
    does once, and what it only names it names again for as long as it is so.

    Raises:
      SenderBusyError: Another process is sending from this ledger, or may be, since the ledger's server was away.
      SilentError, DeferredError, UnusableError: The provider cannot be asked; what was written down so far is right.
      OSError: A file gateway cannot be read.
    """
    with sender_lock(engine) as is_held, Seen() as seen, span("reconcile"):
        now = clock()
        recover(engine, "refund", Author(ACTOR, now))
        since = _window(engine, now) if since_ms is None else since_ms
        comparison, listed = Comparison(engine, gateway, clock), 0
        for portion in _while(is_held, _portions(gateway.refunds(max(0, since - SLACK_MS)))):
            seen.add(refund.reference for refund in portion)
            comparison.compare(portion)
            listed += len(portion)
        _look_for_missing(_while(is_held, sent_since(engine, gateway.name, since)), seen, comparison)
    return _told(_result(since, listed, comparison))


def _told(found: Reconciled) -> Reconciled:
    _LOG.info("reconciled", extra={"seen": found.seen, "differ": found.differ, "failed": found.failed})
    for each in found.discrepancies:
        _LOG.warning("refund differs", extra={"kind": str(each.kind)})
    return found


def _window(engine: Engine, now_ms: int) -> int:
    with engine.connect() as connection:
        oldest = oldest_open(connection)
    edge = now_ms - LOOK_BACK_MS
    return max(0, now_ms - FARTHEST_MS, min(edge, edge if oldest is None else oldest))


def _portions(listed: Iterator[ProviderRefund]) -> Iterator[list[ProviderRefund]]:
    while portion := list(islice(listed, PORTION)):
        yield portion


def _while(is_held: IsHeld, portions: Iterator[list[T]]) -> Iterator[list[T]]:
    """The portions, for as long as the right to send is still this process's own."""
    for portion in portions:
        if not is_held():
            raise SenderBusyError("the ledger's server was away, and others may send meanwhile: reconcile again")
        yield portion


def _look_for_missing(sent: Iterator[list[Entry]], seen: Seen, comparison: Comparison) -> None:
    """What the list lacks is asked for by name before it is called missing: clocks and windows may differ."""
    gone = 0
    for portion in sent:
        lacking = seen.lacks({str(entry.reference) for entry in portion})
        for entry in portion:
            if entry.reference in lacking:
                gone += not comparison.look_for(entry)
            if gone >= MOST_MISSING:
                comparison.discrepancies.append(too_many_missing(gone))
                return


def _result(since_ms: int, listed: int, comparison: Comparison) -> Reconciled:
    return Reconciled(
        since_ms=since_ms,
        seen=listed,
        agree=comparison.agree,
        others=comparison.others,
        differ=comparison.differ,
        completed=comparison.heard[Heard.COMPLETED],
        settled=comparison.heard[Heard.SETTLED],
        failed=comparison.heard[Heard.FAILED],
        blocked=comparison.blocked,
        discrepancies=tuple(comparison.discrepancies),
    )
