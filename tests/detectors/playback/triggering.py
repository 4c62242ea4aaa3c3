"""What the default policy flags among the rated runs, told as beacons, against what people called bad.

The runs last 28 s, two seconds less than the policy wants to judge a picture by; here they count as long enough.
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from detectors import schemas
from detectors.playback.groups import Bools, Floats
from detectors.playback.rules import PlaybackRules
from detectors.playback.sessions import sessionize
from remediation.policy.load import default_policy
from tests.detectors.playback.calibrating import SCREENS, SQOE4, precision_and_recall, rated_chunks

BAD: Final = 40
"""People's opinion of a bad run lies below this, of 100."""

RUN_MS: Final = 28_000


def as_beacons(folder: Path = SQOE4) -> pl.DataFrame:
    """`schemas.EVENTS` of all runs: the start, each stall, each chunk as it comes on the screen, and the end."""
    chunks = (
        rated_chunks(folder)
        .with_columns(lasts_ms=(pl.col("chunk_duration") * 1_000).cast(pl.Int64))
        .with_columns(ends=(pl.col("wait_ms") + pl.col("lasts_ms")).cum_sum().over("session"))
        .with_columns(begins=pl.col("ends") - pl.col("lasts_ms"), first=pl.col("chunk") == 0)
    )
    waits = chunks.filter(pl.col("first") | (pl.col("wait_ms") > 0)).select(
        "session",
        at=pl.col("begins") - pl.col("wait_ms"),
        state=pl.when("first").then(pl.lit("starting")).otherwise(pl.lit("stalled")),
    )
    shown = chunks.select(
        "session",
        at="begins",
        state=pl.lit("playing"),
        bitrate_kbps="video_bitrate",
        top_bitrate_kbps="top",
        height="height",
        player_height=pl.col("device").replace_strict(SCREENS),
        frame_rate="framerate",
    )
    ends = chunks.group_by("session").agg(at=pl.col("ends").max()).with_columns(state=pl.lit("ended"))
    told = pl.concat([waits, shown, ends], how="diagonal").sort("session", "at", maintain_order=True)
    events = told.rename({"session": "session_id", "at": "event_time"}).with_columns(
        sequence=pl.int_range(pl.len()).over("session_id"), channel=0
    )
    return schemas.complete(events.cast({n: schemas.EVENTS[n] for n in events.columns}), schemas.EVENTS)


def judged(folder: Path = SQOE4) -> pl.DataFrame:
    """One row a run: what the kernel makes of it, and `mos`, `content` and the mean `vmaf`, which saw the original."""
    rules: PlaybackRules = default_policy().playback
    picture = rules.picture.model_copy(update={"min_play_ms": min(rules.picture.min_play_ms, RUN_MS)})
    sessions = sessionize(as_beacons(folder), rules.model_copy(update={"picture": picture})).sessions
    rated = rated_chunks(folder).group_by("session").agg(pl.col("mos", "content").first(), pl.col("vmaf").mean())
    return sessions.join(rated, left_on="session_id", right_on="session")


def best_below(values: Floats, bad: Bools) -> float:
    """The limit below which a figure tells the bad ones best, by the harmonic mean of precision and recall."""
    order = np.sort(values)

    def harmony(limit: float) -> float:
        _, precision, recall = precision_and_recall(values <= limit, bad)
        return 2 * precision * recall / max(precision + recall, 1e-9)

    return float(max(order, key=harmony))


def main() -> None:
    """Prints what each rule, all of them, the score and VMAF find of what people called bad."""
    runs = judged()
    bad = runs["mos"].to_numpy() < BAD
    kinds = runs["failures"].list
    score, vmaf = runs["quality_score"].to_numpy(), runs["vmaf"].to_numpy()
    found = {
        "stalled for more than 5 s": runs["stall_ms"].to_numpy() > 5_000,
        "playback_stalls": kinds.contains("playback_stalls").to_numpy(),
        "low_quality": kinds.contains("low_quality").to_numpy(),
        "the policy, any kind": kinds.len().to_numpy() > 0,
        "the policy, score below 3.3": (kinds.len().to_numpy() > 0) & (score < 3.3),
        **{f"score below {limit}": score < limit for limit in (2.4, 2.6, 2.8, 3.0, 3.2, 3.4)},
        "VMAF at its best limit": vmaf <= best_below(vmaf, bad),
    }
    sys.stdout.write(f"\n{'of 810 runs':<30}{'flagged':>8}{'prec.':>7}{'recall':>7}  of {bad.sum()} called bad\n")
    for name, flagged in found.items():
        count, precision, recall = precision_and_recall(flagged, bad)
        sys.stdout.write(f"{name:<30}{count:>8}{precision:>7.2f}{recall:>7.2f}\n")


if __name__ == "__main__":
    main()
