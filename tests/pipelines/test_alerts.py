"""The example rules: they ask for metrics that there are, and Prometheus takes them for what they mean."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from pipelines.metrics import METRICS

ROOT: Final = Path(__file__).parents[2]
RULES: Final = ROOT / "pipelines" / "deploy" / "alerts.yml"


def test_every_metric_and_label_that_a_rule_names_is_there() -> None:
    used = re.findall(r"\b(makegood_[a-z_]+)(?:\{([^}]*)\})?", RULES.read_text(encoding="utf-8"))
    assert len(used) >= 6
    for name, matchers in used:
        labels = set(re.findall(r"([a-z]+)(?:=|!=|=~|!~)", matchers))
        assert labels <= set(METRICS[name].labels), name


def test_the_table_for_people_names_every_metric_as_it_is() -> None:
    readme = (RULES.parent / "README.md").read_text(encoding="utf-8")
    told = {
        (name, kind, tuple(re.findall(r"`([a-z]+)`", labels)))
        for name, kind, labels in re.findall(r"^\| `(makegood_[a-z_]+)` \| (\w+) \| ([^|]*) \|", readme, re.MULTILINE)
    }
    assert told == {(name, kind.type, kind.labels) for name, kind in METRICS.items()}


@pytest.mark.servers
def test_prometheus_sounds_each_alarm_when_it_should_and_at_no_other_time(tmp_path: Path) -> None:
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "6 rules found" in checked.stdout
    day = tmp_path / "day.yml"
    story = (Path(__file__).parent / "alerts.test.yml").read_text(encoding="utf-8")
    day.write_text(story.replace("ALERTS", str(RULES)), encoding="utf-8")
    tried = subprocess.run(["promtool", "test", "rules", day], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr
