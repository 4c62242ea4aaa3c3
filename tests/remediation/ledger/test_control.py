"""The switch over everything, and blocks on single order lines: both are read by the statement that claims."""

from collections import Counter

import pytest
from sqlalchemy import Engine, update

from remediation.blocks import BlockError, block, unblock
from remediation.database import writing
from remediation.gateways.errors import SilentError
from remediation.ledger.audit import Author, entries, first_break
from remediation.ledger.control import Mode, ModeError, control, percentile, set_mode
from remediation.ledger.tables import OUTBOX
from remediation.outbox.worker import Passed
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, with_orders
from tests.remediation.outbox.senders import Gateway, Mailbox, approve, pay, quiet, send

ADA = Author("person ada", MORNING)
HOUR = 3_600_000


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
def test_in_these_modes_nothing_leaves(ledger: Engine, mode: Mode) -> None:
    approve(ledger, 3)
    set_mode(ledger, mode, ADA, "a drill")
    gateway, mailbox = Gateway(), Mailbox()
    assert send(ledger, gateway, mailbox, MORNING).refunds == Passed(waiting=3)
    assert (gateway.made, mailbox.taken) == ([], [])
    set_mode(ledger, Mode.NORMAL, ADA, "the drill is over")
    assert send(ledger, gateway, mailbox, MORNING).refunds == Passed(sent=3)


def test_the_kill_switch_works_between_two_refunds(ledger: Engine) -> None:
    approve(ledger, 3)

    def stop() -> None:
        set_mode(ledger, Mode.OFF, ADA, "stop!")

    gateway = Gateway(after=stop)
    assert send(ledger, gateway, Mailbox(), MORNING).refunds == Passed(sent=1, waiting=2)


def test_switched_off_the_unknown_is_still_asked_for_but_not_sent_again(ledger: Engine) -> None:
    approve(ledger, 2)

    def silent() -> None:
        raise SilentError

    gateway = Gateway(before=silent)
    pay(ledger, gateway, MORNING)
    set_mode(ledger, Mode.OFF, ADA, "stop!")
    gateway.before = quiet
    assert pay(ledger, gateway, MORNING + HOUR) == Passed(later=2)
    assert gateway.made == []


def test_a_canary_serves_the_same_share_of_customers_every_day(ledger: Engine) -> None:
    customers = [f"C-{number}" for number in range(40)]
    with_orders(ledger, *(an_order(f"OL-{each}", customer_id=each) for each in customers))
    record_night(ledger, *(owed(a_remedy(f"OL-{each}", customer_id=each)) for each in customers))
    set_mode(ledger, Mode.CANARY, ADA, "try it", canary_percent=30)
    with ledger.connect() as connection:
        salt = control(connection).salt
    chosen = sorted(f"OL-{each}" for each in customers if percentile(each, salt) < 30)
    gateway = Gateway()
    send(ledger, gateway, Mailbox(), MORNING)
    send(ledger, gateway, Mailbox(), MORNING + HOUR)
    assert sorted(payout.order_line_id for payout in gateway.made) == chosen
    set_mode(ledger, Mode.NORMAL, ADA, "it works")
    send(ledger, gateway, Mailbox(), MORNING + HOUR)
    assert len(gateway.made) == len(customers)


@pytest.mark.parametrize(("chosen", "sent"), [(6, 0), (7, 0), (8, 1)])
def test_the_canarys_share_is_exact(ledger: Engine, chosen: int, sent: int) -> None:
    approve(ledger)
    with writing(ledger) as connection:
        connection.execute(update(OUTBOX).values(canary_percentile=7))
    set_mode(ledger, Mode.CANARY, ADA, "try it", canary_percent=chosen)
    assert send(ledger, Gateway(), Mailbox(), MORNING).refunds.sent == sent


def test_the_canarys_choice_is_even_and_another_on_every_ledger() -> None:
    shares = Counter(percentile(f"C-{number}", "salt") < 10 for number in range(10_000))
    assert 900 < shares[True] < 1_100
    assert any(percentile(f"C-{number}", "one") != percentile(f"C-{number}", "other") for number in range(10))


def test_the_switch_is_turned_for_a_reason_and_by_somebody(ledger: Engine) -> None:
    with pytest.raises(ModeError, match="name it"):
        set_mode(ledger, Mode.OFF, ADA, "  ")
    with pytest.raises(ModeError, match="101 is no share"):
        set_mode(ledger, Mode.CANARY, ADA, "try it", canary_percent=101)
    set_mode(ledger, Mode.CANARY, ADA, "try it", canary_percent=7)
    with ledger.connect() as connection:
        (entry,) = entries(connection)
        assert (entry.before, entry.after, entry.actor) == ("normal", "canary 7 %", "person ada")
        assert first_break(entries(connection)) is None


def test_a_blocked_line_waits_and_the_others_do_not(ledger: Engine) -> None:
    approve(ledger, 2)
    assert block(ledger, "OL-1", "chargeback", ADA, "the bank wrote")
    assert not block(ledger, "OL-1", "chargeback", ADA, "the bank wrote again")
    gateway = Gateway()
    assert send(ledger, gateway, Mailbox(), MORNING).refunds == Passed(sent=1, waiting=1)
    assert [payout.order_line_id for payout in gateway.made] == ["OL-2"]
    unblock(ledger, "OL-1", "chargeback", ADA, "the bank lost")
    assert send(ledger, gateway, Mailbox(), MORNING).refunds == Passed(sent=1)


def test_a_block_needs_its_line_and_a_reason(ledger: Engine) -> None:
    approve(ledger)
    with pytest.raises(BlockError, match="there is no order line OL-9"):
        block(ledger, "OL-9", "fraud", ADA, "odd")
    with pytest.raises(BlockError, match="for a reason"):
        block(ledger, "OL-1", "fraud", ADA, "")
    with pytest.raises(BlockError, match="is not blocked by a fraud"):
        unblock(ledger, "OL-1", "fraud", ADA, "odd")
