"""Do maps show the right place? Pointing game and overlap with masks, beside chance and beside the picture's centre.

Every score is of one map and one mask, (B, n); NaN where the mask has no pixel, as of an attribute that nothing draws.
Equal pixels share: nearest neighbours make a map of blocks, and which pixel of a block comes first means nothing.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIGMA = 0.25  # of the centred map, in sides of the picture
SCORES = ("pointing", "mass", "overlap")


def pointing(maps: Tensor, masks: Tensor, tolerance: int = 0) -> Tensor:
    """The pointing game (Zhang et al. 2016): is the map's maximum inside the mask?

    Of several maxima, the share that is inside.

    Args:
        maps: (B, n, H, W).  masks: (B, n, H, W) bool.
        tolerance: pixels by which the maximum may miss, to either side and up or down.

    Returns:
        (B, n) float64 from 0 to 1.

    Raises:
        ValueError: shapes or types that do not fit, a map that is not finite, or a negative tolerance.
    """
    maps, masks = _checked(maps, masks)
    if not isinstance(tolerance, int) or tolerance < 0:
        raise ValueError(f"tolerance must be a whole number of pixels, 0 or more, got {tolerance!r}")
    wide = masks
    if tolerance:
        wide = F.max_pool2d(masks.float(), 2 * tolerance + 1, 1, tolerance).bool()
    top = maps == maps.amax((2, 3), keepdim=True)
    return _where_drawn((top & wide).sum((2, 3)).double() / top.sum((2, 3)), masks)


def mass(maps: Tensor, masks: Tensor) -> Tensor:
    """The share of the map's positive part that lies inside the mask.

    A map without a positive part points nowhere, and counts as one that is the same everywhere. Arguments, returns
    and errors as ``pointing``.
    """
    maps, masks = _checked(maps, masks)
    positive = maps.double().clamp(min=0)
    positive = torch.where(positive.amax((2, 3), keepdim=True) > 0, positive, 1.0)
    return _where_drawn((positive * masks).sum((2, 3)) / positive.sum((2, 3)), masks)


def overlap(maps: Tensor, masks: Tensor) -> Tensor:
    """Intersection over union of the mask and as many pixels, those where the map is largest.

    Where more pixels are equal than there is room for, each counts in part. Arguments, returns and errors as
    ``pointing``.
    """
    maps, masks = _checked(maps, masks)
    flat, inside = maps.flatten(2), masks.flatten(2)  # B n P
    area = inside.sum(2, keepdim=True)
    ordered = flat.sort(2, descending=True).values
    last = ordered.gather(2, (area - 1).clamp(min=0))  # the value that the last of the |mask| largest has
    above, equal = flat > last, flat == last
    part = (area - above.sum(2, keepdim=True)) / equal.sum(2, keepdim=True).double()  # of each equal pixel
    common = (above & inside).sum(2) + part.squeeze(2) * (equal & inside).sum(2)
    return _where_drawn(common / (2 * area.squeeze(2) - common), masks)


def centre(size: tuple[int, int], sigma: float = SIGMA) -> Tensor:
    """A map (H, W) that knows nothing of the picture: a Gaussian about its centre, 1 there.

    Args:
        size: (H, W).  sigma: its standard deviation in sides of the picture, above 0.

    Raises:
        ValueError: another sigma.
    """
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma is a share of the picture's side above 0, got {sigma!r}")
    # The pixels' centres, from -1/2 to 1/2; from whole numbers, so that both halves are equal to the last bit.
    y, x = (torch.arange(1 - length, length, 2).double() / (2 * length) for length in size)
    return torch.exp(-(y.square().unsqueeze(1) + x.square()) / (2 * sigma**2))


def localise(
    maps: Tensor, masks: Tensor, tolerance: int = 0, where: Tensor | None = None, sigma: float = SIGMA
) -> dict[str, Tensor]:
    """All scores of all maps, each beside chance and beside the centred map.

    Chance is what a map has that is the same everywhere. For pointing it is the exact chance of a pixel picked at
    random: the mask's share a of the picture, widened by the tolerance. For mass it is a as well: what a map with its
    pixels shuffled has on average. For the overlap it is a / (2 - a): as many pixels as the mask has, picked at random,
    meet a of it on average.

    Args:
        maps: (B, n, H, W) at the masks' size, see ``maps.upsample``.  masks: (B, n, H, W) bool.
        tolerance: see ``pointing``.  sigma: see ``centre``.
        where: (B, n) bool, which maps count, such as those of faces that have the attribute; all by default.

    Returns:
        {score: (B, n)} float64 for "pointing", "mass", "overlap", then "... by chance" and "... of the centre" of
        each; NaN where the mask has no pixel or the map does not count. Batches can be joined with ``torch.cat``.

    Raises:
        ValueError: as ``pointing`` and ``centre``, or ``where`` is not (B, n) bool.
    """
    maps, masks = _checked(maps, masks)
    if where is None:
        where = torch.ones(masks.shape[:2], dtype=torch.bool, device=masks.device)
    if where.shape != masks.shape[:2] or where.dtype != torch.bool:
        raise ValueError(f"where is {tuple(masks.shape[:2])} bool, got {tuple(where.shape)} of {where.dtype}")
    masks = masks & where[..., None, None].to(masks.device)
    blob = centre(masks.shape[-2:], sigma).to(masks.device)
    shown = {"": maps, " by chance": torch.ones_like(blob), " of the centre": blob}
    scores = {}
    for what, shape in shown.items():
        each = shape.expand(masks.shape)
        found = (pointing(each, masks, tolerance), mass(each, masks), overlap(each, masks))
        scores |= {f"{name}{what}": score for name, score in zip(SCORES, found, strict=True)}
    return scores


def summarise(scores: dict[str, Tensor]) -> dict[str, Tensor]:
    """Means over faces: {"faces": (n,), "left out": (n,), score: (n,)}, whole numbers and float64.

    Left out are faces without a pixel of the attribute's mask, and those that do not count. An attribute without any
    face has NaN.

    Args:
        scores: {score: (B, n)} as ``localise`` gives them.
    """
    some = next(iter(scores.values()))
    there = ~some.isnan()
    counts = {"faces": there.sum(0), "left out": (~there).sum(0)}
    return counts | {name: score.nanmean(0) for name, score in scores.items()}


def _checked(maps: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    if maps.ndim != 4 or maps.shape != masks.shape or masks.dtype != torch.bool:
        raise ValueError(
            "needs maps and bool masks, both (B, n, H, W); "
            f"got {tuple(maps.shape)}, and {tuple(masks.shape)} of {masks.dtype}"
        )
    if not maps.isfinite().all():
        raise ValueError("maps must be finite")
    return maps.detach(), masks.to(maps.device)


def _where_drawn(score: Tensor, masks: Tensor) -> Tensor:
    """NaN in place of the score of an empty mask."""
    return torch.where(masks.any(3).any(2), score.double(), torch.nan)
