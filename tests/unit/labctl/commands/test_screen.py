"""`./lab status` of all pairs on a terminal: one screen of 24 lines of 80 columns, and a line is for the prompt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import pytest

from labctl.commands import status
from labctl.config import compose_file
from labctl.config.configuration import Configuration
from labctl.faults import registry, running
from labctl.lab import containers
from labctl.lab.lab import Lab
from labctl.lab.ports import free_port
from labctl.place import moved_consumers
from support.containers import container
from support.prometheus import Vector, prometheus_that_says
from support.pseudo_terminal import run_on_terminal

_PROMPT = 1


def show(grafana_image: str, stopped: Sequence[str], faults: int, *, losses: bool) -> None:
    """For a process on a terminal: `./lab status` of an engine and a Prometheus that know all pairs."""
    services = [service for name in compose_file.declared() for service in compose_file.services_of(name)]
    found = [container(service, state="exited" if service in stopped else "running") for service in services]

    def each(value: float, **labels: str) -> Vector:
        return [({"mechanism": name, **labels}, value) for name in compose_file.declared()]

    counters = ("messages_sent", "messages_received", "messages_skipped", "messages_corrupt")
    scraped = [sample for name in counters for sample in each(999_999, __name__=f"ipc_{name}_total")]
    lost = 333_333 if losses else 0
    for reason in ("channel", "consumer_restart", "producer_restart"):
        scraped += each(lost, __name__="ipc_messages_lost_total", reason=reason)
    if losses:
        scraped.append(({"__name__": "ipc_kernel_drops_total", "mechanism": "udp"}, 333_333.0))
    answers: dict[str, Any] = {
        "__name__": [*scraped, ({"__name__": "up"}, 1.0)],
        "cpus_info": each(1, cpus="two"),
        "wait_info": [({"mechanism": name, "wait": _wait(name)}, 1.0) for name in compose_file.declared()],
        "received:rate5s": each(199.7),
        "mechanism:ipc_one_way_latency_seconds:p50_5s": each(0.000_164),
        "mechanism:ipc_one_way_latency_seconds:p99_5s": each(0.001_7),
        "ipc_cpu_seconds_per_message": each(0.000_144),
        "ipc_context_switches_per_message": each(2.03),
        "ipc_fixed_cpu": [({"part": "page"}, 0.031), ({"part": "processes"}, 0.052)],
        "ipc_load_rate": each(200),
        "ipc_load_burst": each(1),
        "ipc_message_size_bytes": each(1024),
    }
    containers.of_project = Mock(return_value=found)
    moved_consumers.all_placed = Mock(return_value=[])
    longest = running.Running(
        registry.fault("kill-lock-holder-no-undo"), "sysv_shm", 0, 0.0, time.time() + 3600, {}, Mock()
    )
    running.find = Mock(return_value=[longest] * faults)
    with prometheus_that_says(answers) as prometheus:
        values = {
            **Configuration.load().values,
            "LAB_PROMETHEUS_PORT": prometheus.url.rpartition(":")[2],
            "LAB_GRAFANA_PORT": str(free_port()),
            "GRAFANA_IMAGE": grafana_image,
        }
        status.show_status(Lab(Configuration("ipclab", values), Mock()), [status.Section.PAIRS])


def _wait(mechanism: str) -> str:
    return "poll" if mechanism == "plain_file" else "block"


@pytest.mark.parametrize(
    ("image", "stopped", "faults", "losses"),
    [
        ("", (), 0, False),
        ("grafana/grafana:12.3.0", (), 0, True),
        ("grafana/grafana:12.3.0", ("sysv-mq-consumer",), 1, True),
        ("", ("sysv-mq-consumer",), 11, True),
    ],
)
def test_it_is_one_screen(image: str, stopped: tuple[str, ...], faults: int, losses: bool) -> None:
    asked = f"show({image!r}, {stopped!r}, {faults}, losses={losses})"
    code, lines = run_on_terminal(["-c", f"from unit.labctl.commands.test_screen import show; {asked}"], 80)
    assert code == 0, lines
    assert len(lines) <= 24 - _PROMPT, lines
    assert max(map(len, lines)) <= 80
    text = " ".join(lines)
    assert text.count("164 µs") == len(compose_file.declared())
    assert "Beside messages they take 8 % of a core." in text
    assert "More: ./lab status MECHANISM, --containers, --kernel, --all." in text
    assert all(f"{service} (exited, exit code 0)" in text for service in stopped)
    assert text.count("Why messages were lost: ./lab status MECHANISM.") == losses
    told = {0: "", 1: "fault kill-lock-holder-no-undo of sysv_shm: on for another 3", 11: "11 faults are on (hint: "}
    assert [line.startswith(told[faults]) for line in lines].count(True) == (1 if faults else len(lines))
