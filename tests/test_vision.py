"""torchvision comes in whatever it was built for, and all that the course uses of it works."""

import pytest

CODE = """
import sys
sys.path.insert(0, {folder!r})
from mtlib import vision
{then}
"""

# As torchvision behaves beside a torch that its compiled part was not built for.
BUILT_FOR_ANOTHER = """
import torch

try:
    torch.ops.torchvision.nms
except AttributeError:
    raise RuntimeError("operator torchvision::nms does not exist") from None
"""


@pytest.fixture(scope="module")
def fork(forks):
    return forks()


@pytest.fixture
def run(fork, tmp_path):
    """run(then, module="content", ...) -> how the code ends where modules of these names are found first."""

    def run(then, **modules):
        for name, content in modules.items():
            (tmp_path / f"{name}.py").write_text(content)
        return fork(CODE.format(folder=str(tmp_path), then=then))

    return run


def test_the_two_operators_are_declared_where_they_are_missing(run):
    then = "first = vision.torchvision(); print(first.__name__, vision.torchvision() is first, len(vision._DECLARED))"
    result = run(then, torchvision=BUILT_FOR_ANOTHER)
    assert result.stdout == "torchvision True 1\n", result.stderr


def test_nothing_is_declared_where_it_imports_by_itself(run):
    result = run("vision.torchvision(); print(len(vision._DECLARED))", torchvision="")
    assert result.stdout == "0\n", result.stderr


def test_another_fault_of_it_is_not_hidden(run):
    result = run("vision.torchvision()", torchvision="raise RuntimeError('out of order')")
    assert result.returncode == 1
    assert "RuntimeError: out of order" in result.stderr


def test_torchmetrics_comes_after_it(run):
    metrics = "import sys; assert 'torchvision' in sys.modules"
    result = run("print(vision.torchmetrics().__name__)", torchvision=BUILT_FOR_ANOTHER, torchmetrics=metrics)
    assert result.stdout == "torchmetrics\n", result.stderr


@pytest.mark.parametrize("module", ["datasets", "models", "transforms.v2", "transforms.functional"])
def test_what_the_course_uses_of_it_imports(module):
    import importlib

    from mtlib import vision

    vision.torchvision()
    assert importlib.import_module(f"torchvision.{module}")
