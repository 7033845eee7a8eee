"""Landmarks: their order, their anatomy, and that they lie on what is drawn."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from mtlib.faces import LANDMARKS, POINTS_5, POINTS_68, draw, head, mouth
from mtlib.faces import eyes as looking
from mtlib.faces.canvas import Canvas, lens
from mtlib.faces.eyes import EYE, brow_line
from mtlib.faces.head import outline
from mtlib.faces.landmarks import landmarks
from mtlib.faces.names import MIRRORED
from mtlib.faces.population import people
from mtlib.faces.portrait import sit
from mtlib.faces.pose import CENTRE, SPAN, Pose

PEOPLE = torch.arange(0, 6000, 100)


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


def test_the_mirrored_order_is_that_of_faces_held_the_other_way():
    subject = sit(people(PEOPLE))
    pose, nose = subject.pose, subject.nose
    other = replace(pose, x=-pose.x, sin=-pose.sin, yaw=-pose.yaw)
    other = replace(subject, pose=other, nose=replace(nose, tip=-nose.tip))  # all else is alike on both sides
    flipped = landmarks(subject, 128) * torch.tensor([-1.0, 1.0]) + torch.tensor([127.0, 0.0])
    torch.testing.assert_close(landmarks(other, 128), flipped[:, list(MIRRORED)], atol=1e-3, rtol=0)


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


@pytest.fixture(scope="module")
def upright():
    """The people as numbers, and their points in face coordinates u, v (n, 72): held straight, image is face."""
    subject = sit(people(PEOPLE))
    zero, one = torch.zeros(len(PEOPLE), dtype=torch.float64), torch.ones(len(PEOPLE), dtype=torch.float64)
    straight = replace(subject, pose=Pose(zero, zero, one, one, zero, zero))
    points = (landmarks(straight, 2).double() + 0.5 - 1) * SPAN  # two pixels: -SPAN to SPAN
    return straight, points[..., 0], points[..., 1] - CENTRE


def numbers(part):
    return part.columns()  # (n, 1), to meet the points (n, m)


def test_the_jaw_runs_along_the_heads_outline(upright):
    subject, u, v = upright
    jaw = SimpleNamespace(u=u[:, :17], v=v[:, :17])
    assert (outline(numbers(subject.head), jaw) - 1).abs().max() < 1e-4
    assert torch.allclose(v[:, 8], subject.head.chin, atol=1e-5)
    assert (v[:, :9].diff(dim=1) > 0).all()


def test_lids_and_lips_lie_where_their_lenses_end(upright):
    subject, u, v = upright
    eye, lips = numbers(subject.eyes), numbers(subject.mouth)
    for places in (LANDMARKS["left eye"], LANDMARKS["right eye"]):
        t = (u[:, list(places)].abs() - eye.apart) / eye.width
        assert lens(t, v[:, list(places)] - EYE, eye.upper, eye.lower).abs().max() < 1e-4
    for name, width, upper, lower in (
        ("outer lips", 1.0, lips.upper + 0.42 * lips.open, lips.lower + 0.58 * lips.open),
        ("inner lips", 0.88, 0.42 * lips.open, 0.58 * lips.open),
    ):
        t, height = u[:, list(LANDMARKS[name])] / lips.width, v[:, list(LANDMARKS[name])] - lips.height
        bent = height + lips.rise * (t * t - 0.4)
        assert lens(t / width, bent, upper, lower).abs().max() < 1e-4, name


def test_brows_follow_their_line_and_rise_where_it_arches(upright):
    subject, u, v = upright
    places = list(LANDMARKS["right brow"])  # from the inner end outwards
    t = (u[:, places] - numbers(subject.eyes).apart) / 0.165
    assert (v[:, places] - brow_line(numbers(subject.eyes), t)).abs().max() < 1e-4
    assert (t[:, 0] < -0.9).all()
    assert (t[:, -1] > 0.9).all()
    arched = sit(people(PEOPLE, do={"Arched_Eyebrows": 1}))
    arched = (landmarks(replace(arched, pose=subject.pose), 2).double() - 0.5) * SPAN
    height = arched[:, places, 1]
    assert (height[:, 2] < height[:, [0, 4]].mean(1)).all()  # the middle lies above the line between the ends


def test_the_nose_ends_at_its_wings_and_turns_with_the_head(upright):
    subject, u, v = upright
    nose = subject.nose
    assert torch.allclose(u[:, 35] - u[:, 31], 2 * nose.width, atol=1e-5)
    assert (v[:, 31:36] - nose.base.unsqueeze(1)).abs().max() < 0.03
    assert torch.allclose(u[:, 33], nose.tip, atol=1e-5)
    assert (u[:, 30] / nose.tip).min() > 0.8  # the tip of the bridge goes along, the root stays
    assert u[:, 27].abs().max() < 0.002
    assert nose.tip.abs().max() > 0.02


def test_the_lobes_are_the_lower_ends_of_the_ears(upright):
    subject, u, v = upright
    head = subject.head
    across, down = (u[:, 71] - head.width - 0.015) / (0.62 * head.ears), (v[:, 71] - 0.05) / (1.25 * head.ears)
    assert across.abs().max() < 1e-4
    assert ((down > 0.9) & (down <= 1)).all()
    assert torch.allclose(u[:, 70], -u[:, 71], atol=1e-5)


def test_the_middle_of_the_lips_is_where_they_end_in_the_picture():
    faces = draw(PEOPLE, size=128, do={"Blurry": 0, "Mustache": 0, "Goatee": 0, "No_Beard": 1})
    mask = faces.mask("Wearing_Lipstick")
    rows = torch.arange(128)
    for point, end in ((51, lambda column: rows[column].min()), (57, lambda column: rows[column].max())):
        x = faces.landmarks[:, point, 0].round().long()
        found = torch.stack([end(mask[k, :, x[k]]) for k in range(len(x))])
        assert (found - faces.landmarks[:, point, 1]).abs().median() < 1.2


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


# ------------------------------------------------------------------ each point on its edge, parts painted alone

SIZE = 256


@pytest.fixture(scope="module", params=["anger", "surprise", "happiness"])
def seated(request):
    """Thirty people as numbers and their points, with brows, lids and mouths as that expression has them."""
    subject = sit(people(PEOPLE[:30], do={"expression": request.param}))
    return subject, landmarks(subject, SIZE)


def blank(subject, part=()):
    everybody = torch.ones(len(subject.pose.x), 1, 1, dtype=torch.bool)
    return Canvas(subject.pose, SIZE, dict.fromkeys(part, everybody))


def values(plane, points):
    """What a plane (n, H, W) says at points (n, m, 2), between pixels too."""
    where = (points + 0.5) / SIZE * 2 - 1
    return torch.nn.functional.grid_sample(plane[:, None], where[:, :, None], align_corners=False)[:, 0, :, 0]


def test_jaw_points_lie_on_the_rim_of_the_skin(seated):
    subject, points = seated
    canvas = blank(subject, ("head",))
    head.paint_head(canvas, subject.head.grid())
    assert (values(canvas.seen, points[:, :17]) - 0.5).abs().max() < 0.25  # an edge is half covered
    assert values(canvas.u, points[:, 8:9]).abs().max() < 0.005  # the chin is in the middle


def test_lobes_are_at_the_lower_end_of_the_ears(seated):
    subject, points = seated
    canvas = blank(subject, ("ears",))
    head.paint_ears(canvas, subject.head.grid())
    lobes, down = points[:, 70:72], torch.tensor([0.0, 3.0])
    assert values(canvas.seen, lobes).min() > 0.7
    assert values(canvas.seen, lobes + down).max() < 0.1


def test_brow_points_run_along_the_middle_of_the_brows(seated):
    subject, points = seated
    canvas = blank(subject, ("brows",))
    looking.paint_brows(canvas, subject.eyes.grid())
    brows = points[:, 17:27]
    assert values(canvas.seen, brows).min() > 0.45  # the ends are thin
    assert values(canvas.seen, brows)[:, [1, 2, 3, 6, 7, 8]].min() > 0.6
    for away in (-8.0, 8.0):
        assert values(canvas.seen, brows + torch.tensor([0.0, away])).max() < 0.1


def test_eye_points_lie_on_the_lids(seated):
    subject, points = seated
    canvas = blank(subject, ("eyes",))
    looking.paint_eyes(canvas, subject.eyes.grid(), subject.head.grid())
    upper, lower = points[:, [37, 38, 43, 44]], points[:, [40, 41, 46, 47]]
    assert values(canvas.seen, torch.cat([upper, lower], 1)).min() > 0.4
    assert values(canvas.seen, upper - torch.tensor([0.0, 6.0])).max() < 0.1
    assert values(canvas.seen, lower + torch.tensor([0.0, 4.0])).max() < 0.1


def test_the_nose_points_where_its_nostrils_are(seated):
    subject, points = seated
    canvas, h = blank(subject), subject.head.grid()
    canvas.rgb += h.skin
    mouth.paint_nose(canvas, subject.nose.grid(), h)
    nostrils = (canvas.rgb.mean(1) / h.skin.mean(1) < 0.55).float()  # the darkest of it
    grid = torch.arange(SIZE, dtype=torch.float32)
    area = nostrils.sum((1, 2))
    assert (area > 8).all()
    centre = torch.stack([(nostrils * grid).sum((1, 2)), (nostrils * grid[:, None]).sum((1, 2))], 1) / area[:, None]
    assert (centre - points[:, 33]).norm(dim=1).max() < 3
    root, tip, base = (values(canvas.u, points[:, k : k + 1]) for k in (27, 30, 33))
    assert root.abs().max() < 0.005
    assert (tip - base).abs().max() < 0.005  # a turned head's nose is turned as a whole
    assert base.abs().max() > 0.03


def test_the_outer_lips_are_the_rim_of_the_lips(seated):
    subject, points = seated
    canvas = blank(subject, ("mouth",))
    mouth.paint_mouth(canvas, subject.mouth.grid(), subject.head.grid())
    upper, lower = points[:, [49, 50, 52, 53]], points[:, [55, 56, 57, 58, 59]]  # no corners, and not the soft notch
    found = values(canvas.seen, torch.cat([upper, lower], 1))
    assert ((found - 0.5).abs() < 0.2).float().mean() > 0.8  # on pressed lips lies the line between them
    assert found.min() > 0.25
    down = torch.tensor([0.0, 3.0])
    assert values(canvas.seen, torch.cat([upper - down, lower + down], 1)).max() < 0.1


def test_the_inner_lips_are_the_rim_of_the_opening():
    subject = sit(people(PEOPLE, do={"AU25": 1, "AU26": 1, "AU12": 0, "AU23": 0, "AU24": 0, "Big_Lips": 1}))
    points, canvas = landmarks(subject, SIZE), blank(subject)
    g = subject.mouth.grid()
    mouth.paint_mouth(canvas, g, subject.head.grid())
    away = (canvas.rgb - g.lips).abs().amax(1)  # n H W, from the colour of the lips
    for middle, outwards in (([61, 62, 63], -1.0), ([65, 66, 67], 1.0)):
        step = torch.tensor([0.0, 2 * outwards])
        lips, opening = values(away, points[:, middle] + step), values(away, points[:, middle] - step)
        assert (lips < opening - 0.08).float().mean() > 0.97
