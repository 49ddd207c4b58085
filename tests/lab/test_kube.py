"""The pairs as pods, played with podman: what a pod shares, what two pods share, and the matrix of placements.

The lab beside them is the tests' own, and the same afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import PodPlacement
from lab.harness.commands import commands
from lab.harness.podman import need_podman
from lab.harness.stack import ROOT, Stack, wait_until
from labctl.clusters.kube.podman import Cluster, name_of
from labctl.terminal.errors import LabError

PAIRS = ("fifo",)  # of the lab beside the pods, which has their images
_PAGE = ROOT / "docs" / "KUBERNETES.md"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def pods(stack: Stack) -> Iterator[Stack]:
    """The lab whose images the pods have; no pod, node or folder stays."""
    need_podman()
    with _taken_down(stack):
        yield stack


@pytest.fixture
def neighbour(pods: Stack) -> Iterator[Stack]:
    """Another lab of the machine with pods; nothing of them stays."""
    other = Stack(f"{pods.project}kube")
    with _taken_down(other):
        up = other.lab("kube", "up", "--apart", "tcp")
        assert up.returncode == 0, up.stderr
        yield other


@contextmanager
def _taken_down(stack: Stack) -> Iterator[None]:
    stack.lab("kube", "down")  # what an interrupted run may have left
    try:
        yield
    finally:
        down = stack.lab("kube", "down")
        assert down.returncode == 0, down.stderr
        assert not Cluster(stack.project).there
        assert not [line for line in _mounts() if f"/ipclab-{stack.project}-kube" in line]


def _mounts() -> list[str]:
    return Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()


def pairs(stack: Stack) -> dict[str, dict[str, Any]]:
    """By pod of the consumer."""
    done = stack.lab("kube", "status", "--json")
    assert done.returncode == 0, done.stderr
    return {pair["consumer"]["pod"] if pair["consumer"] else "": pair for pair in json.loads(done.stdout)["pairs"]}


def wait_for_traffic(stack: Stack, pod: str) -> dict[str, Any]:
    before = pairs(stack).get(pod, {}).get("received") or 0

    def more() -> dict[str, Any] | None:
        now = pairs(stack).get(pod)
        return now if now and now["open"] and (now["received"] or 0) > before else None

    return wait_until(f"{pod} moves messages", 90, more)


def wait_for_error(stack: Stack, pod: str, error: str) -> dict[str, Any]:
    return wait_until(
        f"{pod}: {error}",
        90,
        lambda: next((p for n, p in pairs(stack).items() if n == pod and p["error"] == error), None),
    )


_ASK = """
import sys, urllib.request as r
print(r.urlopen(r.Request(sys.argv[1], headers={"Host": sys.argv[2]}), timeout=5).read().decode())
"""


def asked(cluster: Cluster, url: str, host: str) -> dict[str, Any]:
    """What answers to a probe on the node, in JSON; nothing where nobody does."""
    beside = next(m for m in cluster.played() if m["kind"] == "Pod" and name_of(m) == "probe-same-node")
    command = ["python", "-c", _ASK, url, host]
    try:
        answer: dict[str, Any] = json.loads(cluster.execute(beside, beside["spec"]["containers"][0]["name"], command))
    except LabError:
        return {}
    return answer


def assert_prometheus_and_the_page_see(cluster: Cluster, moving: set[str]) -> None:
    """Prometheus scrapes the pods of both nodes and computes the lab's rules; the page shows the placements of pods."""
    (configured,) = (m["data"]["prometheus.yml"] for m in cluster.played() if m["kind"] == "ConfigMap")
    wanted = set(yaml.safe_load(configured)["scrape_configs"][0]["static_configs"][0]["targets"])
    assert "probe-other-node:9464" in wanted

    def measured(expression: str, label: str) -> set[str]:
        at = "prometheus:9090"
        found = asked(cluster, f"http://{at}/api/v1/query?query={quote(expression)}", at)
        return {series["metric"][label] for series in found["data"]["result"]} if found else set()

    wait_until("Prometheus scrapes every pod", 90, lambda: measured("up == 1", "instance") == wanted)
    rate = "mechanism:ipc_messages_received:rate5s > 0"
    wait_until("the lab's rules are computed", 30, lambda: measured(rate, "mechanism") == moving)
    (page,) = (m["spec"]["containers"][0] for m in cluster.played() if m["kind"] == "Pod" and name_of(m) == "page")
    port = next(item["value"] for item in page["env"] if item["name"] == "LAB_PAGE_PORT")

    def reached() -> set[str]:
        cells = asked(cluster, "http://page:8080/matrix.json", f"127.0.0.1:{port}").get("cells", [])
        return {cell["placement"] for cell in cells if cell["mechanism"] == "tcp" and cell["success"]}

    wait_until("the page shows from where tcp is reached", 90, lambda: reached() == {"same_container", *PodPlacement})


def test_the_commands_of_the_page_show_what_a_pod_shares(pods: Stack) -> None:
    """One IPC namespace, one segment, one /dev/shm where there is one volume; the matrix is as predicted."""
    ran = []
    for _, *command in commands(_PAGE):
        if command == ["kube", "down"]:
            continue
        done = pods.lab(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        ran.append(command[1])
    assert ran == ["render", "matrix", "up", "status", "matrix"]
    found = {name: wait_for_traffic(pods, name) for name in ("sysv-shm", "posix-shm", "posix-shm-unset", "fifo", "tcp")}
    for name, pair in found.items():
        assert pair["same_ipc_namespace"] is True, name
    assert any(name.startswith("shm 0x") for name in found["sysv-shm"]["objects_of_both"])
    assert "/dev/shm/ipclab-posix-shm" in found["posix-shm"]["objects_of_both"]
    assert found["posix-shm"]["consumer"]["dev_shm_bytes"] == 64 << 20
    own = wait_for_error(pods, "posix-shm-own", "ENOENT")
    assert (own["same_ipc_namespace"], own["same_dev_shm"]) == (True, False)
    cells = json.loads(pods.lab("kube", "matrix", "--json").stdout)["cells"]
    assert len(cells) == 3 * len(mechanisms.names())
    for cell in cells:
        crosses = Sharing.NETWORK in mechanisms.load(cell["mechanism"]).traits.requires
        assert cell["success"] is (crosses or cell["placement"] == "same_pod"), cell
        assert cell["error"] in ((None,) if cell["success"] else ("ENOENT",)), cell


def test_two_pods_share_a_network_and_no_ipc_namespace(pods: Stack) -> None:
    """What Prometheus and the page, in pods too, see as well."""
    up = pods.lab("kube", "up", "--apart", "--prometheus", "sysv_shm", "fifo", "tcp", within_s=420)  # three images
    assert up.returncode == 0, up.stderr
    assert wait_for_traffic(pods, "tcp-consumer")["same_ipc_namespace"] is False
    for name in ("sysv-shm-consumer", "fifo-consumer"):
        pair = wait_for_error(pods, name, "ENOENT")
        assert pair["same_ipc_namespace"] is False
        assert pair["objects_of_both"] == []
        assert pair["received"] == 0
    assert_prometheus_and_the_page_see(Cluster(pods.project), moving={"tcp"})
    again = pods.lab("kube", "up", "fifo")
    assert again.returncode == 1
    assert "./lab kube down" in again.stderr


def test_two_pods_share_what_is_in_a_claim(pods: Stack, neighbour: Stack) -> None:
    """Beside the pods of another lab, which have the same names and addresses."""
    up = pods.lab("kube", "up", "--apart", "--claim", "fifo", "sysv_shm")
    assert up.returncode == 0, up.stderr
    assert wait_for_traffic(pods, "fifo-consumer")["same_ipc_namespace"] is False
    assert wait_for_error(pods, "sysv-shm-consumer", "ENOENT")["received"] == 0
    assert wait_for_traffic(neighbour, "tcp-consumer")["same_ipc_namespace"] is False
