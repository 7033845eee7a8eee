"""CelebA: what the lists say, by hand; where marks are; every way in which the files can be damaged or missing."""

import csv
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image, ImageDraw

from mtlib import faces
from mtlib.augment import Augment
from mtlib.datasets import celeba, examples_photos, load
from mtlib.faces.data import positions
from mtlib.tasks import Batch
from mtlib.vision import torchvision

EXAMPLE = "celeba"
ROOT = Path(__file__).parents[2]
TASKS = ["attributes", "identity", "landmarks"]


@pytest.fixture
def read(tmp_path):
    """read(root, ...) loads with a cache of the test's own."""
    return lambda root, **settings: load("celeba", root=root, cache=tmp_path / "cache", **settings)


def rows(data):
    """The splits' rows in the order of the lists."""
    return [data.train, data.validation, data.test]


# ------------------------------------------------------------------ what is read


def test_labels_splits_and_people_of_the_example(root, read):
    data, drawn = read(root, size=32, tasks=TASKS), examples_photos.celeba_faces(0)
    assert data.name == "CelebA, 32 pixels, crop"
    assert [len(split) for split in rows(data)] == [8, 3, 4]
    assert torch.equal(torch.cat([split.y["attributes"] for split in rows(data)]), drawn.attributes)
    assert data.train.y["attributes"].dtype == torch.int8
    people = torch.cat([split.y["identity"].flatten() for split in rows(data)])
    same = people.unsqueeze(0) == people.unsqueeze(1)
    assert torch.equal(same, drawn.identity.unsqueeze(0) == drawn.identity.unsqueeze(1))
    assert data.tasks[1].classes == len(people.unique()) == 7
    assert people.min() == 0  # person 1 of the file is class 0
    assert data.train.x.shape == (8, 3, 32, 32)


def test_attributes_alone_unless_more_is_asked_for(root, read):
    data = read(root, train=2, validation=1, test=1)
    assert [task.name for task in data.tasks] == ["attributes"]
    assert data.tasks[0].columns == faces.ATTRIBUTES
    assert data.train.x.shape == (2, 3, 218, 178)


def test_torchvision_reads_the_same_lists(root, read):
    data, me = read(root, size=8, tasks=TASKS), SimpleNamespace(root=root, base_folder="celeba")
    lists = {
        "attributes": torchvision().datasets.CelebA._load_csv(me, celeba.ATTRIBUTE, 1).data.clamp(min=0),
        "identity": torchvision().datasets.CelebA._load_csv(me, celeba.IDENTITY).data - 1,
    }
    for name, theirs in lists.items():
        assert torch.equal(torch.cat([split.y[name] for split in rows(data)]).long(), theirs)
    marks = torchvision().datasets.CelebA._load_csv(me, celeba.LANDMARKS, 1).data
    assert torch.equal(celeba.read(root / "celeba").parts["train"].y["landmarks"], marks[:8].float())


@pytest.mark.parametrize(("size", "fit"), [(64, "crop"), (64, "stretch"), (218, "crop")])
def test_a_place_is_where_the_mark_is(tmp_path, read, size, fit):
    """A white spot is painted at the nose; the label points to it in whatever is made of the picture."""
    folder, spots = tmp_path / "celeba", [(89, 109), (60, 130), (120, 70)]
    (folder / celeba.IMAGES).mkdir(parents=True)
    names = [f"{i + 1:06d}.jpg" for i in range(3)]
    for name, (x, y) in zip(names, spots, strict=True):
        picture = Image.new("RGB", (178, 218))
        ImageDraw.Draw(picture).ellipse((x - 5, y - 5, x + 5, y + 5), fill="white")
        picture.save(folder / celeba.IMAGES / name, quality=95)
    labels = "".join(f"{name}{' 1' * 40}\n" for name in names)
    (folder / celeba.ATTRIBUTE).write_text(f"3\n{' '.join(faces.ATTRIBUTES)}\n{labels}")
    (folder / celeba.PARTITION).write_text("".join(f"{n} {k}\n" for k, n in enumerate(names)))
    marks = "".join(f"{n} 0 0 0 0 {x} {y} 0 0 0 0\n" for n, (x, y) in zip(names, spots, strict=True))
    (folder / celeba.LANDMARKS).write_text(f"3\n{' '.join(celeba.PLACES)}\n{marks}")
    data = read(tmp_path, size=size, fit=fit, tasks=["landmarks"])
    for split in rows(data):
        bright = split.x[0].float().mean(0)
        bright = (bright * (bright > 40)) / (bright * (bright > 40)).sum()
        down, across = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        centre = torch.stack([(bright * across).sum(), (bright * down).sum()])
        assert torch.allclose(positions(split.y["landmarks"], size)[0, 2], centre, atol=0.35)


def test_drawn_marks_agree_with_drawn_faces(root, read):
    """Cut to the middle and stretched, the example's marks are the drawn faces' own but for rounding to pixels."""
    data, drawn = read(root, size=64, fit="stretch", tasks=["landmarks"]), examples_photos.celeba_faces(0)
    found = (torch.cat([split.y["landmarks"] for split in rows(data)]).unflatten(1, (5, 2)) + 1) / 2
    exact = (drawn.landmarks[:, faces.POINTS_5] + 0.5 - torch.tensor([20, 0])) / torch.tensor([178, 218])
    assert torch.allclose(found, exact, atol=0.51 / 178)


def test_a_mirrored_face_has_its_left_eye_on_the_left(root, read):
    """By hand, and on the example's faces: marks go to the other side, and their names change with them."""
    mirror = Augment(flip=1, positions={"landmarks": celeba.MIRRORED})
    face = torch.tensor([[-0.4, -0.2, 0.5, -0.1, 0.1, 0.0, -0.3, 0.5, 0.35, 0.45]])
    found = mirror(Batch(torch.zeros(1, 3, 8, 8), {"landmarks": face}), 0, 0).y["landmarks"]
    assert torch.allclose(found, torch.tensor([[-0.5, -0.1, 0.4, -0.2, -0.1, 0.0, -0.35, 0.45, 0.3, 0.5]]))
    split = read(root, size=32, tasks=["landmarks"]).train
    batch = mirror(Batch(split.x, split.y), 0, 0)
    assert torch.equal(batch.x, split.x.flip(3))
    for y in (split.y["landmarks"], batch.y["landmarks"]):
        x = dict(zip(celeba.POINTS, y[:, ::2].unbind(1), strict=True))
        assert (x["lefteye"] < x["nose"]).all()
        assert (x["nose"] < x["righteye"]).all()
        assert (x["leftmouth"] < x["rightmouth"]).all()


def test_pictures_may_lie_one_folder_deeper(root, read):
    """As Kaggle's copy unpacks; where the first picture is at its place, that folder is the one."""
    expected, images = read(root, size=8), root / "celeba" / celeba.IMAGES
    images.rename(root / "elsewhere")
    images.mkdir()
    (root / "elsewhere").rename(images / celeba.IMAGES)
    found = read(root, size=8)
    assert torch.equal(found.train.x, expected.train.x)
    assert torch.equal(found.test.x, expected.test.x)
    shutil.copy(images / celeba.IMAGES / "000001.jpg", images)
    with pytest.raises(FileNotFoundError, match=r"7 of 8 pictures are not in .*, the first is 000002.jpg"):
        read(root, size=8)


def test_the_counts_are_those_of_the_paper():
    with open(ROOT / "data" / "papers" / "sos_datasets.csv") as file:
        printed = {row["quantity"]: row["printed"] for row in csv.DictReader(file)}
    assert str(celeba.PICTURES) == printed["CelebA images"]
    assert f"{celeba.HIGH}x{celeba.WIDE}" == printed["CelebA width x height as printed"]  # as rows x columns
    assert str(len(faces.ATTRIBUTES)) == printed["attributes"]
    with open(ROOT / "data" / "celeba" / "attribute_frequency.csv") as file:
        assert [row["attribute"] for row in csv.DictReader(file)] == list(faces.ATTRIBUTES)


# ------------------------------------------------------------------ what is missing


@pytest.mark.parametrize("name", [celeba.ATTRIBUTE, celeba.PARTITION, celeba.IMAGES])
def test_a_missing_piece_is_named_and_where_to_read_about_it(root, read, name):
    (root / "celeba" / name).rename(root / "elsewhere")
    with pytest.raises(FileNotFoundError, match=rf"{name} is not in .*celeba; data/README.md says under 'CelebA'"):
        read(root)


@pytest.mark.parametrize(("task", "name"), [("identity", celeba.IDENTITY), ("landmarks", celeba.LANDMARKS)])
def test_a_list_is_only_needed_for_its_task(root, read, task, name):
    (root / "celeba" / name).unlink()
    assert len(read(root, size=8).tasks) == 1
    with pytest.raises(FileNotFoundError, match=f"{name} is not in"):
        read(root, tasks=["attributes", task])
    other = {"identity": "landmarks", "landmarks": "identity"}[task]
    with pytest.raises(ValueError, match=f"tasks are one or more of attributes, {other}, each once"):
        read(root, tasks=["age"])


def test_a_missing_picture_is_named(root, read):
    (root / "celeba" / celeba.IMAGES / "000003.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of 8 pictures are not in .*, the first is 000003.jpg"):
        read(root)


# ------------------------------------------------------------------ what is damaged


def swap(pattern, new):
    """A change that puts ``new`` where the pattern first matches."""
    return lambda text: re.sub(pattern, new, text, count=1)


A, P, WHO, L = celeba.ATTRIBUTE, celeba.PARTITION, celeba.IDENTITY, celeba.LANDMARKS
DAMAGE = {
    "no count": (A, swap("15\n", "many\n"), "does not begin with the number"),
    "another count": (A, swap("15\n", "16\n"), "has 15 pictures, not 16 as its first line says"),
    "another order": (A, swap(r"(\S+) (\S+)", r"\2 \1"), "does not name the columns 5_o_Clock_Shadow to Young"),
    "a short line": (A, swap(r"(000005.jpg +)\S+ ", r"\1"), "40 values in line 7, not 41"),
    "a long line": (A, swap("000005.jpg", "1 000005.jpg"), "42 values in line 7, not 41"),
    "a word": (A, swap(r"(000002.jpg +)\S+", r"\1x"), "'x' in line 4 where 5_o_Clock_Shadow is a whole number"),
    "another label": (A, swap(r"(000002.jpg +)\S+", r"\1 0"), "something else than -1 and 1 for 000002.jpg"),
    "a large label": (A, swap(r"(000002.jpg +)\S+", r"\g<1>257"), "something else than -1 and 1 for 000002.jpg"),
    "twice": (A, swap("000005.jpg", "000004.jpg"), "has 000004.jpg twice"),
    "cut": (A, lambda text: text[: len(text) // 2], "line|pictures"),
    "a partition 3": (P, swap("000015.jpg 2", "000015.jpg 3"), "something else than the partitions 0, 1 and 2"),
    "a word too many": (P, swap("000015.jpg 2", "000015.jpg 2 7"), "has 3 values in line 15, not 2"),
    "no test": (P, lambda text: text.replace(" 2\n", " 1\n"), "no pictures of the test split"),
    "one less": (P, swap("000015.jpg 2\n", ""), "has 14 pictures, list_attr_celeba.txt 15"),
    "another picture": (
        WHO,
        swap("000004", "000400"),
        "has 000400.jpg as picture 4, where list_attr_.* has 000004.jpg",
    ),
    "no number": (WHO, swap("000004.jpg ", "000004.jpg who"), "in line 4 where identity is a whole number"),
    "outside": (L, swap(r"(000001.jpg +)", r"\g<1>9"), "places outside the picture for 000001.jpg"),
    "other points": (L, swap("nose_x", "chin_x"), "does not name the columns lefteye_x to rightmouth_y"),
}


@pytest.mark.parametrize(("name", "change", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage_in_a_list_is_named(root, read, spoil, name, change, message):
    path = root / "celeba" / name
    before = path.read_text()
    assert change(before) != before
    spoil(path, lambda content: change(content.decode()).encode())
    with pytest.raises(ValueError, match=f"CelebA: {name} .*{message}"):
        read(root)


@pytest.mark.parametrize("name", [A, P, WHO, L])
@pytest.mark.parametrize(
    "change",
    [lambda content: b"", lambda content: bytes(len(content)), lambda content: b"\x89PNG\r\n\xff" * 99, None],
    ids=["empty", "zeroed", "another type", "a folder"],
)
def test_what_is_no_list_is_named(root, read, spoil, name, change):
    spoil(root / "celeba" / name, change)
    with pytest.raises(ValueError, match=f"CelebA: {name} "):
        read(root)


def test_a_picture_of_another_size_or_type_is_named(root, read):
    path = root / "celeba" / celeba.IMAGES / "000002.jpg"
    Image.new("RGB", (178, 217)).save(path)
    with pytest.raises(ValueError, match=r"CelebA: 000002.jpg has 178 x 217 pixels, not 178 x 218"):
        read(root)
    Image.new("RGB", (178, 218)).save(path, format="PNG")
    with pytest.raises(ValueError, match=r"CelebA: 000002.jpg is no JPEG picture"):
        read(root)


def test_a_list_of_all_pictures_must_be_the_published_one(root, read, monkeypatch):
    """As many pictures as CelebA has: then the MD5 is looked at; here the example stands for all of CelebA."""
    monkeypatch.setattr(celeba, "PICTURES", 15)
    with pytest.raises(ValueError, match=r"list_attr_celeba.txt is not the published one \(MD5\)"):
        read(root)
    known = [("", celeba.md5(root / "celeba" / name), name) for name in (A, P, WHO, L)]
    monkeypatch.setattr(torchvision().datasets.CelebA, "file_list", [*known[:3], ("", "0" * 32, L)])
    with pytest.raises(ValueError, match=r"list_landmarks_align_celeba.txt is not the published one \(MD5\)"):
        read(root)
    monkeypatch.setattr(torchvision().datasets.CelebA, "file_list", known)
    assert len(read(root, size=8).train) == 8


def test_the_published_lists_are_the_ones_that_the_statistics_come_from():
    """data/README.md names the lists that the drawn faces are fitted to, by the same MD5s."""
    text = " ".join((ROOT / "data" / "README.md").read_text().split())
    known = {name: digest for _, digest, name in torchvision().datasets.CelebA.file_list}
    for name in (A, P, WHO):
        assert known[name] in text
