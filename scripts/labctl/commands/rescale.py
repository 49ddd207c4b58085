"""The removal of surplus containers before Compose starts other numbers of them; the accounts stay complete.

Compose would take surplus containers away by itself, several at once (docs/decisions/0011-serial-start-and-stop.md),
with their ledgers and without a word to those that stay. So they go here, one after the other: the producers first, and
one that stays counts for them; the consumers' notes are on a volume that stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ipclab.accounting import removed_producers
from ipclab.accounting.ledger import producer_in
from labctl.config import compose_file
from labctl.config.compose_file import Scale
from labctl.lab import state_files
from labctl.lab.containers import Container, stop_and_remove
from labctl.lab.lab import Lab
from labctl.measured import accounts
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_GRACE_S = 3  # compose.yaml's stop_grace_period
_EMPTY_WITHIN_S = 5


def prepare(
    lab: Lab,
    mechanisms: Sequence[str],
    scale: Scale,
    classes: Mapping[str, int],
) -> None:
    """Take surplus containers away, and stop a channel whose consumers go from one to many or back.

    :param classes: types or priorities of a mechanism's messages, where it has any; with other ones a channel has to
        run empty too, because what is left in it is in an order that the next consumer does not expect
    """
    found = lab.containers()
    for mechanism in mechanisms:
        consumers, producers = (_side(found, mechanism, role) for role in compose_file.ROLES)
        keep = {role: scale.get(compose_file.service_of(mechanism, role), 1) for role in compose_file.ROLES}
        shared = accounts.is_shared(found, mechanism)
        switches = bool(consumers) and (
            shared != (keep["consumer"] > 1) or _classes(consumers[0]) != classes.get(mechanism, 1)
        )
        surplus = len(consumers) > keep["consumer"] or len(producers) > keep["producer"]
        if not switches and not surplus:
            continue
        with step(f"Changing how many take part in {mechanism}"):
            for producer in producers if switches else producers[keep["producer"] :]:
                producer.docker.stop(timeout=_GRACE_S)
            _hand_over(producers[: keep["producer"]], producers[keep["producer"] :])
            if switches and (shared or _classes(consumers[0]) > 1):
                wait_until(lambda: _is_empty(lab, mechanism), _EMPTY_WITHIN_S)  # noqa: B023
            for consumer in consumers if switches else consumers[keep["consumer"] :]:
                consumer.docker.stop(timeout=_GRACE_S)
            for consumer in consumers[keep["consumer"] :]:
                stop_and_remove(consumer.docker)


def _side(found: Sequence[Container], mechanism: str, role: str) -> list[Container]:
    service = compose_file.service_of(mechanism, role)
    return [container for container in found if container.service == service]


def _classes(container: Container) -> int:
    """How many types or priorities it was started with."""
    return int(container.environment.get("LAB_CLASSES") or 1)


def _hand_over(staying: Sequence[Container], going: Sequence[Container]) -> None:
    """The first that stays counts from now on for those that go; only then they are removed."""
    if not going:
        return
    known = state_files.read(staying[0].docker, "/state").get(removed_producers.FILE)
    counts = removed_producers.parse(known) if known else {}
    for container in going:
        files = state_files.read(container.docker, "/state")
        if removed_producers.FILE in files:
            counts |= removed_producers.parse(files[removed_producers.FILE])
        if "producer.ledger" in files:
            identity, taken, skipped = producer_in(files["producer.ledger"])
            counts[identity] = (taken, skipped)
    content = json.dumps({str(identity): list(count) for identity, count in counts.items()})
    state_files.write(staying[0].docker, "/state", removed_producers.FILE, content.encode())
    for container in going:
        stop_and_remove(container.docker)


def _is_empty(lab: Lab, mechanism: str) -> bool:
    """Nothing is on the way any more; what was lost at the very end counts as if it were, until it is given up."""
    channel = accounts.read(lab.containers(), mechanism)
    return not channel.total("on_the_way")
