"""The ledger itself: the version of its tables."""

from typing import Annotated

import typer

from pipelines.commands.shared import Ledger


def migrate(
    ledger: Ledger,
    to: Annotated[str | None, typer.Option(help="The version; the one that this program needs if absent")] = None,
) -> None:
    """Bring a ledger to another version of its tables, all of it or nothing. Back it up first."""
    from remediation.database import migrate_ledger
    from remediation.schema import HEAD

    before, after = migrate_ledger(ledger, to or HEAD)
    typer.echo(f"version {before}" if before == after else f"from version {before} to {after}")
