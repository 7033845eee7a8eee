"""What the README says works as it stands."""

import re
from collections import Counter

import torch

from mtlib.paths import repository
from mtlib.runs.record import read

README = (repository() / "README.md").read_text()


def test_the_take_away_runs_on_a_readers_network():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    trunk = torch.nn.Sequential(torch.nn.Linear(6, 512), torch.nn.ReLU())
    loader = [(torch.randn(8, 6), torch.randint(-1, 2, (8, 40))) for _ in range(2)]
    before = trunk[0].weight.clone()
    exec(code, {"trunk": trunk, "loader": loader})
    assert not torch.equal(before, trunk[0].weight)


def test_every_make_command_exists():
    targets = set(re.findall(r"^([a-z]+):", (repository() / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_the_verdicts_told_are_those_recorded():
    record = read(repository() / "data" / "results" / "01_semantic_orthogonal_spaces.standard.json")
    told = {word: int(n) for n, word in re.findall(r"\b(\d+) (reproduced|not reproduced|undecided)\b", README)}
    assert told == Counter(claim["verdict"] for claim in record["claims"])
    pattern = r"printed ([^,]+), a single run of ours \[(.+), (.+)\]$"
    found = [re.search(pattern, claim["evidence"]) for claim in record["claims"]]
    effects = [tuple(map(float, one.groups())) for one in found if one]
    assert len(effects) == 6
    large = [one for one in effects if abs(one[0]) >= 10]
    assert len(large) == 4
    assert not any(low <= printed <= high for printed, low, high in large)


def test_every_link_leads_somewhere():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (repository() / link).exists(), link
