"""What n seeds say of a mean, and of one further run."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev

from scipy.special import stdtrit  # Student's quantiles; scipy.stats has the same, and takes a second to import

LEVEL = 0.05  # how often an interval may miss


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided confidence interval from n independent samples (Student's t)."""

    n: int
    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def interval(samples: Sequence[float], level: float = LEVEL, overlap: float = 0.0) -> Interval:
    """The mean and its (1 - level) confidence interval.

    Args:
        overlap: where samples are splits of the same examples, test examples per training example: such splits share
            most of what they learn from, and the variance of their mean is larger by as much (Nadeau and Bengio 2003).

    Raises:
        ValueError: fewer than two samples, which have no spread, one that is no number, or a negative overlap.
    """
    if not 0 <= overlap < math.inf:
        raise ValueError(f"overlap is test examples per training example, 0 or more, got {overlap!r}")
    n = len(samples)
    if n < 2 or not all(map(math.isfinite, samples)):
        raise ValueError(f"an interval needs two or more finite samples, got {list(samples)[:5]}")
    half = _t(n, level) * stdev(samples) / math.sqrt(n / (1 + n * overlap))
    mean = fmean(samples)
    return Interval(n, mean, mean - half, mean + half)


def mean_of(samples: Sequence[float]) -> dict[str, float]:
    """Mean, ends of the 95 % interval, and n, as a record holds them."""
    return asdict(interval(samples))


def single_run(samples: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Where one further run of ours falls with probability 1 - level: the prediction interval."""
    half = _t(len(samples), level) * stdev(samples) * math.sqrt(1 + 1 / len(samples))
    return fmean(samples) - half, fmean(samples) + half


def _t(n: int, level: float) -> float:
    """Two-sided quantile of Student's t with n - 1 degrees of freedom."""
    return float(stdtrit(n - 1, 1 - level / 2))
