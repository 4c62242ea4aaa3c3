"""Prism, Beam's engine for one machine: found, started, and never left behind."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

VERSION: Final = "v2.77.0"
"""The release of Beam that the lock holds: engine and library talk the same protocol."""

GUARD: Final = '"$@" & exec 2>/dev/null; cat >/dev/null; kill -KILL $!; wait'
"""Ends the engine when this process is gone, even by SIGKILL: then the pipe on the guard's standard input closes.

Left alone, Prism would go on for ever. The guard lets go of the error stream, so
that its end is the engine's end.
"""

PATIENCE_S: Final = 30.0
"""Prism serves within a fraction of a second; a machine that is out of breath gets more."""


class EngineError(Exception):
    """The engine of a stream cannot be started, or broke off: one sentence that says what to do."""


class _Line(msgspec.Struct):
    """What is read of a line of Prism's log."""

    msg: str = ""
    endpoint: str = ""


def find_prism(location: str | None) -> str:
    """The program: the one that is named, else beside this interpreter, else on the path.

    Raises:
      EngineError: There is none.
    """
    beside = Path(sys.executable).with_name("prism")
    found = location or (str(beside) if beside.exists() else shutil.which("prism"))
    if found is None or not Path(found).is_file():
        where = f"{location} is not there" if location else "Prism, the engine of a stream on one machine, is not there"
        raise EngineError(f"{where}: run `make prism`, which needs Go, or name it after -- with --prism_location=FILE")
    return found


@contextmanager
def serving(program: str) -> Iterator[str]:
    """host:port of a Prism that lives as long as this block, and no longer than this process.

    Raises:
      EngineError: It does not start.
    """
    # It logs whatever a failing step quotes of people's data, so its log is read here and kept nowhere.
    process = subprocess.Popen(  # noqa: S603  # the program is the operator's choice
        ["/bin/sh", "-c", GUARD, "guard", program, "--job_port=0", "--serve_http=false", "--log_kind=json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for this process, which then stops the engine in order.
    )
    log = _Log(process.stderr)
    try:
        yield log.endpoint(program)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait()
        log.end()


class _Log:
    """Prism's log, read to its end so that Prism never waits for a reader; all that matters in it is the endpoint."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._told = threading.Event()
        self._endpoint = ""
        self._first = ""
        self._reader = threading.Thread(target=self._read, daemon=True, name="prism-log")
        self._reader.start()

    def endpoint(self, program: str) -> str:
        """Waits for the endpoint.

        Raises:
          EngineError: The log ended without it, or nothing came for long.
        """
        if not self._told.wait(PATIENCE_S) or not self._endpoint:
            said = f": {self._first}" if self._first else ""
            raise EngineError(f"Prism ({program}) does not start{said}; see that it is {VERSION} and may be run")
        return self._endpoint

    def end(self) -> None:
        """Reads the rest and lets go."""
        self._reader.join()
        if self._stream is not None:
            self._stream.close()

    def _read(self) -> None:
        for raw in self._stream or ():
            text = raw.decode("utf-8", "replace").strip()
            self._first = self._first or text
            if not self._endpoint:
                self._endpoint = _line(text).endpoint
                if self._endpoint:
                    self._told.set()
        self._told.set()


def _line(text: str) -> _Line:
    try:
        return msgspec.json.decode(text, type=_Line)
    except msgspec.DecodeError:
        return _Line()
