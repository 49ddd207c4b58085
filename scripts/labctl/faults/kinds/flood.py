"""A producer that floods: many more messages are due than the pair usually has."""

from __future__ import annotations

from typing import Any

from ipclab.contract.channel import Traits
from ipclab.options import STATE
from ipclab.runtime.overrides import LOAD_FILE, Load
from labctl.config import compose_file
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Strength, Target
from labctl.faults.prediction import Loss, Prediction
from labctl.lab import state_files
from labctl.lab.containers import run_in
from labctl.terminal.errors import LabError

_SIZE_BYTES = 16384


class Flood(Fault):
    name = "flood"
    title = "producer floods"
    does = "makes so many messages of 16 KiB due per second (or of the mechanism's maximum)"
    source = "./lab load"
    strength = Strength(5000, 500, 20000, "messages/s")
    touches = frozenset({"load"})
    keeps = (("load", str | None),)

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        dropping = fault.drops(traits)
        return Prediction(
            halts=False,
            back_within_s=15.0,
            lost=Loss.MAY if dropping else Loss.NONE,
            reasons=frozenset({prediction.CHANNEL}) if dropping else frozenset(),
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={"lost": traits.fact("on_full").source, "errnos": traits.fact("send_errnos").source},
        )

    def before(self, at: Target) -> dict[str, Any]:
        files = state_files.read(at.producer.docker, str(STATE))
        return {"load": files[LOAD_FILE].decode()} if LOAD_FILE in files else {}

    def begin(self, at: Target) -> None:
        size = min(_SIZE_BYTES, compose_file.max_message_bytes(at.mechanism))
        state_files.write(at.producer.docker, str(STATE), LOAD_FILE, Load(at.strength, size).text().encode())

    def end(self, at: Target) -> None:
        producer = at.producer
        if load := at.before.get("load"):
            state_files.write(producer.docker, str(STATE), LOAD_FILE, load.encode())
            return
        if not producer.running:
            raise LabError(f"{producer.label} is {producer.state}: its load stays", hint="./lab up, then stop again")
        run_in(producer.docker, ["rm", "-f", str(STATE / LOAD_FILE)])


FAULTS = (Flood(),)
