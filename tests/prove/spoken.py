"""The real command line in this process, and every word that it says."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

from pipelines import cli
from tests.prove.payloads import AS_OF


@dataclass(frozen=True)
class Spoken:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str
    log: str = ""

    @property
    def everything(self) -> str:
        return f"{self.out}\n{self.err}\n{self.log}"


def makegood(*arguments: object, debug: bool = False) -> Spoken:
    """Runs a command in the morning of the attacks; with `debug` every library logs all that it can."""
    out, err, log = io.StringIO(), io.StringIO(), io.StringIO()
    code = 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch.object(cli, "clock", lambda: AS_OF),
        patch.object(sys, "argv", ["makegood", *map(str, arguments)]),
        logged(log) if debug else contextlib.nullcontext(),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Spoken(code, out.getvalue(), err.getvalue(), log.getvalue())


@contextlib.contextmanager
def logged(log: io.StringIO) -> Iterator[None]:
    """Everything that is logged meanwhile, whatever the command line thinks of it."""
    names = ("sqlalchemy", "sqlalchemy.engine", "apache_beam", "pipelines", "remediation", "detectors", "smtplib")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
