"""Nights of the past."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.shared import (
    BeaconKeys,
    BeamOptions,
    Customers,
    Grants,
    Ledger,
    Orders,
    PolicyFile,
    Stock,
    clock,
)
from pipelines.dating import Moment, all_dated, dated, goes_by_date, nights
from pipelines.settings import NightSettings, OrderBook, UsageError, holdout_key, sender_parts

if TYPE_CHECKING:
    from pipelines.backfill import Filled
    from pipelines.nightly import Result


def backfill(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    telemetry: Annotated[
        list[str], typer.Option(help="Files, folders or globs with {date} or {day_before}; several may follow")
    ],
    orders: Orders,
    ledger: Ledger,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="The first night, by the day of its end")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last night, which is included")],
    at: Annotated[str, typer.Option(metavar="HH:MM", help="When a night is judged; UTC if it names no zone")] = "06:00",
    customers: Customers = None,
    grants: Grants = None,
    stock: Stock = None,
    policy: PolicyFile = None,
    beacon_keys: BeaconKeys = None,
    out: Annotated[
        str | None, typer.Option(help="Folder for tables, mails and report of each night, with {date}")
    ] = None,
    beam_options: BeamOptions = None,
) -> None:
    """Run the nights of a range in their order, up to the first that fails. Run again, it goes on from there."""
    if not any(map(goes_by_date, telemetry)):
        raise UsageError("--telemetry holds no {date}, so that every night would be the same: write it into the path")
    if out and not goes_by_date(out):
        raise UsageError("--out holds no {date}, so that nights would overwrite each other: write it into the path")
    now = clock()
    moments = nights(first, last, at, now)
    sender = sender_parts()
    from pipelines.backfill import backfill as fill
    from pipelines.console import progress
    from pipelines.outputs import write_night
    from remediation.notices.envelope import Sender

    def settings_of(moment: Moment) -> NightSettings:
        book = (all_dated(each or (), moment.day) for each in (orders, customers, grants, stock))
        return NightSettings(
            telemetry=all_dated(telemetry, moment.day),
            book=OrderBook(*book),
            ledger_url=ledger,
            as_of=moment.as_of,
            policy_path=policy,
            out=Path(dated(out, moment.day)) if out else None,
            beam_options=tuple(beam_options or ()),
            now=now,
            beacon_keys=beacon_keys,
            holdout_key=holdout_key(),
        )

    def write(result: "Result", settings: NightSettings) -> None:
        if settings.out:
            write_night(result, settings.out, ledger, Sender(*sender))

    done: list[Filled] = []
    try:
        with progress() as tell:
            for filled in fill(moments, ledger, settings_of, write, tell):
                done.append(filled)
                typer.echo("\n".join(_lines(filled)))
    finally:
        if done:
            typer.echo(_summary(done, len(moments)))


def _lines(filled: "Filled") -> Iterator[str]:
    from remediation.report.formats import amount, counted, listed, one_line

    state = f"{filled.state}{' before' if filled.was_settled else ''}"
    counts = ((filled.records, "record"), (filled.sessions, "session"), (filled.findings, "finding"))
    told = ", ".join(counted(number, what) for number, what in counts)
    paid = listed(tuple(map(amount, filled.paid)))
    remedies = f"{filled.remedies:,} {'remedy' if filled.remedies == 1 else 'remedies'}"
    yield f"{filled.day}  {state}: {told}, {remedies}{f': {paid}' if paid else ''}"
    if not filled.was_settled:
        yield from (f"            {each.guard}: {one_line(each.reason, 500)}" for each in filled.objections)


def _summary(done: Sequence["Filled"], asked: int) -> str:
    from remediation.report.formats import amount, listed, sums

    settled = sum(each.was_settled for each in done)
    states = Counter(each.state for each in done if not each.was_settled)
    parts = [*(f"{count:,} {state}" for state, count in sorted(states.items()))]
    parts += [f"{settled:,} settled before"] if settled else []
    parts += [f"{asked - len(done):,} not run"] if asked > len(done) else []
    paid = listed(tuple(map(amount, sums(money for each in done if not each.was_settled for money in each.paid))))
    return f"{asked:,} nights: {', '.join(parts)}; newly owed: {paid or 'nothing'}"
