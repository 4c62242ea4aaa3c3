"""A storm must never become money: each kind is let loose on the real nightly run, and nobody is paid before a person.

`MAKEGOOD_PROVE=release` tries every kind on 25 services; `-s` prints what a person would have to release.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from detectors import DETECTOR_VERSION
from pipelines.nightly import run_night
from remediation.database import open_ledger
from remediation.ledger.audit import Author
from remediation.policy.load import default_text
from remediation.report.night import Night
from remediation.reviewing.runs import release
from tests.prove.figures import sized, tell
from tests.prove.service import DAY_MS, Service, epoch_ms, morning, nightly
from tests.remediation.outbox.senders import Gateway, Mailbox, send

pytestmark = pytest.mark.servers  # it takes whole nights

HISTORY: Final = 3
"""Honest nights before the storm: the fewest of which anything is usual."""

SEEDS: Final = range(sized(1, release=25))
BEACONS: Final = "telemetry/beacons.jsonl"
SCANS: Final = "telemetry/scans.jsonl"

Change = Callable[[Path, Path], None]
"""Changes tonight's folder; the second one is last night's."""

Record = dict[str, Any]


def nothing(_tonight: Path, _last_night: Path) -> None:
    """Leaves the files as they are."""


@dataclass(frozen=True)
class Storm:
    """What becomes of a night, and the guards that must hold it."""

    guards: frozenset[str]
    change: Change = nothing
    stalled_share: float = 0.015
    broken: tuple[str, str] | None = None
    moment: timedelta = timedelta()
    clock: timedelta = timedelta(hours=1)
    detectors: str = DETECTOR_VERSION


def a_storm(*guards: str, **what: Any) -> Storm:
    return Storm(frozenset(guards), **what)


def lines_of(name: str, change: Callable[[list[str]], list[str]]) -> Change:
    """Changes the lines of one of tonight's files."""

    def changed(tonight: Path, _: Path) -> None:
        file = tonight / name
        file.write_text("".join(f"{line}\n" for line in change(file.read_text().splitlines())))

    return changed


def records_of(name: str, change: Callable[[Record], Record]) -> Change:
    """Changes some fields of each record of one of tonight's files."""
    return lines_of(name, lambda lines: [json.dumps(record | change(record)) for record in map(json.loads, lines)])


def scans_missing(tonight: Path, _: Path) -> None:
    (tonight / SCANS).unlink()


def beacons_twice(tonight: Path, _: Path) -> None:
    shutil.copy(tonight / BEACONS, tonight / "telemetry" / "beacons-again.jsonl")


def last_nights_beacons(tonight: Path, last_night: Path) -> None:
    shutil.copy(last_night / BEACONS, tonight / BEACONS)


def pays_a_hundred_times(tonight: Path, _: Path) -> None:
    text = default_text().decode()
    for usual, changed in (
        (
            "USD = { minimum = 50, second_person_above = 3_000, customer_month = 6_000",
            "USD = { minimum = 5_000, second_person_above = 300_000, customer_month = 600_000",
        ),
        ("bad_ratio = 0.02", "bad_ratio = 0.0002"),
        ("bad_ratio_min_stall_ms = 5_000", "bad_ratio_min_stall_ms = 250"),
    ):
        assert usual in text
        text = text.replace(usual, changed)
    (tonight / "policy.toml").write_text(text)


STORMS: Final[Mapping[str, Storm]] = {
    "every player reports stalls": a_storm("sessions", "payouts", stalled_share=0.4),
    "one app version reports stalls": a_storm("concentration", broken=("app_version", "5.2")),
    "scans are missing": a_storm("sources", change=scans_missing),
    "the policy pays a hundred times as much": a_storm("policy", change=pays_a_hundred_times),
    "one CDN is out": a_storm("sessions", "concentration", broken=("cdn", "cdn-b")),
    "scans are empty": a_storm("sources", change=lines_of(SCANS, lambda _: [])),
    "beacons came twice": a_storm("records", change=beacons_twice),
    "two thirds of the beacons are missing": a_storm("sources", change=lines_of(BEACONS, lambda lines: lines[::3])),
    "a third of the beacons cannot be read": a_storm(
        "records", change=lines_of(BEACONS, lambda lines: [*lines[::3], *("{" for _ in lines[1::3]), *lines[2::3]])
    ),
    "last night's beacons came again": a_storm("clock", change=last_nights_beacons),
    "the machine's clock is a month ahead": a_storm("clock", moment=timedelta(days=30)),
    "the night's moment is in the future": a_storm("clock", clock=timedelta(hours=-6)),
    "the players' clocks are a day ahead": a_storm(
        "clock",
        change=records_of(BEACONS, lambda of: {name: of[name] + DAY_MS for name in ("event_time", "received_at")}),
    ),
    "the detectors are others": a_storm("detector", detectors="other"),
}
LET_LOOSE: Final = tuple(STORMS)[: sized(4, release=len(STORMS))]


@dataclass(frozen=True)
class Town:
    """A service whose ledger holds a few honest nights, all of them paid."""

    service: Service
    ledger: Path
    last_night: Path


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Town]:
    """The town of each seed."""

    @cache
    def town(seed: int) -> Town:
        folder = tmp_path_factory.mktemp("town")
        service, ledger = Service(folder, seed), folder / "ledger.db"
        for day in range(HISTORY):
            night = judged(ledger, service.night(day), Storm(frozenset()), day)
            assert (night.run_state, night.objections) == ("released", ())
            gateway = sent(ledger, day)
            assert len(gateway.made) == len(night.in_state("approved"))
        return Town(service, ledger, night_folder(service, HISTORY - 1))

    return town


def night_folder(service: Service, day: int) -> Path:
    return service.folder / "service" / f"{morning(day):%Y-%m-%d}"


def judged(ledger: Path, folder: Path, storm: Storm, day: int) -> Night:
    """The night of a folder, run and judged."""
    moment = morning(day) + storm.moment
    return run_night(nightly(folder, f"sqlite:///{ledger}", moment, moment + storm.clock)).night


def sent(ledger: Path, day: int, run_to_release: str | None = None) -> Gateway:
    """What is paid at noon of a day, after a person has released a run."""
    gateway, mailbox, noon = Gateway(), Mailbox(), epoch_ms(morning(day)) + DAY_MS // 4
    engine = open_ledger(f"sqlite:///{ledger}")
    if run_to_release:
        release(engine, run_to_release, Author("ilsa", noon), "I have looked at it.")
    send(engine, gateway, mailbox, noon)
    engine.dispose()
    assert len(mailbox.taken) == len(gateway.made)
    return gateway


def prove(town: Town, name: str, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the storm is paid; what a person then releases is, so that there was something to hold."""
    storm, ledger = STORMS[name], Path(shutil.copy(town.ledger, scratch / "ledger.db"))
    monkeypatch.setattr("pipelines.beginning.DETECTOR_VERSION", storm.detectors)
    service = replace(town.service, folder=scratch, stalled_share=storm.stalled_share, broken=storm.broken)
    folder = service.night(HISTORY)
    storm.change(folder, town.last_night)

    night = judged(ledger, folder, storm, HISTORY)
    assert night.run_state == "held"
    assert storm.guards <= {objection.guard for objection in night.objections}
    morning_after = HISTORY + storm.moment.days
    assert sent(ledger, morning_after).made == []

    released = sent(ledger, morning_after, night.run_id).made
    waiting = night.in_state("approved")
    assert {payout.remedy_id for payout in released} == {row.remedy.remedy_id for row in waiting}
    owed = sum(payout.amount_minor for payout in released)
    tell(f"{name}: 0 paid, {len(released)} refunds of {owed / 100:,.2f} USD waited for a person")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LET_LOOSE)
def test_a_storm_never_becomes_money(
    name: str, seed: int, towns: Callable[[int], Town], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove(towns(seed), name, tmp_path, monkeypatch)
