"""`./lab fork`: the classic anonymous pipe, inside one container."""

from __future__ import annotations

import re

from lab.harness.stack import Stack


def test_parent_and_child_have_one_end_each_of_two_pipes_in_the_producers_container(stack: Stack) -> None:
    shown = stack.lab("fork")
    assert shown.returncode == 0, shown.stderr
    assert "anonymous-pipe-producer" in shown.stdout
    ends = {
        name: (writes, reads)
        for name, writes, reads in re.findall(r"(parent|child) +\d+ +(pipe:\[\d+\]) +(pipe:\[\d+\])", shown.stdout)
    }
    assert ends["parent"] == ends["child"][::-1]
    assert ends["parent"][0] != ends["parent"][1]
    assert "; 0 wrong answers." in shown.stdout
