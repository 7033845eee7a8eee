"""The fitted population of the drawn faces: what ``structure.json`` holds, as tensors.

``mtlib.faces.calibrate`` fits the file; the numbers in it, not the fit, define the faces. Change one and every face
changes: raise its version.
"""

import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from mtlib.faces.names import ATTRIBUTES, COLUMN

FILE = Path(__file__).with_name("structure.json")
HAIR_COLOURS = tuple(COLUMN[name] for name in ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"))


@dataclass(frozen=True)
class Structure:
    """The population. Forty columns are CelebA's attributes in its order; all tensors float64 unless said otherwise.

    Attributes:
        version: of the generator; part of the key of everything stored.
        threshold: (40,) appearance above which an attribute is drawn, in standard deviations.
        mixing: (40, 40) appearance = mixing @ innovations; a Cholesky factor of the appearances' correlations, rows
            and columns put back into CelebA's order. Pale_Skin is last, so no other row uses its innovation.
        stable: (40,) share of an innovation's variance that belongs to the identity.
        noise: (40,) standard deviation of what is added to an attribute's margin before its label is read off.
        opinion: (40,) share of that noise's variance that belongs to the identity.
        bound: (40,) best accuracy of each label for somebody who knows every drawn appearance.
        median: (2, 40) median margin where the attribute is not drawn, and where it is.
        pallor: correlation of the skin's lightness with Pale_Skin's innovation.
        prior: (7,) expressions as fitted, before action units 12 and 25 are taken from the attributes.
        posterior: (4, 7) P(expression | 2 AU12 + AU25).
        au_table: (7, 17) P(action unit | expression) of the faces drawn.
        partial: (40, 40) partial correlations of the appearances, zero on the diagonal.
        dependence: (40, 40) bool, the graph of conditional dependence: where ``partial`` is not zero.
        pixels: (40, 40) bool, the graph of attributes that share pixels; None until it has been measured.
    """

    version: int
    threshold: Tensor
    mixing: Tensor
    stable: Tensor
    noise: Tensor
    opinion: Tensor
    bound: Tensor
    median: Tensor
    pallor: float
    prior: Tensor
    posterior: Tensor
    au_table: Tensor
    partial: Tensor
    dependence: Tensor
    pixels: Tensor | None = None

    def to(self, device: torch.device) -> "Structure":
        """The same on a device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Structure(**{name: v.to(device) if isinstance(v, Tensor) else v for name, v in values.items()})


@cache
def load(device: torch.device | str = "cpu") -> Structure:
    """The population of this version of the course, read once for each device."""
    if str(device) != "cpu":
        return load().to(torch.device(device))
    return from_json(json.loads(FILE.read_text()))


def from_json(content: dict) -> Structure:
    """What the file's content says.

    Raises:
        ValueError: the file was made for other attributes, or for another order of them.
    """
    if tuple(content["attributes"]) != ATTRIBUTES:
        raise ValueError("structure.json names other attributes than mtlib.faces.names: run mtlib.faces.calibrate")
    numbers = {
        name: torch.tensor(content[name], dtype=torch.float64)
        for name in ("threshold", "mixing", "stable", "noise", "opinion", "bound", "median", "prior", "posterior")
    }
    partial = torch.zeros(40, 40, dtype=torch.float64)
    for one, other, value in content["edges"]:
        partial[COLUMN[one], COLUMN[other]] = partial[COLUMN[other], COLUMN[one]] = value
    pixels = None
    if content.get("pixels") is not None:
        pixels = torch.tensor(content["pixels"], dtype=torch.bool)
    return Structure(
        version=content["version"],
        pallor=content["pallor"],
        au_table=torch.tensor(content["au_table"], dtype=torch.float64),
        partial=partial,
        dependence=partial != 0,
        pixels=pixels,
        **numbers,
    )
