"""Prism is found, told to serve, and never left behind. A script plays its part."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.streaming.prism import EngineError, find_prism, serving

SERVES = """#!/bin/sh
echo $$ > {pid}
echo 'a line that is no JSON' >&2
echo '{{"time": "now", "level": "INFO", "msg": "Serving JobManagement", "endpoint": "localhost:4711"}}' >&2
exec sleep 600
"""

HOLDS = """
import sys
from pipelines.streaming.prism import serving
with serving(sys.argv[1]) as endpoint:
    print(endpoint, flush=True)
    input()
"""


def script(folder: Path, text: str) -> Path:
    program = folder / "prism"
    program.write_text(text.format(pid=folder / "pid"))
    program.chmod(0o755)
    return program


def is_gone(folder: Path) -> bool:
    """Whether the program is no more, or only waits for whoever inherited it."""
    try:
        state = Path(f"/proc/{(folder / 'pid').read_text().strip()}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def eventually_gone(folder: Path) -> bool:
    deadline = time.monotonic() + 30
    while not is_gone(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_it_serves_as_long_as_the_block(tmp_path: Path) -> None:
    with serving(str(script(tmp_path, SERVES))) as endpoint:
        assert endpoint == "localhost:4711"
        assert not is_gone(tmp_path)
    assert is_gone(tmp_path)


def test_it_ends_with_this_process_however_that_ends(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(script(tmp_path, SERVES))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == b"localhost:4711\n"
        assert not is_gone(tmp_path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert eventually_gone(tmp_path)


def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    program = script(tmp_path, "#!/bin/sh\necho 'panic: no memory' >&2\nexit 2\n")
    with pytest.raises(EngineError, match=r"does not start: panic: no memory; see that it is v"), serving(str(program)):
        pytest.fail("it must not serve")


def test_what_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    missing = tmp_path / "prism"
    with pytest.raises(EngineError, match=r"/prism is not there: run `make prism`, which needs Go"):
        find_prism(str(missing))


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    program = script(tmp_path, SERVES)
    assert find_prism(str(program)) == str(program)
