"""`./lab mechanisms` shows every fact of every mechanism, and docs/MECHANISMS.md is up to date."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing, Traits, Wait
from labctl.commands import mechanisms as mechanism_sources
from labctl.commands.mechanisms import COLUMNS
from labctl.config import compose_file
from labctl.main import main
from labctl.terminal.printing import size

PAGE = Path(__file__).resolve().parents[4] / "docs" / "MECHANISMS.md"
_REGENERATE = "./lab test tests/unit/labctl/commands/test_mechanisms.py --update-golden"
_GENERATED = re.compile(r"(?<=" + re.escape(f"{_REGENERATE} -->\n\n") + r")(.*?)(?=\n<!-- The end)", re.DOTALL)


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What the command prints."""
    assert main(["mechanisms", *options]) == 0
    answer = capsys.readouterr()
    assert answer.err == ""
    return answer.out


def words(fact: object) -> str:
    """A fact as a person is to read it; written down a second time, so that the table cannot be its own witness."""
    match fact:
        case frozenset() | tuple():
            return ", ".join(sorted(fact))
        case int():
            if fact < 1024:
                return str(fact)
            units = [(f"{fact >> bits:,} {unit}", fact % (1 << bits)) for bits, unit in ((20, "MiB"), (10, "KiB"))]
            return next((text for text, rest in units if not rest), f"{fact:,} B")
    return str(fact)


def expected(name: str) -> list[str]:
    """The cells of a mechanism, in the order of the columns; `*` marks what is the lab's."""
    traits = mechanisms.load(name).traits
    facts = {
        "kind": words(traits.kind),
        "ordered": "kept" if traits.ordered else "not kept",
        "reliable": "yes" if traits.reliable else "no",
        **{fact: words(getattr(traits, fact)) for fact in ("direction", "communication", "on_full", "persistence")},
        **{fact: "many" if getattr(traits, fact) else "one" for fact in ("many_senders", "many_receivers")},
        **{fact: words(getattr(traits, fact)) for fact in ("requires", "copies", "copies_large", "copies_by_send")},
        **{fact: words(getattr(traits, fact)) for fact in ("max_message_bytes", "waits")},
    }
    return [
        *(f"{cell}{'*' if 'ipclab.' in traits.fact(fact).source else ''}" for fact, cell in facts.items()),
        *map(words, (tuple(switch.replace("_", " ") for switch in traits.switches) or "none", traits.man_page)),
        "yes" if name in compose_file.declared() else "no",
    ]


def test_the_tables_show_every_fact_of_every_mechanism(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    assert max(map(len, lines)) <= 110
    assert "…" not in "".join(lines)
    cells: dict[str, list[str]] = {}
    for line in lines:
        name, *rest = re.split(r"\s{2,}", line.strip())
        cells.setdefault(name, []).extend(rest)
    assert cells["mechanism"] == list(COLUMNS)
    for name in mechanisms.names():
        assert cells[name] == expected(name)


def test_every_trait_has_a_column() -> None:
    """A new trait needs one. The errors and the sources are for `--json`: too long for a table."""
    assert len(COLUMNS) == len({field.name for field in fields(Traits)} - {"send_errnos"}) + len({"pair"})


def test_a_mechanism_that_needs_or_can_do_two_things_says_both() -> None:
    assert words(frozenset({Sharing.VOLUME, Sharing.NETWORK})) == "network, volume"
    assert words((Wait.BLOCK, Wait.SPIN)) == "block, spin"


def test_the_json_has_every_fact_and_where_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(printed(capsys, "--json"))
    assert list(document) == ["mechanisms"]
    entries = {entry["mechanism"]: entry for entry in document["mechanisms"]}
    assert list(entries) == mechanisms.names()
    fields_ = {field.name for field in fields(Traits)}
    for name, entry in entries.items():
        traits = mechanisms.load(name).traits
        assert set(entry) == {"mechanism", "pair", "of", "sources", "kernel"} | fields_
        assert entry["pair"] is (name in compose_file.declared())
        assert entry["requires"] == sorted(traits.requires)
        for fact in ("waits", "send_errnos"):
            assert entry[fact] == list(getattr(traits, fact))
        for fact in fields_ - {"requires", "waits", "send_errnos"}:
            assert entry[fact] == getattr(traits, fact)
        facts = traits.facts()
        assert entry["sources"] == {fact: facts[fact].source for fact in facts}
        assert entry["of"] == {fact: "lab" if facts[fact].kernel else "kernel" for fact in facts}
        assert entry["kernel"] == {fact: facts[fact].kernel for fact in facts if facts[fact].kernel}


def test_one_mechanism_has_every_fact_and_what_the_kernel_alone_gives(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(printed(capsys, "posix_mq").split())
    for heading, fact in mechanism_sources.FACTS.items():
        assert fact in said
        assert mechanisms.load("posix_mq").traits.fact(heading).kernel in said
    assert "direction one way the lab's ipclab.mechanisms.posix_mq" in said
    assert "direction, by the kernel alone: two way" in said
    assert "kind message the kernel's mq_overview(7)" in said
    assert "*" not in said


def test_one_format_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mechanisms", "posix_mq", "--json"]) == 2
    assert "MECHANISM" in capsys.readouterr().err


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str], update_golden: bool) -> None:
    made, text = printed(capsys, "--markdown"), PAGE.read_text(encoding="utf-8")
    assert len(_GENERATED.findall(text)) == 1, "the markers are gone"
    if update_golden:
        text = _GENERATED.sub(lambda _: made, text)
        PAGE.write_text(text, encoding="utf-8")
    assert _GENERATED.findall(text) == [made], f"{PAGE.name} is outdated; run: {_REGENERATE}"


def test_the_markdown_has_every_fact(capsys: pytest.CaptureFixture[str]) -> None:
    facts, _, _ = printed(capsys, "--markdown").split("\n\n")
    head, rule, *rows = [line.strip("|\n ").split(" | ") for line in facts.splitlines()]
    assert head == ["mechanism", *COLUMNS]
    assert set(rule) == {"---"}
    assert len(rule) == len(head)
    assert rows == [[f"`{name}`", *expected(name)] for name in mechanisms.names()]


def test_the_markdown_has_every_source_and_what_the_kernel_alone_gives(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(mechanism_sources.FACTS) == {field.name for field in fields(Traits)} - {"man_page", "switches"}
    assert set(mechanism_sources.FACTS.values()) - {"errors of sending"} == set(COLUMNS) - {
        "man page",
        "pair",
        "switches",
    }
    _, sources, kernel = (said_in(table) for table in printed(capsys, "--markdown").split("\n\n"))
    for fact, word in mechanism_sources.FACTS.items():
        facts = {name: mechanisms.load(name).traits.fact(fact) for name in mechanisms.names()}
        assert sources[word] == {name: facts[name].source for name in facts}
        assert kernel.get(word, {}) == {name: facts[name].kernel for name in facts if facts[name].kernel}


def said_in(table: str) -> dict[str, dict[str, str]]:
    """A fact's word to what each mechanism says."""
    _, _, *rows = [line.strip("|\n ").split(" | ", 1) for line in table.splitlines()]
    return {
        word: {
            name: text
            for text, names in re.findall(r"(.+?) \(((?:`\w+`(?:, )?)+)\)(?:<br>|$)", cell)
            for name in names.replace("`", "").split(", ")
        }
        for word, cell in rows
    }


def test_the_page_explains_every_column() -> None:
    assert re.findall(r"^- \*\*(.+?)\*\*:", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == list(COLUMNS)


def test_no_engine_is_asked_and_no_sdk_is_loaded() -> None:
    """That is most of what a command takes to start."""
    script = "import sys; from labctl.main import main; main(['mechanisms']); sys.exit('docker' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"DOCKER_HOST": "unix:///no-engine.sock", "LAB_RATE": "0"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in mechanisms.names())


def test_a_mechanism_that_cannot_be_loaded_here_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(name: str) -> None:
        raise AttributeError(f"symbol not found, wanted by {name}")

    monkeypatch.setattr(mechanisms, "load", load)
    assert main(["mechanisms"]) == 1
    answer = capsys.readouterr()
    assert answer.out == ""
    assert len(answer.err.splitlines()) == 1
    assert f"{mechanisms.names()[0]} cannot be loaded" in answer.err
    assert "docs/MECHANISMS.md" in answer.err


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(1, "1 B"), (8192, "8 KiB"), (65_507, "65,507 B"), (65_536, "64 KiB"), (1_048_576, "1 MiB"), (1536, "1,536 B")],
)
def test_a_size_is_exact_and_has_a_unit(size_bytes: int, shown: str) -> None:
    assert size(size_bytes) == shown
