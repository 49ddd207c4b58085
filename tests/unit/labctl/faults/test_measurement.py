"""The comparison of a prediction with a measurement: each point in which they differ is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.faults.measurement import Account, Measured, differences
from labctl.faults.prediction import CHANNEL, CONSUMER_RESTART, Loss, Prediction

PREDICTED = Prediction(
    halts=True,
    back_within_s=10.0,
    lost=Loss.MAY,
    reasons=frozenset({CONSUMER_RESTART}),
    at_most=1,
    errnos=frozenset({"EAGAIN"}),
    object_stays=True,
)
AS_PREDICTED = Measured(
    halted=True, back_s=2.0, sent=100, lost={CONSUMER_RESTART: 1}, duplicate=0, errnos=("EAGAIN",), object_stays=True
)


def test_a_measurement_within_the_bounds_differs_in_nothing() -> None:
    assert differences(PREDICTED, AS_PREDICTED) == []
    assert differences(PREDICTED, replace(AS_PREDICTED, lost={}, errnos=())) == []
    assert differences(replace(PREDICTED, halts=None), replace(AS_PREDICTED, halted=False)) == []
    assert differences(PREDICTED, replace(AS_PREDICTED, object_stays=None)) == []


@pytest.mark.parametrize(
    ("predicted", "measured", "said"),
    [
        ({}, {"halted": False}, "went on"),
        ({"halts": False}, {}, "stopped"),
        ({}, {"back_s": None}, "not back within 10 s"),
        ({"lost": Loss.NONE, "reasons": frozenset()}, {}, "1 lost, none predicted"),
        ({"lost": Loss.SURE}, {"lost": {}}, "none lost"),
        ({}, {"lost": {CHANNEL: 1}}, "another reason: channel"),
        ({}, {"lost": {CONSUMER_RESTART: 2}}, "2 lost, at most 1"),
        ({}, {"errnos": ("EPIPE",)}, "the producer got EPIPE"),
        ({"refused": True}, {"errnos": ()}, "no error"),
        ({}, {"object_stays": False}, "is gone"),
    ],
)
def test_each_difference_is_named(predicted: dict[str, object], measured: dict[str, object], said: str) -> None:
    (found,) = differences(replace(PREDICTED, **predicted), replace(AS_PREDICTED, **measured))  # type: ignore[arg-type]
    assert said in found


def test_what_was_lost_before_the_fault_is_not_its_loss() -> None:
    before = Account(100, 90, 1, {CHANNEL: 5, CONSUMER_RESTART: 2})
    after = Account(200, 180, 1, {CHANNEL: 5, CONSUMER_RESTART: 4})
    measured = Measured.between(before, after, halted=False, back_s=1.0, errnos=(), object_stays=None)
    assert (measured.sent, measured.lost, measured.duplicate) == (100, {CONSUMER_RESTART: 2}, 0)
    assert measured.lost_in_all == 2
