"""Whether making good earns loyalty: who is asked, what they reply, and what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.shared import Ledger, Now, PolicyFile, moment, opened, opened_orders
from pipelines.settings import UsageError, epoch_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from sqlalchemy import Engine

    from remediation.loyalty.importing import Replied
    from remediation.loyalty.links import Tokens

    Importer = Callable[[Engine, BinaryIO, str, Tokens, int], Replied]

Files = Annotated[list[Path], typer.Argument(help="JSON Lines or CSV; what a file is, its content says")]

app = typer.Typer(help="Whether making good earns loyalty: promoters and repeat purchases, with goodwill and without.")


@app.callback(invoke_without_command=True)
def loyalty(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    context: typer.Context,
    ledger: Annotated[
        str | None, typer.Option(envvar="MAKEGOOD_LEDGER", help="Database URL, such as sqlite:///ledger.db")
    ] = None,
    orders: Annotated[
        str | None, typer.Option(help="The URL of the order book, where a database holds it and not the ledger")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only what was decided from then on, ISO 8601")] = None,
    now: Now = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs")] = False,  # noqa: FBT002 a switch
) -> None:
    """Say whether making good earned promoters and brought customers back. Only reads, and names nobody."""
    if context.invoked_subcommand:
        return
    if ledger is None:
        raise UsageError("--ledger is missing: name the database, such as --ledger sqlite:///ledger.db")
    from remediation.loyalty import telling
    from remediation.loyalty.measuring import measure
    from remediation.loyalty.reading import read

    at, begin = moment(now), epoch_ms(since, "--since") if since else 0
    with opened(ledger) as engine, opened_orders(orders) as shop:
        found = measure(read(engine, shop or engine, begin, at), at)
    typer.echo(telling.as_json(found) if as_json else telling.as_text(found), nl=False)


@app.command()
def invite(
    ledger: Ledger,
    policy: PolicyFile = None,
    now: Now = None,
) -> None:
    """Write the surveys that are due into the outbox; `dispatch` sends them. Nothing where the policy asks nobody."""
    from pipelines.inputs import read_policy
    from remediation.loyalty.inviting import invite as ask

    rules = read_policy(policy)[0].survey
    with opened(ledger) as engine:
        done = ask(engine, rules, moment(now))
    if not rules.enabled:
        typer.echo("nobody is asked: [survey] is not enabled in the policy")
        return
    more = ((done.suppressed, "get no mails"), (done.unwritten, "cannot be written to"))
    typer.echo(", ".join([f"{done.invited:,} invited", *(f"{count:,} {what}" for count, what in more if count)]))


@app.command("import")
def import_(files: Files, ledger: Ledger, now: Now = None) -> None:
    """Read answers: token, score from 0 to 10, answered_at. The last one of a customer counts."""
    from remediation.loyalty.importing import import_answers

    _read("answers", files, ledger, now, import_answers)


@app.command()
def unsubscribe(files: Files, ledger: Ledger, now: Now = None) -> None:
    """Read unsubscriptions: token, unsubscribed_at. These are not asked again; mails about money still come."""
    from remediation.loyalty.importing import import_unsubscriptions

    _read("unsubscriptions", files, ledger, now, import_unsubscriptions)


def _read(what: str, files: Sequence[Path], ledger: str, now: str | None, importer: "Importer") -> None:
    """Reads one file after the other, tells what cannot be used by its place, and sums up the rest."""
    from pipelines.commands.ways import survey_tokens

    missing = next((file for file in files if not file.is_file()), None)
    if missing:
        raise UsageError(f"{missing} is no file: name files of {what}, each by its path")
    tokens, at = survey_tokens(), moment(now)
    taken = known = rejected = 0
    with opened(ledger) as engine:
        for file in files:
            with file.open("rb") as stream:
                done = importer(engine, stream, str(file), tokens, at)
            for reject in done.rejects:
                place = f"{reject.source}, line {reject.line}" + (f", field {reject.field}" if reject.field else "")
                typer.echo(f"{place}: {reject.reason}", err=True)
            taken, known, rejected = taken + done.taken, known + done.known, rejected + len(done.rejects)
    typer.echo(f"{what}: {taken:,} taken, {known:,} known before, {rejected:,} rejected")
