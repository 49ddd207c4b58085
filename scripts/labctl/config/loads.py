"""The loads that have a name, and what `./lab load` asks for.

`idle` is the load that a pair was started with (LAB_RATE, LAB_SIZE): sleeping and waking is most of its cost. Under
`stream` messages are due in bursts, so that they share a wake-up. Under `bulk` a message is so large that copying and
checking its bytes is most of its cost. A mechanism with a smaller maximum carries messages of its maximum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ipclab.runtime import settings
from ipclab.runtime.overrides import Load
from labctl.config.traits import traits_of
from labctl.config.values import refuse
from labctl.terminal.errors import LabError

IDLE = "idle"
NAMED = {"stream": Load(2000, 1024, 50), "bulk": Load(200, 1 << 16, 8)}
NAMES = (IDLE, *NAMED)


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """The options of one `./lab load`: a named load or the present one is the base, and the options change it.

    `fits` says that a size over a mechanism's maximum becomes the maximum; else it was checked before.
    """

    name: str | None = None
    rate: int | None = None
    size_bytes: int | None = None
    burst: int | None = None
    reset: bool = False
    fits: bool = False

    @property
    def options(self) -> dict[str, int]:
        """The options that were given, by the field of the load."""
        given = {"rate": self.rate, "size_bytes": self.size_bytes, "burst": self.burst}
        return {field: value for field, value in given.items() if value is not None}

    @property
    def restores(self) -> bool:
        """Whether the pair gets exactly the load that it was started with."""
        return self.reset or (self.name == IDLE and not self.options)

    @property
    def needs_present(self) -> bool:
        """Whether the present load matters."""
        return not self.reset and self.name is None and len(self.options) < 3

    def unlimited(self, initial: Load, present: Load | None) -> Load:
        """The load that was asked for, whatever the mechanism carries; `initial` is that of the pair's start."""
        base = NAMED.get(self.name or "", initial) if self.reset or self.name else present or initial
        return replace(base, **self.options)

    def of(self, mechanism: str, initial: Load, present: Load | None) -> Load:
        """The load that the pair of a mechanism shall have.

        :raises BadInput: more messages are due together than in a second
        """
        wanted = self.unlimited(initial, present)
        if settings.check_burst(wanted.rate, wanted.burst):
            raise refuse(
                f"--burst {wanted.burst}",
                expected=f"at most {wanted.rate}, the messages/s of {mechanism}",
                hint="a burst is due at least once a second; --rate raises the rate",
            )
        return replace(wanted, size_bytes=min(wanted.size_bytes, limit_of(mechanism))) if self.fits else wanted


def limit_of(mechanism: str) -> int:
    """The largest message in bytes; what the lab allows at most where this machine cannot load the mechanism."""
    assert isinstance(settings.SIZE.max, int)
    try:
        return traits_of(mechanism).max_message_bytes
    except LabError:
        return settings.SIZE.max


def name_of(mechanism: str, load: Load) -> str:
    """The name of a load as this mechanism carries it; "" for one without a name."""
    for name, named in NAMED.items():
        if (load.rate, load.burst) == (named.rate, named.burst) and load.size_bytes == min(
            named.size_bytes, limit_of(mechanism)
        ):
            return name
    return ""
