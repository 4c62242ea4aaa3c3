"""What the libraries below a stream say aloud, and must not."""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

WORKERS: Final = ("run_worker", "read_state", "read_grpc_client_inputs")
"""How Beam names the threads of its workers that talk to the engine."""

LONGEST_S: Final = 5.0


@contextmanager
def silence() -> Iterator[None]:
    """Traces quote the data that a failing step had in its hands: what may be told comes out of `running`.

    Beam logs them, Prism logs them, the job's messages are logged by the root, and
    Beam's workers, which are threads here, print them as well.
    """
    for name in ("apache_beam", "PrismRunner", None):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    hook, stream, before = threading.excepthook, sys.stderr, set(threading.enumerate())
    threading.excepthook = lambda _: None
    sys.stderr = _MainThreadOnly(stream)
    try:
        yield
    finally:
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith(WORKERS):
                thread.join(LONGEST_S)  # An engine that is gone ends them, each with a trace.
        threading.excepthook, sys.stderr = hook, stream


class _MainThreadOnly(io.TextIOBase):
    """A stream that passes on what the main thread writes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Drops what another thread writes."""
        if threading.current_thread() is threading.main_thread():
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back here."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person is looking on."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Whose descriptor it is."""
        return self._stream.fileno()
