"""``load``: what it refuses, what it cuts, and that pictures are decoded once and only whole ones are used."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from mtlib import faces, storage
from mtlib.datasets import NAMES, cifar, examples, load, registry
from mtlib.datasets.geometry import Geometry
from mtlib.datasets.pictures import Files, Pictures
from mtlib.datasets.source import Part, Source
from mtlib.tasks import Task

# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("minst", {}, "there is no data set 'minst'; there are mnist, .*digits.*, and two of them with a"),
        ("", {}, "there is no data set ''"),
        ("digits+", {}, "there is no data set ''"),
        (None, {}, "the name of a data set is one of mnist, .*, got None"),
        ("digits", {"train": 0}, "train is a number of examples, 1 or more, or None for all, got 0"),
        ("digits", {"test": 2.5}, "test is a number of examples"),
        ("digits", {"validation": True}, "validation is a number of examples"),
        ("digits", {"validation": 1297}, "digits: validation takes 1297 of 1297 training examples, and none would be"),
        ("digits", {"storage": "disk"}, "storage is one of auto, resident, stream, got 'disk'"),
        ("digits", {"size": 7}, "size is 8 to 1024"),
        ("digits", {"channels": 2}, "channels is 1, 3 or None"),
        ("digits", {"fit": "pad"}, "crop"),
        ("digits", {"tasks": ["digits"]}, "tasks are one or more of digit, each once"),
        ("digits", {"split": 1}, "digits has no option 'split'; it has none"),
        ("att_faces", {"spilt": 1}, "att_faces has no option 'spilt'; it has split"),
        ("digits+digits", {}, "Digits and Digits both have a task 'digit'"),
        ("digits+digits+digits", {}, "a mixture is of two sets, without options of their own"),
        ("digits+att_faces", {"split": "people"}, "a mixture is of two sets, without options of their own"),
    ],
)
def test_what_is_refused(tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        load(name, root=tmp_path, cache=tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_no_such_root(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is no folder; it should hold one folder per data set"):
        load("digits", root=tmp_path / "none")


def test_names_are_those_that_can_be_loaded():
    assert len(set(NAMES)) == len(NAMES)
    assert {
        "mnist",
        "fashion_mnist",
        "cifar10",
        "cifar100",
        "att_faces",
        "digits",
        "school",
        "scene",
        "drawn_faces",
    } <= set(NAMES)


# ------------------------------------------------------------------ what is cut


def test_a_smaller_split_is_the_beginning_of_a_larger_one(tmp_path):
    whole, part = load("digits"), load("digits", train=10, test=7)
    assert torch.equal(part.train.x, whole.train.x[:10])
    assert torch.equal(part.test.y["digit"], whole.test.y["digit"][:7])
    assert part.validation is None
    assert len(load("digits", train=10**6).train) == 1297


def test_validation_is_held_out_of_training_and_always_the_same():
    whole, data = load("digits"), load("digits", validation=200)
    assert (len(data.train), len(data.validation)) == (1097, 200)
    rows = {picture.numpy().tobytes(): place for place, picture in enumerate(whole.train.x)}
    assert len(rows) == 1297  # all differ, so that a picture tells its row
    held, kept = ([rows[x.numpy().tobytes()] for x in split.x] for split in (data.validation, data.train))
    assert held == sorted(held)
    assert kept == sorted(kept)
    assert sorted(held + kept) == list(range(1297))
    assert torch.equal(data.validation.y["digit"], whole.train.y["digit"][held])
    again = load("digits", validation=200, train=5)
    assert torch.equal(again.validation.x, data.validation.x)
    assert torch.equal(again.train.x, data.train.x[:5])
    assert max(held) > 1000  # from everywhere, not the first ones


def test_other_sets_hold_out_other_rows(example):
    def held(name):
        root = example(name)
        whole, data = load(name, root=root), load(name, root=root, validation=10)
        return [place for place in range(30) if (data.validation.x == whole.train.x[place]).flatten(1).all(1).any()]

    assert len(held("mnist")) == len(held("fashion_mnist")) == 10
    assert held("mnist") != held("fashion_mnist")


def test_tasks_in_the_order_asked_for(example):
    data = load("cifar100", root=example("cifar100"), tasks=["cifar100_coarse"])
    assert [task.name for task in data.tasks] == list(data.train.y) == list(data.test.y) == ["cifar100_coarse"]


# ------------------------------------------------------------------ the cache


@pytest.fixture
def decoded(monkeypatch):
    """(title, start, stop) of every decoding, as they come."""
    calls, decode = [], Pictures.decode

    def counted(self, start, stop, geometry, row):
        calls.append((self.title, start, stop))
        return decode(self, start, stop, geometry, row)

    monkeypatch.setattr(Pictures, "decode", counted)
    return calls


def test_pictures_are_decoded_once(example, tmp_path, decoded):
    root, cache = example("cifar10_jpeg"), tmp_path / "cache"
    first = load("cifar10", root=root, cache=cache)
    assert [call[1:] for call in decoded] == [(0, 40), (0, 20)]
    second = load("cifar10", root=root, cache=cache)
    assert len(decoded) == 2
    assert torch.equal(first.train.x, second.train.x)
    assert torch.equal(first.test.x, second.test.x)
    content = cifar.read_10(root / "cifar10").parts["train"].x
    assert torch.equal(first.train.x[7], content.one(7, Geometry()))


def test_another_size_or_fewer_pictures_are_another_file(example, tmp_path, decoded):
    root, cache = example("cifar10_jpeg"), tmp_path / "cache"
    whole = load("cifar10", root=root, cache=cache, size=16).train.x
    for options in ({"size": 16, "channels": 1}, {"size": 16, "train": 5}, {"size": 16, "validation": 5}, {"size": 24}):
        before = len(decoded)
        found = load("cifar10", root=root, cache=cache, **options)
        assert len(decoded) > before
        assert found.name == f"CIFAR-10 (JPEG copy), {found.train.x.shape[-1]} pixels, crop" + ", grey" * (
            "channels" in options
        )
    assert torch.equal(load("cifar10", root=root, cache=cache, size=16, train=5).train.x, whole[:5])


def test_what_is_in_memory_and_needs_nothing_is_not_kept_twice(tmp_path, decoded):
    load("digits", cache=tmp_path)
    assert not list(tmp_path.iterdir())
    assert not decoded
    load("digits", cache=tmp_path, size=16)
    assert len(decoded) == 2


def test_a_file_that_was_touched_is_decoded_again(tmp_path, decoded, folder):
    cache = tmp_path / "cache"
    before = load("folder", root=tmp_path, cache=cache).train.x
    load("folder", root=tmp_path, cache=cache)
    assert len(decoded) == 5
    folder.draw(3, 99)
    after = load("folder", root=tmp_path, cache=cache).train.x
    assert [call[1:] for call in decoded[5:]] == [(0, 2), (2, 4), (4, 6), (6, 8)]  # not the test split, too
    assert (before != after).flatten(1).any(1).tolist() == [place == 3 for place in range(8)]


def test_a_byte_flipped_in_the_cache_is_found_and_made_again(example, tmp_path, decoded, capsys):
    root, cache = example("cifar10_jpeg"), tmp_path / "cache"
    before = load("cifar10", root=root, cache=cache).train.x.clone()
    (file,) = cache.glob("cifar10-train-*.bin")
    content = bytearray(file.read_bytes())
    content[12345] ^= 1
    file.write_bytes(content)
    capsys.readouterr()
    after = load("cifar10", root=root, cache=cache).train.x
    assert torch.equal(before, after)
    assert [call[1:] for call in decoded[2:]] == [(0, 40)]
    assert "is damaged in rows 0 to 39: it is made again" in capsys.readouterr().out
    load("cifar10", root=root, cache=cache)
    assert len(decoded) == 3


# A set of eight small JPEG files to train on and two to test, decoded two at a time.


class Folder:
    """Writes the files, and damages them without a trace but their content."""

    def __init__(self, root):
        self.root = root / "folder"
        self.root.mkdir()
        for place in range(10):
            self.draw(place, place)

    def draw(self, place, seed):
        picture = examples.smooth(1, 3, 16, 16, seed)[0]
        (self.root / f"{place}.jpg").write_bytes(examples.encoded(picture, "JPEG"))

    def quietly(self, place, content):
        """Another content of the same size and date: as if the disk had failed for once."""
        file = self.root / f"{place}.jpg"
        known = file.stat()
        content = content.ljust(known.st_size, b"\0")[: known.st_size]
        old = file.read_bytes()
        file.write_bytes(content)
        os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
        return old


def read_folder(folder):
    parts = {
        split: Part(Files("Folder", folder, [f"{i}.jpg" for i in rows]), {"all": torch.zeros(len(rows), 1).long()})
        for split, rows in {"train": range(8), "test": range(8, 10)}.items()
    }
    return Source("Folder", (Task("all", "binary", 1),), parts)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    class Entry(registry.Entry):
        def reader(self):
            return read_folder

    monkeypatch.setitem(registry.ENTRIES, "folder", Entry("folder", "none"))
    monkeypatch.setattr(storage, "CHUNK", 2 * 3 * 16 * 16)
    return Folder(tmp_path)


def test_a_damaged_picture_stops_it_with_its_name_and_nothing_is_lost(tmp_path, decoded, folder):
    cache, old = tmp_path / "cache", folder.quietly(5, b"damaged")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^Folder: 5.jpg is no JPEG picture; get it again"):
            load("folder", root=tmp_path, cache=cache)
    assert [call[1:] for call in decoded] == [(0, 2), (2, 4), (4, 6), (4, 6)]  # goes on from where it was
    assert not list(cache.glob("*.bin"))
    folder.quietly(5, old)
    data = load("folder", root=tmp_path, cache=cache)
    assert [call[1:] for call in decoded[4:]] == [(4, 6), (6, 8), (0, 2)]
    files = read_folder(tmp_path / "folder").parts["train"].x
    assert torch.equal(data.train.x, torch.stack([files.one(place, Geometry()) for place in range(8)]))


def test_a_decoding_that_was_stopped_goes_on(tmp_path, monkeypatch, folder):
    decode, calls = Pictures.decode, []

    def stopped(self, start, stop, geometry, row):
        calls.append(start)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return decode(self, start, stop, geometry, row)

    monkeypatch.setattr(Pictures, "decode", stopped)
    with pytest.raises(KeyboardInterrupt):
        load("folder", root=tmp_path, cache=tmp_path / "cache")
    data = load("folder", root=tmp_path, cache=tmp_path / "cache")
    assert calls == [0, 2, 4, 4, 6, 0]
    assert data.train.x.shape == (8, 3, 16, 16)


def test_missing_files_are_named_before_any_is_decoded(tmp_path, decoded, folder):
    (folder.root / "9.jpg").unlink()  # of the test split, which comes last
    with pytest.raises(FileNotFoundError, match=r"Folder: 1 of 2 pictures are not in .*, the first is 9.jpg"):
        load("folder", root=tmp_path, cache=tmp_path / "cache")
    assert not decoded


def test_pictures_that_differ_need_a_size(tmp_path, folder):
    from PIL import Image

    Image.new("RGB", (20, 16)).save(folder.root / "9.jpg")
    with pytest.raises(ValueError, match=r"Folder: 9.jpg is \(3, 16, 20\), others are \(3, 16, 16\); give a size"):
        load("folder", root=tmp_path, cache=tmp_path / "cache")
    assert load("folder", root=tmp_path, cache=tmp_path / "cache", size=16).test.x.shape == (2, 3, 16, 16)


def test_no_room(tmp_path, monkeypatch, decoded, folder):
    class Usage:
        free = 10

    monkeypatch.setattr(storage.shutil, "disk_usage", lambda place: Usage)
    with pytest.raises(OSError, match=r"folder-train-.*: 7,680 bytes are wanted, 10 are free"):
        load("folder", root=tmp_path, cache=tmp_path / "cache")
    assert not decoded


# ------------------------------------------------------------------ where it is put


def test_streamed_or_resident_the_rows_are_the_same(tmp_path):
    resident = load("digits", storage="resident", cache=tmp_path, size=16)
    streamed = load("digits", storage="stream", cache=tmp_path, size=16)
    rows = torch.tensor([3, 0, 1296])
    assert not isinstance(streamed.train.x, torch.Tensor)
    assert torch.equal(streamed.train.take(rows).x, resident.train.take(rows).x)
    assert torch.equal(streamed.train.take(rows).y["digit"], resident.train.take(rows).y["digit"])


def test_numbers_may_be_streamed_too(example):
    data = load("scene", root=example("scene"), storage="stream")
    assert torch.equal(data.train.x[torch.tensor([1, 0])], load("scene", root=example("scene")).train.x[[1, 0]])


def test_drawn_faces_are_a_set_among_others():
    data = load("drawn_faces", train=4, validation=2, test=2, size=32, seed=3, tasks=["expression"])
    same = faces.dataset(train=4, validation=2, test=2, size=32, seed=3, tasks=["expression"])
    assert torch.equal(data.train.x, same.train.x)
    assert data.name == same.name
    drawn = load("drawn_faces", train=4, validation=2, test=2, size=32, seed=3, storage="stream")
    assert torch.equal(drawn.train.x[torch.arange(4)], same.train.x)
    with pytest.raises(ValueError, match="drawn_faces has no option 'sead'; it has seed"):
        load("drawn_faces", sead=3)


def test_drawn_faces_are_made_grey_as_pillow_does_and_then_kept():
    sizes = {"train": 4, "validation": 2, "test": 2, "size": 32}
    grey, colour = load("drawn_faces", **sizes, channels=1), load("drawn_faces", **sizes)
    for split in ("train", "validation", "test"):
        pictures = getattr(colour, split).x.permute(0, 2, 3, 1).numpy()
        expected = [torch.from_numpy(np.array(Image.fromarray(picture).convert("L"))) for picture in pictures]
        assert torch.equal(getattr(grey, split).x, torch.stack(expected).unsqueeze(1))
    assert grey.name == f"{colour.name}, grey"
    with pytest.raises(ValueError, match="with channels=1, storage is auto or resident"):
        load("drawn_faces", **sizes, channels=1, storage="stream")


def test_raw_pictures_in_memory_are_packed_too_if_they_are_resized(tmp_path, decoded):
    data = load("digits", size=8, channels=3, cache=tmp_path)
    assert data.train.x.shape == (1297, 3, 8, 8)
    assert torch.equal(data.train.x[:, 1:2], load("digits").train.x)


def test_whole_people_are_held_out_where_nobody_is_in_training_and_test(example):
    root = example("att_faces")
    data = load("att_faces", root=root, split="people", validation=50)
    people = [set(getattr(data, split).y["identity"].flatten().tolist()) for split in ("train", "validation", "test")]
    assert [len(each) for each in people] == [15, 5, 20]
    assert not people[0] & people[1]
    assert len(data.validation) == 50
    known = load("att_faces", root=root, split="pictures", validation=50)  # who it is is to be learned here
    assert set(known.validation.y["identity"].flatten().tolist()) <= set(known.train.y["identity"].flatten().tolist())
    with pytest.raises(ValueError, match="validation of 5 is less than the examples of one person"):
        load("att_faces", root=root, split="people", validation=5)


def test_two_sets_of_one_name_do_not_share_a_cache(tmp_path):
    """Of the same file names, sizes and dates, as archives with fixed dates have them."""
    for shade, name in enumerate(("one", "other")):
        (tmp_path / name).mkdir()
        rows = ["file,split,binary:dark:dark"]
        for place, split in enumerate(("train", "test")):
            path = tmp_path / name / f"{place}.bmp"
            Image.new("RGB", (8, 8), (100 * shade, 0, 0)).save(path)
            os.utime(path, (1, 1))
            rows.append(f"{path.name},{split},{1 - shade}")
        (tmp_path / name / "manifest.csv").write_text("\n".join(rows) + "\n")
    for shade, name in enumerate(("one", "other")):
        data = load("manifest", root=tmp_path, set=name, size=8, cache=tmp_path / "cache")
        assert data.train.x[0, :, 0, 0].tolist() == [100 * shade, 0, 0]


def test_drawn_faces_have_no_fit():
    with pytest.raises(ValueError, match="there is no fit 'stretch'"):
        load("drawn_faces", fit="stretch")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("storage", ["auto", "resident", "stream"])
def test_batches_come_on_the_device_that_is_asked_for(storage, tmp_path):
    data = load("digits", size=32, cache=tmp_path, storage=storage, device="cuda")
    here = load("digits", size=32, cache=tmp_path)
    batches = [data.train.take(rows) for rows in torch.arange(1200).split(40)]  # all of them on their way at once
    for rows, batch in zip(torch.arange(1200).split(40), batches, strict=True):
        assert batch.x.device.type == batch.y["digit"].device.type == "cuda"
        assert torch.equal(batch.x.cpu(), here.train.x[rows])
        assert torch.equal(batch.y["digit"].cpu(), here.train.y["digit"][rows])
