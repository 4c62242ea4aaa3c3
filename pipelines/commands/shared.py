"""What the commands have in common: options, the clock, and opening the ledger that a nightly run has made."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.settings import UsageError, epoch_ms

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from remediation.ledger.audit import Author

Ledger = Annotated[str, typer.Option(envvar="MAKEGOOD_LEDGER", help="Database URL, such as sqlite:///ledger.db")]
Orders = Annotated[list[str], typer.Option(help="Order lines: files, or the URL of a database that has them")]
Customers = Annotated[list[str] | None, typer.Option(help="Customers: files")]
Grants = Annotated[list[str] | None, typer.Option(help="Playback grants: files")]
Stock = Annotated[list[str] | None, typer.Option(help="How many of each item can be sent: files")]
PolicyFile = Annotated[str | None, typer.Option(help="Policy file; the built-in policy if absent")]
BeaconKeys = Annotated[
    str | None, typer.Option(envvar="MAKEGOOD_BEACON_KEYS", help="File of the keys that beacons may be signed with")
]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for tables, mails and report")]
BeamOptions = Annotated[list[str] | None, typer.Argument(help="After --: options for Beam, such as --runner=…")]
Actor = Annotated[str, typer.Option(envvar="MAKEGOOD_ACTOR", help="Who says so; it is written down")]
Reason = Annotated[str, typer.Option(help="Why; it is written down")]
Now = Annotated[str | None, typer.Option(help="The moment, ISO 8601; the clock if absent")]


def clock() -> int:
    """The clock, in milliseconds since the epoch."""
    return round(datetime.now(UTC).timestamp() * 1000)


def moment(now: str | None) -> int:
    """The moment that `--now` names, else the clock's."""
    return epoch_ms(now, "--now") if now else clock()


def person(actor: str) -> "Author":
    """The person at the keyboard, as the audit log names them.

    Raises:
      UsageError: Nobody is named.
    """
    from remediation.ledger.audit import Author

    if not actor.strip():
        raise UsageError("--actor names nobody; write who decides, for example --actor ada")
    return Author(f"person {' '.join(actor.split())}", clock())


def secret(variable: str, what_for: str) -> str:
    """A secret from the environment: it never stands on a command line, which every process can read.

    Raises:
      UsageError: The variable is not set.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise UsageError(f"{what_for} needs a secret: set the environment variable {variable}")
    return value


@contextmanager
def opened(ledger_url: str, *, read_only: bool = False) -> Iterator["Engine"]:
    """The ledger that a nightly run has made, for as long as a command needs it."""
    from remediation.database import open_ledger, read_ledger

    engine = read_ledger(ledger_url) if read_only else open_ledger(ledger_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def opened_orders(url: str | None) -> Iterator["Engine | None"]:
    """The service's own order book, for as long as a command needs it; null where the ledger has the orders."""
    if url is None:
        yield None
        return
    from remediation.database import open_order_book

    engine = open_order_book(url)
    try:
        yield engine
    finally:
        engine.dispose()
