"""Nights that were made up, with their truth, and how right a run was about them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.exits import FAILED
from pipelines.settings import UsageError

if TYPE_CHECKING:
    from pipelines.scoring import Score

_MOST_SESSIONS = 100_000_000


def synth(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    sessions: Annotated[int, typer.Option(help="How many playback sessions")],
    out: Annotated[Path, typer.Option(help="The folder to write, in the shape that nightly and replay read")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes; it also says which day it is")] = 1,
    telemetry: Annotated[
        Literal["mixed", "parquet", "jsonl", "cmcd"], typer.Option("--format", help="Form of the playback telemetry")
    ] = "mixed",
    events_per_session: Annotated[float, typer.Option(help="On average; few sessions have very many")] = 40.0,
    parcels: Annotated[int | None, typer.Option(help="How many parcels; a tenth of the sessions if absent")] = None,
    healthy: Annotated[  # noqa: FBT002 a switch
        bool, typer.Option("--healthy", help="Base rates alone: no outage, no forgery, every parcel arrives")
    ] = False,
) -> None:
    """Make up a night of any size, with the truth of what happened in it."""
    _demand(0 < sessions <= _MOST_SESSIONS, f"--sessions {sessions} is no number from 1 to {_MOST_SESSIONS:,}")
    _demand(seed >= 0, f"--seed {seed} is below zero: write a whole number from 0 on")
    _demand(
        2 <= events_per_session <= 10_000,  # noqa: PLR2004 a start and an end; a day of heartbeats
        f"--events-per-session {events_per_session:g} is no number from 2 to 10,000",
    )
    _demand(parcels is None or 0 <= parcels <= _MOST_SESSIONS, f"--parcels {parcels} is no number from 0 on")
    from pipelines.console import progress
    from pipelines.synth.recipe import Recipe
    from pipelines.synth.synthesis import synthesize

    recipe = Recipe(sessions, seed, telemetry, events_per_session, parcels, healthy)
    with progress() as tell:
        made = synthesize(recipe, out, tell)
    typer.echo(
        f"{out}: {made.sessions:,} sessions, {made.events:,} records of playback and {made.parcels:,} parcels, "
        f"to be decided at {recipe.as_of_text}"
    )


def score_night(
    made: Annotated[Path, typer.Argument(metavar="DIR", help="What makegood synth has written")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="What makegood nightly --out, or replay, made of it")],
    min_precision: Annotated[float, typer.Option(help="Exit code 1 below it; a share from 0 to 1")] = 0.0,
    min_recall: Annotated[float, typer.Option(help="Exit code 1 below it; a share from 0 to 1")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as one JSON object")] = False,  # noqa: FBT002 a switch
) -> None:
    """Compare what a night found and paid with the truth: precision, recall, money wrongly paid and wrongly kept."""
    for name, share in (("--min-precision", min_precision), ("--min-recall", min_recall)):
        _demand(0 <= share <= 1, f"{name} {share:g} is no share from 0 to 1")
    from pipelines.scoring import score_night as compare

    score = compare(made, out)
    typer.echo(json.dumps(_as_json(score)) if as_json else _as_text(score))
    below = [
        f"{name} {got:.2%} is below {least:.2%}"
        for name, got, least in (
            ("precision", score.overall.precision, min_precision),
            ("recall", score.overall.recall, min_recall),
        )
        if got < least
    ]
    if below:
        typer.echo("; ".join(below), err=True)
        raise typer.Exit(FAILED)


def _demand(holds: bool, problem: str) -> None:  # noqa: FBT001 it is what is demanded
    if not holds:
        raise UsageError(problem)


def _as_json(score: "Score") -> dict[str, object]:
    from dataclasses import asdict

    whole = {**score.kinds, "all": score.overall}
    kinds = {name: {**asdict(each), "precision": each.precision, "recall": each.recall} for name, each in whole.items()}
    return {**asdict(score), "kinds": kinds}


def _as_text(score: "Score") -> str:
    """Three tables of fixed columns, as they fit into a letter or a log."""
    lines = [f"{'kind':24}{'happened':>10}{'found':>10}{'true':>10}{'precision':>11}{'recall':>9}"]
    for name, each in (*score.kinds.items(), ("all", score.overall)):
        shares = f"{each.precision:>10.2%} {each.recall:>8.2%}"
        lines.append(f"{name:24}{each.happened:>10,}{each.found:>10,}{each.true:>10,} {shares}")
    lines += ["", f"{'minor units of':24}{'owed':>12}{'paid':>12}{'held':>12}{'wrongly paid':>14}{'wrongly kept':>14}"]
    for name, cash in score.cash.items():
        sums = f"{cash.owed:>12,}{cash.paid:>12,}{cash.held:>12,}{cash.wrongly_paid:>14,}{cash.wrongly_kept:>14,}"
        lines.append(f"{name:24}{sums}")
    lines += [
        "",
        f"sessions  {score.sessions:,}, of which {score.sessions_lost:,} were lost",
        f"forged    {score.forged:,}, of which {score.forged_found:,} were flagged and {score.forged_paid:,} paid",
        f"goods     {score.goods_owed:,} owed, {score.goods_sent:,} sent, {score.goods_wrongly_sent:,} of them wrongly",
        f"persons   {score.unasked:,} order lines were paid that only a person may decide",
    ]
    return "\n".join(lines)
