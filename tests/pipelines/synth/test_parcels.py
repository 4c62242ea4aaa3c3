"""Made-up parcels: how many fail, and that each tells its own story."""

from collections import Counter

import pytest

from pipelines.synth.carriers import AFTERSHIP, EASYPOST
from pipelines.synth.journeys import Fire, fire, travelled
from pipelines.synth.parcels import SHARES, Parcel, Story, parcels
from pipelines.synth.recipe import Recipe

NIGHT = Recipe(sessions=1, seed=2, parcels=5_000)


def sent(recipe: Recipe, burning: Fire | None = None) -> list[Parcel]:
    (numbers,) = recipe.batches()
    rng = recipe.random("journeys")
    return [travelled(parcel, burning, recipe.as_of, rng) for parcel in parcels(recipe, numbers)]


@pytest.fixture(scope="module")
def night() -> list[Parcel]:
    return sent(NIGHT)


def test_every_story_is_told_about_as_often_as_it_should(night: list[Parcel]) -> None:
    told = Counter(parcel.story for parcel in night)
    assert told.keys() == set(Story)
    assert told[Story.SLOW] / len(night) == pytest.approx(SHARES[Story.SLOW], abs=0.01)


def test_nothing_is_known_before_it_happens(night: list[Parcel]) -> None:
    assert all(scan.at <= NIGHT.as_of for parcel in night for scan in parcel.scans)
    assert all(said.at <= NIGHT.as_of for parcel in night for said in parcel.contacts)
    assert all([scan.at for scan in each.scans] == sorted(scan.at for scan in each.scans) for each in night)


def test_each_form_is_used_and_can_say_what_its_parcels_need(night: list[Parcel]) -> None:
    carriers = {parcel.carrier for parcel in night}
    assert carriers > {*EASYPOST, *AFTERSHIP}
    plain = [each for each in night if each.carrier in EASYPOST + AFTERSHIP]
    assert not any(scan.proof or scan.reason == "did_not_occur" for each in plain for scan in each.scans)


def test_a_depot_that_burns_takes_what_is_in_it_and_the_scans_end_there() -> None:
    nights = (Recipe(1, seed, parcels=2_000) for seed in range(40))
    recipe, burning = next((each, found) for each in nights if (found := fire(each)))
    burnt = [each for each in sent(recipe, burning) if each.burnt_in]
    assert len(burnt) > 10
    assert {each.scans[-1].depot for each in burnt} == {burning.depot}
    assert {each.burnt_in for each in burnt} == {burning.name}


def test_in_a_healthy_night_every_parcel_arrives_in_its_time_or_after_it() -> None:
    healthy = Recipe(sessions=1, seed=2, parcels=1_000, healthy=True)
    assert {parcel.story for parcel in sent(healthy)} == {Story.FINE, Story.SLOW}
    assert fire(healthy) is None
