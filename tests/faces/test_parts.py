"""The parts that masks are made of are the parts that are painted."""

import torch

from mtlib.faces import ATTRIBUTES
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
