"""The options of `./lab speedup`: what is wrong is refused in one line, before anything is started."""

from __future__ import annotations

import click

from ipclab import mechanisms
from ipclab.speedup import job
from labctl.config.values import known_name, shown, whole_number


class AnyMechanism(click.ParamType[str]):
    """A mechanism, whether it has a pair in compose.yaml or not."""

    name = "mechanism"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: no mechanism is called so
        """
        del param, ctx
        return known_name(f"--mechanism {shown(value)}", value, mechanisms.names())


class WorkerCounts(click.ParamType[tuple[int, ...]]):
    """Numbers of workers, with commas between them."""

    name = "numbers"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers, from the smallest, each once.

        :raises BadInput: one is none, or outside of the limits
        """
        del param, ctx
        if isinstance(value, tuple):
            return value
        hint = "numbers of workers with commas between them, such as 1,2"
        what = f"--workers {shown(value)}"
        return tuple(sorted({whole_number(what, text, job.WORKERS, hint) for text in value.split(",")}))


class Within(click.ParamType[int]):
    """A whole number within limits."""

    name = "number"

    def __init__(self, allowed: click.IntRange, hint: str) -> None:
        self._allowed = allowed
        self._hint = hint

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        :raises BadInput: it is none, or outside of the limits
        """
        del ctx
        assert param is not None
        text = str(value)
        return whole_number(f"{param.opts[0]} {shown(text)}", text, self._allowed, self._hint)


JOB = Within(job.JOB, "the job is to count the primes below this number")
CHUNKS = Within(job.CHUNKS, "tasks that the job is split into")
ROUNDS = Within(job.ROUNDS, "how often to compare; the medians are shown")
