"""A portrait: all the numbers of a face, and its parts painted back to front."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlib.faces import eyes, hair, head, mouth, photo, wear
from mtlib.faces.canvas import Canvas
from mtlib.faces.looks import Looks
from mtlib.faces.population import People
from mtlib.faces.pose import Pose, pose

PINK, LIGHT = (0.90, 0.38, 0.42), 1.22


@dataclass(frozen=True)
class Subject:
    """Faces as numbers, one kind of part each: what painters and landmarks work from."""

    pose: Pose
    head: head.Head
    marks: head.Marks
    eyes: eyes.Eyes
    nose: mouth.Nose
    mouth: mouth.Mouth
    hair: hair.Hair
    wear: wear.Wear
    photo: photo.Photo


def sit(people: People) -> Subject:
    """The people's looks as numbers."""
    looks = Looks(people)
    held, skull, tint = pose(looks), head.head(looks), hair.colour(looks)
    return Subject(
        pose=held,
        head=skull,
        marks=head.marks(looks),
        eyes=eyes.eyes(looks, tint),
        nose=mouth.nose(looks, held.yaw),
        mouth=mouth.mouth(looks, skull.skin),
        hair=hair.hair(looks, tint),
        wear=wear.wear(looks),
        photo=photo.photo(looks),
    )


def paint(subject: Subject, size: int, track: Mapping[str, Tensor] | None = None) -> Canvas:
    """The subject's faces on a canvas; ``track``: whose visible pixels are collected in ``seen``, see ``Canvas``."""
    canvas = Canvas(subject.pose, size, track)
    h, e, locks = subject.head.grid(), subject.eyes.grid(), subject.hair.grid()
    nose, lips, worn = subject.nose.grid(), subject.mouth.grid(), subject.wear.grid()
    pink = h.skin * 0.55 + 0.45 * torch.tensor(PINK, device=h.skin.device).view(3, 1, 1)

    photo.paint_background(canvas, subject.photo.grid())
    hair.paint_back(canvas, locks, h)
    head.paint_neck(canvas, h)
    wear.paint_clothes(canvas, worn, h)
    head.paint_ears(canvas, h)
    wear.paint_earrings(canvas, worn, h)
    head.paint_head(canvas, h)
    head.paint_marks(canvas, h, subject.marks.grid(), pink, (h.skin * LIGHT).clamp(max=1))
    hair.paint_beard(canvas, locks, h)
    mouth.paint_nose(canvas, nose, h)
    mouth.paint_mouth(canvas, lips, h)
    hair.paint_mustache(canvas, locks, lips.height)
    eyes.paint_eyes(canvas, e, h)
    eyes.paint_brows(canvas, e)
    hair.paint_front(canvas, locks, h)
    eyes.paint_glasses(canvas, e, h)
    wear.paint_hat(canvas, worn, h)
    return canvas
