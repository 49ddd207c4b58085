"""The plan of a fault matrix: the faults that are for the running pairs, and no other."""

from __future__ import annotations

from labctl.config import compose_file
from labctl.faults import matrix, registry


def test_every_fault_that_a_soak_may_draw_is_in_the_plan() -> None:
    planned = {fault.name: pairs for fault, pairs in matrix.plan(compose_file.declared(), [], quick=False)}
    assert set(planned) == {fault.name for fault in registry.all_faults().values() if fault.by_chance}
    assert planned["cut"] == ["tcp", "udp"]


def test_what_does_not_run_is_left_out() -> None:
    planned = {fault.name: pairs for fault, pairs in matrix.plan(["fifo"], [], quick=False)}
    assert "cut" not in planned
    assert planned["kill-consumer"] == ["fifo"]
    assert matrix.plan(["fifo"], ["cut"], quick=False) == []


def test_a_quick_one_has_a_pair_of_each_kind_of_sharing() -> None:
    declared = compose_file.declared()
    few = matrix.one_of_each_sharing(declared)
    assert 2 < len(few) < len(declared)
    planned = {fault.name: pairs for fault, pairs in matrix.plan(declared, [], quick=True)}
    assert planned["kill-both"] == few
    assert planned["kill-lock-holder-no-undo"] == ["sysv_shm"], "one that has it, where none of the few has"
