"""Work in a process that may take only so much memory and time: what a bomb does is measured, not believed."""

import multiprocessing
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")

CPU_S: Final = 60
"""Ten times and more of what any of it takes; who needs longer never ends."""
ADDRESS_SPACE: Final = 8 * 1024**3
"""A limit for the sake of the machine: what was really taken is measured."""
PRELOADED: Final = ("tests.prove.readings",)


class DiedError(AssertionError):
    """The process was ended before it could answer."""


@dataclass(frozen=True)
class Measured(Generic[T]):
    """What came of some work, and how much more memory it held at most than before it began."""

    result: T
    grown_mb: int


def confined(work: Callable[..., T], *arguments: object) -> Measured[T]:
    """Runs a function of an importable module in a fresh process, with its libraries loaded.

    Raises:
      DiedError: It took more than `CPU_S` of processor or `ADDRESS_SPACE` of memory, or broke the process.
    """
    ours, theirs = _server().Pipe(duplex=False)
    process = _server().Process(target=_serve, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    try:
        answer: Measured[T] | BaseException = ours.recv()
    except EOFError:
        process.join()
        raise DiedError(f"{work.__name__} ended with {process.exitcode}") from None
    finally:
        ours.close()
    process.join()
    process.close()
    if isinstance(answer, BaseException):
        raise answer
    return answer


@cache
def _server() -> ForkServerContext:
    """A process that has imported everything and done nothing, of which each of the others is a copy."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def _serve(answers: Connection, work: Callable[..., T], arguments: tuple[object, ...]) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak that was inherited
    before = _peak_kb()
    try:
        result = work(*arguments)
        answers.send(Measured(result, (_peak_kb() - before) // 1024))
    except BaseException as error:  # noqa: BLE001 - the other side raises it
        answers.send(error)
    answers.close()
    os._exit(0)


def _peak_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
