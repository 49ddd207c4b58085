"""`./lab load`: another rate, size or burst for pairs that run, without restarting them."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from docker.models.containers import Container as DockerContainer

from ipclab.options import STATE
from ipclab.runtime.overrides import LOAD_FILE, Load
from labctl.commands import pair_table
from labctl.config.loads import LoadRequest
from labctl.grafana import annotation
from labctl.lab import containers, state_files
from labctl.lab.containers import Container, run_in
from labctl.lab.lab import Lab
from labctl.lab.prometheus import Prometheus
from labctl.measured.pairs import SETTLED_AFTER_S, measure, pairs_with_loads, present_loads
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_SHOWN_WITHIN_S = 15
_TAKEN_UP_WITHIN_S = 30


def change_load(lab: Lab, mechanisms: Sequence[str], request: LoadRequest) -> None:
    """Change the load of some pairs, or with none named of all that run, wait until it is measured, and print rows.

    :raises BadInput: a pair cannot have such a load; nothing was changed
    :raises LabError: a pair does not run, or does not take up the load
    """
    producers = _producers(lab, mechanisms)
    initial = {name: _initial_load(members[0]) for name, members in producers.items()}
    present = _present_loads(lab.prometheus, producers) if request.needs_present else {}
    loads = {name: request.of(name, initial[name], present.get(name)) for name in producers}
    what = ", ".join(mechanisms) or f"all {len(loads)} pairs"
    words = _usual(loads)
    words = f"{request.name}, {words}" if request.name else words
    with step(f"Changing the load of {what} to {words}") as current:
        changed_at = time.time()
        _write(producers, loads, restores=request.restores)
        current.detail(f"measuring for {SETTLED_AFTER_S} s")
        if not wait_until(lambda: not _late(lab.prometheus, loads), _TAKEN_UP_WITHIN_S):
            late = _late(lab.prometheus, loads) or sorted(loads)
            raise LabError(
                f"Prometheus does not show the new load of {', '.join(late)} within {_TAKEN_UP_WITHIN_S} s",
                hint=f"docker logs {producers[late[0]][0].id}",
            )
    text = f"load of {what}: {words}"
    annotation.note(lab.configuration, lab.containers(), "load", sorted(loads), text, changed_at)
    pair_table.show_pairs(measure(lab.prometheus, list(loads)))
    asked = {name: request.unlimited(initial[name], present.get(name)).size_bytes for name in loads}
    show_lines(_limited([name for name in loads if loads[name].size_bytes < asked[name]], loads))


def _producers(lab: Lab, mechanisms: Sequence[str]) -> dict[str, list[Container]]:
    if mechanisms:
        return {mechanism: lab.endpoints(mechanism, producers=True) for mechanism in mechanisms}
    found = lab.running()
    producers = {
        name: [c for c in containers.of_pair(found, name) if c.running and c.is_producer]
        for name in containers.mechanisms_of(found)
    }
    running = {name: members for name, members in producers.items() if members}
    if not running:
        raise LabError(f"no producer is running in {lab.project}", hint="./lab up starts the pairs")
    return running


def _present_loads(prometheus: Prometheus, mechanisms: Collection[str]) -> dict[str, Load]:
    """The loads that the pairs have now; on a busy machine a producer may answer none of the last scrapes."""
    present: dict[str, Load] = {}

    def missing() -> list[str]:
        present.update(present_loads(prometheus))
        return sorted(set(mechanisms) - present.keys())

    if not wait_until(lambda: not missing(), _SHOWN_WITHIN_S):
        raise LabError(
            f"Prometheus shows no load of {', '.join(missing())} within {_SHOWN_WITHIN_S} s",
            hint="./lab doctor looks for the cause; or give --rate, --size and --burst",
        )
    return present


def _initial_load(producer: Container) -> Load:
    """The load that the container was started with."""
    return Load(int(producer.environment["LAB_RATE"]), int(producer.environment["LAB_SIZE"]))


def _usual(loads: Mapping[str, Load]) -> str:
    """The load of most pairs, in words."""
    words = [load.in_words() for load in loads.values()]
    return max(sorted(set(words)), key=words.count)


def _late(prometheus: Prometheus, loads: Mapping[str, Load]) -> list[str]:
    """The pairs of which Prometheus shows another load than the new one, or shows it not yet for long enough."""
    return sorted(loads.keys() - pairs_with_loads(prometheus, loads))


def _limited(mechanisms: Sequence[str], loads: Mapping[str, Load]) -> list[str]:
    """One line for each size of the pairs that carry less than was asked for."""
    by_size: dict[int, list[str]] = {}
    for mechanism in mechanisms:
        by_size.setdefault(loads[mechanism].size_bytes, []).append(mechanism)
    return [
        f"Limit of {' and of '.join(names)}: messages of at most {size:,} bytes, which the pair sends."
        for size, names in sorted(by_size.items())
    ]


def _write(producers: Mapping[str, Sequence[Container]], loads: Mapping[str, Load], *, restores: bool) -> None:
    """Replace the files of the loads, or remove them, at all producers at once.

    :raises LabError: a container lets neither happen
    """
    mechanisms = {c.docker.id: name for name, members in producers.items() for c in members}

    def tell(producer: DockerContainer) -> None:
        if not restores:
            state_files.write(producer, str(STATE), LOAD_FILE, loads[mechanisms[producer.id]].text().encode())
            return
        ran = run_in(producer, ["rm", "-f", str(STATE / LOAD_FILE)])
        if ran.code:
            raise LabError(f"{producer.name} refused the load: {ran.said}", hint=f"docker logs {producer.name}")

    containers.together(tell, [c.docker for members in producers.values() for c in members])
