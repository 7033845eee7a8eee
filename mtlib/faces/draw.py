"""Drawn faces: from a face's number to its picture and everything that is true of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from mtlib.faces.interventions import without
from mtlib.faces.landmarks import landmarks
from mtlib.faces.parts import MOVED, PARTS
from mtlib.faces.photo import expose, reach
from mtlib.faces.population import each, people
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
        return self.masks([attribute])[:, 0]

    def masks(self, attributes: Sequence[str]) -> Tensor:
        """(n, len(attributes), size, size) bool: each ``mask``, for few faces much faster than one by one.

        Raises:
            ValueError: an unknown attribute.
        """
        for attribute in attributes:
            if attribute not in PARTS:
                raise ValueError(f"unknown attribute {attribute!r}; there are {', '.join(PARTS)}")
        found = torch.zeros(len(self.index), len(attributes), *self.images.shape[2:], dtype=torch.bool)
        found = found.to(self.images.device)
        blurry = [k for k, attribute in enumerate(attributes) if attribute == "Blurry"]
        found[:, blurry] = True
        drawn = [k for k, attribute in enumerate(attributes) if PARTS[attribute] and attribute != "Blurry"]
        chunk = _chunk(self.size, self.index.device)
        for rows in torch.arange(len(self.index), device=self.index.device).split(chunk):
            together = max(1, chunk // (2 * len(rows)))
            for first in range(0, len(drawn), together):
                some = drawn[first : first + together]
                columns = torch.tensor(some, device=rows.device)
                found[rows.unsqueeze(1), columns] = self._masks(self.index[rows], [attributes[k] for k in some])
        return found

    def _masks(self, index: Tensor, attributes: Sequence[str]) -> Tensor:
        n, dos = len(index), [{**without(self.do, name), name: value} for name in attributes for value in (0, 1)]
        subject = sit(each(index, self.seed, dos))
        drawing = torch.arange(len(attributes), device=index.device).repeat_interleave(2 * n).view(-1, 1, 1)
        track: dict[str, Tensor] = {}
        for k, name in enumerate(attributes):
            for part in PARTS[name]:
                track[part] = (drawing == k) | track[part] if part in track else drawing == k
        seen = paint(subject, self.size, track).seen.view(len(attributes), 2, n, self.size, self.size)
        off, on = seen.unbind(1)  # attributes n H W
        moved = torch.tensor([name in MOVED for name in attributes], device=index.device).view(-1, 1, 1, 1)
        seen = torch.where(moved, (on - off).abs(), torch.maximum(off, on)) > VISIBLE
        blurred = subject.photo.blur.view(len(attributes), 2, n)[:, 0] > 0  # out of focus, a part reaches further
        wide = max_pool2d(seen.float(), 4 * reach(self.size) + 1, 1, 2 * reach(self.size)) > 0
        return torch.where(blurred.unsqueeze(-1).unsqueeze(-1), wide, seen).transpose(0, 1)


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


def pictures(index: Tensor, seed: int, size: int, dos: Sequence[Do]) -> Iterator[Tensor]:
    """``draw(index, seed, size, do).images`` for each ``do``; of few faces, much faster than one by one."""
    together = max(1, _chunk(size, index.device) // len(index))
    for first in range(0, len(dos), together):
        some = dos[first : first + together]
        if len(some) == 1:
            yield draw(index, seed, size, some[0]).images
        else:
            subject = sit(each(index, seed, some))
            yield from expose(paint(subject, size), subject.photo).split(len(index))


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
