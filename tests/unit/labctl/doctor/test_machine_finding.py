"""What doctor says of the processor's architecture: what was tried on it, and what was not."""

from __future__ import annotations

import pytest

from labctl.doctor.doctor import container_finding, cpus_finding, machine_finding, security_findings
from labctl.doctor.finding import Verdict


def test_the_architecture_that_every_test_runs_on_is_ok() -> None:
    finding = machine_finding("Debian", "amd64")
    assert (finding.verdict, finding.found, finding.change) == (Verdict.OK, "Debian, amd64", "")


@pytest.mark.parametrize(
    "said", ["qemu-user", "the image builds", "Never tried on arm64: every other test, a running lab"]
)
def test_arm64_was_tried_by_emulation_only(said: str) -> None:
    finding = machine_finding("macOS", "arm64")
    assert finding.verdict is Verdict.WARN
    assert said in finding.change


def test_an_architecture_that_nobody_tried_is_no_tested_one() -> None:
    finding = machine_finding("Debian", "riscv64")
    assert finding.verdict is Verdict.WARN
    assert "nothing was ever tried" in finding.change


@pytest.mark.parametrize(("cpus", "verdict"), [(1, Verdict.WARN), (2, Verdict.OK)])
def test_one_cpu_is_few(cpus: int, verdict: Verdict) -> None:
    assert cpus_finding(cpus).verdict is verdict


@pytest.mark.parametrize(
    ("inside", "host", "here", "lines"),
    [(True, "laptop", "3fb1c0ffee", 1), (True, "laptop", "laptop", 0), (False, "server", "laptop", 0)],
)
def test_a_container_with_the_socket_alone_needs_the_network_of_the_host(
    inside: bool, host: str, here: str, lines: int
) -> None:
    found = list(container_finding(inside, host, here))
    assert len(found) == lines
    assert all("--network host" in finding.change for finding in found)


def test_an_engine_without_options_has_no_line_of_them() -> None:
    assert list(security_findings(["name=seccomp,profile=default", "name=cgroupns"])) == []


@pytest.mark.parametrize(
    ("option", "what", "says"),
    [
        ("name=selinux", "SELinux", "ausearch"),
        ("name=rootless", "rootless", "delegation"),
        ("name=userns", "user namespaces", "./lab hosts"),
    ],
)
def test_what_an_option_of_the_engine_changes_is_said(option: str, what: str, says: str) -> None:
    (finding,) = security_findings(["name=seccomp,profile=default", option])
    assert finding.what == what
    assert says in finding.change
