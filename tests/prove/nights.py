"""Made-up nights run through the whole of a nightly run, each on a ledger of its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from pipelines.nightly import run_night
from pipelines.scoring import Agreement, Cash, Score, score_night
from pipelines.settings import replay_settings
from pipelines.synth.recipe import Recipe
from pipelines.synth.synthesis import synthesize
from remediation.database import open_database
from remediation.report.files import write_findings, write_remedies
from remediation.verifying import verify

N = TypeVar("N", Agreement, Cash)


@dataclass(frozen=True)
class Scored:
    """What one or more nights came to; `broken` names the invariants that their ledgers break."""

    scores: tuple[Score, ...]
    broken: tuple[str, ...]

    @property
    def kinds(self) -> Mapping[str, Agreement]:
        return _sums(Agreement(0, 0, 0), (each.kinds for each in self.scores))

    @property
    def cash(self) -> Mapping[str, Cash]:
        return _sums(Cash(0, 0, 0, 0, 0), (each.cash for each in self.scores))

    @property
    def overall(self) -> Agreement:
        return sum(self.kinds.values(), Agreement(0, 0, 0))

    def total(self, count: Callable[[Score], int]) -> int:
        """The sum of a count over all nights."""
        return sum(map(count, self.scores))


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
        return Scored((score_night(made, out),), broken)


def together(nights: Iterable[Scored]) -> Scored:
    """All nights as one."""
    every = tuple(nights)
    return Scored(
        tuple(score for each in every for score in each.scores), tuple(name for each in every for name in each.broken)
    )


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
    forged, paid, sessions = (all_nights.total(attrgetter(n)) for n in ("forged", "forged_paid", "sessions"))
    return "\n".join([f"{sessions:,} sessions", *lines, *sums, f"  {forged:,} forged visits, {paid:,} of them paid"])


def _sums(nothing: N, nights: Iterable[Mapping[str, N]]) -> dict[str, N]:
    sums: dict[str, N] = {}
    for night in nights:
        sums |= {name: sums.get(name, nothing) + each for name, each in night.items()}
    return sums
