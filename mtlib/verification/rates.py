"""Shares of pairs that match, with intervals over people; metrics.pairs has the curves."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.seeds import generator


@dataclass(frozen=True)
class Rate:
    """A share of pairs, with an interval over people: had others been photographed, where would it be?

    rate: 0 to 1, NaN without pairs.  low, high: ends of the interval.  pairs: how many.  people: in these pairs.

    The interval resamples people and not pairs, as pairs of one person are not independent: a pair of two people
    counts as often as both were drawn (the pigeonhole bootstrap; Owen 2007), one person's as often as she was. On
    made-up embeddings of 25 and of 100 people, 95 % intervals held the truth in 94 to 98 % of 120 trials. Where
    the rate is 0 or 1 resampling finds no spread. Then the open end is that of as many independent pairs as there can
    be, in which nobody is twice (Clopper and Pearson's).
    """

    rate: float
    low: float
    high: float
    pairs: int
    people: int


def false_match_rates(
    distances: Tensor,
    people: Tensor,
    groups: Tensor,
    threshold: float,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.05,
) -> dict[int, Rate]:
    """Per group, how many pairs of two people are taken for one, at the threshold that is everybody's.

    Args:
        distances: (P,).  people: (P, 2) whole numbers, who is on both pictures.
        groups: (P,) whole numbers: the group that both people are in; below 0 where they differ, and it does not count.
        threshold: pairs up to this distance count as one person, see ``threshold_at``.
        resamples, seed: of the interval.  level: how often it may miss.

    Raises:
        ValueError: shapes that do not fit, distances that are not finite, or a resamples or level that cannot be.
    """
    distances, people = _checked(distances, people, resamples, level)
    if groups.shape != distances.shape:
        raise ValueError(f"groups are ({len(distances)},), one per pair, got {tuple(groups.shape)}")
    groups, rates = groups.cpu(), {}
    for group in groups[groups >= 0].unique().tolist():
        own = (groups == group) & (people[:, 0] != people[:, 1])
        names, place = people[own].unique(return_inverse=True)
        n, match = len(names), (distances[own] <= threshold).double()
        if not n:
            rates[group] = Rate(math.nan, math.nan, math.nan, 0, 0)
            continue
        cells = place[:, 0] * n + place[:, 1]
        # Pairs of the same two people are counted together: of n people, n x n numbers and not one per pair.
        false, every = (torch.bincount(cells, weights, n * n).view(n, n) for weights in (match, torch.ones_like(match)))
        drawn = _resampled(n, resamples, seed)
        found = ((drawn @ false) * drawn).sum(1) / ((drawn @ every) * drawn).sum(1)
        rates[group] = _rate(match, found, n, n // 2, level)
    return rates


def true_match_rate(
    distances: Tensor,
    people: Tensor,
    false_match: float,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.05,
) -> Rate:
    """How many genuine pairs are recognised at a false-match rate; each resample has a threshold of its own.

    The rate is that of ``metrics.rate_at``. Arguments and errors as ``false_match_rates`` and ``threshold_at``.
    """
    distances, people = _checked(distances, people, resamples, level)
    threshold = threshold_at(distances, people, false_match)
    names, place = people.unique(return_inverse=True)
    genuine = place[:, 0] == place[:, 1]
    own, who = distances[genuine], place[genuine, 0]
    ordered, order = distances[~genuine].sort()
    one, other = place[~genuine][order].unbind(1)
    found = []
    for drawn in _resampled(len(names), resamples, seed):
        cumulative = (drawn[one] * drawn[other]).cumsum(0)
        if not cumulative[-1]:  # one person was drawn n times
            continue
        beyond = _first_beyond(ordered, cumulative / cumulative[-1], false_match)
        found.append((drawn[who] * (own < beyond)).sum() / drawn[who].sum())
    counted = len(who.unique())
    return _rate((own <= threshold).double(), torch.tensor(found, dtype=torch.double), counted, counted, level)


def threshold_at(distances: Tensor, people: Tensor, false_match: float) -> float:
    """The largest threshold at which at most a share ``false_match`` of the pairs of two people is taken for one.

    Raises:
        ValueError: as ``false_match_rates``, a share that is not from 0 to 1, or no pairs of one of the two kinds.
    """
    distances, people = _checked(distances, people)
    genuine = people[:, 0] == people[:, 1]
    if not 0 <= false_match <= 1:
        raise ValueError(f"a false-match rate is from 0 to 1, got {false_match!r}")
    if genuine.all() or not genuine.any():
        raise ValueError("needs pairs of one person and pairs of two; there are only those of one kind")
    ordered = distances[~genuine].sort().values
    share = torch.arange(1, len(ordered) + 1, dtype=torch.double) / len(ordered)
    return math.nextafter(_first_beyond(ordered, share, false_match), -math.inf)


def _first_beyond(ordered: Tensor, share: Tensor, allowed: float) -> float:
    """The first of the ascending distances up to which the share is above what is allowed; infinite without one."""
    place = int(torch.searchsorted(share, allowed, right=True))
    return ordered[place].item() if place < len(ordered) else math.inf


def _resampled(n: int, resamples: int, seed: int) -> Tensor:
    """(resamples, n) how often each of n people is drawn in n draws."""
    draws = torch.randint(max(n, 1), (resamples, n), generator=generator("people", seed, n))
    return torch.zeros(resamples, n, dtype=torch.double).scatter_add_(
        1, draws, torch.ones(1, 1).double().expand_as(draws)
    )


def _rate(match: Tensor, found: Tensor, people: int, independent: int, level: float) -> Rate:
    """The rate of (P,) matches, with its interval from the resampled rates, NaN where a resample has no pair."""
    found = found[~found.isnan()]
    ends = found.quantile(torch.tensor([level / 2, 1 - level / 2], dtype=torch.double)) if len(found) else (0.0, 1.0)
    rate, (low, high) = match.mean().item(), map(float, ends)
    if rate in (0, 1):
        open_end = (level / 2) ** (1 / independent)
        low, high = (0.0, 1 - open_end) if rate == 0 else (open_end, 1.0)
    return Rate(rate, low, high, len(match), people)


def _checked(distances: Tensor, people: Tensor, resamples: int = 1, level: float = 0.05) -> tuple[Tensor, Tensor]:
    """Double precision on the CPU."""
    if distances.ndim != 1 or people.shape != (len(distances), 2):
        raise ValueError(f"needs (P,) distances and (P, 2) people, got {tuple(distances.shape)}, {tuple(people.shape)}")
    if not distances.isfinite().all():
        raise ValueError("distances must be finite")
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"needs resamples of 1 or more and a level between 0 and 1, got {resamples!r} and {level!r}")
    return distances.detach().double().cpu(), people.cpu()
