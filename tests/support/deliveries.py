"""The parcels of `fixtures/`: what was promised, what was scanned, what the customers said."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tests.support.parcels import BERKELEY, Sale

NEXT_DOOR: Final = (37.8720, -122.2727)  # 44 m north of the address
SAN_FRANCISCO: Final = (37.7749, -122.4194)  # 16.8 km away
TOKYO: Final = (35.6595, 139.7005)
DECAF: Final = Sale(name="decaf", item="coffee-decaf", title="House Blend, Decaf", amount_minor=1_450, shipping_minor=0)
REGULAR: Final = "coffee-regular"

Sales = tuple[Sale, ...]


def thor_and_odin() -> Mapping[str, Sales]:
    """A playful customer of long standing, another who writes Japanese, and two parcels with a photo.

    One photo was taken at the door of a customer who says that nothing came; the other
    in another town, and its customer has not said a word.
    """
    thor = Sale(name="thor", promised="2026-11-20", item="book-runes", title="Runes for Beginners", amount_minor=1_799)
    tora = Sale(
        name="tora",
        promised="2026-11-20",
        bought="2026-11-10T03:00:00Z",
        item="book-tigers",
        title={"en": "Tigers of Paper", "ja": "紙の虎"},
        amount_minor=1_980,
        shipping_minor=350,
        currency="JPY",
        carrier="yamato",
        country="JP",
        address=TOKYO,
        locale="ja-JP",
        timezone="Asia/Tokyo",
    )
    loki, freya = replace(thor, name="loki"), replace(thor, name="freya")
    known = [
        Sale(name=f"thor-{month}", buyer="thor", bought=f"2026-{month}-02T17:00:00Z", promised=f"2026-{month}-09")
        for month in ("06", "07", "08", "09")
    ]
    return {
        "easypost": (
            thor.travels("2026-11-17", "RENO, NV", "OAKLAND, CA").delivered("2026-11-20T21:14:00Z"),
            tora.travels("2026-11-17", "NAGOYA", "SHIBUYA").delivered("2026-11-20T02:40:00Z"),
        ),
        "scans": (
            *(sale.travels(f"{sale.promised}").delivered(f"{sale.promised}T20:00:00Z", "photo") for sale in known),
            loki.travels("2026-11-17", "RENO, NV").delivered("2026-11-20T21:40:00Z", "photo", NEXT_DOOR),
            freya.travels("2026-11-17", "RENO, NV").delivered("2026-11-20T22:10:00Z", "photo", SAN_FRANCISCO),
        ),
        "contacts": (
            thor.says("2026-11-21T18:02:00Z", "not_received", voice="playful"),
            tora.says("2026-11-21T09:30:00Z", "not_received", language="ja", voice="playful"),
            loki.says("2026-11-21T19:45:00Z", "not_received"),
        ),
    }


def decaf_twice() -> Mapping[str, Sales]:
    """The first night: ordinary coffee came for decaf, to one customer; to another, ordinary coffee as ordered."""
    first, other = _coffees()
    return {
        "aftership": (
            first.travels("2026-11-16", "RENO, NV").delivered("2026-11-18T19:00:00Z"),
            other.travels("2026-11-16", "RENO, NV").delivered("2026-11-18T22:00:00Z"),
        ),
        "contacts": (first.says("2026-11-20T16:00:00Z", "wrong_item", received=REGULAR, voice="warm"),),
    }


def decaf_again() -> Mapping[str, Sales]:
    """The second night: the exchange was ordinary coffee too, and a second customer got the same."""
    first, _ = _coffees()
    second = replace(DECAF, name="second-cup", bought="2026-11-17T15:00:00Z", promised="2026-11-27", locale="ja-JP")
    return {
        "scans": (second.travels("2026-11-23", "RENO, NV").delivered("2026-11-25T18:00:00Z"),),
        "contacts": (
            first.says("2026-11-27T17:00:00Z", "wrong_item", received=REGULAR, voice="warm"),
            second.says("2026-11-28T01:00:00Z", "wrong_item", received=REGULAR, language="ja"),
        ),
    }


def decaf_orders() -> Sales:
    """Who bought coffee; the second night's order was known to the first."""
    return (*_coffees(), *(sale for sale in decaf_again()["scans"]))


def late_parcels() -> Mapping[str, Sales]:
    """The promise is a day, and the day is the customer's."""
    thursday = Sale(name="thursday", promised="2026-11-19")
    kiritimati = replace(thursday, name="kiritimati", carrier="dhl", country="KI", timezone="Pacific/Kiritimati")
    pago_pago = replace(thursday, name="pago-pago", country="AS", timezone="Pacific/Pago_Pago")
    tokyo = replace(
        thursday,
        amount_minor=3_600,
        shipping_minor=600,
        currency="JPY",
        carrier="yamato",
        country="JP",
        address=TOKYO,
        locale="ja-JP",
        timezone="Asia/Tokyo",
    )
    return {
        "scans": (
            Sale(name="last-minute", promised="2026-11-18").travels("2026-11-16").delivered("2026-11-19T07:30:00Z"),
            kiritimati.travels("2026-11-17").delivered("2026-11-19T10:30:00Z"),
            pago_pago.travels("2026-11-17").delivered("2026-11-20T10:30:00Z"),
            Sale(name="still-today", promised="2026-11-21").travels("2026-11-20", "OAKLAND, CA"),
            replace(thursday, name="still-away", timezone="America/New_York").travels("2026-11-19", "RENO, NV"),
            replace(thursday, name="snowed-in")
            .travels("2026-11-17", "RENO, NV")
            .scanned("2026-11-18T15:00:00Z", "delivery_delayed", "weather", depot="RENO, NV")
            .delivered("2026-11-20T19:00:00Z"),
        ),
        "easypost": (
            Sale(name="one-day", promised="2026-11-17").travels("2026-11-16").delivered("2026-11-18T19:00:00Z"),
            Sale(name="four-days", promised="2026-11-14").travels("2026-11-16").delivered("2026-11-18T19:00:00Z"),
            Sale(name="nine-days", promised="2026-11-10", bought="2026-11-02T15:00:00Z")
            .travels("2026-11-16", "RENO, NV")
            .delivered("2026-11-19T19:00:00Z"),
        ),
        "aftership": (
            replace(tokyo, name="tokyo-early").travels("2026-11-17", "NAGOYA").delivered("2026-11-18T15:30:00Z"),
            replace(tokyo, name="tokyo-midnight").travels("2026-11-17", "NAGOYA").delivered("2026-11-19T15:30:00Z"),
        ),
    }


def never_scanned() -> Mapping[str, Sales]:
    """What was promised and never seen: the tracking knows nothing of it."""
    early = Sale(name="early", bought="2026-11-09T18:00:00Z", promised="2026-11-19")
    return {
        "scans": (replace(early, name="on-its-way", promised="2026-11-24").travels("2026-11-20", "RENO, NV"),),
        "unseen": (
            replace(early, name="no-trace", item="item-rare", title="The Last of Its Kind"),
            replace(early, name="not-shipped", shipped=False),
            replace(early, name="bought-lately", bought="2026-11-16T18:00:00Z", promised="2026-11-25"),
            replace(early, name="sold-ahead", promised="2026-12-10", shipped=False),
        ),
    }


def refused_by_customer() -> Mapping[str, Sales]:
    """Four parcels on their way back, for four reasons; one that came back for none, and one that was crushed."""
    reasons = ("refused", "address", "unclaimed", "customs")
    back = [
        Sale(name=reason).travels("2026-11-16", "RENO, NV").scanned("2026-11-19T18:00:00Z", "return_to_sender", reason)
        for reason in reasons
    ]
    crushed = Sale(name="crushed").travels("2026-11-16", "RENO, NV")
    plain = Sale(name="turned-around").travels("2026-11-16", "RENO, NV")
    return {
        "scans": (*back, crushed.scanned("2026-11-18T05:00:00Z", "delivery_failed", "damaged", depot="RENO, NV")),
        "easypost": (plain.scanned("2026-11-19T18:00:00Z", "return_to_sender"),),
    }


def depot_on_fire() -> Mapping[str, Sales]:
    """Sixty parcels came to one depot, and fifty are lost; those of four other depots arrive."""
    burnt = [
        _seen_at(f"fire-{number:02d}", "SPARKS, NV").scanned(
            "2026-11-19T04:00:00Z", "delivery_failed", "lost", depot="SPARKS, NV"
        )
        for number in range(1, 51)
    ]
    saved = [_arrives(f"saved-{number:02d}", "SPARKS, NV") for number in range(1, 11)]
    elsewhere = [
        _arrives(f"{city[:4].lower()}-{number:02d}", city)
        for city in ("OAKLAND, CA", "FRESNO, CA", "TACOMA, WA", "BOISE, ID")
        for number in range(1, 61)
    ]
    return {"scans": (*burnt, *saved, *elsewhere)}


def retracted_scan() -> Mapping[str, Sales]:
    """Scans that the carrier took back, between paper that cannot be right."""
    back_again = Sale(name="found-again").travels("2026-11-16", "RENO, NV")
    not_there = Sale(name="not-there-yet", promised="2026-11-18").travels("2026-11-16", "RENO, NV")
    return {
        "scans": (
            back_again.scanned("2026-11-18T06:00:00Z", "delivery_failed", "lost")
            .takes_back("2026-11-18T06:00:00Z", "delivery_failed")
            .scanned("2026-11-20T15:00:00Z", "out_for_delivery", depot="OAKLAND, CA")
            .delivered("2026-11-20T22:00:00Z"),
            not_there.delivered("2026-11-18T20:00:00Z")
            .takes_back("2026-11-18T20:00:00Z", "delivered")
            .scanned("2026-11-20T15:00:00Z", depot="OAKLAND, CA"),
            Sale(name="nobody", promised="2026-11-17").travels("2026-11-16").delivered("2026-11-18T19:00:00Z"),
            Sale(name="odd-money", promised="2026-11-17", currency="ZZZ")
            .travels("2026-11-16")
            .delivered("2026-11-18T19:00:00Z"),
        ),
        "contacts": (not_there.says("2026-11-19T18:00:00Z", "not_received"),),
    }


def _coffees() -> Sales:
    return (
        replace(DECAF, name="first-cup", promised="2026-11-19"),
        replace(DECAF, name="as-ordered", promised="2026-11-19", item=REGULAR, title="House Blend"),
    )


def _seen_at(name: str, depot: str) -> Sale:
    return Sale(name=name, bought="2026-11-13T15:00:00Z").travels("2026-11-17", depot)


def _arrives(name: str, depot: str) -> Sale:
    return _seen_at(name, depot).delivered("2026-11-20T20:00:00Z", "photo", BERKELEY)
