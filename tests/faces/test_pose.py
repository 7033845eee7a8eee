"""How a face is held: image and face coordinates are each other's inverse, whatever the pose."""

import math

import pytest
import torch

from mtlib.faces import pose as posing
from mtlib.faces.canvas import Canvas
from mtlib.faces.pose import CENTRE, LARGEST, ROLL, SHIFT, SMALLEST, SPAN, YAW, Pose, reach


def held(x=0.0, y=0.0, scale=1.0, roll=0.0, yaw=0.0):
    numbers = (x, y, scale, math.cos(roll), math.sin(roll), yaw)
    return Pose(*(torch.tensor([value], dtype=torch.float64) for value in numbers))


def extremes():
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 5)  # 32 5
    x, y, scale, roll, yaw = signs.unbind(1)
    roll = roll * ROLL
    scale = torch.where(scale > 0, LARGEST, SMALLEST)
    return Pose(x * SHIFT, y * SHIFT, scale, roll.cos(), roll.sin(), yaw * YAW)


def test_upright_and_centred_the_middle_of_the_face_lies_where_stated():
    (point,) = held().image(torch.zeros(1, 1, 2, dtype=torch.float64), 64)[0]
    assert point.tolist() == pytest.approx([31.5, 31.5 + CENTRE / SPAN * 32])


def test_pixels_per_unit():
    points = torch.tensor([[[0.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    first, second = held(scale=1.1).image(points, 64)[0]
    assert (second - first).norm().item() == pytest.approx(1.1 * 64 / (2 * SPAN))
    assert held(scale=1.1).resolution(64).item() == pytest.approx(1.1 * 64 / (2 * SPAN))


@pytest.mark.parametrize(
    ("pose", "towards"),
    [(held(roll=ROLL), (1, 0)), (held(yaw=YAW), (1, 0)), (held(x=SHIFT), (1, 0)), (held(y=SHIFT), (0, 1))],
)
def test_what_each_number_does_to_the_bridge_of_the_nose(pose, towards):
    above = torch.tensor([[[0.0, -0.5]]], dtype=torch.float64)
    moved = (pose.image(above, 64) - held().image(above, 64))[0, 0]
    assert moved @ torch.tensor(towards, dtype=torch.float64) > 1  # more than a pixel, in that direction


def test_image_coordinates_of_a_pixels_face_coordinates_are_the_pixel():
    size, poses = 40, extremes()
    u, v = poses.faces(size)
    points = torch.stack([u, v], -1).double().flatten(1, 2)
    back = poses.image(points, size).unflatten(1, (size, size))
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    inside = u.abs() < posing.ROUND - YAW  # beyond, the cylinder ends and nothing is turned
    assert inside.float().mean() > 0.4
    assert (back[..., 0] - columns)[inside].abs().max() < 1e-3
    assert (back[..., 1] - rows)[inside].abs().max() < 1e-3


@pytest.mark.parametrize("box", [(0.45, -0.22, 0.12), (0.08, -0.34, -0.10), (0.40, 0.66, 1.10), (1.02, -1.30, -0.32)])
@pytest.mark.parametrize("size", [32, 61])
def test_a_window_holds_every_pixel_of_its_box_in_every_pose(box, size):
    half, top, bottom = box
    canvas = Canvas(extremes(), size)
    needed = (canvas.a <= half) & (canvas.v >= top) & (canvas.v <= bottom)
    assert needed.any()
    where = canvas.window(*box)
    needed[:, where.rows, where.columns] = False
    assert not needed.any()


def test_the_reach_of_a_small_box_is_small():
    left, upper, right, lower = reach(0.08, -0.34, -0.10)
    assert (right - left) * (lower - upper) < 0.3 * 4
