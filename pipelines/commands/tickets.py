"""Root causes, for a person to look at."""

from typing import Annotated

import typer

from pipelines.commands.shared import Actor, Ledger, Reason, clock, opened

app = typer.Typer(no_args_is_help=True, help="Root causes: list them, read one, say what a person has found.")


@app.command("list")
def list_them(
    ledger: Ledger,
    state: Annotated[str | None, typer.Option(help="Only those: open, confirmed, done or rejected")] = None,
) -> None:
    """One line a ticket, the latest first."""
    from remediation.tickets import list_tickets

    with opened(ledger) as engine:
        found = list_tickets(engine, state)
    for ticket in found:
        claim = " ".join(ticket.claim.split())
        typer.echo(f"{ticket.ticket_id}  {ticket.state:<9}  {ticket.affected_count:>6,} affected  {claim}")
    if not found:
        typer.echo("no ticket")


@app.command()
def show(ticket: Annotated[str, typer.Argument(metavar="ID")], ledger: Ledger) -> None:
    """One ticket: the claim, the figures, who is affected, and what was done."""
    from remediation.tickets import show_ticket

    with opened(ledger) as engine:
        typer.echo(show_ticket(engine, ticket).as_text(), nl=False)


@app.command("set")
def set_to(
    ticket: Annotated[str, typer.Argument(metavar="ID")],
    state: Annotated[str, typer.Argument(help="confirmed, done or rejected")],
    ledger: Ledger,
    actor: Actor,
    reason: Reason,
) -> None:
    """Say what a person has found: only a person confirms, and nothing goes back."""
    from remediation.tickets import set_state

    with opened(ledger) as engine:
        at = clock()
        typer.echo(set_state(engine, ticket, state, actor=actor, reason=reason, at=at).as_text(), nl=False)
