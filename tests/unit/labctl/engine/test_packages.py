"""What `apt-cache policy` is taken to mean."""

from __future__ import annotations

from labctl.engine.packages import parse_candidate


def test_the_candidate_is_the_version_to_install() -> None:
    policy = "docker.io:\n  Installed: (none)\n  Candidate: 20.10.24+dfsg1-1+deb12u1\n  Version table:\n     1.0 500\n"
    assert parse_candidate(policy) == "20.10.24+dfsg1-1+deb12u1"


def test_a_package_that_is_only_mentioned_has_no_candidate() -> None:
    assert parse_candidate("docker-compose-v2:\n  Installed: (none)\n  Candidate: (none)\n") is None


def test_a_package_that_is_unknown_has_no_candidate() -> None:
    assert parse_candidate("") is None
