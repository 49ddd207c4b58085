"""A file that a container reads while the lab replaces it: always whole, the old one or the new one."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile

from lab.harness.stack import Stack
from labctl.lab import state_files

PAIRS = ("fifo",)  # of the lab: see conftest.py
_WRITES = 30
_DIRECTORY, _NAME = "/state", "replaced.json"
# Reads as fast as it can until told to stop by the content, and prints whatever was no whole document.
_READER = f"""
import json, pathlib, sys
path = pathlib.Path("{_DIRECTORY}/{_NAME}")
broken, reads, document = [], 0, {{"number": 0}}
print("ready", flush=True)
while document["number"] >= 0:
    reads += 1
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        broken.append(repr(error))
print(json.dumps({{"reads": reads, "broken": broken[:3]}}))
"""


def test_a_file_belongs_to_the_user_of_its_container(stack: Stack) -> None:
    """A moved consumer of a lab with another LAB_UID could not write the ledger that was brought to it (EACCES)."""
    image = stack.container("holder").attrs["Config"]["Image"]
    container = stack.client.containers.create(image, ["ledger"], user="10002:10001", network_mode="none")
    try:
        state_files.write(container, _DIRECTORY, "consumer.ledger", b"account")
        with tarfile.open(fileobj=io.BytesIO(b"".join(container.get_archive(_DIRECTORY)[0]))) as archive:
            (uid,) = (member.uid for member in archive if member.name.endswith("consumer.ledger"))
    finally:
        container.remove(v=True)
    assert uid == 10002


def test_a_reader_sees_a_whole_file_at_any_moment(stack: Stack) -> None:
    """Prometheus said `unexpected end of JSON input` at each `./lab place`."""
    container = stack.endpoint("fifo", "consumer")
    state_files.write(container, _DIRECTORY, _NAME, json.dumps({"number": 0}).encode())
    command = ["docker", "exec", str(container.id), "python", "-c", _READER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        try:
            for number in (*range(1, _WRITES), -1):
                content = json.dumps({"number": number, "rest": "x" * 4096})
                state_files.write(container, _DIRECTORY, _NAME, content.encode())
            report = json.loads(reader.communicate(timeout=30)[0])
        finally:
            reader.kill()
            container.exec_run(["rm", f"{_DIRECTORY}/{_NAME}"])
    assert report["reads"] > _WRITES
    assert report["broken"] == []
