"""The provider as a process: `python -m tests.support.provider STORE PORT NOW_MS`. It prints the port that it has."""

import os
import sys
import threading
from pathlib import Path

from tests.support.provider.core import Provider
from tests.support.provider.server import ProviderServer


def main() -> None:
    """Serves until standard input ends, so that it never outlives whoever started it."""
    store, port, now_ms = sys.argv[1:]
    server = ProviderServer(Provider(Path(store), int(now_ms)), int(port))
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201 - this is what its starter reads
    server.serve_forever()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
