"""`makegood whatif`, in this process: what it prints, what it refuses, and that it needs no Beam."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from remediation.database import open_database
from remediation.policy.load import default_text
from tests.remediation.whatif.towns import Town, a_rental, stalled
from tests.support.command_line import Makegood, command_line
from tests.support.stores import empty_file

STALLS = "playback_stalls = { mild = 50, moderate = 100, severe = 100 }"


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Makegood:
    """Runs a command on a ledger of one night, in a folder with the policy of then and another."""
    url = empty_file(tmp_path / "ledger.db")
    engine = open_database(url)
    town = Town(engine)
    town.sells(a_rental("film"), a_rental("other", "C-2"))
    town.night(stalled("film"), stalled("other"))
    engine.dispose()
    text = default_text().decode()
    (tmp_path / "same.toml").write_text(text, encoding="utf-8")
    (tmp_path / "half.toml").write_text(text.replace(STALLS, STALLS.replace("100", "50")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return command_line(monkeypatch, capsys, "--ledger", url)


def test_the_same_policy_would_have_changed_nothing(makegood: Makegood) -> None:
    ran = makegood("whatif", "--policy", "same.toml")
    assert (ran.code, ran.err) == (0, "")
    assert "findings     2 judged anew, 0 as they were decided then\nnothing would have been different\n" in ran.out


def test_another_one_is_told_in_figures_and_names_no_customer(makegood: Makegood) -> None:
    ran = makegood("whatif", "--policy", "half.toml")
    assert ran.code == 0
    for line in (
        "             refund.rental.playback_stalls.severe 100 → 50",
        "to be paid   8.00 USD → 4.00 USD",
        "customers    2 helped less",
        "  Playback stalled, refund: 2, 8.00 USD → 4.00 USD",
    ):
        assert line in ran.out.splitlines()
    assert "C-1" not in ran.out
    assert "example.com" not in ran.out


def test_customers_are_named_by_their_ids_where_that_is_asked_for(makegood: Makegood) -> None:
    said = makegood("whatif", "--policy", "half.toml", "--list", "less").out.splitlines()
    assert said[-2:] == ["C-1  film  4.00 USD → 2.00 USD", "C-2  other  4.00 USD → 2.00 USD"]


def test_all_figures_are_there_for_a_program(makegood: Makegood) -> None:
    told = json.loads(makegood("whatif", "--policy", "half.toml", "--json").out)
    assert told["sides"]["after"]["paid"] == [{"minor": 400, "currency": "USD"}]
    assert told["fates"]["less"] == 2
    assert (told["is_none"], told["findings"]["judged"], len(told["runs"])) == (False, 2, 1)


def test_what_cannot_be_tried_is_refused(makegood: Makegood) -> None:
    missing = makegood("whatif", "--policy", "none.toml")
    assert (missing.code, missing.err) == (
        2,
        "makegood: --policy none.toml cannot be read (No such file or directory): name the policy file to try\n",
    )
    assert makegood("whatif", "--policy", "half.toml", "--nights", "0").code == 2
    Path("half.toml").write_text("[playback]", encoding="utf-8")
    assert makegood("whatif", "--policy", "half.toml").code == 1


def test_it_starts_without_beam() -> None:
    code = (
        "import sys; from pipelines import cli; from remediation.whatif import answer, telling; "
        "from pipelines.commands import trying; assert 'apache_beam' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
