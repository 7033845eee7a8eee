"""Table I of SOS as an experiment: networks, printed numbers, runs and their differences, maps."""

import csv

import pandas as pd
import pytest
import torch

from mtlib.experiments import sos_toy
from mtlib.method import Method
from mtlib.paths import repository
from mtlib.recipe import Recipe
from mtlib.toy import TASKS

SHORT = Recipe(steps=3, batch=16)


def count(parameters):
    return sum(parameter.numel() for parameter in parameters)


def test_networks_have_the_papers_numbers_of_parameters():  # S-15
    assert count(sos_toy.build("ST").parameters()) == 562
    assert count(sos_toy.build("MT").parameters()) == 522
    sos = sos_toy.build("SOS")
    assert count(sos.fake.parameters()) == 42
    assert count(sos.parameters()) - 42 == 627


def test_sos_has_the_papers_sizes_and_weights():  # Sec. IV-A.1
    sos = sos_toy.build("SOS")
    assert (sos.common, sos.specific, sos.n) == (15, 5, 2)
    assert sos.lambdas.tolist() == pytest.approx([0.01] * 4)
    assert sos_toy.build("SOS", lambda_cs=0.5).lambdas[0] == 0.5


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="toy models are ST, MT, SOS and MT wide, got 'CNN'"):
        sos_toy.build("CNN")


def test_printed_is_the_table_of_the_paper():
    table = sos_toy.printed().set_index(["set", "model"])
    assert len(table) == 30
    with open(repository() / "data" / "papers" / "sos_table1.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["data"] != "average"]
    for row in rows:
        for model in sos_toy.MODELS:
            found = table.loc[(int(row["data"]), model)]
            keys = [f"{model.lower()}_{key}" for key in ("task1", "task2", "avg")]
            assert found[list(sos_toy.COLUMNS)].tolist() == [float(row[key]) for key in keys]


@pytest.fixture(scope="module")
def runs():
    recipes = dict.fromkeys(sos_toy.MODELS, SHORT)
    return sos_toy.run([8, 3], ["ST", "MT", "SOS"], [0, 1], recipes)


def test_a_run_has_a_row_per_set_model_and_seed_and_keeps_the_first_seeds_network(runs):
    assert list(runs.scores.columns) == ["set", "model", "seed", "task 1", "task 2", "average"]
    assert len(runs.scores) == 2 * 3 * 2
    assert runs.scores["average"].to_numpy() == pytest.approx(runs.scores[["task 1", "task 2"]].mean(axis=1))
    assert runs.scores["average"].between(1, 100).all()
    assert set(runs.kept) == {(number, model) for number in (8, 3) for model in sos_toy.MODELS}
    first, _ = sos_toy.train(3, "MT", SHORT, seed=0)
    for alone, together in zip(first.parameters(), runs.kept[3, "MT"].parameters(), strict=True):
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_a_network_that_diverges_is_named_and_nothing_is_scored(monkeypatch):
    def spoilt(number, **options):
        data = make(number, **options)
        if number == 3:
            data.train.x[:] = torch.inf
        return data

    make = sos_toy.toy.make
    monkeypatch.setattr(sos_toy.toy, "make", spoilt)
    with pytest.raises(FloatingPointError, match="MT on set 3, seed 1, step 0: the loss of 'task 1' is"):
        sos_toy.run([8, 3], ["MT"], [1], {"MT": SHORT})


def test_a_seed_redraws_data_weights_and_order():
    one, again, two = (sos_toy.train(8, "SOS", SHORT, seed)[0] for seed in (0, 0, 1))
    assert torch.equal(one.spaces.weight, again.spaces.weight)
    assert not torch.isin(one.spaces.weight, two.spaces.weight).any()


def test_progress_counts_every_step():
    steps = []
    sos_toy.run([8], ["ST", "MT"], [0, 1], {"ST": SHORT, "MT": SHORT}, advance=steps.append)
    assert sum(steps) == 2 * 2 * 3


def test_tuning_averages_over_sets_and_seeds_at_every_rate():
    found = sos_toy.tune([8, 3], [0.01, SHORT.rate], steps=3, seeds=[0, 1])
    assert (list(found.index), list(found.columns)) == (["ST", "MT", "SOS"], [0.01, SHORT.rate])
    recipe = Recipe(steps=3, rate=0.01)
    by_hand = [sos_toy.train(number, "MT", recipe, seed)[1]["average"] for number in (8, 3) for seed in (0, 1)]
    assert found.loc["MT", 0.01] == pytest.approx(sum(by_hand) / 4)


def test_the_cost_of_a_step_by_hand():
    """MT 2-20-20-2, 100 examples: the products forwards, for the weights, and for all inputs but the first."""
    layers = [2 * 20, 20 * 20, 20 * 2]
    assert sos_toy.cost("MT", batch=100) == 2 * 100 * (sum(layers) + sum(layers) + sum(layers[1:]))
    assert sos_toy.cost("SOS") > sos_toy.cost("MT")


def test_differences_pair_the_models_by_set_and_seed():
    scores = pd.DataFrame(
        [  # seeds out of order on purpose
            (8, "MT", 1, 91.0),
            (8, "ST", 0, 80.0),
            (8, "MT", 0, 90.0),
            (8, "ST", 1, 85.0),
            (3, "MT", 0, 70.0),
            (3, "ST", 0, 72.5),
        ],
        columns=["set", "model", "seed", "average"],
    )
    found = sos_toy.differences(scores)
    assert found["set 8/MT-ST"] == [10.0, 6.0]
    assert found["set 3/MT-ST"][0] == -2.5


def test_differences_of_a_run_have_a_value_per_seed_and_the_claims_keys(runs):
    found = sos_toy.differences(runs.scores)
    assert list(found) == [f"set {number}/{pair}" for number in (8, 3) for pair in ("MT-ST", "SOS-MT", "SOS-ST")]
    assert all(len(values) == 2 for values in found.values())
    task_2 = runs.scores.set_index(["set", "model", "seed"])["task 2"]
    by_hand = [task_2[3, "SOS", seed] - task_2[3, "ST", seed] for seed in (0, 1)]
    assert sos_toy.differences(runs.scores, "task 2")["set 3/SOS-ST"] == by_hand


class Plane(Method):
    """The logits of the two tasks are the point's own coordinates, X0 and X1."""

    tasks = TASKS

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        return {"toy": self.one * x}


def test_a_decision_map_has_x0_along_its_columns_and_x1_up_its_rows():
    task_1, task_2 = sos_toy.decision_map(Plane(), cells=4)
    centres = torch.tensor([-0.75, -0.25, 0.25, 0.75]).sigmoid()
    torch.testing.assert_close(task_1, centres.expand(4, 4))
    torch.testing.assert_close(task_2, centres.unsqueeze(1).expand(4, 4))
    assert sos_toy.decision_map(Plane()).shape == (2, 120, 120)
