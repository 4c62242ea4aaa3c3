"""Log lines on standard error, for machines or for people, where somebody asks for them.

The code logs by Python's own `logging`, ids and figures in `extra`; structlog writes
the lines, and is imported only then. What a line may hold is a list of names, so
that nobody's data can come into one by accident: no traces, which quote what a
failing step had in its hands, and of other people's libraries only that they
complain, never in which words.
"""

import logging
import sys
from collections.abc import MutableMapping
from copy import copy
from enum import StrEnum
from typing import Any, Final, TextIO

OURS: Final = ("pipelines", "remediation", "detectors")

FIELDS: Final = frozenset(
    {
        *("command", "exit_code", "seconds", "problem", "library"),
        *("run_id", "remedy_id", "outbox_id", "kind", "state", "attempts", "gateway", "guard", "reason"),
        *("records", "used", "duplicate", "rejected", "late", "sessions", "findings", "remedies", "files", "bytes"),
        *(
            "amount_minor",
            "currency",
            "as_of",
            "sent",
            "failed",
            "unknown",
            "later",
            "manual",
            "waiting",
            "seen",
            "differ",
        ),
    }
)
"""What a line can hold beside its time, level, logger and event: ids of ours, words of a list, and figures."""

LONGEST: Final = 500
"""Characters of one value."""


class LogFormat(StrEnum):
    """How log lines are written; `OFF` leaves standard error to the words for whoever is looking on."""

    OFF = "off"
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """From where on things are told."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to what was standard error when it was made: a stream's threads lose it later."""

    def __init__(self, form: LogFormat, level: int) -> None:
        super().__init__(sys.stderr)
        self.form, self.lowest = form, level
        self.addFilter(self._may_be_told)

    def _may_be_told(self, record: logging.LogRecord) -> bool:
        return record.levelno >= (self.lowest if _is_ours(record) else max(self.lowest, logging.WARNING))

    def format(self, record: logging.LogRecord) -> str:
        """The line, of a copy: others may want the record as it was."""
        told = copy(record)
        told.exc_info = told.exc_text = told.stack_info = None
        if not _is_ours(record):
            told.library, told.msg, told.args = record.name.partition(".")[0], "a library complains", ()
        return super().format(told)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name for it
        """A line that cannot be written is lost; logging itself would print it with all that it was made of."""


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def start(form: LogFormat, level: LogLevel, command: str | None) -> None:
    """From now on log lines are written; what an earlier start had set up is taken down."""
    stop()
    handler = _Handler(form, logging.getLevelNamesMapping()[level.upper()])
    handler.setFormatter(_formatter(form, command))
    logging.getLogger().addHandler(handler)
    for name in OURS:
        logging.getLogger(name).setLevel(handler.lowest)


def stop() -> None:
    """No log lines any more."""
    if (handler := _handler()) is not None:
        logging.getLogger().removeHandler(handler)
        for name in OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)


def form() -> LogFormat:
    """How log lines are being written."""
    handler = _handler()
    return handler.form if handler else LogFormat.OFF


def _handler() -> _Handler | None:
    return next((each for each in logging.getLogger().handlers if isinstance(each, _Handler)), None)


def _formatter(form: LogFormat, command: str | None) -> logging.Formatter:
    import structlog

    def name_command(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, "command": command} if command else event

    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            name_command,
            _on_one_line,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _on_one_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Nothing in a line can begin another one or steer a terminal."""
    from remediation.report.formats import one_line

    return {
        name: one_line(value, LONGEST) if isinstance(value, str) and not name.startswith("_") else value
        for name, value in event.items()
    }
