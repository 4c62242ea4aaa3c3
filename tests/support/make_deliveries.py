"""The delivery stories of `deliveries.py` as the files of their fixtures."""

import gzip
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Final

from tests.support import deliveries
from tests.support.carriers import aftership, canonical, contacts, easypost, json_lines
from tests.support.parcels import Sale

AS_OF: Final = b"2026-11-22T06:00:00Z\n"
AS_OF_SECOND: Final = b"2026-11-29T06:00:00Z\n"
FORMS: Final[Mapping[str, tuple[str, Callable[[Iterable[Sale]], bytes]]]] = {
    "scans": ("scans.jsonl", canonical),
    "easypost": ("easypost.json", easypost),
    "aftership": ("aftership.jsonl", aftership),
    "contacts": ("contacts.jsonl", contacts),
}
STRANGE_SCANS: Final = (
    {"tracking_number": "USPS-of-nobody", "event_time": "2026-11-20T09:00:00Z", "status": "in_transit"},
    {"tracking_number": "USPS-found-again", "event_time": "2026-02-30T09:00:00Z", "status": "in_transit"},
    {"tracking_number": None, "event_time": "2026-11-20T09:00:00Z", "status": "in_transit"},
    {"tracking_number": "USPS-found-again", "event_time": "2026-11-20T09:00:00Z", "status": "sat_upon"},
    {"tracking_number": "USPS-found-again", "event_time": "2026-11-20T09:00:00Z", "status": "in_transit", "lat": 137.8},
)

Files = dict[str, bytes]


def thor_and_odin() -> Files:
    """Enough of the one book in stock, none of the other."""
    told = deliveries.thor_and_odin()
    stock = ({"item_id": "book-runes", "available": 12}, {"item_id": "book-tigers", "available": 0})
    return _story(told) | {"stock.jsonl": json_lines(stock)}


def decaf_twice() -> Files:
    """The first night in `telemetry/`, the second in `second/`, the orders of both."""
    second = {f"second/{name}": content for name, content in _telemetry(deliveries.decaf_again()).items()}
    stock = json_lines([{"item_id": "coffee-decaf", "available": 40}])
    return {
        **_story(deliveries.decaf_twice(), deliveries.decaf_orders()),
        **second,
        "stock.jsonl": stock,
        "as_of_second": AS_OF_SECOND,
    }


def late_parcels() -> Files:
    """All three forms of tracking."""
    return _story(deliveries.late_parcels())


def never_scanned() -> Files:
    """One item can be sent again, of the other nobody knows how many there are."""
    return _story(deliveries.never_scanned()) | {"stock.jsonl": json_lines([{"item_id": "item-lamp", "available": 3}])}


def refused_by_customer() -> Files:
    """Nothing in stock is counted: what is owed is money."""
    return _story(deliveries.refused_by_customer())


def depot_on_fire() -> Files:
    """Three hundred parcels, packed."""
    files = _story(deliveries.depot_on_fire())
    return files | {"telemetry/scans.jsonl.gz": gzip.compress(files.pop("telemetry/scans.jsonl"), mtime=0)}


def retracted_scan() -> Files:
    """With scans, orders and a customer that cannot be right."""
    files = _story(deliveries.retracted_scan())
    orders = files["orders.jsonl"].splitlines(keepends=True)
    impossible_day = orders[0].replace(b"found-again", b"bad-day").replace(b"2026-11-24", b"2026-02-30")
    negative = orders[0].replace(b"found-again", b"bad-sum").replace(b'"amount_minor": 2400', b'"amount_minor": -2400')
    known = files["customers.jsonl"].splitlines(keepends=True)
    return files | {
        "telemetry/strange.jsonl": json_lines(STRANGE_SCANS),
        "orders.jsonl": b"".join([*orders, impossible_day, negative]),
        "customers.jsonl": b"".join(line for line in known if b"customer-nobody" not in line),
    }


MADE: Final = (
    thor_and_odin,
    decaf_twice,
    late_parcels,
    never_scanned,
    refused_by_customer,
    depot_on_fire,
    retracted_scan,
)


def _story(told: Mapping[str, deliveries.Sales], sales: Iterable[Sale] | None = None) -> Files:
    """Everything that one night reads; `sales` are those that were ordered, if more than those that were told of."""
    by_name = {sale.name: sale for sale in (sales or chain.from_iterable(told.values()))}
    telemetry = {f"telemetry/{name}": content for name, content in _telemetry(told).items()}
    buyers = {sale.customer: sale for sale in reversed(by_name.values())}
    return telemetry | {
        "as_of": AS_OF,
        "orders.jsonl": json_lines(map(_order, by_name.values())),
        "customers.jsonl": json_lines(_customer(name, sale) for name, sale in sorted(buyers.items())),
    }


def _telemetry(told: Mapping[str, deliveries.Sales]) -> Files:
    forms = ((FORMS[form], sales) for form, sales in told.items() if form in FORMS)
    return {name: write(sales) for (name, write), sales in forms}


def _order(sale: Sale) -> Mapping[str, object]:
    lat, lon = sale.address
    parcel = {"tracking_number": sale.tracking_number, "carrier": sale.carrier} if sale.shipped else {}
    return {
        "order_line_id": f"line-{sale.name}",
        "order_id": f"order-{sale.name}",
        "customer_id": f"customer-{sale.customer}",
        "kind": "goods",
        "item_id": sale.item,
        "title": sale.title,
        "amount_minor": sale.amount_minor,
        "shipping_minor": sale.shipping_minor,
        "currency": sale.currency,
        "payment_id": f"payment-{sale.name}",
        "purchased_at": sale.bought,
        "promised_date": sale.promised,
        **parcel,
        "ship_to": {"country": sale.country, "lat": lat, "lon": lon},
    }


def _customer(name: str, sale: Sale) -> Mapping[str, object]:
    return {
        "customer_id": f"customer-{name}",
        "email": f"{name}@example.com",
        "name": f"Recipient {name}",
        "locale": sale.locale,
        "timezone": sale.timezone,
        "voice": sale.voice,
    }
