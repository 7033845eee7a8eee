"""Two methods on the same seeds, and many such comparisons at once."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from mtlib.metrics.intervals import LEVEL, Interval, interval

Test = Literal["t", "wilcoxon", "sign flips"]
FLIPS = 2**16  # sign patterns that are looked at: all of them up to n = 16, as many drawn ones beyond


@dataclass(frozen=True)
class Paired:
    """A comparison of n pairs: the mean of a - b with its interval, and the p-value of "no difference".

    The interval is Student's t, whichever test gives p.
    """

    n: int
    difference: Interval
    p: float
    test: Test

    def __str__(self) -> str:
        return f"{self.difference}, p = {self.p:.3g} ({self.test}, n = {self.n})"


def paired(a: Sequence[float], b: Sequence[float], test: Test = "t", level: float = LEVEL) -> Paired:
    """Is there a difference between a and b, measured on the same seeds?

    Differences that are all the same have no spread: p is 1 where they are zero, else 0 by the t test.

    Args:
        a: (n,) one number per seed.  b: (n,) of the same seeds in the same order.
        test: two-sided. ``t``: of normal differences. ``wilcoxon``: signed ranks, of differences that are symmetric
            about their median. ``sign flips``: the mean against those of all patterns of signs, exact up to n = 16,
            of differences that are symmetric about 0. The last two cannot go below p = 2 / 2^n: with five seeds
            never below 0.0625.
        level: of the interval.

    Raises:
        ValueError: unequal lengths, fewer than two pairs, numbers that are not finite, or no such test.
    """
    if test not in get_args(Test):
        raise ValueError(f"test is {test!r}, not one of {', '.join(get_args(Test))}")
    if len(a) != len(b):
        raise ValueError(f"pairs need as many of each, the same seeds: got {len(a)} and {len(b)}")
    difference = [float(one) - float(other) for one, other in zip(a, b, strict=True)]
    found = interval(difference, level)
    return Paired(found.n, found, _p(difference, test), test)


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that any false finding at all is as rare as each p promises (Holm 1979).

    Args:
        p: p-values of a family of tests. NaN marks a test that was not made: it stays NaN and does not count.

    Returns:
        the adjusted ones in the given order, each to be compared with the level itself.

    Raises:
        ValueError: a p-value below 0 or above 1.
    """
    return _adjusted(p, "holm")


def false_discovery(p: Sequence[float], *, dependent: bool = False) -> list[float]:
    """p-values adjusted so that of all findings the expected share of false ones stays below the level.

    Args:
        p: as in ``holm``.
        dependent: allow for tests that depend on each other in any way (Benjamini and Yekutieli 2001). Otherwise they
            are independent or positively dependent (Benjamini and Hochberg 1995).

    Returns:
        the adjusted ones in the given order.

    Raises:
        ValueError: a p-value below 0 or above 1.
    """
    return _adjusted(p, "fdr_by" if dependent else "fdr_bh")


def _p(difference: list[float], test: Test) -> float:
    from scipy import stats

    if not any(difference):
        return 1.0
    if test == "wilcoxon":
        return float(stats.wilcoxon(difference).pvalue)
    if test == "sign flips":
        import numpy as np

        from mtlib.seeds import derive

        flips = {"permutation_type": "samples", "n_resamples": FLIPS, "batch": 2**12, "vectorized": True}
        random = np.random.default_rng(derive("sign flips", len(difference)))
        return float(stats.permutation_test((difference,), np.mean, **flips, random_state=random).pvalue)
    if len(set(difference)) == 1:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nearly equal differences: precision is lost, p is 0
        return float(stats.ttest_1samp(difference, 0.0).pvalue)


def _adjusted(p: Sequence[float], method: str) -> list[float]:
    p = [float(value) for value in p]
    known = [value for value in p if not math.isnan(value)]
    if not all(0 <= value <= 1 for value in known):
        raise ValueError(f"p-values are from 0 to 1, got {[value for value in known if not 0 <= value <= 1]}")
    if not known:
        return p
    from statsmodels.stats.multitest import multipletests  # slow to import

    adjusted = iter(multipletests(known, method=method)[1].tolist())
    return [value if math.isnan(value) else next(adjusted) for value in p]
