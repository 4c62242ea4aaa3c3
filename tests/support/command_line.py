"""The command line in this process: what it prints, and with which exit code it ends."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines import cli


@dataclass(frozen=True)
class Ran:
    """What one run said."""

    code: int
    out: str
    err: str


Makegood = Callable[..., Ran]


def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *after: str) -> Makegood:
    """Runs `makegood` with the arguments it is given, followed by those of `after`."""

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr(sys, "argv", ["makegood", *map(str, arguments), *after])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
