"""What may import what: the floors of mtlib, and mtlib.sos with torch alone."""

import ast
import re
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

import mtlib

ROOT = Path(mtlib.__file__).parent

# Ground floor first. A module imports only what stands on a lower floor, or to its left on its own.
# The papers' rooms do not know each other, and neither do the experiments.
FLOORS = [
    ["mime", "choices", "vision", "lazy", "tasks", "seeds", "paths", "headless"],
    ["method", "progress", "recipe", "rows"],
    ["storage", "toy", "annotate", "augment", "faces", "datasets"],
    ["networks", "heads", "controls"],
    ["orthogonality", "sos", "sos_se", "weighting", "structure", "dmm", "coupling", "sharing", "adversarial"],
    ["checkpoints", "interrupts", "parallel", "updates", "training", "ensemble", "metrics", "cam", "verification"],
    ["claims", "experiments", "figures", "explore", "runs", "__main__"],
]
# Whose room a module is in.
PAPERS = {
    "orthogonality": "SOS",
    "sos": "SOS",
    "sos_se": "SOS",
    "structure": "MTFAP",
    "verification": "MTFAP",
    "dmm": "DMM",
    "coupling": "DM",
    "sharing": "DM",
    "adversarial": "AAL",
}
# Training knows methods by their contract alone.
KNOWN_METHODS = {*PAPERS, "controls", "networks", "heads", "toy", "faces", "datasets"}
FORBIDDEN = dict.fromkeys(["training", "updates", "ensemble", "metrics"], KNOWN_METHODS)

ORDER = [module for floor in FLOORS for module in floor]


def module_of(path):
    """mtlib/figures/sos.py belongs to the module figures."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path):
    """The modules of mtlib that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports by name, not relatively"
            if node.module == "mtlib":
                yield from (alias.name for alias in node.names)
            elif (node.module or "").startswith("mtlib."):
                yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("mtlib."))


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_below(path):
    own = module_of(path)
    assert own in ORDER, f"give {own} a floor"
    for other in set(imported(path)) - {own}:
        assert ORDER.index(other) < ORDER.index(own), f"{own} imports {other}"
        rooms = {PAPERS[module] for module in (own, other) if module in PAPERS}
        assert len(rooms) < 2, f"{own} knows {other}: papers' rooms do not know each other"
        assert other not in FORBIDDEN.get(own, ()), f"{own} imports {other}"


def test_nothing_is_imported_with_the_package_itself():
    assert not [node for node in ast.parse((ROOT / "__init__.py").read_text()).body if isinstance(node, ast.Import)]
    assert not list(imported(ROOT / "__init__.py"))


# ------------------------------------------------------------------ torch alone


def closure(name, seen=()):
    """The distributions that one needs, itself among them, extras left out; lower case."""
    seen = set(seen) | {name}
    for line in distribution(name).requires or ():
        requirement, _, marker = line.partition(";")
        other = re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-")
        if "extra" in marker or other in seen:
            continue
        try:
            seen = closure(other, seen)
        except ModuleNotFoundError:  # for another platform
            continue
    return seen


def foreign():
    """Every importable top-level module that torch does not need; numpy among them."""
    needed = closure("torch") | {"mtlib"}
    return {
        module
        for module, names in packages_distributions().items()
        if not {name.lower().replace("_", "-") for name in names} & needed
        and module not in sys.stdlib_module_names
        and not module.startswith("__editable__")
    }


WITHOUT = """
import sys

REFUSED = set(%r)

class Without:
    "All that could be imported, less what is refused: as if it were not installed."
    finders = list(sys.meta_path)

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in REFUSED:
            return None
        return next(filter(None, (finder.find_spec(name, path, target) for finder in self.finders)), None)

for name in [name for name in sys.modules if name.split(".")[0] in REFUSED]:
    del sys.modules[name]
sys.meta_path[:] = [Without()]
"""


@pytest.fixture(scope="module")
def run(forks):
    """run(code) -> how a process without foreign modules ends, and what it printed."""
    return forks(WITHOUT % sorted(foreign()) + "import torch._dynamo")  # which training would import, each time


def test_the_list_of_foreign_modules_has_what_it_should():
    assert {"numpy", "pandas", "scipy", "matplotlib", "IPython", "ipywidgets", "tqdm", "pytest"} <= foreign()
    assert not {"torch", "sympy", "typing_extensions", "mtlib"} & foreign()


def test_sos_trains_in_the_five_lines_of_its_docstring_with_torch_alone(run):
    code = """
import torch
import mtlib.sos
from mtlib.sos import SOS
from mtlib.tasks import Batch, Task

trunk = torch.nn.Linear(3, 512)
loader = [(torch.randn(8, 3), torch.randint(-1, 2, (8, 40))) for _ in range(2)]
before = trunk.weight.clone()
lines = [line[4:] for line in mtlib.sos.__doc__.splitlines() if line.startswith("    ")]
assert len(lines) == 4, lines
exec("\\n".join(lines))
assert model.n == 40 and not torch.equal(trunk.weight, before)

for name in ("numpy", "pandas", "tqdm", "scipy"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{name} could be imported")
assert not {name.split(".")[0] for name in sys.modules} & REFUSED
print("trained")
"""
    result = run(code)
    assert (result.returncode, result.stdout) == (0, "trained\n"), result.stderr


def test_sos_se_trains_in_the_lines_of_its_docstring_with_torch_alone(run):
    code = """
import torch
import mtlib.sos_se
from mtlib.sos_se import SOSSE
from mtlib.tasks import Batch, Task

loader = [(torch.randn(8, 1, 16, 16), torch.randint(-1, 2, (8, 40)))]
lines = [line[4:] for line in mtlib.sos_se.__doc__.splitlines() if line.startswith("    ")][-4:]
assert lines[0].startswith("model = ")
exec("\\n".join(lines))
assert model(loader[0][0])["attributes"].shape == (8, 40)
assert not {name.split(".")[0] for name in sys.modules} & REFUSED
print("trained")
"""
    result = run(code)
    assert (result.returncode, result.stdout) == (0, "trained\n"), result.stderr


def test_a_graph_is_learned_in_the_lines_of_its_docstring_with_torch_alone(run):
    code = """
import torch
import mtlib.structure
from mtlib.structure import Coupled, Grouped, GraphStep, rules
from mtlib.tasks import Batch, Task

trunk = torch.nn.Linear(3, 512)
loader = [(torch.randn(8, 3), torch.randint(-1, 2, (8, 40))) for _ in range(3)]
lines = mtlib.structure.__doc__.splitlines()
start = next(k for k, line in enumerate(lines) if "model = Coupled(trunk, 512, [Task(" in line)
exec("\\n".join(line[4:] for line in lines[start : start + 7]))
assert model.graph.sum() > 0

grouped = Grouped(trunk, 512, model.tasks, [model.names[:20], model.names[20:]], penalties="seen")
assert len(rules(grouped)) == 2
assert not {name.split(".")[0] for name in sys.modules} & REFUSED
print("learned")
"""
    result = run(code)
    assert (result.returncode, result.stdout) == (0, "learned\n"), result.stderr


def test_two_tasks_are_coupled_in_the_lines_of_its_docstring_with_torch_alone(run):
    code = """
import torch
import mtlib.coupling
from mtlib.tasks import Batch, Task

class_names, attribute_names = ("A", "B", "C"), ("x", "y")
classes = Task("class", "classes", ("class",), classes=3)
attributes = Task("attributes", "binary", attribute_names)
y_class, y_attributes = torch.randint(-1, 3, (8, 1)), torch.randint(-1, 2, (8, 2))
trunk = torch.nn.Linear(3, 512)
loader = [(torch.randn(8, 3), {"class": y_class, "attributes": y_attributes}) for _ in range(2)]
before = trunk.weight.clone()
lines = [line[4:] for line in mtlib.coupling.__doc__.splitlines() if line.startswith("    ")]
assert len(lines) == 6, lines
exec("\\n".join(lines))
assert not torch.equal(trunk.weight, before)
assert set(model.losses(Batch(*loader[0])).extra) == {"matching", "co-annotation"}
assert not {name.split(".")[0] for name in sys.modules} & REFUSED
print("trained")
"""
    result = run(code)
    assert (result.returncode, result.stdout) == (0, "trained\n"), result.stderr


def test_fit_trains_saves_and_resumes_with_torch_alone(run, tmp_path):
    code = f"""
from pathlib import Path
from mtlib import toy
from mtlib.controls import MultiTask
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.training import fit

def run():
    with seeded("weights"):
        method = MultiTask(mlp(2, 4), 4, toy.TASKS)
    return fit(method, toy.make(1, 50, 10), Recipe(steps=5), checkpoint=Path({str(tmp_path / "run")!r})).history

assert run() == run()
print("resumed")
"""
    result = run(code)
    assert (result.returncode, result.stdout) == (0, "resumed\n"), result.stderr


def test_faces_are_drawn_kept_annotated_and_learned_from_with_torch_alone(run, tmp_path):
    code = f"""
from mtlib.annotate import annotate
from mtlib.controls import MultiTask
from mtlib.faces.data import dataset
from mtlib.networks import tiny
from mtlib.recipe import Recipe
from mtlib.training import fit

sizes = dict(train=8, validation=1, test=1, size=32, tasks=("attributes", "landmarks"))
for _ in range(2):
    data = dataset(**sizes, storage="cached", root={str(tmp_path)!r})
data = annotate(data, {{"attributes": 4, "landmarks": 4}}, 0.5)
fit(MultiTask(tiny(features=4), 4, data.tasks), data, Recipe(steps=1))
print("learned")
"""
    result = run(code)
    assert (result.returncode, result.stdout.splitlines()[-1:]) == (0, ["learned"]), result.stderr


def test_where_sos_trains_the_desk_cannot_be_imported(run):
    result = run("import mtlib.claims")
    assert result.returncode == 1
    assert "No module named 'scipy'" in result.stderr
