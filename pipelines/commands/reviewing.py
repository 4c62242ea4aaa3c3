"""What people decide: on held runs and remedies, on what could not be sent, and whether anything is sent at all."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.commands.shared import Actor, Ledger, Reason, opened, person
from pipelines.settings import UsageError

if TYPE_CHECKING:
    from remediation.reviewing.cases import Case

CaseId = Annotated[str, typer.Argument(metavar="ID", help="As `review list` names it")]

review = typer.Typer(no_args_is_help=True, help="What waits for a person: list it, read it, decide it.")


@review.command("list")
def list_them(ledger: Ledger) -> None:
    """One line each: held runs, held remedies, what could not be sent, doubtful findings."""
    from remediation.reviewing.cases import list_cases

    with opened(ledger) as engine:
        cases = list_cases(engine)
    for case in cases:
        typer.echo(f"{case.case_id}  {case.what:<11}  {case.state:<9}  {_amount(case):>14}  {case.reason}")
    if not cases:
        typer.echo("nothing waits for a person")


@review.command()
def show(case: CaseId, ledger: Ledger) -> None:
    """One of them, with what was said on it before, and for a remedy its whole story."""
    from remediation.report.explain import explain
    from remediation.reviewing.cases import show_case

    with opened(ledger) as engine:
        found = show_case(engine, case)
        typer.echo(f"{found.what} {found.case_id}, {found.state}: {found.reason}")
        for verdict in found.verdicts:
            typer.echo(f"  {verdict}")
        if found.what == "remedy":
            typer.echo(explain(engine, found.case_id).as_text(), nl=False)


@review.command()
def approve(case: CaseId, ledger: Ledger, actor: Actor, reason: Reason) -> None:
    """Let a held remedy be carried out; above the policy's sum a second person has to say so as well."""
    from remediation.reviewing.verdicts import approve as agree

    with opened(ledger) as engine:
        verdict = agree(engine, case, person(actor), reason)
    typer.echo("approved" if verdict == "approved" else "endorsed: a second person has to approve it as well")


@review.command()
def reject(case: CaseId, ledger: Ledger, actor: Actor, reason: Reason) -> None:
    """End a remedy, a run or a doubtful finding that is not to be made good."""
    from remediation.reviewing.cases import close, show_case
    from remediation.reviewing.runs import withdraw
    from remediation.reviewing.verdicts import reject as refuse

    with opened(ledger) as engine:
        what = show_case(engine, case).what
        if what == "run":
            typer.echo(f"withdrawn, with {withdraw(engine, case, person(actor), reason):,} remedies")
            return
        if what == "remedy":
            refuse(engine, case, person(actor), reason)
        elif what == "declined":
            close(engine, case, reason, person(actor))
        else:
            raise UsageError(f"{case} is a {what} that could not be sent: use review done or review drop")
    typer.echo("rejected")


@review.command()
def done(
    case: CaseId,
    ledger: Ledger,
    actor: Actor,
    reason: Reason,
    reference: Annotated[str, typer.Option(help="Where it can be found: the provider's number, the letter's date")],
) -> None:
    """Say that what the program could not do has been done by hand."""
    from remediation.reviewing.by_hand import done as settle

    with opened(ledger) as engine:
        settle(engine, case, person(actor), reason, reference)
    typer.echo("done")


@review.command()
def drop(case: CaseId, ledger: Ledger, actor: Actor, reason: Reason) -> None:
    """Say that what the program could not do will not be done."""
    from remediation.reviewing.by_hand import drop as end

    with opened(ledger) as engine:
        end(engine, case, person(actor), reason)
    typer.echo("dropped")


def release(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id")],
    ledger: Ledger,
    actor: Actor,
    reason: Reason,
) -> None:
    """Let a held run be sent."""
    from remediation.reviewing.runs import release as let_go

    with opened(ledger) as engine:
        let_go(engine, run, person(actor), reason)
    typer.echo("released")


def mode(
    ledger: Ledger,
    to: Annotated[
        Literal["off", "shadow", "canary", "normal"] | None, typer.Argument(help="The mode; the present one if absent")
    ] = None,
    actor: Annotated[str, typer.Option(envvar="MAKEGOOD_ACTOR", help="Who says so; it is written down")] = "",
    reason: Annotated[str, typer.Option(help="Why; it is written down")] = "",
    percent: Annotated[int | None, typer.Option(help="The share of customers whom canary serves")] = None,
) -> None:
    """Show or turn the switch over everything that is sent; `off` stops it from the next item on."""
    from remediation.ledger.control import Mode, control, set_mode

    with opened(ledger) as engine:
        if to is not None:
            set_mode(engine, Mode(to), person(actor), reason, percent)
        with engine.connect() as connection:
            typer.echo(control(connection).in_words)


def block(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    order_line: Annotated[str, typer.Argument(metavar="ORDER_LINE")],
    ledger: Ledger,
    actor: Actor,
    reason: Reason,
    kind: Annotated[
        Literal["dispute", "chargeback", "manual_refund", "fraud"], typer.Option(help="Who else deals with it")
    ],
    lift: Annotated[bool, typer.Option("--lift", help="Let it go on")] = False,  # noqa: FBT002 typer makes a switch of it
) -> None:
    """Stop everything on an order line with which somebody else is dealing, or let it go on."""
    from remediation.blocks import block as stop
    from remediation.blocks import unblock

    with opened(ledger) as engine:
        if lift:
            unblock(engine, order_line, kind, person(actor), reason)
            typer.echo("let go")
            return
        new = stop(engine, order_line, kind, person(actor), reason)
    typer.echo("blocked" if new else "it was blocked before")


def _amount(case: "Case") -> str:
    return "" if case.amount is None else f"{case.amount.decimal:,f} {case.amount.currency}"
