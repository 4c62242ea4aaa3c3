"""Truth of parcels: the promised day, the carrier's patience and the customer's word, each at its limit, by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pipelines.synth.delivery_standard import Due, due
from pipelines.synth.figures import figures
from pipelines.synth.parcels import PLACES, Contact, Parcel, Scan, Story

NEW_YORK, LONDON = PLACES[0], PLACES[1]
AS_OF = "2026-11-22T06:00:00Z"
ON_THE_WAY = (("2026-11-12T20:00:00Z", "picked_up"), ("2026-11-14T09:00:00Z", "in_transit"))


def ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp() * 1000)


def a_parcel(*scans: tuple[str, str] | tuple[str, str, str], story: Story = Story.FINE, item: int = 20) -> Parcel:
    """Promised for Monday the 16th, in New York, of an item that is in stock."""
    return Parcel(
        number=1,
        story=story,
        place=NEW_YORK,
        carrier="usps",
        item=item,
        amount_minor=2_400,
        shipping_minor=499,
        purchased_at=ms("2026-11-11T15:00:00Z"),
        handed_over_at=ms("2026-11-12T20:00:00Z"),
        arrives_at=ms("2026-11-16T20:00:00Z"),
        promised=date(2026, 11, 16),
        voice="plain",
        scans=tuple(Scan(ms(at), status, next(iter(reason), None)) for at, status, *reason in scans),
    )


def judged(parcel: Parcel) -> Due:
    return due(parcel, set(), ms(AS_OF), figures())


def says(parcel: Parcel, at: str, topic: str, received: str | None = None) -> Parcel:
    return replace(parcel, contacts=(Contact(ms(at), topic, received),))


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [
        ("2026-11-17T04:59:59Z", Due((), 0, None, for_person=False)),
        ("2026-11-17T05:00:00Z", Due(("late",), 499, None, for_person=False)),
        ("2026-11-19T20:00:00Z", Due(("late",), 499 + 240, None, for_person=False)),
    ],
    ids=["a second before midnight in New York", "at midnight", "three days: a tenth of the price as well"],
)
def test_a_promise_is_a_day_of_the_customers(arrived: str, expected: Due) -> None:
    assert judged(a_parcel(*ON_THE_WAY, (arrived, "delivered"))) == expected


@pytest.mark.parametrize(("heard", "kinds"), [("2026-11-15T12:00:00Z", ("lost",)), ("2026-11-16T12:00:00Z", ("late",))])
def test_seven_silent_days_are_a_loss_at_home(heard: str, kinds: tuple[str, ...]) -> None:
    assert judged(a_parcel(*ON_THE_WAY, (heard, "in_transit"))).kinds == kinds


def test_abroad_a_carrier_has_longer() -> None:
    abroad = replace(a_parcel(*ON_THE_WAY), place=LONDON)
    assert judged(abroad).kinds == ("late",)


def test_what_is_lost_is_sent_again_or_if_it_cannot_be_paid_back() -> None:
    in_stock = a_parcel(*ON_THE_WAY)
    assert judged(in_stock) == Due(("lost",), 0, "replacement", for_person=False)
    assert judged(replace(in_stock, item=0)) == Due(("lost",), 2_899, None, for_person=False)


def test_what_was_never_sent_is_lost_after_five_working_days() -> None:
    assert judged(a_parcel(story=Story.NEVER_SENT)).kinds == ("lost",)
    lately = replace(a_parcel(story=Story.NEVER_SENT), purchased_at=ms("2026-11-16T15:00:00Z"))
    assert judged(lately).kinds == ("late",)
    assert judged(replace(lately, promised=date(2026, 11, 22))).kinds == ()


def test_who_refuses_a_parcel_is_owed_nothing_for_it() -> None:
    back = a_parcel(
        *ON_THE_WAY,
        ("2026-11-16T20:00:00Z", "delivery_failed", "refused"),
        ("2026-11-17T02:00:00Z", "return_to_sender"),
        story=Story.REFUSED,
    )
    assert judged(back) == Due(("returned",), 0, None, for_person=False)
    assert judged(replace(back, story=Story.SENT_BACK)).goods == "replacement"


def test_what_is_gone_from_the_door_is_refunded_and_sent_again() -> None:
    gone = says(a_parcel(*ON_THE_WAY, ("2026-11-16T20:00:00Z", "delivered")), "2026-11-17T09:00:00Z", "not_received")
    assert judged(gone) == Due(("delivered_not_received",), 2_899, "replacement", for_person=False)
    (*scans, last) = gone.scans
    with_a_pin = replace(gone, scans=(*scans, replace(last, proof="pin")))
    assert judged(with_a_pin) == replace(judged(gone), for_person=True)


def test_who_asks_before_it_comes_has_not_missed_it() -> None:
    fine = a_parcel(*ON_THE_WAY, ("2026-11-16T20:00:00Z", "delivered"))
    assert judged(says(fine, "2026-11-16T09:00:00Z", "not_received")).kinds == ()


def test_snow_is_nobodys_fault_and_a_person_decides() -> None:
    snowed_in = a_parcel(
        *ON_THE_WAY, ("2026-11-15T09:00:00Z", "delivery_delayed", "weather"), ("2026-11-18T20:00:00Z", "delivered")
    )
    assert judged(replace(snowed_in, delay="weather")) == Due(("late",), 0, None, for_person=True)


@pytest.mark.parametrize(("metres", "kinds"), [(200.4, ()), (201.0, ("misdelivered",))])
def test_two_hundred_metres_are_elsewhere(metres: float, kinds: tuple[str, ...]) -> None:
    there = a_parcel(*ON_THE_WAY, ("2026-11-16T20:00:00Z", "delivered"), story=Story.ELSEWHERE)
    assert judged(replace(there, distance_m=metres)).kinds == kinds


def test_the_wrong_thing_is_exchanged_and_the_second_time_paid_back_as_well() -> None:
    there = a_parcel(*ON_THE_WAY, ("2026-11-16T20:00:00Z", "delivered"))
    wrong = says(there, "2026-11-17T09:00:00Z", "wrong_item", "item-40")
    assert judged(wrong) == Due(("wrong_item",), 0, "exchange", for_person=False)
    assert due(wrong, {(20, "item-40")}, ms(AS_OF), figures()) == Due(
        ("wrong_item",), 2_899, "exchange", for_person=False
    )
