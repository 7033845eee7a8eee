"""CIFAR-10 and CIFAR-100: the published pickles, the JPEG copy, and pickles that would do harm."""

import io
import pickle

import numpy as np
import pytest
import torch

from mtlib.datasets import cifar, examples, load

BATCHES = [*(f"data_batch_{i + 1}" for i in range(5)), "test_batch"]


def folder(root):
    return root / "cifar10" / "cifar-10-batches-py"


@pytest.fixture
def ten(example):
    return example("cifar10")


def batch(n=12, **changes):
    """A batch as Python 3 pickles it; a key of None is left out."""
    content = {"data": np.zeros((n, 3072), dtype="uint8"), "labels": [0] * n, **changes}
    return pickle.dumps({key: value for key, value in content.items() if value is not None}, protocol=4)


# ------------------------------------------------------------------ as published


def test_pixels_and_labels_by_hand(ten):
    x = np.zeros((12, 3072), dtype="uint8")
    x[3, 0:1024] = 10  # all red, then all green, then all blue
    x[3, 1024 + 2 * 32 + 5] = 20  # third row, sixth column
    (folder(ten) / "data_batch_2").write_bytes(batch(data=x, labels=[9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]))
    data = load("cifar10", root=ten)
    assert data.name == "CIFAR-10, as they are"
    assert data.train.x.shape == (60, 3, 32, 32)
    assert data.train.x[15, 0].unique().tolist() == [10]
    assert data.train.x[15, 1, 2, 5] == 20
    assert data.train.x[15, 1].sum() == 20
    assert data.train.y["cifar10"][12:24].flatten().tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]


def test_batches_stand_in_their_order(ten):
    data = load("cifar10", root=ten)
    for place, name in enumerate(BATCHES[:5]):
        expected = examples.smooth(12, 3, 32, 32, "cifar10", name, 0)
        assert torch.equal(data.train.x[12 * place : 12 * place + 12], expected)
    assert torch.equal(data.test.x, examples.smooth(12, 3, 32, 32, "cifar10", "test_batch", 0))


@pytest.mark.parametrize(("name", "official"), [("cifar10", "CIFAR10"), ("cifar100", "CIFAR100")])
def test_torchvision_reads_the_same(example, monkeypatch, name, official):
    from mtlib.vision import torchvision

    root, module = example(name), torchvision().datasets
    monkeypatch.setattr(module.cifar, "check_integrity", lambda *given: True)  # as if they were the published ones
    data = load(name, root=root)
    for train, split in ((True, data.train), (False, data.test)):
        theirs = getattr(module, official)(root / name, train=train)
        assert torch.equal(torch.from_numpy(theirs.data).permute(0, 3, 1, 2), split.x)
        assert theirs.targets == split.y[name].flatten().tolist()


def test_a_hundred_classes_and_on_request_their_groups(example):
    root = example("cifar100")
    assert [task.name for task in load("cifar100", root=root).tasks] == ["cifar100"]
    data = load("cifar100", root=root, tasks=["cifar100_coarse", "cifar100"])
    assert [(task.name, task.classes) for task in data.tasks] == [("cifar100_coarse", 20), ("cifar100", 100)]
    assert torch.equal(data.train.y["cifar100"][:, 0], examples.whole(120, 100, "cifar100", "train", 0, "fine_labels"))
    coarse = examples.whole(120, 20, "cifar100", "train", 0, "coarse_labels")
    assert torch.equal(data.train.y["cifar100_coarse"][:, 0], coarse)


def test_the_examples_are_pickled_as_the_published_ones(ten):
    content = (folder(ten) / "data_batch_1").read_bytes()
    assert content.startswith(b"\x80\x02}q")
    assert b"cnumpy.core.multiarray\n_reconstruct\n" in content
    assert b"X\x04\0\0\0data" not in content  # Python 3's texts


class Harmful:
    """What unpickling it calls, and with what."""

    def __init__(self, function, *given):
        self.call = function, given

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("name", ["data_batch_1", "batches.meta"])
def test_a_pickle_cannot_run_anything(ten, tmp_path, name):
    trace = tmp_path / "trace"
    (folder(ten) / name).write_bytes(pickle.dumps({"data": Harmful(open, str(trace), "w")}))
    with pytest.raises(ValueError, match=rf"{name} cannot be read \(it asks for i?o.open\)"):
        load("cifar10", root=ten)
    assert not trace.exists()


@pytest.mark.parametrize(
    "asked", ["numpy.core.multiarray scalar", "numpy load", "builtins eval", "numpy dtype.__class__"]
)
def test_of_numpy_only_arrays_are_taken(asked):
    module, name = asked.split()
    content = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)) + b"\x93."
    with pytest.raises(pickle.UnpicklingError, match=f"it asks for {module}.{name}"):
        cifar._Plain(io.BytesIO(content)).load()


@pytest.mark.parametrize("name", [*BATCHES, "batches.meta"])
def test_a_missing_file_is_named_before_any_is_read(ten, name):
    (folder(ten) / "data_batch_1").write_bytes(b"damaged")
    (folder(ten) / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"CIFAR-10: {name} is not in .*data/README.md says under 'CIFAR-10'"):
        load("cifar10", root=ten)


def test_without_either_both_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"CIFAR-10: cifar-10-batches-py or cifar10_jpeg.npz is not in"):
        load("cifar10", root=tmp_path)
    with pytest.raises(FileNotFoundError, match="CIFAR-100: cifar-100-python is not in"):
        load("cifar100", root=tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("data_batch_3", lambda old: old[: len(old) // 2], "cannot be read"),
        ("data_batch_3", lambda old: old[:100] + bytes(len(old) - 100), "cannot be read"),
        ("data_batch_3", lambda old: b"", "cannot be read .Ran out of input"),
        ("data_batch_3", lambda old: b"hello, world", "cannot be read"),
        ("data_batch_3", None, "cannot be read"),
        ("data_batch_3", lambda old: pickle.dumps([1, 2]), "holds something else"),
        ("data_batch_3", lambda old: batch(labels=None), "does not have 12 labels from 0 to 9"),
        ("data_batch_3", lambda old: batch(data=None), "has no pictures of 32 x 32 pixels"),
        ("data_batch_3", lambda old: batch(data=np.zeros((12, 3071), "uint8")), "has no pictures"),
        ("data_batch_3", lambda old: batch(data=np.zeros((12, 3072))), "has no pictures"),
        ("data_batch_3", lambda old: batch(data=[0] * 3072), "has no pictures"),
        ("data_batch_3", lambda old: batch(n=0), "has no pictures"),
        ("data_batch_3", lambda old: batch(labels=[0] * 11), "does not have 12 labels from 0 to 9"),
        ("test_batch", lambda old: batch(labels=[10] * 12), "does not have 12 labels from 0 to 9"),
        ("test_batch", lambda old: batch(labels=[-1] * 12), "does not have 12 labels from 0 to 9"),
        ("test_batch", lambda old: batch(labels=[0.5] * 12), "does not have 12 labels from 0 to 9"),
        ("test_batch", lambda old: batch(labels=(0,) * 12), "does not have 12 labels from 0 to 9"),
        ("batches.meta", lambda old: batch(), "does not have 10 label_names"),
        ("batches.meta", lambda old: old[:-20], "cannot be read"),
    ],
)
def test_damage_is_named(ten, spoil, name, change, message):
    spoil(folder(ten) / name, change)
    with pytest.raises(ValueError, match=f"^CIFAR-10: {name} {message}"):
        load("cifar10", root=ten)


def test_as_many_pictures_as_published_must_be_the_published_ones(ten, monkeypatch):
    monkeypatch.setattr(cifar, "OFFICIAL", (60, 12))
    with pytest.raises(ValueError, match=r"CIFAR-10: \w+(.meta)? has the MD5 \w{32}, the published one has \w{32}"):
        load("cifar10", root=ten)


# ------------------------------------------------------------------ the JPEG copy


@pytest.fixture
def copied(example):
    root = example("cifar10_jpeg")

    def change(**arrays):
        path = root / "cifar10" / cifar.COPY
        content = dict(np.load(path))
        content |= {key: array(content[key]) if callable(array) else array for key, array in arrays.items()}
        np.savez(path, **{key: array for key, array in content.items() if array is not None})
        return root

    return change


def test_the_copy_says_that_it_is_one(copied, tmp_path):
    data = load("cifar10", root=copied(), cache=tmp_path / "cache")
    assert data.name == "CIFAR-10 (JPEG copy), as they are"
    assert data.tasks[0].name == "cifar10"
    assert data.train.x.shape == (40, 3, 32, 32)
    expected = examples.smooth(40, 3, 32, 32, "cifar10_jpeg", "train", 0)
    assert (data.train.x.int() - expected.int()).abs().float().mean() < 4  # JPEG loses a little
    assert torch.equal(data.test.y["cifar10"][:, 0], examples.whole(20, 10, "cifar10_jpeg", "test", 0))


def test_the_published_files_come_first(copied, example):
    copied()
    assert load("cifar10", root=example("cifar10")).name == "CIFAR-10, as they are"


def swapped(offsets):
    offsets[[3, 4]] = offsets[[4, 3]]
    return offsets


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_offsets": swapped}, "has train_offsets that do not divide train_jpeg"),
        ({"train_offsets": lambda old: old[:-1]}, "has train_offsets that do not divide train_jpeg"),
        ({"train_offsets": lambda old: old + 1}, "has train_offsets that do not divide train_jpeg"),
        ({"train_offsets": lambda old: old[:1]}, "has train_offsets that do not divide train_jpeg"),
        ({"train_offsets": lambda old: old.astype("float64")}, r"has train_offsets \(41,\) float64"),
        ({"test_jpeg": lambda old: old[:-1]}, "has test_offsets that do not divide test_jpeg"),
        ({"test_labels": lambda old: old[:-1]}, "does not have 20 test_labels from 0 to 9"),
        ({"test_labels": lambda old: old + 1}, "does not have 20 test_labels from 0 to 9"),
        ({"test_labels": None}, "cannot be read"),
        ({"test_labels": np.array([{}] * 20)}, "cannot be read .Object arrays"),
    ],
)
def test_arrays_that_do_not_fit_are_named(copied, tmp_path, arrays, message):
    with pytest.raises(ValueError, match=rf"^CIFAR-10 \(JPEG copy\): cifar10_jpeg.npz {message}"):
        load("cifar10", root=copied(**arrays), cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda old: old[: len(old) // 2], "cannot be read .File is not a zip file"),
        (lambda old: old[:5000] + bytes(2000) + old[7000:], "is damaged in train_jpeg.npy|cannot be read"),
        (lambda old: old[:6000] + bytes([old[6000] ^ 16]) + old[6001:], "is damaged in train_jpeg.npy"),
        (lambda old: b"", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_damaged_archive_is_named(copied, spoil, change, message):
    root = copied()
    spoil(root / "cifar10" / cifar.COPY, change)
    with pytest.raises(ValueError, match=f"cifar10_jpeg.npz ({message})"):
        load("cifar10", root=root)


def test_a_picture_that_is_none_is_named(copied, tmp_path):
    def blank(content):
        offsets = np.load(root / "cifar10" / cifar.COPY)["train_offsets"]
        content[offsets[7] : offsets[8]] = 0
        return content

    root = copied()
    copied(train_jpeg=blank)
    with pytest.raises(ValueError, match=r"CIFAR-10 \(JPEG copy\): picture 7 is no JPEG picture"):
        load("cifar10", root=root, cache=tmp_path / "cache")


def test_the_real_copy(real, tmp_path):
    root = real("cifar10")
    if not (root / "cifar10" / cifar.COPY).exists() or (root / "cifar10" / "cifar-10-batches-py").exists():
        pytest.skip("the JPEG copy is not there, or is not what is read")
    source = cifar.read_10(root / "cifar10")
    assert source.parts["train"].y["cifar10"].flatten().bincount().tolist() == [5000] * 10
    assert source.parts["test"].y["cifar10"].flatten().bincount().tolist() == [1000] * 10
    data = load("cifar10", root=root, train=3000, test=200, cache=tmp_path)
    assert (len(data.train), len(data.test)) == (3000, 200)
    mean = data.train.x.float().mean((0, 2, 3)) / 255
    assert mean.tolist() == pytest.approx([0.4913, 0.4821, 0.4465], abs=0.01)  # of all fifty thousand, to four places
    assert data.train.y["cifar10"].flatten().bincount().min() > 250  # any beginning has all kinds
