"""What was done to whom: a row a session and a row an order line, beside the telemetry that tells of it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from pipelines.synth.arrivals import Clocks
from pipelines.synth.book import COUNTRIES, Accounts, is_granted
from pipelines.synth.delivery_standard import Due
from pipelines.synth.incidents import Outage
from pipelines.synth.parcels import Parcel
from pipelines.synth.players import Player
from pipelines.synth.population import Forgery, Habit, Visits
from pipelines.synth.recipe import HOUR_MS
from pipelines.synth.scenes import Ending, Ints
from pipelines.synth.standard import KINDS, Suffered

TRUTH: Final = pl.Schema(
    {
        "subject_type": pl.String(),  # session, order_line
        "subject_id": pl.String(),
        "kinds": pl.List(pl.String()),  # what failed, by the standard; empty where nothing did
        "reason": pl.String(),  # what was done, in a few words
        "order_line_id": pl.String(),  # null where nothing binds a session to one
        "owed_minor": pl.Int64(),  # of order lines alone
        "currency": pl.String(),
        "owed_goods": pl.String(),  # replacement or exchange
        "for_person": pl.Boolean(),  # the standard lets nobody but a person decide
        "incident": pl.String(),
        "forged": pl.String(),
        "late": pl.Boolean(),  # heard of an hour or more after it happened
    }
)
FILE: Final = "truth.parquet"


def sessions_truth(seen: Visits, known: Accounts, clock: Clocks, felt: Suffered, broken: Outage | None) -> pl.DataFrame:
    """`TRUTH` of the sessions."""
    return _complete(
        {
            "subject_type": pl.repeat("session", seen.count, eager=True),
            "subject_id": pl.Series(seen.session_id),
            "kinds": _kinds(felt),
            "reason": _reasons(seen),
            "order_line_id": _where(known.lines.gather(seen.customer), is_granted(seen)),
            "incident": _where(pl.repeat(broken.name if broken else "", seen.count, eager=True), seen.struck),
            "forged": _where(_named(Forgery, seen.forged), seen.forged != Forgery.NONE),
            "late": clock.late_ms >= HOUR_MS,
        }
    )


def lines_truth(known: Accounts, owed_minor: Ints) -> pl.DataFrame:
    """`TRUTH` of the order lines of films."""
    count = known.kind.size
    return _complete(
        {
            "subject_type": pl.repeat("order_line", count, eager=True),
            "subject_id": known.lines,
            "kinds": pl.Series([[]], dtype=pl.List(pl.String)).gather(np.zeros(count, np.int64)),
            "reason": pl.repeat("film", count, eager=True),
            "order_line_id": known.lines,
            "owed_minor": owed_minor,
            "currency": pl.Series([each.currency for each in COUNTRIES]).gather(known.country),
            "for_person": np.zeros(count, np.bool_),
            "late": np.zeros(count, np.bool_),
        }
    )


def parcels_truth(sent: Sequence[Parcel], owed: Sequence[Due]) -> pl.DataFrame:
    """`TRUTH` of the order lines of goods."""
    return _complete(
        {
            "subject_type": pl.repeat("order_line", len(sent), eager=True),
            "subject_id": pl.Series([each.line_id for each in sent]),
            "kinds": pl.Series([list(each.kinds) for each in owed], dtype=pl.List(pl.String)),
            "reason": pl.Series([each.story.value for each in sent]),
            "order_line_id": pl.Series([each.line_id for each in sent]),
            "owed_minor": pl.Series([each.owed_minor for each in owed]),
            "currency": pl.Series([each.place.currency for each in sent]),
            "owed_goods": pl.Series([each.goods for each in owed], dtype=pl.String),
            "for_person": pl.Series([each.for_person for each in owed]),
            "incident": pl.Series([each.burnt_in for each in sent], dtype=pl.String),
            "late": np.zeros(len(sent), np.bool_),
        }
    )


def _kinds(felt: Suffered) -> pl.Series:
    """Few combinations occur, so that each is written once."""
    marks = (felt.happened * (1 << np.arange(len(KINDS)))).sum(axis=1)
    lists = [[kind for place, kind in enumerate(KINDS) if code >> place & 1] for code in range(1 << len(KINDS))]
    return pl.Series(lists, dtype=pl.List(pl.String)).gather(marks)


def _reasons(seen: Visits) -> pl.Series:
    return _named(Habit, seen.habit) + " viewer on " + _named(Player, seen.player) + ", " + _named(Ending, seen.ending)


def _named(names: type[Habit | Ending | Forgery | Player], codes: np.ndarray) -> pl.Series:
    return pl.Series([each.name.lower().replace("_", " ") for each in names]).gather(codes.astype(np.int64))


def _where(values: pl.Series, known: np.ndarray) -> pl.Series:
    return values.set(pl.Series(~known), None)


def _complete(columns: dict[str, pl.Series | np.ndarray]) -> pl.DataFrame:
    count = len(columns["subject_id"])
    missing = {name: pl.Series([None], dtype=dtype).new_from_index(0, count) for name, dtype in TRUTH.items()}
    return pl.DataFrame({**missing, **columns}).select(TRUTH.names()).cast(TRUTH)
