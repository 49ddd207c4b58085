"""From the package indexes that apt reads to the source lines of another release."""

from __future__ import annotations

from labctl.engine.packages import sources_from

_BOOKWORM = """\
http://mirror.example/debian/ bookworm main Debian
http://mirror.example/debian/ bookworm-updates main Debian
https://mirror.example/debian-security/ bookworm-security main Debian
"""


def test_the_machines_own_mirror_is_kept_for_every_suite() -> None:
    assert sources_from(_BOOKWORM, "bookworm") == [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb https://mirror.example/debian-security trixie-security main",
    ]


def test_a_trixie_keeps_its_sources() -> None:
    assert sources_from("http://m/debian/ trixie main Debian\n", "trixie") == ["deb http://m/debian trixie main"]


def test_the_first_of_several_mirrors_is_taken() -> None:
    targets = "http://a/debian/ bookworm main Debian\nhttp://b/debian/ bookworm main Debian\n"
    assert sources_from(targets, "bookworm") == ["deb http://a/debian trixie main"]


def test_other_components_other_vendors_and_backports_are_left_out() -> None:
    targets = (
        "http://m/debian/ bookworm contrib Debian\n"
        "http://m/debian/ bookworm-backports main Debian Backports\n"
        "https://vendor.example/ bookworm main Vendor\n"
        "http://m/debian/ bookworm main Debian\n"
    )
    assert sources_from(targets, "bookworm") == ["deb http://m/debian trixie main"]


def test_what_a_container_cannot_reach_is_left_out() -> None:
    assert sources_from("mirror+file:/etc/apt/mirrors/debian.list bookworm main Debian\n", "bookworm") == []
    assert sources_from("file:/srv/debian bookworm main Debian\n", "bookworm") == []


def test_updates_without_the_main_suite_are_no_source() -> None:
    assert sources_from("http://m/debian/ bookworm-updates main Debian\n", "bookworm") == []


def test_an_ubuntu_has_no_debian_mirror() -> None:
    assert sources_from("http://mirror.example/ubuntu/ noble main Ubuntu\n", "noble") == []
