"""Ask Prometheus: its HTTP API, through the port it publishes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

from labctl.config.json_document import INVALID, has_type
from labctl.engine.machine import in_container
from labctl.terminal.errors import Silent
from labctl.terminal.printing import one_line

T = TypeVar("T")
_ANSWER_WITHIN_S = 5
HOST_NETWORK = "./lab runs in a container here, and the lab's ports are the host's: docker run --network host"


class PrometheusSilent(Silent):
    """It does not answer, or not with what was asked."""


@dataclass(frozen=True)
class Sample:
    """One series now."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Line:
    """One series over time: seconds since 1970, and the values then."""

    labels: dict[str, str]
    times: list[float]
    values: list[float]


class Prometheus:
    """One server. Every method raises PrometheusSilent when it does not answer."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy is for the world, not for this machine

    def query(self, expression: str) -> list[Sample]:
        """The value of every series of an instant vector now."""
        return self._get("query", {"query": expression}, _samples)

    def query_samples(self, selector: str) -> list[Line]:
        """Every sample as it was scraped, of every series of a range vector, such as `up[5s]`."""
        return self._get("query", {"query": selector}, _lines)

    def query_range(self, expression: str, start: float, end: float, step_s: float) -> list[Line]:
        """The value of every series of an instant vector at `start` and every `step_s` until `end`."""
        parameters = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_s:g}"}
        return self._get("query_range", parameters, _lines)

    def version(self) -> str:
        """Its own."""
        return self._get("status/buildinfo", {}, lambda data: str(data["version"]))

    def now(self) -> float:
        """Its clock, seconds since 1970."""
        return self._get("query", {"query": "time()"}, lambda data: float(data["result"][0]))

    def answers(self) -> bool:
        """Whether it is ready to be asked."""
        try:
            self.now()
        except PrometheusSilent:
            return False
        return True

    def _get(self, what: str, parameters: dict[str, str], read: Callable[[Any], T]) -> T:
        try:
            response = self._session.get(f"{self.url}/api/v1/{what}", params=parameters, timeout=_ANSWER_WITHIN_S)
            answer = response.json()
        except requests.Timeout as error:
            raise self._silent(f"no answer within {_ANSWER_WITHIN_S} s") from error
        except requests.ConnectionError as error:
            raise self._silent("nothing listens there") from error
        except (requests.RequestException, ValueError) as error:
            raise self._silent(one_line(error)) from error
        except RecursionError as error:
            raise self._silent(_NOT_ITS_OWN) from error
        try:
            if answer["status"] != "success":
                raise self._silent(one_line(answer.get("error")))
            return read(answer["data"])
        except INVALID as error:  # another program listens there
            raise self._silent(_NOT_ITS_OWN) from error

    def _silent(self, reason: str) -> PrometheusSilent:
        return PrometheusSilent(
            f"Prometheus does not answer at {self.url}: {reason}",
            hint=f"./lab up starts it; ./lab status --containers shows its state{_elsewhere()}",
        )


_NOT_ITS_OWN = "what listens there does not answer as Prometheus does"


def _samples(data: Any) -> list[Sample]:
    return [Sample(_labels(series), float(series["value"][1])) for series in data["result"]]


def _lines(data: Any) -> list[Line]:
    return [
        Line(_labels(series), [float(p[0]) for p in series["values"]], [float(p[1]) for p in series["values"]])
        for series in data["result"]
    ]


def _labels(series: Any) -> dict[str, str]:
    labels: dict[str, str] = series["metric"]
    if not has_type(labels, Mapping[str, str]):
        raise TypeError("labels that are no text")
    return labels


def _elsewhere() -> str:
    return f"; {HOST_NETWORK}" if in_container() else ""
