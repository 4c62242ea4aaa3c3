"""The option `--metrics`, and what each command that has it measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.commands.shared import clock
from pipelines.settings import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pipelines.metering import Metered
    from pipelines.metrics import Sample
    from remediation.reconciling.reconcile import Reconciled

Metrics = Annotated[
    Path | None, typer.Option(metavar="FILE.prom", help="Write Prometheus metrics there, for node exporter to collect")
]
Command = Literal["nightly", "dispatch", "reconcile"]


@contextmanager
def measured(command: Command, path: Path | None, ledger: str) -> Iterator["Metered | None"]:
    """Writes a command's metrics when the context ends, however it does; null where nobody wants any.

    Raises:
      UsageError: Node exporter would not read this file.
    """
    if path is None:
        yield None
        return
    _check(path)
    from pipelines.metering import Metered, metered

    with metered(Metered(command, path, ledger, _READ[command]), clock) as metering:
        yield metering


def differences(found: "Reconciled") -> tuple["Sample", ...]:
    """How often provider and ledger differ, by kind; every kind is told, so that an alarm can end."""
    from remediation.reconciling.discrepancies import Kind

    kinds = [each.kind for each in found.discrepancies]
    return tuple(("makegood_discrepancies", (str(kind),), kinds.count(kind)) for kind in Kind)


def _check(path: Path) -> None:
    if path.suffix != ".prom":
        raise UsageError(f"--metrics {path} must end in .prom: node exporter reads no other files")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--metrics {path} lies in no folder that is there: make it, or name another")


def _nights(connection: "Connection") -> Iterator["Sample"]:
    from pipelines.metrics import of_runs
    from remediation.ledger.measures import Runs

    return of_runs(Runs("night").read(connection))


def _outbox(connection: "Connection") -> Iterator["Sample"]:
    from pipelines.metrics import of_outbox
    from remediation.ledger.measures import read_outbox

    return of_outbox(read_outbox(connection, clock()))


def _nothing(_connection: "Connection") -> Iterator["Sample"]:
    return iter(())


_READ = {"nightly": _nights, "dispatch": _outbox, "reconcile": _nothing}
