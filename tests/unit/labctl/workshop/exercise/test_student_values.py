"""The values of a student: the same again, and others for a neighbour."""

from __future__ import annotations

import pytest

from labctl.terminal.errors import BadInput
from labctl.workshop.exercise import student
from labctl.workshop.exercise.exercise import Choices, Exercise, Numbers
from labctl.workshop.exercise.language import EXERCISES


def exercise_with(**values: Choices | Numbers) -> Exercise:
    """An exercise of nothing but values."""
    return Exercise(EXERCISES / "01_any", 1, 5, "beginner", (), (), (), values, None, None)


def test_a_student_gets_the_same_values_again_and_a_neighbour_gets_others() -> None:
    it = exercise_with(rate=Numbers(100, 900, 10), victim=Choices(("fifo", "tcp")))
    draws = {name: student.draw(it, name) for name in (f"student {number}" for number in range(50))}
    assert draws == {name: student.draw(it, name) for name in draws}
    assert len({tuple(values.items()) for values in draws.values()}) > 25
    assert {values["victim"] for values in draws.values()} == {"fifo", "tcp"}
    assert all(values["rate"] in range(100, 901, 10) for values in draws.values())


def test_the_last_number_of_a_range_can_be_drawn() -> None:
    it = exercise_with(count=Numbers(1, 3, 2))
    assert {student.draw(it, str(number))["count"] for number in range(40)} == {1, 3}


def test_a_value_stands_for_its_name_in_capitals_as_a_whole_word() -> None:
    text = "./lab place VICTIM shared_ipc, and VICTIMS or EX_VICTIM stay; `RATE` too"
    filled = student.filled_in(text, {"victim": "fifo", "rate": 300})
    assert filled == "./lab place fifo shared_ipc, and VICTIMS or EX_VICTIM stay; `300` too"


def test_a_value_stands_for_its_name_before_a_korean_particle_too() -> None:
    assert student.filled_in("VICTIM의 소비자, SIZE바이트, EX_SIZE", {"victim": "fifo", "size": 9}) == (
        "fifo의 소비자, 9바이트, EX_SIZE"
    )


def test_without_a_name_the_machine_is_the_student() -> None:
    assert student.name({}) == student.name({student.VARIABLE: ""})
    assert student.name({}).startswith("machine-")
    assert student.name({student.VARIABLE: "김 민수"}) == "김 민수"


@pytest.mark.parametrize("text", [" anna", "a" * 61, "a/b", "a\nb", "$(id)"])
def test_a_name_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        student.name({student.VARIABLE: text})
    assert "\n" not in str(refused.value)
