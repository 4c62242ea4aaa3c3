"""A crash at every single step: of the night, of the sender, and of what compares with and hears from the provider."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import pytest
from sqlalchemy import Engine

from remediation.ledger.audit import Author
from remediation.ledger.journal import record
from remediation.ledger.run import finish_run, judge_run, start_run
from remediation.ledger.tables import OUTBOX
from remediation.reconciling.reconcile import reconcile
from remediation.webhooks.hints import Hints
from tests.prove.crashing import Left, Work, crashes
from tests.prove.disks import Disk, open_disk
from tests.prove.figures import RELEASE, sized, tell
from tests.prove.soundness import broken, unfinished
from tests.prove.world import Relay, World, charge_all, first, import_town, resolutions, send
from tests.remediation.ledger.evenings import GENEROUS, MORNING, a_run, rows
from tests.support.provider import Fault, Kind, Moment, Status

ORDERS: Final = first(sized(12, release=50, taste=5))
LATER: Final = MORNING + 3_600_000
SECRET: Final = "whsec_today_is_a_good_day"  # noqa: S105 - it opens nothing
PORTION: Final = 4
"""Remedies a transaction, so that a night has several."""
EARLY: Final = 12
DRAWN: Final = 4
"""Where the restart dies as well: at each of its first steps, and at some of the later ones."""


def night(ledger: Engine, _: World, orders: range = ORDERS) -> None:
    """What a nightly run writes, from the orders to the judgement."""
    run = a_run()
    import_town(ledger, orders)
    start_run(ledger, run)
    found = resolutions(orders)
    for start in range(0, len(found), PORTION):
        record(ledger, run, found[start : start + PORTION], GENEROUS)
    finish_run(ledger, run.run_id, {"used": len(found)}, {})
    judge_run(ledger, run.run_id, Author("guards", MORNING), None, [])


def morning(ledger: Engine, world: World) -> None:
    """What a sender does."""
    send(ledger, world)


def troubled_morning(ledger: Engine, world: World) -> None:
    """A sender to whom some replies are lost, and a provider that finishes its refunds only later, or not at all."""
    lost = Fault(Kind.LOST, Moment.AFTER)
    world.provider.refunds_become(Status.PENDING)
    world.provider.script(dict.fromkeys(range(1, 2 * len(ORDERS), 3), lost))
    send(ledger, world)
    world.provider.calm()
    world.provider.advance(LATER - MORNING)
    for nth, effect in enumerate(world.provider.effects()):
        world.provider.move(effect.refund_id, Status.SUCCEEDED if nth % 4 else Status.FAILED)


def reconciling(ledger: Engine, world: World) -> None:
    """What the reconciler does."""
    assert reconcile(ledger, world.ways.refunds, lambda: LATER).discrepancies == ()


def listening(ledger: Engine, world: World) -> None:
    """What the listener does with every webhook of the provider's, in whatever order they come."""
    hints = Hints(ledger, world.ways.refunds, [SECRET], lambda: LATER)
    for each in world.provider.deliveries(SECRET, seed=1):
        assert hints.take(each.body, each.signature).status == HTTPStatus.OK


def later_morning(ledger: Engine, world: World) -> None:
    """A sender when the replies come again."""
    send(ledger, world, LATER)


@dataclass(frozen=True)
class Story:
    """What has happened before, what breaks off, and how everything is brought to its end afterwards."""

    work: Work
    restart: tuple[Work, ...]
    before: tuple[Work, ...] = ()


STORIES: Final = {
    "the night": Story(night, (night, morning)),
    "a sender while the night is restarted": Story(night, (morning, night, morning)),
    "the sender": Story(morning, (morning,), before=(night,)),
    "the reconciler": Story(reconciling, (reconciling, later_morning), before=(night, troubled_morning)),
    "the listener": Story(listening, (listening, later_morning), before=(night, troubled_morning)),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    with open_disk(request.param, tmp_path_factory.mktemp("ledgers")) as disk:
        yield disk


@pytest.mark.parametrize("name", STORIES)
def test_after_a_crash_at_any_step_everything_is_done_once(disk: Disk, name: str) -> None:
    story, world = STORIES[name], World()
    charge_all(world.provider, ORDERS)
    ledger = disk.blank()
    for work in story.before:
        work(ledger, world)
    camera = crashes(disk, ledger, world, story.work)
    tell(
        f"crash of {name}: {len(ORDERS)} orders, {camera.steps} steps, {len(camera.album)} different states left behind"
    )
    run_all(story.restart, ledger, world)
    as_it_should_be = ending(ledger, world)
    for left in camera.album:
        assert recovered(disk, left, story.restart) == as_it_should_be
        if RELEASE:
            for second in second_crashes(disk, left, story.restart[0]):
                assert recovered(disk, second, story.restart) == as_it_should_be


def test_a_mail_that_may_have_gone_out_before_the_crash_is_a_persons_business(disk: Disk) -> None:
    orders = first(4)
    world = World(mailbox=Relay())
    charge_all(world.provider, orders)
    ledger = disk.blank()
    night(ledger, world, orders)
    for left in crashes(disk, ledger, world, morning).album:
        recovered(disk, left, (morning,))


def recovered(disk: Disk, left: Left, restart: tuple[Work, ...]) -> object:
    """The end to which the restart brings what a crash has left behind."""
    ledger, world = disk.develop(left.photo), left.world.twin()
    assert broken(ledger, world) == [], f"as left at step {left.step}"
    run_all(restart, ledger, world)
    assert [*broken(ledger, world), *unfinished(ledger, world)] == [], f"recovered from step {left.step}"
    return ending(ledger, world)


def second_crashes(disk: Disk, left: Left, work: Work) -> list[Left]:
    """What is left where the restart breaks off, too."""
    drawn = random.Random(left.step).sample(range(EARLY, 4 * len(ORDERS)), DRAWN)  # noqa: S311 - the same ones every time
    wanted = {*range(EARLY), *drawn}
    return crashes(disk, disk.develop(left.photo), left.world.twin(), work, wanted.__contains__).album


def run_all(works: tuple[Work, ...], ledger: Engine, world: World) -> None:
    for work in works:
        work(ledger, world)


def ending(ledger: Engine, world: World) -> object:
    refunds, told, ordered = world.deeds
    states = [(row["outbox_id"], row["state"]) for row in rows(ledger, OUTBOX)]
    return states, sorted(str(refund.remedy_id) for refund in refunds), sorted(told), sorted(ordered)
