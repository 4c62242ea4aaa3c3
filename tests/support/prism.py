"""Prism, and workers that are processes of their own: a cluster, as far as one machine has one."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

import pipelines

PROGRAM: Final = Path(sys.executable).with_name("prism")
SCRIPT: Final = Path(pipelines.__file__).parent / "deploy" / "local-cluster"
REQUIRED: Final = "MAKEGOOD_REQUIRE_SERVERS"
PATIENCE_S: Final = 120


def demand_prism() -> str:
    """The program; skips the test where it is not there and need not be."""
    if not PROGRAM.exists():
        how = "Prism is not here: make prism (needs Go)"
        if os.environ.get(REQUIRED):
            pytest.fail(how)
        pytest.skip(how)
    return str(PROGRAM)


@dataclass(frozen=True)
class Cluster:
    """An engine and workers that share nothing with whoever uses them but files and addresses."""

    options: tuple[str, ...]
    script: int

    def workers(self) -> list[int]:
        """The processes that run steps of a stream, by their ids."""
        return [worker for part in _children(self.script) for worker in _children(part)]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Both, as `local-cluster` starts them, for as long as the context lasts."""
    demand_prism()
    ports = _free_ports()
    script = subprocess.Popen(
        [SCRIPT, *map(str, ports)],
        # Beam's pool starts `python`, and the script `prism`: those that have makegood.
        env=os.environ | {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert script.stdout is not None
    try:
        told = script.stdout.readline()
        assert told, "local-cluster does not start"
        yield Cluster(tuple(told.split()), script.pid)
    finally:
        script.stdout.close()
        os.killpg(script.pid, signal.SIGKILL)
        script.wait()


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
