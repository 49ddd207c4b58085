"""What a consumer exports of its receiver's kernel object; the receivers are real, and so is what they lose."""

from __future__ import annotations

from pathlib import Path

from ipclab.contract.channel import Address
from ipclab.mechanisms import fifo, plain_file, udp
from ipclab.metrics import definitions as metrics
from ipclab.pair.kernel_receiver import KernelReceiver
from labctl.lab.ports import free_port

MESSAGE = memoryview(bytes(1000))


def shown(kernel: KernelReceiver) -> dict[str, float]:
    """Metric to value."""
    return {s.definition.name: s.value for s in kernel.samples() if isinstance(s.value, int)}


def test_drops_add_up_across_receivers_and_never_fall() -> None:
    address = Address(host="127.0.0.1", port=free_port())
    kernel = KernelReceiver()
    assert shown(kernel) == {}
    dropped: list[int] = []
    for _ in range(2):
        with udp.MECHANISM.create_receiver(address) as receiver, kernel.following(receiver):
            assert shown(kernel)[metrics.KERNEL_DROPS.name] == sum(dropped)
            with udp.MECHANISM.open_sender(address) as sender:
                for _ in range(1000):
                    sender.send(MESSAGE, 1.0)
            kernel.tick()
            assert shown(kernel)[metrics.KERNEL_BUFFER.name] > 0
            # What is dropped after the last tick counts as well.
            with udp.MECHANISM.open_sender(address) as sender:
                for _ in range(10):
                    sender.send(MESSAGE, 1.0)
            dropped.append(receiver.kernel_drops())
        assert shown(kernel) == {metrics.KERNEL_DROPS.name: sum(dropped)}
    assert min(dropped) > 10


def test_what_a_buffer_holds_is_shown_while_it_is_open(tmp_path: Path) -> None:
    address = Address(path=tmp_path / "fifo")
    kernel = KernelReceiver()
    with fifo.MECHANISM.create_receiver(address) as receiver, kernel.following(receiver):
        with fifo.MECHANISM.open_sender(address) as sender:
            sender.send(MESSAGE, 1.0)
            before = shown(kernel)
            kernel.tick()
            after = shown(kernel)
        held, limit = metrics.KERNEL_BUFFER.name, metrics.KERNEL_BUFFER_LIMIT.name
        assert (before[held], before[limit]) == (0, after[limit])
        assert len(MESSAGE) < after[held] < after[limit]
    assert shown(kernel) == {}


def test_of_a_file_the_kernel_tells_nothing_of_this_kind(tmp_path: Path) -> None:
    kernel = KernelReceiver()
    with (
        plain_file.MECHANISM.create_receiver(Address(path=tmp_path / "file")) as receiver,
        kernel.following(receiver),
    ):
        assert shown(kernel) == {}
