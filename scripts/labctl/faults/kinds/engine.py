"""The engine restarted under the running lab: it starts the containers anew, members perhaps before their holder."""

from __future__ import annotations

from pathlib import Path

from ipclab.contract.channel import Traits
from labctl.engine import install
from labctl.engine.engine import DEFAULT_SOCKET, connect, engine_address
from labctl.engine.machine import this_machine
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Scope, Target
from labctl.faults.prediction import Loss, Prediction
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.progress import step
from labctl.terminal.subprocesses import run
from labctl.terminal.waiting import wait_until

_ENDS_WITHIN_S = 60
_PIDFILE = Path("/var/run/docker.pid")


class EngineRestart(Fault):
    name = "engine-restart"
    title = "engine restarted"
    does = "ends the Docker Engine of this machine and starts it again; asks for --yes, because others may use it"
    source = "docker run --restart, docs/decisions/0029-one-ipc-namespace.md"
    scope = Scope.LAB
    touches = frozenset({"consumer", "producer", "holder", "network", "object", "load", "cpu", "lock", "space"})
    by_chance = False

    def may_begin(self, *, yes: bool) -> None:
        if engine_address() != DEFAULT_SOCKET or this_machine().system != "Linux":
            raise BadInput(f"{self.name}: the engine is not of this machine", hint="restart it where it runs")
        if not yes:
            raise BadInput(
                f"{self.name}: every container of this machine ends with the engine, also of others",
                hint=f"./lab fault start {self.name} --yes",
            )

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=True,
            back_within_s=60.0,
            lost=Loss.MAY,
            reasons=prediction.ANY_REASON,
            errnos=frozenset(traits.send_errnos),
            object_stays=None,
            sources={"lost": traits.fact("persistence").source, "back_within_s": "docker run --restart"},
        )

    def begin(self, at: Target) -> None:
        del at
        machine = this_machine()
        if machine.has_systemd:
            with step("Restarting the Docker Engine") as current:
                command = machine.as_root(["systemctl", "restart", "docker"])
                run(command, step=current, hint="journalctl -u docker -n 50")
            return
        try:
            pid = int(_PIDFILE.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise LabError(f"{_PIDFILE} names no engine", hint="restart it by hand") from error
        with step("Ending the Docker Engine") as current:
            run(machine.as_root(["kill", "-TERM", str(pid)]), step=current, hint="docker info")
        if not wait_until(lambda: not Path(f"/proc/{pid}").exists(), _ENDS_WITHIN_S):
            raise LabError(f"the engine (process {pid}) did not end within {_ENDS_WITHIN_S} s", hint="docker info")
        install.start(machine, connect)

    def end(self, at: Target) -> None:
        for container in at.lab.containers():
            if container.state == "exited" and not container.is_one_off:
                fault.start_again(container)


FAULTS = (EngineRestart(),)
