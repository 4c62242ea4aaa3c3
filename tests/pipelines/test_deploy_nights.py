"""The examples for every night: their commands are parsed by the real command line, the files by who will read them."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from unittest.mock import MagicMock

import pytest
import typer
import yaml

from pipelines.cli import REPEATED, app
from pipelines.exits import BUSY, USAGE
from pipelines.settings import repeat_option

FOLDER: Final = Path(__file__).parents[2] / "pipelines" / "deploy"
SCHEDULERS: Final = Path(__file__).parents[1] / "support" / "schedulers" / ".venv" / "bin"
UNITS: Final = ("makegood-nightly.service", "makegood-dispatch.service", "makegood-stream.service")
HOW_TO: Final = "its judges are not here: make servers"

Words = list[str]


def of_units() -> Iterator[Words]:
    for name in UNITS:
        text = (FOLDER / name).read_text("utf-8").replace("\\\n", " ")
        yield from (shlex.split(line)[1:] for line in re.findall(r"^ExecStart=-?(.*)$", text, re.MULTILINE))


def of_cron() -> Iterator[Words]:
    for line in (FOLDER / "makegood.cron").read_text("utf-8").splitlines():
        if re.match(r"[*0-9]", line):
            fields = line.split(maxsplit=6)
            assert all(re.fullmatch(r"(\*(/\d+)?|\d+([-,]\d+)*)", field) for field in fields[:5]), line
            assert fields[5] == "makegood"
            assert "%" not in line, "cron takes it for the end of a line"
            *_, command = fields[6].split("; ")
            yield shlex.split(command)[1:]


def of_readme() -> Iterator[Words]:
    section = (FOLDER.parents[1] / "README.md").read_text("utf-8").partition("## Running it every night")[2]
    shown = section.partition("\n## ")[0]
    yield from (shlex.split(line, comments=True) for line in re.findall(r"^\$ makegood (.*)$", shown, re.MULTILINE))


def of_kubernetes() -> Iterator[Words]:
    for document in yaml.safe_load_all((FOLDER / "cronjob.yaml").read_text("utf-8")):
        spec = document["spec"]
        pod = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]
        yield from (container["args"] for container in pod["containers"])


@pytest.fixture
def dag(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the DAG's file, read without Airflow."""
    for name in ("airflow", "airflow.sdk", "airflow.sdk.exceptions"):
        monkeypatch.setitem(sys.modules, name, stand_in(name))
    return runpy.run_path(str(FOLDER / "makegood_dag.py"))


def stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(
        AirflowException=type("AirflowException", (Exception,), {}),
        AirflowFailException=type("AirflowFailException", (Exception,), {}),
        dag=lambda **_: lambda _: MagicMock(),
        task=MagicMock(),
    )
    return module


def parsed(words: Words) -> None:
    """Refused by the command's own parser, or not."""
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    name, *rest = repeat_option(words, REPEATED)
    command.commands[name].make_context(name, rest)


@pytest.mark.parametrize("example", [of_units, of_cron, of_kubernetes, of_readme])
def test_every_command_is_one(example: Callable[[], Iterator[Words]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_LEDGER", "sqlite:///ledger.db")
    commands = list(example())
    assert "nightly" in {words[0] for words in commands}
    for words in commands:
        parsed(words)
    with pytest.raises(Exception, match="No such option"):
        parsed([*commands[0], "--frobnicate"])


def test_so_is_every_command_of_the_dag(dag: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_LEDGER", "sqlite:///ledger.db")
    moment = "--as-of=2026-11-22T06:00:00+00:00"
    for words in ((*dag["NIGHTLY"], moment), dag["RECONCILE"], dag["DISPATCH"]):
        assert words[0] == "makegood"
        parsed(list(words[1:]))


@pytest.mark.parametrize(
    ("code", "error"), [(1, "AirflowException"), (BUSY, "AirflowException"), (USAGE, "AirflowFailException")]
)
def test_the_dag_tries_again_what_may_go_better_and_nothing_else(dag: dict[str, Any], code: int, error: str) -> None:
    dag["run"]("/bin/sh", "-c", "exit 0")
    with pytest.raises(dag[error], match="see its log"):
        dag["run"]("/bin/sh", "-c", f"exit {code}")


def test_bad_usage_is_never_tried_again() -> None:
    for name in UNITS[:2]:
        assert f"RestartPreventExitStatus={USAGE}\n" in (FOLDER / name).read_text("utf-8")
    job = next(yaml.safe_load_all((FOLDER / "cronjob.yaml").read_text("utf-8")))["spec"]["jobTemplate"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [USAGE])
    assert job["template"]["spec"]["restartPolicy"] == "Never", "else the policy is not allowed"


@pytest.mark.servers
def test_systemd_has_nothing_against_its_units(tmp_path: Path) -> None:
    for name in (*UNITS, "makegood-nightly.timer"):
        unit = (FOLDER / name).read_text("utf-8").replace("/opt/makegood/bin/makegood", "/bin/true")
        (tmp_path / name).write_text(unit, "utf-8")
    told = verified(tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    with (tmp_path / UNITS[0]).open("a", encoding="utf-8") as service:
        service.write("RestartPreventExitStatus=often\n")
    assert "Failed to parse value, ignoring: often" in verified(tmp_path).stderr


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    units = sorted(map(str, folder.iterdir()))
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )


@pytest.mark.servers
def test_kubernetes_schemas_have_nothing_against_theirs(tmp_path: Path) -> None:
    good = validated(FOLDER / "cronjob.yaml")
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.count("passed") + good.stderr.count("passed") == 2
    wrong = tmp_path / "cronjob.yaml"
    wrong.write_text((FOLDER / "cronjob.yaml").read_text("utf-8").replace("backoffLimit", "backOffLimit"), "utf-8")
    assert validated(wrong).returncode == 1


def validated(file: Path) -> subprocess.CompletedProcess[str]:
    return judge("kubernetes-validate", "--strict", "-k", "1.31.0", str(file))


READ: Final = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
(dag,) = bag.dags.values()
DagSerialization.to_dict(dag)
tasks = {task.task_id: [sorted(task.downstream_task_ids), task.retries] for task in dag.tasks}
print(json.dumps([dag.dag_id, dag.catchup, dag.max_active_runs, tasks]))
"""


@pytest.mark.servers
def test_airflow_reads_its_dag(tmp_path: Path) -> None:
    home = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    read = judge("python", "-c", READ, str(FOLDER / "makegood_dag.py"), **home)
    assert read.returncode == 0, read.stdout + read.stderr
    tasks = {"nightly": [["reconcile"], 8], "reconcile": [["dispatch"], 8], "dispatch": [[], 8]}
    assert json.loads(read.stdout.splitlines()[-1]) == ["makegood", True, 1, tasks]
    assert "deprecated" not in read.stdout + read.stderr


def judge(name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if not (SCHEDULERS / name).exists():
        if os.environ.get("MAKEGOOD_REQUIRE_SERVERS") == "1":
            pytest.fail(HOW_TO)
        pytest.skip(HOW_TO)
    return subprocess.run(
        [str(SCHEDULERS / name), *words], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
