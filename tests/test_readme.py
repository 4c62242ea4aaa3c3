"""What the README says exists."""

import re
from pathlib import Path

from typer.main import get_command

from pipelines.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_commands_and_options_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| `makegood ([a-z-]+)([^|]*(?:\\\|[^|]*)*)\|([^|]*)\|$", README, re.MULTILINE)
    commands = get_command(app).commands  # type: ignore[attr-defined] # the application is a group
    assert {name for name, _, _ in rows} == set(commands)
    for name, usage, told in rows:
        group = [commands[name], *getattr(commands[name], "commands", {}).values()]
        parameters = [parameter for command in group for parameter in command.params]
        known = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
        assert set(re.findall(r"--[a-z-]+", usage + told)) <= known, name


def test_its_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", README)) <= targets


def test_its_files_exist() -> None:
    named = re.findall(r"`((?:pipelines|detectors|remediation|fixtures|templates)/[\w./]+|[A-Z]+\.md)`", README)
    assert named
    assert all((ROOT / name).exists() for name in named)
