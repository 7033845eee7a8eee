"""Faces by number: the same bit for bit whatever else is drawn, and one attribute at a time."""

import sys
from functools import cache

import pytest
import torch

from mtlib.faces import ATTRIBUTES, Faces, draw, structure
from mtlib.faces import draw as by_number
from mtlib.faces.names import COLUMN, UNIT
from mtlib.faces.parts import PARTS
from mtlib.faces.photo import expose
from mtlib.faces.population import people
from mtlib.faces.portrait import paint, sit

module = sys.modules["mtlib.faces.draw"]  # whose name the function took
NUMBERS = torch.arange(0, 3000, 100)  # thirty people
WIDE = ("Male", "Chubby", "Oval_Face", "Pale_Skin", "Blurry", "Attractive")  # everywhere, or nowhere
LOCAL = [name for name in ATTRIBUTES if name not in WIDE]
LEVELS = 8  # a mask begins where a part covers 1/32 of a pixel: 8 grey levels


def same(one, other):
    fields = ("images", "attributes", "identity", "expression", "action_units", "landmarks", "skin_tone", "margin")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in fields)


def taken(faces, rows):
    kept = {name: value[rows] for name, value in vars(faces).items() if isinstance(value, torch.Tensor)}
    return Faces(**kept, seed=faces.seed, size=faces.size, do=faces.do)


@pytest.fixture(scope="module")
def faces():
    return draw(NUMBERS, size=48)


@cache
def switched(name):
    """The thirty without an attribute, with it, and its mask with it: drawn once for all who look."""
    off, on = (draw(NUMBERS, size=48, do={name: value}) for value in (0, 1))
    return off, on, on.mask(name)


def test_what_is_drawn(faces):
    n = len(NUMBERS)
    shapes = {
        "images": (n, 3, 48, 48), "attributes": (n, 40), "identity": (n,), "expression": (n,), "action_units": (n, 17),
        "landmarks": (n, 72, 2), "skin_tone": (n,), "margin": (n, 40), "bound": (40,),
    }  # fmt: skip
    assert {name: tuple(getattr(faces, name).shape) for name in shapes} == shapes
    assert (faces.images.dtype, faces.landmarks.dtype) == (torch.uint8, torch.float32)
    assert faces.images.float().std() > 30  # neither black nor white
    assert torch.equal(faces.bound, structure.load().bound)


@pytest.mark.parametrize("rows", [[7], [3, 9], [29, 0, 5], [4, 4, 4]])
def test_a_face_is_the_same_in_every_company_and_order(faces, rows):
    assert same(draw(NUMBERS[rows], size=48), taken(faces, rows))


@pytest.mark.parametrize("size", [33, 64])
def test_how_many_are_painted_together_changes_nothing(monkeypatch, size):
    whole = draw(NUMBERS, size=size)
    monkeypatch.setattr(module, "PIXELS", 4 * size**2)
    assert same(draw(NUMBERS, size=size), whole)


def test_the_number_of_threads_changes_nothing(faces):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if before > 1 else 2)
        assert same(draw(NUMBERS, size=48), faces)
    finally:
        torch.set_num_threads(before)


def test_another_seed_is_another_population(faces):
    other = draw(NUMBERS, seed=1, size=48)
    assert not (other.images == faces.images).flatten(1).all(1).any()
    assert not torch.equal(other.attributes, faces.attributes)


def test_one_person_keeps_tone_and_build_but_not_pose():
    faces = draw(range(100), size=32)
    first = faces.identity == faces.identity[0]
    assert first.sum() >= 5
    assert len(faces.skin_tone[first].unique()) == 1
    assert len(faces.landmarks[first].unique(dim=0)) == first.sum()


def test_a_person_looks_like_themselves():
    """Measures of the face, free of pose and expression, spread less within people than between them."""
    who = people(torch.arange(2000))
    looks = sit(who)
    for measure in (
        looks.head.width,
        looks.eyes.apart,
        looks.eyes.iris[:, 0],
        looks.hair.colour[:, 0],
        looks.nose.base,
    ):
        _, place = who.identity.unique(return_inverse=True)
        count = torch.bincount(place).double()
        mean = torch.zeros_like(count).index_add_(0, place, measure) / count
        within = (measure - mean[place]).square().mean()
        assert within < 0.62 * measure.var()


@pytest.mark.parametrize("size", [32, 45, 64, 100, 128])
def test_every_size_shows_the_same_face(size):
    face, large = draw([7], size=size, do={"Blurry": 0}), draw([7], size=256, do={"Blurry": 0})
    small = torch.nn.functional.interpolate(large.images.float(), size=(size, size), mode="area")
    assert (small - face.images.float()).abs().mean() < 6


# ------------------------------------------------------------------ do


@pytest.mark.parametrize("name", LOCAL)
def test_an_attribute_changes_pixels_inside_its_mask_and_none_outside(name):
    off, on, mask = switched(name)
    changed = (on.images.int() - off.images.int()).abs().amax(1)  # n H W
    assert torch.equal(mask, off.mask(name))
    edge = torch.nn.functional.max_pool2d(mask[:, None].float(), 3, 1, 1)[:, 0] > 0
    assert changed[~edge].max() <= LEVELS
    assert (changed[~mask] > LEVELS).sum() <= 0.05 * mask.sum() + 1  # soft edges
    seen = (changed > 2).flatten(1).any(1)
    assert seen.float().mean() > 0.85  # hair, hats and glasses hide a few
    assert mask.float().mean() < 0.30


@pytest.mark.parametrize(
    ("name", "do"),
    [("Male", {}), ("Chubby", {}), ("Oval_Face", {}), ("Pale_Skin", {}), ("Wearing_Necktie", {"Wearing_Necklace": 1}),
     ("Male", {"Wearing_Necktie": 1, "Eyeglasses": 1}), ("Chubby", {"Wearing_Necklace": 1, "Wearing_Earrings": 1})],
)  # fmt: skip
def test_what_changes_everywhere_and_what_hides_another_stays_inside_too(name, do):
    off, on = (draw(NUMBERS, size=48, do={**do, name: value}) for value in (0, 1))
    changed = (on.images.int() - off.images.int()).abs().amax(1)
    edge = torch.nn.functional.max_pool2d(on.mask(name)[:, None].float(), 3, 1, 1)[:, 0] > 0
    assert changed[~edge].max() <= LEVELS


@pytest.mark.parametrize("name", [name for name in ATTRIBUTES if name != "Blurry"])
def test_a_mask_is_no_larger_than_what_it_may_change(name):
    """Over a few people, most pixels of a mask do change when all that draws there is taken away or put on."""
    off, on, mask = switched(name)
    if name == "Attractive":
        assert not mask.any()
        return
    changed = (on.images != off.images).any(1)
    assert (changed & mask).sum() > (0.5 if name in LOCAL else 0.3) * mask.sum()


def test_an_opinion_changes_no_pixel_and_blur_may_change_all(faces):
    off, on, _ = switched("Attractive")
    assert torch.equal(off.images, on.images)
    assert faces.mask("Blurry").all()


@pytest.mark.parametrize("name", ["Eyeglasses", "Male", "Young", "Wearing_Hat", "Pointy_Nose"])
def test_the_other_labels_stay(faces, name):
    for value, drawn in enumerate(switched(name)[:2]):
        found = drawn.attributes
        assert (found[:, COLUMN[name]] == value).all()
        others = [k for k in range(40) if k != COLUMN[name]]
        assert torch.equal(found[:, others], faces.attributes[:, others])


@pytest.mark.parametrize("do", [{"AU12": 1}, {"AU25": 0}, {"Black_Hair": 1}, {"Gray_Hair": 0}, {"expression": "anger"}])
def test_every_mask_can_be_had_whatever_was_done(do):
    drawn = draw([0, 100], size=32, do=do)
    for name in ("Smiling", "Mouth_Slightly_Open", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"):
        assert drawn.mask(name).shape == (2, 32, 32)


@pytest.mark.parametrize("together", [3, 40])
def test_many_attributes_at_once_are_what_they_are_one_by_one(monkeypatch, together):
    """Masks and interventions of few faces, painted for ``together`` sets of interventions at a time."""
    numbers, do = torch.tensor([100, 4140, 7]), {"expression": "fear", "Gray_Hair": 1}
    alone = draw(numbers, size=32, do=do)
    names = ("Male", "Blurry", "Receding_Hairline", "Gray_Hair", "Smiling", "Attractive", "Wearing_Necktie")
    masks = torch.stack([alone.mask(name) for name in names], 1)
    dos = [do, *({name: value} for name in names[:2] for value in (0, 1)), {"AU12": 1, "AU4": 0}, {}]
    images = [draw(numbers, size=32, do=one).images for one in dos]
    monkeypatch.setattr(module, "PIXELS", together * len(numbers) * 32**2)
    assert torch.equal(alone.masks(names), masks)
    assert all(map(torch.equal, module.pictures(numbers, 0, 32, dos), images))


def test_smiling_moves_its_action_unit():
    for value in (0, 1):
        assert (draw(NUMBERS, size=32, do={"Smiling": value}).action_units[:, UNIT[12]] == value).all()
        assert (draw(NUMBERS, size=32, do={"Mouth_Slightly_Open": value}).action_units[:, UNIT[25]] == value).all()


def test_the_skin_follows_its_tone():
    """The cheek is lighter the lighter the tone, whoever it is; light and shade add noise."""
    plain = {"Pale_Skin": 0, "Blurry": 0, "No_Beard": 1, "5_o_Clock_Shadow": 0, "High_Cheekbones": 0}
    faces = draw(torch.arange(0, 4000, 20), size=64, do=plain)
    x, y = faces.landmarks[:, [30, 3]].mean(1).round().long().unbind(1)  # between nose and jaw
    cheek = faces.images.float().mean(1)[torch.arange(len(x)), y, x]
    assert torch.corrcoef(torch.stack([cheek, faces.skin_tone.float()]))[0, 1] < -0.85


@pytest.mark.parametrize(
    ("name", "light", "dark"), [("5_o_Clock_Shadow", 19, 3), ("Arched_Eyebrows", 23, 5), ("Young", 14, 4)]
)
def test_dark_marks_show_less_on_dark_skin_as_the_notes_say(name, light, dark):
    """Grey levels that the attribute changes inside its mask, on the lightest and the darkest quarter of 240 people."""
    off, on = (draw(torch.arange(0, 24_000, 100), size=48, do={name: value}) for value in (0, 1))
    mask, order = on.mask(name), on.skin_tone.argsort()
    change = (on.images.int() - off.images.int()).abs().float().mean(1) * mask
    change = change.sum((1, 2)) / mask.sum((1, 2)).clamp(min=1)
    assert change[order[:60]].mean().item() == pytest.approx(light, abs=0.6)
    assert change[order[-60:]].mean().item() == pytest.approx(dark, abs=0.6)


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 31}, "32 to 256 pixels, got size=31"),
        ({"size": 257}, "got size=257"),
        ({"size": 64.0}, "got size=64.0"),
        ({"do": {"Glasses": 1}}, "Glasses"),
        ({"do": {"Eyeglasses": 2}}, "Eyeglasses"),
        ({"do": {"expression": "joy"}}, "joy"),
        ({"do": {"AU3": 1}}, "AU3"),
        ({"index": [-1]}, "0 to 2\\*\\*31 - 1, got -1"),
        ({"index": [2**31]}, "got 2147483648"),
        ({"index": [0.5]}, "whole numbers"),
        ({"index": [True]}, "whole numbers"),
        ({"index": []}, "there is no face to draw"),
        ({"seed": 1.0}, "the seed is a whole number, got 1.0"),
        ({"seed": None}, "the seed is a whole number"),
        ({"index": torch.zeros(2, 2, dtype=torch.long)}, "whole numbers"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        by_number(**({"index": [0]} | arguments))


def test_an_unknown_mask_names_what_there_is(faces):
    with pytest.raises(ValueError, match="unknown attribute 'Glasses'; there are 5_o_Clock_Shadow"):
        faces.mask("Glasses")


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_numbers_of_any_whole_kind_name_the_same_faces(kind):
    assert same(draw(torch.tensor([3, 100], dtype=kind), size=32), draw([3, 100], size=32))


def test_a_bound_that_is_changed_changes_nothing_else(faces):
    faces.bound.zero_()
    assert faces.bound.min() > 0.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize(("size", "do"), [(48, {}), (128, {"Eyeglasses": 1}), (256, {"expression": "fear"})])
def test_two_devices_agree_within_a_grey_level(size, do):
    here, there = draw(NUMBERS, size=size, do=do), draw(NUMBERS, size=size, do=do, device="cuda")
    assert (there.images.cpu().int() - here.images.int()).abs().max() <= 1
    assert torch.equal(there.attributes.cpu(), here.attributes)
    assert torch.allclose(there.landmarks.cpu(), here.landmarks, atol=1e-3)
    assert (there.mask("Wavy_Hair").cpu() != here.mask("Wavy_Hair")).float().mean() < 1e-3
    assert there.bound.device == there.images.device


def test_single_precision_people_can_be_painted():
    """As on a device without float64: the same faces, but for rounding."""
    exact, single = (sit(one) for one in (people(NUMBERS), people(NUMBERS).single(torch.device("cpu"))))
    difference = expose(paint(exact, 48), exact.photo).int() - expose(paint(single, 48), single.photo).int()
    assert difference.abs().float().mean() < 1


# ------------------------------------------------------------------ frozen

# Sums of the images of faces 0, 7 and 4140 at 64 pixels, seed 0. A change of the drawing changes them: raise
# ``draw.DRAWING`` then, so that no cache of older faces is taken for new ones. Printed by
#     python -c "from mtlib.faces import draw; print(draw([0, 7, 4140]).images.long().sum((1, 2, 3)).tolist())"
FROZEN = [1030881, 1436702, 1277475]


def test_the_drawing_is_that_of_its_version():
    found = draw([0, 7, 4140]).images.long().sum((1, 2, 3))
    assert (found - torch.tensor(FROZEN)).abs().max() <= 40  # a grey level here and there on other processors


def test_every_attribute_knows_its_parts():
    assert tuple(PARTS) == ATTRIBUTES
