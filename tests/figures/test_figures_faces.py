"""The figures of the drawn faces: what they show is what was drawn."""

import pytest
import torch

from mtlib.experiments import drawn_faces
from mtlib.faces import ATTRIBUTES, EXPRESSIONS, draw, report, structure
from mtlib.figures import faces as figures


def test_tiles_lie_row_by_row_with_white_between():
    images = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 3, 2, 2)
    sheet = figures.tiled(images, columns=3, gap=1)
    assert sheet.shape == (3, 5, 8)
    assert sheet[0].tolist() == [
        [0, 0, 255, 1, 1, 255, 2, 2],
        [0, 0, 255, 1, 1, 255, 2, 2],
        [255] * 8,
        [3, 3, 255, 4, 4, 255, 255, 255],
        [3, 3, 255, 4, 4, 255, 255, 255],
    ]


def test_contact_sheet_counts_people_not_pictures(checked):
    drawing = checked(figures.contact_sheet(draw(range(40), size=32), columns=10))  # 40 pictures of a few people
    people = len(draw(range(40), size=32).identity.unique())
    assert drawing.finding.startswith(f"{people} people")
    assert people < 10


def test_switched_names_what_changes_no_pixel(checked):
    off, on = ([draw([7], size=32, do={name: v}).images[0] for name in ATTRIBUTES[:6]] for v in (0, 1))
    drawing = checked(figures.switched(off, on, ATTRIBUTES[:6], columns=3))
    assert "Attractive changes no pixel" in drawing.finding
    change = drawing.arrays["mean change (grey levels)"]
    assert change[2] == 0
    assert all(value > 0 for k, value in enumerate(change) if k != 2)


def test_annotated_gives_each_masks_share(checked):
    face = draw([7], size=48)
    masks = {name: face.mask(name)[0] for name in ("Eyeglasses", "Mustache", "Bald", "Wavy_Hair", "Goatee", "Bangs")}
    drawing = checked(figures.annotated(face, masks))
    assert drawing.arrays["share of the picture"] == [mask.float().mean().item() for mask in masks.values()]
    smallest = min(masks, key=lambda name: masks[name].sum())
    assert smallest.replace("_", " ") in drawing.finding


def test_expressions_show_the_active_units(checked):
    drawn = [draw([7, 30], size=32, do={"expression": name}) for name in EXPRESSIONS]
    drawing = checked(figures.expressions(drawn))
    assert drawing.arrays["share of active units"].shape == (7, 17)


def test_likeness_says_the_worst_share(checked):
    found = report.measure(3000)
    drawing = checked(figures.likeness(found))
    assert f"within {100 * abs(found.share[1] - found.share[0]).max():.1f} points" in drawing.finding


def test_graphs_count_edges(checked):
    known = structure.load()
    drawing = checked(figures.graphs(known.partial, known.pixels, drawn_faces.side_by_side(known.partial)))
    both = int((known.pixels & known.dependence).sum()) // 2
    assert f"{int(known.dependence.sum()) // 2} pairs depend" in drawing.finding
    assert f"{both} do both" in drawing.finding


@pytest.fixture
def scores():
    bound = dict.fromkeys(ATTRIBUTES, 90.0)
    model = {name: [80.0 + k / 10, 81.0 + k / 10] for k, name in enumerate(ATTRIBUTES)}
    return {"network": model, "linear": model, "majority": model}, bound


def test_learned_names_the_nearest_and_the_furthest(scores, checked):
    drawing = checked(figures.learned(*scores, "a test"))
    assert "closest to the bound on Young and furthest below it on 5 o Clock Shadow" in drawing.finding
    assert drawing.arrays["network"][0] == pytest.approx(80.5)
