"""Who hurts whom: the table of all pairs, and the partner that each attribute shall become blind to (Sec. 3.3)."""

from itertools import combinations

import torch
from torch import Tensor


def pairs(attributes: int) -> list[tuple[int, int]]:
    """All M (M - 1) / 2 unordered pairs (L-7), by place: one training of a pair tells of both directions.

    Raises:
        ValueError: fewer than two attributes.
    """
    if attributes < 2:
        raise ValueError(f"pairs need two or more attributes, got {attributes}")
    return list(combinations(range(attributes), 2))


def directed(both: Tensor, attributes: int) -> Tensor:
    """(..., M, M) scores by main attribute (row) and partner (column), of (..., pairs, 2); NaN on the diagonal.

    Args:
        both: scores of the first and the second of each pair, in the order of ``pairs``.

    Raises:
        ValueError: another number of pairs.
    """
    first, second = torch.tensor(pairs(attributes)).T
    if both.shape[-2:] != (len(first), 2):
        raise ValueError(f"{attributes} attributes have {len(first)} pairs of 2 scores, got {tuple(both.shape)}")
    found = both.new_full((*both.shape[:-2], attributes, attributes), torch.nan)
    found[..., first, second] = both[..., 0]
    found[..., second, first] = both[..., 1]
    return found


def transfer(single: Tensor, joint: Tensor) -> Tensor:
    """What each partner gives (+) or takes (-): (..., M, M) of ``joint`` less (..., M) of ``single``, by rows."""
    return joint - single.unsqueeze(-1)


def worst(gains: Tensor) -> list[int | None]:
    """The partner with the largest loss for every attribute, the first of equals; None where none loses (L-13).

    Args:
        gains: (M, M) by main attribute (row) and partner, as ``transfer`` gives them; NaN never counts.
    """
    filled = gains.nan_to_num(nan=torch.inf)
    lowest, at = filled.min(1)
    return [place if value < 0 else None for place, value in zip(at.tolist(), lowest.tolist(), strict=True)]


def negative(gains: Tensor) -> list[list[int]]:
    """All partners that take something from each attribute: Table 5."""
    return [row.nonzero().flatten().tolist() for row in gains < 0]
