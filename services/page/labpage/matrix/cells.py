"""The cells, from the same series as `./lab matrix --json`, with the same prediction and the same rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from ipclab import mechanisms
from ipclab.linux.namespaces import KINDS
from ipclab.matrix import errno_rules
from ipclab.matrix.placement import SHARED, AnyPlacement, Placement, PodPlacement, reachable
from labpage.prometheus import Prometheus, Sample

_FRESH_S = 5
_EVERY_S = 2.0
_ROLES = ("responder", "probe")


@dataclass(frozen=True, slots=True)
class Cell:
    """One mechanism from one placement. `success` is None where nothing was measured in the last seconds."""

    mechanism: str
    placement: AnyPlacement
    success: bool | None
    error: str
    call: str
    round_trip_s: float | None
    range_s: tuple[float, float] | None
    tries: int

    @property
    def as_predicted(self) -> bool:
        """Whether it is what the traits say."""
        return self.success is reachable(mechanisms.load(self.mechanism).traits, self.placement)

    def evidence(self, namespaces: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """Everything that is known of it, for the browser."""
        traits = mechanisms.load(self.mechanism).traits
        reason = errno_rules.reason(traits, self.error) if self.error else None
        sides = {side: namespaces.get(at, {}) for side, at in zip(_ROLES, (_RESPONDER, self.placement), strict=True)}
        return {
            "mechanism": self.mechanism,
            "placement": str(self.placement),
            "success": self.success,
            "error": self.error,
            "call": self.call,
            "round_trip_s": self.round_trip_s,
            "range_s": self.range_s,
            "tries": self.tries,
            "as_predicted": self.as_predicted,
            "reason": reason.sentence if reason else "",
            "source": reason.source if reason else "",
            "needs": sorted(traits.requires),
            "shares": sorted(SHARED[self.placement]),
            "man_page": traits.man_page,
            "namespaces": [[kind, sides["responder"].get(kind, ""), sides["probe"].get(kind, "")] for kind in KINDS],
            "elsewhere": self.placement in (Placement.SECOND_HOST, PodPlacement.OTHER_NODE),
            "explained": isinstance(self.placement, Placement),  # by `./lab matrix --explain`, which knows no pods
        }


_RESPONDER = Placement.SAME_CONTAINER
_SERIES = {
    "success": "probe_success",
    "round_trip": "probe_round_trip_seconds",
    "tries": "probe_round_trip_tries",
    "lowest": "probe_round_trip_bound_seconds{bound='lowest'}",
    "highest": "probe_round_trip_bound_seconds{bound='highest'}",
}


async def read(prometheus: Prometheus) -> dict[str, Any]:
    """Every cell with its evidence, and the placements in the order in which less is shared.

    :raises PrometheusSilent: it does not answer
    """
    values = {name: _by_cell(await _fresh(prometheus, series)) for name, series in _SERIES.items()}
    errors = {_cell(sample): sample.labels for sample in await _fresh(prometheus, "probe_error_info")}
    namespaces = await _namespaces(prometheus)
    placements = placements_of({place for _, place in values["success"]})
    cells = [_make(name, place, values, errors) for name in mechanisms.names() for place in placements]
    return {
        "placements": [str(place) for place in placements],
        "shares": {str(place): sorted(SHARED[place]) for place in placements},
        "cells": [cell.evidence(namespaces) for cell in cells],
    }


def placements_of(measured: Set[str]) -> list[AnyPlacement]:
    """Those of pods where probes in pods measure; else those of containers, the second host only where one measures."""
    if not measured.isdisjoint(PodPlacement):
        return [_RESPONDER, *PodPlacement]
    return [place for place in Placement if place is not Placement.SECOND_HOST or place in measured]


async def _fresh(prometheus: Prometheus, series: str) -> Sequence[Sample]:
    """Of targets that answer: see `labctl.measured.pairs.fresh`."""
    return await prometheus.query(f"({series} and last_over_time({series}[{_FRESH_S}s]))", _EVERY_S)


async def _namespaces(prometheus: Prometheus) -> dict[str, dict[str, str]]:
    """The inodes of each probe's container, by its placement; the responder probes itself."""
    expression = "max by (instance, placement) (probe_success) * on (instance) group_left (ipc, mnt, net, pid) "
    samples = await prometheus.query(
        f"{expression} max by (instance, ipc, mnt, net, pid) (ipc_namespace_info)", _EVERY_S
    )
    return {sample.labels["placement"]: {kind: sample.labels[kind] for kind in KINDS} for sample in samples}


def _make(
    name: str,
    place: AnyPlacement,
    values: Mapping[str, Mapping[tuple[str, str], float]],
    errors: Mapping[tuple[str, str], Mapping[str, str]],
) -> Cell:
    key = (name, str(place))
    found = {what: of.get(key) for what, of in values.items()}
    success = None if found["success"] is None else bool(found["success"])
    failure = errors.get(key, {}) if success is False else {}
    low, high = found["lowest"], found["highest"]
    bounds = None if low is None or high is None else (low, high)
    tries = int(found["tries"] or 0)
    error, call = failure.get("error", ""), failure.get("call", "")
    return Cell(name, place, success, error, call, found["round_trip"], bounds, tries)


def _by_cell(samples: Sequence[Sample]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for sample in samples:
        found[_cell(sample)] = max(sample.value, found.get(_cell(sample), sample.value))
    return found


def _cell(sample: Sample) -> tuple[str, str]:
    return sample.labels["mechanism"], sample.labels["placement"]
