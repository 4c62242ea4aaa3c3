"""What must hold of a ledger and of the world outside it at every moment; faults come back as sentences."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Engine

from remediation.ledger.audit import Entry, first_break
from remediation.ledger.control_tables import AUDIT, BUDGETS, SPENDINGS
from remediation.ledger.tables import ORDER_LINES, OUTBOX, POSTINGS, REMEDIES, RUNS, STOCK
from remediation.outbox.states import FINAL, WITH_A_PERSON, State
from remediation.remedy import GOODS
from remediation.reviewing.by_hand import BY_HAND
from tests.prove.glance import Row, glance
from tests.support.provider import Effect


class Outside(Protocol):
    """Whoever knows what was really done."""

    @property
    def deeds(self) -> tuple[list[Effect], list[str], list[str]]:
        """Refunds, mails by their remedy, and goods by their key."""
        ...


_NOT_BEGUN: Final = frozenset({State.PROPOSED, State.APPROVED, State.HELD, State.REJECTED})
_CALLED_OFF: Final = frozenset({"rejected", "withdrawn"})
_TAKEN_ON: Final = frozenset({State.SENT, State.SETTLED})
_TOLD: Final = ("refund", *GOODS)
_READ: Final = (OUTBOX, POSTINGS, REMEDIES, ORDER_LINES, RUNS, BUDGETS, SPENDINGS, STOCK, AUDIT)


@dataclass(frozen=True)
class Books:
    """The ledger's rows at one moment, read once."""

    items: Sequence[Row]
    postings: Sequence[Row]
    remedies: Mapping[str, Row]
    lines: Mapping[str, Row]
    runs: Sequence[Row]
    budgets: Sequence[Row]
    spendings: Sequence[Row]
    stock: Sequence[Row]
    log: Sequence[Row]

    @classmethod
    def of(cls, ledger: Engine) -> "Books":
        found = glance(ledger, _READ)
        return cls(
            items=found["outbox"],
            postings=found["postings"],
            remedies={row["remedy_id"]: row for row in found["remedies"]},
            lines={row["order_line_id"]: row for row in found["order_lines"]},
            runs=found["runs"],
            budgets=found["budgets"],
            spendings=found["spendings"],
            stock=found["stock"],
            log=found["audit"],
        )

    @property
    def paid_by_hand(self) -> set[str]:
        """The remedies whose money a person has sent."""
        return {row["remedy_id"] for row in self.postings if row["account"] == f"provider:{BY_HAND}"}

    def line_of(self, remedy_id: str) -> Row:
        return self.lines[self.remedies[remedy_id]["order_line_id"]]

    def items_of(self, *kinds: str) -> Iterator[Row]:
        return (item for item in self.items if item["kind"] in kinds)


def broken(ledger: Engine, world: Outside) -> list[str]:
    """What does not hold although it must at every moment; empty in a sound ledger."""
    return broken_in(Books.of(ledger), world)


def broken_in(books: Books, world: Outside) -> list[str]:
    """The same, of what has been read."""
    return [
        *_log(books),
        *_accounts(books),
        *_budgets(books),
        *_ceilings(books),
        *_refunds(books, world),
        *_goods(books, world),
        *_mails(books, world),
    ]


def unfinished(ledger: Engine, world: Outside) -> list[str]:
    """What is not done though nothing stands in its way, when all is said to be over.

    A mail may wait for a deed that is with a person, and anything for its run.
    """
    books = Books.of(ledger)
    held = {row["run_id"] for row in books.runs if row["state"] == "held"}
    waiting = {remedy_id for remedy_id, row in books.remedies.items() if row["run_id"] in held}
    unsaid = waiting | {item["remedy_id"] for item in books.items_of(*_TOLD) if item["state"] in WITH_A_PERSON}
    found = [
        f"{item['kind']} of {item['remedy_id']} is neither done nor with a person but {item['state']}"
        for item in books.items
        if item["state"] not in FINAL | WITH_A_PERSON
        and item["remedy_id"] not in (unsaid if item["kind"] == "mail" else waiting)
    ]
    found += [f"run {row['run_id']} was never judged" for row in books.runs if row["state"] == "recording"]
    _, told, _ = world.deeds
    silent = [item for item in books.items_of("mail") if item["state"] == State.SENT and item["remedy_id"] not in told]
    return [*found, *(f"mail of {item['remedy_id']} is said to be sent and was not" for item in silent)]


def _log(books: Books) -> Iterator[str]:
    if found := first_break(Entry(**row) for row in books.log):
        yield found
    last = {(row["entity"], row["entity_id"]): row["after"] for row in books.log}
    for item in books.items:
        if last.get(("outbox", item["outbox_id"])) != item["state"]:
            yield f"the log does not tell how {item['kind']} of {item['remedy_id']} became {item['state']}"
    for remedy_id, remedy in books.remedies.items():
        if last.get(("remedy", remedy_id)) != remedy["state"]:
            yield f"the log does not tell how remedy {remedy_id} became {remedy['state']}"


def _accounts(books: Books) -> Iterator[str]:
    sums: Counter[tuple[str, str]] = Counter()
    at_provider: Counter[str] = Counter()
    for row in books.postings:
        sums[row["transaction_id"], row["currency"]] += row["amount_minor"]
        if row["account"].startswith("provider:"):
            at_provider[row["remedy_id"]] -= row["amount_minor"]
    yield from (f"transaction {name} is out of balance by {rest} {cur}" for (name, cur), rest in sums.items() if rest)
    for item in books.items_of("refund"):
        expected = item["amount_minor"] if item["state"] in _TAKEN_ON else 0
        posted = at_provider[item["remedy_id"]]
        if posted != expected:
            yield f"refund {item['remedy_id']} is {item['state']}, and {posted} of it is posted as paid"


def _budgets(books: Books) -> Iterator[str]:
    spent: Counter[str] = Counter()
    for row in books.spendings:
        spent[row["budget_id"]] += row["amount"]
    for budget in books.budgets:
        if not spent[budget["budget_id"]] == budget["spent"] <= budget["cap"]:
            yield f"{budget['budget_id']}: {spent[budget['budget_id']]} were spent, {budget['spent']} are written down"


def _ceilings(books: Books) -> Iterator[str]:
    refunds: Counter[str] = Counter()
    for item in books.items_of("refund"):
        remedy = books.remedies[item["remedy_id"]]
        refunds[remedy["order_line_id"]] += 0 if remedy["state"] in _CALLED_OFF else item["amount_minor"]
    for line_id, line in books.lines.items():
        if not refunds[line_id] <= line["owed_minor"] <= line["amount_minor"] + line["shipping_minor"]:
            yield f"line {line_id}: refunds of {refunds[line_id]}, {line['owed_minor']} set aside, and paid was less"


def _refunds(books: Books, world: Outside) -> Iterator[str]:
    made: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
    refunds, _, _ = world.deeds
    for effect in refunds:
        if effect.remedy_id:  # others use the account as well
            made[effect.remedy_id].append((effect.charge_id, effect.amount, effect.currency.upper()))
    items = {item["remedy_id"]: item for item in books.items_of("refund")}
    yield from (f"{remedy_id} was refunded {len(each)} times" for remedy_id, each in made.items() if len(each) > 1)
    for remedy_id, each in made.items():
        item = items.get(remedy_id)
        if item is None or item["state"] in _NOT_BEGUN:
            yield f"{remedy_id} was refunded and nobody had set out to"
        elif each[0] != (books.line_of(remedy_id)["payment_id"], item["amount_minor"], item["currency"]):
            yield f"{remedy_id} was refunded as {each[0]}, which is not what was owed"
    for remedy_id, item in items.items():
        if item["state"] in _TAKEN_ON and not made[remedy_id] and remedy_id not in books.paid_by_hand:
            yield f"refund of {remedy_id} is {item['state']}, and the provider made none"


def _goods(books: Books, world: Outside) -> Iterator[str]:
    _, _, ordered = world.deeds
    items = {item["outbox_id"]: item for item in books.items_of(*GOODS)}
    for key in ordered:
        if key not in items or items[key]["state"] in _NOT_BEGUN:
            yield f"goods were ordered under {key}, and nobody had set out to"
    for key, item in items.items():
        if item["state"] == State.SENT and key not in ordered:  # what a person has ordered is settled
            yield f"{item['kind']} of {item['remedy_id']} is {item['state']}, and nothing was ordered"


def _mails(books: Books, world: Outside) -> Iterator[str]:
    refunds, told, ordered = world.deeds
    items = {item["remedy_id"]: item for item in books.items_of("mail")}
    yield from (f"{remedy_id} was told {count} times" for remedy_id, count in Counter(told).items() if count > 1)
    refunded = {effect.remedy_id for effect in refunds} | books.paid_by_hand
    for remedy_id in told:
        if remedy_id not in items or items[remedy_id]["state"] in _NOT_BEGUN:
            yield f"{remedy_id} was told, and nobody had set out to"
        yield from _untrue(remedy_id, books, refunded, ordered)


def _untrue(remedy_id: str, books: Books, refunded: Collection[str | None], ordered: Iterable[str]) -> Iterator[str]:
    for item in books.items_of(*_TOLD):
        was_made = item["outbox_id"] in ordered if item["kind"] in GOODS else remedy_id in refunded
        if item["remedy_id"] == remedy_id and not was_made and item["state"] != State.SETTLED:
            yield f"{remedy_id} was told of a {item['kind']} that was not made"
