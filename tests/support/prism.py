"""Prism and a pool of workers as processes of their own: a cluster, as far as one machine has one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from pipelines.streaming.prism import serving

PROGRAM: Final = Path(sys.executable).with_name("prism")
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

    endpoint: str
    pool: subprocess.Popen[bytes]
    pool_port: int

    @property
    def options(self) -> tuple[str, ...]:
        """What Beam is told."""
        workers = ("--environment_type=EXTERNAL", f"--environment_config=localhost:{self.pool_port}")
        return (f"--job_endpoint={self.endpoint}", *workers)

    def workers(self) -> list[int]:
        """The processes that the pool has started."""
        found = subprocess.run(["pgrep", "-P", str(self.pool.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Both, for as long as the context lasts."""
    with serving(demand_prism()) as endpoint, _pool(_free_port()) as (pool, port):
        yield Cluster(endpoint, pool, port)


@contextmanager
def _pool(port: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    # The pool starts `python`: it must be the one that has makegood.
    environment = os.environ | {"PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    module = "apache_beam.runners.worker.worker_pool_main"
    pool = subprocess.Popen(
        [sys.executable, "-m", module, f"--service_port={port}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(pool, port)
        yield pool, port
    finally:
        for pid in subprocess.run(
            ["pgrep", "-P", str(pool.pid)], capture_output=True, text=True, check=False
        ).stdout.split():
            os.kill(int(pid), 9)
        pool.kill()
        pool.wait()


def _await(pool: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while pool.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the pool of workers does not start")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
