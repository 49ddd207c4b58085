"""`./lab matrix --explain`: what the two containers of a cell have in common, side by side, and the failed call."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ipclab import mechanisms
from ipclab.linux.namespaces import KINDS
from ipclab.matrix import errno_rules
from ipclab.matrix.placement import Placement
from labctl.hosts import second_host_probe as second_probe
from labctl.lab.containers import Container, read_in
from labctl.lab.prometheus import Prometheus
from labctl.terminal.errors import LabError
from labctl.terminal.printing import duration, new_table, show_lines, show_table
from labctl.terminal.waiting import wait_until

_SHOWN_WITHIN_S = 10  # a container that has just come is looked up in the DNS and scraped; one scrape can time out
_UNNAMED = re.compile(r"[0-9a-f]{64}")  # what the engine calls a volume that nobody named


def show(prometheus: Prometheus, probes: Mapping[Placement, Container], mechanism: str, placement: Placement) -> None:
    """Try the cell once more, in the probe's container, under a tracer; print everything.

    :raises LabError: the container cannot be asked
    """
    second = placement is Placement.SECOND_HOST
    responder, probe = (
        second_probe.both_ends(probes) if second else (probes[Placement.SAME_CONTAINER], probes[placement])
    )
    tried = _try_again(probes, mechanism, placement)
    traits = mechanisms.load(mechanism).traits
    table = new_table()
    table.add_column(f"{mechanism} needs: {', '.join(sorted(traits.requires))}", no_wrap=True)
    table.add_column(f"{responder.service} (answers)", overflow="fold")
    table.add_column(f"{probe.service} (asks)", overflow="fold")
    table.add_column("", no_wrap=True)
    mounted = (_dev_shm(responder), str(tried["dev_shm"]))
    for what, left, right in _side_by_side(prometheus, responder, probe, mounted):
        table.add_row(what, left, right, "same" if left == right else "")
    show_table(table)
    show_lines(_outcome(tried, mechanism, placement))


def namespaces(prometheus: Prometheus, wanted: Collection[str]) -> dict[str, dict[str, str]]:
    """By container id: the inode of each kind of namespace; without those of `wanted` that are never scraped.

    :raises PrometheusSilent: it does not answer
    """

    def shown() -> dict[str, dict[str, str]]:
        return {sample.labels["container"]: sample.labels for sample in prometheus.query("ipc_namespace_info")}

    def all_shown() -> dict[str, dict[str, str]] | None:
        inodes = shown()
        return inodes if inodes.keys() >= set(wanted) else None

    return wait_until(all_shown, _SHOWN_WITHIN_S) or shown()


def _dev_shm(responder: Container) -> str:
    """The device number of what is mounted at /dev/shm there."""
    ran = read_in(responder.docker, ["stat", "-Lc", "%Hd:%Ld", "/dev/shm"])
    return ran.stdout.decode().strip() or "not shown"


def _side_by_side(
    prometheus: Prometheus, responder: Container, probe: Container, mounted: tuple[str, str]
) -> list[tuple[str, str, str]]:
    inodes = namespaces(prometheus, (responder.id, probe.id))
    elsewhere = second_probe.is_elsewhere(responder)
    rows = []
    for kind in KINDS:
        left, right = (inodes.get(container.id, {}).get(kind, "not shown") for container in (responder, probe))
        # Two machines count by themselves: the same number would mean nothing.
        rows.append((f"{kind} namespace", left, f"{right} there" if elsewhere else right))
    rows.append(("/dev/shm, device", mounted[0], f"{mounted[1]} there" if elsewhere else mounted[1]))
    for what, things in (("volume", _volumes), ("network", _networks)):
        theirs, own = things(responder), things(probe)
        rows += [(what, theirs.get(name, "-"), own.get(name, "-")) for name in sorted({*theirs, *own})]
    return rows


def _volumes(container: Container) -> dict[str, str]:
    """Named volumes; an unnamed one is nobody else's."""
    return {
        mount["Name"]: f"{mount['Name']} at {mount['Destination']}"
        for mount in container.docker.attrs["Mounts"]
        if mount["Type"] == "volume" and not _UNNAMED.fullmatch(mount["Name"])
    }


def _networks(container: Container) -> dict[str, str]:
    """All of them, also the one that is for scraping only."""
    return {name: name for name in container.docker.attrs["NetworkSettings"]["Networks"]}


def _try_again(probes: Mapping[Placement, Container], mechanism: str, placement: Placement) -> dict[str, Any]:
    probe = probes[placement]
    command = [*_command(probes, placement), "--explain", mechanism]
    elsewhere = placement is Placement.SECOND_HOST
    ran = second_probe.read(probe, command) if elsewhere else read_in(probe.docker, command)
    if ran.code:
        raise LabError(
            f"{probe.service} cannot try {mechanism}: {ran.said}", hint="./lab status --containers shows them"
        )
    return ran.answer()


def _command(probes: Mapping[Placement, Container], placement: Placement) -> list[str]:
    """The command of the probe at `placement`; for the responder, that of a probe beside it."""
    here = probes[placement] if placement is not Placement.SECOND_HOST else probes[Placement.SHARED_NETWORK]
    entrypoint: list[str] = here.docker.attrs["Config"]["Entrypoint"]
    command: list[str] = here.docker.attrs["Config"]["Cmd"]
    match placement:
        case Placement.SAME_CONTAINER:
            return [*entrypoint, "probe", str(placement), *command[1:]]
        case Placement.SECOND_HOST:
            return [*entrypoint, *second_probe.command_of(probes)]
        case _:
            return [*entrypoint, *command]


def _outcome(tried: dict[str, Any], mechanism: str, placement: Placement) -> list[str]:
    route = f"the route from there to the responder: {tried['route']}"
    if not tried["error"]:
        return [f"{mechanism} from {placement}: ✓ {duration(tried['round_trip_s'])}, 64 B each way", route]
    reason = errno_rules.reason(mechanisms.load(mechanism).traits, tried["error"])
    calls = [call for call in tried["failed_calls"] if call["error"] == tried["error"]]
    failed = (
        f"the system call that failed: {calls[-1]['call']} = -1 {tried['error']}" if calls else "no system call failed"
    )
    return [
        f"{mechanism} from {placement}: ✗ {tried['error']}",
        tried["text"],
        failed,
        route,
        reason.sentence,
        reason.source,
    ]
