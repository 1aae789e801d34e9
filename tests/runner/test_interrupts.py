"""How often a runner was asked to stop, and who listens afterwards."""

from __future__ import annotations

import os
import signal
import threading

from vlpbench.runner.interrupts import Interrupts


def test_every_signal_counts_and_nothing_is_raised() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts() as interrupts:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
    assert interrupts.count == 3
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_in_another_thread_nobody_can_listen_and_nothing_is_changed() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def listen() -> None:
        with Interrupts() as interrupts:
            seen.append((interrupts.count, signal.getsignal(signal.SIGINT) == before))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [(0, True)]
    assert signal.getsignal(signal.SIGINT) == before
