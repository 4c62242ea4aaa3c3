"""Made-up nights run through the whole of a nightly run, each on a ledger of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.nightly import run_night
from pipelines.scoring import Agreement, Cash, Score, score_night
from pipelines.settings import replay_settings
from pipelines.synth.recipe import Recipe
from pipelines.synth.synthesis import synthesize
from remediation.database import open_database
from remediation.report.files import write_findings, write_remedies
from remediation.verifying import verify


@dataclass(frozen=True)
class Scored:
    """What one or more nights came to; `broken` names the invariants that their ledgers break."""

    kinds: Mapping[str, Agreement]
    cash: Mapping[str, Cash]
    sessions: int
    sessions_lost: int
    forged: int
    forged_paid: int
    unasked: int
    broken: tuple[str, ...]

    @property
    def overall(self) -> Agreement:
        return sum(self.kinds.values(), Agreement(0, 0, 0))

    @classmethod
    def of(cls, score: Score, broken: tuple[str, ...]) -> "Scored":
        counts = (score.sessions, score.sessions_lost, score.forged, score.forged_paid, score.unasked)
        return cls(score.kinds, score.cash, *counts, broken)


def a_night(recipe: Recipe) -> Scored:
    """Makes the night, runs it, compares it with its truth and checks its ledger."""
    with TemporaryDirectory(prefix="makegood-night-") as folder:
        made, out = Path(folder) / "made", Path(folder) / "out"
        out.mkdir()
        synthesize(recipe, made, lambda _: None)
        settings = replay_settings(made, Path(folder), None, None, recipe.as_of, ())
        result = run_night(settings)
        result.table.sessions.write_parquet(out / "sessions.parquet")
        with (out / "findings.jsonl").open("wb") as findings, (out / "remedies.jsonl").open("wb") as remedies:
            write_findings(findings, result.findings)
            write_remedies(remedies, (row.remedy for row in result.night.remedies))
        ledger = open_database(settings.ledger_url)
        verdict = verify(ledger, recipe.as_of, None)
        ledger.dispose()
        broken = tuple(each.check.demand for each in verdict.outcomes if each.count and not each.check.warns)
        return Scored.of(score_night(made, out), broken)


def together(nights: Iterable[Scored]) -> Scored:
    """The sums over all nights."""
    return reduce(_sum, nights)


def told(all_nights: Scored) -> str:
    """The figures in lines."""
    lines = [
        f"  {name:24}{each.happened:>9,} happened, precision {each.precision:8.3%}, recall {each.recall:8.3%}"
        for name, each in sorted((*all_nights.kinds.items(), ("all", all_nights.overall)))
    ]
    sums = [
        f"  {name} owed {cash.owed:,}, paid {cash.paid:,}, held {cash.held:,}, wrongly paid {cash.wrongly_paid:,}, "
        f"wrongly kept {cash.wrongly_kept:,}"
        for name, cash in sorted(all_nights.cash.items())
    ]
    forged = f"  {all_nights.forged:,} forged visits, {all_nights.forged_paid:,} of them paid"
    return "\n".join([f"{all_nights.sessions:,} sessions", *lines, *sums, forged])


def _sum(one: Scored, other: Scored) -> Scored:
    nothing, empty = Agreement(0, 0, 0), Cash(0, 0, 0, 0, 0)
    return Scored(
        {k: one.kinds.get(k, nothing) + other.kinds.get(k, nothing) for k in {**one.kinds, **other.kinds}},
        {c: one.cash.get(c, empty) + other.cash.get(c, empty) for c in {**one.cash, **other.cash}},
        one.sessions + other.sessions,
        one.sessions_lost + other.sessions_lost,
        one.forged + other.forged,
        one.forged_paid + other.forged_paid,
        one.unasked + other.unasked,
        one.broken + other.broken,
    )
