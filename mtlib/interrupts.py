"""Stop where it is safe: an interrupt is noticed at the end of a step, so that nothing is half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """``asked`` turns true with the first interrupt."""

    asked = False


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within the block an interrupt (Ctrl-C, the square button of JupyterLab) is noted; a second one raises.

    Outside the main thread, where Python delivers no signals, the block changes nothing; nor does it where
    interrupts are ignored, as under nohup.
    """
    stop = Stop()
    before = signal.getsignal(signal.SIGINT)  # None: set by a program that Python runs in, not to be put back
    main = threading.current_thread() is threading.main_thread()
    if not main or before is None or before is signal.SIG_IGN:
        yield stop
        return

    def note(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
