"""Invented data sets in their official layouts, and the real ones where MTLIB_DATA has them."""

import os
import shutil
from pathlib import Path

import pytest

from mtlib.datasets import examples


@pytest.fixture
def example(tmp_path):
    """example(name) writes that example and gives the root for ``load``."""

    def write(name, seed=0):
        examples.write(name, tmp_path / "data", seed)
        return tmp_path / "data"

    return write


@pytest.fixture(scope="module")
def written(request, tmp_path_factory):
    """The root of the module's EXAMPLE, written once."""
    root = tmp_path_factory.mktemp("written")
    examples.write(request.module.EXAMPLE, root)
    return root


@pytest.fixture
def root(written, tmp_path):
    """The module's EXAMPLE, to do with as one likes."""
    return shutil.copytree(written, tmp_path / "data")


@pytest.fixture
def real():
    """real(folder) gives the root of the real data, or skips the test where that folder is not there."""

    def root(folder):
        found = os.environ.get("MTLIB_DATA")
        if not found or not (Path(found) / folder).is_dir():
            pytest.skip(f"MTLIB_DATA has no {folder}")
        return Path(found)

    return root


@pytest.fixture
def spoil():
    """spoil(path, change) rewrites a file as change(its bytes); a folder in its place for None."""

    def rewrite(path, change):
        content = path.read_bytes()
        path.unlink()
        if change is None:
            path.mkdir()
        else:
            path.write_bytes(change(content))

    return rewrite
