"""Prometheus' HTTP API, asked once for all browsers.

An answer is kept for the interval that the caller names, and callers that ask the same within it share it: twenty
browsers cost about what one does. Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_ANSWER_WITHIN_S = 4.0
_MOST_KEPT = 500  # answers; a browser chooses time ranges and variables, and each choice is an answer of its own
_KEPT_FOR_S = 60.0
_NOT_ITS_OWN = "its answer is not Prometheus'"
# What reading JSON of another form raises.
_OTHER = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


class PrometheusSilent(Exception):
    """It does not answer, or refuses the question. The text says which, in one line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant vector."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    """One series over time: seconds since 1970, and the values then."""

    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


@dataclass(slots=True)
class _Kept:
    asked_at: float
    answer: asyncio.Task[list[dict[str, Any]]]


class Prometheus:
    """One server. Every method raises PrometheusSilent when it does not answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=_ANSWER_WITHIN_S, trust_env=False)
        self._kept: dict[tuple[str, ...], _Kept] = {}

    async def query(self, expression: str, every_s: float = 1.0) -> list[Sample]:
        """The value of every series of an instant vector, at most `every_s` old.

        :raises PrometheusSilent: it does not answer, or finds the expression invalid
        """
        found = await self._shared(("query", expression), {"query": expression}, every_s)
        try:
            return [Sample(_labels(series), float(series["value"][1])) for series in found]
        except _OTHER as error:
            raise PrometheusSilent(_NOT_ITS_OWN) from error

    async def query_range(self, expression: str, span_s: float, step_s: float, every_s: float = 1.0) -> list[Line]:
        """The value of every series over the last `span_s`, at multiples of `step_s`, at most `every_s` old.

        :raises PrometheusSilent: as `query`
        """
        end = time.time() // step_s * step_s
        times = {"start": f"{end - span_s:.3f}", "end": f"{end:.3f}", "step": f"{step_s:g}"}
        key = ("query_range", expression, f"{span_s:g}", f"{step_s:g}")
        found = await self._shared(key, {"query": expression, **times}, every_s)
        try:
            return [
                Line(_labels(series), [float(p[0]) for p in series["values"]], [float(p[1]) for p in series["values"]])
                for series in found
            ]
        except _OTHER as error:
            raise PrometheusSilent(_NOT_ITS_OWN) from error

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.aclose()

    async def _shared(self, key: tuple[str, ...], parameters: dict[str, str], every_s: float) -> list[dict[str, Any]]:
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept is None or now - kept.asked_at >= every_s:
            if len(self._kept) >= _MOST_KEPT:
                self._forget(now)
            kept = self._kept[key] = _Kept(now, asyncio.create_task(self._ask(key[0], parameters)))
        # A browser that leaves while it waits must not take the answer from the others.
        return await asyncio.shield(kept.answer)

    def _forget(self, now: float) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if now - kept.asked_at < _KEPT_FOR_S}
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()

    async def _ask(self, what: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        try:
            answer = (await self._client.get(f"/api/v1/{what}", params=parameters)).json()
        except httpx.TimeoutException as error:
            raise PrometheusSilent(f"no answer within {_ANSWER_WITHIN_S:g} s") from error
        except httpx.TransportError as error:
            raise PrometheusSilent("nothing answers at its address") from error
        except ValueError as error:
            raise PrometheusSilent("its answer is no JSON") from error
        except RecursionError as error:
            raise PrometheusSilent(_NOT_ITS_OWN) from error
        try:
            if answer["status"] != "success":
                raise PrometheusSilent(str(answer.get("error") or "no reason given").splitlines()[0])
            result: list[dict[str, Any]] = answer["data"]["result"]
        except _OTHER as error:
            raise PrometheusSilent(_NOT_ITS_OWN) from error
        return result


def _labels(series: Mapping[str, Any]) -> Mapping[str, str]:
    labels: dict[str, str] = series["metric"]
    if not all(isinstance(value, str) for value in labels.values()):
        raise TypeError("labels that are no text")
    return labels
