"""Keeping a ledger: proving that it is whole, forgetting a customer, and letting go what is too old."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipelines.commands.shared import Actor, Ledger, Now, PolicyFile, Reason, clock, moment, opened, person
from pipelines.exits import FAILED
from pipelines.settings import UsageError

if TYPE_CHECKING:
    from remediation.forgetting import Forgotten
    from remediation.ledger.audit import Head
    from remediation.verifying import Outcome, Verdict

_HEAD: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
_LONGEST: Final = 1_000


def verify(
    ledger: Ledger,
    head: Annotated[
        str | None, typer.Option(metavar="NUMBER:SHA256", help="An audit head that an earlier run printed")
    ] = None,
    now: Now = None,
) -> None:
    """Prove that a ledger is whole: every invariant that it can show, and the row that breaks one. Only reads."""
    from remediation.verifying import verify as look

    known = _head(head) if head else None
    with opened(ledger) as engine:
        verdict = look(engine, moment(now), known)
    typer.echo("\n".join(_report(verdict)))
    if not verdict.is_sound:
        raise typer.Exit(FAILED)


def forget(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id, never the name or address")],
    ledger: Ledger,
    actor: Actor,
    reason: Reason,
) -> None:
    """Erase what identifies a customer, and take nothing of them in again. What is owed is paid all the same."""
    from remediation.forgetting import compact
    from remediation.forgetting import forget as erase

    with opened(ledger) as engine:
        done = erase(engine, customer, person(actor), reason)
        is_compact = compact(engine)
    typer.echo("\n".join(_erased(done)))
    if not is_compact:
        typer.echo(
            "the file is in use, so that its unused parts may still hold what was erased: run this once more "
            "when nothing else uses it",
            err=True,
        )
        raise typer.Exit(FAILED)


def retain(
    ledger: Ledger,
    policy: PolicyFile = None,
    now: Now = None,
) -> None:
    """Erase what is older than the policy keeps it and no open case needs. The books stay."""
    from pipelines.inputs import read_policy
    from remediation.ledger.audit import Author
    from remediation.retention.retain import retain as let_go

    rules = read_policy(policy)[0].retention
    at = moment(now)
    if at > clock():
        raise UsageError("--now names a moment to come, and by then more would be too old than is: name one that was")
    with opened(ledger) as engine:
        gone = let_go(engine, rules, Author("retention", at))
    typer.echo("\n".join(f"erased: {what} {count:,}" for what, count in gone.items()) or "nothing is too old")


def _head(text: str) -> "Head":
    from remediation.ledger.audit import Head

    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise UsageError("--head is no audit head: write NUMBER:SHA256, as makegood verify has printed it")
    return Head(int(match[1]), match[2])


def _report(verdict: "Verdict") -> Iterator[str]:
    found = [outcome for outcome in verdict.outcomes if outcome.count]
    for outcome in found:
        yield from _outcome(outcome)
    broken = sum(not outcome.check.warns for outcome in found)
    waits = sum(outcome.count for outcome in found if outcome.check.warns)
    said = f"{len(verdict.outcomes):,} invariants, {f'{broken:,}' if broken else 'none'} of them broken"
    yield said + (f"; for somebody to look at: {waits:,}" if waits else "")
    yield f"audit head {verdict.head.number}:{verdict.head.sha256}"


def _outcome(outcome: "Outcome") -> Iterator[str]:
    from remediation.report.formats import one_line

    yield f"{'needs somebody' if outcome.check.warns else 'broken'}: {outcome.check.demand}"
    for breach in outcome.breaches:
        yield f"  {one_line(f'{breach.table} {breach.key}: {breach.problem}', _LONGEST)}"
    if more := outcome.count - len(outcome.breaches):
        yield f"  and {more:,} more"
    yield f"  to do: {outcome.check.to_do}"


def _erased(done: "Forgotten") -> Iterator[str]:
    counts = ", ".join(f"{what} {count:,}" for what, count in done.erased.items())
    yield f"erased: {counts}" if counts else "nothing was left to erase"
    if done.mails_called_off:
        yield f"called off: mails and letters {done.mails_called_off:,}; refunds, credits and goods go on"
    if done.logged:
        numbers = ", ".join(map(str, done.logged))
        yield f"the audit log is never altered, and names the person in row {numbers}"
