"""Goods are ordered once, and no mail says so before they are."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from remediation.gateways.file_goods import FileDesk
from remediation.gateways.goods import GoodsOrder
from remediation.ledger.book import SqlBook
from remediation.ledger.tables import REMEDIES, STOCK
from remediation.outbox.worker import Passed
from remediation.remedy import Action, Remedy
from tests.remediation.ledger.evenings import (
    MORNING,
    a_remedy,
    an_order,
    in_stock,
    owed,
    record_night,
    rows,
    with_orders,
)
from tests.remediation.outbox.senders import Gateway, Mailbox, quiet, send, states


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Desk:
    """Orders once a key. `before` and `after` may raise."""

    before: Callable[[], None] = quiet
    after: Callable[[], None] = quiet
    made: list[GoodsOrder] = field(default_factory=list)

    def order(self, goods: GoodsOrder) -> str:
        self.before()
        self.made.append(goods)
        self.after()
        return f"order-{goods.key}"

    def find(self, key: str) -> str | None:
        return next((f"order-{goods.key}" for goods in self.made if goods.key == key), None)


def sent_again(ledger: Engine, **fields: Any) -> Remedy:
    """A refund, and two books sent again for the next day, of five that are in stock."""
    in_stock(ledger, 5)
    actions = [Action("refund", amount_minor=299), Action("replacement", service_level="next_day")]
    remedy = a_remedy(actions=actions, **fields)
    with_orders(ledger, an_order(kind="goods", quantity=2))
    record_night(ledger, owed(remedy))
    return remedy


def test_the_goods_are_ordered_as_the_remedy_says(ledger: Engine, tmp_path: Path) -> None:
    sent_again(ledger)
    done = send(ledger, Gateway(), Mailbox(), MORNING, FileDesk(tmp_path / "goods"))
    assert (done.goods, done.mails.sent) == (Passed(sent=1), 1)
    (file,) = (tmp_path / "goods").iterdir()
    assert json.loads(file.read_text()) | {"key": None, "item_id": None} == {
        "key": None,
        "kind": "replacement",
        "order_line_id": "OL-1",
        "item_id": None,
        "quantity": 2,
        "service_level": "next_day",
    }
    assert states(ledger) == [("mail", "sent"), ("refund", "settled"), ("replacement", "sent")]


def test_without_a_desk_the_mail_waits(ledger: Engine) -> None:
    sent_again(ledger)
    mailbox = Mailbox()
    send(ledger, Gateway(), mailbox, MORNING)
    assert mailbox.taken == []
    assert states(ledger) == [("mail", "approved"), ("refund", "settled"), ("replacement", "approved")]


def test_what_a_person_must_decide_is_not_ordered(ledger: Engine) -> None:
    sent_again(ledger, state="held")
    desk = Desk()
    assert send(ledger, Gateway(), Mailbox(), MORNING, desk).goods == Passed()
    assert desk.made == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_around_the_order_orders_once(ledger: Engine, moment: str) -> None:
    sent_again(ledger)
    desk, mailbox = Desk(), Mailbox()

    def die() -> None:
        raise Killed

    setattr(desk, moment, die)
    with pytest.raises(Killed):
        send(ledger, Gateway(), mailbox, MORNING, desk)
    setattr(desk, moment, quiet)
    send(ledger, Gateway(), mailbox, MORNING, desk)
    send(ledger, Gateway(), mailbox, MORNING, desk)
    assert (len(desk.made), len(mailbox.taken)) == (1, 1)
    assert ("replacement", "sent") in states(ledger)


def test_a_remedy_of_goods_alone_moves_no_money(ledger: Engine) -> None:
    with_orders(ledger, an_order(kind="goods"))
    in_stock(ledger, 1)
    record_night(ledger, owed(a_remedy(actions=[Action("exchange")])))
    gateway, desk = Gateway(), Desk()
    done = send(ledger, gateway, Mailbox(), MORNING, desk)
    assert (gateway.made, len(desk.made), done.mails.sent) == ([], 1, 1)


def test_what_is_in_stock_is_promised_once(ledger: Engine) -> None:
    in_stock(ledger, 3)
    with_orders(ledger, an_order("OL-1", kind="goods", quantity=2), an_order("OL-2", kind="goods", quantity=2))
    exchange = [Action("exchange")]
    record_night(ledger, owed(a_remedy("OL-1", actions=exchange)), owed(a_remedy("OL-2", actions=exchange)))
    record_night(ledger, owed(a_remedy("OL-1", actions=exchange)))
    assert sorted(row["state"] for row in rows(ledger, REMEDIES)) == ["approved", "held"]
    assert [(row["available"], row["promised"]) for row in rows(ledger, STOCK)] == [(3, 2)]


def test_the_same_count_again_keeps_what_is_promised_and_another_one_starts_anew(ledger: Engine) -> None:
    sent_again(ledger)
    in_stock(ledger, 5)
    item = str(an_order()["item_id"])
    assert SqlBook(ledger).stock([item]) == {item: 3}
    in_stock(ledger, 4)
    assert SqlBook(ledger).stock([item]) == {item: 4}


def test_an_item_that_nobody_counted_is_not_promised(ledger: Engine) -> None:
    with_orders(ledger, an_order(kind="goods"))
    assert record_night(ledger, owed(a_remedy(actions=[Action("replacement")]))).held == (a_remedy().remedy_id,)
