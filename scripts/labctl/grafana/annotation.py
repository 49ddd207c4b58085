"""Annotations in Grafana's own store: each change by `./lab` has a mark on the graphs.

`./lab up` compares the containers before and after, and notes the pairs that it started, stopped or scaled.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from labctl.config.configuration import GRAFANA_URL, Configuration
from labctl.grafana import client
from labctl.lab.containers import Container
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say

TAG = "ipclab"  # on every one; the dashboards ask for it


def note(
    configuration: Configuration,
    found: Sequence[Container],
    what: str,
    mechanisms: Sequence[str],
    text: str,
    at_s: float | None = None,
) -> bool:
    """Annotate a change of these mechanisms, made at `at_s` (seconds since 1970; None is now).

    The tags are `ipclab`, the command that made it, and the mechanisms. Where a Grafana is there and cannot be
    written to, one line says so, and the answer is False; the change itself was made and stays. Where the lab has
    none, `./lab up` has said so, and nothing is said again.
    """
    try:
        grafana = client.find(configuration, found)
        if grafana is not None:
            grafana.annotate(text, [TAG, what, *mechanisms], time.time() if at_s is None else at_s)
    except client.GrafanaAbsent:
        return False
    except LabError as error:
        say(f"no annotation on the dashboards: {error}")
        return False
    return True


def annotate(configuration: Configuration, before: Sequence[Container], after: Sequence[Container]) -> None:
    """One annotation for all pairs that were started, and one for each that has other numbers of members.

    The first that cannot be written is the last that is tried: one line about it is enough.
    """
    lives = {(container.id, container.started_at) for container in before}
    fresh = [c for c in after if c.mechanism and c.running and (c.id, c.started_at) not in lives]
    scaled = scaled_pairs(before, after)
    for mechanism, text in scaled.items():
        if not note(configuration, after, "scale", [mechanism], text, _last_start(fresh, mechanism)):
            return
    started = sorted({c.mechanism for c in fresh if c.mechanism} - scaled.keys())
    if started:
        text = f"started: {', '.join(started)}"
        note(configuration, after, "up", started, text, max(c.started_at for c in fresh))


def annotate_stop(stopped: Sequence[str]) -> None:
    """An annotation for the pairs that `./lab down` stopped, in a Grafana elsewhere: the lab's own went with them."""
    if not stopped:
        return
    try:
        configuration = Configuration.load()
    except LabError as error:  # down works whatever is wrong with the settings
        say(f"no annotation on the dashboards: {error}")
        return
    if configuration.values[GRAFANA_URL]:
        note(configuration, [], "down", stopped, f"stopped: {', '.join(stopped)}")


def scaled_pairs(before: Iterable[Container], after: Iterable[Container]) -> dict[str, str]:
    """Mechanism to how many there are now, for pairs that were there with other numbers."""
    was, now = _members(before), _members(after)
    return {
        mechanism: f"scale of {mechanism}: consumers {members['consumer']}, producers {members['producer']}"
        for mechanism, members in sorted(now.items())
        if mechanism in was and was[mechanism] != members
    }


def _members(found: Iterable[Container]) -> dict[str, Counter[str]]:
    """Also those that are dead: a consumer that was killed and is back is a start, and no other number."""
    members: dict[str, Counter[str]] = {}
    for container in found:
        if container.mechanism:
            role = "producer" if container.is_producer else "consumer"
            members.setdefault(container.mechanism, Counter())[role] += 1
    return members


def _last_start(fresh: Iterable[Container], mechanism: str) -> float | None:
    """None where members only went: that was just now."""
    return max((c.started_at for c in fresh if c.mechanism == mechanism), default=None)
