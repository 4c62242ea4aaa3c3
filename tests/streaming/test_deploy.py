"""What `pipelines/deploy` says fits what is here: versions, options of the command, options of the engines."""

import re
from inspect import signature
from pathlib import Path

import apache_beam
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, PortableOptions

import pipelines
from pipelines.commands.streaming import stream
from pipelines.streaming.engines import FLINK_VERSION, engine_options
from pipelines.streaming.prism import VERSION

ROOT = Path(pipelines.__file__).parents[1]
FOLDER = ROOT / "pipelines" / "deploy"
COMMANDS = ("compose.yaml", "flink-session.yaml")


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def arguments(name: str) -> tuple[list[str], list[str]]:
    """What stands before and after the `--` of the only `makegood stream` of a file."""
    lines = [line.strip() for line in text_of(name).splitlines()]
    begin = lines.index("- stream") + 1
    words = []
    for line in lines[begin:]:
        if not line.startswith("- --"):
            break
        words.append(line.removeprefix("- "))
    middle = words.index("--")
    return words[:middle], words[middle + 1 :]


def test_every_beam_is_the_one_of_the_lock() -> None:
    beam = apache_beam.__version__
    assert f"v{beam}" == VERSION
    assert f"cmd/prism@v{beam}" in (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {found for path in FOLDER.iterdir() for found in re.findall(r"\b2\.\d\d\.\d\b", path.read_text("utf-8"))}
    assert named == {beam}


def test_every_flink_is_the_one_that_the_engine_is_told_of() -> None:
    flinks = {found for name in COMMANDS for found in re.findall(r"flink:(\d\.\d+)", text_of(name))}
    assert flinks == {FLINK_VERSION}
    assert f"flinkVersion: v{FLINK_VERSION.replace('.', '_')}" in text_of("flink-session.yaml")
    assert f"beam_flink{FLINK_VERSION}_job_server" in text_of("compose.yaml")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_has_the_options_that_are_used(name: str) -> None:
    known = {f"--{parameter.rstrip('_').replace('_', '-')}" for parameter in signature(stream).parameters}
    used, _ = arguments(name)
    assert {"--source", "--orders", "--ledger"} <= {option.partition("=")[0] for option in used} <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_the_engine_takes_what_follows(name: str) -> None:
    _, told = arguments(name)
    portable = engine_options(told, ends=False).view_as(PortableOptions)
    assert (portable.environment_type, portable.environment_config) == ("EXTERNAL", "localhost:50000")


def test_dataflow_knows_every_option() -> None:
    told = text_of("dataflow.options").split()
    options = engine_options(told, ends=False)
    assert options.view_as(GoogleCloudOptions).region == "europe-west1"
    known = set(PipelineOptions([]).get_all_options()) | {"no_use_public_ips"}
    assert {option.removeprefix("--").partition("=")[0] for option in told} <= known


def test_every_file_is_in_the_table() -> None:
    readme = text_of("README.md")
    assert [path.name for path in FOLDER.iterdir() if path.name not in readme] == ["README.md"]
