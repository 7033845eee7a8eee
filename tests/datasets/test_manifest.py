"""The manifest: every kind of column by hand, every fault with its line and column."""

import math
import re

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from mtlib.datasets import load, pairs
from mtlib.datasets.sheet import sheet


@pytest.fixture
def put(tmp_path):
    """put(lines) writes a manifest and a grey picture for every path in its first column; gives the root for load."""

    def put(*lines, set="manifest", end="\n"):
        folder = tmp_path / "data" / set
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.csv").write_bytes(("\n".join(lines) + end).encode())
        for i, line in enumerate(lines[1:]):
            name = line.split(",")[0]
            if re.fullmatch(r"[\w/]+\.\w+", name):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (12, 10), (20 * i,) * 3).save(folder / name)
        return tmp_path / "data"

    return put


@pytest.fixture
def read(tmp_path):
    return lambda root, **settings: load("manifest", root=root, cache=tmp_path / "cache", **{"size": 8, **settings})


def task(data, name):
    return next(task for task in data.tasks if task.name == name)


# ------------------------------------------------------------------ what is read


def test_every_kind_of_column(put, read):
    root = put(
        "file,split,identity,source,binary:looks:Smiling,binary:looks:Young,classes:mood:mood,classes:size:a,"
        "points:affect:valence,points:affect:arousal,places:marks:x,classes:size:b,places:marks:y",
        "a/1.jpg,train,Zoe,7,1,0,happy,2,-0.5,0.25,0,0,0",
        "a/2.png,train,Ann,7,,1,,0,,1,11,,9",
        "b.bmp,test,Zoe,8,0,,angry,,1e-3,-1,,1,",
        "b.webp,validation,,-9,1,1,sad,1,0,0,5.5,4,4.5",
    )
    data = read(root, fit="stretch")
    assert data.name == "Manifest, 8 pixels, stretch"
    assert [len(split) for split in (data.train, data.validation, data.test)] == [2, 1, 1]
    assert data.train.x[:, 0, 0, 0].tolist() == [0, 20]
    train, test, validation = data.train.y, data.test.y, data.validation.y
    assert task(data, "looks").columns == ("Smiling", "Young")
    assert train["looks"].tolist() == [[1, 0], [-1, 1]]
    assert test["looks"].tolist() == [[0, -1]]
    assert train["looks"].dtype == torch.int8
    # Names are numbered in sorted order over all splits: angry, happy, sad; Ann, Zoe.
    assert (task(data, "mood").classes, task(data, "identity").classes) == (3, 2)
    assert (train["mood"].tolist(), test["mood"].tolist(), validation["mood"].tolist()) == ([[1], [-1]], [[0]], [[2]])
    assert (train["identity"].tolist(), validation["identity"].tolist()) == ([[1], [0]], [[-1]])
    # Whole numbers stand for themselves; the largest of the task is its last class, whichever column it is in.
    assert task(data, "size").columns == ("a", "b")
    assert task(data, "size").classes == 5
    assert train["size"].tolist() == [[2, 0], [0, -1]]
    assert train["affect"][0].tolist() == [-0.5, 0.25]
    assert train["affect"][1].isnan().tolist() == [True, False]
    # Pixels become fractions: the middle of a 12 x 10 picture is 5.5, 4.5.
    assert task(data, "marks").kind == "points"
    assert validation["marks"].abs().max() < 1e-6
    assert torch.allclose(train["marks"], torch.tensor([[-11 / 12, -0.9], [11 / 12, 0.9]]), atol=1e-6)
    assert test["marks"].isnan().all()
    assert (data.train.source.tolist(), data.validation.source.tolist()) == ([7, 7], [-9])


def test_the_example(example, read):
    data = read(example("manifest"), size=32)
    assert [task.name for task in data.tasks] == ["identity", "looks", "kind", "count", "affect", "marks"]
    assert [len(split) for split in (data.train, data.validation, data.test)] == [6, 2, 4]
    assert data.train.source.tolist() == [1, 2] * 3


def test_who_is_shown_is_a_text_even_if_it_looks_like_a_number(put, read):
    data = read(put("file,split,identity", "1.png,train,10", "2.png,train,9", "3.png,test,Ann"))
    assert data.tasks[0].classes == 3
    assert data.train.y["identity"].tolist() == [[0], [1]]  # sorted as texts are


def test_some_tasks_alone(put, read):
    root = put("file,split,binary:a:b,points:c:d", "1.png,train,1,2", "2.png,test,0,3")
    assert list(read(root, tasks=["c"]).train.y) == ["c"]


def test_several_manifests(put, read):
    put("file,split,binary:a:b", "1.png,train,1", "2.png,test,0", set="one")
    root = put("file,split,binary:a:b", "1.png,train,0", "2.png,test,0", set="raf_db")
    assert read(root, set="one").train.y["a"].item() == 1
    assert read(root, set="raf_db").train.y["a"].item() == 0
    assert read(root, set="raf_db").name == "Manifest raf_db, 8 pixels, crop"
    for name in ("two", "manifest"):
        with pytest.raises(
            FileNotFoundError, match=rf"Manifest: manifest.csv is not in .*{name}; data/README.md says under"
        ):
            read(root, set=name)
    for name in ("../one", "", ".", "/", 3):
        with pytest.raises(ValueError, match="set is the name of a folder, got"):
            read(root, set=name)


def test_texts_may_be_quoted_and_a_mark_of_utf_8_may_come_first(put, read):
    root = put('\ufefffile,split,"classes:who:who"', '1.png,train,"Ny, Bill"', "2.png,test,Ørsted")
    assert read(root).train.y["who"].item() == 0


def test_windows_ends_of_lines_are_ends_of_lines(put, read):
    root = put("file,split,binary:a:b\r", "1.png,train,1\r", "2.png,test,0\r")
    assert read(root).train.y["a"].item() == 1


# ------------------------------------------------------------------ faults

HEAD = "file,split,identity,source,binary:a:b,classes:c:d,points:e:f"
GOOD = ("1.png,train,X,1,1,one,0.5", "2.png,test,Y,2,0,two,1")
CELLS = {
    "file": ("", "/1.png", "../1.png", "a/../1.png", "./1.png", "a//1.png", "a/", "C:/1.png", "a\\1.png"),
    "split": ("", "Train", "val", "train "),
    "source": ("", "one", "1.0", "1e3"),
    "binary:a:b": ("2", "-1", "yes", "1.0", " 1"),
    "points:e:f": ("high", "nan", "inf", "1,5", "--1"),
}


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in CELLS.items() for value in values])
def test_a_wrong_value_is_named_with_its_line_and_column(put, read, column, value):
    """In the second of three lines; a comma in it is quoted."""
    place, line = HEAD.split(",").index(column), GOOD[1].split(",")
    line[place] = f'"{value}"' if "," in value else value
    root = put(HEAD, GOOD[0], ",".join(line), GOOD[1].replace("2.png", "3.png"))
    message = (
        re.escape(f"manifest/manifest.csv, line 3, column {column!r}: should be ") + ".*" + re.escape(f", is {value!r}")
    )
    with pytest.raises(ValueError, match=message):
        read(root)


FAULTS = {
    "no rows": ([HEAD], "has no rows"),
    "nothing": ([""], "line 1: has a column without a name|has no rows"),
    "no split": (["file,binary:a:b", "1.png,1"], "line 1: has no column 'split'"),
    "no file": (["split,binary:a:b", "train,1"], "line 1: has no column 'file'"),
    "no labels": (["file,split", "1.png,train"], "line 1: has no column with labels"),
    "an unknown column": (["file,split,age", "1.png,train,3"], "line 1: has a column 'age'; there may be file, split"),
    "an unknown kind": (["file,split,real:a:b", "1.png,train,3"], "line 1: has a column 'real:a:b'"),
    "two parts": (["file,split,binary:a", "1.png,train,3"], "line 1: has a column 'binary:a'"),
    "no column": (["file,split,binary:a:", "1.png,train,3"], "line 1: has a column 'binary:a:'"),
    "four parts": (["file,split,binary:a:b:c", "1.png,train,3"], "line 1: has a column 'binary:a:b:c'"),
    "a column twice": (["file,split,binary:a:b,split", "1.png,train,1,test"], "line 1: has a column 'split' twice"),
    "a nameless column": (["file,split,binary:a:b,", "1.png,train,1,"], "line 1: has a column without a name"),
    "two kinds": (
        ["file,split,binary:a:b,points:a:c", "1.png,train,1,1"],
        "line 1, column 'points:a:c': the task 'a' is of kind binary already",
    ),
    "one name in two tasks": (
        ["file,split,binary:a:b,binary:c:b", "1.png,train,1,1"],
        "line 1, column 'binary:c:b': there is another column 'b'",
    ),
    "x without y": (["file,split,places:a:x", "1.png,train,1"], "line 1: the places 'a' have 1 columns"),
    "a short line": ([HEAD, GOOD[0], "2.png,test,Y,2,0"], "line 3: has 5 values, the first line has 7"),
    "a long line": ([HEAD, GOOD[0] + ",1", GOOD[1]], "line 2: has 8 values, the first line has 7"),
    "an empty line": ([HEAD, GOOD[0], "", GOOD[1]], "line 3: has 0 values"),
    "a line in quotes": ([HEAD, GOOD[0].replace("X", '"X\nZ"'), GOOD[1]], "line 2: a value goes on in the next line"),
    "a quote too many": ([HEAD, GOOD[0].replace("X", '"X"Z'), GOOD[1]], "line 2: .*expected after"),
    "a file twice": (
        [HEAD, *GOOD, GOOD[0]],
        "line 4, column 'file': should be another file than that of line 2, is '1.png'",
    ),
    "nothing to test on": (["file,split,binary:a:b", "1.png,train,1"], "column 'split': no line has test"),
    "nothing to train on": (["file,split,binary:a:b", "1.png,test,1"], "column 'split': no line has train"),
    "one class": ([HEAD, GOOD[0], GOOD[1].replace("two", "one")], "the task 'c' has fewer than 2 classes"),
    "one person": ([HEAD, GOOD[0], GOOD[1].replace("Y", "X")], "the task 'identity' has fewer than 2 classes"),
    "a name among numbers": (
        ["file,split,classes:c:d", "1.png,train,0", "2.png,test,three", "3.png,test,1"],
        "line 3, column 'classes:c:d': should be a whole number from 0 on, as in other lines, is 'three'",
    ),
    "a class below 0": (
        ["file,split,classes:c:d", "1.png,train,0", "2.png,test,-1"],
        "line 3, column 'classes:c:d': should be a whole number from 0 on, as in other lines, is '-1'",
    ),
}


@pytest.mark.parametrize(("lines", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_its_line(put, read, lines, message):
    with pytest.raises(ValueError, match=rf"manifest/manifest\.csv, ({message})"):
        read(put(*lines))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no end"),
        (f"{HEAD}\n{GOOD[0]}\n{GOOD[1]}".encode(), "the last line has no end: is the file whole"),
        (bytes(99), "is no text"),
        (b"\xff\xd8\xff\xe0\n", "is no text in UTF-8"),
        ("file,split,classes:who:who\n1.png,train,Ørsted\n".encode("latin-1"), "is no text in UTF-8"),
    ],
    ids=["empty", "cut in the last line", "zeroed", "another type", "another encoding"],
)
def test_what_is_no_manifest_is_named(put, read, content, message):
    root = put(HEAD, *GOOD)
    (root / "manifest" / "manifest.csv").write_bytes(content)
    with pytest.raises(ValueError, match=rf"manifest/manifest\.csv, .*{message}"):
        read(root)


def test_a_folder_is_no_manifest(tmp_path, read):
    (tmp_path / "manifest" / "manifest.csv").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"Manifest: manifest\.csv cannot be read"):
        read(tmp_path)


def test_a_missing_picture_is_named(put, read):
    root = put(HEAD, *GOOD)
    (root / "manifest" / "2.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"Manifest: 1 of 1 pictures are not in .*, the first is 2\.png"):
        read(root)
    with pytest.raises(FileNotFoundError, match=r"Manifest: 9\.png is not in"):
        read(put("file,split,places:a:x,places:a:y", "9.png,train,1,1") and _without(root, "9.png"))


def _without(root, name):
    (root / "manifest" / name).unlink()
    return root


def test_places_need_pictures_of_one_size(put, read):
    root = put("file,split,places:a:x,places:a:y", "1.png,train,1,1", "2.png,test,1,1", "3.png,test,1,1")
    Image.new("RGB", (12, 11)).save(root / "manifest" / "1.png")  # the odd one is named, although it is the first
    with pytest.raises(ValueError, match=r"1\.png has 12 x 11 pixels, not 12 x 10"):
        read(root)
    (root / "manifest" / "1.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"Manifest: 1\.png cannot be read"):
        read(root)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-7],
        lambda content: content[:-16] + bytes(16),
        lambda content: content[:60] + bytes([content[60] ^ 1]) + content[61:],
    ],
    ids=["cut", "zeroed to its end", "a bit flipped"],
)
def test_a_damaged_png_is_named(put, read, spoil, change):
    """Each part of a PNG has a checksum."""
    root = put(HEAD, *GOOD)
    spoil(root / "manifest" / "2.png", change)
    with pytest.raises(ValueError, match=r"Manifest: 2\.png is damaged"):
        read(root)


def test_another_type_of_picture_is_refused(put, read):
    root = put(HEAD, *GOOD)
    Image.new("RGB", (12, 10)).save(root / "manifest" / "1.png", format="GIF")
    with pytest.raises(ValueError, match=r"1\.png is no JPEG or PNG or BMP or WEBP picture"):
        read(root)


def test_a_grey_picture_among_others_is_given_in_colour(put, read, tmp_path):
    root = put("file,split,binary:a:b", "1.jpg,train,1", "2.jpg,train,0", "3.jpg,test,0")
    Image.new("L", (12, 10), 99).save(root / "manifest" / "2.jpg")
    Image.new("RGB", (12, 10), "red").save(root / "manifest" / "3.jpg")
    data = read(root)
    assert data.train.x.shape == (2, 3, 8, 8)
    assert (data.train.x[1] == 99).all()
    assert data.test.x[0, :, 0, 0].tolist() == pytest.approx([255, 0, 0], abs=3)
    assert read(root, channels=1).train.x.shape == (2, 1, 8, 8)
    (root / "manifest" / "pairs.csv").write_text("first,second,same\n1.jpg,2.jpg,0\n2.jpg,3.jpg,1\n")
    assert pairs("manifest", root=root, size=8, cache=tmp_path / "cache").x.shape == (3, 3, 8, 8)


def test_pictures_of_one_size_need_none(put, read):
    lines = ("file,split,binary:a:b", "1.png,train,1", "2.png,train,0", "3.png,test,0")
    root = put(*lines)
    assert read(root, size=None).train.x.shape == (2, 3, 10, 12)
    Image.new("RGB", (12, 11)).save(root / "manifest" / "2.png")
    with pytest.raises(ValueError, match=r"2\.png is \(3, 11, 12\), others are \(3, 10, 12\); give a size"):
        read(root, size=None)


def test_what_is_transparent_is_white(put, read):
    root = put("file,split,binary:a:b", "1.png,train,1", "2.webp,train,0", "3.png,test,0")
    Image.new("RGBA", (12, 10), (0, 0, 0, 0)).save(root / "manifest" / "1.png")
    Image.new("RGBA", (12, 10), (200, 100, 0, 255)).save(root / "manifest" / "2.webp", lossless=True)
    x = read(root).train.x
    assert (x[0] == 255).all()
    assert x[1, :, 0, 0].tolist() == [200, 100, 0]


def test_pixels_of_sixteen_bits_are_refused(put, read):
    root = put("file,split,binary:a:b", "1.png,train,1", "2.png,test,0")
    Image.fromarray(np.full((10, 12), 999, dtype="uint16")).save(root / "manifest" / "1.png")
    with pytest.raises(ValueError, match=r"Manifest: 1\.png has pixels of mode I;16, not of 8 bits"):
        read(root)


def test_an_exif_orientation_is_not_heeded(put, read):
    """As torchvision's readers do."""
    root = put("file,split,binary:a:b", "1.jpg,train,1", "2.jpg,test,0")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by a quarter
    Image.new("RGB", (12, 10)).save(root / "manifest" / "1.jpg", exif=exif)
    assert read(root, size=None).train.x.shape == (1, 3, 10, 12)


def test_a_long_wrong_value_is_not_shown_whole(put, read):
    root = put("file,split,binary:a:b", f"1.png,train,{'x' * 999}")
    with pytest.raises(ValueError, match=r"is 'x{40}\.\.\.'$"):
        read(root)


def test_numbers_are_as_exact_as_float32(tmp_path):
    (tmp_path / "t.csv").write_text('a\n0.1\n-3\n""\n1e-30\n')
    found = sheet(tmp_path / "t.csv").numbers("a")
    assert found[[0, 1, 3]].tolist() == torch.tensor([0.1, -3, 1e-30]).tolist()
    assert math.isnan(found[2])
