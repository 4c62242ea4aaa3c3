"""What a stream needs besides: its source, and an engine."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pipelines.doctor.lines import Line, State
from pipelines.streaming.cluster import SCHEME, KafkaCluster, Topics
from pipelines.streaming.engines import FLINK, PRISM
from pipelines.streaming.listing import list_folder
from pipelines.streaming.prism import VERSION, find_prism, serving
from pipelines.streaming.reading import FOLDER, stream_source

_PATIENCE_S: Final = 30


def source_lines(source: str) -> Iterator[Line]:
    """Whether there is something to read; raises as a stream would."""
    stream_source(source)
    if source.startswith(SCHEME):
        cluster = KafkaCluster(Topics.of(source))
        try:
            count = len(cluster.partitions())
        finally:
            cluster.close()
        yield Line("source", State.OK, f"the cluster tells of {count:,} partitions")
        return
    folder = source.removeprefix(FOLDER)
    if "://" not in folder and not Path(folder).is_dir():
        yield Line("source", State.FAIL, f"{folder} is no folder that is there", "make it, or correct --source")
    else:
        list_folder(folder)
        yield Line("source", State.OK, f"{folder} can be watched")


def engine_lines(
    runner: str, prism: str | None = None, find: Callable[[str], str | None] = shutil.which
) -> Iterator[Line]:
    """Whether the engine of a stream starts: Prism for real, for Flink the Java that its job server runs on."""
    if runner == PRISM:
        program = find_prism(prism)
        with serving(program) as endpoint:
            yield Line("engine", State.OK, f"Prism {VERSION} starts ({program}), and served at {endpoint}")
    elif runner == FLINK:
        yield _java_line(find("java"))
    else:
        yield Line("engine", State.WARN, f"{runner} is not known here", f"look at it yourself, or name {PRISM}")


def _java_line(java: str | None) -> Line:
    to_do = "install a Java runtime of version 11 or later on the machine of the job server"
    if java is None:
        return Line("engine", State.FAIL, "Beam's job server for Flink needs Java, which is not on the path", to_do)
    ran = subprocess.run([java, "-version"], capture_output=True, check=False, timeout=_PATIENCE_S)  # noqa: S603
    if ran.returncode:
        return Line("engine", State.FAIL, f"{java} does not run", to_do)
    return Line("engine", State.OK, f"{java} runs; Flink itself was not asked")
