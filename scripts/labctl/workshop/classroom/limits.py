"""How many labs of one shape fit, for each thing that a machine has little of; computed before anything starts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import docker

from labctl.engine import throwaway
from labctl.lab import ports
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import size
from labctl.workshop.classroom.shape import Shape

_SPARE_BYTES = 512 << 20  # for the machine itself
_SCRIPT = "cat /proc/self/limits /proc/meminfo; echo cpus $(nproc)"


@dataclass(frozen=True)
class Limit:
    """One resource."""

    name: str
    takes: str  # one lab
    has: str  # the machine, free
    fits: int | None  # how many labs; None is no bound
    advice: str
    estimated: bool = False  # more labs are slow, or end when memory does; they are not refused by the kernel


@dataclass(frozen=True)
class Machine:
    """What the engine's machine has left, as a container sees it."""

    queue_bytes: int | None  # RLIMIT_MSGQUEUE of each user; None is unlimited
    memory_bytes: int  # MemAvailable
    cpus: int


def machine_of(client: docker.DockerClient, image: str) -> Machine:
    """Ask a container, because the engine may be on another machine, or give containers limits of their own.

    :raises LabError: it does not say
    """
    code, said = throwaway.run(client, image, ["sh", "-c", _SCRIPT])
    return parse(said) if code == 0 else _unknown(said)


def parse(said: str) -> Machine:
    """Out of /proc/self/limits, /proc/meminfo (proc(5)) and nproc(1).

    :raises LabError: something is missing
    """
    queues = re.search(r"^Max msgqueue size +(\w+)", said, re.MULTILINE)
    memory = re.search(r"^MemAvailable: +(\d+) kB", said, re.MULTILINE)
    cpus = re.search(r"^cpus (\d+)", said, re.MULTILINE)
    if not queues or not memory or not cpus:
        return _unknown(said)
    bound = None if queues[1] == "unlimited" else int(queues[1])
    return Machine(bound, int(memory[1]) << 10, int(cpus[1]))


def limits(shape: Shape, machine: Machine, *, subnets: int, first_port: int) -> list[Limit]:
    """Every limit, for labs of this shape that do not run yet.

    :param subnets: free ones of the size that a network of a class gets
    """
    networks, published = len(shape.networks), len(shape.ports)
    free_ports = count_free(first_port, published)
    memory = max(0, machine.memory_bytes - _SPARE_BYTES)
    queues_fit = machine.queue_bytes is None or shape.queue_bytes <= machine.queue_bytes
    fewer = "--pairs fifo,tcp is a smaller lab"
    return [
        Limit(
            "address pools",
            f"{networks} subnets",
            f"{subnets} subnets",
            subnets // networks,
            "default-address-pools in daemon.json, or remove networks: docker network ls",
        ),
        Limit(
            "ports",
            f"{published} ports",
            f"{free_ports * published} from {first_port} on",
            free_ports,
            "--first-port names a lower one",
        ),
        Limit(
            "POSIX queues",
            size(shape.queue_bytes),
            f"{'no limit' if machine.queue_bytes is None else size(machine.queue_bytes)} for each lab's user",
            None if queues_fit else 0,
            "a higher msgqueue limit of the engine: default-ulimits in daemon.json; or leave posix_mq out",
        ),
        Limit(
            "memory",
            f"about {shape.memory_bytes / (1 << 20):.0f} MiB",
            f"{memory / (1 << 30):.1f} GiB available",
            memory // shape.memory_bytes,
            fewer,
            estimated=True,
        ),
        Limit(
            "CPUs",
            f"about {shape.cpu_share:.2f} of a CPU",
            f"{machine.cpus} CPUs",
            int(machine.cpus / shape.cpu_share),
            f"{fewer}, LAB_RATE=50 a slower one",
            estimated=True,
        ),
    ]


def require(wanted: int, found: Sequence[Limit], running: int, *, overcommit: bool) -> None:
    """Refuse labs that do not fit.

    :param wanted: labs to start beside the `running` ones of the class
    :param overcommit: go on where only estimates are against it

    :raises BadInput: one resource is too small
    """
    against = [limit for limit in found if limit.fits is not None and not (overcommit and limit.estimated)]
    if not against:
        return
    least = min(against, key=lambda limit: limit.fits or 0)
    assert least.fits is not None
    if wanted > least.fits:
        fits = running + least.fits
        soft = "; --overcommit starts them all the same" if least.estimated else ""
        count = f"{fits} labs of this shape fit" if fits != 1 else "1 lab of this shape fits"
        raise BadInput(
            f"{count}; the {ordinal(fits + 1)} lacks {least.name}: a lab takes {least.takes}, there are {least.has}",
            hint=f"{least.advice}{soft}",
        )


def ordinal(number: int) -> str:
    """ "19th", "21st"."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def count_free(first_port: int, published: int, most: int = 200) -> int:
    """How many labs find free ports, `most` at most."""
    found = 0
    for start in range(first_port, 65536 - published + 1, published):
        found += not any(ports.in_use(start + offset) for offset in range(published))
        if found == most:
            break
    return found


def _unknown(said: str) -> Machine:
    raise LabError(
        f"a container does not say what its machine has: {' '.join(said.split())[:120]}", hint="./lab doctor"
    )
