"""The kernel objects of an IPC namespace as metrics: what there is, its owner, and the limits.

A container of the namespace reads them at each scrape, so a removed object is absent from the next page, and an object
that outlived its processes stays on it. Reading attaches nothing and takes no message. Counts that belong to an
endpoint's own descriptors are in `ipclab.pair.consumer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from ipclab.kernel_exporter import limits as kernel_limits
from ipclab.kernel_exporter import posix as kernel_posix
from ipclab.kernel_exporter import sysv as kernel_sysv
from ipclab.kernel_exporter.owners import EchoOwners, Owners
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Definition, Sample


@dataclass(frozen=True, slots=True)
class KernelObjects:
    """All kernel objects at one moment."""

    segments: Sequence[kernel_sysv.Segment]
    sysv_queues: Sequence[kernel_sysv.Queue]
    semaphore_sets: Sequence[kernel_sysv.SemaphoreSet]
    shared_objects: Sequence[kernel_posix.SharedObject]
    posix_queues: Sequence[kernel_posix.Queue]
    semaphores: Sequence[kernel_posix.Semaphore]
    space: kernel_posix.Space
    limits: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Self:
        """Of the namespace that this process is in.

        :raises OSError: /proc or /dev/shm is not there
        """
        return cls(
            segments=kernel_sysv.segments(),
            sysv_queues=kernel_sysv.queues(),
            semaphore_sets=kernel_sysv.semaphore_sets(),
            shared_objects=kernel_posix.shared_objects(),
            posix_queues=kernel_posix.queues(),
            semaphores=kernel_posix.semaphores(),
            space=kernel_posix.space(),
            limits=kernel_limits.read(),
        )


Remembered = dict[int, tuple[str, str]]


def samples(objects: KernelObjects, pairs: Owners, matrix: EchoOwners, remembered: Remembered) -> Iterable[Sample]:
    """The metrics; what the kernel did not tell has none.

    `remembered` has the mechanism and the owner of each segment, by id. A segment that is removed has lost its key, so
    the page before says whose it is; the dictionary is changed for the next page.
    """
    remembered |= {segment.id: _whose(segment, pairs, matrix) for segment in objects.segments if not segment.is_removed}
    for gone in remembered.keys() - {segment.id for segment in objects.segments}:
        del remembered[gone]
    sysv_objects: list[kernel_sysv.SysvObject] = [*objects.segments, *objects.sysv_queues, *objects.semaphore_sets]
    posix_objects: list[kernel_posix.PosixObject] = [
        *objects.shared_objects,
        *objects.posix_queues,
        *objects.semaphores,
    ]
    for sysv in sysv_objects:
        mechanism, owner = _whose(sysv, pairs, matrix)
        key = kernel_sysv.hexadecimal(sysv.key)
        if isinstance(sysv, kernel_sysv.Segment) and sysv.is_removed:
            mechanism, owner = remembered.get(sysv.id, ("", ""))
            key = f"removed (id {sysv.id})"
        labels = (key, str(sysv.id), "", str(sysv.uid), owner)
        yield from _of_object(_facts_of_sysv(sysv), labels, mechanism)
    for posix in posix_objects:
        mechanism = pairs.of_name(posix.name)
        owner = mechanism or matrix.of_name(posix.name)
        yield from _of_object(_facts_of_posix(posix), ("", "", posix.name, str(posix.uid), owner), mechanism)
    yield Sample(metrics.KERNEL_DEV_SHM_USED, objects.space.used_bytes)
    yield Sample(metrics.KERNEL_DEV_SHM_LIMIT, objects.space.limit_bytes)
    for name, value in objects.limits.items():
        yield Sample(metrics.KERNEL_LIMIT, value, (name,))


def _whose(kernel_object: kernel_sysv.SysvObject, pairs: Owners, matrix: EchoOwners) -> tuple[str, str]:
    """The mechanism of the pair that owns it, and the owner's name, by its key."""
    mechanism = pairs.of_sysv(kernel_object)
    return mechanism, mechanism or matrix.of_sysv(kernel_object)


_Facts = dict[Definition, int | None]


def _of_object(facts: _Facts, labels: tuple[str, ...], mechanism: str) -> Iterable[Sample]:
    for definition, value in facts.items():
        if value is not None:
            yield Sample(definition, value, labels, mechanism)


def _facts_of_sysv(kernel_object: kernel_sysv.SysvObject) -> _Facts:
    match kernel_object:
        case kernel_sysv.Segment():
            return {
                metrics.KERNEL_SHM_SIZE: kernel_object.size_bytes,
                metrics.KERNEL_SHM_ATTACHMENTS: kernel_object.attachments,
            }
        case kernel_sysv.Queue():
            return {
                metrics.KERNEL_QUEUE_MESSAGES: kernel_object.messages,
                metrics.KERNEL_QUEUE_BYTES: kernel_object.bytes,
                metrics.KERNEL_QUEUE_LIMIT_BYTES: kernel_object.limit_bytes,
            }
        case kernel_sysv.SemaphoreSet():
            return {
                metrics.KERNEL_SEMAPHORES: kernel_object.semaphores,
                metrics.KERNEL_SEMAPHORE_VALUE: kernel_object.value,
            }


def _facts_of_posix(kernel_object: kernel_posix.PosixObject) -> _Facts:
    match kernel_object:
        case kernel_posix.SharedObject():
            return {metrics.KERNEL_SHM_SIZE: kernel_object.size_bytes}
        case kernel_posix.Queue():
            return {
                metrics.KERNEL_QUEUE_MESSAGES: kernel_object.messages,
                metrics.KERNEL_QUEUE_BYTES: kernel_object.bytes,
                metrics.KERNEL_QUEUE_LIMIT_MESSAGES: kernel_object.limit_messages,
            }
        case kernel_posix.Semaphore():
            return {metrics.KERNEL_SEMAPHORE_VALUE: kernel_object.value}
