"""Effect or selection? What each choice gains on the data that it was made on, on test data, and by chance.

Every function takes ``pair_summary.Found`` of one seed and gives points of accuracy, averaged over the attributes, as
(validation, test). The choice is made on validation; the second number had no say in it (L-6).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtlib.adversarial import transfer, worst
from mtlib.experiments.pair_summary import Found

Gain = tuple[float, float]  # on validation, on test; in points
VALIDATION, TEST = 0, 1


def base(one: Found) -> Tensor:
    """(M, 2) the first single network of every attribute."""
    return one.single[0]


def gains(one: Found) -> Tensor:
    """(M, M, 2) what each partner gives or takes, over the first single network."""
    return torch.stack([transfer(base(one)[:, k], one.pair[..., k]) for k in (VALIDATION, TEST)], -1)


def steady_gains(one: Found) -> Tensor:
    """(M, M) on the test set, over the mean of all single networks: the estimate with the least noise."""
    return transfer(one.single[..., TEST].mean(0), one.pair[..., TEST])


# ------------------------------------------------------------------ the worst partner


def worst_partner(one: Found) -> Gain:
    """What the partner takes that is worst on validation; nothing where none takes anything (L-13)."""
    return _lowest(gains(one).nan_to_num(nan=torch.inf).movedim(1, 0))


def worst_replicate(one: Found) -> Gain:
    """The same by chance: as many single networks as there are partners, and the worst of them."""
    m = one.single.shape[1]
    return _lowest(one.single[1:m] - base(one))


def _lowest(values: Tensor) -> Gain:
    """(candidates, M, 2) -> mean over attributes of the candidate that is lowest on validation, if it is below 0."""
    at = values[..., VALIDATION].argmin(0)  # M
    taken = values.gather(0, at[None, :, None].expand(1, -1, 2))[0]  # M 2
    taken = taken * (taken[:, :1] < 0)
    return tuple(taken.mean(0).tolist())


def elsewhere(seeds: Sequence[Found]) -> list[float]:
    """What the worst partners of all other seeds take on each seed's test data: one value per seed that judges.

    By the seed that chooses, values would share the data of all that judge, and their interval be too narrow.
    """
    chosen = [worst(gains(one)[..., VALIDATION]) for one in seeds]
    values = []
    for k, one in enumerate(seeds):
        own = steady_gains(one)  # M M
        taken = [
            sum(own[a, b].item() for a, b in enumerate(partner) if b is not None) / len(partner)
            for partner in chosen[:k] + chosen[k + 1 :]
        ]
        values.append(sum(taken) / len(taken))
    return values


# ------------------------------------------------------------------ lambda


def filled(one: Found, arm: str) -> Tensor:
    """(lambdas, M, 2) an arm's accuracies, the single network's where an attribute has no partner (L-13)."""
    values = one.arms[arm]
    return torch.where(values.isnan(), base(one), values)


def chosen(values: Tensor, each: bool = False) -> tuple[Tensor, Tensor]:
    """The candidate with the best validation accuracy: (M, 2) its accuracies, (M,) its place.

    Args:
        values: (candidates, M, 2).  each: every attribute for itself; else one for all, by the mean (L-5).
    """
    scores = values[..., VALIDATION]
    at = scores.argmax(0) if each else scores.mean(1).argmax().expand(values.shape[1])
    return values.gather(0, at[None, :, None].expand(1, -1, 2))[0], at


def arm_gain(one: Found, arm: str, each: bool = False) -> Gain:
    """An adversarial arm over the first single network, its lambda chosen on validation."""
    return over(chosen(filled(one, arm), each)[0], base(one))


def replicate_gains(one: Found, candidates: int, each: bool = False) -> list[Gain]:
    """The same by chance: so many single networks in place of so many lambdas, over one more; all whole groups."""
    found = []
    for group in one.single.split(candidates + 1):
        if len(group) == candidates + 1:
            found.append(over(chosen(group[1:], each)[0], group[0]))
    return found


def over(first: Tensor, second: Tensor) -> Gain:
    """The mean difference of two (M, 2)."""
    return tuple((first - second).mean(0).tolist())
