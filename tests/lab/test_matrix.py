"""The matrix, measured: what can be reached from where is what the traits predict, and nothing hangs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from docker.errors import APIError

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import Placement
from ipclab.matrix.probe import REMEMBERED
from lab.harness import readme_matrix
from lab.harness.stack import Stack, printed, wait_until
from labctl.lab.containers import freeze
from labctl.terminal.errors import LabError

LONGEST_TRY_S = 3.0  # one second to open, one to ask, and what a busy machine adds
PROBES = ("responder", "probe-shared-ipc", "probe-ipc-namespace", "probe-shared-volume", "probe-shared-network")
# Of another network: no route; a route, and what takes it is dropped; nobody on the link has that address any more.
NO_WAY = {"tcp": {"ENETUNREACH", "ETIMEDOUT", "EHOSTUNREACH"}, "udp": {"ENETUNREACH", "EHOSTUNREACH", "no answer"}}
IPC_ALONE, IPC_AND_SHM = {Sharing.IPC_NAMESPACE}, {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM}


def measured(stack: Stack) -> dict[tuple[str, str], float]:
    """Mechanism and placement to 1 or 0, as the probes show it now."""
    return {cell: value for service in PROBES for cell, value in measured_at(stack, service).items()}


def measured_at(stack: Stack, service: str) -> dict[tuple[str, str], float]:
    """The same of one probe."""
    return {
        (labels["mechanism"], labels["placement"]): value
        for series, labels, value in stack.page(service)
        if series == "probe_success"
    }


def predicted(stack: Stack) -> bool:
    """Whether every cell is there, and is as predicted, in the last round of every probe."""
    try:
        cells = measured(stack)
    except (AssertionError, APIError, LabError):  # one of them is just coming back
        return False
    wanted = {
        (name, str(place)): needs <= shared
        for name in mechanisms.names()
        for needs in [mechanisms.load(name).traits.requires]
        for place, shared in (
            (Placement.SAME_CONTAINER, set(Sharing)),
            (Placement.SHARED_IPC, IPC_AND_SHM),
            (Placement.IPC_NAMESPACE, IPC_ALONE),
            (Placement.SHARED_VOLUME, {Sharing.VOLUME}),
            (Placement.SHARED_NETWORK, {Sharing.NETWORK}),
        )
    }
    return cells == wanted


def test_the_matrix_is_what_the_traits_predict(stack: Stack) -> None:
    wait_until("every cell is measured", 20, lambda: predicted(stack))
    shown = stack.lab("matrix", "--json")
    assert shown.returncode == 0, shown.stderr
    cells = json.loads(shown.stdout)["cells"]
    assert len(cells) == len(mechanisms.names()) * len(PROBES)
    for cell in cells:
        assert cell["as_predicted"], cell
        assert cell["duration_seconds"] < LONGEST_TRY_S
        if cell["success"]:
            low, high = cell["round_trip_range_seconds"]
            assert 0 < low <= cell["round_trip_seconds"] <= high < LONGEST_TRY_S
            assert 1 <= cell["round_trip_tries"] <= REMEMBERED
        else:
            assert cell["error"] in NO_WAY.get(cell["mechanism"], {"ENOENT"})
            assert "no rule" not in cell["reason"]


@pytest.mark.timeout(300)
def test_every_error_is_what_a_system_call_returned(stack: Stack) -> None:
    """Each cell that is not reached, tried again under a tracer; a datagram that is dropped is nobody's error."""
    for service in PROBES[1:]:
        probe = stack.container(service)
        command = [*probe.attrs["Config"]["Entrypoint"], *probe.attrs["Config"]["Cmd"], "--explain"]
        for name in (n for (n, p), reached in measured_at(stack, service).items() if not reached):
            tried: dict[str, Any] = json.loads(printed(probe, [*command, name]))
            met = {call["error"]: call["call"] for call in tried["failed_calls"]}
            assert tried["error"] in met or (name, tried["error"]) == ("udp", "no answer"), (service, name, tried)
            assert tried["error"] in NO_WAY.get(name, {"ENOENT"}), (service, name, tried)
            if name == "tcp":
                address = stack.container("responder").attrs["NetworkSettings"]["Networks"][f"{stack.project}_echo"]
                assert met[tried["error"]].startswith(f"connect({address['IPAddress']}:")


def test_a_namespace_without_the_mount_of_dev_shm_has_no_posix_shared_memory(stack: Stack) -> None:
    shown = stack.lab("matrix", "--explain", "posix_shm", "ipc_namespace")
    assert shown.returncode == 0, shown.stderr
    rows = {line.split("  ")[0]: line for line in shown.stdout.splitlines()}
    assert rows["ipc namespace"].rstrip().endswith(" same")
    assert not rows["/dev/shm, device"].rstrip().endswith(" same")
    assert "the system call that failed: openat(/dev/shm/ipclab-echo-posix-shm) = -1 ENOENT" in shown.stdout
    assert "mount_namespaces(7)" in shown.stdout
    assert "✓" in stack.lab("matrix", "--explain", "sysv_shm", "ipc_namespace").stdout


def test_the_table_of_readme_is_what_is_measured(stack: Stack) -> None:
    """The column of the second host is tests/lab/test_hosts.py's."""
    markdown = stack.lab("matrix", "--markdown")
    assert markdown.returncode == 0, markdown.stderr
    cells = {cell: found for cell, found in readme_matrix.of_readme().items() if cell[1] != readme_matrix.SECOND_HOST}
    assert readme_matrix.cells(markdown.stdout) == cells
    assert len(cells) == len(mechanisms.names()) * len(PROBES)


def test_the_evidence_names_the_call_that_failed(stack: Stack) -> None:
    for mechanism, call in {"sysv_shm": "shmget(key 0x", "fifo": "openat(/channel/echo-fifo)"}.items():
        shown = stack.lab("matrix", "--explain", mechanism, "shared_network")
        assert shown.returncode == 0, shown.stderr
        assert f"the system call that failed: {call}" in shown.stdout
        assert "= -1 ENOENT" in shown.stdout
        assert f"{stack.project}_echo" in shown.stdout
        address = stack.container("responder").attrs["NetworkSettings"]["Networks"][f"{stack.project}_echo"][
            "IPAddress"
        ]
        assert f"the route from there to the responder: {address} by eth" in shown.stdout
    shown = stack.lab("matrix", "--explain", "tcp", "shared_volume")
    assert f"the system call that failed: connect({address}:" in shown.stdout
    assert "the route from there to the responder: " in shown.stdout


def test_another_user_is_refused_and_does_not_hang(stack: Stack) -> None:
    containers = stack.containers()
    probe = containers["probe-shared-ipc"]
    stranger = stack.client.containers.run(
        probe.attrs["Image"],
        [*probe.attrs["Config"]["Cmd"], "--once"],
        user="12345:12345",
        ipc_mode=f"container:{containers['holder'].id}",
        volumes={f"{stack.project}_echo": {"bind": "/channel"}},
        network=f"{stack.project}_echo",  # where the responder's page is, too
        remove=True,
    )
    tried: dict[str, dict[str, Any]] = json.loads(stranger)
    for name, found in tried.items():
        remote = Sharing.NETWORK in mechanisms.load(name).traits.requires
        assert found["error"] == ("" if remote else "EACCES"), (name, found)
        assert found["duration_s"] < LONGEST_TRY_S


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_responder_that_comes_back_is_reached_within_ten_seconds(stack: Stack, how: str) -> None:
    responder = stack.containers()["responder"]
    getattr(responder, how)()
    gone = stack.lab("matrix")
    assert gone.returncode == 1
    assert "the responder does not run" in gone.stderr
    assert len(gone.stderr.splitlines()) == 1
    responder.start()
    wait_until("the cells are back", 10, lambda: predicted(stack))


def test_a_responder_that_is_silent_hangs_no_probe(stack: Stack) -> None:
    responder = stack.containers()["responder"]
    freeze(responder)
    try:
        probe = ("probe-shared-volume", "probe-shared-network", "probe-shared-ipc")

        def nobody_answers() -> bool:
            return not any(
                value for service in probe for series, _, value in stack.page(service) if series == "probe_success"
            )

        wait_until("every try has failed", 40, nobody_answers)
        for service in probe:
            for series, labels, value in stack.page(service):
                assert series != "probe_duration_seconds" or value < LONGEST_TRY_S, labels
    finally:
        responder.unpause()
    wait_until("the cells are back", 20, lambda: predicted(stack))


def test_killed_probes_leave_nothing(stack: Stack) -> None:
    def left() -> list[str]:
        listed = printed(stack.containers()["responder"], ["ls", "/channel", "/dev/shm"])
        return [name for name in listed.split() if ".reply" in name]

    for service in PROBES[1:3]:
        victim = stack.containers()[service]
        victim.kill()
        victim.start()
    wait_until("the cells are back", 20, lambda: predicted(stack))
    wait_until("nothing is left of them", 10, lambda: not left())
