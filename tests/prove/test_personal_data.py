"""Personal data in every field, right and wrong, and in what fails: it is nowhere but where the mailer looks it up.

A whole night runs through the real command line, everything logged and traced that can be.
`MAKEGOOD_PROVE=release` plants 1,000; `-s` prints what came of them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn
from unittest.mock import Mock

import polars as pl
import pytest
from sqlalchemy import Engine, MetaData, select
from sqlalchemy.exc import IntegrityError

from remediation.database import open_ledger
from remediation.report.explain import explain
from tests.prove.canaries import Canary, planted, plants
from tests.prove.figures import sized, tell
from tests.prove.payloads import AS_OF, Attack, attacked
from tests.prove.spoken import Spoken, makegood
from tests.support.otlp import receiver
from tests.support.stories import HOUR

LOGGED: Final = ("--log-format=json", "--log-level=debug")
COUNT: Final = sized(50, 1_000, taste=20)
CUSTOMERS: Final = 6
"""To whom something is owed, besides."""
FIRST: Final = 90_000
"""Their numbers, from here on."""
MOMENT: Final = datetime.fromtimestamp(AS_OF / 1_000, UTC).isoformat()
NOON: Final = datetime.fromtimestamp((AS_OF + 8 * HOUR) / 1_000, UTC).isoformat()
"""Of the next day in Tokyo, when mails go out."""


@dataclass(frozen=True)
class Service:
    """What a night reads, and the ledger on which it writes."""

    folder: Path

    @property
    def ledger(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @classmethod
    def of(cls, folder: Path, timezone: str = "Asia/Tokyo") -> "Service":
        """Six customers, whose names and addresses are where they belong."""
        records = attacked([Attack(number, place, "") for number, place in enumerate(["none", "topic"] * 3)])
        for number, customer in enumerate(records.customers):
            name, email, *_ = Canary(FIRST + number).texts
            where = timezone if number % 2 else "Asia/Tokyo"
            records.customers[number] = {**customer, "name": name, "email": email, "timezone": where}
        for each in records.contacts:
            assert isinstance(each, dict)
            each |= {"topic": "not_received", "text": Canary(FIRST).texts[4], "email": Canary(FIRST).texts[1]}
        records.write(folder)
        return cls(folder)

    def night(self, *first: str) -> Spoken:
        names = ("orders", "customers", "grants", "stock")
        books = [f"--{each}={path}" for each in names if (path := self.folder / f"{each}.jsonl").exists()]
        telemetry = f"--telemetry={self.folder / 'telemetry'}"
        self.out.mkdir(exist_ok=True)
        places = (f"--ledger={self.ledger}", f"--out={self.out}", f"--metrics={self.out / 'nightly.prom'}")
        return makegood(*first, "nightly", telemetry, *books, *places, f"--as-of={MOMENT}", debug=True)

    def dispatch(self, *first: str) -> Spoken:
        ways = [f"--{way}=file:{self.folder / way}" for way in ("gateway", "mailer", "goods")]
        more = (f"--now={NOON}", f"--metrics={self.out / 'dispatch.prom'}")
        return makegood(*first, "dispatch", *ways, f"--ledger={self.ledger}", *more, debug=True)

    def asked(self) -> Iterator[str]:
        """What a person hears who asks about everything."""
        for words in (("review", "list"), ("tickets", "list"), ("verify",)):
            yield makegood(*words, f"--ledger={self.ledger}", debug=True).everything
        engine = open_ledger(self.ledger)
        for subject in stories(engine):
            yield explain(engine, subject).as_text()
        engine.dispose()

    def kept(self) -> Iterator[tuple[str, str]]:
        """Where something stands, and what: every table but the customers', every file but the mails."""
        engine = open_ledger(self.ledger)
        metadata = MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            for table in metadata.sorted_tables:
                if table.name != "customers":
                    yield table.name, "\n".join(map(str, connection.execute(select(table))))
        engine.dispose()
        for path in sorted(self.out.rglob("*")):
            if path.suffix == ".parquet":
                yield path.name, "\n".join(map(str, pl.read_parquet(path).rows()))
            elif path.is_file() and path.suffix != ".eml":
                yield path.name, path.read_text(encoding="utf-8")


def stories(engine: Engine) -> list[str]:
    """Every order line and every subject of a finding."""
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        lines = connection.scalars(select(metadata.tables["order_lines"].c.order_line_id)).all()
        subjects = connection.scalars(select(metadata.tables["findings"].c.subject_id)).all()
    return sorted({*lines, *subjects})


def leaks(service: Service, said: list[str], canaries: list[Canary]) -> list[tuple[str, str]]:
    """Where a canary sings, and which one."""
    spoken = [(f"said {number}", words) for number, words in enumerate(said)]
    places = [*spoken, *service.kept()]
    return [
        (place, canary.word)
        for place, words in ((place, words.lower()) for place, words in places)
        for canary in canaries
        if canary.sings_in(words)
    ]


def test_what_is_planted_in_a_night_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, every = Service.of(tmp_path), plants(COUNT)
    planted(tmp_path, every)
    with receiver() as traces:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.url)
        night, sent = service.night(*LOGGED), service.dispatch(*LOGGED)
        monkeypatch.undo()
    assert night.code == 0, night.err
    assert {"night", "dispatch", "send mail"} <= {span.name for span in traces.spans}
    assert all(line.startswith('{"event"') for line in (night.err + sent.err).splitlines())
    assert {path.name for path in service.out.glob("*.prom")} == {"nightly.prom", "dispatch.prom"}
    said = [night.everything, sent.everything, traces.text, *service.asked()]
    owners = [Canary(FIRST + number) for number in range(CUSTOMERS)]
    found = leaks(service, said, [*(plant.canary for plant in every), *owners])
    told = {plant.canary.word: (plant.file, plant.way) for plant in every}
    assert [(place, told.get(word, word)) for place, word in found] == []
    mails = list((service.out / "mail").glob("*.eml"))
    assert len(mails) == CUSTOMERS
    assert sorted(reached(mails)) == [owner.word for owner in owners], "they can be found where they are"
    files = Counter(plant.file for plant in every)
    tell(f"personal data: {COUNT:,} plants in {len(files)} files, {len(night.log):,} characters logged; none shown")


BY_NIGHT: Final = (
    "remediation.imports.merge",
    "pipelines.sessions.decode",
    "remediation.resolve.render",
    "pipelines.outputs.render_report",
    "pipelines.outputs.address",
)
BY_SENDING: Final = ("remediation.gateways.file_refunds.write_whole", "remediation.gateways.file_mails.write_whole")


@pytest.mark.parametrize("where", BY_NIGHT[: sized(3, len(BY_NIGHT), taste=1)])
def test_what_breaks_in_a_night_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    service = Service.of(tmp_path)
    monkeypatch.setattr(where, breaks)
    night = service.night()
    assert night.code == 1
    assert night.err.splitlines()[-1].startswith("makegood: ")
    assert leaks(service, [night.everything], [BROKEN]) == []
    tell(f"personal data: broken at {where}: {night.err.splitlines()[-1]}")


@pytest.mark.servers
def test_what_breaks_in_sending_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other customer's time zone is none, and would be named if that were told in its own words."""
    service = Service.of(tmp_path, timezone=BROKEN.texts[0])
    said = [service.night().everything]
    for where in BY_SENDING:
        failing = Mock(side_effect=breaks)
        with monkeypatch.context() as patched:
            patched.setattr(where, failing)
            said.append(service.dispatch().everything)
        assert failing.called
    said.append(service.dispatch().everything)
    waiting = makegood("review", "list", f"--ledger={service.ledger}").out
    assert "time zone" in waiting
    assert leaks(service, [*said, waiting, *service.asked()], [BROKEN]) == []
    tell(f"personal data: broken in sending, {len(waiting.splitlines())} wait for a person")


BROKEN: Final = Canary(80_000)


def breaks(*_: object, **__: object) -> NoReturn:
    """As a library does that says what it choked on, three times over."""
    name, email, phone, *_rest = BROKEN.texts
    try:
        try:
            raise UnicodeEncodeError("ascii", name, 0, 1, email)
        except UnicodeError as error:
            raise IntegrityError(f"INSERT {name}", {"email": email}, Exception(f"Key ({email})")) from error
    except IntegrityError as error:
        raise ValueError(f"{name} {email} {phone}") from error


def reached(mails: list[Path]) -> Iterator[str]:
    """To whom the mails go."""
    for mail in mails:
        text = mail.read_text(encoding="ascii")
        yield next(line for line in text.splitlines() if line.startswith("To: ")).partition("@")[0][4:]
