"""Landmarks: their order, their anatomy, and that they lie on what is drawn."""

from itertools import pairwise

import pytest
import torch

from mtlib.faces import LANDMARKS, POINTS_5, POINTS_68, draw

PEOPLE = torch.arange(0, 1200, 20)


@pytest.fixture(scope="module")
def faces():
    return draw(PEOPLE, size=128)


def group(faces, name):
    return faces.landmarks[:, list(LANDMARKS[name])]


def test_the_groups_are_the_72_points_in_order():
    assert [point for places in LANDMARKS.values() for point in places] == list(range(72))
    assert list(POINTS_68) == list(range(68))
    assert len(POINTS_5) == 5


def test_left_is_left_in_the_picture(faces):
    for left, right in (("left brow", "right brow"), ("left eye", "right eye")):
        assert (group(faces, left)[..., 0].amax(1) < group(faces, right)[..., 0].amin(1)).all()
    for name in ("left brow", "right brow", "nose base"):
        assert (group(faces, name)[..., 0].diff(dim=1) > 0).all(), name
    assert (group(faces, "jaw")[:, 3:14, 0].diff(dim=1) > 0).all()  # beside the cheeks a head held askew leans over
    five = faces.landmarks[:, list(POINTS_5)]
    assert (five[:, 0, 0] < five[:, 2, 0]).all()
    assert (five[:, 2, 0] < five[:, 1, 0]).all()
    assert (five[:, 3, 0] < five[:, 4, 0]).all()


def test_brows_eyes_nose_mouth_and_chin_follow_downwards(faces):
    names = ("left brow", "left eye", "nose base", "outer lips")
    heights = [group(faces, name)[..., 1].mean(1) for name in names] + [faces.landmarks[:, 8, 1]]
    assert all((below > above).all() for above, below in pairwise(heights))


def test_corners_of_the_eyes_follow_the_convention(faces):
    left, right = group(faces, "left eye"), group(faces, "right eye")
    for eye in (left, right):
        assert (eye[:, 0, 0] < eye[:, 3, 0]).all()  # the first corner is the left one, the fourth the right one
        assert (eye[:, 1:3, 1].mean(1) < eye[:, 4:6, 1].mean(1)).all()  # two above, two below


def test_other_sizes_have_the_same_points(faces):
    small = draw(PEOPLE, size=64).landmarks
    assert torch.allclose((faces.landmarks + 0.5) / 2 - 0.5, small, atol=1e-4)


def ends(mask):
    """Left and right end (n, 2) of masks (n, H, W)."""
    columns = mask.any(1).float()
    first = columns.argmax(1)
    last = mask.shape[-1] - 1 - columns.flip(1).argmax(1)
    return torch.stack([first, last], 1)


def sharp(faces):
    """Who is in focus, as the others' masks are wider."""
    return draw(PEOPLE, size=128, do={"Blurry": 0})


def test_the_corners_of_the_mouth_are_the_ends_of_the_lips():
    faces = draw(PEOPLE, size=128, do={"Blurry": 0, "Mustache": 0})
    found = ends(faces.mask("Wearing_Lipstick"))
    points = faces.landmarks[:, [48, 54], 0]
    assert (found - points).abs().median() < 1.5
    assert (found - points).abs().max() < 4  # the lens is thin at its ends


@pytest.mark.parametrize(("name", "attribute"), [("left eye", "Narrow_Eyes"), ("right brow", "Bushy_Eyebrows")])
def test_points_lie_on_their_part(name, attribute):
    faces = draw(PEOPLE, size=128, do={"Blurry": 0, "Eyeglasses": 0, "Bangs": 0, "Wearing_Hat": 0})
    mask = torch.nn.functional.max_pool2d(faces.mask(attribute)[:, None].float(), 3, 1, 1)[:, 0]
    points = group(faces, name).round().long()
    on = mask[torch.arange(len(PEOPLE))[:, None], points[..., 1], points[..., 0]]
    assert on.mean() > 0.97


def test_the_eyes_centres_lie_between_their_corners(faces):
    centres = faces.landmarks[:, 68:70]
    for k, name in enumerate(("left eye", "right eye")):
        corners = group(faces, name)[:, [0, 3]].mean(1)
        assert (centres[:, k] - corners).norm(dim=1).max() < 1.0


def test_lips_part_and_corners_rise_with_the_action_units():
    closed, parted = (draw(PEOPLE, size=128, do={"AU25": value}) for value in (0, 1))
    gap = [faces.landmarks[:, 66, 1] - faces.landmarks[:, 62, 1] for faces in (closed, parted)]
    assert gap[0].abs().max() < 1e-3
    assert gap[1].min() > 1.5
    sober, smiling = (draw(PEOPLE, size=128, do={"AU12": value}) for value in (0, 1))
    rise = [faces.landmarks[:, 51, 1] - faces.landmarks[:, [48, 54], 1].mean(1) for faces in (sober, smiling)]
    assert (rise[1] > rise[0] + 2).all()
