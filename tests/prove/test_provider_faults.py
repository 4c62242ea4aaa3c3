"""Every way in which a provider fails, before and after its effect, with keys of any age, seen from the payer's end."""

from typing import Final

import pytest
from sqlalchemy import Engine

from remediation.ledger.tables import OUTBOX, POSTINGS
from remediation.outbox.states import WITH_A_PERSON
from tests.prove.disks import MemoryDisk
from tests.prove.figures import sized, tell
from tests.prove.soundness import broken, unfinished
from tests.prove.world import (
    CHARGED,
    PRICE,
    World,
    charge_all,
    first,
    import_town,
    send,
    send_until_done,
)
from tests.remediation.gateways.payouts import a_payout
from tests.remediation.ledger.evenings import MORNING, a_remedy, owed, record_night, rows
from tests.support.provider import HOUR_MS, Fault, InProcessGateway, Kind, Moment, Status

ORDERS: Final = 2
"""One whose call goes wrong, and one that shows whether others suffer from it."""
DAY_MS: Final = 24 * HOUR_MS
SEEDS: Final = sized(1, release=100)
AGES: Final = {"fresh": 0, "23 h old": 23 * HOUR_MS, "25 h old and forgotten": 25 * HOUR_MS}


@pytest.fixture(scope="module")
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture(scope="module")
def approved(disk: MemoryDisk) -> bytes:
    """A ledger in which refunds are approved and released."""
    ledger = disk.blank()
    import_town(ledger, first(ORDERS))
    refunds = (owed(a_remedy(f"OL-{number}", customer_id=f"C-{number}")) for number in first(ORDERS))
    record_night(ledger, *refunds)
    return disk.photograph(ledger)


@pytest.fixture
def ledger(disk: MemoryDisk, approved: bytes) -> Engine:
    return disk.develop(approved)


@pytest.fixture
def world() -> World:
    world = World()
    charge_all(world.provider, first(ORDERS))
    return world


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("kind", Kind)
def test_a_call_that_goes_wrong_pays_once_or_is_told_to_a_person(
    disk: MemoryDisk, approved: bytes, kind: Kind, moment: Moment, age: str
) -> None:
    for seed in range(SEEDS):
        ledger, world = disk.develop(approved), World()
        charge_all(world.provider, first(ORDERS))
        world.provider.script({1: Fault(kind, moment)})
        if seed:
            world.provider.draw(seed, share=0.4)
        send(ledger, world)
        world.provider.advance(AGES[age])
        live(ledger, world, MORNING + AGES[age])
        if not seed:
            is_lost = moment is Moment.BEFORE and kind is not Kind.RATE_LIMITED and (AGES[age] or kind is Kind.BROKEN)
            assert refunds(world) == ORDERS - bool(is_lost)
            assert len(world.mailbox.taken) == refunds(world), "everybody who was paid is told, and nobody else"
    tell(f"provider fault {kind} {moment} its effect, key {age}: {SEEDS} times, no second effect")


@pytest.mark.parametrize("second", Moment)
@pytest.mark.parametrize("kind", Kind)
def test_a_lookup_that_goes_wrong_as_well_is_made_again(
    ledger: Engine, world: World, kind: Kind, second: Moment
) -> None:
    world.provider.script({1: Fault(Kind.LOST, Moment.AFTER), 3: Fault(kind, second)})  # 2 is the other order's refund
    live(ledger, world, MORNING)
    assert (refunds(world), len(world.mailbox.taken)) == (ORDERS, ORDERS)
    assert states(ledger) == {"refund": ["settled", "settled"], "mail": ["sent", "sent"]}


@pytest.mark.parametrize("left", [PRICE - 1, 0], ids=["less than is owed", "nothing"])
def test_a_payment_of_which_too_little_is_left_is_a_persons_business(ledger: Engine, left: int) -> None:
    world = World()
    world.provider.charge("ch_1", CHARGED)
    world.provider.charge("ch_2", CHARGED)
    by_hand = a_payout("by hand", "ch_1", CHARGED - left)
    InProcessGateway(world.provider).refund(by_hand)
    send(ledger, world)
    assert states(ledger) == {"refund": ["failed", "settled"], "mail": ["approved", "sent"]}
    assert [str(effect.remedy_id) for effect in world.provider.effects()].count("by hand") == 1
    assert refunds(world) == ORDERS
    assert unfinished(ledger, world) == []


@pytest.mark.parametrize("lost", [None, Fault(Kind.LOST, Moment.AFTER)], ids=["answered", "with the answer lost"])
@pytest.mark.parametrize("hours", [0, 6, 30], ids="failed after {} h".format)
def test_a_refund_that_fails_after_all_is_owed_again_and_never_made_anew(
    ledger: Engine, world: World, hours: int, lost: Fault | None
) -> None:
    world.provider.refunds_become(Status.PENDING)
    world.provider.script({1: lost} if lost else {})
    send(ledger, world)
    for hour in range(0, hours, 6):
        send(ledger, world, MORNING + hour * HOUR_MS)
    for effect in world.provider.effects():
        world.provider.move(effect.refund_id, Status.FAILED)
    for hour in range(hours, hours + 60, 6):
        send(ledger, world, MORNING + hour * HOUR_MS)
        assert broken(ledger, world) == []
    assert states(ledger)["refund"] == ["failed", "failed"]
    assert refunds(world) == ORDERS
    with_the_customer = sum(row["amount_minor"] for row in rows(ledger, POSTINGS) if row["account"].startswith("owed"))
    assert with_the_customer == -ORDERS * PRICE, "all of it is owed again"


def live(ledger: Engine, world: World, at: int) -> None:
    """Sends until everything is done or with a person; at no moment anything may be wrong."""

    def done() -> bool:
        assert broken(ledger, world) == []
        return not unfinished(ledger, world)

    send_until_done(ledger, world, at, done)
    assert unfinished(ledger, world) == []
    for item in rows(ledger, OUTBOX):
        assert item["problem"] or item["state"] not in WITH_A_PERSON, "a person is told why"


def refunds(world: World) -> int:
    return len(world.provider.effects())


def states(ledger: Engine) -> dict[str, list[str]]:
    """The states of the refunds and of the mails, in order."""
    found: dict[str, list[str]] = {"refund": [], "mail": []}
    for item in rows(ledger, OUTBOX):
        found[item["kind"]].append(item["state"])
    return {kind: sorted(each) for kind, each in found.items()}
