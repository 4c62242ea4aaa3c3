from dataclasses import replace

from sqlalchemy import Engine, update

from remediation.guards.figures import Figures, to_json
from remediation.ledger.audit import Author
from remediation.ledger.run import Objection, Run, RunInput, judge_run, judged_nights, start_run
from remediation.ledger.tables import RUNS
from remediation.report.backdrop import LEAST_NIGHTS, SHOWN_NIGHTS, Backdrop, EarlierNight, read_backdrop
from tests.remediation.guards.nights import DAY, FIRST, HOUR, RULES, a_night, paid
from tests.remediation.report.ledgers import Ledger
from tests.remediation.report.nights import a_backdrop

STORM = Objection("sessions", "Half of all sessions were flagged.")


def judged(engine: Engine, figures: Figures, *objections: Objection, files: int = 1, kind: str = "night") -> str:
    """A run of these figures that has come to its end."""
    inputs = tuple(RunInput("telemetry", f"{number}.jsonl", 9, f"{number:064}", 1) for number in range(files))
    run = Run(figures.as_of, "a" * 64, "1", inputs, "stream" if kind == "stream" else "night")
    start_run(engine, run)
    judge_run(engine, run.run_id, Author("guards", figures.as_of), to_json(figures), list(objections))
    return run.run_id


def seen(engine: Engine, figures: Figures, *objections: Objection) -> Backdrop:
    found = read_backdrop(engine, judged(engine, figures, *objections), figures.as_of, RULES)
    assert found is not None
    return found


def test_the_nights_before_are_told_by_their_age_with_those_that_were_held(ledger: Ledger) -> None:
    for day in (-40, -28, -2):
        judged(ledger.engine, a_night(day))
    judged(ledger.engine, a_night(-1), STORM)

    found = seen(ledger.engine, a_night())
    assert found.tonight == a_night()
    assert [(night.nights_ago, night.released) for night in found.earlier] == [(28, True), (2, True), (1, False)]


def test_neither_later_nights_nor_slices_nor_withdrawn_nights_are_seen(ledger: Ledger) -> None:
    tonight = a_night()
    before = seen(ledger.engine, tonight)
    judged(ledger.engine, a_night(1))
    judged(ledger.engine, a_night(-1), kind="stream")
    withdrawn = judged(ledger.engine, a_night(-2), STORM)
    with ledger.engine.begin() as connection:
        connection.execute(update(RUNS).where(RUNS.c.run_id == withdrawn).values(state="withdrawn"))

    assert seen(ledger.engine, tonight) == before
    assert before.earlier == ()
    assert {reading.guard for reading in before.readings} >= {"payouts", "money", "sessions", "sources"}


def test_of_two_runs_of_one_night_the_released_one_is_shown(ledger: Ledger) -> None:
    early, late = a_night(-1, payouts=1), replace(a_night(-1, payouts=2), as_of=FIRST - DAY + HOUR)
    judged(ledger.engine, early, files=2)
    judged(ledger.engine, late, STORM, files=3)
    judged(ledger.engine, a_night(payouts=3), files=2)

    (night,) = seen(ledger.engine, a_night()).earlier
    assert night.figures == early


def test_the_clock_changes_nothing(ledger: Ledger) -> None:
    subjects = {reading.subject for reading in seen(ledger.engine, a_night()).readings if reading.guard == "clock"}
    assert subjects == {"sessions"}


def test_a_run_that_was_not_judged_has_no_backdrop(ledger: Ledger) -> None:
    run = Run(FIRST, "a" * 64, "1", ())
    start_run(ledger.engine, run)
    assert read_backdrop(ledger.engine, run.run_id, FIRST, RULES) is None
    assert judged_nights(ledger.engine, FIRST, 9) == ()


def test_what_is_usual_is_the_median_of_released_nights_and_unknown_where_they_are_few() -> None:
    nights = [a_night(-day, payouts=day) for day in range(1, LEAST_NIGHTS + 2)]
    backdrop = a_backdrop(earlier=nights, held={LEAST_NIGHTS + 1})
    usual = backdrop.usual(lambda night: night.payouts)
    assert usual is not None
    assert (usual.value, usual.nights) == (2, LEAST_NIGHTS)
    assert backdrop.usual(lambda night: night.median_age_ms if night.payouts > 1 else None) is None
    assert a_backdrop(earlier=nights, held={1, 2}).usual(lambda night: night.payouts) is None


def test_a_later_start_of_a_night_changes_no_date(ledger: Ledger) -> None:
    judged(ledger.engine, replace(a_night(-SHOWN_NIGHTS, paid=(paid(1),)), as_of=FIRST - SHOWN_NIGHTS * DAY - 5 * HOUR))
    assert [type(night) for night in seen(ledger.engine, a_night()).earlier] == [EarlierNight]
