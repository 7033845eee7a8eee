"""MNIST and Fashion-MNIST: what the files hold, every way in which they can be damaged, and the real ones."""

import gzip
import struct

import pytest
import torch

from mtlib.datasets import examples, load, mnist

FILES = [f"{split}-{kind}-ubyte.gz" for split in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


def idx(kind, *sizes, content=None):
    """An idx file; its content is 0, 1, 2, ... unless given."""
    n = torch.tensor(sizes).prod().item()
    content = bytes(i % 256 for i in range(n)) if content is None else content
    return struct.pack(f">{1 + len(sizes)}i", kind, *sizes) + content


def images(n, high=28, wide=28):
    return idx(0x803, n, high, wide)


def labels(n, of=10):
    return idx(0x801, n, content=bytes(i % of for i in range(n)))


def raw(root, folder="mnist", name="MNIST"):
    return root / folder / name / "raw"


@pytest.fixture
def by_hand(tmp_path):
    """Pictures whose pixels count on from 0, row by row and picture by picture; 12 to train on, 11 to test."""
    where = raw(tmp_path)
    where.mkdir(parents=True)
    for file, content in zip(FILES, [images(12), labels(12), images(11), labels(11)], strict=True):
        (where / file).write_bytes(gzip.compress(content))
    return tmp_path


def test_pixels_and_labels_by_hand(by_hand):
    data = load("mnist", root=by_hand)
    assert data.name == "MNIST, as they are"
    assert data.train.x.shape == (12, 1, 28, 28)
    assert data.test.x.shape == (11, 1, 28, 28)
    assert data.train.x[0, 0, 0].tolist() == list(range(28))
    assert data.train.x[1, 0, 2, 3] == (784 + 2 * 28 + 3) % 256
    assert data.train.y["mnist"].flatten().tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert data.train.y["mnist"].dtype == torch.int64
    assert (data.tasks[0].kind, data.tasks[0].classes, data.tasks[0].columns) == ("classes", 10, ("MNIST",))


def test_torchvision_reads_the_same(by_hand):
    from mtlib.vision import torchvision

    where = raw(by_hand)
    data = load("mnist", root=by_hand)
    for file in FILES:
        (where / file.removesuffix(".gz")).write_bytes(gzip.decompress((where / file).read_bytes()))
    for train, split in ((True, data.train), (False, data.test)):
        theirs = torchvision().datasets.MNIST(by_hand / "mnist", train=train)
        assert torch.equal(theirs.data, split.x[:, 0])
        assert torch.equal(theirs.targets, split.y["mnist"][:, 0])


def test_fashion_is_another_task_in_another_folder(example):
    data = load("fashion_mnist", root=example("fashion_mnist"))
    assert data.name == "Fashion-MNIST, as they are"
    assert data.tasks[0].name == "fashion_mnist"
    assert torch.equal(data.train.x, examples.smooth(30, 1, 28, 28, "fashion_mnist", "train", 0))


def test_unpacked_files_do_too_and_packed_ones_come_first(by_hand):
    before = load("mnist", root=by_hand)
    for file in FILES:
        packed = raw(by_hand) / file
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    assert torch.equal(load("mnist", root=by_hand).train.x, before.train.x)
    (raw(by_hand) / FILES[0]).write_bytes(gzip.compress(idx(0x803, 12, 28, 28, content=bytes(12 * 784))))
    assert load("mnist", root=by_hand).train.x.sum() == 0


def test_nothing_is_written_into_the_folder(by_hand):
    before = sorted(by_hand.rglob("*"))
    load("mnist", root=by_hand)
    assert sorted(by_hand.rglob("*")) == before


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named_before_any_is_read(by_hand, file):
    (raw(by_hand) / FILES[0]).write_bytes(b"damaged")
    (raw(by_hand) / file).unlink()
    with pytest.raises(FileNotFoundError, match=f"MNIST: {file} is not in .*data/README.md says under 'MNIST'"):
        load("mnist", root=by_hand)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (FILES[0], lambda old: old[: len(old) // 2], "cannot be read"),
        (FILES[0], lambda old: old[:100] + bytes(len(old) - 100), "cannot be read"),
        (FILES[0], lambda old: old[:60] + bytes([old[60] ^ 1]) + old[61:], "cannot be read"),
        (FILES[0], lambda old: old[:-6] + bytes([old[-6] ^ 1]) + old[-5:], "cannot be read .CRC check failed"),
        (FILES[0], lambda old: b"", "cannot be read"),
        (FILES[0], lambda old: b"hello, world", "cannot be read .Not a gzipped file"),
        (FILES[0], None, "cannot be read"),
        (FILES[0], lambda old: gzip.compress(images(12)[:-1]), "cannot be read .shape"),
        (FILES[0], lambda old: gzip.compress(images(12) + b"\0"), "cannot be read .shape"),
        (FILES[0], lambda old: gzip.compress(b""), "cannot be read"),
        (FILES[0], lambda old: gzip.compress(labels(12)), "cannot be read .x should have 3 dim"),
        (
            FILES[0],
            lambda old: gzip.compress(idx(0xD03, 1, 14, 14, content=bytes(784))),
            "cannot be read .x should be",
        ),
        (FILES[0], lambda old: gzip.compress(images(12, 32, 32)), "has 12 pictures of 32 x 32, not of 28 x 28"),
        (FILES[0], lambda old: gzip.compress(images(0)), "cannot be read|has 0 pictures"),
        (FILES[1], lambda old: gzip.compress(images(12)), "cannot be read .x should have 1 dim"),
        (FILES[1], lambda old: gzip.compress(labels(11)), "has 11 labels for the 12 pictures of train-images"),
        (FILES[1], lambda old: gzip.compress(labels(12, of=11)), "has a label 10, they go from 0 to 9"),
        (FILES[3], lambda old: gzip.compress(labels(12)), "has 12 labels for the 11 pictures of t10k-images"),
        (FILES[3], lambda old: old[:-8], "cannot be read"),
    ],
)
def test_damage_is_named(by_hand, spoil, file, change, message):
    spoil(raw(by_hand) / file, change)
    with pytest.raises(ValueError, match=f"^MNIST: {file} ({message})"):
        load("mnist", root=by_hand)


@pytest.mark.parametrize("split", ["train", "test"])
def test_as_many_pictures_as_published_must_be_the_published_ones(by_hand, monkeypatch, split):
    monkeypatch.setitem(mnist.FILES, split, (mnist.FILES[split][0], {"train": 12, "test": 11}[split]))
    with pytest.raises(ValueError, match=r"images-idx3-ubyte.gz has the MD5 \w{32}, the published one has \w{32}"):
        load("mnist", root=by_hand)


@pytest.mark.parametrize(
    ("name", "folder", "mean", "first", "first_tests"),
    [
        ("mnist", "mnist", 0.1307, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]),
        ("fashion_mnist", "fashion_mnist", 0.2860, [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]),
    ],
)
def test_the_real_ones(real, tmp_path, name, folder, mean, first, first_tests):
    data = load(name, root=real(folder), cache=tmp_path)
    train, test = data.train.y[name].flatten(), data.test.y[name].flatten()
    assert (len(data.train), len(data.test)) == (60_000, 10_000)
    assert train[:10].tolist() == first
    assert test[:10].tolist() == first_tests
    if name == "fashion_mnist":
        assert train.bincount().tolist() == [6000] * 10
    else:
        assert train.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert data.train.x.sum(dtype=torch.int64).item() / (255 * 60_000 * 784) == pytest.approx(mean, abs=5e-5)
    assert not list(tmp_path.iterdir())  # nothing to decode, nothing to keep
