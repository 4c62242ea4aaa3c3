"""Hostile texts in everything that others fill: one recipient, no active HTML, and nothing that leaves its line.

A whole night runs through the real command line, in which every customer is another attack.
`MAKEGOOD_PROVE=release` tries 3,000; `-s` prints what came of them.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, func, select

from remediation.database import open_ledger
from remediation.ledger.tables import CUSTOMERS, GRANTS, MAILS, ORDER_LINES, REMEDIES
from remediation.report.explain import explain
from tests.prove.figures import sized, tell
from tests.prove.payloads import AS_OF, FORGED, PRODUCT, THIEF, Attack, attacked, attacks
from tests.prove.spoken import makegood

COUNT: Final = sized(300, 3_000, taste=30)

HEADERS: Final = Counter(
    [
        *("From", "To", "Reply-To", "Subject", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "Content-Language"),
    ]
)
PARTS: Final = ["multipart/alternative", "text/plain", "text/html"]
LONGEST_LINE: Final = 998
"""Bytes; RFC 5322."""
ELEMENTS: Final = frozenset(
    {
        *("html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section", "article"),
        *("div", "span", "p", "br", "h1", "h2", "h3", "h4", "dl", "dt", "dd", "pre", "code", "strong", "b", "bdi"),
        *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"),
        *("nav", "ul", "li", "a", "figure", "figcaption", "svg", "desc", "g", "path", "text"),
    }
)
ATTRIBUTES: Final = frozenset(
    {
        *("align", "border", "cellpadding", "cellspacing", "width", "class", "style", "id", "role", "scope", "open"),
        *("aria-label", "aria-labelledby", "charset", "content", "dir", "http-equiv", "lang", "name", "tabindex"),
        *("href", "viewbox", "height", "transform", "d", "fill", "font-size", "text-anchor", "data-css-inline"),
    }
)
OUTLOOK: Final = re.compile(r"\[if mso\]>(<table [a-z0-9 =\"]+><tr><td width=\"560\">|</td></tr></table>)<!\[endif\]")
"""The layout's own comments, the only ones: Outlook knows no greatest width."""
ACTIVE_STYLE: Final = re.compile(r"url\(|expression|@import|javascript:|-moz-binding", re.IGNORECASE)
STEERS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e")
MARKS: Final = frozenset("\u200e\u200f\u061c")
"""Of use in a line of Arabic, where the figures of the locale have them; in any other line only a trick."""
ARABIC: Final = re.compile(r"[\u0621-\u064a]")


class Page(HTMLParser):
    """What a page holds that could act, as sentences; what it says, as text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.active: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag not in ELEMENTS:
            self.active.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES or ACTIVE_STYLE.search(value or ""):
                self.active.append(f"<{tag} {name}={value!r}>")
            if name == "http-equiv" and value != "Content-Security-Policy":
                self.active.append(f"<{tag} {name}={value!r}>")
            if name == "href" and not re.fullmatch(r"#[a-z_-]+", value or ""):
                self.active.append(f"<{tag} {name}={value!r}>")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style" and ACTIVE_STYLE.search(data):
            self.active.append(data)
        self.text += data

    def handle_comment(self, data: str) -> None:
        if not OUTLOOK.fullmatch(data):
            self.active.append(f"<!--{data}-->")

    def handle_pi(self, data: str) -> None:
        self.active.append(f"<?{data}>")


@dataclass(frozen=True)
class Night:
    """What a night of attacks left behind."""

    attacks: list[Attack]
    folder: Path
    ledger: str
    out: Path
    said: str

    @property
    def mails(self) -> dict[str, bytes]:
        """By remedy."""
        return {path.stem: path.read_bytes() for path in sorted((self.out / "mail").glob("*.eml"))}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("attacked")
    every = attacks(COUNT)
    attacked(every).write(folder)
    ledger, out = f"sqlite:///{folder / 'ledger.db'}", folder / "out"
    sources = [f"--{name}={folder / name}.jsonl" for name in ("orders", "customers", "grants")]
    moment = f"--as-of={datetime.fromtimestamp(AS_OF / 1_000, UTC).isoformat()}"
    begun = [f"--telemetry={folder / 'telemetry'}", *sources, moment, f"--ledger={ledger}", f"--out={out}"]
    commands = (
        ["nightly", *begun],
        ["review", "list", f"--ledger={ledger}"],
        ["tickets", "list", f"--ledger={ledger}"],
    )
    said = [makegood(*command) for command in commands]
    assert [each.code for each in said] == [0, 0, 0], [each.err for each in said]
    return Night(every, folder, ledger, out, "\n".join(each.everything for each in said))


@pytest.fixture(scope="module")
def ledger(night: Night) -> Iterator[Engine]:
    engine = open_ledger(night.ledger)
    yield engine
    engine.dispose()


def test_nothing_is_lost(night: Night, ledger: Engine) -> None:
    """Each row is in the ledger, or a reject says on which line it stood and why, and never what it held."""
    rejects = [json.loads(line) for line in (night.out / "rejects.jsonl").read_text().splitlines()]
    for name, table in (("orders", ORDER_LINES), ("customers", CUSTOMERS), ("grants", GRANTS)):
        source = night.folder / f"{name}.jsonl"
        lines = source.read_text().splitlines()
        refused = {each["line"] for each in rejects if each["source"] == str(source)}
        assert refused <= set(range(1, len(lines) + 1))
        with ledger.connect() as connection:
            kept = connection.execute(select(func.count()).select_from(table)).scalar_one()
        assert kept + len(refused) == len(lines), name
        tell(f"injection: {len(lines):,} {name}, {kept:,} kept, {len(refused):,} rejected")
    assert THIEF not in json.dumps(rejects)
    assert FORGED not in json.dumps(rejects)


def test_every_mail_has_one_recipient_and_no_active_html(night: Night, ledger: Engine) -> None:
    """Read by another reader than the one that guards it."""
    addresses = recipients_of(ledger)
    for remedy_id, wire in night.mails.items():
        assert wire.isascii()
        assert b"\0" not in wire
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)
        assert max(map(len, wire.split(b"\r\n"))) <= LONGEST_LINE
        message = message_from_bytes(wire, policy=default)
        assert Counter(message.keys()) == HEADERS
        assert [each.addr_spec for each in message["To"].addresses] == [addresses[remedy_id]]
        assert not steering(message["Subject"])
        assert [part.get_content_type() for part in message.walk()] == PARTS
        text, page = (part.get_content() for part in list(message.walk())[1:])
        assert Page(page).active == []
        assert PRODUCT not in text + page + message["Subject"]
        assert not steering(text)
        assert not forged(text)
    # Only an address that has no form in seven bits keeps a mail from being written: never what the mail says.
    assert {remedy for remedy, address in addresses.items() if address.isascii()} == night.mails.keys()
    assert len(night.mails) > COUNT // 2
    tell(f"injection: {len(night.mails):,} mails to one recipient each, none with active HTML")


def test_the_report_is_quiet(night: Night) -> None:
    page = (night.out / "report.html").read_text(encoding="utf-8")
    read = Page(page)
    assert read.active == []
    assert PRODUCT not in page
    assert not steering(page)
    assert not forged(read.text)
    assert len(page) > COUNT * 100


def test_every_line_of_a_table_is_one_record(night: Night) -> None:
    for path in sorted(night.out.glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            assert isinstance(json.loads(line), dict)
            assert not re.search(rb"[\x00-\x1f\x7f]", line)


def test_nothing_that_is_said_leaves_its_line_or_steers_a_terminal(night: Night, ledger: Engine) -> None:
    """On the terminal, and in the story of every order line."""
    with ledger.connect() as connection:
        lines = connection.scalars(select(ORDER_LINES.c.order_line_id)).all()
    stories = [explain(ledger, line).as_text() for line in lines]
    for said in (night.said, *stories):
        assert not steering(said)
        assert not forged(said)
        assert PRODUCT not in said
    tell(f"injection: {len(stories):,} stories told")


def recipients_of(ledger: Engine) -> dict[str, str]:
    """By remedy that has a mail, the address of its customer as it was imported."""
    query = (
        select(MAILS.c.remedy_id, CUSTOMERS.c.email)
        .join(REMEDIES, REMEDIES.c.remedy_id == MAILS.c.remedy_id)
        .join(CUSTOMERS, CUSTOMERS.c.customer_id == REMEDIES.c.customer_id)
    )
    with ledger.connect() as connection:
        return {row.remedy_id: row.email for row in connection.execute(query)}


def steering(text: str) -> list[str]:
    """Characters within lines that would steer a terminal, break a line or turn the text around."""
    lines = re.split(r"\r?\n", text)
    return [each for line in lines for each in line if _steers(each) or (each in MARKS and not ARABIC.search(line))]


def _steers(character: str) -> bool:
    return character in TURNS or unicodedata.category(character) in STEERS


def forged(text: str) -> bool:
    """Whether some line looks as if we had said what others did."""
    return any(line.strip().startswith(FORGED) for line in text.splitlines())
