"""A Kafka broker of one node, from Apache Kafka's own jars: formatted by its own tool, killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

JARS: Final = Path(__file__).with_name("jars")
REQUIRED: Final = "MAKEGOOD_REQUIRE_SERVERS"
"""Set to 1 where a server that is missing is a failure, not a reason to skip."""

CLUSTER_ID: Final = "bWFrZWdvb2Qta2Fma2EtMQ"
START_S: Final = 60
_HOW_TO: Final = "Kafka is not here: mvn --file tests/support/kafka/pom.xml package (needs Java 17 and Maven)"
_PROPERTIES: Final = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


@dataclass
class Broker:
    """One node. `servers` is what a client needs; its topics survive being killed."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def format(self) -> None:
        settings = self.folder / "server.properties"
        settings.write_text(_PROPERTIES.format(port=self.port, controller=_free_port(), folder=self.folder))
        subprocess.run(
            [*_java(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(settings)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Returns once it answers."""
        with (self.folder / "broker.log").open("ab") as log:
            command = [*_java(), "kafka.Kafka", str(self.folder / "server.properties")]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        client = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        for _ in range(START_S):
            try:
                if self.process.poll() is None and client.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                continue
            break
        pytest.fail(f"The broker does not start:\n{(self.folder / 'broker.log').read_text()[-4_000:]}")

    def kill(self) -> None:
        """As a machine that loses its power."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def create(self, topic: str, partitions: int) -> None:
        client = AdminClient({"bootstrap.servers": self.servers})
        client.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """A broker without a topic, for as long as the context lasts."""
    if not JARS.exists() or shutil.which("java") is None:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(_HOW_TO)
        pytest.skip(_HOW_TO)
    broker = Broker(folder, _free_port())
    broker.format()
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def _java() -> list[str]:
    """Little memory, and no compiler that a run of seconds cannot repay."""
    return ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*"]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
