"""How a command ends: the exit codes, which schedulers go by."""

from typing import Final

import typer

from pipelines.settings import UsageError

DONE: Final = 0
FAILED: Final = 1
"""It did not work, or what was asked about is not as it should be; standard error or the output says what."""

USAGE: Final = 2
"""The command line makes no sense: the same again will fail again."""

BUSY: Final = 75
"""Another process has the right to do this on the ledger: try again later (EX_TEMPFAIL of BSD's sysexits)."""


def code_of(error: BaseException) -> int:
    """The exit code for what a command ended with."""
    from remediation.locks import BusyError

    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, UsageError):
        return USAGE
    return BUSY if isinstance(error, BusyError) else FAILED
