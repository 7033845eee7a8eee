"""Pictures changed at random while training: mirrored, moved, turned, scaled, mixed; their labels go with them.

A whole batch at a time, where it lies, and a pure function of (seed, step) and a row's place in the batch, whatever
device or process holds it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Beta

from mtlib.lazy import sent
from mtlib.seeds import generator, seeded
from mtlib.tasks import Batch, Split, Task

# name: (lowest, highest), both allowed
RANGES = {"flip": (0, 1), "rotate": (0, 180), "scale": (0, 0.9), "shift": (0, 1), "mixup": (0, math.inf)}
# A row's random numbers, drawn whether wanted or not: switching one setting on leaves what the others do as it is.
DRAWN = ("flip", "right", "down", "angle", "size", "shift right", "shift down", "share", "coin", "partner")
_COLUMN = {name: column for column, name in enumerate(DRAWN)}


@dataclass(frozen=True)
class Augment:
    """What is done to training pictures (B, C, H, W), uint8 or floating; every setting is off at 0.

    A picture is mirrored, turned and scaled about its middle, and moved, in this order; beyond its edge lies its
    outermost pixel, so that bytes and their normalised values are treated alike. Flip and crop alone copy pixels;
    with ``rotate``, ``scale`` or ``shift`` all is one bilinear interpolation (bytes are rounded at the end). Labels
    that name a side of the picture are not changed by ``flip``: leave it off for them.

    Mix-up (Zhang et al. 2018, arXiv:1710.09412) is done last: x = s x1 + (1 - s) x2, with s ~ Beta(mixup, mixup) of
    each row's own, for the average over a batch then varies less than with one s for all, and x2 the rows of the
    batch in another order. Labels stay whole numbers: a row takes all its labels, missing ones too, and its source
    from its first picture with probability s, else from its second. So relations between labels stay true, and a
    mean of losses over rows is in expectation mix-up's s L(y1) + (1 - s) L(y2). It takes inputs of any shape.

    Args:
        flip: probability of left and right being exchanged.
        crop: pixels moved at most to each side, whole ones: padding by as much and cutting at random.
        rotate: degrees turned at most to each side.
        scale: 0.1 makes everything up to a tenth smaller or larger.
        shift: moved at most by this share of the width to each side, and of the height.
        mixup: parameter of the Beta distribution; 1 is uniform, 0.2 leaves most pictures nearly alone.
        positions: {name: order} of tasks of kind ``points`` whose columns are places x1, y1, x2, ... in the picture,
            as fractions: -1 its left or upper edge, 1 its right or lower one. They move along; with one of its two
            numbers missing, a point is missing. ``order`` says which point stands for which in a mirrored picture:
            (1, 0) for the left and the right eye; None where no point has a side.
        unmoved: names of tasks of kind ``points`` that are no places: ages, say.

    Raises:
        ValueError: a setting out of its range, or an order that is none, named.
    """

    flip: float = 0.0
    crop: int = 0
    rotate: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    mixup: float = 0.0
    positions: Mapping[str, Sequence[int] | None] = field(default_factory=dict)
    unmoved: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not known or not low <= value <= high:
                raise ValueError(f"augment: {name} must be a number from {low} to {high}, got {value!r}")
        if not isinstance(self.crop, int) or isinstance(self.crop, bool) or self.crop < 0:
            raise ValueError(f"augment: crop must be a whole number of pixels, 0 or more, got {self.crop!r}")
        if not isinstance(self.positions, Mapping):
            raise ValueError(f"augment: positions are {{task: order of its points}}, got {self.positions!r}")
        for name, order in self.positions.items():
            if order is not None and not _exchanges(order):
                raise ValueError(
                    f"augment: positions of {name!r}: the order says for every point which one stands for it in a "
                    f"mirrored picture, and back: (1, 0) for two eyes, or None; got {order!r}"
                )
        if isinstance(self.unmoved, str):
            raise ValueError(f"augment: unmoved are names of tasks, ({self.unmoved!r},) for one, got a text")

    @property
    def moves(self) -> bool:
        """Whether something in the picture may change its place."""
        return bool(self.flip or self.crop or self._interpolates)

    @property
    def _interpolates(self) -> bool:
        return bool(self.rotate or self.scale or self.shift)

    def check(self, split: Split, tasks: Sequence[Task]) -> None:
        """Refuse a split that this cannot be done to.

        Args:
            split: x (N, ...).  tasks: those that are learned from it.

        Raises:
            ValueError: x is no pictures, or smaller than ``crop``; places whose columns are none; a task of kind
                ``points`` of which nothing says whether it moves.
        """
        x = split.x
        if x.dtype != torch.uint8 and not x.is_floating_point():
            raise ValueError(f"augment: x must be uint8 or floating, got {x.dtype}")
        if not self.moves:
            return
        if x.ndim != 4:
            raise ValueError(f"augment: x must be pictures (N, C, H, W) to be moved, got {tuple(x.shape)}")
        if self.crop >= min(x.shape[2:]):
            raise ValueError(f"augment: crop must be less than the pictures' size {tuple(x.shape[2:])}: {self.crop}")
        for task in tasks:
            if task.kind == "points" and task.name not in (*self.positions, *self.unmoved):
                raise ValueError(
                    f"augment: does task {task.name!r} move with the picture? If its columns are places x1, y1, x2 "
                    f"... in it, give positions={{{task.name!r}: order}}, else unmoved=({task.name!r},)"
                )
        for name in {*self.positions} & {*split.y}:
            self._check_positions(name, split.y[name])

    def _check_positions(self, name: str, y: Tensor) -> None:
        order = self.positions[name]
        if not y.is_floating_point() or y.shape[1] % 2:
            found = f"got {tuple(y.shape)} {y.dtype}"
            raise ValueError(f"augment: positions of {name!r} must be floating x1, y1, x2, ... (N, 2 P), {found}")
        if order is not None and len(order) != y.shape[1] // 2:
            raise ValueError(
                f"augment: positions of {name!r} has an order of {len(order)} points, its columns are {y.shape[1] // 2}"
            )

    # ------------------------------------------------------------------ what is drawn, what it does

    def __call__(self, batch: Batch, seed: int, step: int) -> Batch:
        """Update ``step``'s whole batch, augmented; the one given stays as it is."""
        return self.apply(batch, self.numbers(seed, step, len(batch.x)))

    def numbers(self, seed: int, step: int, rows: int) -> Tensor:
        """The random numbers (rows, 10) of all rows of a batch: on the CPU, so that every device does the same."""
        numbers = torch.rand(rows, len(DRAWN), generator=generator("augment", seed, step), dtype=torch.float64)
        if self.mixup:
            with seeded("augment", "shares", seed, step):  # torch's distributions take no generator
                concentration = torch.tensor(float(self.mixup), dtype=torch.float64)
                numbers[:, _COLUMN["share"]] = Beta(concentration, concentration, validate_args=False).sample((rows,))
        return numbers

    def apply(self, batch: Batch, numbers: Tensor, groups: int = 1) -> Batch:
        """The batch with every row changed as its numbers say.

        Args:
            batch: x (B, ...).  numbers: (B, 10) on the CPU, see ``numbers``; those of a part of the rows change that
                part alike, and mixing stays in it.
            groups: so many equal parts, one after another, that mixing stays in.

        Returns:
            A new batch of the same shapes and types.
        """
        x, dtype = batch.x, batch.x.dtype
        drawn = {name: numbers[:, column] for name, column in _COLUMN.items()}
        if self.moves:
            x, y = self._moved(batch, drawn)
            batch = replace(batch, x=x, y=y)
        if self.mixup:
            batch = _mixed(batch, drawn, groups)
        if dtype == torch.uint8 and batch.x.is_floating_point():
            batch.x.round_()
        return replace(batch, x=batch.x.to(dtype))

    def _moved(self, batch: Batch, drawn: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Pictures and places; interpolated bytes are floating yet."""
        x, (height, width) = batch.x, batch.x.shape[2:]
        flipped = drawn["flip"] < self.flip
        right, down = ((drawn[name] * (2 * self.crop + 1)).long() - self.crop for name in ("right", "down"))
        a, t = self._map(drawn, flipped, 2 / width * right.double(), 2 / height * down.double(), height / width)
        x = _interpolated(x, a, t) if self._interpolates else _copied(x, flipped, right, down)
        y = dict(batch.y)
        for name in {*self.positions} & {*y}:
            y[name] = _led(y[name], a, t, flipped, self.positions[name])
        return x, y

    def _map(
        self, drawn: dict[str, Tensor], flipped: Tensor, right: Tensor, down: Tensor, ratio: float
    ) -> tuple[Tensor, Tensor]:
        """a (B, 2, 2) and t (B, 2): what is at (x, y), as fractions of the picture, goes to a (x, y) + t."""
        sides = {name: 2 * drawn[name] - 1 for name in ("angle", "size", "shift right", "shift down")}  # -1 to 1
        angle, size = sides["angle"] * math.radians(self.rotate), 1 + sides["size"] * self.scale
        cos, sin, mirror = angle.cos() * size, angle.sin() * size, 1 - 2 * flipped.double()
        # A turn is one of pixels: in fractions of a picture that is wider than high it is none.
        a = torch.stack([cos * mirror, -sin * ratio, sin / ratio * mirror, cos], 1).view(-1, 2, 2)
        shifts = [2 * self.shift * sides[f"shift {name}"] for name in ("right", "down")]
        return a, torch.stack([shifts[0] + right, shifts[1] + down], 1)


def _exchanges(order: Sequence[int]) -> bool:
    """Whether it is an order of 0, 1, ... that gives back what was there if it is taken twice."""
    if isinstance(order, str) or not isinstance(order, Sequence) or not all(isinstance(place, int) for place in order):
        return False
    return sorted(order) == [*range(len(order))] and all(order[order[place]] == place for place in order)


def _copied(x: Tensor, flipped: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """x (B, C, H, W), mirrored where it is to be, then moved by whole pixels."""
    flipped, right, down = sent(torch.stack([flipped.long(), right, down]), x.device).unsqueeze(-1)  # B 1 each
    height, width = x.shape[2:]
    rows = (torch.arange(height, device=x.device) - down).clamp(0, height - 1)  # B H
    columns = (torch.arange(width, device=x.device) - right).clamp(0, width - 1)  # B W
    columns = torch.where(flipped > 0, width - 1 - columns, columns)
    # One gather for all channels took a sixth of the time of indexing rows and columns (1.1 against 7 ms).
    places = (rows.unsqueeze(2) * width + columns.unsqueeze(1)).flatten(1)  # B H*W
    return x.flatten(2).gather(2, places.unsqueeze(1).expand(-1, x.shape[1], -1)).view(x.shape)


def _interpolated(x: Tensor, a: Tensor, t: Tensor) -> Tensor:
    """x (B, C, H, W), floating, with what is at p going to a p + t."""
    back = torch.linalg.inv(a)  # where each pixel comes from
    kind = x.dtype if x.dtype == torch.float64 else torch.float32
    back = sent(torch.cat([back, -back @ t.unsqueeze(2)], 2), x.device).to(kind)  # B 2 3
    grid = F.affine_grid(back, list(x.shape), align_corners=False)
    return F.grid_sample(x.to(kind), grid, mode="bilinear", padding_mode="border", align_corners=False)


def _led(y: Tensor, a: Tensor, t: Tensor, flipped: Tensor, order: Sequence[int] | None) -> Tensor:
    """Places y (B, 2 P) gone to a y + t, in the order that they have in a mirrored picture where it is one."""
    points = y.unflatten(1, (-1, 2))  # B P 2
    table = sent(torch.cat([a.flatten(1), t, flipped.double().unsqueeze(1)], 1), y.device).to(y.dtype)
    if order is not None:
        mirrored = points[:, sent(torch.tensor(list(order)), y.device)]
        points = torch.where(table[:, 6:].unsqueeze(2) > 0, mirrored, points)
    x, y = points.unbind(2)  # B P
    xx, xy, yx, yy, right, down, _ = table.unsqueeze(2).unbind(1)  # B 1
    # Written out: a product of matrices may be rounded to ten bits on a GPU.
    return torch.stack([xx * x + xy * y + right, yx * x + yy * y + down], 2).flatten(1)


def _mixed(batch: Batch, drawn: dict[str, Tensor], groups: int) -> Batch:
    """Every row mixed with another of its group; x is floating."""
    x, n = batch.x, len(batch.x)
    first = torch.arange(0, n, n // groups).unsqueeze(1)
    partner = (drawn["partner"].view(groups, -1).argsort(1) + first).flatten()
    labelled = torch.where(drawn["coin"] < drawn["share"], torch.arange(n), partner)
    partner, labelled = sent(torch.stack([partner, labelled]), x.device)
    kind = x.dtype if x.dtype == torch.float64 else torch.float32
    share = sent(drawn["share"], x.device).to(kind).view(-1, *[1] * (x.ndim - 1))
    x = torch.lerp(x.index_select(0, partner).to(kind), x.to(kind), share)
    source = None if batch.source is None else batch.source[labelled]
    return replace(batch, x=x, y={name: y[labelled] for name, y in batch.y.items()}, source=source)
