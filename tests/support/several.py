"""Command lines from standard input, run one after another in this process; what each says, as a line of JSON.

A ledger that is kept is copied to where the run wrote, as the run left it.
Importing Beam takes longer than most stories, and here it is done once.
"""

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Final

from pipelines import cli

LEDGER: Final = "ledger.db"


def main() -> None:
    """Runs them all, or ends with the exit code of the first that fails."""
    for arguments, ledger, out in json.load(sys.stdin):
        sys.argv = ["makegood", *arguments]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            _run()
        if ledger:
            shutil.copy(ledger, Path(out) / LEDGER)
        print(json.dumps(said.getvalue()))  # noqa: T201 - this is what its caller reads


def _run() -> None:
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
