"""How right a night was: its findings and remedies against the truth of who made it.

Forged visits, and lines that only a person may decide, are counted apart: to hold
them is right, and only money that goes out without a person is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, get_args

import msgspec
import polars as pl

from detectors.finding import DeliveryKind, PlaybackKind
from pipelines.settings import UsageError
from pipelines.synth.truth import FILE, TRUTH
from remediation.report.files import FindingRecord, RemedyRecord

T = TypeVar("T")

KINDS: Final = (*get_args(PlaybackKind), *get_args(DeliveryKind))
_SUBJECT: Final = ("subject_type", "subject_id")
_FOUND: Final = pl.Schema({"subject_type": pl.String(), "subject_id": pl.String(), "kind": pl.String()})
_GIVEN: Final = pl.Schema(
    {
        "order_line_id": pl.String(),
        "state": pl.String(),
        "amount": pl.Int64(),
        "currency": pl.String(),
        "goods": pl.Boolean(),
    }
)
_GOODS: Final = ("replacement", "exchange")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far findings and truth agree: `found` of them are `true`, of `happened` that are."""

    true: int
    found: int
    happened: int

    @property
    def precision(self) -> float:
        """The share of what was found that is true, 0 to 1; 1 where nothing was found."""
        return self.true / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what happened that was found, 0 to 1; 1 where nothing happened."""
        return self.true / self.happened if self.happened else 1.0

    def __add__(self, other: "Agreement") -> "Agreement":
        """Both together."""
        return Agreement(self.true + other.true, self.found + other.found, self.happened + other.happened)


@dataclass(frozen=True, slots=True)
class Cash:
    """Minor units of one currency, summed over order lines.

    `paid` goes out without a person, `held` waits for one. `wrongly_paid` is what is
    paid beyond what is owed, `wrongly_kept` what is owed and neither paid nor held.
    """

    owed: int
    paid: int
    held: int
    wrongly_paid: int
    wrongly_kept: int

    def __add__(self, other: "Cash") -> "Cash":
        """Both together."""
        return Cash(
            self.owed + other.owed,
            self.paid + other.paid,
            self.held + other.held,
            self.wrongly_paid + other.wrongly_paid,
            self.wrongly_kept + other.wrongly_kept,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """A night against its truth.

    `forged_paid` are forged visits on whose order line more was paid than was owed,
    `unasked` order lines that only a person may decide and that were paid without one.
    """

    kinds: Mapping[str, Agreement]
    cash: Mapping[str, Cash]
    sessions: int
    sessions_lost: int
    forged: int
    forged_found: int
    forged_paid: int
    goods_owed: int
    goods_sent: int
    goods_wrongly_sent: int
    unasked: int

    @property
    def overall(self) -> Agreement:
        """All kinds together."""
        return sum(self.kinds.values(), Agreement(0, 0, 0))


def score_night(made: Path, out: Path) -> Score:
    """Compares what `makegood nightly --out` wrote with the truth of `makegood synth`.

    Args:
      made: The folder of the night, with its truth.
      out: The folder of the results.

    Raises:
      UsageError: A file is missing or is not what it should be.
    """
    truth, found, given = _truth(made / FILE), _findings(out / "findings.jsonl"), _remedies(out / "remedies.jsonl")
    forged = truth.filter(pl.col("forged").is_not_null())
    lines = _lines(truth, given)
    overpaid = lines.filter(pl.col("wrongly_paid") > 0)
    # A forged visit claims an order line of its own or somebody's; either is in the truth.
    forged_found = forged.join(found, on=_SUBJECT, how="semi")
    sessions = truth.filter(pl.col("subject_type") == "session")
    return Score(
        kinds=_kinds(truth, found.join(forged, on=_SUBJECT, how="anti")),
        cash=_cash(lines),
        sessions=sessions.height,
        sessions_lost=sessions.join(_sessions(out), left_on="subject_id", right_on="session_id", how="anti").height,
        forged=forged.height,
        forged_found=forged_found.height,
        forged_paid=forged_found.join(overpaid, on="order_line_id", how="semi").height,
        goods_owed=lines.filter(pl.col("owed_goods").is_not_null()).height,
        goods_sent=lines.filter(pl.col("sent")).height,
        goods_wrongly_sent=lines.filter(pl.col("sent") & pl.col("owed_goods").is_null()).height,
        unasked=lines.filter(pl.col("for_person") & ((pl.col("paid") > 0) | pl.col("sent"))).height,
    )


def _kinds(truth: pl.DataFrame, found: pl.DataFrame) -> dict[str, Agreement]:
    happened = truth.select(*_SUBJECT, kind="kinds").explode("kind", empty_as_null=True).drop_nulls("kind")
    true = found.join(happened, on=(*_SUBJECT, "kind"), how="semi")
    counts = {
        name: dict(each["kind"].value_counts().iter_rows())
        for name, each in (("true", true), ("found", found), ("happened", happened))
    }
    return {
        kind: Agreement(*(counts[name].get(kind, 0) for name in ("true", "found", "happened")))
        for kind in KINDS
        if counts["found"].get(kind, 0) or counts["happened"].get(kind, 0)
    }


def _lines(truth: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """One row an order line: owed, paid, held, and what of it is wrong."""
    sums = given.group_by("order_line_id").agg(
        pl.col("amount").filter(pl.col("state") == "approved").sum().alias("paid"),
        pl.col("amount").filter(pl.col("state") == "held").sum().alias("held"),
        (pl.col("goods") & (pl.col("state") == "approved")).any().alias("sent"),
        pl.col("currency").first().alias("given_in"),
    )
    owed = truth.filter(pl.col("subject_type") == "order_line").select(
        "order_line_id", "owed_minor", "currency", "owed_goods", "for_person"
    )
    lines = owed.join(sums, on="order_line_id", how="full", coalesce=True).with_columns(
        pl.col("owed_minor", "paid", "held").fill_null(0),
        pl.col("sent", "for_person").fill_null(value=False),
        pl.coalesce("currency", "given_in").alias("currency"),
    )
    return lines.with_columns(
        wrongly_paid=(pl.col("paid") - pl.col("owed_minor")).clip(lower_bound=0),
        wrongly_kept=(pl.col("owed_minor") - pl.col("paid") - pl.col("held")).clip(lower_bound=0),
    )


def _cash(lines: pl.DataFrame) -> dict[str, Cash]:
    names = ("owed_minor", "paid", "held", "wrongly_paid", "wrongly_kept")
    sums = lines.group_by("currency").agg(pl.col(names).sum()).sort("currency")
    return {row["currency"]: Cash(*(row[name] for name in names)) for row in sums.iter_rows(named=True)}


def _truth(path: Path) -> pl.DataFrame:
    if not path.exists():
        raise UsageError(f"{path} is not there; name a folder that makegood synth has written")
    truth = pl.read_parquet(path)
    if missing := [name for name in TRUTH if name not in truth.columns]:
        raise UsageError(f"{path} has no column {missing[0]}; make the night anew with makegood synth")
    return truth


def _sessions(out: Path) -> pl.DataFrame:
    path = out / "sessions.parquet"
    if not path.exists():
        raise UsageError(f"{path} is not there; name the folder that makegood nightly --out has written")
    return pl.read_parquet(path, columns=["session_id"])


def _findings(path: Path) -> pl.DataFrame:
    rows = [(each.subject.type, each.subject.id, each.kind) for each in _records(path, FindingRecord)]
    return pl.DataFrame(rows, schema=_FOUND, orient="row").unique()


def _remedies(path: Path) -> pl.DataFrame:
    rows = [
        (each.order_line_id, each.state, each.amount, each.currency, any(one.kind in _GOODS for one in each.actions))
        for each in _records(path, RemedyRecord)
    ]
    return pl.DataFrame(rows, schema=_GIVEN, orient="row")


def _records(path: Path, kind: type[T]) -> list[T]:
    if not path.exists():
        raise UsageError(f"{path} is not there; name the folder that makegood nightly --out has written")
    decoder = msgspec.json.Decoder(kind)
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise UsageError(
                f"{path}, line {number}: is no record of that file ({error}); run the night again"
            ) from None
    return found
