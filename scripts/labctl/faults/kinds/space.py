"""Space used up by others: the volume of a pair, or /dev/shm."""

from __future__ import annotations

from typing import Any

from ipclab.contract.channel import Kind, Persistence, Sharing, Traits
from labctl.faults import fault
from labctl.faults.fault import Fault, Scope, Target, shares_ipc
from labctl.faults.prediction import Prediction
from labctl.terminal.errors import BadInput

_DEV_SHM, _CHANNEL = "/dev/shm", "/channel"
_MOST_BYTES = 256 << 20  # a volume that has more room is the disk of this machine


class FullVolume(Fault):
    name = "volume-full"
    title = "volume full"
    does = "fills the volume of the pair to the last byte; the end gives the room back"
    source = "write(2), ENOSPC"
    touches = frozenset({"space"})
    every_s = 1.0  # a reader that has read all gives its room back

    def refusal(self, traits: Traits) -> str:
        if Sharing.VOLUME not in traits.requires:
            return "the pair shares no volume"
        if traits.persistence is Persistence.PROCESS:
            return "the volume has the name alone; the messages are in the kernel's memory"
        return ""

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        ring = traits.kind is Kind.SHARED_MEMORY
        return Prediction(
            halts=None,
            back_within_s=15.0,
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={
                "lost": "posix_fallocate(3): a ring has its room from the start"
                if ring
                else "ipclab.mechanisms.plain_file: what was not written whole is taken back, and sent again",
                "errnos": traits.fact("send_errnos").source,
            },
        )

    def before(self, at: Target) -> dict[str, Any]:
        mounts = at.producer.docker.attrs["Mounts"]
        name = next(mount["Name"] for mount in mounts if mount["Destination"] == _CHANNEL)
        options = at.lab.client.volumes.get(name).attrs.get("Options") or {}
        if "size=" not in options.get("o", ""):
            raise BadInput(
                f"volume-full {at.mechanism}: the volume {name} has no size of its own: it would fill the disk of "
                "this machine",
                hint=f"before ./lab up: docker volume create --driver local --opt type=tmpfs --opt device=tmpfs "
                f"--opt o=size=32m,uid=10001,gid=10001,mode=0770 {name}",
            )
        return {}

    def begin(self, at: Target) -> None:
        at.act("fill", text=_CHANNEL)

    def again(self, at: Target) -> None:
        at.act("refill", text=_CHANNEL)  # at the same moment, another process may end the fault

    def end(self, at: Target) -> None:
        if at.container is not None:
            at.act("clear", text=_CHANNEL)


class FullDevShm(Fault):
    name = "dev-shm-full"
    title = "/dev/shm full"
    does = "fills the /dev/shm of the namespace to the last byte; the end gives the room back"
    source = "tmpfs(5), write(2), ENOSPC"
    scope = Scope.LAB
    touches = frozenset({"dev_shm"})

    def refusal(self, traits: Traits) -> str:
        return "" if shares_ipc(traits) else "the pair does not see that /dev/shm"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=False,
            back_within_s=10.0,
            object_stays=fault.stays(traits),
            sources={
                "halts": "posix_fallocate(3): what is there has its room; System V segments and queues are not in it",
                "lost": "shm_overview(7)",
            },
        )

    def begin(self, at: Target) -> None:
        at.act("fill", text=_DEV_SHM)

    def end(self, at: Target) -> None:
        if at.container is not None and at.holder.running:
            at.act("clear", text=_DEV_SHM)


FAULTS = (FullVolume(), FullDevShm())
