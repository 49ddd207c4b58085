"""The holder of a lock killed: the kernel frees a lock of flock(2) and a semaphore with SEM_UNDO, and no other."""

from __future__ import annotations

from ipclab.contract.channel import Sharing, Switch, Traits
from labctl.faults import fault
from labctl.faults.fault import Fault, Target
from labctl.faults.prediction import Prediction
from labctl.lab.containers import run_in
from labctl.terminal.errors import LabError

_KILLED = 137


def _has_lock(traits: Traits) -> bool:
    return Switch.RACE_LOCK in traits.switches


def _unharmed(traits: Traits, source: str) -> Prediction:
    """Messages need no lock of the shared words."""
    return Prediction(
        halts=False,
        back_within_s=10.0,
        object_stays=fault.stays(traits),
        sources={"halts": "ipclab.pair.race: the shared words are beside the messages", "lost": source},
    )


class LockHolder(Fault):
    name = "kill-lock-holder"
    title = "lock holder killed, the kernel frees the lock"
    does = "takes the lock of the shared words and dies with it (SIGKILL): SEM_UNDO or flock(2)"
    source = "semop(2), SEM_UNDO; flock(2)"
    touches = frozenset({"lock"})
    _keeps = ""

    def refusal(self, traits: Traits) -> str:
        return "" if _has_lock(traits) else "the two sides share no words, so there is no lock"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return _unharmed(traits, self.source)

    def begin(self, at: Target) -> None:
        assert at.container is not None
        command = ["python", "-m", "ipclab", "fault-act", "die-locked", at.mechanism, f"--text={self._keeps}"]
        ran = run_in(at.container, [*command, *at.address])
        if ran.code != _KILLED:
            raise LabError(f"nobody died with the lock of {at.mechanism}: {ran.said}", hint="./lab lock shows it")

    def end(self, at: Target) -> None:
        """Nothing: the kernel has freed it."""


class StuckLock(LockHolder):
    name = "kill-lock-holder-no-undo"
    title = "lock holder killed, the lock stays taken"
    does = "takes the semaphore of the shared words without SEM_UNDO and dies with it; the end sets it free"
    source = "semop(2): without SEM_UNDO the value stays"
    _keeps = "keep"

    def refusal(self, traits: Traits) -> str:
        if not _has_lock(traits):
            return super().refusal(traits)
        if Sharing.IPC_NAMESPACE in traits.requires:
            return ""
        return "the lock is flock(2), which the kernel always frees (kill-lock-holder shows it)"

    def end(self, at: Target) -> None:
        if at.container is not None and at.consumer.running and at.holder.running:
            at.act("free-lock")


FAULTS = (LockHolder(), StuckLock())
