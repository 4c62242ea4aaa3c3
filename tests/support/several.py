"""Command lines from standard input, run one after another in this process; what each says, as a line of JSON.

Importing Beam takes longer than most stories, and here it is done once.
"""

import contextlib
import io
import json
import sys

from pipelines import cli


def main() -> None:
    """Runs them all, or ends with the exit code of the first that fails."""
    for arguments in json.load(sys.stdin):
        sys.argv = ["makegood", *arguments]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            _run()
        print(json.dumps(said.getvalue()))  # noqa: T201 - this is what its caller reads


def _run() -> None:
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
