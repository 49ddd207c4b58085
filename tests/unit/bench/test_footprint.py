"""What the lab keeps on the disk, from what the engine says of it."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from bench.footprint import layer_bytes


def image(layers: list[str], sizes: list[int], size: int) -> Any:
    """As the engine describes it: the history begins with the last step, and has steps that add nothing."""
    steps = [{"Size": 0}, *({"Size": one} for one in reversed(sizes)), {"Size": 0}]
    return Mock(attrs={"RootFS": {"Layers": layers}, "Size": size}, history=lambda: steps)


def test_a_layer_that_two_images_share_counts_once() -> None:
    base, lab = image(["a"], [100], 100), image(["a", "b", "c"], [100, 7, 5], 112)
    assert layer_bytes(base) | layer_bytes(lab) == {"a": 100, "b": 7, "c": 5}


@pytest.mark.parametrize("sizes", [[100, 12], [100, 7, 5, 3]])
def test_an_image_is_as_large_as_it_is_whatever_its_history_leaves_out(sizes: list[int]) -> None:
    assert sum(layer_bytes(image(["a", "b", "c"], sizes, 112)).values()) == 112
