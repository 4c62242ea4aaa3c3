"""The command line. Each command imports what it needs when it runs: help comes at once, `dispatch` without Beam."""

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from pipelines import logs
from pipelines.commands import (
    backfilling,
    doctoring,
    keeping,
    loyalty,
    mailing,
    previewing,
    reconciling,
    reviewing,
    sending,
    storing,
    streaming,
    synthesis,
    tickets,
    trying,
)
from pipelines.commands.metering import Metrics, measured
from pipelines.commands.shared import (
    BeaconKeys,
    BeamOptions,
    Customers,
    Grants,
    Ledger,
    Orders,
    OutFolder,
    PolicyFile,
    Stock,
    clock,
    opened,
)
from pipelines.dating import all_dated, dated, night_moment
from pipelines.exits import code_of
from pipelines.logs import LogFormat, LogLevel
from pipelines.settings import (
    NightSettings,
    OrderBook,
    epoch_ms,
    holdout_key,
    repeat_option,
    replay_settings,
    sender_parts,
)
from pipelines.tracing import tracing

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Finds the customers whom the service let down, works out what is owed, and makes it good.",
)

_LOG: Final = logging.getLogger(__name__)
REPEATED: Final = frozenset({"--telemetry", "--orders", "--customers", "--grants", "--stock"})

AsOf = Annotated[str | None, typer.Option(help="The moment of the decision, ISO 8601; UTC if it names no zone")]


@app.callback()
def everything(
    context: typer.Context,
    log_format: Annotated[
        LogFormat,
        typer.Option(envvar="MAKEGOOD_LOG_FORMAT", help="Log lines on standard error, for people or machines"),
    ] = LogFormat.OFF,
    log_level: Annotated[LogLevel, typer.Option(envvar="MAKEGOOD_LOG_LEVEL", help="From where on")] = LogLevel.INFO,
) -> None:
    """What holds for every command."""
    if log_format is not LogFormat.OFF:
        logs.start(log_format, log_level, context.invoked_subcommand)


@app.command()
def nightly(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    telemetry: Annotated[list[str], typer.Option(help="Files, folders or globs; several may follow")],
    orders: Orders,
    ledger: Ledger,
    as_of: Annotated[
        str,
        typer.Option(help="The moment of the decision, ISO 8601, or the last 06:00 by --as-of 06:00"),
    ],
    customers: Customers = None,
    grants: Grants = None,
    stock: Stock = None,
    policy: PolicyFile = None,
    beacon_keys: BeaconKeys = None,
    out: OutFolder = None,
    show_mail: Annotated[str | None, typer.Option(help="Print the mail of this order line, too")] = None,
    metrics: Metrics = None,
    beam_options: BeamOptions = None,
) -> None:
    """Run one night: find, decide, record. Nothing is sent; `dispatch` does that. Paths may hold {date}."""
    now = clock()
    moment = night_moment(as_of, now)
    settings = NightSettings(
        telemetry=all_dated(telemetry, moment.day),
        book=OrderBook(*(all_dated(each or (), moment.day) for each in (orders, customers, grants, stock))),
        ledger_url=ledger,
        as_of=moment.as_of,
        policy_path=policy,
        out=Path(dated(str(out), moment.day)) if out else None,
        beam_options=tuple(beam_options or ()),
        now=now,
        beacon_keys=beacon_keys,
        holdout_key=holdout_key(),
    )
    with measured("nightly", metrics, ledger):
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
        now = clock()
        moment = epoch_ms(as_of, "--as-of") if as_of else None
        _night(replay_settings(folder, Path(scratch), out, moment, now, tuple(beam_options or ())), None)


@app.command()
def sessions(
    paths: Annotated[list[str], typer.Argument(help="Telemetry: files, folders or globs")],
    out: Annotated[
        Path | None, typer.Option(help="FILE.parquet or FILE.jsonl; JSON Lines on standard output if absent")
    ] = None,
    policy: PolicyFile = None,
    beacon_keys: BeaconKeys = None,
) -> None:
    """Make only the per-session table."""
    from pipelines.console import print_table_counts, progress
    from pipelines.nightly import run_sessions
    from pipelines.outputs import check_sessions_file, write_sessions

    check_sessions_file(out)
    with progress() as tell:
        table = run_sessions(paths, policy, tell, beacon_keys)
    write_sessions(table.sessions, out)
    print_table_counts(table)


app.command()(backfilling.backfill)
app.command()(streaming.stream)
app.command()(streaming.play)
app.command()(sending.dispatch)
app.add_typer(reviewing.review, name="review")
app.command()(reviewing.release)
app.command()(reviewing.mode)
app.command()(reviewing.block)
app.command()(reconciling.reconcile)
app.command()(reconciling.webhooks)
app.command()(mailing.bounces)
app.command()(mailing.suppress)
app.command()(doctoring.doctor)
app.command()(previewing.preview)
app.command()(keeping.verify)
app.command()(keeping.forget)
app.command()(keeping.retain)
app.command()(storing.migrate)
app.command()(trying.whatif)
app.command()(synthesis.synth)
app.command("score-night")(synthesis.score_night)


@app.command()
def explain(
    subject: Annotated[str, typer.Argument(metavar="ID", help="Session, order line, order, remedy or finding")],
    ledger: Ledger,
) -> None:
    """Say why: evidence, rule, amounts and mail, in words."""
    from remediation.report.explain import explain as tell

    with opened(ledger) as engine:
        typer.echo(tell(engine, subject).as_text(), nl=False)


app.add_typer(tickets.app, name="tickets")
app.add_typer(loyalty.app, name="loyalty")


@app.command()
def schema() -> None:
    """Print the JSON Schemas of everything that is read or written."""
    from remediation.report.schemas import json_schemas

    typer.echo(json.dumps(json_schemas(), indent=2, ensure_ascii=False))


def main() -> None:
    """The console script: every error is one sentence on standard error, and `exits` has the codes."""
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns of extras that nobody asked for.
    try:
        with tracing():
            app(args=repeat_option(sys.argv[1:], REPEATED), prog_name="makegood")
    except Exception as error:  # noqa: BLE001 the outermost frame: nobody else can say it in words
        _fail(error, code_of(error))
    finally:
        logs.stop()


def _night(settings: NightSettings, show_mail: str | None) -> None:
    sender = sender_parts()
    from pipelines.console import print_night, progress
    from pipelines.nightly import run_night
    from pipelines.outputs import write_night
    from remediation.notices.envelope import Sender

    with progress() as tell:
        result = run_night(settings, tell)
        night = result.night
        if settings.out:
            tell(f"writing {settings.out}")
            night = write_night(result, settings.out, settings.ledger_url, Sender(*sender))
    print_night(night, show_mail)


def _fail(error: Exception, code: int) -> None:
    from pipelines.failures import sentence

    told = sentence(error)
    _LOG.error("failed", extra={"problem": told, "exit_code": code})
    if logs.form() is not LogFormat.JSON:
        typer.echo(f"makegood: {told}", err=True)
    sys.exit(code)
