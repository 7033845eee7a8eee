"""Work that takes hours, in parts: every part leaves a file when it is done, and several processes may share them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from mtlib.paths import write_atomic

Job = TypeVar("Job")
Found = TypeVar("Found")  # plain JSON
Row = dict
Advance = Callable[[int], None]


def nothing(updates: int) -> None:
    """Where nobody watches the progress."""


def digest(*decides: object) -> str:
    """A short name for all that decides a job's outcome: values whose ``repr`` says everything about them."""
    return hashlib.blake2b(repr(decides).encode(), digest_size=8).hexdigest()


def once(path: Path, make: Callable[[], Found]) -> Found:
    """What the file holds; where there is none, what ``make`` gives, written in one piece."""
    if not path.exists():
        write_atomic(path, json.dumps(make()))
    return json.loads(path.read_text())


def run_all(
    todo: Sequence[Job],
    run: Callable[..., list[Row]],
    updates: Callable[[Job], int],
    workers: int = 1,
    advance: Advance = nothing,
) -> list[Row]:
    """The rows of all jobs; those of one process in order, those of several in the order in which jobs end.

    Args:
        run: ``run(job, advance=...)`` gives a job's rows; with several workers it must be importable by name (a
            function of a module, or a ``partial`` of one).
        updates: what a job counts in the progress.
        workers: processes; with one, ``run`` tells the progress itself.
        advance: told the updates done; by whole jobs if there are several workers.
    """
    rows: list[Row] = []
    if workers == 1:
        for job in todo:
            rows += run(job, advance=advance)
        return rows
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run, job): job for job in todo}
        try:
            for done in as_completed(running):
                rows += done.result()
                advance(updates(running[done]))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else the jobs that wait would still be trained, for hours
            raise
    return rows
