"""The command line. Each command imports what it needs when it runs: help comes at once, `dispatch` without Beam."""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipelines.settings import (
    NightSettings,
    OrderBook,
    UsageError,
    epoch_ms,
    folder_of,
    repeat_option,
    replay_settings,
    sender_parts,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Finds the customers whom the service let down, works out what is owed, and makes it good.",
)

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
REPEATED: Final = frozenset({"--telemetry", "--orders", "--customers", "--grants", "--stock"})

Ledger = Annotated[str, typer.Option(envvar="MAKEGOOD_LEDGER", help="Database URL, such as sqlite:///ledger.db")]
PolicyFile = Annotated[str | None, typer.Option(help="Policy file; the built-in policy if absent")]
OutFolder = Annotated[Path | None, typer.Option(help="Folder for tables, mails and report")]
AsOf = Annotated[str | None, typer.Option(help="The moment of the decision, ISO 8601; UTC if it names no zone")]
BeamOptions = Annotated[list[str] | None, typer.Argument(help="After --: options for Beam, such as --runner=…")]


@app.command()
def nightly(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    telemetry: Annotated[list[str], typer.Option(help="Files, folders or globs; several may follow")],
    orders: Annotated[list[str], typer.Option(help="Order lines: files, or the URL of a database that has them")],
    ledger: Ledger,
    as_of: Annotated[str, typer.Option(help="The moment of the decision, ISO 8601; UTC if it names no zone")],
    customers: Annotated[list[str] | None, typer.Option(help="Customers: files")] = None,
    grants: Annotated[list[str] | None, typer.Option(help="Playback grants: files")] = None,
    stock: Annotated[list[str] | None, typer.Option(help="How many of each item can be sent: files")] = None,
    policy: PolicyFile = None,
    out: OutFolder = None,
    show_mail: Annotated[str | None, typer.Option(help="Print the mail of this order line, too")] = None,
    beam_options: BeamOptions = None,
) -> None:
    """Run one night: find, decide, record. Nothing is sent; `dispatch` does that."""
    settings = NightSettings(
        telemetry=tuple(telemetry),
        book=OrderBook(*(tuple(each or ()) for each in (orders, customers, grants, stock))),
        ledger_url=ledger,
        as_of=epoch_ms(as_of, "--as-of"),
        policy_path=policy,
        out=out,
        beam_options=tuple(beam_options or ()),
    )
    _night(settings, show_mail)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="telemetry/ orders.jsonl customers.jsonl grants.jsonl? policy.toml?")],
    out: OutFolder = None,
    as_of: AsOf = None,
    beam_options: BeamOptions = None,
) -> None:
    """Replay a folder on a throw-away ledger. Nothing is sent."""
    with tempfile.TemporaryDirectory(prefix="makegood-replay-") as scratch:
        now = _now()
        moment = epoch_ms(as_of, "--as-of") if as_of else None
        _night(replay_settings(folder, Path(scratch), out, moment, now, tuple(beam_options or ())), None)


@app.command()
def sessions(
    paths: Annotated[list[str], typer.Argument(help="Telemetry: files, folders or globs")],
    out: Annotated[
        Path | None, typer.Option(help="FILE.parquet or FILE.jsonl; JSON Lines on standard output if absent")
    ] = None,
    policy: PolicyFile = None,
) -> None:
    """Make only the per-session table."""
    from pipelines.console import print_table_counts, progress
    from pipelines.nightly import run_sessions
    from pipelines.outputs import check_sessions_file, write_sessions

    check_sessions_file(out)
    with progress() as tell:
        table = run_sessions(paths, policy, tell)
    write_sessions(table.sessions, out)
    print_table_counts(table)


@app.command()
def dispatch(
    ledger: Ledger,
    mailer: Annotated[str, typer.Option(help="file:DIR writes each mail as a file")] = "file:outbox/mail",
    gateway: Annotated[str, typer.Option(help="file:DIR writes each refund as a file")] = "file:outbox/refunds",
    goods: Annotated[str, typer.Option(help="file:DIR writes each order of goods as a file")] = "file:outbox/goods",
    now: Annotated[str | None, typer.Option(help="The moment of sending, ISO 8601; the clock if absent")] = None,
) -> None:
    """Send what is approved: refunds and goods first, then the mails that are due."""
    from pipelines.console import print_dispatched
    from remediation.notices import Sender
    from remediation.outbox.dispatch import dispatch as send
    from remediation.outbox.file_desk import FileDesk
    from remediation.outbox.file_gateway import FileGateway
    from remediation.outbox.file_mailer import FileMailer

    moment = epoch_ms(now, "--now") if now else _now()
    refunds, mails = folder_of(gateway, "--gateway"), folder_of(mailer, "--mailer")
    orders = folder_of(goods, "--goods")
    with _opened(ledger) as engine:
        sender = Sender(*sender_parts())
        done = send(engine, FileGateway(refunds), FileMailer(mails, sender), moment, FileDesk(orders))
    print_dispatched(done, refunds, orders, mails)


@app.command()
def explain(
    subject: Annotated[str, typer.Argument(metavar="ID", help="Session, order line, order, remedy or finding")],
    ledger: Ledger,
) -> None:
    """Say why: evidence, rule, amounts and mail, in words."""
    from remediation.report.explain import explain as tell

    with _opened(ledger) as engine:
        typer.echo(tell(engine, subject).as_text(), nl=False)


tickets = typer.Typer(no_args_is_help=True, help="Root causes: list them, read one, say what a person has found.")
app.add_typer(tickets, name="tickets")


@tickets.command("list")
def list_them(
    ledger: Ledger,
    state: Annotated[str | None, typer.Option(help="Only those: open, confirmed, done or rejected")] = None,
) -> None:
    """One line a ticket, the latest first."""
    from pipelines.console import print_tickets
    from remediation.tickets import list_tickets

    with _opened(ledger) as engine:
        print_tickets(list_tickets(engine, state))


@tickets.command()
def show(ticket: Annotated[str, typer.Argument(metavar="ID")], ledger: Ledger) -> None:
    """One ticket: the claim, the figures, who is affected, and what was done."""
    from remediation.tickets import show_ticket

    with _opened(ledger) as engine:
        typer.echo(show_ticket(engine, ticket).as_text(), nl=False)


@tickets.command("set")
def set_to(
    ticket: Annotated[str, typer.Argument(metavar="ID")],
    state: Annotated[str, typer.Argument(help="confirmed, done or rejected")],
    ledger: Ledger,
    actor: Annotated[str, typer.Option(help="Who says so")],
    reason: Annotated[str, typer.Option(help="Why; it is written down")],
) -> None:
    """Say what a person has found: only a person confirms, and nothing goes back."""
    from remediation.tickets import set_state

    with _opened(ledger) as engine:
        at = _now()
        typer.echo(set_state(engine, ticket, state, actor=actor, reason=reason, at=at).as_text(), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schemas of everything that is read or written."""
    from remediation.report.schemas import json_schemas

    typer.echo(json.dumps(json_schemas(), indent=2, ensure_ascii=False))


def main() -> None:
    """The console script: every error is one sentence on standard error; 2 for bad usage, 1 for a failed run."""
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns of extras that nobody asked for.
    try:
        app(args=repeat_option(sys.argv[1:], REPEATED), prog_name="makegood")
    except UsageError as error:
        _fail(error, EXIT_USAGE)
    except Exception as error:  # noqa: BLE001 the outermost frame: nobody else can say it in words
        _fail(error, EXIT_FAILED)


def _now() -> int:
    """The clock, in milliseconds since the epoch."""
    return round(datetime.now(UTC).timestamp() * 1000)


@contextmanager
def _opened(ledger_url: str) -> Iterator["Engine"]:
    """The ledger that a nightly run has made, for as long as a command needs it."""
    from remediation.database import open_ledger

    engine = open_ledger(ledger_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _night(settings: NightSettings, show_mail: str | None) -> None:
    sender = sender_parts()
    from pipelines.console import print_night, progress
    from pipelines.nightly import run_night
    from pipelines.outputs import write_night
    from remediation.notices import Sender

    with progress() as tell:
        result = run_night(settings, tell)
        night = result.night
        if settings.out:
            tell(f"writing {settings.out}")
            night = write_night(result, settings.out, settings.ledger_url, Sender(*sender))
    print_night(night, show_mail)


def _fail(error: Exception, code: int) -> None:
    from pipelines.failures import sentence

    typer.echo(f"makegood: {sentence(error)}", err=True)
    sys.exit(code)
