"""Every moment at which a process can die, and what it leaves behind at each of them.

A process that dies takes its memory along and leaves what is committed and what was
done outside. So one undisturbed run, photographed after every commit and after every
call, shows what a crash at any step of it would leave; many steps leave the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from tests.prove.disks import Disk
from tests.prove.world import Desk, WatchedProvider, World
from tests.remediation.outbox.senders import Mailbox

Work = Callable[[Engine, World], None]
"""What a process does from its start to its end."""


def every(_step: int) -> bool:
    return True


@dataclass(frozen=True)
class Left:
    """What a crash leaves at the steps from `step` on, until the next one that leaves something else."""

    step: int
    photo: object
    world: World


@dataclass
class Camera:
    """Counts the steps of a run and keeps what each of them leaves behind, where it differs from the step before."""

    disk: Disk
    ledger: Engine
    world: World
    wanted: Callable[[int], bool] = every
    steps: int = 0
    album: list[Left] = field(default_factory=list)

    def before(self) -> None:
        """Just before something is done: what is left behind is what the step before left."""
        self.steps += 1

    def after(self) -> None:
        """Just after it."""
        self.steps += 1
        if not self.wanted(self.steps):
            return
        photo = self.disk.photograph(self.ledger)
        last = self.album[-1] if self.album else None
        if last is None or photo != last.photo or self.world.deeds != last.world.deeds:
            self.album.append(Left(self.steps, photo, self.world.twin()))


def crashes(disk: Disk, ledger: Engine, world: World, work: Work, wanted: Callable[[int], bool] = every) -> Camera:
    """Lets the work run to its end, and returns what a crash at any of the wanted steps would have left behind."""
    camera = Camera(disk, ledger, world, wanted)
    with _on_commits(ledger, camera), _on_calls(world, camera):
        work(ledger, world)
    return camera


@contextmanager
def _on_commits(ledger: Engine, camera: Camera) -> Iterator[None]:
    dialect: Any = ledger.dialect
    real = dialect.do_commit

    def do_commit(connection: object) -> None:
        camera.before()
        real(connection)
        camera.after()

    dialect.do_commit = do_commit
    try:
        yield
    finally:
        del dialect.do_commit


@contextmanager
def _on_calls(world: World, camera: Camera) -> Iterator[None]:
    watched: tuple[WatchedProvider | Mailbox | Desk, ...] = (world.provider, world.mailbox, world.desk)
    hooks = [(each.before, each.after) for each in watched]
    for each, (before, after) in zip(watched, hooks, strict=True):
        each.before, each.after = _both(camera.before, before), _both(after, camera.after)
    try:
        yield
    finally:
        for each, (before, after) in zip(watched, hooks, strict=True):
            each.before, each.after = before, after


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def act() -> None:
        first()
        second()

    return act
