"""Processes that die at a system call of one's choice, as by `kill -9`: `python -m tests.prove.stopping MODULE ...`.

The process imports the modules once and then forks a child for each request, so that
a child costs milliseconds. It reads requests from standard input, one JSON array a
line, and answers each with one JSON array; see `Stopper`, which is the way to use it.

A child is traced by the kernel's own means (ptrace), which stop it before and after
each system call of any of its threads: they are counted, and at the chosen one the
whole process is killed. So what dies in the middle of writing, syncing or asking a
provider dies there and not at the next convenient place.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_LIBC.ptrace.restype = ctypes.c_long
_TRACEME: Final = 0
_SYSCALL: Final = 24
_SETOPTIONS: Final = 0x4200
_FOLLOW_THREADS: Final = 0x8
_DIE_WITH_TRACER: Final = 0x100000
_MARK_SYSCALLS: Final = 0x1
_AT_SYSCALL: Final = signal.SIGTRAP | 0x80
_OURS: Final = frozenset({_AT_SYSCALL, signal.SIGTRAP, signal.SIGSTOP})
"""Stops that the tracing itself causes; other signals are passed on to the child."""
_EVERY_THREAD: Final = 0x40000000  # __WALL


@dataclass(frozen=True)
class Stopped:
    """How a child ended: after so many stops at system calls, killed or by itself, and what it had said by then."""

    stops: int
    was_killed: bool
    code: int
    said: str


class Stopper:
    """Runs console scripts of this project in children that can be killed anywhere."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], kill_at: int | None = None) -> Stopped:
        """Runs `makegood` with these arguments, to its end or to its death at the stop with this number."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(arguments), dict(environment), kill_at]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that runs the others has ended"
        return Stopped(*json.loads(line))


@contextmanager
def stopper(folder: Path, *modules: str) -> Iterator[Stopper]:
    """A process with these modules imported, which lives as long as the context; `folder` is for what children say."""
    command = [sys.executable, "-m", "tests.prove.stopping", str(folder / "said"), *modules]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Stopper(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Serves until standard input ends."""
    said, *modules = sys.argv[1:]
    for name in modules:
        importlib.import_module(name)
    gc.freeze()  # so that collecting garbage in a child does not copy all that it shares with this process
    for line in sys.stdin:
        arguments, environment, kill_at = json.loads(line)
        sys.stdout.write(json.dumps(_ended(_child(arguments, environment, said), kill_at, said)) + "\n")
        sys.stdout.flush()


def _child(arguments: Sequence[str], environment: Mapping[str, str], said: str) -> int:
    """A child that waits, stopped, for its tracer."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(environment)
        _demand(_LIBC.ptrace(_TRACEME, 0, None, None))
        os.kill(os.getpid(), signal.SIGSTOP)
        code = _script(arguments)
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _script(arguments: Sequence[str]) -> int:
    """The console script, as `makegood` runs it."""
    from pipelines.cli import main as makegood  # noqa: PLC0415 - in the child alone, or earlier by name

    sys.argv = ["makegood", *arguments]
    try:
        makegood()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _ended(child: int, kill_at: int | None, said: str) -> tuple[int, bool, int, str]:
    """Lets the child run from system call to system call; what `Stopped` holds."""
    os.waitpid(child, 0)
    _demand(_LIBC.ptrace(_SETOPTIONS, child, None, _FOLLOW_THREADS | _DIE_WITH_TRACER | _MARK_SYSCALLS))
    stops, task, passed_on = 0, child, 0
    while True:
        _LIBC.ptrace(_SYSCALL, task, None, passed_on)
        task, status = os.waitpid(-1, _EVERY_THREAD)
        while not os.WIFSTOPPED(status):
            if task == child:
                killed = os.WIFSIGNALED(status)
                return stops, killed, 0 if killed else os.WEXITSTATUS(status), Path(said).read_text(errors="replace")
            task, status = os.waitpid(-1, _EVERY_THREAD)  # a thread has ended
        number = os.WSTOPSIG(status)
        stops += number == _AT_SYSCALL
        if number == _AT_SYSCALL and stops == kill_at:
            os.kill(child, signal.SIGKILL)
        passed_on = 0 if number in _OURS else number


def _demand(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "this system lets no process trace its child")


if __name__ == "__main__":
    main()
