"""Another LAB_UID on a lab that exists: its files keep their owner, so `up` refuses, and `reset` keeps the user."""

from __future__ import annotations

import re
from unittest.mock import Mock

import pytest

from labctl.commands.reset import started_with
from labctl.commands.up import require_same_user
from labctl.config.configuration import UID, Configuration
from labctl.lab.containers import Container
from labctl.terminal.errors import BadInput
from support.containers import container

_CONFIGURATION = Configuration("it", {UID: "20001"})


def _container(service: str, user: str) -> Container:
    config = {"User": user, "Image": "ipclab/lab:it"}
    return container(service, docker=Mock(attrs={"Config": config, "HostConfig": {"CpusetCpus": ""}}))


def test_up_names_the_user_that_the_lab_has_and_how_to_go_on() -> None:
    found = [_container("page", "10001:10001"), _container("fifo-consumer", "10001:10001")]
    said = "invalid LAB_UID=20001: expected 10001, the user of it and of its files"
    with pytest.raises(BadInput, match=re.escape(said)) as refused:
        require_same_user(found, _CONFIGURATION)
    assert "./lab down" in refused.value.hint
    assert "LAB_UID=10001" in refused.value.hint


def test_those_whose_user_is_no_setting_are_no_matter() -> None:
    """The page's user is its image's; a moved consumer is in no compose.yaml."""
    of_other_images = [_container("page", "10001:10001"), _container("prometheus", "65534:65534")]
    require_same_user([*of_other_images, _container("fifo-consumer", "20001:10001")], _CONFIGURATION)
    require_same_user([_container("placed-fifo", "10001:10001")], _CONFIGURATION)


def test_what_reset_makes_anew_has_the_user_that_it_had() -> None:
    assert started_with([_container("fifo-consumer", "20001:10001")])[UID] == "20001"
