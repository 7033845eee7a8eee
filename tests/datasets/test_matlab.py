"""MATLAB's files, old and new: the same numbers and texts from both."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.io import savemat

from mtlib.datasets import matlab

TEXTS = ["Ann", "Bo\\Bo_1.jpg", "Øre"]
NUMBERS = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def older(tmp_path):
    cells = np.array([*TEXTS, None], dtype=object)[:-1].reshape(-1, 1)
    savemat(tmp_path / "older.mat", {"name": cells, "label": NUMBERS, "more": NUMBERS})
    return tmp_path / "older.mat"


@pytest.fixture
def newer(tmp_path):
    """Something that begins as a file of version 7.3 does."""
    path = tmp_path / "newer.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(matlab.OWN) + matlab.HDF5 + bytes(99))
    return path


def check(path):
    found = matlab.variables("Set", path, "name", "label")
    assert found["name"] == TEXTS
    assert np.array_equal(found["label"], NUMBERS)
    assert set(found) == {"name", "label"}


def test_an_older_file(older):
    check(older)


class Hdf5(dict):
    """What h5py shows of MATLAB's variables: dimensions turned round, texts as references to character codes."""

    def __init__(self, *_):
        refer = np.empty((1, len(TEXTS)), dtype=object)  # N x 1 in MATLAB
        refer[0] = [f"#refs#/{i}" for i in range(len(TEXTS))]
        codes = {f"#refs#/{i}": np.array([[ord(sign)] for sign in text]) for i, text in enumerate(TEXTS)}
        super().__init__(name=refer, label=NUMBERS.T, **codes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_newer_file(newer, monkeypatch):
    """Through something that looks like h5py; the next test has the real one."""
    monkeypatch.setitem(sys.modules, "h5py", SimpleNamespace(File=Hdf5))
    check(newer)
    with pytest.raises(ValueError, match=r"Set: newer\.mat cannot be read \(it has no variable who\)"):
        matlab.variables("Set", newer, "who")


def test_a_newer_file_as_h5py_writes_it(newer):
    h5py = pytest.importorskip("h5py")
    with pytest.raises(ValueError, match=r"Set: newer\.mat cannot be read"):
        check(newer)  # which has but the beginning
    newer.unlink()
    with h5py.File(newer, "w", userblock_size=matlab.OWN) as file:
        file["label"] = NUMBERS.T
        refer = file.create_dataset("name", (1, len(TEXTS)), dtype=h5py.ref_dtype)
        for i, text in enumerate(TEXTS):
            file[f"#refs#/{i}"] = np.array([[ord(sign)] for sign in text], dtype="uint16")
            refer[0, i] = file[f"#refs#/{i}"].ref
    check(newer)


def test_without_h5py_it_is_said_what_to_do(newer, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)  # as if it were not installed
    with pytest.raises(ModuleNotFoundError, match=r"newer\.mat is of MATLAB 7\.3, which is read with h5py: install it"):
        check(newer)


@pytest.mark.parametrize("content", [b"", bytes(999), b"no MATLAB " * 99], ids=["empty", "zeroed", "a text"])
def test_what_is_no_such_file_is_named(older, content):
    older.write_bytes(content)
    with pytest.raises(ValueError, match=r"Set: older\.mat cannot be read"):
        check(older)


def test_a_file_that_is_cut_short_is_named(older):
    older.write_bytes(older.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"Set: older\.mat cannot be read"):
        check(older)


def test_a_missing_variable_is_named(older):
    with pytest.raises(ValueError, match=r"Set: older\.mat cannot be read \(it has no variable who\)"):
        matlab.variables("Set", older, "name", "who")
