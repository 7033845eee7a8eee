"""LFWA and LFW's pairs: MATLAB's files old and new, the lists of pairs by hand, and every way to damage them."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import loadmat, savemat

from mtlib import faces
from mtlib.datasets import examples_photos, lfw, load, pairs
from mtlib.vision import torchvision

EXAMPLE = "lfwa"
ADA, BEN, CLEO, DAN = examples_photos.PEOPLE


@pytest.fixture
def read(tmp_path):
    return lambda root, **settings: load("lfwa", root=root, cache=tmp_path / "cache", **settings)


@pytest.fixture
def paired(tmp_path):
    return lambda root, **settings: pairs("lfw", root=root, cache=tmp_path / "cache", **settings)


# ------------------------------------------------------------------ LFWA


def test_labels_people_and_halves_of_the_example(root, read):
    data = read(root, size=32, tasks=["attributes", "identity"])
    drawn = faces.draw([0, 1, 2, 3, 100, 101, 102, 200, 201, 202, 300, 301], size=32)
    assert data.name == "LFWA, 32 pixels, crop"
    assert torch.equal(data.train.y["attributes"], drawn.attributes[:7])
    assert torch.equal(data.test.y["attributes"], drawn.attributes[7:])
    assert data.tasks[0].columns == faces.ATTRIBUTES
    assert data.train.y["identity"].flatten().tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert data.test.y["identity"].flatten().tolist() == [2, 2, 2, 3, 3]
    assert data.tasks[1].classes == 4
    assert [task.name for task in read(root, size=32).tasks] == ["attributes"]


def rewritten(root, file, **changes):
    """Another content of a .mat file; None leaves a variable out."""
    path = root / "lfw" / file
    content = {key: value for key, value in loadmat(path).items() if not key.startswith("__")} | changes
    savemat(path, {key: value for key, value in content.items() if value is not None})


def cells(texts):
    return np.array([*texts, None], dtype=object)[:-1].reshape(-1, 1)


def test_attributes_come_in_celebas_order_whatever_their_own(root, read):
    """The columns turned round, and named as people write them."""
    before = read(root, size=8).train.y["attributes"]
    turned = cells(name.replace("_", " ").title() for name in reversed(faces.ATTRIBUTES))
    label = loadmat(root / "lfw" / lfw.LABELS)["label"][:, ::-1]
    rewritten(root, lfw.LABELS, AttrName=turned, label=label)
    assert torch.equal(read(root, size=8).train.y["attributes"], before)


def test_another_alignment_is_another_folder(root, read):
    with pytest.raises(FileNotFoundError, match=r"LFWA: lfw_funneled is not in .*under 'LFWA' how to get it"):
        read(root, images="funneled")
    shutil.copytree(root / "lfw" / "lfw", root / "lfw" / "lfw-deepfunneled")
    picture = root / "lfw" / "lfw-deepfunneled" / ADA / f"{ADA}_0001.jpg"
    Image.new("RGB", (250, 250), "white").save(picture)
    assert read(root, size=8, images="deepfunneled").train.x[0].min() == 255
    assert read(root, size=8).train.x[0].min() < 200
    with pytest.raises(ValueError, match="images is one of original, funneled, deepfunneled, got 'frontal'"):
        read(root, images="frontal")


def test_grey_pictures_among_those_in_colour_are_given_in_colour(root, read):
    Image.new("L", (250, 250), 77).save(root / "lfw" / "lfw" / ADA / f"{ADA}_0002.jpg")
    x = read(root, size=8).train.x
    assert x.shape == (7, 3, 8, 8)
    assert x[1].unique().tolist() == [77]
    assert read(root, size=8, channels=1).train.x.shape == (7, 1, 8, 8)


@pytest.mark.parametrize("name", [lfw.LABELS, lfw.HALVES, "lfw"])
def test_a_missing_piece_is_named_and_where_to_read_about_it(root, read, name):
    (root / "lfw" / name).rename(root / "elsewhere")
    with pytest.raises(FileNotFoundError, match=f"LFWA: {name} is not in .*data/README.md says under 'LFWA'"):
        read(root)


def test_a_picture_of_another_size_is_named(root, read):
    Image.new("RGB", (250, 249)).save(root / "lfw" / "lfw" / BEN / f"{BEN}_0001.jpg")
    with pytest.raises(ValueError, match=f"{BEN}/{BEN}_0001.jpg has 250 x 249 pixels, not 250 x 250"):
        read(root)


ROWS = np.arange(1.0, 8).reshape(-1, 1)
DAMAGE = {
    "no names": (lfw.LABELS, {"name": None}, "cannot be read .it has no variable name"),
    "a name twice": (lfw.LABELS, {"name": cells(["A\\A_0001.jpg"] * 12)}, "does not name every picture once"),
    "a way out": (
        lfw.LABELS,
        {"name": cells(["..\\x.jpg", *(f"A\\{i}.jpg" for i in range(11))])},
        "does not name every picture once",
    ),
    "other attributes": (lfw.LABELS, {"AttrName": cells("abc")}, "does not have the 40 attributes"),
    "too few labels": (lfw.LABELS, {"label": np.ones((11, 40))}, "does not have 0 or 1 for each of 12 x 40"),
    "other labels": (lfw.LABELS, {"label": np.full((12, 40), 2.0)}, "does not have 0 or 1 for each"),
    "no label": (lfw.LABELS, {"label": np.full((12, 40), np.nan)}, "does not have 0 or 1 for each"),
    "counted from 0": (lfw.HALVES, {"indices_img_train": ROWS - 1}, "1 to 12, for the train split"),
    "beyond the end": (lfw.HALVES, {"indices_img_test": ROWS + 6}, "1 to 12, for the test split"),
    "no rows": (lfw.HALVES, {"indices_img_test": np.zeros((0, 1))}, "1 to 12, for the test split"),
    "half a row": (lfw.HALVES, {"indices_img_test": ROWS + 0.5}, "1 to 12, for the test split"),
    "in both": (lfw.HALVES, {"indices_img_test": ROWS}, "has a picture twice"),
}


@pytest.mark.parametrize(("name", "changes", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage_in_a_mat_file_is_named(root, read, name, changes, message):
    rewritten(root, name, **changes)
    with pytest.raises(ValueError, match=f"LFWA: {name} .*{message}"):
        read(root)


@pytest.mark.parametrize("name", [lfw.LABELS, lfw.HALVES])
@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: bytes(len(content)),
        lambda content: b"no MATLAB " * 99,
        None,
    ],
    ids=["empty", "cut", "zeroed", "a text", "a folder"],
)
def test_what_is_no_mat_file_is_named(root, read, spoil, name, change):
    spoil(root / "lfw" / name, change)
    with pytest.raises(ValueError, match=f"LFWA: {name} "):
        read(root)


# ------------------------------------------------------------------ pairs


def test_pairs_and_folds_of_the_example(root, paired):
    found = paired(root, size=16)
    assert found.name == "LFW pairs, 16 pixels, crop"
    assert len(found) == 8
    assert found.x.shape == (11, 3, 16, 16)  # Ada's fourth picture is in no pair
    assert found.same.tolist() == [True, True, False, False] * 2
    assert found.fold.tolist() == [0] * 4 + [1] * 4
    names = lfw.read_pairs(root / "lfw").x.names
    first, second = ([names[row] for row in rows] for rows in (found.first, found.second))
    assert (first[1], second[1]) == (f"{BEN}/{BEN}_0001.jpg", f"{BEN}/{BEN}_0003.jpg")
    assert (first[6], second[6]) == (f"{CLEO}/{CLEO}_0001.jpg", f"{DAN}/{DAN}_0001.jpg")
    train, test = next(found.folds())
    assert (train.tolist(), test.tolist()) == ([4, 5, 6, 7], [0, 1, 2, 3])
    assert len(list(found.folds())) == 2


def test_every_picture_is_there_once_and_is_the_right_one(root, paired):
    found, names = paired(root, size=16), lfw.read_pairs(root / "lfw").x.names
    assert len(set(names)) == len(names)
    everyone = load("lfwa", root=root, size=16, cache=root / "cache").test.x  # Cleo 1 to 3, Dan 1 and 2
    assert torch.equal(found.x[names.index(f"{DAN}/{DAN}_0002.jpg")], everyone[4])


def test_torchvision_reads_the_same_pairs(root):
    listed = lfw.read_pairs(root / "lfw")
    me = SimpleNamespace(root=root / "lfw", labels_file="pairs.txt", split="10fold")
    me._get_path = lambda name, number: f"{name}/{name}_{int(number):04d}.jpg"
    _, data, same = torchvision().datasets.LFWPairs._get_pairs(me, "")
    ours = [(listed.x.names[i], listed.x.names[j]) for i, j in zip(listed.first, listed.second, strict=True)]
    assert ours == data
    assert listed.same.long().tolist() == same


@pytest.mark.parametrize(("view", "who"), [("train", {ADA, BEN}), ("test", {CLEO, DAN})])
def test_view_1_has_no_folds(root, paired, view, who):
    found = paired(root, size=8, view=view)
    assert found.same.tolist() == [True, True, False, False]
    assert {name.split("/")[0] for name in lfw.read_pairs(root / "lfw", view).x.names} == who
    with pytest.raises(ValueError, match="LFW pairs, 8 pixels, crop has no folds"):
        next(found.folds())


def line(number, text):
    """A change that puts another text in a line, counted from 1."""

    def change(content):
        lines = content.split("\n")
        lines[number - 1] = text
        return "\n".join(lines)

    return change


LISTS = {
    "no numbers": (line(1, "ten\t300"), "does not begin with the numbers of its folds and pairs"),
    "one number": (line(1, "4"), "does not begin with the numbers"),
    "more folds": (line(1, "3\t2"), "has 8 pairs, not 12 as its first line says"),
    "cut": (lambda content: content[: content.rindex(DAN)], "has 8 pairs|in line 9|has 7 pairs"),
    "one word": (line(2, ADA), f"'{ADA}' in line 2, not a name and two numbers"),
    "an empty line": (line(3, ""), "'' in line 3, not a name and two numbers"),
    "no number": (line(3, f"{BEN}\tone\t3"), "in line 3, not a name and two numbers"),
    "one name": (line(4, f"{ADA}\t1\t2"), "in line 4, not a name and a number, twice"),
    "twice the same": (line(2, f"{ADA}\t1\t1"), "in line 2, no two pictures of 1"),
    "one person": (line(5, f"{ADA}\t1\t{ADA}\t2"), "in line 5, no two pictures of 2"),
}


@pytest.mark.parametrize(("change", "message"), LISTS.values(), ids=LISTS)
def test_a_damaged_list_is_named_with_its_line(root, paired, spoil, change, message):
    spoil(root / "lfw" / "pairs.txt", lambda content: change(content.decode()).encode())
    with pytest.raises(ValueError, match=f"LFW pairs: pairs.txt .*({message})"):
        paired(root)


def test_other_damage_to_pairs(root, paired, spoil):
    for change in (lambda content: b"", lambda content: bytes(99), lambda content: b"\xff\xd8\xff" * 99, None):
        spoil(root / "lfw" / "pairsDevTest.txt", change)
        with pytest.raises(ValueError, match=r"LFW pairs: pairsDevTest\.txt "):
            paired(root, view="test")
        shutil.rmtree(root / "lfw" / "pairsDevTest.txt", ignore_errors=True)
        (root / "lfw" / "pairsDevTest.txt").touch()
    (root / "lfw" / "pairs.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"pairs\.txt is not in .*data/README.md says under 'LFW pairs'"):
        paired(root)
    with pytest.raises(ValueError, match="view is one of folds, train, test, got 'view2'"):
        paired(root, view="view2")


@pytest.mark.parametrize(("view", "length"), [("folds", 6000), ("train", 2200), ("test", 1000)])
def test_a_list_as_long_as_the_published_one_must_be_that_one(root, paired, spoil, view, length):
    folds, each = lfw.PUBLISHED[view]
    assert folds * each * 2 == length
    fold = [f"{ADA}\t1\t2"] * each + [f"{ADA}\t1\t{BEN}\t1"] * each
    header = f"{folds}\t{each}" if view == "folds" else f"{each}"
    (root / "lfw" / lfw.LISTS[view]).write_text("\n".join([header, *fold * folds, ""]))
    with pytest.raises(ValueError, match=re.escape(f"{lfw.LISTS[view]} is not the published one (MD5)")):
        paired(root, view=view)
