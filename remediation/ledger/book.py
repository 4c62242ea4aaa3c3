"""The ledger, or the service's own database, as the book in which deciding looks things up."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, Engine, Row, Table, select

from remediation.book import Entry, FailedVisit, Seen
from remediation.ledger.control_tables import SESSION_PRINTS
from remediation.ledger.forgotten import forgotten_among
from remediation.ledger.sql import chunks
from remediation.ledger.tables import CUSTOMERS, FINDINGS, GRANTS, ORDER_LINES, REMEDIES, REMEDY_FINDINGS, STOCK
from remediation.orders import Customer, Grant, OrderLine
from remediation.remedy import Action, Remedy
from remediation.rows import first_problem
from remediation.tickets import corrected_items

R = TypeVar("R", bound=BaseModel)

_PLAYBACK_KINDS = ("rental", "purchase", "subscription")


class OrderBookError(ValueError):
    """A row of the order book is not what it should be; the text names its table and key, not its content."""


class SqlBook:
    """A `remediation.book.Book` on SQL; every look-up is a few queries, however many keys it has.

    Remedies come from `ledger`. Orders, customers and grants come from `orders`,
    a database that is only read, or from the ledger where there is none.

    Each look-up raises `OrderBookError` where a row cannot be understood: to leave
    it out would be to refuse somebody without a reason.
    """

    def __init__(self, ledger: Engine, orders: Engine | None = None) -> None:
        self._ledger = ledger
        self._orders = orders or ledger

    def grants(self, session_ids: Collection[str]) -> Mapping[str, tuple[Grant, ...]]:
        """The grants of each session, by session id, the earliest first."""
        found = self._read(Grant, GRANTS, GRANTS.c.session_id, session_ids)
        return _grouped(
            (grant.session_id, grant) for grant in sorted(found, key=lambda each: (each.granted_at, each.order_line_id))
        )

    def order_lines(self, order_line_ids: Collection[str]) -> Mapping[str, OrderLine]:
        """Order lines by id."""
        found = self._read(OrderLine, ORDER_LINES, ORDER_LINES.c.order_line_id, order_line_ids)
        return {line.order_line_id: line for line in found}

    def order_lines_of(self, claims: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], tuple[OrderLine, ...]]:
        """Playback order lines of each (customer id, item id), by id."""
        wanted = set(claims)
        found = self._lines_of_customers({customer_id for customer_id, _ in wanted}, _PLAYBACK_KINDS)
        by_claim = (((line.customer_id, line.item_id), line) for line in found)
        return _grouped((claim, line) for claim, line in by_claim if claim in wanted)

    def subscriptions_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[OrderLine, ...]]:
        """All subscription lines of each customer, by id."""
        found = self._lines_of_customers(customer_ids, ("subscription",))
        return _grouped((line.customer_id, line) for line in found)

    def customers(self, customer_ids: Collection[str]) -> Mapping[str, Customer]:
        """Customers by id, but for those who are forgotten: no mail may go to them, whoever else knows them."""
        with self._ledger.connect() as connection:
            forgotten = forgotten_among(connection, customer_ids)
        found = self._read(Customer, CUSTOMERS, CUSTOMERS.c.customer_id, customer_ids)
        return {customer.customer_id: customer for customer in found if customer.customer_id not in forgotten}

    def stock(self, item_ids: Collection[str]) -> Mapping[str, int]:
        """How many of each item can be sent: the last count, less what was promised since."""
        found: dict[str, int] = {}
        with self._ledger.connect() as connection:
            for chunk in chunks(item_ids):
                rows = connection.execute(select(STOCK).where(STOCK.c.item_id.in_(chunk)))
                found |= {row.item_id: max(0, row.available - row.promised) for row in rows}
        return found

    def corrected(self, item_ids: Collection[str]) -> frozenset[str]:
        """The items whose listing ticket says done."""
        return corrected_items(self._ledger, item_ids)

    def seen(self, fingerprints: Collection[str]) -> Mapping[str, tuple[Seen, ...]]:
        """Every session whose course had one of these fingerprints, by fingerprint, the earliest first."""
        found: list[Seen] = []
        with self._ledger.connect() as connection:
            for chunk in chunks(fingerprints):
                rows = connection.execute(select(SESSION_PRINTS).where(SESSION_PRINTS.c.fingerprint.in_(chunk)))
                found += [Seen(row.fingerprint, row.session_id, row.first_seen) for row in rows]
        found.sort(key=lambda each: (each.first_seen, each.session_id))
        return _grouped((each.fingerprint, each) for each in found)

    def failed_visits(
        self, customer_ids: Collection[str], since: int, as_of: int
    ) -> Mapping[str, tuple[FailedVisit, ...]]:
        """The sessions that runs before `as_of` found failed after `since`, by customer and session, each once."""
        found: dict[tuple[str, str], FailedVisit] = {}
        finding = FINDINGS.c
        earlier = (finding.subject_type == "session", finding.occurred_from > since, finding.as_of < as_of)
        with self._ledger.connect() as connection:
            for chunk in chunks(customer_ids):
                rows = connection.execute(select(FINDINGS).where(finding.customer_id.in_(chunk), *earlier))
                for row in sorted(rows, key=lambda each: (each.occurred_from, each.finding_id)):
                    visit = FailedVisit(row.subject_id, row.order_line_id, row.occurred_from)
                    found.setdefault((row.customer_id, row.subject_id), visit)
        return _grouped((customer_id, found[customer_id, session_id]) for customer_id, session_id in sorted(found))

    def remedies_of(self, customer_ids: Collection[str]) -> Mapping[str, tuple[Entry, ...]]:
        """All remedies ever recorded for each customer, oldest first."""
        entries: list[Entry] = []
        with self._ledger.connect() as connection:
            for chunk in chunks(customer_ids):
                of_chunk = REMEDIES.c.customer_id.in_(chunk)
                links = connection.execute(
                    select(REMEDY_FINDINGS.c.remedy_id, REMEDY_FINDINGS.c.finding_id).join(REMEDIES).where(of_chunk)
                )
                finding_ids = _grouped((link.remedy_id, link.finding_id) for link in links)
                rows = connection.execute(select(REMEDIES).where(of_chunk))
                entries += [_entry(row, finding_ids.get(row.remedy_id, ())) for row in rows]
        entries.sort(key=lambda entry: (entry.as_of, entry.remedy.order_line_id, entry.remedy.number))
        return _grouped((entry.remedy.customer_id, entry) for entry in entries)

    def _lines_of_customers(self, customer_ids: Collection[str], kinds: Collection[str]) -> list[OrderLine]:
        of_kind = ORDER_LINES.c.kind.in_(kinds)
        found = self._read(OrderLine, ORDER_LINES, ORDER_LINES.c.customer_id, customer_ids, of_kind)
        return sorted(found, key=lambda line: line.order_line_id)

    def _read(
        self,
        model: type[R],
        table: Table,
        key: ColumnElement[str],
        wanted: Collection[str],
        *conditions: ColumnElement[bool],
    ) -> list[R]:
        columns = [table.c[name] for name in model.model_fields]
        records: list[R] = []
        with self._orders.connect() as connection:
            for chunk in chunks(wanted):
                rows = connection.execute(select(*columns).where(key.in_(chunk), *conditions))
                records += [_record(model, table, row) for row in rows]
        return records


def _record(model: type[R], table: Table, row: Row[tuple[object, ...]]) -> R:
    try:
        return model.model_validate(row._asdict())
    except ValidationError as error:
        field, reason = first_problem(error)
        keys = ", ".join(f"{column.name} {getattr(row, column.name)!r}" for column in table.primary_key.columns)
        raise OrderBookError(
            f"the order book's table {table.name}, {keys}, field {field or 'unknown'}: {reason}; correct the row there"
        ) from None


def remedy_of(row: Row[*tuple[object, ...]], finding_ids: Iterable[str]) -> Remedy:
    """The remedy of a row of `tables.REMEDIES`, with the findings on which it was decided."""
    return Remedy(
        order_line_id=row.order_line_id,
        number=row.number,
        customer_id=row.customer_id,
        finding_ids=tuple(sorted(finding_ids)),
        actions=tuple(Action(**action) for action in row.actions),
        amount=row.amount,
        currency=row.currency,
        policy_sha256=row.policy_sha256,
        reason=row.reason,
        state=row.state,
        arm=row.arm,
        withheld_minor=row.withheld_minor,
    )


def _entry(row: Row[*tuple[object, ...]], finding_ids: Iterable[str]) -> Entry:
    return Entry(remedy_of(row, finding_ids), as_of=row.as_of, evidence_sha256=row.evidence_sha256)


K = TypeVar("K")
V = TypeVar("V")


def _grouped(pairs: Iterator[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}
