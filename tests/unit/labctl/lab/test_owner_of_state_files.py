"""Whose the files are that the lab puts into its containers: of the user that each container has, LAB_UID."""

from __future__ import annotations

import pytest

from labctl.lab.state_files import owner
from labctl.terminal.errors import LabError


@pytest.mark.parametrize(
    ("user", "ids"), [("10002:10001", (10002, 10001)), ("65534", (65534, 0)), ("472:0", (472, 0)), ("", (0, 0))]
)
def test_the_user_of_a_container_is_the_owner(user: str, ids: tuple[int, int]) -> None:
    assert owner(user) == ids


@pytest.mark.parametrize("user", ["nobody", "1000:staff"])
def test_a_name_is_refused(user: str) -> None:
    with pytest.raises(LabError, match="expected a number"):
        owner(user)
