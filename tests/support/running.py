"""Runs of the real command line, and what is read from them."""

import io
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import pytest

from pipelines import cli
from tests.support.expected import ExpectedReject, Outcome, WrittenReject

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
MAKEGOOD: Final = Path(sys.executable).with_name("makegood")
TIMEOUT_S: Final = 180
LEDGER: Final = "ledger.db"
"""The copy of a ledger that is kept, in the folder to which a run wrote: as that run left it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One run of the command line that writes to a folder."""

    arguments: tuple[str, ...]
    out: Path
    ledger: Path | None = None
    """The ledger that is kept, if one is: `several` leaves a copy of it as it then is in `out`."""

    def run(self) -> Outcome:
        """Runs the installed program, which must succeed."""
        done = subprocess.run(
            [str(MAKEGOOD), *self.line],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=FIXTURES.parent,
        )
        assert done.returncode == 0, done.stderr
        return Outcome(done.stdout, self.out)

    @property
    def line(self) -> list[str]:
        """Everything that follows the program's name."""
        return [*self.arguments, "--out", str(self.out)]


def several(*commands: Command) -> list[Outcome]:
    """Runs one after another in this process, each of which must succeed: importing Beam takes longer than most."""
    return [_here(command) for command in commands]


def _here(command: Command) -> Outcome:
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.setattr(sys, "argv", ["makegood", *command.line])
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise
    if command.ledger:
        shutil.copy(command.ledger, command.out / LEDGER)
    return Outcome(said.getvalue(), command.out)


def replay(story: str, out: Path) -> Command:
    """The replay of a fixture."""
    return Command(("replay", str(FIXTURES / story)), out)


def nightly(story: str, ledger: Path, out: Path, *telemetry: str, as_of: str) -> Command:
    """A nightly run of a fixture on a ledger that is kept."""
    folder = FIXTURES / story
    sources = [f"--telemetry={folder / name}" for name in telemetry]
    books = {name: folder / f"{name}.jsonl" for name in ("orders", "customers", "grants", "stock")}
    known = [f"--{name}={book}" for name, book in books.items() if book.exists()]
    moment = (folder / as_of).read_text().strip()
    return Command(("nightly", *sources, *known, f"--ledger=sqlite:///{ledger}", f"--as-of={moment}"), out, ledger)


def as_expected(reject: WrittenReject) -> ExpectedReject:
    """A reject as `expected/` names it: by its file, without the folder."""
    return ExpectedReject(
        source=Path(reject.source).name, scope=reject.scope, code=reject.code, line=reject.line, field=reject.field
    )


def text_of(mail: EmailMessage) -> str:
    """What the mail says in plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def contents(ledger: Path) -> list[str]:
    """Everything that stands in the ledger."""
    with closing(sqlite3.connect(ledger)) as database:
        return list(database.iterdump())
