"""`./lab reset`: the running lab as it was right after `./lab up`, in seconds, with the same containers.

Paused, cut, moved and ended containers come back; then every pair resets its counts. The producers close first
and begin last, so no side counts messages that the other side has reset (services/ipclab/runtime/reset.py). A pair that
was scaled is made anew, with one consumer and one producer. See docs/decisions/0038-reset.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import docker
from docker.models.containers import Container as DockerContainer

from ipclab.accounting.ledger import LedgerError, streams_in
from ipclab.runtime.reset import GO, ORDER, PREPARE, forgotten
from ipclab.runtime.reset import order as order_of
from labctl.config import compose_file
from labctl.config.configuration import CPUS, IMAGE_TAG, UID
from labctl.engine import compose
from labctl.faults import running
from labctl.grafana import annotation
from labctl.lab import clones, containers, state_files
from labctl.lab.containers import PROJECT_LABEL, Container, require_running, stop_and_remove
from labctl.lab.lab import Lab
from labctl.measured import accounts, namespace_split, traffic
from labctl.place import moved_consumers, place
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import Step, say, step
from labctl.terminal.waiting import wait_until

_STATE = "/state"
_LOAD: tuple[str, ...] = ("LAB_RATE", "LAB_SIZE")
_CLASSES = "LAB_CLASSES"
_SETTINGS_OF_CLASSES = {"sysv_mq": "LAB_SYSV_MQ_TYPES", "posix_mq": "LAB_POSIX_MQ_PRIORITIES"}
_LOG_LINES = 20
_ANSWERS_WITHIN_S = 30  # a second does, but on a machine that is busy with something else
_SAY_AGAIN_AFTER_S = 3
_MOVES_WITHIN_S = 30
_MEASURED_WITHIN_S = 15


def reset(lab: Lab, *, take_over: bool, only: Sequence[str] = ()) -> None:
    """Bring every container of the running lab back to where `./lab up` had it, and let every pair count from 0.

    :param only: the pairs to reset; all of them where it is empty. What is no pair's comes back too.
    :raises BadInput: another clone started this lab
    :raises LabError: the lab does not run, or a pair does not move afterwards
    """
    client = lab.client
    project = lab.project
    if not take_over:
        clones.require_ours(containers.listed(client, project), project, "reset")
    found = lab.containers()
    require_running(found, project)
    if running.end_all(lab, only):
        found = lab.containers()
    found = _bring_back(lab, _chosen(found, only), only)
    _heal_split(lab, found)
    mechanisms = sorted({c.mechanism for c in found if c.mechanism})
    scaled = {mechanism for mechanism in mechanisms if _is_scaled(found, mechanism)}
    with step(f"Resetting {traffic.in_words(mechanisms)}"):
        token = f"{time.time():.3f}"
        _forget(found, token)
        _order([c for c in found if c.is_producer and c.mechanism not in scaled], GO, token)
    if scaled:
        _make_anew(lab, [c for c in found if c.mechanism in scaled])
        found = _chosen(lab.containers(), only)
    with step(f"Waiting for messages of {traffic.in_words(mechanisms)}") as current:
        waiting = list(mechanisms)
        if not wait_until(lambda: _all_move(found, waiting, current), _MOVES_WITHIN_S, every_s=0.5):
            raise LabError(
                f"{', '.join(waiting)} moved no message within {_MOVES_WITHIN_S} s of the reset",
                hint=f"./lab status {waiting[0]} shows why; ./lab down, then ./lab up",
            )
        if unmeasured := _wait_until_measured(lab, found, current):
            say(f"Prometheus has no figures of {', '.join(c.label for c in unmeasured)} yet")
    text = f"reset: {traffic.in_words(mechanisms)} count from 0"
    annotation.note(lab.configuration, found, "reset", mechanisms, text)
    show_lines([f"{text}; loads and locks are those of ./lab up, with one consumer and one producer each"])


def _chosen(found: Sequence[Container], only: Sequence[str]) -> list[Container]:
    """The containers of compose.yaml; of the pairs, those that are to be reset."""
    ours = (container for container in found if not container.is_one_off)  # the others end by themselves
    return [c for c in ours if not only or c.mechanism is None or c.mechanism in only]


def _bring_back(lab: Lab, found: list[Container], only: Sequence[str]) -> list[Container]:
    """Let all run where compose.yaml has them; returns them as they are then."""
    project = lab.project
    changed = _unpause(found)
    if _rejoin(lab, found):
        found = _chosen(lab.containers(), only)
    if moved_consumers.all_placed(lab.client, found, project):
        place.put_all_back(lab, only or compose_file.declared())
        found, changed = _chosen(lab.containers(), only), False
    for container in _start(found):
        say(f"{container.label} was {container.state_in_words()}")
        changed = True
    changed |= _reconnect(lab.client, found, project)
    return _chosen(lab.containers(), only) if changed else found


def _rejoin(lab: Lab, found: Sequence[Container]) -> bool:
    """Make anew what joined the IPC namespace of a container that is gone: the engine would never start it again.

    So it is after somebody made the holder anew and left its members alone.
    """
    there = {container.id for container in found}
    left = [container for container in found if container.joins_ipc_of and container.joins_ipc_of not in there]
    for container in left:
        stop_and_remove(container.docker)
    for container in left:
        environment = {**lab.configuration.environment(), **started_with([container])}
        compose.create([container.service], environment)
        say(f"{container.label} had joined the IPC namespace of a container that is gone, and was made anew")
    return bool(left)


def _unpause(found: Iterable[Container]) -> bool:
    paused = [container for container in found if container.state == "paused"]
    for container in paused:
        container.docker.unpause()
        say(f"{container.label} was paused")
    return bool(paused)


def _start(found: Iterable[Container]) -> list[Container]:
    """What ended or never began: the holder first, whose namespace others join; consumers before producers."""
    stopped = [c for c in found if c.state in ("created", "exited", "dead")]
    for container in sorted(stopped, key=lambda c: (c.service != compose_file.HOLDER, c.is_producer)):
        container.docker.start()
    return stopped


def _reconnect(client: docker.DockerClient, found: Iterable[Container], project: str) -> bool:
    """Into the networks that a container was cut from (`docker network disconnect`)."""
    declared = compose_file.all_services()
    connected = False
    for container in found:
        networks = (declared.get(container.service) or {}).get("networks") or {}
        has = container.docker.attrs["NetworkSettings"]["Networks"]
        for name in networks:
            if f"{project}_{name}" not in has:
                options = networks[name] if isinstance(networks, dict) else None
                aliases = [container.service, *(options or {}).get("aliases", [])]
                client.networks.get(f"{project}_{name}").connect(container.docker, aliases=aliases)
                say(f"{container.label} was cut from the network {name}")
                connected = True
    return connected


def _heal_split(lab: Lab, found: Sequence[Container]) -> None:
    prometheus = lab.prometheus
    if prometheus.answers():
        splits = namespace_split.find(prometheus, found)
        for split in splits:
            say(f"{split}; restarting {split.member.service}")
        namespace_split.heal(splits)


def _forget(found: Sequence[Container], token: str) -> None:
    """Let all forget: the producers first, which then wait, and the consumers when nothing comes any more.

    :raises LabError: an endpoint does not answer; the others go on, as after a restart
    """
    producers = [c for c in found if c.mechanism and c.is_producer]
    consumers = [c for c in found if c.mechanism and not c.is_producer]
    waiting = _tell(producers, PREPARE, token) or _tell(consumers, GO, token)
    if waiting:
        _order(producers, GO, token)
        raise LabError(
            f"{', '.join(c.label for c in waiting)}: no answer to the reset within {_ANSWERS_WITHIN_S} s",
            hint=f"docker restart {' '.join(c.id for c in waiting)}, then ./lab reset again",
        )


def _tell(endpoints: Sequence[Container], word: str, token: str) -> list[Container]:
    """Give an order, and wait until all have forgotten; returns those that have not."""
    waiting, told_at = list(endpoints), 0.0

    def all_have() -> bool:
        nonlocal told_at
        # Again, for a process that had not begun to look when it was told.
        if time.monotonic() - told_at > _SAY_AGAIN_AFTER_S:
            _order(waiting, word, token)
            told_at = time.monotonic()
        # By the log, which costs no process in the engine, as looking into a volume does.
        waiting[:] = [c for c in waiting if forgotten(token).encode() not in c.docker.logs(tail=_LOG_LINES)]
        return not waiting

    wait_until(all_have, _ANSWERS_WITHIN_S, every_s=0.1)
    return waiting


def _order(endpoints: Iterable[Container], word: str, token: str) -> None:
    def write(container: DockerContainer) -> None:
        state_files.write(container, _STATE, ORDER, order_of(word, token))

    containers.together(write, [c.docker for c in endpoints])


def _is_scaled(found: Sequence[Container], mechanism: str) -> bool:
    return len(containers.of_pair(found, mechanism)) > len(compose_file.ROLES) or accounts.is_shared(found, mechanism)


def _make_anew(lab: Lab, members: Sequence[Container]) -> None:
    """The pairs of these containers with one of each side, under the load that they were started with."""
    for member in members:
        stop_and_remove(member.docker)
    for mechanism in sorted({str(member.mechanism) for member in members}):
        ledger = f"com.docker.compose.volume={mechanism.replace('_', '-')}-ledger"
        for volume in lab.client.volumes.list(filters={"label": [f"{PROJECT_LABEL}={lab.project}", ledger]}):
            volume.remove(force=True)
        pair = containers.of_pair(members, mechanism)
        environment = {**lab.configuration.environment(), **started_with(pair)}
        compose.create(compose_file.services_of(mechanism), environment)
        # Not by Compose, which would let the producer wait for its consumer's health check.
        _start(containers.of_pair(lab.containers(), mechanism))
        say(f"{mechanism} has one consumer and one producer again")


def setting_of(mechanism: str, variable: str) -> str:
    """The setting of .env that a container of the pair has as `variable`."""
    return _SETTINGS_OF_CLASSES.get(mechanism, variable) if variable == _CLASSES else variable


def started_with(pair: Sequence[Container]) -> dict[str, str]:
    """The settings that its containers bear, whatever the shell of this command has."""
    first = pair[0]
    config, host = first.docker.attrs["Config"], first.docker.attrs["HostConfig"]
    kept: dict[str, str] = {name: first.environment[name] for name in _LOAD if name in first.environment}
    if _CLASSES in first.environment:
        kept[setting_of(str(first.mechanism), _CLASSES)] = first.environment[_CLASSES]
    user = config["User"].partition(":")[0]
    return {**kept, UID: user, CPUS: host["CpusetCpus"], IMAGE_TAG: config["Image"].rpartition(":")[2]}


def _all_move(found: Sequence[Container], waiting: list[str], current: Step) -> bool:
    """By the consumers' ledgers, which know of nothing before the reset."""
    for mechanism in list(waiting):
        consumer = next(c for c in containers.of_pair(found, mechanism) if not c.is_producer)
        if _received(state_files.read(consumer.docker, _STATE)):
            waiting.remove(mechanism)
    current.detail(f"not yet: {', '.join(waiting)}" if waiting else "all move")
    return not waiting


def _wait_until_measured(lab: Lab, found: Sequence[Container], current: Step) -> list[Container]:
    """Until Prometheus has figures of every endpoint, as after `./lab up`; returns those of which it has none."""
    endpoints = [container for container in found if container.mechanism]

    def all_are() -> bool:
        endpoints[:] = traffic.unmeasured(lab.prometheus, endpoints)
        left = ", ".join(container.label for container in endpoints)
        current.detail(f"not measured yet: {left}" if left else "all move")
        return not endpoints

    wait_until(all_are, _MEASURED_WITHIN_S)
    return endpoints


def _received(files: dict[str, bytes]) -> int:
    if "consumer.ledger" not in files:
        return 0
    try:
        return sum(stream.received for stream in streams_in(files["consumer.ledger"]).values())
    except LedgerError:  # it is just being made
        return 0
