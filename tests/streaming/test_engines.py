"""Which engine carries a stream, and what is told when it breaks off."""

import sys
import threading
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DebugOptions, FlinkRunnerOptions, PortableOptions, StandardOptions

from pipelines.settings import UsageError
from pipelines.streaming.engines import engine_options, reason, running
from pipelines.streaming.prism import EngineError
from pipelines.streaming.quiet import silence

TRACE = """bundle inst002 stage-002 failed:Traceback (most recent call last):
  File "somewhere.py", line 7, in process
    raise {error}
{error}

During handling of the above exception, another exception occurred:

{error} [while running '{step}']
"""


def test_a_stream_runs_on_prism_with_workers_in_this_process() -> None:
    options = engine_options([], ends=False)
    standard = options.view_as(StandardOptions)
    portable = options.view_as(PortableOptions)
    assert (standard.runner, standard.streaming) == ("PrismRunner", True)
    assert portable.environment_type == "LOOPBACK"
    assert options.view_as(DebugOptions).experiments == ["prism_disable_sdf_split"]


def test_workers_may_be_elsewhere() -> None:
    options = engine_options(["--environment_type=EXTERNAL", "--environment_config=localhost:50000"], ends=False)
    assert options.view_as(PortableOptions).environment_type == "EXTERNAL"


@pytest.mark.parametrize("runner", ["DirectRunner", "SwitchingDirectRunner", "FnApiRunner", "nonsense"])
def test_what_cannot_carry_a_stream_is_refused(runner: str) -> None:
    with pytest.raises(UsageError, match=f"--runner={runner} cannot carry a stream; name PrismRunner or FlinkRunner"):
        engine_options([f"--runner={runner}"], ends=False)


def test_flink_is_embedded_and_keeps_checkpoints_unless_told_otherwise() -> None:
    options = engine_options(["--runner=FlinkRunner"], ends=False)
    flink = options.view_as(FlinkRunnerOptions)
    assert (flink.flink_master, flink.flink_version) == ("[auto]", "1.20")
    assert options.get_all_options(retain_unknown_options=True)["checkpointing_interval"] == "10000"
    assert options.view_as(StandardOptions).streaming


def test_what_flink_is_told_is_left_alone() -> None:
    told = ["--runner=FlinkRunner", "--flink_master=jobs:8081", "--flink_version=2.0", "--checkpointing_interval=500"]
    options = engine_options(told, ends=False)
    flink = options.view_as(FlinkRunnerOptions)
    assert (flink.flink_master, flink.flink_version) == ("jobs:8081", "2.0")
    assert options.get_all_options(retain_unknown_options=True)["checkpointing_interval"] == "500"


def test_a_stream_that_ends_may_run_in_this_process(tmp_path: Path) -> None:
    out = tmp_path / "out"
    in_process = ["--runner=FnApiRunner"]
    assert running(lambda pipeline: pipeline | beam.Create(["all"]) | beam.Map(out.write_text), in_process, ends=True)
    assert out.read_text() == "all"


def test_our_own_words_are_told() -> None:
    error = "remediation.database.DatabaseUnusableError: ledger.db is no ledger: run makegood migrate"
    assert reason(TRACE.format(error=error, step="Settle")) == "ledger.db is no ledger: run makegood migrate"


def test_of_any_other_error_only_its_kind_and_its_place_are_told() -> None:
    text = TRACE.format(error="polars.exceptions.ShapeError: ada@example.org", step="Spread-ptransform-12")
    assert reason(text).startswith("The stream broke off with polars.exceptions.ShapeError in Spread; start it again")


def test_an_engine_that_is_gone_is_told_as_such() -> None:
    assert "since its engine or a worker is gone" in reason(
        "<_MultiThreadedRendezvous of RPC that terminated with: UNAVAILABLE>"
    )


def test_an_engine_that_does_not_answer_is_told_as_such() -> None:
    options = ["--job_endpoint=localhost:1", "--job_server_timeout=1"]
    with pytest.raises(EngineError, match="PrismRunner does not answer"):
        running(lambda pipeline: pipeline | beam.Create([1]), options)


def test_only_the_main_thread_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        sys.stderr.write("ada@example.org\n")
        raise ValueError("ada@example.org")

    with silence():
        sys.stderr.write("what the command says\n")
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()

    assert capsys.readouterr().err == "what the command says\n"
