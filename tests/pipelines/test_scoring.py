"""A night against its truth, on figures that a person can check."""

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.scoring import Agreement, Cash, score_night
from pipelines.settings import UsageError
from pipelines.synth.truth import FILE, TRUTH

Record = Mapping[str, object]


def a_session(name: str, *kinds: str, forged: str | None = None) -> Record:
    return {
        "subject_type": "session",
        "subject_id": name,
        "kinds": [*kinds],
        "order_line_id": f"line-{name}",
        "forged": forged,
    }


def a_line(name: str, owed_minor: int, currency: str = "USD", goods: str | None = None) -> Record:
    known = {"subject_type": "order_line", "subject_id": name, "kinds": [], "order_line_id": name}
    return {**known, "owed_minor": owed_minor, "currency": currency, "owed_goods": goods}


def a_finding(session: str, kind: str) -> Record:
    figures = {"severity": 0.5, "occurred_from": 1, "occurred_to": 2, "evidence": {}, "fault": "unknown"}
    subject = {"type": "session", "id": session}
    names = {"finding_id": f"{kind}-{session}", "customer_id": None, "order_line_id": None, "detector_version": "1"}
    return {"kind": kind, "subject": subject, **names, **figures}


def a_remedy(line: str, amount: int, state: str = "approved", currency: str = "USD", kind: str = "refund") -> Record:
    return {
        "remedy_id": f"{line}-{amount}",
        "finding_ids": [],
        "order_line_id": line,
        "actions": [{"kind": kind, "amount_minor": amount}],
        "amount": amount,
        "currency": currency,
        "policy_sha256": "a",
        "reason": "b",
        "customer_id": "c",
        "number": 1,
        "state": state,
    }


@pytest.fixture
def night(tmp_path: Path) -> tuple[Path, Path]:
    """Four viewers and a forger: one made good, one missed, one paid for nothing, one held, and the forger held."""
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    out.mkdir()
    truth = [
        a_session("stalled", "playback_stalls", "slow_start"),
        a_session("missed", "playback_stalls"),
        a_session("fine"),
        a_session("held", "playback_failed"),
        a_session("fake", forged="no grant"),
        a_line("line-stalled", 299),
        a_line("line-missed", 399),
        a_line("line-fine", 0),
        a_line("line-held", 450, "EUR"),
        a_line("line-fake", 0),
        a_line("line-lamp", 0, goods="replacement"),
    ]
    pl.DataFrame(truth, schema=TRUTH).write_parquet(made / FILE)
    found = [
        a_finding("stalled", "playback_stalls"),
        a_finding("stalled", "slow_start"),
        a_finding("fine", "playback_stalls"),
        a_finding("held", "playback_failed"),
        a_finding("fake", "playback_stalls"),
    ]
    given = [
        a_remedy("line-stalled", 299),
        a_remedy("line-fine", 150),
        a_remedy("line-held", 450, "held", "EUR"),
        a_remedy("line-fake", 500, "held"),
        a_remedy("line-lamp", 0, kind="replacement"),
    ]
    write(out / "findings.jsonl", found)
    write(out / "remedies.jsonl", given)
    seen = ["stalled", "missed", "fine", "fake"]
    pl.DataFrame({"session_id": seen}).write_parquet(out / "sessions.parquet")
    return made, out


def write(path: Path, records: list[Record]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_findings_are_right_or_wrong_by_kind_and_forgeries_count_apart(night: tuple[Path, Path]) -> None:
    score = score_night(*night)
    assert score.kinds == {
        "playback_stalls": Agreement(true=1, found=2, happened=2),
        "slow_start": Agreement(true=1, found=1, happened=1),
        "playback_failed": Agreement(true=1, found=1, happened=1),
    }
    assert (score.overall.precision, score.overall.recall) == (0.75, 0.75)
    assert (score.forged, score.forged_found, score.forged_paid) == (1, 1, 0)
    assert (score.sessions, score.sessions_lost) == (5, 1)


def test_money_is_right_or_wrong_by_currency_and_what_is_held_is_neither(night: tuple[Path, Path]) -> None:
    assert score_night(*night).cash == {
        "EUR": Cash(owed=450, paid=0, held=450, wrongly_paid=0, wrongly_kept=0),
        "USD": Cash(owed=698, paid=449, held=500, wrongly_paid=150, wrongly_kept=399),
    }


def test_a_forgery_that_is_paid_for_is_told(night: tuple[Path, Path]) -> None:
    made, out = night
    write(out / "remedies.jsonl", [a_remedy("line-fake", 500)])
    score = score_night(made, out)
    assert (score.forged_paid, score.cash["USD"].wrongly_paid) == (1, 500)


def test_goods_are_owed_and_sent(night: tuple[Path, Path]) -> None:
    made, out = night
    score = score_night(made, out)
    assert (score.goods_owed, score.goods_sent, score.goods_wrongly_sent) == (1, 1, 0)
    write(out / "remedies.jsonl", [a_remedy("line-fine", 0, kind="exchange")])
    assert score_night(made, out).goods_wrongly_sent == 1


def test_what_only_a_person_may_decide_is_told_if_nobody_was_asked(night: tuple[Path, Path]) -> None:
    made, out = night
    truth = pl.read_parquet(made / FILE)
    of_a_person = truth.with_columns(for_person=pl.col("subject_id").is_in(["line-stalled", "line-held"]))
    of_a_person.write_parquet(made / FILE)
    assert score_night(made, out).unasked == 1


def test_nothing_that_happened_and_nothing_found_is_perfect() -> None:
    assert (Agreement(0, 0, 0).precision, Agreement(0, 0, 0).recall) == (1.0, 1.0)


def test_a_night_below_its_minimum_fails(night: tuple[Path, Path]) -> None:
    paths = [*map(str, night)]
    told = CliRunner().invoke(app, ["score-night", *paths, "--min-precision", "0.75", "--min-recall", "0.75"])
    assert (told.exit_code, "all" in told.stdout) == (0, True)
    below = CliRunner().invoke(app, ["score-night", *paths, "--min-recall", "0.9"])
    assert below.exit_code == 1
    assert "recall 75.00% is below 90.00%" in below.output


def test_a_program_reads_the_same_figures(night: tuple[Path, Path]) -> None:
    told = json.loads(CliRunner().invoke(app, ["score-night", *map(str, night), "--json"]).stdout)
    assert told["kinds"]["all"]["precision"] == 0.75
    assert told["cash"]["USD"]["wrongly_kept"] == 399


@pytest.mark.parametrize("name", ["findings.jsonl", "remedies.jsonl", "sessions.parquet"])
def test_what_is_missing_is_named(night: tuple[Path, Path], name: str) -> None:
    made, out = night
    (out / name).unlink()
    with pytest.raises(UsageError, match=rf"{name} is not there; name the folder that makegood nightly --out"):
        score_night(made, out)


def test_a_line_that_is_no_record_is_named(night: tuple[Path, Path]) -> None:
    made, out = night
    with (out / "findings.jsonl").open("a") as file:
        file.write('{"kind": 1}\n')
    with pytest.raises(UsageError, match=r"findings.jsonl, line 6: is no record"):
        score_night(made, out)


def test_a_folder_without_truth_is_named(night: tuple[Path, Path]) -> None:
    made, out = night
    (made / FILE).unlink()
    with pytest.raises(UsageError, match=r"truth.parquet is not there; name a folder that makegood synth"):
        score_night(made, out)
