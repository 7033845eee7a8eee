"""Networks that are tuned alike: every arm at the rate that was best on a seed which is in no table.

What ``dmm_table``, ``coupling_table`` and ``class_table`` share. An arm is anything with ``like``, the arm whose
learning rate it takes (None: it is tuned itself), and ``few``, whether few seeds will do. All that are tuned try as
many rates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mtlib.experiments import jobs

TUNED_ON = 900  # the seed of the search


class Arm(Protocol):
    """What is asked of one."""

    @property
    def like(self) -> str | None:
        """The arm whose rate it takes."""

    @property
    def few(self) -> bool:
        """Needed with few seeds only."""


Arms = Mapping[str, Arm]


@dataclass(frozen=True)
class Job:
    """One network to train."""

    arm: str
    seed: int
    rate: float


def leaders(wanted: Sequence[str], arms: Arms) -> list[str]:
    """The arms that are tuned themselves, for all that are wanted."""
    return list(dict.fromkeys(arms[arm].like or arm for arm in wanted))


def trials(wanted: Sequence[str], arms: Arms, rates: Callable[[str], Sequence[float]]) -> list[Job]:
    """What the search trains: every arm that is tuned at all of its rates."""
    return [Job(arm, TUNED_ON, rate) for arm in leaders(wanted, arms) for rate in rates(arm)]


def chosen(
    wanted: Sequence[str], arms: Arms, tried: Sequence[Mapping], goodness: Callable[[Mapping], float]
) -> dict[str, float]:
    """{arm: its learning rate}: the best of those of its leader.

    Args:
        tried: rows of ``trials``, with "arm", "rate" and "diverged".  goodness: of a row, larger is better.

    Raises:
        ValueError: an arm whose trials all diverged.
    """
    best = {}
    for arm in leaders(wanted, arms):
        own = {row["rate"]: goodness(row) for row in tried if row["arm"] == arm and not row["diverged"]}
        if not own:
            rates = sorted({row["rate"] for row in tried if row["arm"] == arm})
            raise ValueError(f"{arm} diverged at all of its rates, {rates}")
        best[arm] = max(own, key=own.get)
    return {arm: best[arms[arm].like or arm] for arm in wanted}


def listed(rates: Mapping[str, float], arms: Arms, seeds: Sequence[int], few: int) -> list[Job]:
    """All jobs, seed by seed, so that what is cut short has whole seeds; arms that need few get the first ones."""
    found = []
    for at, seed in enumerate(seeds):
        found += [Job(arm, seed, rate) for arm, rate in rates.items() if at < few or not arms[arm].few]
    return found


def counted(wanted: Sequence[str], arms: Arms, seeds: int, few: int) -> int:
    """How many networks ``listed`` has."""
    return sum(few if arms[arm].few else seeds for arm in wanted)


def train(
    wanted: Sequence[Job],
    run: Callable[..., list[dict]],
    updates: int,
    workers: int = 1,
    advance: jobs.Advance = jobs.nothing,
) -> list[dict]:
    """The rows of every job in the order given, trained by ``run(job, advance=...)`` where there is no file yet.

    Args:
        updates: of one network.  workers: processes of one thread each; the outcome does not depend on their number.
        advance: told the updates done; by whole jobs if there are several workers.
    """
    rows = jobs.run_all(wanted, run, lambda job: updates, workers, advance)
    place = {job: at for at, job in enumerate(wanted)}
    return sorted(rows, key=lambda row: place[Job(row["arm"], row["seed"], row["rate"])])
