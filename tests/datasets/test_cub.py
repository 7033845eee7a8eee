"""CUB-200-2011: labels by hand, its malformed lines, boxes, and the real table of what birds look like."""

import re
import shutil

import pytest
import torch
from PIL import Image

from mtlib.datasets import cub, examples_photos, load

EXAMPLE = "cub"
SET = "cub/CUB_200_2011"
LABELS = f"{SET}/{cub.ATTRIBUTES}"
SHARES = f"{SET}/attributes/{cub.RELATIONS}"


@pytest.fixture
def read(tmp_path):
    return lambda root, **settings: load("cub", root=root, cache=tmp_path / "cache", **{"size": 16, **settings})


def by_hand(root):
    """The labels file as {(picture, attribute): (present, certainty)}, all counted from 1, read another way."""
    found = {}
    for line in (root / LABELS).read_text().splitlines():
        picture, attribute, present, certainty = map(int, line.split()[:4])
        found[picture, attribute] = present, certainty
    return found


# ------------------------------------------------------------------ what is read


def test_species_and_splits_of_the_example(root, read):
    data = read(root)
    assert data.name == "CUB-200-2011, 16 pixels, crop"
    assert data.train.y["species"].flatten().tolist() == data.test.y["species"].flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert data.validation is None
    assert [(task.name, task.kind) for task in data.tasks] == [("species", "classes"), ("attributes", "binary")]
    assert data.tasks[0].classes == 3
    assert data.tasks[1].columns == examples_photos.SEEN
    names = cub.read(root / "cub").parts["train"].x.names
    assert names[2] == "002.Lesser_Blur/Lesser_Blur_0001_900.jpg"


def test_attributes_by_hand(root, read):
    """Pictures 1, 2, 5, 6, 9, 10 are to train on; picture 8 has the malformed line."""
    data, hand = read(root), by_hand(root)
    for split, pictures in ((data.train, (1, 2, 5, 6, 9, 10)), (data.test, (3, 4, 7, 8, 11, 12))):
        expected = [[hand[p, a][0] * (hand[p, a][1] > 1) for a in range(1, 6)] for p in pictures]
        assert split.y["attributes"].tolist() == expected
        assert split.y["attributes"].dtype == torch.int8


def test_the_malformed_line_is_there(root):
    """As in the real file: a line with superfluous zeros before the time."""
    longer = [line for line in (root / LABELS).read_text().splitlines() if len(line.split()) > 5]
    assert [line.split()[:2] for line in longer] == [["8", "3"]]


def test_what_could_not_be_seen_is_absent_or_missing(root, read):
    hand, rows = by_hand(root), (1, 2, 5, 6, 9, 10)
    absent, missing = read(root).train.y["attributes"], read(root, invisible="missing").train.y["attributes"]
    unseen = torch.tensor([[hand[p, a][1] == 1 for a in range(1, 6)] for p in rows])
    assert unseen.any()
    assert (absent[unseen] == 0).all()
    assert (missing[unseen] == -1).all()
    assert torch.equal(absent[~unseen], missing[~unseen])
    with pytest.raises(ValueError, match="invisible is one of absent, missing, got 'unknown'"):
        read(root, invisible="unknown")


def test_labels_in_another_order_are_the_same(root, read, spoil):
    before = read(root).test.y["attributes"]
    spoil(root / LABELS, lambda content: b"".join(sorted(content.splitlines(keepends=True))))
    assert torch.equal(read(root).test.y["attributes"], before)


def test_pictures_differ_in_size_and_are_all_in_colour(root, read):
    with pytest.raises(ValueError, match="CUB-200-2011: its pictures differ in size; give the size"):
        read(root, size=None)
    assert Image.open(root / SET / "images" / "002.Lesser_Blur/Lesser_Blur_0002_901.jpg").mode == "L"
    assert read(root).train.x.shape == (6, 3, 16, 16)
    assert read(root, channels=1).train.x.shape == (6, 1, 16, 16)


@pytest.mark.parametrize(
    ("split", "row", "name", "box"),
    [
        ("train", 0, "001.Blue_Smudge/Blue_Smudge_0001_900.jpg", (10, 8, 46, 40)),
        ("test", 5, "003.Streak/Streak_0004_903.jpg", (10, 8, 53, 50)),
    ],
)
def test_boxes_cut_the_bird_out(root, read, split, row, name, box):
    """The picture is red in the left half of its box, white in the right one, and black around it."""
    path = root / SET / "images" / name
    picture, middle = Image.new("RGB", Image.open(path).size), (box[0] + box[2]) // 2
    picture.paste("red", box)
    picture.paste("white", (middle, *box[1:]))
    picture.save(path, quality=95, subsampling=0)
    whole = getattr(read(root, size=32, fit="stretch"), split).x[row]
    assert whole[:, 0, 0].max() < 20
    cut = getattr(read(root, size=32, fit="stretch", boxes=True), split).x[row]
    assert cut[0].min() > 200
    assert cut[1, :, :14].max() < 50  # red has no green
    assert cut[1, :, 18:].min() > 200
    again = getattr(read(root, size=32, fit="stretch"), split).x[row]  # each has a cache of its own
    assert torch.equal(again, whole)


def test_a_box_that_reaches_too_far_ends_with_the_picture(root, read, spoil):
    spoil(root / SET / cub.BOXES, lambda content: re.sub(rb"^1 .*", b"1 59.0 0.0 500.0 500.0", content))
    assert read(root, fit="stretch", boxes=True).train.x[0].shape == (3, 16, 16)


@pytest.mark.parametrize("place", [f"{SET}/attributes", SET])
def test_the_names_of_the_attributes_may_lie_inside(root, read, place):
    (root / "cub" / cub.NAMES).rename(root / place / cub.NAMES)
    assert read(root).tasks[1].columns == examples_photos.SEEN


# ------------------------------------------------------------------ what is missing or damaged


@pytest.mark.parametrize("name", [cub.PICTURES, cub.CLASSES, cub.SPLIT, cub.SPECIES, cub.IMAGES, cub.BOXES, cub.NAMES])
def test_a_missing_piece_is_named_and_where_to_read_about_it(root, read, name):
    (root / ("cub" if name == cub.NAMES else SET) / name).rename(root / "elsewhere")
    with pytest.raises(FileNotFoundError, match=f"CUB-200-2011: {name} is not in .*says under 'CUB-200-2011'"):
        read(root, boxes=True)


def test_species_alone_need_no_attributes(root, read):
    (root / LABELS).unlink()
    assert [task.name for task in read(root).tasks] == ["species"]
    with pytest.raises(FileNotFoundError, match=r"image_attribute_labels.txt is not in"):
        read(root, tasks=["attributes"])


def swap(pattern, new):
    """A change that puts ``new`` where the pattern first matches; ^ is the beginning of a line."""
    return lambda text: re.sub(pattern, new, text, count=1, flags=re.M)


P, C, S, B = f"{SET}/{cub.PICTURES}", f"{SET}/{cub.SPECIES}", f"{SET}/{cub.SPLIT}", f"{SET}/{cub.BOXES}"
DAMAGE = {
    "numbered otherwise": (P, swap("^3 ", "13 "), "does not number its 12 lines from 1 on"),
    "a picture twice": (P, swap("Smudge_0002_901", "Smudge_0001_900"), "has a name twice"),
    "a path alone": (P, swap("^3 ", ""), "has 1 values in line 3, not 2"),
    "pictures cut": (P, lambda text: text[: text.index("7 002")], "the pictures 1 to 6 of images.txt in order"),
    "a species more": (C, swap("^12 3", "12 4"), "has 4 for picture 12, no class of classes.txt, 1 to 3"),
    "another species": (C, swap("^12 3", "12 2"), "has 002.Lesser_Blur for 003.Streak/.*do not fit together"),
    "a picture less": (C, swap("^12 3\n", ""), "does not have the pictures 1 to 12 of images.txt in order"),
    "a third split": (S, swap("^2 1", "2 2"), "has 2 for picture 2, no split, 0 to 1"),
    "one split": (S, lambda text: text.replace(" 0\n", " 1\n"), "leaves a split without a picture"),
    "a word": (S, swap("^2 1", "2 yes"), "has 'yes' in line 2 where split is a whole number"),
    "a box of nothing": (B, swap(r"^2 10.0 8.0 \S+", "2 10.0 8.0 0.0"), "has no box for picture 2"),
    "a box nowhere": (B, swap("^2 10.0", "2 nan"), "has 'nan' in line 2 where left is a number"),
    "three numbers": (B, swap("^2 10.0", "2"), "has 4 values in line 2, not 5"),
    "an attribute twice": (LABELS, swap("^4 3 ", "4 2 "), "the 5 attributes of attributes.txt once for 12 pictures"),
    "an attribute more": (LABELS, swap("^4 5 ", "4 6 "), "the 5 attributes of attributes.txt once for 12 pictures"),
    "a line less": (LABELS, swap("^4 5 .*\n", ""), "the 5 attributes of attributes.txt once for 12 pictures"),
    "present 2": (LABELS, swap(r"^4 5 \d", "4 5 2"), "something else than 0 or 1.* for picture 4, attribute 5"),
    "present 256": (LABELS, swap(r"^4 5 \d", "4 5 256"), "something else than 0 or 1.* for picture 4, attribute 5"),
    "certainty 5": (LABELS, swap(r"^4 5 (\d) \d", r"4 5 \1 5"), "a certainty from 1 to 4, for picture 4, attribute 5"),
    "a short line": (LABELS, swap("^4 5 .*", "4 5 1"), "has 3 values in line 20, not 4"),
    "labels cut": (LABELS, lambda text: text[: len(text) // 2], "the 5 attributes of|in line"),
    "a name less": (
        "cub/attributes.txt",
        swap("^5 .*\n", ""),
        "image_attribute_labels.txt .*the 4 attributes of attributes.txt",
    ),
}


@pytest.mark.parametrize(("path", "change", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(root, read, spoil, path, change, message):
    before = (root / path).read_text()
    assert change(before) != before
    spoil(root / path, lambda content: change(content.decode()).encode())
    with pytest.raises(ValueError, match=f"CUB-200-2011: .*{message}"):
        read(root, boxes=True)


@pytest.mark.parametrize("path", [P, C, S, B, LABELS, f"{SET}/{cub.CLASSES}", "cub/attributes.txt"])
@pytest.mark.parametrize(
    "change",
    [lambda content: b"", lambda content: bytes(len(content)), lambda content: b"\xff\xd8\xff\xe0 1\n" * 99, None],
    ids=["empty", "zeroed", "another type", "a folder"],
)
def test_what_is_no_list_is_named(root, read, spoil, path, change):
    spoil(root / path, change)
    with pytest.raises(ValueError, match=f"CUB-200-2011: {path.rpartition('/')[2]} "):
        read(root, boxes=True)


# ------------------------------------------------------------------ what species look like


def test_relations_of_the_example(root):
    found = cub.relations(root)
    assert found.shape == (3, 5)
    percent = [list(map(float, line.split())) for line in (root / SHARES).read_text().splitlines()]
    assert torch.allclose(found, torch.tensor(percent) / 100)


def test_relations_may_lie_in_a_folder_of_their_own(root):
    before, own = cub.relations(root), root / "cub_attributes"
    own.mkdir()
    for path in (SHARES, f"{SET}/{cub.CLASSES}", f"cub/{cub.NAMES}"):
        (root / path).rename(own / path.rpartition("/")[2])
    shutil.rmtree(root / "cub")
    assert torch.equal(cub.relations(root), before)
    (own / cub.NAMES).unlink()
    with pytest.raises(FileNotFoundError, match=r"attributes\.txt is not in .*under 'CUB-200-2011'"):
        cub.relations(root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swap(r"^\S+ ", "x "), "is no table of numbers"),
        (swap(r"^\S+ ", ""), "is no table of numbers"),
        (swap(r"^\S+ ", "100.1 "), "percentages, 0 to 100"),
        (swap(r"^\S+ ", "-1 "), "percentages, 0 to 100"),
        (swap(r"^\S+ ", "nan "), "percentages, 0 to 100"),
        (swap(r"^.*\n", ""), "has 2 x 5 numbers, not 3 x 5"),
        (lambda text: "", "is empty"),
    ],
)
def test_damaged_relations_are_named(root, spoil, change, message):
    spoil(root / SHARES, lambda content: change(content.decode()).encode())
    with pytest.raises(ValueError, match=f"class_attribute_labels_continuous.txt .*{message}"):
        cub.relations(root)


def test_missing_relations_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"class_attribute_labels_continuous\.txt is not in .*attributes;"):
        cub.relations(tmp_path)


def test_real_relations(real):
    """200 species, 312 attributes; an indigo bunting is blue, a cardinal red, and a black tern hardly either."""
    root = real("cub_attributes")
    found = cub.relations(root)
    assert found.shape == (200, 312)
    assert found.dtype == torch.float32
    assert 0 <= found.min() < found.max() <= 1
    species = [
        line.split()[1].split(".")[1] for line in (root / "cub_attributes" / "classes.txt").read_text().splitlines()
    ]
    names = [line.split()[1] for line in (root / "cub_attributes" / "attributes.txt").read_text().splitlines()]
    blue, red = (found[:, names.index(f"has_primary_color::{colour}")] for colour in ("blue", "red"))
    bunting, cardinal, tern = map(species.index, ("Indigo_Bunting", "Cardinal", "Black_Tern"))
    assert blue[bunting] > 0.7 > 0.1 > max(blue[cardinal], blue[tern])
    assert red[cardinal] > 0.7 > 0.1 > max(red[bunting], red[tern])
