"""`make calibrate`: fits the coefficients of `quality_score` to people's ratings, and says how well it does.

The ratings are those of Waterloo SQoE-IV (doi 10.21227/j15a-8r35), of which two tables lie beside a checkout.
Contents, not runs, are left out: runs of one content share its looks, and a fit that has seen some knows the others.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from detectors.playback import coefficients as c
from detectors.playback.groups import Bools, Floats
from detectors.playback.quality import (
    Experience,
    other_harm,
    picture_loss,
    picture_weight_ms,
    quality_score,
    recency,
    stall_weight_ms,
)

SQOE4: Final = Path(__file__).parents[3] / "../shared/data/sqoe4"
FITTED: Final = ("BASE", "SMALLER_SCREEN", "BITRATE")
SCREENS: Final = {"phone": 1_080.0, "hdtv": 1_080.0, "uhdtv": 2_160.0}
STEPS: Final = 30
BAD: Final = 2.6
"""Below 40 on the study's scale of 0 to 100."""
LIMITS: Final = (2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4)


@dataclass(frozen=True, slots=True)
class Rated:
    """Rated runs, one an entry: what a player would have told of each, and the mean opinion on a scale of 1 to 5."""

    experience: Experience
    opinion: Floats
    content: Floats
    device: Floats

    def only(self, some: Bools) -> "Rated":
        """Those of the runs that are marked."""
        parts = {name: getattr(self.experience, name)[some] for name in Experience.__dataclass_fields__}
        return Rated(Experience(**parts), self.opinion[some], self.content[some], self.device[some])


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a score agrees with opinions: linear and rank correlation, and root mean square error in points of 1 to 5."""

    plcc: float
    srcc: float
    rmse: float

    @classmethod
    def of(cls, score: Floats, opinion: Floats) -> "Agreement":
        """Of scores with as many opinions."""
        rank, place = (pl.Series(values).rank().to_numpy() for values in (score, opinion))
        error = float(np.sqrt(np.mean((score - opinion) ** 2)))
        return cls(float(np.corrcoef(score, opinion)[0, 1]), float(np.corrcoef(rank, place)[0, 1]), error)


def rated_chunks(folder: Path = SQOE4) -> pl.DataFrame:
    """The chunks of all runs in order, each with what is known of its run.

    `top` is the best that its title offers: the highest rate among its chunks in that
    encoding. `wait_ms` is the wait before the chunk, be it a stall or the start.
    """
    runs = pl.read_csv(folder / "sessions.csv", schema_overrides={"session": pl.String})
    chunks = pl.read_parquet(folder / "chunks.parquet").join(runs, on="session").sort("session", "chunk")
    return chunks.with_columns(
        top=pl.col("video_bitrate").max().over("content", "encoding_profile"),
        wait_ms=(pl.col("stall_before_s") * 1_000).round().cast(pl.Int64),
    )


def rated_runs(folder: Path = SQOE4) -> Rated:
    """All runs."""
    chunks = rated_chunks(folder)
    screen = chunks["device"].replace_strict(SCREENS, return_dtype=pl.Float64).to_numpy()
    bitrate, top, height = (chunks[name].to_numpy().astype(np.float64) for name in ("video_bitrate", "top", "height"))
    stalls = chunks["wait_ms"].to_numpy() * (chunks["chunk"] > 0).to_numpy()
    played = chunks["chunk_duration"].to_numpy() * 1_000
    so_far = pl.col("chunk_duration").cum_sum().over("session") * 1_000
    left = chunks.select(pl.col("chunk_duration").sum().over("session") * 1_000 - so_far).to_series().to_numpy()
    told = chunks.with_columns(
        weight=pl.Series(picture_weight_ms(left + played) - picture_weight_ms(left)),
        loss=pl.Series(picture_loss(bitrate, top, height, screen)),
        stall_ms=pl.Series(stalls),
        load=pl.Series(stall_weight_ms(stalls) / c.ONE_STALL_MS * recency(left + played)),
        screen=pl.Series(screen),
    )
    table = told.group_by("session", maintain_order=True).agg(
        played_ms=pl.col("chunk_duration").sum() * 1_000.0,
        stall_ms=pl.col("stall_ms").sum().cast(pl.Float64),
        stall_load=pl.col("load").sum(),
        startup_ms=pl.col("stall_before_s").filter(pl.col("chunk") == 0).sum() * 1_000,
        picture_loss=(pl.col("loss") * pl.col("weight")).sum() / pl.col("weight").sum(),
        player_height=pl.col("screen").first(),
        frame_rate=pl.col("framerate").first(),
        opinion=1 + pl.col("mos").first() / 25,
        content=pl.col("content").first(),
        device=pl.col("device").first(),
    )
    parts = {name: table[name].to_numpy() for name in Experience.__dataclass_fields__ if name != "shown"}
    experience = Experience(**parts, shown=np.ones(table.height, np.bool_))
    return Rated(experience, *(table[name].to_numpy() for name in ("opinion", "content", "device")))


def fit(runs: Rated) -> dict[str, float]:
    """The fitted coefficients that make `quality_score` least wrong about some runs, by Gauss and Newton's method."""
    seen = runs.experience
    ones, smaller = np.ones(runs.opinion.size), (seen.player_height < c.LARGE_SCREEN_HEIGHT) * 1.0
    known = np.column_stack((ones, smaller, seen.picture_loss / c.BITRATE))
    weights = np.array([c.BASE, c.SMALLER_SCREEN, c.BITRATE])
    for _ in range(STEPS):
        above = 4 * np.exp(-known @ weights - other_harm(seen))
        step, *_ = np.linalg.lstsq(-above[:, None] * known, runs.opinion - 1 - above, rcond=None)
        weights = np.maximum(weights + step, 0)
    return dict(zip(FITTED, weights.tolist(), strict=True))


def scores(runs: Rated, weights: dict[str, float]) -> Floats:
    """`quality_score` of runs as it would be with other coefficients."""
    smaller = (runs.experience.player_height < c.LARGE_SCREEN_HEIGHT) * 1.0
    other = weights["BASE"] - c.BASE + (weights["SMALLER_SCREEN"] - c.SMALLER_SCREEN) * smaller
    loss = runs.experience.picture_loss * (weights["BITRATE"] / c.BITRATE) + other
    return quality_score(replace(runs.experience, picture_loss=loss))


def unseen_scores(runs: Rated) -> Floats:
    """The score of each run by coefficients from the other contents alone."""
    found = np.empty(runs.opinion.size)
    for content in np.unique(runs.content):
        left_out = runs.content == content
        found[left_out] = scores(runs.only(left_out), fit(runs.only(~left_out)))
    return found


def agreements(runs: Rated) -> dict[str, Agreement]:
    """How the score agrees on contents it has not seen: on all runs, by content, by device."""
    found = unseen_scores(runs)
    groups = {"all": np.ones(found.size, np.bool_)}
    groups |= {name: runs.content == name for name in np.unique(runs.content)}
    groups |= {name: runs.device == name for name in np.unique(runs.device)}
    return {name: Agreement.of(found[some], runs.opinion[some]) for name, some in groups.items()}


def precision_and_recall(flagged: Bools, bad: Bools) -> tuple[int, float, float]:
    """How many are flagged, the share of them that is bad, and the share of the bad that is flagged."""
    found, both = int(np.sum(flagged)), int(np.sum(flagged & bad))
    return found, both / max(found, 1), both / max(int(np.sum(bad)), 1)


def main() -> None:
    """Prints the coefficients and the agreement with ratings; says what is missing where there are none."""
    if not SQOE4.exists():
        sys.exit("calibrate: the tables of Waterloo SQoE-IV do not lie in ../shared/data/sqoe4 beside this checkout")
    runs = rated_runs()
    for name, value in fit(runs).items():
        sys.stdout.write(f"{name:<16}{value:.5f}, in use {getattr(c, name)}\n")
    sys.stdout.write(f"\n{'contents unseen':<16}{'PLCC':>7}{'SRCC':>7}{'RMSE':>7}\n")
    for name, found in agreements(runs).items():
        sys.stdout.write(f"{name:<16}{found.plcc:>7.3f}{found.srcc:>7.3f}{found.rmse:>7.3f}\n")
    sys.stdout.write("published for hdtv: ITU-T P.1203 from metadata 0.698, best full-reference model 0.799\n")
    sys.stdout.write(f"\n{'score below':<16}{'runs':>7}{'prec.':>7}{'recall':>7}  of what people called bad\n")
    found_unseen, bad = unseen_scores(runs), runs.opinion < BAD
    for limit in LIMITS:
        count, precision, recall = precision_and_recall(found_unseen < limit, bad)
        sys.stdout.write(f"{limit:<16}{count:>7}{precision:>7.2f}{recall:>7.2f}\n")


if __name__ == "__main__":
    main()
