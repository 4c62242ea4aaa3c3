"""Metrics of a command as a text file for node exporter's collector, and of a stream over HTTP.

What can be read from the ledger is, so that it is right after any crash.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.exits import DONE, code_of
from pipelines.metrics import Sample, families, of_runs
from pipelines.settings import UsageError
from remediation.database import DatabaseUnusableError, open_ledger
from remediation.ledger.measures import Runs

if TYPE_CHECKING:
    from prometheus_client.core import Metric

SUCCESS: Final = "makegood_last_success_timestamp_seconds"


@dataclass
class Metered:
    """A command that is being measured. `samples` is what it has found out besides what the ledger says."""

    command: str
    path: Path
    ledger_url: str
    read: Callable[[Connection], Iterable[Sample]]
    samples: tuple[Sample, ...] = ()

    def write(self, code: int, seconds: float, now_s: float) -> None:
        """Writes the file whole or not at all; what went wrong with it is said and fails nobody's refund."""
        last = now_s if code == DONE else _last_success(self.path, self.command)
        own = [
            ("makegood_last_run_timestamp_seconds", (self.command,), now_s),
            ("makegood_run_duration_seconds", (self.command,), seconds),
            ("makegood_last_exit_code", (self.command,), code),
            *([] if last is None else [(SUCCESS, (self.command,), last)]),
        ]
        try:
            _write(self.path, [*own, *self.samples, *self._of_ledger()])
        except OSError as error:
            sys.stderr.write(f"makegood: --metrics {self.path} cannot be written ({error.strerror}): mend it\n")

    def _of_ledger(self) -> list[Sample]:
        try:
            engine = open_ledger(self.ledger_url)
        except DatabaseUnusableError:
            return []
        try:
            with engine.connect() as connection:
                return list(self.read(connection))
        except SQLAlchemyError:
            return []
        finally:
            engine.dispose()


@contextmanager
def metered(metering: Metered, clock: Callable[[], int]) -> Iterator[Metered]:
    """Writes metrics at the end of the context, however that comes; `clock` is in milliseconds since the epoch."""
    begin, code = time.monotonic(), DONE
    try:
        yield metering
    except BaseException as error:
        code = code_of(error)
        raise
    finally:
        metering.write(code, time.monotonic() - begin, clock() / 1000)


@contextmanager
def serving(address: tuple[str, int], engine: Engine, runs: Runs) -> Iterator[str]:
    """Answers Prometheus over HTTP for as long as the context lasts; gives the URL.

    Raises:
      UsageError: Nothing can listen there.
    """
    from prometheus_client import CollectorRegistry, start_http_server

    host, port = address
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Live(engine, runs))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise UsageError(
            f"nothing can listen at {host}:{port} ({error.strerror}): choose another --metrics-port"
        ) from error
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(eq=False)
class _Live:
    """Reads the ledger anew for each scrape."""

    engine: Engine
    runs: Runs
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def collect(self) -> "Iterable[Metric]":
        """All families; with a ledger that is away only that."""
        try:
            with self._turn, self.engine.connect() as connection:
                samples = [*of_runs(self.runs.read(connection)), ("makegood_ledger_up", (), 1.0)]
        except SQLAlchemyError:
            samples = [("makegood_ledger_up", (), 0.0)]
        return families(samples)


@dataclass(eq=False)
class _Given:
    samples: Iterable[Sample]

    def collect(self) -> "Iterable[Metric]":
        return families(self.samples)


def _write(path: Path, samples: Iterable[Sample]) -> None:
    from prometheus_client import CollectorRegistry, write_to_textfile

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(samples))
    write_to_textfile(str(path), registry)


def _last_success(path: Path, command: str) -> float | None:
    """What the file said of the last good end; null where it says nothing."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        told = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    known = (sample for family in told for sample in family.samples if sample.name == SUCCESS)
    return next((sample.value for sample in known if sample.labels.get("command") == command), None)
