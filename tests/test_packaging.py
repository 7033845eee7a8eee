"""One list of dependencies: pyproject's. The other files agree with it."""

import re
import tomllib

import yaml
from packaging.requirements import Requirement

from mtlib.paths import repository

ROOT = repository()
TEXT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = [Requirement(one) for one in (*PROJECT["dependencies"], *EXTRAS["course"], *EXTRAS["dev"], *EXTRAS["lab"])]


def test_the_core_is_torch_alone():
    assert [Requirement(one).name for one in PROJECT["dependencies"]] == ["torch"]


def test_every_bound_carries_its_reason():
    for one in NEEDED:
        (line,) = [line for line in TEXT.splitlines() if re.match(rf'\s*"{re.escape(one.name)}[<>=]', line)]
        assert one.specifier, line
        assert re.search(r"# .{8,}", line), line


def test_what_was_tested_lies_within_the_bounds():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    tested = dict(line.lower().split("==") for line in lines)
    assert not re.search("@|://|/", "".join(lines))
    for one in NEEDED:
        assert one.specifier.contains(tested[one.name]), one


def test_conda_takes_everything_from_pyproject_but_the_cpu_build_of_torch():
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    names = [re.match(r"[\w-]+", one)[0] for one in conda]
    assert names == ["python", "pip", "pytorch-cpu"]
    assert pip == {"pip": ["--editable .[course,dev]"]}
    (torch,) = [one for one in NEEDED if one.name == "torch"]
    assert set(conda[2].split()[1].split(",")) == set(str(torch.specifier).split(","))
    assert conda[0].split()[1].startswith(PROJECT["requires-python"])
