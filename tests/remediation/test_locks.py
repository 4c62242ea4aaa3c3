"""One process at a time, and the second one hears who has been there since when."""

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, text

from remediation.locks import BusyError, Right, held

RIGHT: Final = Right("night", 0x7FFF_FFFF_FFFF_FFFF, "another night is running", "wait for it")
ROOT: Final = Path(__file__).parents[2]
HOLDER: Final = """
import sys
from sqlalchemy import create_engine
from remediation.locks import held, Right
right = Right("night", 0x7FFF_FFFF_FFFF_FFFF, "", "")
with held(create_engine(sys.argv[1]), right):
    print("held", flush=True)
    sys.stdin.read()
"""

KILL_HOLDER: Final = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name LIKE 'makegood night %' AND datname = current_database()"
)


@pytest.fixture
def elsewhere(ledger: Engine) -> subprocess.Popen[str]:
    """Another process that has the right."""
    url = ledger.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_hears_who_it_is_and_since_when(ledger: Engine, elsewhere: subprocess.Popen[str]) -> None:
    with pytest.raises(BusyError) as turned_away, held(ledger, RIGHT):
        pytest.fail("two have it")
    host = socket.gethostname().partition(".")[0][:24]
    told = re.fullmatch(
        rf"another night is running \(process {elsewhere.pid} on {host}, since (.*) UTC\): wait for it",
        str(turned_away.value),
    )
    assert told
    age = datetime.now(UTC) - datetime.fromisoformat(f"{told[1]}+00:00")
    assert abs(age.total_seconds()) < 600
    elsewhere.communicate()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, None], ids=["killed", "ended", "done"])
def test_whoever_is_gone_stands_in_nobodys_way(
    ledger: Engine, elsewhere: subprocess.Popen[str], ending: signal.Signals | None
) -> None:
    if ending:
        elsewhere.send_signal(ending)
    elsewhere.communicate()
    while True:  # a server notices a moment later that its client is gone
        try:
            with held(ledger, RIGHT) as is_held:
                assert is_held()
        except BusyError:
            assert ledger.dialect.name == "postgresql"
        else:
            break


def test_it_is_held_once_within_a_process_too_and_each_right_by_itself(ledger: Engine) -> None:
    other = Right("sender", 0x7FFF_FFFF_0000_0001, "another sender", "wait")
    with held(ledger, RIGHT), held(ledger, other):
        with pytest.raises(BusyError, match=f"process {os.getpid()} "), held(ledger, RIGHT):
            pytest.fail("two have it")
        with pytest.raises(BusyError, match=r"another sender \(process"), held(ledger, other):
            pytest.fail("two have it")
    with held(ledger, RIGHT) as is_held:
        assert is_held()


def test_who_is_gone_from_the_server_knows_that_it_holds_nothing_any_more(ledger: Engine) -> None:
    if ledger.dialect.name != "postgresql":
        pytest.skip("a file's lock lasts as long as its process")
    with held(ledger, RIGHT) as is_held:
        with ledger.connect() as connection:
            connection.execute(KILL_HOLDER)
        assert not is_held()
        with held(ledger, RIGHT) as is_held_by_the_next:
            assert is_held_by_the_next()


def test_a_lock_that_nobody_has_signed_is_a_lock(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.locks._here", lambda: "")
    with held(ledger, RIGHT), pytest.raises(BusyError, match="does not say who it is"), held(ledger, RIGHT):
        pytest.fail("two have it")
