"""The holder of the IPC namespace killed: its members stay in a namespace that no later member can enter."""

from __future__ import annotations

from ipclab.contract.channel import Traits
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Scope, Target
from labctl.faults.prediction import Loss, Prediction
from labctl.lab.containers import Container
from labctl.terminal.waiting import wait_until

_WATCHES = "LAB_HOLDER"  # a member with this setting ends when its holder is in another namespace, and is started anew
_FOLLOW_WITHIN_S = 30.0  # on a busy machine; they look every 2 s
_GRACE_S = 3
_RESTS = ("paused", "exited", "created")  # of somebody else's doing


class KillHolder(Fault):
    name = "kill-holder"
    title = "holder of the namespace killed"
    does = "kills the holder; its members go on in the old namespace, and follow to the new one at the end"
    source = "ipc_namespaces(7), docs/decisions/0029-one-ipc-namespace.md"
    scope = Scope.LAB
    touches = frozenset({"consumer", "producer", "holder"})

    def refusal(self, traits: Traits) -> str:
        return "" if fault.shares_ipc(traits) else "the pair shares nothing with the holder"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=False,
            back_within_s=45.0,
            # The new namespace is empty: what was on the way stays behind.
            lost=Loss.MAY,
            reasons=prediction.ANY_REASON,
            errnos=frozenset(traits.send_errnos),
            object_stays=None,
            sources={
                "halts": "namespaces(7): a namespace lives as long as a process is in it",
                "lost": "ipc_namespaces(7): the objects go with the namespace",
                "back_within_s": "ipclab.runtime.lifecycle.watch_holder, every 2 s, and the restart policy",
            },
        )

    def begin(self, at: Target) -> None:
        if at.holder.running:
            at.holder.docker.kill()

    def end(self, at: Target) -> None:
        fault.start_again(at.holder)
        since = at.holder.started_at
        late: list[Container] = []

        def all_follow() -> bool:
            members = [c for c in at.lab.containers() if c.joins_ipc_of and c.environment.get(_WATCHES)]
            for member in members:
                # One that ended meanwhile could not be started without its holder.
                if member.state == "exited" and member.exit_code:
                    fault.start_again(member)
            late[:] = [c for c in members if c.state not in _RESTS and not (c.running and c.started_at >= since)]
            return not late

        # Until then a member is in the old namespace, and messages that wait there are lost when it leaves.
        if not wait_until(all_follow, _FOLLOW_WITHIN_S, every_s=1.0):
            for member in late:
                member.docker.restart(timeout=_GRACE_S)


FAULTS = (KillHolder(),)
