"""A ledger in memory, as it stands or would stand: the book in which a replay looks things up, and where it writes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from remediation.book import Entry, FailedVisit, Seen
from remediation.ledger.budgets import Caps, budgets_of
from remediation.money import Money
from remediation.orders import Customer, Grant, OrderLine
from remediation.remedy import GOODS, Declined, Remedy, RemedyState
from remediation.whatif.events import Start
from remediation.whatif.lookups import Lookups

_SHORT: Final = "Held: too few of the item are left in stock, since others were promised it."


@dataclass(frozen=True, slots=True)
class Given:
    """A remedy as a run recorded it, with its id, and the kinds of failure that it is for."""

    run_id: str
    remedy_id: str
    kinds: tuple[str, ...]
    remedy: Remedy


class World:
    """A `remediation.book.Book` in memory, of order lines that are known.

    `same_policy` names a policy that is to be taken for another one: a remedy from
    before the replay that was decided under the policy of its runs counts as decided
    under the one that is tried. `shelf` is how many of each item can be sent now.
    """

    def __init__(self, start: Start, lookups: Lookups) -> None:
        self._start = start
        self._lookups = lookups
        self._entries: dict[str, list[Entry]] = {}
        self._places: dict[str, tuple[str, int]] = {}
        self._spent = dict(start.spent)
        self._unsent: set[str] = set()
        self._by_run: dict[str, list[Remedy]] = {}
        self.same_policy: tuple[str, str] | None = None
        self.shelf: dict[str, int] = {}
        self.taken: dict[str, int] = {}
        self.given: dict[str, Given] = {}
        self.declined: dict[str, tuple[str, Declined]] = {}
        for entry in start.entries:
            self._enter(entry, entry.remedy.remedy_id)

    def order_lines(self, order_line_ids: Collection[str]) -> Mapping[str, OrderLine]:
        """Order lines by id."""
        lines = self._start.lines
        return {line_id: lines[line_id] for line_id in order_line_ids if line_id in lines}

    def customers(self, customer_ids: Collection[str]) -> Mapping[str, Customer]:
        """Customers by id, of whom nothing is known here but their zone."""
        customers = self._start.customers
        return {customer_id: customers[customer_id] for customer_id in customer_ids if customer_id in customers}

    def remedies_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[Entry, ...]]:
        """All remedies of each customer in this world, oldest first."""
        found = {each: tuple(self._entries[each]) for each in customer_ids if each in self._entries}
        if self.same_policy is None:
            return found
        return {customer_id: tuple(map(self._as_current, entries)) for customer_id, entries in found.items()}

    def stock(self, item_ids: Collection[str]) -> Mapping[str, int]:
        """How many of each item can be sent."""
        return {item_id: max(0, self.shelf[item_id]) for item_id in item_ids if item_id in self.shelf}

    def seen(self, fingerprints: Collection[str]) -> Mapping[str, tuple[Seen, ...]]:
        """As the ledger knows it."""
        return self._lookups.seen(fingerprints)

    def failed_visits(
        self, customer_ids: Collection[str], since: int, as_of: int
    ) -> Mapping[str, tuple[FailedVisit, ...]]:
        """As the ledger knows it."""
        return self._lookups.failed_visits(customer_ids, since, as_of)

    def grants(self, session_ids: Collection[str]) -> Mapping[str, tuple[Grant, ...]]:
        """As the ledger knows it."""
        return self._lookups.grants(session_ids)

    def order_lines_of(self, claims: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[OrderLine, ...]]:
        """Nothing: what is replayed has been bound."""
        return dict.fromkeys(claims, ())

    def subscriptions_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[OrderLine, ...]]:
        """Nothing, likewise."""
        return dict.fromkeys(customer_ids, ())

    def corrected(self, item_ids: Collection[str]) -> frozenset[str]:
        """Nothing: only mails say so, and none is written."""
        return frozenset(item_ids) & frozenset()

    def objection(self, remedy: Remedy, as_of: int, caps: Caps) -> str | None:
        """Why the ledger would hold an approved remedy: budgets and stock; as `journal.record` asks."""
        item_id, wanted = self._goods(remedy)
        if wanted > self.shelf.get(item_id, 0):
            return _SHORT
        if remedy.state != "approved":
            return None
        amount = Money(remedy.amount, remedy.currency)
        for budget in budgets_of(remedy.customer_id, amount, as_of, caps):
            if self._spent.get(budget.budget_id, 0) + budget.amount > budget.cap:
                return budget.objection(amount)
        return None

    def enter(self, given: Given, entry: Entry, caps: Caps, *, sends: bool) -> None:
        """Writes a remedy down, with what it takes from budgets, and from stock where it `sends` its goods."""
        remedy = entry.remedy
        self._enter(entry, given.remedy_id)
        self.given[given.remedy_id] = given
        self._by_run.setdefault(given.run_id, []).append(given.remedy)
        if remedy.state == "approved":
            amount = Money(remedy.amount, remedy.currency)
            for budget in budgets_of(remedy.customer_id, amount, entry.as_of, caps):
                self._spent[budget.budget_id] = self._spent.get(budget.budget_id, 0) + budget.amount
        if sends:
            self._take(remedy, 1)
        else:
            self._unsent.add(given.remedy_id)

    def given_by(self, run_id: str) -> tuple[Remedy, ...]:
        """What a run gave, as it was recorded."""
        return tuple(self._by_run.get(run_id, ()))

    def refuse(self, run_id: str, declined: Declined) -> None:
        """Writes down, once, why something leads to no pay-out."""
        if not self.knows(declined):
            self.declined[declined.declined_id] = (run_id, declined)

    def knows(self, declined: Declined) -> bool:
        """Whether this has been written down before."""
        return declined.declined_id in self.declined or declined.declined_id in self._start.declined

    def state(self, remedy_id: str) -> RemedyState | None:
        """The state in which a remedy is by now; null where there is no such remedy."""
        if remedy_id not in self._places:
            return None
        customer_id, place = self._places[remedy_id]
        return self._entries[customer_id][place].remedy.state

    def set_state(self, remedy_id: str, state: RemedyState) -> None:
        """A person's word. What is called off gives its goods back; budgets are as the ledger's: they do not."""
        customer_id, place = self._places[remedy_id]
        entry = self._entries[customer_id][place]
        self._entries[customer_id][place] = replace(entry, remedy=replace(entry.remedy, state=state))
        if state in {"rejected", "withdrawn"} and remedy_id not in self._unsent:
            self._take(entry.remedy, -1)

    def next_number(self, customer_id: str, order_line_id: str) -> int:
        """The number of the next pay-out of an order line."""
        entries = (entry.remedy for entry in self._entries.get(customer_id, ()))
        return max((remedy.number for remedy in entries if remedy.order_line_id == order_line_id), default=0) + 1

    def _enter(self, entry: Entry, remedy_id: str) -> None:
        of_customer = self._entries.setdefault(entry.remedy.customer_id, [])
        self._places[remedy_id] = (entry.remedy.customer_id, len(of_customer))
        of_customer.append(entry)

    def _as_current(self, entry: Entry) -> Entry:
        old, current = self.same_policy or ("", "")
        if entry.remedy.policy_sha256 != old:
            return entry
        return replace(entry, remedy=replace(entry.remedy, policy_sha256=current))

    def _goods(self, remedy: Remedy) -> tuple[str, int]:
        kinds = sum(action.kind in GOODS for action in remedy.actions)
        line = self._start.lines.get(remedy.order_line_id)
        return (line.item_id, line.quantity * kinds) if line and kinds else ("", 0)

    def _take(self, remedy: Remedy, times: int) -> None:
        item_id, wanted = self._goods(remedy)
        if wanted:
            self.taken[item_id] = self.taken.get(item_id, 0) + times * wanted
            self.shelf[item_id] = self.shelf.get(item_id, 0) - times * wanted
