"""LAB_METRICS_PORT: the port of a container that is not the first of its pod."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ipclab.roles.holder import holder


@pytest.mark.parametrize("value", ["0", "65536", "web", "-1"])
def test_an_invalid_port_is_refused_with_the_name_of_the_setting(value: str) -> None:
    done = CliRunner().invoke(holder, env={"LAB_METRICS_PORT": value})
    assert done.exit_code == 2
    assert "LAB_METRICS_PORT" in done.output
