"""Drawn faces: from a face's number to its picture and everything that is true of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from mtlib.faces.interventions import without
from mtlib.faces.landmarks import landmarks
from mtlib.faces.parts import MOVED, PARTS
from mtlib.faces.photo import expose, reach
from mtlib.faces.population import people
from mtlib.faces.portrait import paint, sit
from mtlib.faces.structure import load

DRAWING = 2  # raised when the same face is drawn otherwise
SMALLEST, LARGEST = 32, 256
PIXELS = 2**20  # painted at a time on the CPU: fewer, and calling torch takes as long as the painting
VISIBLE = 1 / 32  # of a pixel's colour, at least, for it to belong to a mask

Do = Mapping[str, int | str]


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces and what is true of them.

    index: (n,) the faces' numbers.  seed, size, do: what they were drawn with.
    images: (n, 3, size, size) uint8.  attributes: (n, 40) int8, 0 or 1, in the order of ``names.ATTRIBUTES``.
    identity: (n,) int64.  expression: (n,) int64, place in ``names.EXPRESSIONS``.
    action_units: (n, 17) int8 in the order of ``names.ACTION_UNITS``.
    landmarks: (n, 72, 2) float32 x, y in pixels, see ``names.LANDMARKS``.  skin_tone: (n,) from 0 light to 1 dark.
    margin: (n, 40) float64, the appearance behind the labels: positive is drawn as having the attribute.
    """

    index: Tensor
    seed: int
    size: int
    do: Do
    images: Tensor
    attributes: Tensor
    identity: Tensor
    expression: Tensor
    action_units: Tensor
    landmarks: Tensor
    skin_tone: Tensor
    margin: Tensor

    @property
    def bound(self) -> Tensor:
        """(40,) the best accuracy that anybody can have who sees the appearance but not the annotators' noise."""
        return load().bound.to(self.images.device, copy=True)

    def mask(self, attribute: str) -> Tensor:
        """(n, size, size) bool: visible pixels that this attribute draws, whether it is there or not.

        It is what ``do`` on the attribute can change. No pixel for Attractive, every pixel for Blurry.

        Raises:
            ValueError: an unknown attribute.
        """
        if attribute not in PARTS:
            raise ValueError(f"unknown attribute {attribute!r}; there are {', '.join(PARTS)}")
        if attribute == "Blurry":
            return torch.ones_like(self.images[:, 0], dtype=torch.bool)
        chunks = self.index.split(_chunk(self.size, self.index.device))
        return torch.cat([self._mask(chunk, attribute) for chunk in chunks])

    def _mask(self, index: Tensor, attribute: str) -> Tensor:
        if not PARTS[attribute]:
            return torch.zeros(len(index), self.size, self.size, dtype=torch.bool, device=index.device)
        done = without(self.do, attribute)
        subjects = [sit(people(index, self.seed, {**done, attribute: value})) for value in (0, 1)]
        off, on = (paint(subject, self.size, PARTS[attribute]).seen for subject in subjects)
        seen = ((on - off).abs() if attribute in MOVED else torch.maximum(off, on)) > VISIBLE
        blurred = subjects[0].photo.blur > 0  # out of focus, a part reaches further
        wide = max_pool2d(seen.unsqueeze(1).float(), 4 * reach(self.size) + 1, 1, 2 * reach(self.size)).squeeze(1) > 0
        return torch.where(blurred.view(-1, 1, 1), wide, seen)


def draw(
    index: Tensor | Collection[int] | range | int,
    seed: int = 0,
    size: int = 64,
    do: Do | None = None,
    device: torch.device | str | None = None,
) -> Faces:
    """Face number i of a seed, the same bit for bit in every batch and order.

    Args:
        index: the faces' numbers, 0 to 2**31 - 1; an int n stands for that one face. Neighbours are often one person:
            every hundred numbers are five people, 0, 100, 200 and so on are all different ones.
        seed: another seed is another population.
        size: pixels, 32 to 256.
        do: what is set by hand, {attribute: 0 or 1}, {"AU12": 1} or {"expression": "anger"}; the rest stays.
        device: where to draw; the index' own, or the CPU.

    Raises:
        ValueError: a number, size, attribute or value that there is not.
    """
    index = _index(index, device)
    if not (isinstance(size, Integral) and SMALLEST <= size <= LARGEST):
        raise ValueError(f"faces are drawn at {SMALLEST} to {LARGEST} pixels, got size={size!r}")
    if not isinstance(seed, Integral):
        raise ValueError(f"the seed is a whole number, got {seed!r}")
    seed, size = int(seed), int(size)
    do = dict(do or {})
    chunks = [_draw(part, seed, size, do) for part in index.split(_chunk(size, index.device))]
    together = {key: torch.cat([chunk[key] for chunk in chunks]) for key in chunks[0]}
    return Faces(index=index, seed=seed, size=size, do=do, **together)


def _index(index: Tensor | Collection[int] | range | int, device: torch.device | str | None) -> Tensor:
    if isinstance(index, Integral):
        index = [int(index)]
    index = torch.as_tensor(list(index) if isinstance(index, range) else index)
    if not index.numel():
        raise ValueError("there is no face to draw: the index is empty")
    if index.ndim != 1 or index.is_floating_point() or index.dtype == torch.bool:
        raise ValueError(f"faces are named by whole numbers (n,), got {tuple(index.shape)} of {index.dtype}")
    index = index.to(torch.int64)  # a narrow tensor could not be compared with the limit
    if index.min() < 0 or index.max() >= 2**31:
        raise ValueError(f"face numbers go from 0 to 2**31 - 1, got {index.min()} to {index.max()}")
    return index if device is None else index.to(device)


def _chunk(size: int, device: torch.device) -> int:
    """Faces to paint together."""
    return max(1, PIXELS // size**2) * (64 if device.type == "cuda" else 1)


def _draw(index: Tensor, seed: int, size: int, do: Do) -> dict[str, Tensor]:
    who = people(index, seed, do)
    subject = sit(who)
    return {
        "images": expose(paint(subject, size), subject.photo),
        "attributes": who.attributes,
        "identity": who.identity,
        "expression": who.expression,
        "action_units": who.action_units,
        "landmarks": landmarks(subject, size),
        "skin_tone": who.skin_tone,
        "margin": who.margin,
    }
