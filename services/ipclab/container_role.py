"""The common part of the containers' roles: address, signals, status, race, reset and metrics page."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ipclab import mechanisms
from ipclab.contract.channel import Address, Mechanism, Switch, Tuning, Wait
from ipclab.contract.optional_parts import shares_words
from ipclab.metrics.definitions import Role, Sample
from ipclab.metrics.exposition import Page
from ipclab.metrics.page_server import PageServer
from ipclab.pair.race import Side
from ipclab.pair.racer import Racer, Rounds
from ipclab.runtime.container_facts import ContainerFacts
from ipclab.runtime.fixed_cost import FixedCost
from ipclab.runtime.lifecycle import EXIT_SPLIT, EndpointStatus, Stop, wake_on_time, watch_holder
from ipclab.runtime.overrides import lock_override
from ipclab.runtime.reset import Reset

_UNTUNED = Tuning()


class ContainerRole:
    """One role of one container."""

    def __init__(
        self,
        mechanism: str,
        role: Role,
        options: dict[str, Any],
        tuning: Tuning = _UNTUNED,
        loaded: Mechanism | None = None,
        forgotten: Sequence[Path] = (),
    ) -> None:
        self._mechanism = mechanism
        self._role = role
        self._metrics_port: int = options["metrics_port"]
        self._holder: str | None = options["holder"]
        self.address = Address(options["key"], options["path"], options["host"], options["port"])
        # How the lock of the race stands is the racer's to show.
        shown: dict[Switch, bool] = {switch: on for switch, on in tuning.switches.items() if switch != Switch.RACE_LOCK}
        self.stop = Stop()
        self._reset = Reset([options["state"], *forgotten], self.stop) if loaded else None
        check_reset = self._reset.check if self._reset else lambda: None
        self.status = EndpointStatus(options["alive"], tuning.wait or Wait.BLOCK, shown, check_reset)
        self._racer: Racer | None = None
        if loaded and shares_words(loaded):
            wanted = lock_override(options["state"] / "race-lock", default=tuning.switches[Switch.RACE_LOCK]).current
            names = mechanisms.names()
            rounds = Rounds.of(names.index(mechanism), len(names))
            self._racer = Racer(loaded, self.address, Side[role.name], wanted, rounds)

    def run(
        self,
        loop: Callable[[], None],
        samples: Callable[[], Iterable[Sample]],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """Serve the metrics and run the loop in this, the main thread; `prepare` before there is another thread."""
        name = f"{self._mechanism} {self._role}".strip()
        logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {name}: %(message)s", stream=sys.stderr)
        self.stop.on_signals()
        wake_on_time()
        prepare()
        racer = self._racer

        def all_samples() -> Iterable[Sample]:
            return chain(samples(), racer.samples() if racer else (), cost.samples(), facts.samples())

        page = Page(self._mechanism, self._role, all_samples)
        facts = ContainerFacts()
        server = PageServer(self._metrics_port, page.text)
        has_messages = self._role in (Role.PRODUCER, Role.CONSUMER)
        cost = FixedCost(lambda: server.cpu_ns, has_messages=has_messages)
        server.start()
        if self._holder:
            watch_holder(self._holder, lambda reason: self.stop.request(reason, EXIT_SPLIT))
        if racer:
            racer.start()
        loop()
        if self._reset and self.stop.begin_anew:
            self._reset.carry_out()
        sys.exit(self.stop.exit_code)
