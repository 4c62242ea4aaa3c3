"""A night in which everybody was let down, and everybody's records hold a text that wants to be more than text."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Final

from tests.prove.corpus import Case
from tests.support.stories import EVENING, MINUTE, SECOND
from tests.support.viewing import a_viewing

Record = dict[str, object]

AS_OF: Final = "2026-11-22T06:00:00Z"
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

WATCHED: Final = (
    *("title", "title by locale", "order_id", "order_line_id", "customer_id", "item_id", "payment_id", "session_id"),
    *("email", "name", "timezone", "locale", "app_version", "device", "cdn", "isp", "player", "error_code"),
    *("field name", "voice"),
)
SENT: Final = (
    "goods title",
    "tracking_number",
    "carrier",
    "scan carrier",
    "depot",
    "contact_id",
    "language",
    "told voice",
)
PLACES: Final = (*WATCHED, *SENT)

_LOCALES: Final = cycle(("en-US", "ja-JP", "ar", "de-CH", "he"))
_VOICES: Final = cycle(("plain", "warm", "playful"))


@dataclass
class Victim:
    """One customer with one order line, and all that is known of the evening or the parcel."""

    number: int
    case: Case
    order: Record = field(default_factory=dict)
    customer: Record = field(default_factory=dict)
    grant: Record | None = None
    telemetry: list[Record] = field(default_factory=list)

    @property
    def line(self) -> str:
        return str(self.order["order_line_id"])


def victims(cases: Sequence[Case]) -> list[Victim]:
    return [_sent(number, case) if case.place in SENT else _watched(number, case) for number, case in enumerate(cases)]


def _customer(number: int, case: Case) -> Record:
    customer: Record = {
        "customer_id": f"customer-{number}",
        "email": f"victim-{number}@example.com",
        "name": f"Victim {number}",
        "locale": next(_LOCALES),
        "timezone": "Europe/Paris",
        "voice": next(_VOICES),
    }
    return customer | ({case.place: case.text} if case.place in customer else {})


def _order(number: int, **fields: object) -> Record:
    return {
        "order_line_id": f"line-{number}",
        "order_id": f"order-{number}",
        "customer_id": f"customer-{number}",
        "item_id": f"film-{number}",
        "title": f"Film {number}",
        "amount_minor": 299,
        "currency": "USD",
        "purchased_at": EVENING - HOUR,
        **fields,
    }


def _watched(number: int, case: Case) -> Victim:
    """A film that stood still for 24 seconds of three minutes."""
    victim = Victim(number, case, _order(number, kind="rental"), _customer(number, case))
    viewing = a_viewing(f"session-{number}", EVENING + number * SECOND, customer_id=f"customer-{number}")
    viewing.starts().plays(MINUTE).stalls(24 * SECOND).plays(MINUTE).says("ended")
    extra: Record = {"content_id": f"film-{number}"}
    if case.place in ("app_version", "device", "cdn", "isp", "player", "error_code"):
        extra[case.place] = case.text
    if case.place == "field name":
        extra[case.text] = 1
    victim.telemetry = [json.loads(beacon.line()) | extra for beacon in viewing.beacons]
    victim.grant = {
        "session_id": f"session-{number}",
        "customer_id": f"customer-{number}",
        "order_line_id": f"line-{number}",
        "granted_at": EVENING,
    }
    _named(victim)
    if case.place == "title":
        victim.order["title"] = case.text
    elif case.place == "title by locale":
        victim.order["title"] = {str(victim.customer["locale"]): case.text, "en": f"Film {number}"}
    elif case.place == "payment_id":
        victim.order["payment_id"] = case.text
    return victim


def _named(victim: Victim) -> None:
    """The id under attack is the same wherever it stands."""
    place, text = victim.case.place, f"{victim.case.text}{victim.number}"
    fields = {"item_id": ("item_id", "content_id")}.get(place, (place,))
    if place in ("order_id", "order_line_id", "customer_id", "item_id", "session_id"):
        for record in (victim.order, victim.customer, victim.grant or {}, *victim.telemetry):
            for name in fields:
                if name in record:
                    record[name] = text


def _sent(number: int, case: Case) -> Victim:
    """A lamp that came four days late, and of which half of the customers say that it was broken."""
    parcel = f"1Z-{number}"
    order = _order(number, kind="goods", title=f"Lamp {number}", promised_date="2026-11-17", tracking_number=parcel)
    victim = Victim(number, case, order, _customer(number, case))
    order |= {"carrier": "usps", "purchased_at": EVENING - 9 * DAY, "shipping_minor": 99, "ship_to": {"country": "FR"}}
    scan: Record = {"tracking_number": parcel, "carrier": "usps", "depot": "RENO, NV"}
    contact: Record = {
        "contact_id": f"contact-{number}",
        "customer_id": f"customer-{number}",
        "order_line_id": f"line-{number}",
        "event_time": EVENING + number,
        "topic": "damaged",
        "language": "ja",
        "voice": "warm",
    }
    for place, record, name in (
        ("goods title", order, "title"),
        ("carrier", order, "carrier"),
        ("scan carrier", scan, "carrier"),
        ("depot", scan, "depot"),
        ("contact_id", contact, "contact_id"),
        ("language", contact, "language"),
        ("told voice", contact, "voice"),
    ):
        if case.place == place:
            record[name] = case.text
    if case.place == "tracking_number":
        order["tracking_number"] = scan["tracking_number"] = f"{case.text}{number}"
    victim.telemetry = [
        scan | {"event_time": EVENING - 6 * DAY + number, "status": "in_transit"},
        scan | {"event_time": EVENING - 10 * HOUR + number, "status": "delivered"},
        *([contact] if number % 2 or case.place in ("contact_id", "language", "told voice") else []),
    ]
    return victim


@dataclass(frozen=True)
class Folder:
    """Where a night's files lie."""

    path: Path

    @property
    def arguments(self) -> Iterator[str]:
        """What the command line is given of them."""
        yield from ("--telemetry", str(self.path / "telemetry"))
        for role, names in _BOOKS.items():
            yield from (f"--{role}", *(str(self.path / name) for name in names))


_BOOKS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("orders.jsonl", "orders.csv"),
    "customers": ("customers.jsonl", "customers.csv"),
    "grants": ("grants.jsonl", "grants.csv"),
}


def written(all_of_them: Sequence[Victim], path: Path, file_names: Sequence[str]) -> Folder:
    """The night as files: every second victim's order book as tables, telemetry in files of odd names."""
    (path / "telemetry").mkdir()
    lines = [json.dumps(record) for victim in all_of_them for record in victim.telemetry]
    (path / "telemetry/night.jsonl").write_text("\n".join(lines) + "\n")
    for number, name in enumerate(file_names):
        odd = {"session_id": f"odd-{number}", "event_time": EVENING}
        (path / "telemetry" / name).write_text(f"{json.dumps(odd)}\n{json.dumps(odd | {'stall_ms': -1})}\n")
    of_role: dict[str, list[Record | None]] = {
        "orders": [victim.order for victim in all_of_them],
        "customers": [victim.customer for victim in all_of_them],
        "grants": [victim.grant for victim in all_of_them],
    }
    for role, records in of_role.items():
        known = [record for record in records if record is not None]
        tables = [record for record in known[::2] if _fits_a_table(record)]
        plain = [record for record in known if record not in tables]
        (path / f"{role}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in plain))
        (path / f"{role}.csv").write_text(_table(tables), newline="")
    return Folder(path)


def _fits_a_table(record: Record) -> bool:
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return all(value != "" for value in record.values())


def _table(records: Sequence[Record]) -> str:
    flat = [
        {
            f"{name}_json" if isinstance(value, dict) else name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in record.items()
        }
        for record in records
    ]
    table = io.StringIO()
    writer = csv.DictWriter(table, list(dict.fromkeys(name for record in flat for name in record)))
    writer.writeheader()
    writer.writerows(flat)
    return table.getvalue()
