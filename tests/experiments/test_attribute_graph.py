"""Cells of the attribute graph: what the arms are, that they start alike, what a row keeps; CelebA is the same call."""

from dataclasses import replace

import pytest
import torch

from mtlib.experiments import attribute_graph, face_table
from mtlib.experiments.attribute_graph import ARMS, Arm, Cell, Plan
from mtlib.experiments.face_scores import unpacked
from mtlib.faces import structure
from mtlib.faces.names import ATTRIBUTES
from mtlib.recipe import Recipe
from mtlib.seeds import generator
from mtlib.structure import Coupled, Grouped, Ridge, relation, squared_distances, trace_frobenius
from mtlib.tasks import Dataset, Split, Task
from mtlib.updates import Alternate, Descend

TASKS = (Task("attributes", "binary", ATTRIBUTES),)
MATRICES = ("distances", "cosines", "relation", "logits", "correlation", "partial correlation")


@pytest.fixture
def plan(tmp_path):
    return Plan(Recipe(steps=3, batch=16, rate=1e-3), tmp_path, train=32, test=24, made_by="a test")


def noise():
    """Two splits of 24 and 16 noisy pictures with labels at random."""
    draw = generator("noise")
    x = torch.randint(0, 256, (40, 3, 32, 32), generator=draw, dtype=torch.uint8)
    y = torch.randint(0, 2, (40, 40), generator=draw)
    parts = [Split(x[own], {"attributes": y[own]}) for own in (slice(24), slice(24, 40))]
    return Dataset("noise", TASKS, *parts)


def test_the_arms_are_the_methods_of_the_paper_and_their_controls():
    kinds = {name: type(attribute_graph.build(arm, TASKS, 0)) for name, arm in list(ARMS.items())[:7]}
    assert list(kinds) == [
        *("single", "known groups", "groups shuffled"),
        *("learned graph", "log degrees", "printed graph", "true graph"),
    ]
    assert list(kinds.values()) == [Ridge, Grouped, Grouped, *[Coupled] * 4]


def test_the_papers_constants_are_the_defaults():
    method = attribute_graph.build(ARMS["known groups"], TASKS, 0)
    assert method.strengths.tolist() == pytest.approx([0.01, 1.0])
    assert attribute_graph.build(ARMS["learned graph"], TASKS, 0).strengths[0] == 0.75
    assert method.bias is None


def test_arms_of_one_seed_start_from_the_same_trunk_and_another_seed_from_another():
    trunks = [attribute_graph.build(ARMS[name], TASKS, 3).trunk.state_dict() for name in ARMS]
    assert all(torch.equal(own[key], trunks[0][key]) for own in trunks for key in own)
    again = attribute_graph.build(ARMS["single"], TASKS, 4).trunk.state_dict()
    assert not torch.equal(trunks[0]["body.1.weight"], again["body.1.weight"])


def test_shuffled_groups_have_the_same_sizes_and_ranks_and_other_members():
    known, dealt = (
        attribute_graph.build(ARMS[name], TASKS, 0).partition for name in ("known groups", "groups shuffled")
    )
    assert (known.sizes, known.ranks) == (dealt.sizes, dealt.ranks)
    assert known.groups != dealt.groups
    assert dealt == attribute_graph.build(ARMS["groups shuffled"], TASKS, 1).partition  # of every seed


def test_a_graph_is_learned_once_per_epoch_and_in_a_short_run_at_its_end(plan):
    learned = attribute_graph.build(ARMS["learned graph"], TASKS, 0)
    every = {}
    for recipe in (Recipe(epochs=4, batch=16), Recipe(steps=3, batch=16)):
        update = attribute_graph._update(ARMS["learned graph"], learned, replace(plan, recipe=recipe), 165, 0)
        assert isinstance(update, Alternate)
        every[recipe.epochs] = update.every
    assert every == {4: 10, None: 3}
    for name in ("single", "printed graph", "true graph"):
        method = attribute_graph.build(ARMS[name], TASKS, 0)
        assert type(attribute_graph._update(ARMS[name], method, plan, 165, 0)) is Descend


def test_the_true_graph_has_the_positive_edges_and_the_trace_of_a_learned_one(plan):
    graph = attribute_graph._true_graph(plan)
    assert torch.equal(graph > 0, structure.load().partial > 0)
    assert graph.sum() == pytest.approx(40)
    with pytest.raises(ValueError, match="needs faces whose graph is known, drawn_faces; of celeba it is not"):
        attribute_graph._true_graph(replace(plan, data="celeba"))


def test_what_decides_the_outcome_names_the_file_and_no_file_of_table_two(plan):
    cell = Cell("single", 0)
    others = [replace(plan, size=64), replace(plan, train=48), replace(plan, recipe=Recipe(steps=2, batch=16))]
    stems = {each.stem(cell) for each in (plan, *others)} | {
        plan.stem(Cell("single", 1)),
        plan.stem(Cell("log degrees", 0)),
    }
    assert len(stems) == 6
    assert replace(plan, made_by="somebody else").stem(cell) == plan.stem(cell)
    assert plan.stem(cell).name.startswith("graph-")


def test_cells_are_trained_once_and_read_afterwards(plan, monkeypatch):
    told = []
    wanted = attribute_graph.cells({"known groups": [0], "learned graph": [0]})
    rows = attribute_graph.train(wanted, plan, advance=told.append)
    assert sum(told) == attribute_graph.total(plan, 2) == 6
    groups, graph = rows
    assert (groups["arm"], groups["made by"], groups["diverged"]) == ("known groups", "a test", None)
    assert set(groups["losses"]) == {"tasks", "sparse", "low rank"}
    assert set(graph["losses"]) == {"tasks", "coupling"}
    assert len(groups["ranks"]) == 10
    assert 0 <= groups["zeros"] <= 1
    assert groups["graph"] is None
    assert all(len(row[name]) == 780 for row in rows for name in MATRICES)
    assert [len(row["by attribute"]) for row in rows] == [40, 40]
    assert groups["correlation"] == graph["correlation"]  # the same faces
    monkeypatch.setattr(face_table, "fit", lambda *a, **k: pytest.fail("trained again"))
    assert attribute_graph.train(wanted, plan) == rows
    assert {path.suffix for path in plan.folder.iterdir()} == {".json"}


def test_the_graph_that_is_kept_is_the_one_of_the_predictors_that_are_kept(plan):
    whole = replace(plan, recipe=Recipe(epochs=2, batch=16))  # after an epoch, not between two
    (row,) = attribute_graph.run_cell(Cell("learned graph", 0), whole)
    learned = trace_frobenius(unpacked(row["distances"]).fill_diagonal_(0), 0.3).graph
    torch.testing.assert_close(unpacked(row["graph"]).fill_diagonal_(0), learned, atol=1e-4, rtol=0)


def test_a_network_that_diverges_is_a_row_and_not_an_error(plan, monkeypatch):
    def fails(*arguments, **options):
        raise FloatingPointError("step 3: coupling is not finite")

    monkeypatch.setattr(face_table, "fit", fails)
    (row,) = attribute_graph.run_cell(Cell("learned graph", 0), plan)
    assert row["diverged"] == "step 3: coupling is not finite"
    assert "accuracy" not in row


def test_scores_by_hand():
    data, method = noise(), attribute_graph.build(Arm("ridge"), TASKS, 0)
    row = attribute_graph.scores(method, data)
    w = method.weights().detach().double()
    z = squared_distances(w)
    kept = unpacked(row["distances"]).fill_diagonal_(0)
    torch.testing.assert_close(kept * row["mean distance"], z, atol=1e-5, rtol=0)
    assert kept.sum() / (40 * 39) == pytest.approx(1)
    cosine = torch.cosine_similarity(w[:, 0], w[:, 1], dim=0)
    assert row["cosines"][0] == pytest.approx(cosine.item(), abs=1e-6)
    assert row["relation"][0] == pytest.approx(40 * relation(w)[0, 1].item(), abs=1e-6)
    method.eval()
    logits = method(data.test.x)["attributes"]
    assert row["logits"][0] == pytest.approx(torch.corrcoef(logits.T)[0, 1].item(), abs=1e-5)
    right = ((logits > 0) == data.test.y["attributes"]).double().mean()
    assert row["accuracy"] == pytest.approx(100 * right.item())


def test_predictors_that_were_crushed_to_zero_have_a_row_all_the_same():
    data, method = noise(), attribute_graph.build(ARMS["known groups"], TASKS, 0)
    with torch.no_grad():
        for own in (*method.L, *method.S):
            own.zero_()
    row = attribute_graph.scores(method, data)
    assert row["relation"] is None
    assert set(row["distances"]) == set(row["cosines"]) == {0.0}
    assert (row["ranks"], row["zeros"]) == ([0] * 10, 1.0)


def test_partial_correlations_see_through_a_common_cause():
    draw = generator("chain")
    first = torch.randint(0, 2, (20_000,), generator=draw)
    copies = [torch.where(torch.rand(20_000, generator=draw) < 0.2, 1 - first, first) for _ in range(2)]
    y = torch.stack([copies[0], first, copies[1], torch.zeros_like(first)], 1)
    found = attribute_graph.partial_correlation(y, ridge=0)
    plain = torch.corrcoef(y[:, :3].T.double())
    assert plain[0, 2] == pytest.approx(0.36, abs=0.02)  # 0.6 of each
    assert found[0, 2] == pytest.approx(0, abs=0.02)
    # With both others: (r01 - r02 r12) / sqrt((1 - r02^2)(1 - r12^2))
    wanted = (0.6 - 0.36 * 0.6) / ((1 - 0.36**2) * (1 - 0.36)) ** 0.5
    assert found[0, 1] == pytest.approx(wanted, abs=0.02)
    assert found[3].tolist() == [0, 0, 0, 1]  # never varies
    torch.testing.assert_close(found, found.T)


def test_celeba_is_the_same_call(plan, monkeypatch):
    asked = {}

    def load(name, **options):
        asked.update(name=name, **options)
        raise KeyError("no such folder")

    monkeypatch.setattr(face_table.datasets, "load", load)
    face_table.load.cache_clear()
    with pytest.raises(KeyError, match="no such folder"):
        attribute_graph.run_cell(Cell("single", 7), replace(plan, data="celeba", root="somewhere", size=64, train=None))
    assert (asked["name"], asked["size"], asked["channels"], asked["root"]) == ("celeba", 64, 3, "somewhere")
    assert "seed" not in asked
