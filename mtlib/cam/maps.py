"""Class activation maps: a linear head on averaged maps is an average of maps itself (Eqs. 15 and 16 of MTFAP)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.lazy import Lazy
from mtlib.networks import Trunk


class Average(nn.Module):
    """The mean over places, (B, K, h, w) to (B, K): global average pooling."""

    def forward(self, g: Tensor) -> Tensor:
        """The means G_k of the maps g_k."""
        return g.mean((2, 3))


def pooled(trunk: Trunk) -> Trunk:
    """The trunk with its last map averaged in place of what its neck makes of it: features are the map's channels.

    The body is shared with the given trunk, not copied. ``vgg16``, the ResNets and ``densenet121`` average already.
    Of 64 pixels ``tiny`` leaves 32 features of an 8 x 8 map, ``small`` 128 of 4 x 4.

    Raises:
        ValueError: no Trunk.
    """
    if not isinstance(trunk, Trunk):
        raise ValueError(f"pooled: needs a Trunk, which has a last map, got {type(trunk).__name__}")
    return Trunk(trunk.body, Average(), trunk.channels, trunk.channels)


@torch.no_grad()
def cam(network: nn.Module, weights: Tensor, x: Tensor | Lazy, rows: int = 256) -> Tensor:
    """Eq. (16): A_c(x, y) = sum_k w_kc g_k(x, y) of the maps g_k that the features are averages of.

    By Eq. (15) the sum of A_c over the h w places is the logit as printed. The layer averages, so with trained
    weights the *mean* of A_c over places is the logit, less the bias if the head has one (M-21). Evaluated in
    evaluation mode; afterwards each module is in the mode that it was in.

    Args:
        network: a trunk, or a method that has one as ``trunk``; its features must be the mean of its last map.
        weights: (K,) or (K, n) of the linear heads: ``method.weights()``, or an ``nn.Linear``'s ``weight.T``.
        x: (B, C, H, W) images.  rows: how many are put through the network at a time.

    Returns:
        (B, n, h, w), with n = 1 for weights (K,).

    Raises:
        ValueError: no last map, features that are not its mean, weights that do not fit, or rows below 1.
    """
    trunk = trunk_of(network)
    if weights.ndim not in (1, 2) or len(weights) != trunk.channels:
        wanted = f"({trunk.channels},) or ({trunk.channels}, n)"
        raise ValueError(f"cam: weights of {trunk.channels} maps are {wanted}, got {tuple(weights.shape)}")
    w = weights.detach().view(trunk.channels, -1)  # K n
    parts = []
    with evaluating(trunk):
        for images in parts_of(trunk, x, rows):
            g = trunk.spatial(images)  # B K h w
            _check_average(trunk, g)
            parts.append(torch.einsum("bkhw,kn->bnhw", g, w.to(g.device, g.dtype)))
    return torch.cat(parts)


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (B, n, h, w) at the size (H, W) of the images, (B, n, H, W): every pixel has its nearest place's value."""
    return F.interpolate(maps, tuple(size), mode="nearest-exact")  # centres of pixels; plain "nearest" is shifted


def trunk_of(network: nn.Module) -> Trunk:
    """The trunk itself, or the one that a method has.

    Raises:
        ValueError: there is none with a last map.
    """
    trunk = network if isinstance(network, Trunk) else getattr(network, "trunk", None)
    if not isinstance(trunk, Trunk):
        found = type(network if trunk is None else trunk).__name__
        raise ValueError(f"needs a Trunk, or a method whose trunk is one: {found} has no last map")
    return trunk


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Within the block every module is in evaluation mode; afterwards each is as it was."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def parts_of(network: nn.Module, x: Tensor | Lazy, rows: int) -> Iterator[Tensor]:
    """The images ``rows`` at a time, where the network is.

    Raises:
        ValueError: rows below 1, or no images.
    """
    if rows < 1 or x.ndim != 4 or not len(x):
        raise ValueError(f"needs rows of 1 or more and images (B, C, H, W), got rows={rows}, x of {tuple(x.shape)}")
    like = next(network.parameters(), None)
    for images in x.split(rows):
        yield images if like is None else images.to(like.device)


def _check_average(trunk: Trunk, g: Tensor) -> None:
    features, average = trunk.neck(g), g.mean((2, 3))
    if features.shape != average.shape or not torch.allclose(features, average, rtol=1e-3, atol=1e-5):
        raise ValueError(
            f"cam: this trunk's {trunk.features} features are not the means of its {trunk.channels} maps, so Eq. (15) "
            "does not hold; train with pooled(trunk), or use grad_cam"
        )
