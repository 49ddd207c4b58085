"""The rights of the engines in containers, as compose.yaml has them."""

from __future__ import annotations

import json

import pytest

from labctl.config import compose_file
from labctl.config.paths import ROOT
from support.security_page import capabilities_of_engines


@pytest.mark.parametrize("name", compose_file.ENGINES)
def test_an_engine_has_the_capabilities_of_the_table_alone(name: str) -> None:
    declared = compose_file.service(name)
    documented = capabilities_of_engines()
    assert declared["cap_drop"] == ["ALL"]
    assert declared["cap_add"] == documented == sorted(documented)


@pytest.mark.parametrize("name", compose_file.ENGINES)
def test_the_seccomp_profile_of_an_engine_denies_calls_by_name(name: str) -> None:
    (path,) = (
        option.removeprefix("seccomp=")
        for option in compose_file.service(name)["security_opt"]
        if option.startswith("seccomp=")
    )
    profile = json.loads((ROOT / path).read_text(encoding="utf-8"))  # Compose reads it from the project's folder
    (rule,) = profile["syscalls"]
    assert (profile["defaultAction"], rule["action"]) == ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO")
    denied = rule["names"]
    assert denied == sorted(set(denied))
    assert {"kexec_load", "init_module", "clock_settime", "io_uring_setup"} <= set(denied)
    # What starts a container, and what the probe there shows its evidence by.
    assert not {"pivot_root", "mount", "setns", "unshare", "bpf", "keyctl", "ptrace"} & set(denied)
