"""Hands that forge what a player reports, and the service that they try it on.

Everything goes the way of a night without Beam around it: bytes are decoded,
become sessions and findings, are bound to orders, decided and recorded.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Final
from urllib.parse import quote

import msgspec
import polars as pl
from sqlalchemy import Engine, select

from detectors.playback.failures import findings
from detectors.playback.sessions import sessionize
from detectors.telemetry.decode import decode
from detectors.telemetry.keys import KeyRing
from remediation.binding import bind
from remediation.imports import import_customers, import_grants, import_orders
from remediation.ledger.book import SqlBook
from remediation.ledger.budgets import Caps
from remediation.ledger.journal import record
from remediation.ledger.prints import record_prints
from remediation.ledger.run import Run
from remediation.ledger.tables import OUTBOX, REMEDIES
from remediation.orders import OrderKind
from remediation.policy.load import default_policy
from remediation.policy.model import Policy
from remediation.resolve import declined, resolve
from tests.detectors.playback.reference import Record
from tests.detectors.playback.visits import a_bad_visit
from tests.remediation.ledger.evenings import json_lines

EVENING: Final = 1_795_287_600_000  # 2026-11-21T19:00:00Z
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
PURCHASED: Final = EVENING - HOUR
TOLD: Final = [
    each.name for each in fields(Record) if each.name not in {"channel", "http_status", "transfer_ms", "signed"}
]
"""What a beacon holds."""

Forge = Callable[[list[Record], Random], list[Record]]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a real order that was really paid; another `item` is another order line of the same customer."""

    customer_id: str
    item: str = "film"
    kind: OrderKind = "rental"
    amount_minor: int = 399
    purchased_at: int = PURCHASED

    @property
    def line_id(self) -> str:
        return f"{self.item} of {self.customer_id}"

    @property
    def item_id(self) -> str:
        return self.line_id


@dataclass(frozen=True, slots=True)
class Request:
    """A line of the CDN's log: when the picture was asked for, how long that took, and what was in the buffer."""

    at: int
    took_ms: int
    buffer_ms: int

    def line(self, session_id: str) -> dict[str, object]:
        cmcd = quote(f'bl={self.buffer_ms},br=4500,ot=v,sid="{session_id}"', safe="")
        return {"t": self.at, "t_end": self.at + self.took_ms, "rawUrl": f"/seg.m4s?CMCD={cmcd}", "status": 200}


@dataclass(frozen=True, slots=True)
class Visit:
    """What is reported of one session, and whether the service had allowed it; `also` stands in every beacon."""

    account: Account
    records: list[Record]
    granted_at: int | None = None
    requests: tuple[Request, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def session_id(self) -> str:
        return self.records[0].session_id

    def lines(self) -> Iterator[bytes]:
        """Its beacons, which claim its account."""
        claims = {"customer_id": self.account.customer_id, "content_id": self.account.item_id}
        for each in self.records:
            told = {name: value for name in TOLD if (value := getattr(each, name)) is not None}
            yield msgspec.json.encode({**claims, **told, **self.also}) + b"\n"
        for request in self.requests:
            yield msgspec.json.encode(request.line(self.session_id)) + b"\n"


@dataclass(frozen=True, slots=True)
class Paid:
    """What came of some nights: remedies by state, and what goes out without a person."""

    states: Counter[str]
    remedies: tuple[tuple[str, str, int, int], ...]
    """Customer, state, minor units and the moment of the run of each."""

    @property
    def without_a_person(self) -> list[tuple[str, int, int]]:
        """Customer, minor units and moment of what nobody was asked about."""
        return [(customer, amount, as_of) for customer, state, amount, as_of in self.remedies if state == "approved"]


class Service:
    """A ledger with its orders, on which nights are made."""

    def __init__(self, ledger: Engine, policy: Policy | None = None, keys: KeyRing | None = None) -> None:
        self._ledger = ledger
        self._policy = policy or default_policy()
        self._keys = keys
        self.rejected: Counter[str] = Counter()

    def sells_to(self, accounts: Iterable[Account]) -> None:
        sold = list(accounts)
        customers: Iterator[dict[str, object]] = (
            {"customer_id": each.customer_id, "email": f"{each.customer_id}@example.com"} for each in sold
        )
        import_customers(self._ledger, json_lines(*customers), "customers.jsonl")
        orders = (
            {
                "order_line_id": each.line_id,
                "order_id": f"order of {each.line_id}",
                "customer_id": each.customer_id,
                "kind": each.kind,
                "item_id": each.item_id,
                "title": "Casablanca",
                "amount_minor": each.amount_minor,
                "currency": "USD",
                "payment_id": f"payment of {each.line_id}",
                "purchased_at": each.purchased_at,
            }
            for each in sold
        )
        import_orders(self._ledger, json_lines(*orders), "orders.jsonl")

    def night(self, visits: Iterable[Visit], as_of: int) -> None:
        """Decodes, judges, binds, decides and records what was reported."""
        came = list(visits)
        grants = (
            {
                "session_id": each.session_id,
                "customer_id": each.account.customer_id,
                "order_line_id": each.account.line_id,
                "granted_at": each.granted_at,
            }
            for each in came
            if each.granted_at is not None
        )
        import_grants(self._ledger, json_lines(*grants), "grants.jsonl")
        found = tuple(findings(sessionize(self._events(came), self._policy.playback).sessions, self._policy.playback))
        book = SqlBook(self._ledger)
        record_prints(self._ledger, as_of, found)
        bound = bind(found, book, as_of)
        decided = (*declined(found, bound.declined), *resolve(bound.findings, book, self._policy, as_of))
        run = Run(as_of, self._policy.sha256, "1", ())
        record(self._ledger, run, decided, Caps.of(self._policy))

    def _events(self, visits: Iterable[Visit]) -> pl.DataFrame:
        text = b"".join(line for visit in visits for line in visit.lines())
        blocks = list(decode(io.BytesIO(text), "night.jsonl", keys=self._keys))
        for block in blocks:
            outside = block.rejects.filter(pl.col("scope") != "field")
            self.rejected.update(outside["code"].to_list())
        return pl.concat([block.events for block in blocks], how="diagonal")

    def paid(self) -> Paid:
        """Everything so far; a refund or a mail that a sender could take is paid without a person."""
        columns = (REMEDIES.c.customer_id, REMEDIES.c.state, REMEDIES.c.amount, REMEDIES.c.as_of)
        loose = select(REMEDIES.c.customer_id).join(OUTBOX).where(OUTBOX.c.state != "held", REMEDIES.c.state == "held")
        with self._ledger.connect() as connection:
            rows = [(*row,) for row in connection.execute(select(*columns))]
            assert connection.execute(loose).all() == [], "a held remedy has something that may be sent"
        return Paid(Counter(state for _, state, _, _ in rows), tuple(rows))


def renamed(records: Iterable[Record], session_id: str) -> list[Record]:
    return [replace(each, session_id=session_id) for each in records]


def moved(records: Iterable[Record], by_ms: int) -> list[Record]:
    return [
        replace(
            r, event_time=r.event_time + by_ms, received_at=None if r.received_at is None else r.received_at + by_ms
        )
        for r in records
    ]


def plausible(seed: int, session_id: str, at: int = EVENING) -> list[Record]:
    """A bad evening as a player would tell it."""
    return a_bad_visit(seed, stalls=3 + seed % 6, session_id=session_id, at=at)


def all_low(records: list[Record], _: Random) -> list[Record]:
    """A picture that is far too low from beginning to end."""
    return [replace(each, bitrate_kbps=150.0, top_bitrate_kbps=6_000.0) for each in records]


def never_begins(records: list[Record], _: Random) -> list[Record]:
    """No picture at all, and an error."""
    first = replace(records[0], state="starting")
    end = replace(records[0], event_time=first.event_time + 25_000, sequence=1, state="failed", fatal=True)
    return [first, replace(end, error_code="network", received_at=(first.received_at or 0) + 25_000)]


def begins_late(records: list[Record], random: Random) -> list[Record]:
    """The picture comes after a long time."""
    wait = random.randint(11_000, 60_000)
    return [records[0], *moved(records[1:], wait)]


def as_it_is(records: list[Record], _: Random) -> list[Record]:
    """Stalls, as plausible as can be."""
    return records


def absurd(records: list[Record], random: Random) -> list[Record]:
    """The best rendition is beyond belief, so that every other is poor."""
    poor = all_low(records, random)
    return [*poor[:-1], replace(poor[-1], top_bitrate_kbps=9e8)]


def over_and_over(records: list[Record], _: Random) -> list[Record]:
    """The same minute, filled many times."""
    begun, sequence = records[0].event_time, range(len(records) * 4)
    return [
        replace(records[0], sequence=n, state=("playing", "stalled")[n % 2], event_time=begun + n % 6 * 10_000)
        for n in sequence
    ]


def hours_in_a_minute(records: list[Record], _: Random) -> list[Record]:
    """Well over half an hour of it, all received a minute after it began."""
    begun = records[0].event_time
    long = [each for part in range(9) for each in moved(records, part * 300_000)]
    return [replace(each, sequence=n, received_at=begun + 60_000) for n, each in enumerate(long)]


def tomorrow(records: list[Record], _: Random) -> list[Record]:
    """From the day after."""
    return moved(records, DAY)


def before_it_was_bought(records: list[Record], _: Random) -> list[Record]:
    """From the day before."""
    return moved(records, -DAY)


PLAUSIBLE: Final[tuple[Forge, ...]] = (as_it_is, all_low, never_begins, begins_late)
IMPOSSIBLE: Final[tuple[Forge, ...]] = (absurd, over_and_over, hours_in_a_minute, tomorrow, before_it_was_bought)
