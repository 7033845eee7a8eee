"""What distances between faces say: ROC curve, equal error rate, and false matches by skin tone. Rates in per cent."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.metrics.pairs import verification
from mtlib.verification import Rate, distances, every_pair, false_match_rates, threshold_at

POINTS = 40
# False-match rates from 1/1000 to 1, evenly spaced by their logarithm; 1/100 and 1/10 are among them.
GRID = tuple(round(10 ** (-3 + 3 * k / (POINTS - 1)), 6) for k in range(POINTS))
TONES = ("light", "middle", "dark")
EVERYBODY = 0.01  # false-match rate of all pairs, which sets the threshold that groups are compared at
AT_ONCE = 4096  # pairs whose difference is held in memory
DIGITS = 4


@dataclass(frozen=True)
class Compared:
    """Pairs of pictures: distances (P,), people (P, 2) who is on them, first and second (P,) rows of the pictures."""

    distances: Tensor
    people: Tensor
    first: Tensor
    second: Tensor

    @property
    def same(self) -> Tensor:
        """(P,) 1 for one person, 0 for two."""
        return (self.people[:, 0] == self.people[:, 1]).long()


def chosen(who: Tensor, each: int, most: int) -> Tensor:
    """Rows (n,) of the first ``each`` pictures of the first ``most`` people who have so many, person after person.

    Args:
        who: (N,) whole numbers; below 0 it is not known, and the row is left out.

    Raises:
        ValueError: fewer than two people with so many pictures, of whom no pair of two could be made.
    """
    order = who.argsort(stable=True)
    order = order[who[order] >= 0]
    _, counts = who[order].unique_consecutive(return_counts=True)
    enough = (counts >= each).nonzero().flatten()[:most]
    if len(enough) < 2:
        raise ValueError(f"pairs need two people or more with {each} pictures of each, got {len(enough)}")
    starts = (counts.cumsum(0) - counts)[enough]
    return order[(starts.unsqueeze(1) + torch.arange(each)).flatten()]


def pixels(x: Tensor) -> Tensor:
    """Pictures (N, C, H, W) of bytes as vectors (N, C H W) of numbers from 0 to 1: what no network has seen."""
    return x.cpu().flatten(1).float() / 255


def apart(z: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Distances (P,) between the rows first (P,) and second (P,) of z (N, d), a part at a time."""
    parts = zip(first.split(AT_ONCE), second.split(AT_ONCE), strict=True)
    return torch.cat([distances(z, one, other) for one, other in parts])


def all_pairs(z: Tensor, who: Tensor) -> Compared:
    """All pairs of N pictures with embeddings z (N, d) of people who (N,)."""
    first, second, _ = every_pair(who)
    return Compared(apart(z, first, second), torch.stack([who[first], who[second]], 1), first, second)


def scored(distances: Tensor, same: Tensor) -> dict[str, object]:
    """What (P,) distances tell of who is the same (P,) 1 or 0.

    Returns:
        "AUC", "equal error rate", "true match at 1 %" and "true match at 0.1 %" (of genuine pairs, where so many of the
        impostor pairs are taken for one person), all per cent; "roc": the true-match rate, 0 to 1, at every
        false-match rate of ``GRID``; "pairs": how many.

    Raises:
        ValueError: as ``metrics.pairs.verification``.
    """
    found = verification(distances, same, rates=(0.01, 0.001))
    return {
        "AUC": 100 * found["AUC"],
        "equal error rate": 100 * found["equal error rate"],
        "true match at 1 %": 100 * found["TPR at FPR 0.01"],
        "true match at 0.1 %": 100 * found["TPR at FPR 0.001"],
        "roc": [round(value, DIGITS) for value in curve(distances, same).tolist()],
        "pairs": len(distances),
    }


def curve(distances: Tensor, same: Tensor, grid: tuple[float, ...] = GRID) -> Tensor:
    """The largest true-match rate at each false-match rate of the grid: that of ``metrics.rate_at``, in one pass.

    Args:
        distances: (P,).  same: (P,) 1 or 0, both kinds.
    """
    genuine, impostor = (distances[same == kind].double().sort().values for kind in (1, 0))
    share = torch.arange(1, len(impostor) + 1, dtype=torch.double) / len(impostor)
    place = torch.searchsorted(share, torch.tensor(grid, dtype=torch.double), right=True)
    beyond = torch.cat([impostor, impostor.new_tensor([math.inf])])[place]  # the first distance that is too far
    return torch.searchsorted(genuine, beyond) / len(genuine)


def by_tone(found: Compared, tone: Tensor, resamples: int = 1000) -> dict[str, object]:
    """How often two people are taken for one, where both are of one third of the people by skin tone.

    Everybody has the same threshold, the one at which 1 % of all pairs of two people match.

    Args:
        tone: (N,) of the pictures, the same on all pictures of a person.  resamples: of the intervals over people.

    Returns:
        "false match by tone": {"light", "middle", "dark": {"rate", "low", "high" (per cent, with its 95 % interval over
        people, None without pairs), "pairs"}}; "within groups": the same of all three together.
    """
    thirds = tone_groups(found, tone)
    limit = threshold_at(found.distances, found.people, EVERYBODY)
    arguments = (found.distances, found.people)
    apart = false_match_rates(*arguments, thirds, limit, resamples=resamples)
    together = false_match_rates(*arguments, thirds.clamp(max=0), limit, resamples=resamples)
    named = {name: _plain(apart[k]) for k, name in enumerate(TONES) if k in apart}
    return {"false match by tone": named, "within groups": _plain(together[0])}


def tone_groups(found: Compared, tone: Tensor) -> Tensor:
    """The third (P,) that both people of a pair are in, 0 light to 2 dark; -1 where they are in two.

    Thirds of the people, not of the pictures.

    Raises:
        ValueError: a person with two tones.
    """
    tone = tone.double()
    every, place = found.people.flatten().unique(return_inverse=True)
    each = torch.stack([tone[found.first], tone[found.second]], 1).flatten()
    own = torch.zeros(len(every), dtype=torch.double).scatter_(0, place, each)
    if not torch.equal(own[place], each):
        raise ValueError("a skin tone belongs to a person: the same number on all pictures of one")
    rank = own.argsort(stable=True).argsort()
    group = (rank * len(TONES) // len(every))[place].view(-1, 2)  # P 2
    return torch.where(group[:, 0] == group[:, 1], group[:, 0], -1)


def _plain(rate: Rate) -> dict[str, float | int | None]:
    ends = {"rate": rate.rate, "low": rate.low, "high": rate.high}
    told = {name: round(100 * value, DIGITS) if math.isfinite(value) else None for name, value in ends.items()}
    return told | {"pairs": rate.pairs}
