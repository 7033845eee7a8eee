"""The camera: light, blur and noise."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from mtlib.faces import draw
from mtlib.faces.canvas import Canvas
from mtlib.faces.photo import blur, expose, reach
from mtlib.faces.population import people
from mtlib.faces.portrait import sit

NUMBERS = torch.arange(0, 600, 20)


def edges(images):
    """How much neighbouring pixels differ, per image."""
    grey = images.float().mean(1)
    return (grey.diff(dim=1).square().mean((1, 2)) + grey.diff(dim=2).square().mean((1, 2))).sqrt()


def test_a_blurred_picture_has_softer_edges_and_the_same_light():
    sharp, soft = (draw(NUMBERS, size=64, do={"Blurry": value}).images for value in (0, 1))
    assert (edges(soft) < 0.75 * edges(sharp)).all()
    assert (soft.float().mean((1, 2, 3)) - sharp.float().mean((1, 2, 3))).abs().max() < 3


def test_blur_by_hand_on_a_single_dot():
    picture = torch.zeros(1, 3, 30, 30)
    picture[:, :, 15, 15] = 1
    soft = blur(picture, torch.ones(1, 1, 1, 1))  # two box means of 3 along each side: weights 1 2 3 2 1, over 9
    assert reach(30) == 1
    assert soft[0, 0, 15, 13:18].tolist() == pytest.approx([3 * k / 81 for k in (1, 2, 3, 2, 1)])
    assert soft.sum().item() == pytest.approx(3)
    assert torch.allclose(blur(picture, torch.zeros(1, 1, 1, 1)), picture)


def test_light_falls_across_and_colours_the_picture():
    """A grey canvas: twice as much light at the right edge as the slope says, red lifted by the cast."""
    subject = sit(people(torch.tensor([0])))
    canvas = Canvas(subject.pose, 40)
    canvas.rgb.fill_(0.5)
    number = partial(torch.full, (1,), dtype=torch.float64)
    gain = torch.tensor([[1.1, 1.0, 0.9]], dtype=torch.float64)
    frame = replace(subject.photo, across=number(0.3), down=number(0.0), noise=number(0.0), gain=gain, blur=number(0.0))
    image = expose(canvas, frame)[0].float()
    assert image[:, 20, 20].tolist() == pytest.approx([140, 128, 115], abs=2)
    assert (image[1, :, -1] / image[1, :, 0]).mean().item() == pytest.approx(
        (1 + 0.3 * 39 / 40) / (1 - 0.3 * 39 / 40), abs=0.03
    )


def test_noise_is_of_the_sensor_and_small():
    """Two faces of one person differ by more than noise; the background's fine grain is a few grey levels."""
    images = draw(NUMBERS, size=64, do={"Blurry": 0}).images.float()
    grain = images[:, :, :4].diff(dim=3).std((1, 2, 3))
    assert 0.5 < grain.median() < 5
    assert grain.max() < 12
