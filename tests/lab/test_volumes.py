"""A shared volume that is full, or read-only: said, counted, and over as soon as it is put right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.harness.stack import Stack, printed, wait_until
from labctl.config.compose_file import of_every_container

SIZE = "1m"


@pytest.fixture(scope="module")
def small(stack: Stack) -> Iterator[Stack]:
    """A lab of one pair whose volume is 1 MiB of memory."""
    lab = Stack("ipclabsmall")
    lab.environment["LAB_SIZE"] = "8192"  # more than the page that an empty file already has
    lab.lab("down")
    lab.client.volumes.create(
        f"{lab.project}_plain-file",
        driver="local",
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": f"size={SIZE},uid=10001,gid=10001,mode=0770"},
        labels={"com.docker.compose.project": lab.project, "com.docker.compose.volume": "plain-file"},
    )
    assert stack.mechanisms()  # the images are there
    try:
        up = lab.lab("up", "plain_file")
        assert up.returncode == 0, up.stderr
        yield lab
    finally:
        lab.lab("down")
    assert lab.leftovers() == []


def test_a_full_volume_is_counted_and_traffic_resumes_when_space_is_back(small: Stack) -> None:
    small.wait_for_traffic("plain_file")
    assert small.lab("fault", "start", "volume-full", "plain_file", "--for", "10m").returncode == 0
    try:
        wait_until("ENOSPC is counted", 60, lambda: _errors(small, "ENOSPC"))
    finally:
        ended = small.lab("fault", "stop", "volume-full")
    assert ended.returncode == 0, ended.stderr
    left = printed(small.endpoint("plain_file", "producer"), ["ls", "/channel"]).split()
    assert "ipclab-fault" not in left
    small.wait_for_traffic("plain_file")
    accounts = small.settle("plain_file")
    assert accounts["sent"] == accounts["received"] + accounts["lost"]
    assert (accounts["lost"], accounts["corrupt"], accounts["duplicate"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("mechanism", "name"), [("plain_file", "file"), ("mmap_file", "ring"), ("fifo", "fifo"), ("unix_stream", "socket")]
)
def test_a_read_only_volume_is_said_in_one_line(stack: Stack, mechanism: str, name: str) -> None:
    service = stack.endpoint(mechanism, "consumer")
    volume = stack.client.volumes.create(labels={"com.docker.compose.project": stack.project})
    container = stack.client.containers.run(
        service.attrs["Config"]["Image"],
        ["consumer", mechanism, "--path", f"/channel/{name}"],
        volumes={volume.name: {"bind": "/channel", "mode": "ro"}},
        tmpfs=of_every_container()["tmpfs"],
        read_only=True,
        network_mode="none",
        detach=True,
    )
    try:
        wait_until("EROFS is said", 15, lambda: b"EROFS" in container.logs())
        container.stop(timeout=3)
        said = container.logs().decode()
        lines = [line for line in said.splitlines() if "no channel" in line]
        assert len(lines) == 1, said  # however often it was tried
        assert f"/channel/{name}" in lines[0]
        assert "hint: " in lines[0]
        assert "Traceback" not in said
    finally:
        container.remove(force=True, v=True)
        volume.remove()


def _errors(stack: Stack, errno_name: str) -> int:
    series = "ipc_send_errors_total"
    page = stack.page("plain-file-producer")
    return int(sum(value for name, labels, value in page if name == series and labels["errno"] == errno_name))


def test_a_volume_that_is_the_disk_of_the_machine_is_not_filled(stack: Stack) -> None:
    refused = stack.lab("fault", "start", "volume-full", "plain_file")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "would fill the disk of this machine" in refused.stderr
    assert "docker volume create" in refused.stderr
