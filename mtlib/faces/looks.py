"""What the painters ask about the people: attributes as strengths, action units, traits, chance."""

from dataclasses import fields, replace
from typing import Self

import torch
from torch import Tensor

from mtlib.faces.names import COLUMN, UNIT
from mtlib.faces.population import People


class Geometry:
    """A dataclass of numbers per face: (n,) float64 where they are computed, (n, 1, 1) float32 where they paint."""

    def grid(self) -> Self:
        """The same, shaped to meet pixels (n, h, w)."""
        return replace(self, **{f.name: grid(getattr(self, f.name)) for f in fields(self)})

    def columns(self) -> Self:
        """The same as (n, 1), to meet points (m,) along a line."""
        return replace(self, **{f.name: getattr(self, f.name).unsqueeze(1) for f in fields(self)})

    def of(self, who: Tensor) -> Self:
        """The same of some faces (m,) only."""
        return replace(self, **{f.name: getattr(self, f.name).index_select(0, who) for f in fields(self)})


def few(*strengths: Tensor) -> Tensor:
    """Who (m,) has any of these: strengths (n, 1, 1), 0 where something is not to be drawn."""
    some = strengths[0] > 0
    for strength in strengths[1:]:
        some = some | (strength > 0)
    return some.flatten().nonzero().flatten()


def grid(value: Tensor) -> Tensor:
    """(n,) float64 as (n, 1, 1) float32; a colour (n, 3) as (n, 3, 1, 1)."""
    return value.to(torch.float32).reshape(*value.shape, 1, 1)


# What stays with a person, and what belongs to one picture; the order is part of how a face looks.
TRAITS = (
    "warmth", "head width", "head length", "jaw", "ears", "eye size", "eye distance", "iris", "brow", "nose width",
    "nose length", "lips", "mouth height", "mouth width", "hair length", "hair volume", "hairline", "fringe",
    "other hair",
)  # fmt: skip
SCENES = ("gaze", "lids", "opening", "lipstick", "hair shade", "strands")


class Looks:
    """The people, in the painters' words. All answers are (n,) or (n, lanes) float64.

    Args:
        people: who is drawn.
    """

    def __init__(self, people: People) -> None:
        self.people = people
        self._traits = dict(zip(TRAITS, people.trait("looks", len(TRAITS)).clamp(-2, 2).unbind(1), strict=True))
        self._scenes = dict(zip(SCENES, people.scene("looks", len(SCENES)).unbind(1), strict=True))
        strength = 0.8 + 0.2 * people.scene("strength of action units", len(UNIT))
        self._units = dict(zip(UNIT, (people.action_units * strength).unbind(1), strict=True))

    def margin(self, attribute: str) -> Tensor:
        """Appearance minus threshold, in standard deviations; positive is drawn as having it."""
        return self.people.margin[:, COLUMN[attribute]]

    def push(self, attribute: str, gap: float = 0.6) -> Tensor:
        """The appearance as -1 (far from it) to 1 (all of it), with a gap around 0.

        Args:
            gap: 0: in proportion to the appearance, so that it is hard to say where it begins; 1: there or not.
        """
        margin = self.margin(attribute)
        sign = torch.where(margin > 0, 1.0, -1.0).to(margin)
        return sign * (gap + (1 - gap) * (margin.abs() / 2).clamp(max=1))

    def on(self, attribute: str, gap: float = 0.6) -> Tensor:
        """How much of an attribute to draw: 0 where it is absent, gap to 1 where it is there."""
        return self.push(attribute, gap).clamp(min=0)

    def unit(self, number: int) -> Tensor:
        """How strongly an action unit is drawn, 0 where it is at rest, else 0.8 to 1."""
        return self._units[number]

    def trait(self, name: str) -> Tensor:
        """A number that stays with the person: standard normal, cut at two deviations."""
        return self._traits[name]

    def chance(self, name: str) -> Tensor:
        """A number of this picture only, uniform in (0, 1)."""
        return self._scenes[name]

    def scene(self, name: str, lanes: int) -> Tensor:
        """Several numbers of this picture only, (n, lanes) uniform in (0, 1)."""
        return self.people.scene(name, lanes)


def mix(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Between two colours (n, 3): 0 gives the first, 1 the second."""
    share = share.unsqueeze(-1)
    return first * (1 - share) + second * share


def palette(colours: list[tuple[float, float, float]], place: Tensor) -> Tensor:
    """Colours (n, 3) along a list of them, evenly spaced from place 0 to 1, with blends in between."""
    table = torch.tensor(colours, dtype=place.dtype, device=place.device)
    place = place.clamp(0, 1) * (len(colours) - 1)
    low = place.floor().clamp(max=len(colours) - 2)
    return mix(table[low.long()], table[low.long() + 1], place - low)
