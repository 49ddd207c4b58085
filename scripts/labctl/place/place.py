"""`./lab place`: the consumer of a pair moves to another placement, and back; and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from ipclab.matrix.placement import Placement
from labctl.hosts import published_responder
from labctl.lab.lab import Lab
from labctl.measured.pairs import measure
from labctl.place import findings, moved_consumers
from labctl.place.moved_consumers import Placed
from labctl.place.relocation import Relocation
from labctl.terminal.errors import BadInput
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import say, step
from labctl.terminal.waiting import wait_until

_FELT_WITHIN_S = 30


def place(lab: Lab, mechanism: str, placement: Placement) -> None:
    """Move the consumer of a pair to `placement`, and show what came of it.

    :raises BadInput: the pair is scaled, or there is no second host; nothing was changed
    :raises LabError: the lab does not run, or messages that should arrive do not
    """
    moves = Relocation(lab)
    original = moves.consumer(mechanism)
    if placement is Placement.SECOND_HOST and moves.second_host is None:
        raise published_responder.refusal(
            lab.project,
            f"place {mechanism} {placement}",
            hint="two machines have two clocks, and latency needs one; ./lab hosts down, ./lab hosts up, then again",
        ) or BadInput("there is no second host", hint="./lab hosts up starts one")
    now = moves.placed_of(mechanism)
    left: set[str] = set()
    if now is None or now.placement != placement:
        left = findings.consumers_of(lab.prometheus, mechanism)
        with step(f"Moving the consumer of {mechanism} to {placement}"):
            moves.move(original, now, placement)
    else:
        moves.plug(original, placement)  # its host may have been made anew since
    _show(lab, moves, mechanism, placement, left)


def put_back(lab: Lab, mechanism: str) -> None:
    """Move the consumer of a pair back to where compose.yaml has it.

    :raises BadInput: it was not moved
    :raises LabError: the lab does not run, or the pair moves nothing afterwards
    """
    moves = Relocation(lab)
    now = moves.placed_of(mechanism)
    if now is None:
        raise BadInput(
            f"the consumer of {mechanism} has not been moved",
            hint="./lab place --help says where it can be moved to",
        )
    with step(f"Moving the consumer of {mechanism} back"):
        moves.put_back(now)
    moves.wait_for_traffic(mechanism)
    show_lines([f"moved the consumer of {mechanism} back from {now.placement}, with its ledger"])


def put_all_back(lab: Lab, wanted: Sequence[str], placement: Placement | None = None) -> list[Placed]:
    """Move the consumers of these pairs back, those at `placement` alone if it is given; say which.

    :raises LabError: an engine does not answer
    """
    moves = Relocation(lab)
    moved = [it for it in moves.placed if it.mechanism in wanted and placement in (None, it.placement)]
    for it in moved:
        moves.put_back(it)
        say(f"moved the consumer of {it.mechanism} back from {it.placement}")
    return moved


def _show(lab: Lab, moves: Relocation, mechanism: str, placement: Placement, left: set[str]) -> None:
    """Wait until what is to be seen is there, and nothing of the containers that were `left`; print it."""
    if moved_consumers.reaches(mechanism, placement):
        moves.wait_for_traffic(mechanism)
        with step("Measuring the messages that arrive"):
            wait_until(lambda: findings.is_measured(lab.prometheus, mechanism, left), _FELT_WITHIN_S)
    else:
        with step("Waiting until the pair stops"):
            wait_until(lambda: findings.is_dark(lab.prometheus, mechanism, left), _FELT_WITHIN_S)
    here = [it for it in moves.find_placed() if it.mechanism == mechanism]
    measured = measure(lab.prometheus, [mechanism])
    show_lines([str(finding) for finding in findings.findings(lab.prometheus, here, measured)])
    if placement is Placement.SECOND_HOST and moved_consumers.reaches(mechanism, placement):
        show_lines(["Both engines run on one kernel, with one clock: one-way latency stays exact."])
