"""The tests are tested: a bug that somebody could make in the money code does not get past them."""

import sys
from collections.abc import Iterator

import pytest

from tests.prove.figures import tell
from tests.prove.mutants import ROOT, Mutants, mutants
from tests.prove.seeded import EVERY_CHANGE, RELEASE, SUITE, SeededBug

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mutants]:
    with mutants(tmp_path_factory.mktemp("mutants")) as source:
        yield source


def test_each_bug_still_fits_the_source() -> None:
    for bug in (*EVERY_CHANGE, *RELEASE):
        assert bug.seeded(right(bug)) != right(bug)


@pytest.mark.servers
def test_where_no_bug_is_seeded_the_same_tests_pass(source: Mutants) -> None:
    bug = EVERY_CHANGE[0]
    assert source.survives(bug.file, right(bug), sorted({each.caught_by for each in EVERY_CHANGE}))


@pytest.mark.servers
@pytest.mark.parametrize("bug", EVERY_CHANGE, ids=lambda bug: bug.name)
def test_a_bug_is_caught_by_the_tests_that_are_about_it(source: Mutants, bug: SeededBug) -> None:
    assert not source.survives(bug.file, bug.seeded(right(bug)), [bug.caught_by]), "the bug survives"


@pytest.mark.prove
def test_no_bug_of_all_survives_the_suite(source: Mutants) -> None:
    bugs = (*EVERY_CHANGE, *RELEASE)
    everything = sorted({*SUITE, *(bug.caught_by for bug in bugs)})
    assert source.survives(bugs[0].file, right(bugs[0]), everything), "the suite fails where no bug is seeded"
    survivors = [bug.name for bug in bugs if survives_all(source, bug)]
    tell(f"seeded bugs: {len(bugs)} seeded, {len(bugs) - len(survivors)} caught; survivors: {survivors or 'none'}")
    assert survivors == []


def survives_all(source: Mutants, bug: SeededBug) -> bool:
    """Its own tests are asked first: they are faster than the whole suite."""
    wrong = bug.seeded(right(bug))
    return source.survives(bug.file, wrong, [bug.caught_by]) and source.survives(bug.file, wrong, SUITE)


def right(bug: SeededBug) -> str:
    return (ROOT / bug.file).read_text(encoding="utf-8")
