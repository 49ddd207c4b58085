"""What the probes found, cell by cell, and whether that is what the mechanisms' traits predict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ipclab import mechanisms
from ipclab.matrix import errno_rules
from ipclab.matrix.errno_rules import Reason
from ipclab.matrix.placement import AnyPlacement, Placement, reachable
from labctl.lab.prometheus import Prometheus
from labctl.measured.pairs import fresh


@dataclass(frozen=True, slots=True)
class Cell:
    """One mechanism from one placement. `success` is None where nothing was measured in the last seconds."""

    mechanism: str
    placement: AnyPlacement
    success: bool | None
    round_trip_s: float | None
    duration_s: float | None
    error: str  # errno by name, or plain words where no system call failed; "" for success
    round_trip_range_s: tuple[float, float] | None = None  # of the last tries
    tries: int = 0  # that the round trip and its range are of

    @property
    def predicted(self) -> bool:
        """Whether `Traits.requires` says that it can be reached from there."""
        return reachable(mechanisms.load(self.mechanism).traits, self.placement)

    @property
    def as_predicted(self) -> bool:
        """Whether it was measured, and is what was predicted."""
        return self.success is self.predicted

    @property
    def reason(self) -> Reason | None:
        """The rule behind the error, if there is one."""
        return errno_rules.reason(mechanisms.load(self.mechanism).traits, self.error) if self.error else None


def read(prometheus: Prometheus, placements: Sequence[Placement]) -> list[Cell]:
    """Every mechanism from every one of `placements`.

    :raises PrometheusSilent: it does not answer
    """
    success, round_trip, duration, tries, lowest, highest = (
        _by_cell(prometheus, f"max by (mechanism, placement) {fresh(metric)}")
        for metric in (
            "probe_success",
            "probe_round_trip_seconds",
            "probe_duration_seconds",
            "probe_round_trip_tries",
            "probe_round_trip_bound_seconds{bound='lowest'}",
            "probe_round_trip_bound_seconds{bound='highest'}",
        )
    )
    errors = {
        (sample.labels["mechanism"], sample.labels["placement"]): sample.labels["error"]
        for sample in prometheus.query(fresh("probe_error_info"))
    }
    cells = []
    for mechanism in mechanisms.names():
        for place in placements:
            key = (mechanism, str(place))
            reached = bool(success[key]) if key in success else None
            error = errors.get(key, "") if reached is False else ""
            bounds = (lowest[key], highest[key]) if key in lowest and key in highest else None
            times = (round_trip.get(key), duration.get(key))
            cells.append(Cell(mechanism, place, reached, *times, error, bounds, int(tries.get(key, 0))))
    return cells


PageSample = tuple[str, Mapping[str, str], float]  # series, labels, value


def of_pages(samples: Iterable[PageSample], placements: Iterable[AnyPlacement]) -> list[Cell]:
    """The same from the pages of the probes themselves, where no Prometheus asks them."""
    found = {
        (name, labels["mechanism"], labels["placement"]): (value, labels)
        for name, labels, value in samples
        if name.startswith("probe_")
    }
    places = list(placements)
    return [_of_page(found, mechanism, place) for mechanism in mechanisms.names() for place in places]


def _of_page(
    found: Mapping[tuple[str, str, str], tuple[float, Mapping[str, str]]], mechanism: str, place: AnyPlacement
) -> Cell:
    def value(name: str) -> float | None:
        sample = found.get((name, mechanism, str(place)))
        return sample[0] if sample else None

    success = value("probe_success")
    error = found.get(("probe_error_info", mechanism, str(place)), (0.0, {"error": ""}))[1]["error"]
    return Cell(
        mechanism,
        place,
        None if success is None else bool(success),
        value("probe_round_trip_seconds"),
        value("probe_duration_seconds"),
        error if success == 0 else "",
    )


def _by_cell(prometheus: Prometheus, expression: str) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["mechanism"], sample.labels["placement"]): sample.value
        for sample in prometheus.query(expression)
    }
