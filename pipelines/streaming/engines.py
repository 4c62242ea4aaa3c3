"""The engine that carries a stream: always named, Prism on this machine unless told otherwise.

    PrismRunner  here, started and ended with the command; --job_endpoint=HOST:PORT names one that runs already
    FlinkRunner  embedded, or a cluster (--flink_master=HOST:PORT)
    FnApiRunner  only for a stream that ends: it gives nothing before the end

No engine's memory is needed to go on: the ledger knows from where a stream must be
read again. So a stop is a stop, not a drain, which would close every open session as
if its viewer had gone.
"""

import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DebugOptions,
    PortableOptions,
    PrismRunnerOptions,
    StandardOptions,
)
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.job_server import ExternalJobServer

from pipelines.options import Options
from pipelines.settings import UsageError
from pipelines.streaming.prism import EngineError, find_prism, serving
from pipelines.streaming.quiet import silence

PRISM: Final = "PrismRunner"
FLINK: Final = "FlinkRunner"
IN_PROCESS: Final = "FnApiRunner"
ENGINES: Final = frozenset({PRISM, FLINK, "PortableRunner", "DataflowRunner"})

WHOLE_BUNDLES: Final = "prism_disable_sdf_split"
"""Prism would split a source's bundle that is slow, which ours refuse; Beam's workers fail at the question.

They weigh what was given by its mean size, which is no number until the first
element has been written: `cannot convert float NaN to integer`, and the job is over.
"""

FLINK_VERSION: Final = "1.20"
"""The long-term release; Beam's own default moves with each of its releases."""

NO_DEADLINE_S: Final = 10 * 365 * 24 * 3_600
"""Beam hears of a job for no longer than it would wait for one answer, five minutes: every stream would end by it."""

CHECKPOINT_MS: Final = 10_000
"""Flink keeps what waits this often, so that a lost task manager costs seconds; a lost job is read again."""

_OWN_ERROR: Final = re.compile(
    r"^(?:pipelines|detectors|remediation)\.[\w.]+: (.+?)(?: \[while running .*\])?$", re.MULTILINE
)
_ANY_ERROR: Final = re.compile(
    r"^([A-Za-z_][\w.]*)(?:: .*)? \[while running '(.*?)(?:-ptransform-\d+)?'\]$", re.MULTILINE
)


class _Stopped(BaseException):
    """Somebody wants the stream to stop. No Exception, so that nothing on the way takes it for a failure."""


def running(build: Callable[[beam.Pipeline], object], beam_options: Sequence[str], *, ends: bool = False) -> bool:
    """Builds the graph and runs it until its source is finished, or until SIGINT or SIGTERM.

    `ends` says that the source will be finished. Returns whether it was.

    Raises:
      UsageError: The options name no engine that can carry this stream.
      EngineError: The engine does not start, or the stream broke off.
    """
    options = engine_options(beam_options, ends=ends)
    try:
        with silence(), _stoppable(), _engine(options):
            _run(build, options)
    except _Stopped:
        return False
    return True


def engine_options(beam_options: Sequence[str], *, ends: bool) -> Options:
    """Beam's options, with what a stream needs where nothing is said.

    Raises:
      UsageError: They name no engine that can carry this stream.
    """
    options = Options(list(beam_options), streaming=True)
    standard = options.view_as(StandardOptions)
    standard.runner = standard.runner or PRISM
    if standard.runner == IN_PROCESS and ends:
        return options
    if standard.runner not in ENGINES:
        raise UsageError(f"--runner={standard.runner} cannot carry a stream; name {PRISM} or {FLINK}")
    if standard.runner == PRISM:
        options.view_as(DebugOptions).add_experiment(WHOLE_BUNDLES)
        portable = options.view_as(PortableOptions)
        portable.environment_type = portable.environment_type or "LOOPBACK"
    if standard.runner == FLINK:
        return _flink_options(beam_options)
    return options


def _flink_options(beam_options: Sequence[str]) -> Options:
    """Flink's options are known to its job server only: they travel as they were written."""
    told = {option.lstrip("-").split("=", 1)[0] for option in beam_options}
    usual = {"flink_version": FLINK_VERSION, "checkpointing_interval": str(CHECKPOINT_MS)}
    added = [f"--{name}={value}" for name, value in usual.items() if name not in told]
    return Options([*beam_options, *added], streaming=True)


@contextmanager
def _engine(options: Options) -> Iterator[None]:
    """Where the stream runs on this machine, its engine for as long as it does."""
    portable = options.view_as(PortableOptions)
    if options.view_as(StandardOptions).runner != PRISM or portable.job_endpoint:
        yield
        return
    with serving(find_prism(options.view_as(PrismRunnerOptions).prism_location)) as endpoint:
        portable.job_endpoint = endpoint
        yield


def _run(build: Callable[[beam.Pipeline], object], options: Options) -> None:
    name = options.view_as(StandardOptions).runner
    portable = options.view_as(PortableOptions)
    if portable.job_endpoint:
        with _answering(name):
            ExternalJobServer(portable.job_endpoint, portable.job_server_timeout).start()
    portable.job_server_timeout = NO_DEADLINE_S  # before the pipeline, which takes a copy of the options
    pipeline = beam.Pipeline(runner=FnApiRunner() if name == IN_PROCESS else name, options=options)
    build(pipeline)
    if name == IN_PROCESS:
        pipeline.run().wait_until_finish()
        return
    with _answering(name):
        result = pipeline.run()
    try:
        result.wait_until_finish()
    except _Stopped:
        result.cancel()
        raise
    except Exception as error:  # noqa: BLE001  # likewise
        # The cause quotes what the failing step had in its hands: it is left out.
        raise EngineError(reason(str(error))) from None


@contextmanager
def _answering(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # What the wire's library raises has no type in common with anything.
        raise EngineError(f"{name} does not answer; see that it runs where the options say") from error


def reason(text: str) -> str:
    """What of an engine's report may be told: our own words, else only what kind of error it was, and where.

    An engine reports whole traces, in which libraries quote people's data.
    """
    own = _OWN_ERROR.findall(text)
    if own:
        return str(own[-1])
    anything = _ANY_ERROR.findall(text)
    where = " with {} in {}".format(*anything[-1]) if anything else ", since its engine or a worker is gone"
    return f"The stream broke off{where}; start it again, and it goes on from where the ledger is"


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGINT and SIGTERM stop the stream in order; a second one ends the process at once, as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.getsignal(each) for each in signals}

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        raise _Stopped

    try:
        for each in signals:
            signal.signal(each, stop)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
