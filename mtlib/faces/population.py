"""Who is drawn: for each face number its identity, appearance, labels, expression and action units.

Everything is a pure function of (face number, seed), bit for bit, whatever the batch, its order or the device: hashed
numbers and sums in a fixed order, no matrix product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from mtlib.faces import counter, structure
from mtlib.faces.interventions import intervene, parse
from mtlib.faces.names import COLUMN, UNIT
from mtlib.faces.structure import HAIR_COLOURS, Structure

SIZES = (5, 16, 21, 27, 31)  # of five identities: mean 20, sd 9.1; CelebA's: mean 19.9, sd 8.9
RANGE = 1 << 28  # numbers are cut here, and no identity lies on both sides: a split has a range of its own
LIMIT = 1 << 31
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
PALE, SMILING, OPEN = COLUMN["Pale_Skin"], COLUMN["Smiling"], COLUMN["Mouth_Slightly_Open"]
CHUNK = 8192  # faces computed together: what stays in a core's cache


@dataclass
class People:
    """n faces before they are drawn.

    Attributes:
        index: (n,) int64 face numbers.
        seed: of the population; another seed has other people.
        identity: (n,) int64; faces of one number belong to one person. Identities 5k to 5k + 4 have 100 faces.
        margin: (n, 40) float64, appearance minus threshold in standard deviations of the appearance: an attribute is
            drawn where it is positive, the stronger the larger. Attractive has a margin, but no pixels.
        attributes: (n, 40) int8, 0 or 1: the labels, noisy thresholds of the appearance.
        expression: (n,) int64, 0 to 6 in the order of ``names.EXPRESSIONS``.
        action_units: (n, 17) int8, 0 or 1, in the order of ``names.ACTION_UNITS``.
        skin_tone: (n,) float64 strictly between 0 (lightest) and 1, of the identity.
    """

    index: Tensor
    seed: int
    identity: Tensor
    margin: Tensor
    attributes: Tensor
    expression: Tensor
    action_units: Tensor
    skin_tone: Tensor

    def single(self, device: torch.device) -> "People":
        """The same in single precision, on a device."""
        values = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        moved = {name: (v.float() if v.is_floating_point() else v).to(device) for name, v in values.items()}
        return People(**moved, seed=self.seed)

    def rows(self, rows: slice) -> "People":
        """Some of them, as views: what is changed there is changed here."""
        values = {name: value[rows] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return People(**values, seed=self.seed)

    def __len__(self) -> int:
        return len(self.index)

    def trait(self, name: str, lanes: int = 1) -> Tensor:
        """Standard normal numbers (n, lanes) float64 that a person keeps in every face; unrelated to all labels."""
        persons, place = self.identity.unique(return_inverse=True)
        return counter.normal(self.seed, f"trait {name}", persons, lanes)[place]

    def scene(self, name: str, lanes: int = 1) -> Tensor:
        """Uniform numbers (n, lanes) float64 strictly between 0 and 1 of the single face; unrelated to all labels."""
        return counter.uniform(self.seed, f"scene {name}", self.index, lanes)


def identities(index: Tensor, seed: int = 0) -> Tensor:
    """The identity (n,) int64 of each face number (n,).

    Every hundred faces belong to five identities of 5, 16, 21, 27 and 31 faces, in an order hashed from the hundred's
    number. The hundreds begin anew at each multiple of 2**28.
    """
    within = index % RANGE
    hundred = index // RANGE * (RANGE // 100 + 1) + within // 100
    orders = torch.tensor(list(permutations(SIZES)), device=index.device).cumsum(1)  # 120 5
    order = (counter.uniform(seed, "identities", hundred, 1)[:, 0] * len(orders)).long()
    return 5 * hundred + ((within % 100)[:, None] >= orders[order]).sum(1)


def people(index: Tensor, seed: int = 0, do: Mapping[str, int | str] | None = None) -> People:
    """The faces of these numbers.

    Args:
        index: (n,) int64 face numbers, 0 to 2**31 - 1, in any order, repeats allowed. The device decides where the
            work is done and where the result lies (Apple's has no float64: the CPU works, results are float32).
        seed: any integer.
        do: interventions, the same on every face, for example ``{"Eyeglasses": 1}``, ``{"AU4": 0}`` or
            ``{"expression": "anger"}``: see :mod:`mtlib.faces.interventions`. Whatever does not follow by definition
            stays as it is.

    Raises:
        ValueError: a number out of range; an intervention that does not exist or contradicts another.
        TypeError: the numbers are not a flat tensor of integers.
    """
    return each(index, seed, [do or {}])


def each(index: Tensor, seed: int, dos: Sequence[Mapping[str, int | str]]) -> People:
    """:func:`people` with one set of interventions after the other: all faces under the first, under the second, ..."""
    if not isinstance(index, Tensor) or index.dtype not in INTEGERS or index.dim() != 1:
        raise TypeError(f"face numbers are a flat tensor of integers, got {index!r}")
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < LIMIT:
        raise ValueError(f"face numbers are 0 to 2**31 - 1, got {int(index.min())} to {int(index.max())}")
    wanted = [parse(do) for do in dos]
    if index.device.type == "mps":
        return _changed(index.long().cpu(), seed, wanted, structure.load()).single(index.device)
    return _changed(index.long(), seed, wanted, structure.load(index.device))


def _changed(index: Tensor, seed: int, wanted: Sequence[Mapping[str, int]], population: Structure) -> People:
    """:func:`each` with interventions as parsed."""
    n, found = len(index), sample(index.repeat(len(wanted)), seed, population)
    if any(wanted):
        uniforms = counter.uniform(seed, "action units", index, len(UNIT))
        for k, one in enumerate(wanted):
            if one:
                intervene(found.rows(slice(k * n, (k + 1) * n)), one, uniforms, population)
    return found


def sample(index: Tensor, seed: int, population: Structure) -> People:
    """:func:`people` of any population without interventions; nothing is checked."""
    parts = [_chunk(part, seed, population) for part in index.split(CHUNK)]
    identity, margin, labels, expression, units, skin = (torch.cat(part) for part in zip(*parts, strict=True))
    return People(index, seed, identity, margin, labels, expression, units, skin)


def _chunk(index: Tensor, seed: int, population: Structure) -> tuple[Tensor, ...]:
    identity = identities(index, seed)
    persons, place = identity.unique(return_inverse=True)  # what a person keeps is computed once
    tone = counter.uniform(seed, "skin tone", persons, 1)[:, 0]
    kept = counter.normal(seed, "appearance of the identity", persons, 40)
    # The lighter the skin, the likelier it is called pale: the tone takes part in Pale_Skin's own innovation.
    k = population.pallor
    kept[:, PALE] = kept[:, PALE] * (1 - k * k) ** 0.5 - counter.quantile(tone) * k
    opinion = counter.normal(seed, "opinion of the identity", persons, 40)

    passing = counter.normal(seed, "appearance of the face", index, 40)
    innovations = _blend(kept[place], passing, population.stable)
    appearance = torch.zeros_like(innovations)
    for lane in range(40):  # not a matrix product, which sums in an order that depends on the batch
        appearance += innovations[:, lane, None] * population.mixing[:, lane]
    margin = exclude(appearance - population.threshold)
    noise = _blend(opinion[place], counter.normal(seed, "opinion of the face", index, 40), population.opinion)
    labels = (exclude(margin + noise * population.noise) > 0).to(torch.int8)

    smiling, parted = margin[:, SMILING] > 0, margin[:, OPEN] > 0
    ends = population.posterior.cumsum(1)[2 * smiling.long() + parted.long(), :-1]  # n 6
    expression = (counter.uniform(seed, "expression", index, 1) > ends).sum(1)
    units = counter.uniform(seed, "action units", index, len(UNIT)) < population.au_table[expression]
    units[:, UNIT[12]], units[:, UNIT[25]] = smiling, parted
    return identity, margin, labels, expression, units.to(torch.int8), tone[place]


def _blend(stable: Tensor, passing: Tensor, share: Tensor) -> Tensor:
    """Normal numbers (n, 40) whose variance belongs to the identity by the share (40,)."""
    return stable.mul_(share.sqrt()).add_(passing.mul_((1 - share).sqrt()))


def exclude(margin: Tensor) -> Tensor:
    """Hair has one colour: the largest of the four margins stays, others that are positive fall below 0 by the gap."""
    colours = margin[:, HAIR_COLOURS]
    largest = colours.amax(1, keepdim=True)
    margin = margin.clone()
    margin[:, HAIR_COLOURS] = torch.where((colours > 0) & (colours < largest), colours - largest, colours)
    return margin
