"""Bombs and malformed files: each is rejected with its reason, its good neighbours are used, and memory is bounded.

`MAKEGOOD_PROVE=release` makes them eight times as large, against the limits of real runs; `-s` prints what each took.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.prove import readings
from tests.prove.bombs import BOOKS, GOOD, GROWTH_MB, LIMITS, TELEMETRY, TOML, Bomb
from tests.prove.confined import confined
from tests.prove.figures import sized, tell

SENTENCE_LENGTH: Final = 300
SMALL, MANY = 100_000, 10_000
WITH_BEAM_MB: Final = 900
"""Beam alone is three hundred; here the limits are those of real runs."""


@pytest.mark.parametrize("name", list(TELEMETRY)[:: sized(1, 1, taste=8)])
def test_a_bomb_among_telemetry_is_rejected_in_bounded_memory(tmp_path: Path, name: str) -> None:
    file, bomb = written(tmp_path, TELEMETRY, name)

    took = confined(readings.telemetry, file, LIMITS)

    tell(f"{name}: {file.stat().st_size:,} bytes, {took.result}, {took.grown_mb} MB")
    assert took.result.balanced
    assert took.result.placed
    assert set(took.result.rejected) == bomb.codes
    assert took.result.used == bomb.used
    assert took.grown_mb < GROWTH_MB


@pytest.mark.parametrize("name", list(BOOKS)[:: sized(1, 1, taste=8)])
def test_a_bomb_among_orders_is_rejected_in_bounded_memory(tmp_path: Path, name: str) -> None:
    file, bomb = written(tmp_path, BOOKS, name)

    took = confined(readings.book, file, "orders")

    tell(f"{name}: {file.stat().st_size:,} bytes, {took.result}, {took.grown_mb} MB")
    assert set(took.result.rejected) == bomb.codes
    assert took.result.used == bomb.used
    assert took.grown_mb < GROWTH_MB


@pytest.mark.parametrize("load", [readings.policy, readings.key_ring])
@pytest.mark.parametrize("name", TOML)
def test_a_bomb_for_a_policy_or_a_key_ring_is_one_sentence(
    tmp_path: Path, name: str, load: Callable[[Path], str]
) -> None:
    file = tmp_path / "odd.toml"
    file.write_bytes(TOML[name]())

    took = confined(load, file)

    tell(f"{name}: {file.stat().st_size:,} bytes, {took.grown_mb} MB: {took.result}")
    assert took.result.startswith(str(file.name))
    assert len(took.result) < SENTENCE_LENGTH
    assert took.grown_mb < 300


@pytest.mark.servers  # Not for a server, but for its time.
def test_a_folder_full_of_bombs_is_one_night_like_any_other(tmp_path: Path) -> None:
    """Through the command line: everything in it is accounted for, and what is good is used."""
    folder = tmp_path / "telemetry"
    folder.mkdir()
    light = {name: bomb for name, bomb in TELEMETRY.items() if bomb.used < MANY and "mostly_rejected" not in bomb.codes}
    small = {name: data for name, bomb in light.items() if len(data := bomb.make()) < SMALL}
    for number, data in enumerate(small.values()):
        (folder / f"{number:03}").write_bytes(data)
    (folder / "good.jsonl").write_bytes(GOOD)

    took = confined(readings.command_line, "sessions", str(folder), "--out", str(tmp_path / "sessions.jsonl"))

    (code, said), used = took.result, 1 + sum(TELEMETRY[name].used for name in small)
    tell(f"{len(small)} bombs in one folder, {took.grown_mb} MB: {said.splitlines()[-12]}")
    assert code == 0, said
    assert len(small) > 25
    balance = re.search(r"([\d,]+) in = ([\d,]+) used \+ ([\d,]+) duplicate \+ ([\d,]+) rejected \+ 0 late", said)
    assert balance, said
    came, taken, twice, refused = (int(figure.replace(",", "")) for figure in balance.groups())
    assert came == taken + twice + refused
    assert taken + twice == used
    assert took.grown_mb < WITH_BEAM_MB


def written(folder: Path, bombs: Mapping[str, Bomb], name: str) -> tuple[Path, Bomb]:
    """The bomb as a file."""
    file = folder / "bomb"
    file.write_bytes(bombs[name].make())
    return file, bombs[name]
