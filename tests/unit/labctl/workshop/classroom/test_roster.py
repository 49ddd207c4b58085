"""Each student has a lab of their own: what one has is no other one's, and a shell that reads the script means it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from labctl.config.configuration import PUBLISHED_PORTS, Configuration
from labctl.terminal.errors import LabError
from labctl.workshop.classroom import cards, roster
from labctl.workshop.classroom.roster import Roster, Student


@pytest.fixture
def students(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Student, ...]:
    """Five of them; the files are in a folder of the test."""
    monkeypatch.setattr(roster, "FOLDER", tmp_path / "class")
    base = Configuration.load(environment={**os.environ, "COMPOSE_PROJECT_NAME": "room"})
    return tuple(roster.with_students(Roster("room"), base, 5, "autumn", 24000))


def test_nothing_is_shared(students: tuple[Student, ...]) -> None:
    assert [student.project for student in students] == ["room-s01", "room-s02", "room-s03", "room-s04", "room-s05"]
    assert [student.seed for student in students] == [f"autumn-0{number}" for number in range(1, 6)]
    ports = [student.port(name) for student in students for name in PUBLISHED_PORTS]
    assert len(set(ports)) == len(ports)
    for name in ("LAB_UID", "LAB_SYSV_SHM_KEY", "LAB_SYSV_MQ_KEY", "LAB_RESPONDER_KEY"):
        assert len({student.environment[name] for student in students}) == len(students), name


def test_the_settings_of_each_are_valid(students: tuple[Student, ...]) -> None:
    for student in students:
        assert student.configuration().project == student.project


def test_it_is_kept_and_read_again_and_grows(students: tuple[Student, ...]) -> None:
    Roster("room", ("fifo", "tcp"), students).write()
    known = roster.read("room")
    assert known == Roster("room", ("fifo", "tcp"), students)
    base = Configuration.load(environment={**os.environ, "COMPOSE_PROJECT_NAME": "room"})
    more = list(roster.with_students(known, base, 6, "autumn", 24000))
    assert [student.project for student in more] == ["room-s06"]
    taken = {student.port(name) for student in students for name in PUBLISHED_PORTS}
    assert not taken.intersection(more[0].port(name) for name in PUBLISHED_PORTS)
    known.remove()
    assert roster.read("room").students == ()


def test_a_shell_that_reads_the_script_means_that_lab(students: tuple[Student, ...]) -> None:
    group = Roster("room", ("fifo",), students)
    group.write()
    script = f". {group.script(students[1])}; echo $COMPOSE_PROJECT_NAME $LAB_STUDENT $LAB_PAGE_PORT"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["room-s02", "autumn-02", students[1].environment["LAB_PAGE_PORT"]]


def test_a_damaged_file_is_one_line(students: tuple[Student, ...]) -> None:
    group = Roster("room", ("fifo",), students)
    group.write()
    group.file.write_text('{"students": 5}', encoding="utf-8")
    with pytest.raises(LabError, match="cannot be read"):
        roster.read("room")


def test_names_of_labs_are_no_others() -> None:
    pattern = roster.names("room")
    assert pattern.fullmatch("room-s01")
    assert pattern.fullmatch("room-s120")
    for other in ("room", "room-s1", "roomy-s01", "room-s01x", "my-room-s01", "room-swarm"):
        assert not pattern.fullmatch(other), other


def test_a_card_has_address_name_and_seed_and_needs_no_other_file(
    students: tuple[Student, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "ROOT", roster.FOLDER.parent)
    page = cards.page(Roster("room", ("fifo", "tcp"), students), "lab.example")
    assert page.count("<article") == len(students)
    for student in students:
        assert f"http://127.0.0.1:{student.environment['LAB_PAGE_PORT']}" in page
        assert student.seed in page
        assert f"class/{student.project}.sh" in page
        assert f"sysv_mq {int(student.environment['LAB_SYSV_MQ_KEY']):#x}" in page
    assert "USER@lab.example" in page
    assert "src=" not in page
    assert "href=" not in page
