"""Compares refunds of the provider's list with the ledger, writes down what is certain, and keeps the rest in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import Engine

from remediation.database import writing
from remediation.gateways.errors import RefusedError, SilentError
from remediation.gateways.refunds import ProviderRefund, Receipt, RefundGateway
from remediation.hearing import Heard, ask, hear, standing
from remediation.ledger.audit import Author
from remediation.outbox.worker import words
from remediation.reconciling.books import Entry, Line, entries_of, is_remedy_id, lines_of
from remediation.reconciling.discrepancies import Discrepancy, Kind, differing, missing, unclear, unknown_remedy
from remediation.reconciling.judging import Step, is_concerned, judge, judge_other
from remediation.reconciling.stopping import Stop, stop

ACTOR: Final = "reconciler"


class Comparison:
    """One comparison as it goes on. Every listed refund counts once: `agree`, `others` or `differ`.

    `heard` counts what was changed in the ledger, `blocked` the order lines that were stopped.
    """

    def __init__(self, engine: Engine, gateway: RefundGateway, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._gateway = gateway
        self._clock = clock
        self.agree = self.others = self.differ = self.blocked = 0
        self.heard: Counter[Heard] = Counter()
        self.discrepancies: list[Discrepancy] = []

    def compare(self, listed: Sequence[ProviderRefund]) -> None:
        """Takes in a portion of the list."""
        with self._engine.connect() as connection:
            named = {refund.remedy_id for refund in listed if refund.remedy_id and is_remedy_id(refund.remedy_id)}
            known = entries_of(connection, named)
        ours = [(refund, entry) for refund in listed if (entry := known.get(refund.remedy_id or ""))]
        self._hear((refund, entry) for refund, entry in ours if judge(refund, entry) is Step.HEAR)
        for refund, entry in ours:
            self._compare_ours(refund, entry)
        strange = [refund for refund in listed if refund.remedy_id not in known]
        with self._engine.connect() as connection:  # only now, so that what is told of them is what they have become
            lines = lines_of(connection, {name for refund in strange for name in refund.payment_ids})
        for refund in strange:
            self._compare_other(refund, [line for name in refund.payment_ids for line in lines.get(name, ())])

    def look_for(self, entry: Entry) -> bool:
        """Asks for a refund that the list lacked; False where the provider does not know it at all."""
        heard = self._ask(entry)
        if heard is Heard.ABSENT:
            self.discrepancies.append(missing(entry))
        return heard is not Heard.ABSENT

    def _hear(self, news: Iterable[tuple[ProviderRefund, Entry]]) -> None:
        """All of a portion in one transaction: what the list says needs no further call."""
        of_ours = [(refund, entry.outbox_id) for refund, entry in news if entry.outbox_id]
        if not of_ours:
            return
        author = Author(ACTOR, self._clock())
        with writing(self._engine) as connection:
            for refund, outbox_id in of_ours:
                receipt = Receipt(refund.reference, refund.status)
                now = standing(connection, outbox_id)
                self.heard[hear(connection, now, receipt, self._gateway.name, author)] += 1

    def _compare_ours(self, refund: ProviderRefund, entry: Entry) -> None:
        verdict = judge(refund, entry)
        if verdict is Step.ASK:
            if self._ask(entry) is None:
                self.differ += 1
                return
            with self._engine.connect() as connection:
                entry = entries_of(connection, [entry.remedy_id])[entry.remedy_id]
            verdict = judge(refund, entry)
        if verdict is Step.ASK:
            self._differs(
                unclear(entry.remedy_id, refund.reference, "it is listed, and its order line's payment has none")
            )
        elif isinstance(verdict, Step):
            self.agree += 1
        else:
            if verdict is Kind.NOT_SENT:
                self._stop(entry.order_line_id, refund)
            self._differs(differing(verdict, refund, entry))

    def _compare_other(self, refund: ProviderRefund, lines: Sequence[Line]) -> None:
        """A refund without a remedy of ours: an agent's, another program's, or one that a person wrote down here."""
        entries = [entry for line in lines for entry in line.entries]
        verdict = judge_other(refund, entries)
        own = next((entry for entry in entries if entry.reference == refund.reference), None)
        if own is not None:
            if isinstance(verdict, Kind):
                self._differs(differing(verdict, refund, own))
                return
            self._hear([(refund, own)] if verdict is Step.HEAR else [])
            self.agree += 1
        elif isinstance(verdict, Kind):
            self._money_left(refund, lines)
        else:
            self.others += 1

    def _money_left(self, refund: ProviderRefund, lines: Sequence[Line]) -> None:
        """Money went out of which the ledger knows nothing: on a payment of ours nothing more may follow by itself."""
        found = [unknown_remedy(refund)] if refund.remedy_id is not None else []
        for line in lines:
            if self._stop(line.order_line_id, refund) is not Stop.LIFTED:
                concerned = filter(is_concerned, line.entries)
                found += [differing(Kind.MANUAL_REFUND, refund, entry) for entry in concerned]
        if found:
            self._differs(*found)
        else:
            self.others += 1

    def _ask(self, entry: Entry) -> Heard | None:
        """What the provider says of one refund; None where it cannot say, which is written down."""
        try:
            heard = ask(self._engine, self._gateway, str(entry.outbox_id), ACTOR, self._clock)
        except (SilentError, RefusedError) as error:
            self.discrepancies.append(unclear(entry.remedy_id, entry.reference, words(error)))
            return None
        self.heard[heard] += 1
        return heard

    def _stop(self, order_line_id: str, refund: ProviderRefund) -> Stop:
        stopped = stop(self._engine, order_line_id, refund.reference, Author(ACTOR, self._clock()))
        self.blocked += stopped is Stop.NEW
        return stopped

    def _differs(self, *found: Discrepancy) -> None:
        self.differ += 1
        self.discrepancies += found
