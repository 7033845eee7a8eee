"""Arrays from archives: by name, of the right type, and whole."""

import numpy as np
import pytest
import torch

from mtlib.datasets.npz import arrays

X = np.arange(600, dtype="uint8").reshape(20, 30)


@pytest.fixture(params=[np.savez, np.savez_compressed])
def path(request, tmp_path):
    request.param(tmp_path / "arrays.npz", x=X, y=np.arange(3), rest=np.array([{}]))
    return tmp_path / "arrays.npz"


def test_what_is_asked_for(path):
    found = arrays("Set", path, x=("uint8", 2), y=("int64", 1))
    assert list(found) == ["x", "y"]
    assert torch.equal(found["x"], torch.from_numpy(X))
    assert found["y"].dtype == torch.int64


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"z": ("uint8", 1)}, "cannot be read .*z"),
        ({"x": ("int8", 2)}, r"has x \(20, 30\) uint8, not 2 dimensions of int8"),
        ({"x": ("uint8", 3)}, r"has x \(20, 30\) uint8, not 3 dimensions of uint8"),
        ({"rest": ("O", 1)}, "cannot be read .Object arrays"),  # which would be unpickled
    ],
)
def test_what_is_not_there(path, wanted, message):
    with pytest.raises(ValueError, match=f"^Set: arrays.npz {message}"):
        arrays("Set", path, **wanted)


def test_every_byte_of_an_array_counts(path):
    whole = path.read_bytes()
    begin = whole.index(b"x.npy") + len(b"x.npy")
    stop = whole.index(b"PK", begin)
    for place in range(begin + 20, stop, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(ValueError, match=r"^Set: arrays.npz (is damaged in x.npy|cannot be read)"):
            arrays("Set", path, x=("uint8", 2), y=("int64", 1))


def test_a_header_that_makes_an_array_shorter(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, x=np.tile(X, (100, 1)))
    path.write_bytes(path.read_bytes().replace(b"(2000, 30)", b"(2000, 10)"))
    with np.load(path) as content:
        assert content["x"].shape == (2000, 10)  # numpy itself does not mind
    with pytest.raises(ValueError, match=r"^Set: arrays.npz is damaged in x.npy"):
        arrays("Set", path, x=("uint8", 2))


def test_a_plain_array_is_no_archive(tmp_path):
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match=r"^Set: x.npy cannot be read \(File is not a zip file\)"):
        arrays("Set", tmp_path / "x.npy", x=("uint8", 2))
