"""Pairs of any set: what a list of one's own says, folds, and all pairs of the AT&T faces."""

import pytest
import torch
from PIL import Image

from mtlib.datasets import load, pairs


@pytest.fixture
def put(tmp_path):
    """put(lines) writes pairs.csv and five pictures, a to e, of brightness 0, 20, ..., 80; gives the root."""

    def put(*lines, set="manifest"):
        folder = tmp_path / "data" / set
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pairs.csv").write_text("".join(f"{line}\n" for line in lines))
        for i, name in enumerate("abcde"):
            Image.new("RGB", (9, 8), (20 * i,) * 3).save(folder / f"{name}.png")
        return tmp_path / "data"

    return put


@pytest.fixture
def read(tmp_path):
    return lambda name, root, **settings: pairs(name, root=root, cache=tmp_path / "cache", **{"size": 8, **settings})


LINES = ("first,second,same,fold", "a.png,c.png,1,3", "c.png,b.png,0,3", "e.png,a.png,1,5", "b.png,e.png,0,7")


def test_a_list_of_ones_own(put, read):
    found = read("manifest", put(*LINES))
    assert found.name == "Manifest, 8 pixels, crop"
    assert found.x.shape == (4, 3, 8, 8)  # d is in no pair
    brightness = found.x[:, 0, 0, 0]
    assert brightness[found.first].tolist() == [0, 40, 80, 20]
    assert brightness[found.second].tolist() == [40, 20, 0, 80]
    assert found.same.tolist() == [True, False, True, False]
    assert found.same.dtype == torch.bool
    assert found.fold.tolist() == [3, 3, 5, 7]


def test_every_fold_is_tested_once(put, read):
    found = read("manifest", put(*LINES))
    folds = [(train.tolist(), test.tolist()) for train, test in found.folds()]
    assert folds == [([2, 3], [0, 1]), ([0, 1, 3], [2]), ([0, 1, 2], [3])]


def test_folds_may_be_left_out_and_a_set_named(put, read):
    root = put("same,second,first", "1,a.png,b.png", set="ijb")
    found = read("manifest", root, set="ijb")
    assert found.name == "Manifest ijb, 8 pixels, crop"
    assert (found.first.item(), found.second.item(), found.fold.item()) == (0, 1, 0)
    with pytest.raises(ValueError, match="Manifest ijb, 8 pixels, crop has no folds"):
        list(found.folds())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("first,second", "a.png,b.png"),
            "line 1: columns are first, second, same and perhaps fold, not first, second",
        ),
        (("first,second,same,age", "a.png,b.png,1,3"), "line 1: columns are first, second, same and perhaps fold"),
        (("first,second,same", "a.png,b.png,2"), "line 2, column 'same': should be 0 or 1, is '2'"),
        (("first,second,same", "a.png,b.png,1", "a.png,../b.png,1"), "line 3, column 'second': should be a path below"),
        (("first,second,same,fold", "a.png,b.png,1,x"), "line 2, column 'fold': should be a whole number, is 'x'"),
        (("first,second,same",), "has no rows"),
    ],
)
def test_a_fault_is_named_with_its_line(put, read, lines, message):
    with pytest.raises(ValueError, match=f"manifest/pairs.csv, {message}"):
        read("manifest", put(*lines))


def test_what_is_missing_is_named(put, read, tmp_path):
    root = put(*LINES)
    (root / "manifest" / "c.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"Manifest: 1 of 4 pictures are not in .*, the first is c\.png"):
        read("manifest", root)
    (root / "manifest" / "pairs.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"Manifest: pairs\.csv is not in .*under 'Manifest'"):
        read("manifest", root)
    with pytest.raises(FileNotFoundError, match="is no folder; it should hold one folder per data set"):
        read("manifest", tmp_path / "nowhere")


def test_arguments_that_there_are_not(put, read):
    root = put(*LINES)
    with pytest.raises(ValueError, match="there are no pairs of 'celeba'; there are of lfw, att_faces, manifest"):
        read("celeba", root)
    with pytest.raises(ValueError, match="manifest has no option 'view'; it has set"):
        read("manifest", root, view="folds")
    with pytest.raises(ValueError, match="storage is one of auto, resident, stream, got 'disk'"):
        read("manifest", root, storage="disk")
    with pytest.raises(ValueError, match="size is 8 to 1024 pixels"):
        read("manifest", root, size=3)


def test_pictures_may_be_streamed(put, read):
    root = put(*LINES)
    streamed, resident = read("manifest", root, storage="stream"), read("manifest", root)
    assert not isinstance(streamed.x, torch.Tensor)
    assert torch.equal(streamed.x[streamed.first], resident.x[resident.first])


def test_all_pairs_of_the_people_to_test_on(example, tmp_path):
    """Twenty people with ten pictures each: 20 x 45 genuine pairs of 200 x 199 / 2."""
    root = example("att_faces")
    found = pairs("att_faces", root=root, cache=tmp_path)
    assert len(found) == 200 * 199 // 2
    assert int(found.same.sum()) == 20 * 10 * 9 // 2
    assert (found.first < found.second).all()
    data = load("att_faces", root=root, cache=tmp_path, split="people")
    assert torch.equal(found.x, data.test.x)
    person = data.test.y["identity"].flatten()
    assert torch.equal(found.same, person[found.first] == person[found.second])


def test_the_example(example, read):
    found = read("manifest", example("manifest"))
    assert len(found) == 4
    assert found.same.tolist() == [True, True, False, False]
    assert len(list(found.folds())) == 2
