"""Runs tests on a copy of the source with one bug in it: `python -m tests.prove.mutants TREE`.

The process imports what others have written once, and forks a child for each run, so
that a run costs little more than its tests. It reads requests from standard input,
one JSON array of pytest's arguments a line, and answers each with pytest's exit code.
"""

import gc
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import Phase, settings

ROOT: Final = Path(__file__).parents[2]
_OF_SIZE: Final = ("MAKEGOOD_PROVE", "MAKEGOOD_REQUIRE_SERVERS")
_COPIED: Final = ("detectors", "pipelines", "remediation", "templates", "tests")
_OF_OTHERS: Final = (
    "aiosmtpd.controller",
    "babel.numbers",
    "hypothesis.stateful",
    "jinja2",
    "polars",
    "psycopg",
    "pydantic",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "stripe",
    "trustme",
)


class Mutants:
    """A copy of the source, in which one file after another is wrong for a while."""

    def __init__(self, tree: Path, process: "subprocess.Popen[str]") -> None:
        self._tree = tree
        self._process = process

    def survives(self, file: str, source: str, tests: Sequence[str]) -> bool:
        """Whether all these tests pass although the file holds this source."""
        right = (ROOT / file).read_bytes()
        (self._tree / file).write_text(source)
        try:
            return self._passes(tests)
        finally:
            (self._tree / file).write_bytes(right)

    def _passes(self, tests: Sequence[str]) -> bool:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([*_OPTIONS, *tests]) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in {*_ENDED, *_RAN_FOR_EVER}, f"the tests could not be run at all: {code}"
        return code == pytest.ExitCode.OK


_ENDED: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
_RAN_FOR_EVER: Final = (-signal.SIGXCPU, -signal.SIGKILL)
_LIMIT_S: Final = 120
"""So much time of a processor, and a run is taken to go on for ever: that is a way of failing, too."""
_OPTIONS: Final = (
    *("-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # plugins were imported before
)


@contextmanager
def mutants(folder: Path) -> Iterator[Mutants]:
    """A copy of the source in `folder`, and a process that runs tests there for as long as the context lasts."""
    tree = folder / "tree"
    for name in _COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("node_modules", "bin", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    command = [sys.executable, "-m", "tests.prove.mutants", str(tree)]
    # A taste of each proof has to suffice: at other sizes they would not end within the limit, and seem to find bugs.
    small = {name: value for name, value in os.environ.items() if name not in _OF_SIZE}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=small
    ) as process:
        yield Mutants(tree, process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Serves until standard input ends."""
    tree = sys.argv[1]
    for name in _OF_OTHERS:
        importlib.import_module(name)
    # That a bug is found is enough: it need not be found in its smallest form.
    settings.register_profile("found", phases=(Phase.explicit, Phase.generate), database=None)
    settings.load_profile("found")
    gc.freeze()
    os.chdir(tree)
    sys.path.insert(0, tree)
    for name in [each for each in sys.modules if each.partition(".")[0] in _COPIED]:
        del sys.modules[name]  # those of the tree that is right
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(arguments: Sequence[str]) -> None:
    """pytest, in a child that never returns."""
    code = 70
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(2):
            os.dup2(nothing, number)
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_CPU, (_LIMIT_S, _LIMIT_S))
        code = pytest.main(list(arguments))
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's loop
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
