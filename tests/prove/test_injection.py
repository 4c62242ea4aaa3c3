"""Texts that want to be more than text, in every field of a night: one recipient, no active page, no line of its own.

`MAKEGOOD_PROVE=release` tries 3,000 of them; `-s` prints what became of them.
"""

import json
import sqlite3
import sys
import unicodedata
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import pytest

from pipelines import cli
from pipelines.failures import sentence
from pipelines.settings import UsageError
from remediation.database import open_ledger
from remediation.notices.envelope import recipients
from remediation.report.explain import explain
from tests.prove.corpus import PAYLOADS, SUM, Case, cases
from tests.prove.figures import sized, tell
from tests.prove.markup import MAIL, REPORT, page
from tests.prove.victims import AS_OF, PLACES, Folder, Victim, victims, written

COUNT: Final = sized(300, 3_000)
HEADERS: Final = sorted(
    (
        "Auto-Submitted",
        "Content-Language",
        "Content-Type",
        "From",
        "MIME-Version",
        "Message-ID",
        "Reply-To",
        "Subject",
        "To",
    )
)
SENDER: Final = "service@makegood.example"
STEERING: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
ISOLATING: Final = frozenset("\u2068\u2069")
"""What a mail's text may hold: an isolate around a text that runs against its surroundings."""


@dataclass(frozen=True)
class Night:
    """What one run made of everything, and what it said meanwhile."""

    folder: Folder
    out: Path
    ledger: str
    victims: list[Victim]
    said: str

    def records(self, name: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.out / name).read_bytes().splitlines()]

    @property
    def mails(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted((self.out / "mail").iterdir())]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    path = tmp_path_factory.mktemp("injection")
    everybody = victims(cases(PLACES, COUNT))
    folder = written(everybody, path, _file_names())
    ledger = f"sqlite:///{path / 'ledger.db'}"
    said = _run("nightly", *folder.arguments, "--ledger", ledger, "--as-of", AS_OF, "--out", str(path / "out"))
    return Night(folder, path / "out", ledger, everybody, said)


def _run(*arguments: str) -> str:
    """What the command line says, on both of its streams; it must succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["makegood", *arguments])
        captured = _Said()
        patch.setattr(sys, "stdout", captured)
        patch.setattr(sys, "stderr", captured)
        code: object = None
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
    if code:
        raise AssertionError(captured.text)
    return captured.text


class _Said:
    """A stream that is no terminal and forgets nothing."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        return False


def _file_names() -> list[str]:
    texts = [text for family in PAYLOADS.values() for text in family]
    names = (f"{text[:60]}.jsonl" for text in texts if text.strip(". ") and not set(text) & set("/\0"))
    return [name for name in names if not any("\ud800" <= letter <= "\udfff" for letter in name) and name[0] != "."]


def steering(text: str, *, but: frozenset[str] = frozenset()) -> set[str]:
    """The characters that leave their line, steer a terminal or turn the text around."""
    return {
        character
        for character in text
        if character not in but and (unicodedata.category(character) in STEERING or character in TURNING)
    }


def test_every_text_was_tried_and_nobody_was_lost(night: Night) -> None:
    tried = Counter(victim.case.place for victim in night.victims)
    rejected = Counter(str(reject["code"]) for reject in night.records("rejects.jsonl") if reject["scope"] != "field")
    decided = {
        record["order_line_id"] for name in ("remedies", "declined") for record in night.records(f"{name}.jsonl")
    }
    asleep = [victim for victim in night.victims if victim.line not in decided]

    tell(f"{len(night.victims)} texts in {len(tried)} places: {len(night.mails)} mails, rejects {dict(rejected)}")
    assert set(tried) == set(PLACES)
    assert {victim.case.text for victim in night.victims} >= {text for family in PAYLOADS.values() for text in family}
    assert len(night.mails) > len(night.victims) / 2
    for victim in asleep:
        assert _was_refused(victim.case), f"nothing was heard of {victim.case}"


def _was_refused(case: Case) -> bool:
    """Whether a text cannot be kept in its place: an id is one visible line, and no text holds half a character."""
    control = any(unicodedata.category(character) in ("Cc", "Cs") for character in case.text)
    return (
        control
        or len(case.text) > 190
        or not case.text.strip()
        or case.place in ("email", "voice", "locale", "timezone")
    )


def test_a_mail_has_one_recipient_and_no_header_but_ours(night: Night) -> None:
    known = {str(victim.customer["email"]) for victim in night.victims}
    for wire in night.mails:
        message = message_from_bytes(wire, policy=policy.default)

        assert sorted(message.keys()) == HEADERS
        (recipient,) = recipients(wire)
        assert recipient in known
        assert message["From"].addresses[0].addr_spec == SENDER
        assert message["Reply-To"] == SENDER
        assert not steering(str(message["Subject"]), but=ISOLATING)
        assert len(str(message["Subject"])) < 300
        assert wire.isascii()
        assert b"\0" not in wire
        assert b"\r" not in wire.replace(b"\r\n", b"")
        assert b"\n" not in wire.replace(b"\r\n", b"")


def test_a_mail_is_text_and_an_inactive_page(night: Night) -> None:
    styles = set()
    for wire in night.mails:
        message = message_from_bytes(wire, policy=policy.default)
        assert isinstance(message, EmailMessage)
        plain, html = message.iter_parts()
        text = str(plain.get_content()).replace("\r\n", "\n")
        seen = page(str(html.get_content()), MAIL)

        assert not steering(text, but=ISOLATING | {"\n"})
        assert not steering(seen.text, but=ISOLATING | frozenset("\r\n"))
        assert text.count("\n") < 40
        assert SUM not in text + seen.text
        styles.add(seen.styles.replace("\r", ""))
    assert len(styles) == 1


def test_the_titles_are_read_as_they_were_written(night: Night) -> None:
    """What is visible of a title stays: an attack is shown, not swallowed."""
    texts = {
        remedy["order_line_id"]: (night.out / "mail" / f"{remedy['remedy_id']}.eml")
        for remedy in night.records("remedies.jsonl")
    }
    compared = 0
    for victim in (victim for victim in night.victims if victim.case.place in ("title", "goods title")):
        file = texts.get(victim.line)
        if file is None or not file.exists():
            continue
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        plain, html = (str(part.get_content()) for part in message.iter_parts())
        visible = "".join(
            ch if unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co", "Cn") or ch.isspace() else ""
            for ch in victim.case.text
        )
        start = " ".join(visible.split())[:60].rstrip()
        if "\u200d" not in victim.case.text and start and not unicodedata.combining(start[-1]):
            compared += 1
            assert start in " ".join(plain.split())
            assert start in " ".join(page(html, MAIL).text.split())
    assert compared > 5


def test_the_report_is_an_inactive_page(night: Night) -> None:
    seen = page((night.out / "report.html").read_text(encoding="utf-8"), REPORT)

    assert not steering(seen.text, but=ISOLATING | {"\n"})
    assert SUM not in seen.text
    assert "=HYPERLINK(0).jsonl" in seen.text


def test_every_record_that_is_written_is_one_line(night: Night) -> None:
    files = sorted(night.out.glob("*.jsonl"))
    assert len(files) >= 5
    for file in files:
        for line in file.read_bytes().split(b"\n")[:-1]:
            assert isinstance(json.loads(line), dict)
            assert not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in line.decode())
    assert {file.suffix for file in night.out.iterdir()} == {
        ".jsonl",
        ".html",
        ".parquet",
        "",
    }  # no table for a spreadsheet


def test_explanations_steer_no_terminal(night: Night) -> None:
    engine = open_ledger(night.ledger)
    told = 0
    for victim in night.victims:
        if "\0" in victim.line or any("\ud800" <= letter <= "\udfff" for letter in victim.line):
            continue
        try:
            text = explain(engine, victim.line).as_text()
        except LookupError as unknown:
            text = str(unknown)
        told += 1
        assert not steering(text, but=ISOLATING | {"\n"})
        assert SUM not in text
    engine.dispose()
    assert told > COUNT / 2


def test_what_the_commands_say_steers_no_terminal(night: Night) -> None:
    ledger = ("--ledger", night.ledger)
    sayings = {
        "nightly": night.said,
        "sessions": _run("sessions", str(night.folder.path / "telemetry"), "--out", str(night.out / "again.parquet")),
        "tickets": _run("tickets", "list", *ledger),
        "review": _run("review", "list", *ledger),
    }

    for command, said in sayings.items():
        assert said, command
        assert not steering(said, but=ISOLATING | {"\n"}), command
        assert SUM not in said, command


@pytest.mark.parametrize("family", PAYLOADS)
def test_an_error_is_one_line_whatever_it_tells_of(family: str) -> None:
    for text in PAYLOADS[family]:
        told = sentence(UsageError(f"{text}: no file is there; name an existing file"))

        assert not steering(told)
        assert len(text) > 2_000 or told.endswith("name an existing file")


def test_the_ledger_holds_what_was_said_and_not_what_it_would_do(night: Night) -> None:
    with closing(sqlite3.connect(night.ledger.removeprefix("sqlite:///"))) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (remedies,) = database.execute("SELECT count(*) FROM remedies").fetchone()
        texts = [row[0] for row in database.execute("SELECT text || html || subject FROM mails")]

    assert remedies == len(night.records("remedies.jsonl"))
    assert not any("\0" in text for text in texts)
