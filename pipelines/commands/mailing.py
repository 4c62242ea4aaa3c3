"""Whom not to write to: what came back, and what people ask for."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.commands.shared import Actor, Ledger, Reason, clock, opened, person


def bounces(
    files: Annotated[list[Path], typer.Argument(help="Received reports, one mail a file; folders are read whole")],
    ledger: Ledger,
) -> None:
    """Read delivery failures and complaints: their addresses get no further mail."""
    from remediation.ledger.audit import Author
    from remediation.mailing.bounces import UnreadableBounceError, parse_bounce
    from remediation.mailing.returned import take

    read = [each for file in files for each in (sorted(file.iterdir()) if file.is_dir() else [file])]
    suppressed = came_back = other = 0
    with opened(ledger) as engine:
        for file in read:
            try:
                bounce = parse_bounce(file.read_bytes())
            except UnreadableBounceError as error:
                typer.echo(f"{file}: {error}", err=True)
                other += 1
                continue
            taken = take(engine, bounce, Author("bounces", clock())) if bounce else None
            if taken is None or taken.remedy_id is None:
                other += 1
                typer.echo(f"{file}: it is about no mail of ours; a person has to read it", err=True)
                continue
            suppressed += taken.suppressed
            came_back += taken.failed
    typer.echo(f"{suppressed:,} addresses suppressed, {came_back:,} mails came back, {other:,} for a person to read")


def suppress(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id, never the address")],
    ledger: Ledger,
    actor: Actor,
    reason: Reason,
    why: Annotated[Literal["bounce", "complaint", "request"], typer.Option(help="What it rests on")] = "request",
    lift: Annotated[bool, typer.Option("--lift", help="Write to the customer again")] = False,  # noqa: FBT002 a switch
) -> None:
    """Write no mail to a customer's present address any more, or write again."""
    from remediation.mailing.suppressed import address_of, allow
    from remediation.mailing.suppressed import suppress as leave_alone

    with opened(ledger) as engine:
        address = address_of(engine, customer)
        if lift:
            typer.echo("written to again" if allow(engine, address, reason, person(actor)) else "it was not suppressed")
            return
        new = leave_alone(engine, address, why, person(actor))
    typer.echo("suppressed" if new else "it was suppressed before")
