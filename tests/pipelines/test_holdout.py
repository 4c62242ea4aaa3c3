"""A policy that holds customers out needs the key that chooses them, and the key is in nothing that is written."""

from pathlib import Path

import pytest

from pipelines.inputs import read_holdout
from pipelines.settings import HOLDOUT_KEY, UsageError
from remediation.policy.load import default_policy, default_text
from tests.remediation.policy.stories import a_policy
from tests.support.command_line import command_line
from tests.support.running import FIXTURES

KEY = "c0" * 32
COMPARED = a_policy(("enabled = false", "enabled = true"), ("holdout_percent = 0", "holdout_percent = 25"))


def test_nobody_is_held_out_by_default_key_or_not() -> None:
    assert read_holdout(default_policy(), KEY) == (None, ())
    off = a_policy(("holdout_percent = 0", "holdout_percent = 25"))
    assert read_holdout(off, None) == (None, ())


def test_the_key_is_a_part_of_the_run_that_does_not_show() -> None:
    holdout, (told,) = read_holdout(COMPARED, KEY)
    assert holdout is not None
    assert (holdout.percent, told.role, told.name) == (25, "keys", HOLDOUT_KEY)
    assert KEY not in repr(told)
    assert told != read_holdout(COMPARED, "c1" * 32)[1][0]


@pytest.mark.parametrize(("key", "problem"), [(None, "set the environment variable"), ("short", "hexadecimal digits")])
def test_without_a_good_key_nothing_runs(key: str | None, problem: str) -> None:
    with pytest.raises(UsageError, match=rf"{HOLDOUT_KEY}.*{problem}|{problem} {HOLDOUT_KEY}"):
        read_holdout(COMPARED, key)


def test_a_night_stops_before_it_writes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(HOLDOUT_KEY, raising=False)
    policy = tmp_path / "policy.toml"
    text = default_text().decode()
    policy.write_text(text.replace("enabled = false", "enabled = true").replace("percent = 0", "percent = 25"))
    story = FIXTURES / "two_currencies"
    ran = command_line(monkeypatch, capsys)(
        "nightly",
        f"--telemetry={story / 'telemetry'}",
        f"--orders={story / 'orders.jsonl'}",
        f"--ledger=sqlite:///{tmp_path / 'ledger.db'}",
        "--as-of=2026-11-22T06:00:00Z",
        f"--policy={policy}",
    )
    assert ran.code == 2
    assert ran.err == (
        "makegood: the policy holds 25 % out from goodwill: set the environment variable MAKEGOOD_HOLDOUT_KEY to the "
        "key that chooses them, or holdout_percent to 0\n"
    )
    assert not (tmp_path / "ledger.db").exists()
