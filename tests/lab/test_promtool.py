"""What Prometheus's own tool says of our configuration, rules and metrics; from the image that the lab runs."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from ipclab import metrics
from lab.stack import ROOT, Stack

IMAGE = f"ipclab/prometheus:{os.environ.get('LAB_IMAGE_TAG', 'local')}"


def promtool(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "run", "--rm", "--interactive", "--network=none", "--entrypoint=/bin/promtool", IMAGE, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("what", [("config", "/etc/prometheus/prometheus.yml"), ("rules", "/etc/prometheus/rules.yml")])
def test_the_configuration_is_sound(what: tuple[str, str]) -> None:
    checked = promtool("check", *what)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("role", metrics.Role)
def test_the_golden_metrics_are_sound(role: metrics.Role) -> None:
    pages = re.split(r"^# === (\w+) ===\n", (ROOT / "tests/unit/golden/metrics.prom").read_text(), flags=re.MULTILINE)
    page = dict(zip(pages[1::2], pages[2::2], strict=True))[role]
    checked = promtool("check", "metrics", stdin=page)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_live_metrics_are_sound(stack: Stack) -> None:
    for name in [*stack.endpoints(), "holder", "kernel"]:
        checked = promtool("check", "metrics", stdin=stack.text(name))
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), name


@pytest.mark.usefixtures("stack")
def test_promtool_finds_what_is_wrong() -> None:
    """The checks above can fail."""
    assert promtool("check", "metrics", stdin="# TYPE bad counter\nbad 1\n").returncode != 0


@pytest.mark.usefixtures("stack")
def test_the_rules_compute_what_they_say() -> None:
    tests = (ROOT / "tests/unit/rules_test.yml").read_text()
    script = "cat > /tmp/rules_test.yml && exec /bin/promtool test rules /tmp/rules_test.yml"
    done = subprocess.run(
        ["docker", "run", "--rm", "--interactive", "--network=none", "--entrypoint=/bin/sh", IMAGE, "-c", script],
        input=tests.replace("../../services/prometheus/rules.yml", "/etc/prometheus/rules.yml"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
