"""An interrupt is noted once, raised the second time, and left alone where it is not ours."""

import os
import signal
import threading

import pytest

from mtlib.interrupts import stoppable


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupt_is_noted_and_the_second_raises():
    with stoppable() as stop:
        assert not stop.asked
        interrupt()
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            interrupt()


def test_afterwards_interrupts_do_what_they_did():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), stoppable():
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_an_ignored_interrupt_stays_ignored():  # nohup
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            interrupt()
        assert not stop.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_nothing_changes():
    before, asked = signal.getsignal(signal.SIGINT), []

    def work():
        with stoppable() as stop:
            asked.append(stop.asked or signal.getsignal(signal.SIGINT) is not before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [False]
