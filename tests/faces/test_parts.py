"""The parts that masks are made of are the parts that are painted."""

import pytest
import torch
from torch.nn.functional import max_pool2d

from mtlib.faces import ATTRIBUTES, draw
from mtlib.faces.canvas import Canvas
from mtlib.faces.parts import MOVED, PARTS
from mtlib.faces.population import people
from mtlib.faces.portrait import paint, sit


def test_every_named_part_is_painted_by_somebody(monkeypatch):
    painted = set()

    def spying(original):
        def spy(self, where, alpha, colour, part):
            painted.add(part)
            original(self, where, alpha, colour, part)

        return spy

    for method in ("paint", "shade"):
        monkeypatch.setattr(Canvas, method, spying(getattr(Canvas, method)))
    paint(sit(people(torch.arange(0, 6000, 20))), 32)
    named = {part for parts in PARTS.values() for part in parts} - {"background"}
    assert named <= painted
    # and what is painted belongs to some attribute's mask
    assert painted <= named


def test_only_attractive_has_no_part():
    assert tuple(PARTS) == ATTRIBUTES
    assert [name for name, parts in PARTS.items() if not parts] == ["Attractive"]
    assert set(MOVED) <= set(PARTS)


# Faces with much on them: what one attribute moves, hides or uncovers shows there.
BUSY = dict.fromkeys(
    (
        "Bags_Under_Eyes", "Double_Chin", "Rosy_Cheeks", "Heavy_Makeup", "Wearing_Earrings", "Wearing_Necklace",
        "Wearing_Lipstick", "Goatee", "Mustache", "Sideburns", "5_o_Clock_Shadow", "Wavy_Hair", "AU4", "AU6", "AU9",
        "AU11", "AU17", "Mouth_Slightly_Open",
    ),
    1,
) | {"No_Beard": 0, "Young": 0, "Blurry": 0, "Wearing_Necktie": 0, "Wearing_Hat": 0, "Eyeglasses": 0}  # fmt: skip
CLOTHED = {"Wearing_Necktie": 1, "Wearing_Hat": 1, "Eyeglasses": 1, "Bangs": 1, "Straight_Hair": 1, "Blurry": 0}
SPARE = {"Bald": 1, "Pale_Skin": 1, "Goatee": 0, "No_Beard": 1, "Young": 0, "AU17": 1, "Wearing_Hat": 0, "Blurry": 1}


@pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name not in ("Attractive", "Blurry")])
def test_nothing_outside_its_mask_depends_on_an_attribute_of_a_busy_face(name):
    """Of the wide ones neither: whoever has a broader neck wears a longer necklace."""
    numbers = torch.arange(0, 800, 100)
    off, on = (draw(numbers, size=32, do=BUSY | {name: value}) for value in (0, 1))
    near = max_pool2d(on.mask(name)[:, None].float(), 3, 1, 1)[:, 0] > 0
    changed = (on.images.int() - off.images.int()).abs().amax(1)
    assert changed.masked_fill(near, 0).max() <= 8  # a mask begins where a part covers 1/32 of a pixel: 8 grey levels


# Sums of the images of faces 700 and 4100 with all of that on them: few people wear a hat or a beard by themselves, and
# a change of either must not go unseen. If they differ, the drawing has changed: raise ``draw.DRAWING`` and print them:
#     cd tests/faces && python -c "from test_parts import *; print([sums(do) for do in (BUSY, CLOTHED, SPARE)])"
FROZEN = [[1019014, 983225], [1060154, 1041418], [1332583, 1191295]]


def sums(do):
    return draw([700, 4100], size=64, do=do).images.long().sum((1, 2, 3)).tolist()


@pytest.mark.parametrize(("do", "frozen"), [*zip((BUSY, CLOTHED, SPARE), FROZEN, strict=True)])
def test_every_part_is_drawn_as_in_this_version(do, frozen):
    assert sums(do) == pytest.approx(frozen, abs=40)  # other processors round a few pixels otherwise
