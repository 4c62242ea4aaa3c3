"""Real processes killed by `kill -9` in the middle of any system call, and started again."""

import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from detectors.finding import content_id
from remediation.database import open_database
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.tables import METADATA, RUNS
from tests.prove.figures import sized, tell
from tests.prove.soundness import broken, unfinished
from tests.prove.stopping import Stopper, stopper
from tests.prove.world import World, charge_all, import_town, resolutions, send
from tests.remediation.gateways.payouts import SECRET_KEY
from tests.remediation.ledger.evenings import MORNING, record_night, rows
from tests.support.provider import Effect, RunningProvider, running_provider
from tests.support.real_smtp import RealServer, real_server
from tests.support.running import nightly
from tests.support.stores import Store, open_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are traced by Linux's own means")

ORDERS: Final = 4
"""A round's: one of each sort."""
KILLS: Final = sized(50, release=250, taste=4)
KILLS_BY_NIGHT: Final = sized(25, release=250)
"""On each store."""
BUSY: Final = "another process is sending"
"""A database server may take a moment to see that its client was killed."""
NOON: Final = "2026-11-22T12:00:00Z"
SENDERS_MODULES: Final = (
    "pipelines.cli",
    "pipelines.commands.ways",
    "psycopg",
    "remediation.gateways.file_goods",
    "remediation.gateways.smtp_mails",
    "remediation.gateways.stripe_client",
    "remediation.gateways.stripe_refunds",
    "remediation.outbox.dispatch",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "stripe._refund_service",
    "stripe.v2.core._event",
)
"""Imported before the children begin: dying during an import proves nothing."""
NIGHTS_MODULES: Final = (
    "pipelines.cli",
    "pipelines.nightly",
    "pipelines.outputs",
    "pipelines.console",
    "remediation.notices",
    "psycopg",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
)
_MESSAGE_ID: Final = re.compile(
    rb"^Message-ID: <([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})@", re.MULTILINE
)


@dataclass(frozen=True)
class Servers:
    """A payment provider's process, a mail server, and a folder for goods."""

    provider: RunningProvider
    mail: RealServer
    goods: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"MAKEGOOD_STRIPE_KEY": SECRET_KEY, "MAKEGOOD_STRIPE_URL": self.provider.url}

    def dispatch(self, ledger: Engine) -> list[str]:
        """What to write after `makegood`."""
        return [
            "dispatch",
            f"--ledger={ledger.url.render_as_string(hide_password=False)}",
            "--gateway=stripe",
            f"--mailer=smtp+plain://127.0.0.1:{self.mail.port}",
            f"--goods=file:{self.goods}",
            f"--now={NOON}",
        ]


@dataclass(frozen=True)
class Round:
    """What the servers did for the order lines of one ledger."""

    servers: Servers
    numbers: range

    @property
    def deeds(self) -> tuple[list[Effect], list[str], list[str]]:
        remedies = [each.remedy for each in resolutions(self.numbers) if each.remedy]
        ours = {remedy.remedy_id for remedy in remedies}
        keys = {content_id(remedy_id=each.remedy_id, kind=act.kind) for each in remedies for act in each.actions}
        told = [remedy_of(mail.content) for mail in self.servers.mail.mails]
        return (
            [effect for effect in self.servers.provider.effects() if effect.remedy_id in ours],
            [remedy_id for remedy_id in told if remedy_id in ours],
            [path.stem for path in self.servers.goods.glob("*.json") if path.stem in keys],
        )


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running_provider(tmp_path / "provider.db") as provider, real_server() as mail:
        yield Servers(provider, mail, tmp_path / "goods")


@pytest.fixture(scope="module")
def stop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopper]:
    with stopper(tmp_path_factory.mktemp("children"), *SENDERS_MODULES) as stop:
        yield stop


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with open_store(request.param, tmp_path) as store:
        yield store


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)], indirect=True)
def test_a_sender_killed_anywhere_and_started_again_does_everything_once(
    store: Store, stop: Stopper, servers: Servers
) -> None:
    dice = random.Random(KILLS)  # noqa: S311 - chance that can be repeated
    kills = stops = 0
    for first in count(1, ORDERS):
        outside = Round(servers, range(first, first + ORDERS))
        with ledger_of(store, outside) as ledger:
            ended = stop.run(servers.dispatch(ledger), servers.environment, dice.randrange(stops) if stops else None)
            stops = stops or ended.stops
            while ended.was_killed or BUSY in ended.said:
                kills += ended.was_killed
                assert broken(ledger, outside) == []
                ended = stop.run(servers.dispatch(ledger), servers.environment, dice.randrange(stops))
            assert ended.code == 0, ended.said
            assert [*broken(ledger, outside), *unfinished(ledger, outside)] == []
        if kills >= KILLS:
            break
    tell(f"kill -9 of the sender: {kills} kills, each at one of {stops} moments before or after a system call")


@pytest.mark.servers
@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_a_night_killed_anywhere_and_started_again_leaves_the_ledger_as_if_nothing_had_been(
    store: Store, tmp_path: Path
) -> None:
    dice = random.Random(KILLS_BY_NIGHT)  # noqa: S311 - chance that can be repeated
    scratch = {"TMPDIR": str(tmp_path)}  # the killed ones do not tidy up
    kills = 0
    with stopper(tmp_path, *NIGHTS_MODULES) as stop:
        with store.ledger() as url:
            whole = stop.run(casablanca(url, tmp_path), scratch)
            as_it_should_be = contents(url)
        while kills < KILLS_BY_NIGHT:
            with store.ledger() as url:
                while (ended := stop.run(casablanca(url, tmp_path), scratch, dice.randrange(whole.stops))).was_killed:
                    kills += 1
                    nothing_is_sent_of_what_is_not_released(url)
                assert ended.code == 0, ended.said
                assert contents(url) == as_it_should_be
    tell(f"kill -9 of the night: {kills} kills, each at one of {whole.stops} moments before or after a system call")


def casablanca(ledger_url: str, folder: Path) -> list[str]:
    """What to write after `makegood` for one night."""
    line = nightly("casablanca_night", folder / "none.db", folder / "out", "telemetry", as_of="as_of").line
    return [f"--ledger={ledger_url}" if each.startswith("--ledger=") else each for each in line]


def nothing_is_sent_of_what_is_not_released(ledger_url: str) -> None:
    ledger, world = open_database(ledger_url), World()
    if [row["state"] for row in rows(ledger, RUNS)] != ["released"]:
        send(ledger, world, MORNING)
        assert world.deeds == ([], [], [])
    assert broken(ledger, world) == []
    ledger.dispose()


def contents(ledger_url: str) -> dict[str, object]:
    """Everything in the ledger but what depends on the moment at which it was written."""
    ledger = open_database(ledger_url)
    found: dict[str, object] = {table.name: rows(ledger, table) for table in METADATA.sorted_tables}
    by_chance = {"control", "audit"}
    found["log"] = [(row["entity"], row["entity_id"], row["before"], row["after"]) for row in rows(ledger, AUDIT)]
    ledger.dispose()
    return {name: each for name, each in found.items() if name not in by_chance}


@contextmanager
def ledger_of(store: Store, round_: Round) -> Iterator[Engine]:
    """A ledger in which the round's remedies are approved and released."""
    charge_all(round_.servers.provider, round_.numbers)
    with store.ledger() as url:
        ledger = open_database(url)
        import_town(ledger, round_.numbers)
        record_night(ledger, *resolutions(round_.numbers))
        yield ledger
        ledger.dispose()


def remedy_of(mail: bytes) -> str:
    """The remedy that a mail tells of, by its Message-ID."""
    found = _MESSAGE_ID.search(mail)
    assert found
    return b"-".join(found.groups()).decode()
