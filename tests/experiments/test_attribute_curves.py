"""Curves over the constants, and edges that last, on rows made up by hand."""

import pytest
import torch

from mtlib import claims
from mtlib.experiments import attribute_curves
from mtlib.experiments.attribute_curves import VARIED, WANTED, lasting, samples, varied
from mtlib.experiments.attribute_graph import ARMS
from mtlib.experiments.attribute_graph_summary import truths
from mtlib.experiments.face_scores import packed


def made(arm, seed, accuracy, distances=None):
    row = {"arm": arm, "seed": seed, "diverged": None, "accuracy": accuracy, "balanced": 60.0}
    return row | ({} if distances is None else {"distances": packed(distances, 6)})


def test_arms_of_a_curve_differ_in_one_constant_alone():
    for field, own, others in VARIED.values():
        for arm in others:
            different = {name for name in vars(ARMS[own]) if getattr(ARMS[own], name) != getattr(ARMS[arm], name)}
            assert different == {field}


def test_the_papers_constants_lie_within_every_curve():
    assert attribute_curves.printed() == {"γ (groups)": 1.0, "λ (groups)": 0.01, "ξ (graph)": 0.75}
    rows = [made(arm, 0, 80.0) for arm in WANTED]
    values = {constant: list(by) for constant, by in varied(rows).items()}
    assert values == {
        "γ (groups)": [0.01, 0.1, 1.0, 10.0],
        "λ (groups)": [0.0001, 0.001, 0.01, 0.1],
        "ξ (graph)": [0.0075, 0.075, 0.75, 7.5],
    }


def test_an_estimate_is_a_point_less_the_range_of_seeds_that_have_all_values():
    rows = [made(arm, seed, 80.0) for arm in WANTED for seed in (0, 1)]
    rows += [made(arm, 2, 80.0) for arm in WANTED if arm != "graph, ξ = 7.5"]
    rows = [row | {"accuracy": 79.4} if row["arm"] == "graph, ξ = 7.5" and row["seed"] == 1 else row for row in rows]
    found = samples(rows)
    assert found["room/ξ (graph)"] == pytest.approx([1, 0.4])
    assert found["room/γ (groups)"] == [1, 1, 1]
    asked = {claim.key for claim in claims.load("mtfap_maps").claims if claim.key.startswith("room/")}
    assert asked == set(found)


def test_edges_that_every_seed_finds_are_told_from_those_that_some_find():
    upper = torch.triu_indices(40, 40, 1)
    true = truths()["positive"][*upper].nonzero().flatten()
    first, second = (upper[:, true[k]].tolist() for k in (0, 1))
    rows = []
    for seed, close in enumerate(((first, second), (first,))):
        z = torch.ones(40, 40).fill_diagonal_(0).double()
        for i, j in close:
            z[i, j] = z[j, i] = 0.01
        rows.append(made("single", seed, 80.0, z))
    found = lasting(rows, betas=(1e-3,))["0.001"]
    assert found == {"every seed": {"edges": 1, "true": 1}, "some seeds": {"edges": 1, "true": 1}}
    assert 0 < attribute_curves.chance() < 0.2
    with pytest.raises(ValueError, match="two seeds or more of 'single', got 1"):
        lasting(rows[:1])


def test_a_record_keeps_accuracies():
    (kept,) = attribute_curves.accuracies([made("single", 0, 80.0, torch.eye(40))])
    assert kept == {"arm": "single", "seed": 0, "diverged": None, "accuracy": 80.0, "balanced": 60.0}
