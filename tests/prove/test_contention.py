"""Many writers at one budget at the same moment: not a unit more is promised than there is, and not one less."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from remediation.database import DatabaseUnusableError, open_database
from remediation.ledger.budgets import Caps, spend
from remediation.ledger.control_tables import BUDGETS, SPENDINGS
from remediation.ledger.journal import record
from remediation.ledger.owed import owed as entry_of
from remediation.ledger.owed import reserve
from remediation.ledger.resolution import Resolution
from remediation.ledger.sql import insert_new
from remediation.ledger.tables import ORDER_LINES, REMEDIES, STOCK
from remediation.money import Money
from remediation.remedy import Action, Remedy
from tests.prove.figures import sized, tell
from tests.prove.soundness import broken
from tests.prove.world import World
from tests.remediation.ledger.evenings import GENEROUS, MORNING, a_remedy, a_run, an_order, in_stock, owed, rows
from tests.remediation.ledger.evenings import with_orders as import_orders
from tests.support.stores import Store, open_store

T = TypeVar("T")

WRITERS: Final = (16, 8, 32)
RUNS: Final = sized(1, release=100)
FITS: Final = 5
"""So many of the writers find room."""
AMOUNT: Final = 100
REFUND: Final = Action("refund", amount_minor=AMOUNT)
ROOM: Final = FITS * AMOUNT


@dataclass(frozen=True)
class Squeeze:
    """Remedies that do not fit into what there is, together."""

    orders: tuple[dict[str, object], ...]
    remedies: tuple[Resolution, ...]
    caps: Caps = GENEROUS
    stock: int = 0


def on_one_line(writers: int) -> Squeeze:
    """Top-ups of one order line, which was paid with less than all of them."""
    line = an_order(amount_minor=ROOM)
    return Squeeze((line,), tuple(owed(a_remedy(refund=AMOUNT, number=number)) for number in range(1, writers + 1)))


def on_one_customer(writers: int) -> Squeeze:
    """A refund for each of one customer's order lines."""
    squeeze = of_many_lines(writers, "C-1")
    return replace(squeeze, caps=replace(GENEROUS, customer_month={"USD": ROOM}))


def on_one_count(writers: int) -> Squeeze:
    """The same, where only the number of pay-outs is limited."""
    squeeze = of_many_lines(writers, "C-1")
    return replace(squeeze, caps=replace(GENEROUS, payouts_per_customer_month=FITS))


def on_one_day(writers: int) -> Squeeze:
    """A refund for each of many customers, all on one day."""
    squeeze = of_many_lines(writers, "C-{}")
    return replace(squeeze, caps=replace(GENEROUS, day={"USD": ROOM}))


def on_one_shelf(writers: int) -> Squeeze:
    """A replacement for each of many customers, all of one item."""
    squeeze = of_many_lines(writers, "C-{}", Action("replacement", service_level="next_day"))
    return replace(squeeze, stock=FITS)


def of_many_lines(writers: int, customer: str, action: Action = REFUND) -> Squeeze:
    named = [(f"OL-{number}", customer.format(number)) for number in range(1, writers + 1)]
    return Squeeze(
        tuple(an_order(line, customer_id=customer_id) for line, customer_id in named),
        tuple(owed(a_remedy(line, customer_id=customer_id, actions=[action])) for line, customer_id in named),
    )


SQUEEZES: Final = {
    "one order line": on_one_line,
    "one customer's month": on_one_customer,
    "one customer's number of pay-outs": on_one_count,
    "one day": on_one_day,
    "one item in stock": on_one_shelf,
}


on_a_server: Final = pytest.mark.parametrize(
    "store", [pytest.param("postgresql", marks=pytest.mark.servers)], indirect=True
)
"""SQLite has one writer at a time whatever we do."""


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(request.param, tmp_path_factory.mktemp("ledgers")) as store:
        yield store


@pytest.fixture
def fresh(store: Store) -> Iterator[Callable[[], Engine]]:
    """An empty ledger; the one before it is closed, since a server has only so many connections."""
    with ExitStack() as made:

        def make() -> Engine:
            made.close()
            engine = open_database(made.enter_context(store.ledger()))
            made.callback(engine.dispose)
            return engine

        yield make


@pytest.mark.parametrize("what", SQUEEZES)
def test_writers_at_once_promise_all_that_there_is_and_nothing_more(fresh: Callable[[], Engine], what: str) -> None:
    for run in range(RUNS):
        ledger, squeeze = fresh(), SQUEEZES[what](WRITERS[run % len(WRITERS)])
        import_orders(ledger, *squeeze.orders)
        in_stock(ledger, squeeze.stock)
        recorded = at_once(ledger, partial(recorded_as_approved, caps=squeeze.caps), squeeze.remedies)
        assert recorded.count(True) == FITS
        assert [row["state"] for row in rows(ledger, REMEDIES)].count("approved") == FITS
        assert broken(ledger, World()) == []
        assert [row["promised"] for row in rows(ledger, STOCK)] == [squeeze.stock]
    tell(f"contention for {what}: {RUNS} times up to {max(WRITERS[:RUNS])} writers at once, overshoot 0")


@on_a_server
@pytest.mark.parametrize("budget", [on_one_customer, on_one_count, on_one_day])
def test_without_the_write_lock_the_budgets_hold_by_themselves(
    fresh: Callable[[], Engine], budget: Callable[[int], Squeeze]
) -> None:
    for run in range(RUNS):
        ledger, squeeze = fresh(), budget(WRITERS[run % len(WRITERS)])
        known_but_held(ledger, squeeze)
        taken = at_once(ledger, partial(spent_without_lock, caps=squeeze.caps), squeeze.remedies)
        assert taken.count(True) == FITS
        assert broken(ledger, World()) == []
    tell(f"contention for a budget without the write lock: {RUNS} times, overshoot 0")


@on_a_server
def test_without_the_write_lock_the_ceiling_of_an_order_line_holds_by_itself(fresh: Callable[[], Engine]) -> None:
    for run in range(RUNS):
        ledger, squeeze = fresh(), on_one_line(WRITERS[run % len(WRITERS)])
        known_but_held(ledger, squeeze)
        with ledger.begin() as connection:
            connection.execute(update(ORDER_LINES).values(amount_minor=ROOM))
        assert at_once(ledger, reserved_without_lock, squeeze.remedies).count(True) == FITS
        assert [row["owed_minor"] for row in rows(ledger, ORDER_LINES)] == [ROOM]
    tell(f"contention for an order line without the write lock: {RUNS} times, overshoot 0")


@on_a_server
def test_a_sum_that_is_read_first_overshoots_so_that_these_tests_can_fail(fresh: Callable[[], Engine]) -> None:
    ledger, squeeze = fresh(), on_one_day(max(WRITERS))
    known_but_held(ledger, squeeze)
    with ledger.begin() as connection:
        insert_new(connection, BUDGETS, [{"budget_id": "day", "cap": ROOM, "spent": 0}])
    everybody_has_read = threading.Barrier(len(squeeze.remedies))

    def sum_then_insert(engine: Engine, each: Resolution) -> bool:
        with engine.begin() as connection:
            fits = spent_so_far(connection) + AMOUNT <= ROOM
            everybody_has_read.wait()
            row = {"budget_id": "day", "remedy_id": remedy_of(each).remedy_id, "amount": AMOUNT}
            return fits and insert_new(connection, SPENDINGS, [row]) == 1

    assert at_once(ledger, sum_then_insert, squeeze.remedies).count(True) == max(WRITERS) > FITS


def at_once(ledger: Engine, do: Callable[[Engine, Resolution], T], each: Sequence[Resolution]) -> list[T]:
    """Does something with each in a thread and on a connection of its own, all of them starting together."""
    start = threading.Barrier(len(each))

    def begin(one: Resolution) -> T:
        try:
            engine = open_database(ledger.url.render_as_string(hide_password=False))
        except DatabaseUnusableError:
            start.abort()  # else the others would wait for this one for ever
            raise
        try:
            start.wait()
            return do(engine, one)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(len(each)) as threads:
        return list(threads.map(begin, each))


def known_but_held(ledger: Engine, squeeze: Squeeze) -> None:
    """The remedies stand in the ledger and have taken nothing from anything."""
    import_orders(ledger, *(order | {"amount_minor": 0} for order in squeeze.orders))
    record(ledger, a_run(), squeeze.remedies, GENEROUS)
    assert {row["state"] for row in rows(ledger, REMEDIES)} == {"held"}


def recorded_as_approved(ledger: Engine, each: Resolution, caps: Caps) -> bool:
    return not record(ledger, a_run(), [each], caps).held


def spent_without_lock(ledger: Engine, each: Resolution, caps: Caps) -> bool:
    remedy = remedy_of(each)
    with ledger.begin() as connection:
        amount = Money(remedy.amount, remedy.currency)
        return spend(connection, remedy.remedy_id, remedy.customer_id, amount, MORNING, caps) is None


def reserved_without_lock(ledger: Engine, each: Resolution) -> bool:
    entry = entry_of(each)
    assert entry is not None
    with ledger.begin() as connection:
        return reserve(connection, entry) == entry


def spent_so_far(connection: Connection) -> int:
    of_day = SPENDINGS.c.budget_id.startswith("day")
    return int(connection.execute(select(func.coalesce(func.sum(SPENDINGS.c.amount), 0)).where(of_day)).scalar_one())


def remedy_of(each: Resolution) -> Remedy:
    assert each.remedy is not None
    return each.remedy
