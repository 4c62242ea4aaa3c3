"""Writes the invented fixtures anew: `python -m tests.support.make_fixtures`.

The stories are in `stories.py` and, of parcels, in `deliveries.py`; here and in
`make_deliveries.py` they become files. Only `casablanca_night`, which was recorded,
and every `expected/`, which was written by hand, are left alone.
"""

import io
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl
import zstandard

from tests.support import make_deliveries, stories
from tests.support.stories import DAY, EVENING, HOUR, MINUTE, Visit
from tests.support.viewing import Beacon

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
BATCH: Final = 7  # beacons that a player sends at once, where batches matter
AS_OF: Final = b"2026-11-22T06:00:00Z\n"
AS_OF_LATE: Final = b"2026-11-23T06:00:00Z\n"

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Price:
    """What a visitor paid for the film, and how the visitor reads and lives."""

    amount_minor: int = 399
    currency: str = "USD"
    locale: str = "en-US"
    timezone: str = "America/New_York"


PRICES: Final = {
    "usd": Price(299),
    "jpy": Price(500, "JPY", "ja-JP", "Asia/Tokyo"),
    "kwd": Price(1_250, "KWD", "en-GB", "Asia/Kuwait"),
    "eur": Price(399, "EUR", "de-DE", "Europe/Berlin"),
    "anna": Price(300, "GBP", "en-GB", "Europe/London"),
    "ben": Price(300, "GBP", "en-GB", "Europe/London"),
    "chie": Price(500, "JPY", "ja-JP", "Asia/Tokyo"),
    "dora": Price(400, "EUR", "de-DE", "Europe/Berlin"),
    "elena": Price(400, "EUR", "es-ES", "Europe/Madrid"),
    "farid": Price(1_000, "USD", "ar-EG", "Africa/Cairo"),
}


def healthy_day() -> Files:
    """Half of the evening as JSON Lines under zstd, the other half as Parquet."""
    visits = stories.healthy_day()
    return {
        "telemetry/beacons-1.jsonl.zst": zstandard.ZstdCompressor(level=19).compress(_lines(_arrived(visits[::2]))),
        "telemetry/beacons-2.parquet": _parquet(_arrived(visits[1::2])),
        **_books(visits),
    }


def duplicate_beacons() -> Files:
    """Every batch twice: the second file repeats the first one's batches, last batch first."""
    visits = stories.sent_twice()
    beacons = _arrived(visits)
    batches = [beacons[start : start + BATCH] for start in range(0, len(beacons), BATCH)]
    once = chain.from_iterable(batches[1::2] + batches[::2])
    return {
        "telemetry/beacons.jsonl": _lines(once),
        "telemetry/beacons-again.jsonl": _lines(chain.from_iterable(reversed(batches))),
        **_books(visits),
    }


def truncated_file() -> Files:
    """A spoilt visit in whole files, and two files that broke off: a gzip stream and a Parquet file."""
    visits = stories.sent_twice()
    spoilt, neighbour = (visit.beacons for visit in visits)
    half = len(neighbour) // 2
    return {
        "telemetry/whole.jsonl": _lines(spoilt),
        "telemetry/broke-off.jsonl.gz": _broken_gzip(_lines(neighbour[:half]), _lines(neighbour[half:])),
        "telemetry/broke-off.parquet": _parquet(neighbour)[:-200],
        **_books(visits),
    }


def two_currencies() -> Files:
    """The same failure, paid in currencies with no, two and three decimals."""
    visits = stories.four_currencies()
    return {"telemetry/beacons.jsonl": _lines(_arrived(visits)), **_books(visits)}


def rerun() -> Files:
    """The night's beacons in `telemetry/`, and in `late/` what arrived after its run."""
    first, late = stories.slow_then_spoilt()
    return {
        "telemetry/beacons.jsonl": _lines(_arrived(first)),
        "late/beacons.jsonl": _lines(_arrived(late)),
        "as_of_late": AS_OF_LATE,
        **_books(first),
    }


def goodwill_or_not() -> Files:
    """The night; then what was replied a week later, by order line, and what was bought in the weeks after."""
    visits = stories.six_without_a_film()
    asked = EVENING + 9 * DAY
    scores = {"anna": 10, "chie": 9, "elena": 6, "ben": 7, "dora": 3}
    bought = {"anna": 10, "dora": 40, "somebody-else": 60}
    later = [
        {**_order(name, Price(), EVENING + days * DAY), "order_id": f"again-{name}"} for name, days in bought.items()
    ]
    for order in later:
        order["order_line_id"] = f"{order['order_line_id']}-again"
        del order["available_until"]
    replies = (f"line-{name},{score},{_rfc3339(asked)}" for name, score in scores.items())
    return {
        "telemetry/beacons.jsonl": _lines(_arrived(visits)),
        "later/orders.jsonl": _json_lines(later),
        "later/answers.csv": "\n".join(("order_line_id,score,answered_at", *replies, "")).encode(),
        "later/unsubscribed.csv": f"order_line_id,unsubscribed_at\nline-dora,{_rfc3339(asked + HOUR)}\n".encode(),
        **_books(visits),
    }


MADE: Final = (
    healthy_day,
    duplicate_beacons,
    truncated_file,
    two_currencies,
    rerun,
    goodwill_or_not,
    *make_deliveries.MADE,
)


def made() -> Files:
    """Every file by its path below `fixtures/`."""
    return {f"{story.__name__}/{path}": content for story in MADE for path, content in story().items()}


def _arrived(visits: Sequence[Visit]) -> list[Beacon]:
    beacons = chain.from_iterable(visit.beacons for visit in visits)
    return sorted(beacons, key=lambda beacon: (beacon.received_at, beacon.session_id, beacon.sequence))


def _lines(beacons: Iterable[Beacon]) -> bytes:
    return b"".join(beacon.line() for beacon in beacons)


def _parquet(beacons: Iterable[Beacon]) -> bytes:
    frame = pl.DataFrame([asdict(beacon) for beacon in beacons], infer_schema_length=None)
    file = io.BytesIO()
    frame.select(column.name for column in frame if column.null_count() < frame.height).write_parquet(file)
    return file.getvalue()


def _broken_gzip(kept: bytes, lost: bytes) -> bytes:
    """A gzip stream of both that ends three bytes into the second part's own block: the first part can be read."""
    packer = zlib.compressobj(level=9, wbits=16 + zlib.MAX_WBITS)
    whole_block = packer.compress(kept) + packer.flush(zlib.Z_FULL_FLUSH)
    return whole_block + (packer.compress(lost) + packer.flush())[:3]


def _books(visits: Sequence[Visit]) -> Files:
    """Who ordered what, one customer, one rental and one grant a visit."""
    visitors = [(visit, PRICES.get(visit.name, Price()), min(b.event_time for b in visit.beacons)) for visit in visits]
    return {
        "as_of": AS_OF,
        "orders.jsonl": _json_lines(_order(visit.name, price, at) for visit, price, at in visitors),
        "customers.jsonl": _json_lines(_customer(visit.name, price) for visit, price, _ in visitors),
        "grants.jsonl": _json_lines(
            {
                "session_id": visit.session_id,
                "customer_id": f"customer-{visit.name}",
                "order_line_id": f"line-{visit.name}",
                "granted_at": _rfc3339(at - 1_000),
            }
            for visit, _, at in visitors
        ),
    }


def _order(name: str, price: Price, at: int) -> Mapping[str, str | int]:
    return {
        "order_line_id": f"line-{name}",
        "order_id": f"order-{name}",
        "customer_id": f"customer-{name}",
        "kind": "rental",
        "item_id": f"film-{name}",
        "title": "The Long Evening",
        "amount_minor": price.amount_minor,
        "currency": price.currency,
        "payment_id": f"payment-{name}",
        "purchased_at": _rfc3339(at - 5 * MINUTE),
        "available_until": _rfc3339(EVENING + 48 * HOUR),
    }


def _customer(name: str, price: Price) -> Mapping[str, str | int]:
    return {
        "customer_id": f"customer-{name}",
        "email": f"{name}@example.com",
        "name": f"Visitor {name}",
        "locale": price.locale,
        "timezone": price.timezone,
    }


def _rfc3339(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1_000, UTC).isoformat().replace("+00:00", "Z")


def _json_lines(records: Iterable[Mapping[str, str | int]]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def main() -> None:
    """Write every made file below `fixtures/`."""
    for path, content in made().items():
        target = FIXTURES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    main()
