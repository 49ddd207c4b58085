"""docs/MESSAGE_FORMAT.md tells the bytes as they are, and its example in C takes part."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.accounting import message
from ipclab.building_blocks import framing
from ipclab.contract.channel import Address
from ipclab.contract.errors import ReceiveTimeout

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "MESSAGE_FORMAT.md").read_text(encoding="utf-8")
COUNT, SIZE = 20, 300


def rows(heading: str) -> list[tuple[int, int]]:
    """Offset and bytes of each row of the section's table."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [(int(begin), int(count)) for begin, count in re.findall(r"^\| (\d+) \| (\d+) \|", section, re.MULTILINE)]


def test_the_table_of_the_header_is_the_header() -> None:
    sizes = {"I": 4, "Q": 8}
    expected, begin = [], 0
    for letter in message.HEADER.format.removeprefix("<"):
        expected.append((begin, sizes[letter]))
        begin += sizes[letter]
    assert rows("Header") == expected
    assert begin == message.HEADER_BYTES == 56
    fields = re.findall(r"^\| \d+ \| \d+ \| (\w+) \|", PAGE, re.MULTILINE)
    assert fields == [name.removesuffix("_ns") for name in message.Header._fields]


def test_the_table_of_the_frame_is_the_prefix() -> None:
    assert rows("Frame") == [(0, 4), (4, 4), (8, 4)]
    prefix = memoryview(bytearray(framing.PREFIX_BYTES))
    framing.write_prefix(prefix, 300)
    assert bytes(prefix[:8]) == b"FRAM" + (300).to_bytes(4, "little")
    assert framing.is_marked(4085)
    assert not framing.is_marked(4084)


def test_the_example_in_c_takes_part(tmp_path: Path) -> None:
    """It is compiled as the page says, without -static, which needs another package on some machines."""
    if not (compiler := shutil.which("cc")):
        pytest.skip("no C compiler here")
    (command,) = re.findall(r"`(cc [^`]+)`", PAGE)
    words = [word for word in shlex.split(command)[1:] if word != "-static"]
    sender = tmp_path / words[words.index("-o") + 1]
    words[words.index("-o") + 1] = str(sender)
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", *words], cwd=ROOT, check=True, timeout=60)
    address = Address(path=tmp_path / "fifo")
    buffer = memoryview(bytearray(1 << 20))
    headers: list[message.Header] = []
    with mechanisms.load("fifo").create_receiver(address) as receiver:
        with subprocess.Popen([sender, address.path, str(COUNT), str(SIZE)], stdout=subprocess.PIPE) as process:
            while len(headers) < COUNT:
                try:
                    length = receiver.receive_into(buffer, 5)
                except ReceiveTimeout:
                    break
                headers.append(message.parse(buffer[:length]))
            assert process.wait(timeout=10) == 0
        receiver.remove()
    assert [header.sequence for header in headers] == list(range(COUNT))
    assert {header.length for header in headers} == {SIZE}
    assert len({(header.producer, header.epoch) for header in headers}) == 1
    assert all(header.due_ns <= header.sent_ns for header in headers)


def test_the_example_in_c_refuses_what_it_cannot_send(tmp_path: Path) -> None:
    if not (compiler := shutil.which("cc")):
        pytest.skip("no C compiler here")
    sender = tmp_path / "sender"
    subprocess.run([compiler, "-o", sender, ROOT / "exercises" / "examples" / "sender.c"], check=True, timeout=60)
    for arguments, code in (
        (["no-fifo", "1", "4085"], 2),
        (["no-fifo", "1", "10"], 2),
        ([], 2),
        (["no", "1", "64"], 1),
    ):
        done = subprocess.run(
            [sender, *arguments], capture_output=True, text=True, timeout=10, check=False, cwd=tmp_path
        )
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
