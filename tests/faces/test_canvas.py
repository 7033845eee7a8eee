"""Shapes by hand, layers over one another, and few faces painted as if they were all."""

import pytest
import torch

from mtlib.faces.canvas import Canvas, Window, blob, box, cover, ellipse, lens, ramp, wave
from mtlib.faces.looks import Looks
from mtlib.faces.population import people
from mtlib.faces.pose import pose


def at(*points):
    return torch.tensor(points).unbind(1)


def test_an_ellipse_is_exact_on_its_axes_and_a_circle_everywhere():
    x, y = at((2.0, 0.0), (0.0, 1.0), (3.0, 0.0), (0.0, 0.5))
    found = ellipse(x, y, torch.tensor(2.0), torch.tensor(1.0))
    assert found[:2].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert found[2].item() == pytest.approx(1.5 * 0.5 / 0.75)  # 1.0
    x, y = at((3.0, 4.0), (0.3, 0.4))
    assert ellipse(x, y, torch.tensor(1.0), torch.tensor(1.0)).tolist() == pytest.approx([4.0, -0.5], abs=1e-4)


def test_a_box_by_hand():
    x, y = at((1.0, 0.0), (2.0, 0.0), (0.0, 0.0), (2.0, 2.0))
    found = box(x, y, torch.tensor(1.0), torch.tensor(1.0), 0.0)
    assert found.tolist() == pytest.approx([0, 1, -1, 2**0.5])
    corner = box(*at((1.0, 1.0)), torch.tensor(1.0), torch.tensor(1.0), 0.5)
    assert corner.item() == pytest.approx(0.5 * 2**0.5 - 0.5)  # rounded: the corner lies outside


def test_a_lens_closes_at_both_ends():
    t, v = at((0.0, -0.2), (0.0, 0.1), (0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 0.3))
    found = lens(t, v, torch.tensor(0.2), torch.tensor(0.1))
    assert found.tolist() == pytest.approx([0, 0, -0.1, 0, 0, 0.2], abs=1e-7)


def test_a_blob_is_one_in_the_middle_and_ends_at_its_rim():
    found = blob(*at((0.0, 0.0), (2.0, 0.0), (0.0, 1.0), (1.0, 0.0), (9.0, 0.0)), 2.0, 1.0)
    assert found.tolist() == pytest.approx([1, 0, 0, 0.75**2, 0])


def test_a_ramp_goes_either_way():
    x = torch.tensor([0.0, 1.0, 1.25, 1.5, 2.0, 9.0])
    assert ramp(x, 1.0, 2.0).tolist() == pytest.approx([0, 0, 5 / 32, 0.5, 1, 1])  # 3 t^2 - 2 t^3
    assert ramp(x, 2.0, 1.0).tolist() == pytest.approx([1, 1, 27 / 32, 0.5, 0, 0])


def test_a_wave_has_period_one_and_no_jumps():
    x = torch.linspace(-2, 2, 4001)
    found = wave(x)
    assert torch.allclose(found[:3000], wave(x[:3000] + 1), atol=1e-5)
    assert found.abs().max() == pytest.approx(1, abs=1e-5)
    assert found.mean().abs() < 1e-3
    assert found.diff().abs().max() < 0.01


EVERYBODY = torch.ones(6, 1, 1, dtype=torch.bool)


@pytest.fixture
def canvas():
    return Canvas(pose(Looks(people(torch.arange(0, 120, 20)))), 32, track={"disc": EVERYBODY})


def disc(where, radius=0.5):
    return cover(where, ellipse(where.u, where.v, torch.tensor(radius), torch.tensor(radius)))


def test_an_edge_is_half_covered_and_one_pixel_wide():
    where = Window(*torch.zeros(3, 1, 1, 5), slice(0, 1), slice(0, 5), torch.tensor(-10.0))  # ten pixels a unit
    distance = torch.tensor([[[-0.06, -0.05, 0.0, 0.05, 0.06]]])
    assert cover(where, distance).flatten().tolist() == pytest.approx([1, 1, 0.5, 0, 0])


def test_few_faces_are_painted_as_if_all_were(canvas):
    colour = torch.rand(6, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    who = torch.tensor([1, 4])
    other = Canvas(canvas.pose, 32, track={"disc": EVERYBODY})
    where = canvas.window(0.6, -0.6, 0.6)
    chosen = torch.zeros(6, 1, 1)
    chosen[who] = 1
    canvas.paint(where, disc(where) * chosen, colour, "disc")
    few = other.window(0.6, -0.6, 0.6, who)
    other.paint(few, disc(few), colour[who], "disc")
    assert torch.equal(canvas.rgb, other.rgb)
    assert torch.equal(canvas.seen, other.seen)
    assert canvas.seen[who].any()
    assert not canvas.seen[0].any()


def test_each_face_has_parts_of_its_own_collected(canvas):
    one, other = ((torch.arange(6) % 2 == k).view(6, 1, 1) for k in (0, 1))
    mixed = Canvas(canvas.pose, 32, track={"disc": one, "shadow": other})
    alone = [Canvas(canvas.pose, 32, track={part: EVERYBODY}) for part in ("disc", "shadow")]
    for each in (mixed, *alone):
        where = each.window(0.6, -0.6, 0.6)
        each.paint(where, disc(where), torch.ones(6, 3, 1, 1), "disc")
        few = each.window(0.6, -0.6, 0.6, torch.tensor([0, 3]))
        each.shade(few, disc(few, 0.4), 0.5, "shadow")
        each.paint(few, disc(few, 0.2), torch.ones(2, 3, 1, 1), "a smaller disc")
    assert torch.equal(mixed.seen, torch.where(one, alone[0].seen, alone[1].seen))
    assert mixed.seen[[0, 3]].any()


def test_a_layer_hides_what_lies_below_and_a_shadow_hides_nothing(canvas):
    where = canvas.window(0.6, -0.6, 0.6)
    white = torch.ones(6, 3, 1, 1)
    canvas.paint(where, disc(where), white, "disc")
    area = canvas.seen.sum()
    canvas.shade(where, disc(where), 0.5, "shadow")
    assert canvas.seen.sum() == area
    assert canvas.rgb.max() == 0.5
    canvas.paint(where, disc(where, 0.25), white, "a smaller disc")
    assert 0.65 * area < canvas.seen.sum() < 0.85 * area  # a quarter is hidden
    canvas.paint(where, disc(where), white, "the lid")
    assert canvas.seen.max() < 0.3  # the soft edges of two layers
