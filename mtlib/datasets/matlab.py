"""Variables from MATLAB's files, whichever version wrote them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtlib.datasets.source import reading

if TYPE_CHECKING:
    from numpy import ndarray

HDF5, OWN = b"\x89HDF\r\n\x1a\n", 512  # a file of version 7.3 is HDF5 after 512 bytes of MATLAB's own


def variables(title: str, path: Path, *names: str) -> "dict[str, ndarray | list[str]]":
    """Variables by name: numbers as arrays of MATLAB's shape, cells of texts as lists, column after column.

    Raises:
        ValueError: the file is damaged, or a variable is not in it.
        ModuleNotFoundError: it is of version 7.3, and h5py is not installed.
    """
    with reading(title, path), open(path, "rb") as file:
        begin = file.read(OWN + len(HDF5))
    if not begin.startswith(HDF5) and begin[OWN:] != HDF5:
        with reading(title, path):
            return _older(path, names)
    try:
        import h5py  # noqa: F401
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{title}: {path.name} is of MATLAB 7.3, which is read with h5py: install it, or save the file as version 7"
        ) from None
    with reading(title, path):
        return _newer(path, names)


def _older(path: Path, names: Sequence[str]) -> "dict[str, ndarray | list[str]]":
    from scipy.io import loadmat

    content, found = loadmat(path, variable_names=names), {}
    for name in names:
        if name not in content:
            raise ValueError(f"it has no variable {name}")
        value = content[name]
        cells = value.dtype == object
        found[name] = [str(cell.item()) for cell in value.ravel(order="F")] if cells else value
    return found


def _newer(path: Path, names: Sequence[str]) -> "dict[str, ndarray | list[str]]":
    import h5py

    found = {}
    with h5py.File(path, "r") as content:
        for name in names:
            if name not in content:
                raise ValueError(f"it has no variable {name}")
            value = content[name][()]  # dimensions are the other way round
            cells = value.dtype == object  # of references to arrays of character codes
            found[name] = ["".join(map(chr, content[cell][()].flat)) for cell in value.flat] if cells else value.T
    return found
