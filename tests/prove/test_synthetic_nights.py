"""A thousand made-up nights, with all that can go wrong in them: what is found is true, and what is true is found."""

from pipelines.synth.recipe import Recipe
from tests.prove.figures import sized, tell
from tests.prove.nights import a_night, together, told

NIGHTS = sized(every_change=5, release=1_000, taste=1)
SESSIONS = sized(every_change=5_000, release=5_000, taste=1_000)


def test_what_is_found_is_true_and_what_is_true_is_found() -> None:
    nights = together(a_night(Recipe(SESSIONS, seed)) for seed in range(1, NIGHTS + 1))
    tell(f"{NIGHTS:,} nights, {told(nights)}")
    assert nights.broken == ()
    assert nights.total(lambda night: night.sessions_lost) == 0
    assert nights.overall.precision >= 0.995
    assert nights.overall.recall >= 0.95
    assert nights.total(lambda night: night.forged_paid) <= 0.01 * nights.total(lambda night: night.forged)
    assert nights.total(lambda night: night.unasked) == 0
