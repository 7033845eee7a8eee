"""The AT&T faces: both layouts, both splits, and what can be wrong with them."""

import numpy as np
import pytest
import torch

from mtlib.datasets import examples, load

TITLE = "AT&T faces"


@pytest.fixture(params=["att_faces", "att_faces_pgm"])
def either(request, example):
    return example(request.param)


@pytest.fixture
def packed(example):
    root = example("att_faces")

    def change(**arrays):
        path = root / "att_faces" / "att_faces.npz"
        np.savez(path, **(dict(np.load(path)) | arrays))
        return root

    return change


def test_of_each_person_five_pictures_are_for_training(either):
    data = load("att_faces", root=either)
    assert data.name == f"{TITLE}, as they are"
    assert data.train.x.shape == data.test.x.shape == (200, 1, 112, 92)
    people = examples.smooth(400, 1, 112, 92, "att_faces", 0).view(40, 10, 1, 112, 92)
    assert torch.equal(data.train.x[0], people[0, 0])
    assert torch.equal(data.train.x[43], people[3, 1])  # by picture, then by person
    assert torch.equal(data.test.x[199], people[39, 9])
    for split in (data.train, data.test):
        assert split.y["identity"].flatten().tolist() == list(range(40)) * 5
    assert data.tasks[0].classes == 40


def test_or_twenty_people_are(either):
    data = load("att_faces", root=either, split="people")
    people = examples.smooth(400, 1, 112, 92, "att_faces", 0).view(40, 10, 1, 112, 92)
    assert data.train.y["identity"].flatten().tolist() == list(range(20)) * 10
    assert data.test.y["identity"].flatten().tolist() == list(range(20, 40)) * 10
    assert torch.equal(data.test.x[21], people[21, 1])


def test_a_pixel_by_hand(example):
    from PIL import Image

    root = example("att_faces_pgm")
    content = np.full((112, 92), 7, dtype="uint8")
    content[3, 5] = 200
    Image.fromarray(content).save(root / "att_faces" / "s2" / "1.pgm")
    found = load("att_faces", root=root).train.x[1, 0]
    assert found[3, 5] == 200
    assert (found == 7).sum() == 112 * 92 - 1


def test_a_split_that_there_is_not(example):
    with pytest.raises(ValueError, match="split is one of pictures, people, got 'faces'"):
        load("att_faces", root=example("att_faces"), split="faces")


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"AT&T faces: s1 or att_faces.npz is not in .*under 'AT&T faces'"):
        load("att_faces", root=tmp_path)


def test_missing_pictures_are_counted(example):
    root = example("att_faces_pgm")
    for name in ("s7/3.pgm", "s40/10.pgm"):
        (root / "att_faces" / name).unlink()
    with pytest.raises(FileNotFoundError, match=r"2 of 400 pictures are not in .*, the first is s7/3.pgm"):
        load("att_faces", root=root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda old: old[:5000], "s7/3.pgm is damaged"),
        (lambda old: old[:5000] + bytes(len(old) - 5000), "3.pgm of s7 ends in zeros"),
        (lambda old: b"", "s7/3.pgm is no PPM picture"),
        (lambda old: b"hello, world", "s7/3.pgm is no PPM picture"),
        (lambda old: old.replace(b"92 112", b"46 224", 1), "s7/3.pgm has 46 x 224 pixels, not 92 x 112"),
        (
            lambda old: examples.encoded(torch.zeros(3, 112, 92, dtype=torch.uint8), "PPM"),
            r"s7/3.pgm is \(3, 112, 92\)",
        ),
        (lambda old: examples.encoded(torch.zeros(1, 112, 92, dtype=torch.uint8), "PNG"), "s7/3.pgm is no PPM"),
        (None, "s7/3.pgm cannot be read"),
    ],
)
def test_a_damaged_picture_is_named(example, spoil, change, message):
    root = example("att_faces_pgm")
    spoil(root / "att_faces" / "s7" / "3.pgm", change)
    with pytest.raises(ValueError, match=f"^{TITLE}: {message}"):
        load("att_faces", root=root)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((399, 112, 92), "uint8")}, r"has pictures of \(399, 112, 92\), not \(400, 112, 92\)"),
        ({"images": np.zeros((400, 92, 112), "uint8")}, r"has pictures of \(400, 92, 112\)"),
        ({"images": np.zeros((400, 112, 92))}, r"has images \(400, 112, 92\) float64, not 3 dimensions of uint8"),
        ({"subject": np.arange(40, dtype="uint8").repeat(10)}, "does not have the people 1 to 40 in order"),
        ({"subject": np.tile(np.arange(1, 41, dtype="uint8"), 10)}, "does not have the people 1 to 40 in order"),
        ({"subject": np.ones(399, dtype="uint8")}, "does not have the people 1 to 40 in order"),
    ],
)
def test_an_archive_that_is_another_is_named(packed, arrays, message):
    with pytest.raises(ValueError, match=f"^{TITLE}: att_faces.npz {message}"):
        load("att_faces", root=packed(**arrays))


@pytest.mark.parametrize(
    "change",
    [
        lambda old: old[:-1000],
        lambda old: old[:9000] + bytes([old[9000] ^ 1]) + old[9001:],
        lambda old: old[:9000] + bytes(len(old) - 9000),
        lambda old: b"",
        None,
    ],
)
def test_a_damaged_archive_is_named(packed, spoil, change):
    root = packed()
    spoil(root / "att_faces" / "att_faces.npz", change)
    with pytest.raises(ValueError, match=f"^{TITLE}: att_faces.npz (cannot be read|is damaged in images.npy)"):
        load("att_faces", root=root)


def test_the_real_ones(real, tmp_path):
    data = load("att_faces", root=real("att_faces"), cache=tmp_path)
    assert data.train.x.shape == data.test.x.shape == (200, 1, 112, 92)
    pixels = torch.cat([data.train.x, data.test.x]).double()
    assert pixels.mean().item() == pytest.approx(112.6312849, abs=1e-6)
    assert data.train.x[0, 0, 0, :4].tolist() == [48, 49, 45, 47]
    # Pictures of one person are more alike than pictures of two.
    train, test = (split.x.flatten(1).double() for split in (data.train, data.test))
    nearest = torch.cdist(test, train).argmin(1)
    assert (data.train.y["identity"][nearest] == data.test.y["identity"]).double().mean() > 0.85
