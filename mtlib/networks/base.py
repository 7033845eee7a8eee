"""What all networks for images share: how bytes enter, and a last map before the features."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Pixels(nn.Module):
    """The first layer of a network for images: bytes (B, C, H, W) of 0 to 255 as floats of -1 to 1.

    So images travel and are kept as bytes, a quarter of the size. Floats pass as they are, which a network in double
    precision needs: bytes become single ones.

    Args:
        mean, std: one number per channel (or one for all) that bytes are normalised by once they are 0 to 1, such as
            ImageNet's, which pretrained weights need; 0.5 and 0.5 without.

    Raises:
        ValueError: one without the other, of different lengths, or a std that is not above 0.
    """

    middle: Tensor | float
    spread: Tensor | float

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        super().__init__()
        if mean is None and std is None:
            self.middle = self.spread = 127.5
            return
        if mean is None or std is None or len(mean) != len(std) or min(std, default=0) <= 0:
            raise ValueError(f"mean and std are one number per channel, std above 0; got mean={mean}, std={std}")
        # They are no part of the state: like a filter's size, they come with the architecture.
        self.register_buffer("middle", 255 * torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("spread", 255 * torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W), uint8 or floats, as floats."""
        if x.is_floating_point():
            return x
        x = x.float()  # not the caller's any more, so it is changed in place: a twentieth of a step of ``tiny``
        if isinstance(self.middle, float):
            return x.sub_(self.middle).div_(self.spread)
        return x.sub(self.middle).div_(self.spread)  # in an ensemble, the networks' means are more than the pictures


class Trunk(nn.Module):
    """A network in two parts: ``body`` makes the last map, ``neck`` makes features of it.

    Heads read the features. Class activation maps, pyramids of pools and probes of places read the map, ``spatial(x)``.
    A network of one's own becomes a trunk by ``Trunk(body, neck, channels=512, features=128)``.

    Args:
        body: (B, C, H, W) to (B, channels, h, w).  neck: (B, channels, h, w) to (B, features).
        channels, features: those widths.
    """

    def __init__(self, body: nn.Module, neck: nn.Module, channels: int, features: int) -> None:
        super().__init__()
        self.body, self.neck = body, neck
        self.channels, self.features = channels, features

    def spatial(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) to the last map (B, channels, h, w)."""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) to (B, features), what ``neck`` makes of the map."""
        return self.neck(self.spatial(x))
