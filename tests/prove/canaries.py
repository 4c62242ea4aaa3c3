"""Personal data that nobody else has, planted where it belongs and where it does not."""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.prove.payloads import AS_OF, DAY
from tests.support.stories import HOUR


@dataclass(frozen=True)
class Canary:
    """One person, who can be told from all others by each of five things."""

    number: int

    @property
    def word(self) -> str:
        """What stands in name, address, e-mail address and message, in small letters."""
        return f"kanary{self.number:05}q"

    @property
    def digits(self) -> str:
        """What stands in the telephone number."""
        return f"77{self.number:05}31"

    @property
    def texts(self) -> tuple[str, ...]:
        name = self.word.title()
        return (
            f"{name} Lund",
            f"{self.word}@secret.example",
            f"+49 30 {self.digits}",
            f"{name}strasse 7, 10115 Berlin",
            f"Hello, this is {name}; where is my parcel?",
        )

    def sings_in(self, said: str) -> bool:
        """Whether anything of it stands there; `said` is in small letters."""
        return self.word in said or self.digits in said


Row = Mapping[str, Any]

_ORDER: Final[Row] = {
    "order_line_id": "OL-{}",
    "order_id": "O-{}",
    "customer_id": "C-{}",
    "kind": "goods",
    "item_id": "tea",
    "title": "Tea",
    "amount_minor": 399,
    "currency": "USD",
    "purchased_at": AS_OF - 5 * DAY,
}
_SCAN: Final[Row] = {"tracking_number": "T-{}", "carrier": "usps", "event_time": AS_OF - DAY, "status": "picked_up"}
_CHECKPOINT: Final[Row] = {"slug": "usps", "tag": "InTransit", "checkpoint_time": "2026-11-20T18:00:00Z"}
_DETAIL: Final[Row] = {"object": "TrackingDetail", "status": "in_transit", "datetime": "2026-11-20T18:00:00Z"}

ROWS: Final[Mapping[str, Row]] = {
    "orders.jsonl": _ORDER,
    "customers.jsonl": {"customer_id": "C-{}", "email": "c-{}@example.com"},
    "grants.jsonl": {"session_id": "S-{}", "customer_id": "C-{}", "order_line_id": "OL-{}", "granted_at": AS_OF - DAY},
    "stock.jsonl": {"item_id": "tea-{}", "available": 3},
    "telemetry/beacons.jsonl": {"session_id": "S-{}", "event_time": AS_OF - DAY, "state": "playing"},
    "telemetry/reports.jsonl": {"received_at": AS_OF - DAY, "mode": "event", "cmcd": 'e=ps,sid="S-{}",sta=p,v=2'},
    "telemetry/access.jsonl": {"t": AS_OF - DAY, "t_end": AS_OF - DAY + 9, "rawUrl": "/a?CMCD=sid%3D%22S-{}%22"},
    "telemetry/scans.jsonl": _SCAN,
    "telemetry/contacts.jsonl": {
        "contact_id": "K-{}",
        "customer_id": "C-{}",
        "order_line_id": "OL-{}",
        "event_time": AS_OF - HOUR,
        "topic": "not_received",
    },
    "telemetry/easypost.jsonl": {
        "id": "trk-{}",
        "object": "Tracker",
        "tracking_code": "T-{}",
        "status": "in_transit",
        "carrier": "USPS",
        "tracking_details": [_DETAIL],
    },
    "telemetry/aftership.jsonl": {
        "event": "tracking_update",
        "msg": {"tracking_number": "T-{}", "slug": "usps", "tag": "InTransit", "checkpoints": [_CHECKPOINT]},
    },
}
"""By file, a row that is as it should be; `{}` is filled with the row's number."""

BESIDE: Final = (
    *("name", "email", "phone", "address", "text", "message", "note", "signed_by", "street", "subject", "recipient"),
    *("customer.name", "to", "comment", "user_agent", "ip"),
)
"""Names of fields that no format of ours has, or that are not read."""

CLOSED: Final[Mapping[str, tuple[str, ...]]] = {
    "orders.jsonl": (
        *("kind", "quantity", "amount_minor", "shipping_minor", "currency", "purchased_at", "available_until"),
        *("promised_date", "ship_to"),
    ),
    "customers.jsonl": ("locale", "voice", "timezone"),
    "grants.jsonl": ("granted_at",),
    "stock.jsonl": ("available",),
    "telemetry/beacons.jsonl": (
        *("event_time", "received_at", "sequence", "state", "position_ms", "playback_rate", "bitrate_kbps", "height"),
        *("frame_rate", "buffer_ms", "stall_ms", "fatal", "background", "ad"),
    ),
    "telemetry/reports.jsonl": ("received_at", "mode", "cmcd"),
    "telemetry/access.jsonl": ("t", "t_end", "rawUrl", "status"),
    "telemetry/scans.jsonl": ("event_time", "status", "reason", "proof", "lat", "lon", "promised_at"),
    "telemetry/contacts.jsonl": ("event_time", "topic", "language", "voice"),
    "telemetry/easypost.jsonl": ("status", "tracking_details", "est_delivery_date", "object"),
    "telemetry/aftership.jsonl": ("event", "msg"),
}
"""Fields that hold a figure, a time or a word of a list: what else stands there is shown to nobody."""


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


Spoil = Callable[[Row, str, str], bytes]

WAYS: Final[Mapping[str, Spoil]] = {
    "a name of its own": lambda row, _, text: _line({**row, text: 1}),
    "broken off": lambda row, _, text: _line({**row, "note": text})[:-3] + b"\n",
    "no JSON": lambda _row, _, text: f"{text}\n".encode(),
    "twice": lambda row, first, text: (
        _line(row)[:-2] + f', "{first}": {json.dumps(text)}, "{first}": {json.dumps(text)}}}\n'.encode()
    ),
    "not UTF-8": lambda row, first, text: _line({**row, first: text})[:-3] + b'\xff"}\n',
    "a control character": lambda row, first, text: _line({**row, first: f"{text}\x07"}),
    "too long": lambda row, first, text: _line({**row, first: text * 100}),
    "a list": lambda row, first, text: _line({**row, first: [text]}),
    "an object": lambda row, first, text: _line({**row, first: {text: text}}),
    "within a record": lambda row, _, text: _line({"record": row, "note": text}),
    "a line after it": lambda row, _, text: _line(row) + f"{text}\n".encode(),
}
"""What is done to a row with its first field, which is an id, and a text."""


@dataclass(frozen=True)
class Plant:
    """One thing of one person in one row of one file."""

    canary: Canary
    file: str
    way: str
    what: int

    @property
    def lines(self) -> bytes:
        """The row, and whatever comes of it."""
        text = self.canary.texts[self.what]
        row = json.loads(json.dumps(ROWS[self.file]).replace("{}", str(self.canary.number)))
        if self.way in WAYS:
            return WAYS[self.way](row, next(iter(row)), text)
        return _line({**row, self.way: text})


def plants(count: int, seed: int = 1_942) -> list[Plant]:
    """So many different ones, the same for every run: of every way and every file one, then others."""
    every = [
        (file, way, what)
        for file, closed in CLOSED.items()
        for way, what in itertools.product((*WAYS, *BESIDE, *closed), range(5))
    ]
    random = Random(seed)  # noqa: S311 a reproducible choice
    random.shuffle(every)
    firsts = {each[place]: each for place in (1, 0) for each in every}
    chosen = list(dict.fromkeys([*firsts.values(), *every]))[:count]
    return [Plant(Canary(number), *each) for number, each in enumerate(chosen)]


def planted(folder: Path, every: Iterable[Plant]) -> None:
    """Written beside what stands in the folder's files; a new file begins with a row that says what it is."""
    for name, row in ROWS.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(_line(row))
    for plant in every:
        with (folder / plant.file).open("ab") as file:
            file.write(plant.lines)
