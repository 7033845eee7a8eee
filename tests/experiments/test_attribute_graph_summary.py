"""What rows of the attribute graph say, on rows made up by hand."""

import numpy as np
import pytest
import torch

from mtlib import claims
from mtlib.experiments import attribute_graph, attribute_graph_summary
from mtlib.experiments.attribute_graph_summary import gather, samples, truths
from mtlib.experiments.face_scores import packed

KEYS = {
    "groups-single",
    "groups-shuffled",
    "graph-single",
    "groups-graph",
    *("groups-single, a tenth", "groups-shuffled, a tenth", "graph-single, a tenth"),
    "recovery/graph-correlation",
    "recovery/graph",
}
POSITIVE = packed(truths()["positive"].double())


def row(arm, seed, accuracy=80.0, **more):
    base = {"arm": arm, "seed": seed, "data": "drawn_faces", "size": 32, "diverged": None, "made by": "a test"}
    base |= {"accuracy": accuracy, "balanced": accuracy - 20, "by attribute": [accuracy] * 40, "losses": {"tasks": 0.3}}
    base |= {"distances": [1.0] * 780, "cosines": [0.0] * 780, "relation": [-0.5, *[0.1] * 779], "logits": [0.2] * 780}
    base |= {"correlation": [0.1] * 780, "partial correlation": [0.1] * 780}
    graph = [0.0] * 780 if arm in ("learned graph", "log degrees", "printed graph", "true graph") else None
    return base | {"graph": graph} | more


@pytest.fixture
def rows():
    return [
        row("learned graph", 1, 81.0, graph=POSITIVE, correlation=[-value for value in POSITIVE]),
        row("learned graph", 0, 82.0, correlation=POSITIVE),
        row("known groups", 0, 83.0),
        row("known groups", 1, 83.0),
        row("known groups, a tenth", 1, 84.0, correlation=[-value for value in POSITIVE]),
        row("single", 0, 80.0, correlation=POSITIVE),
        row("single", 1, 80.5, correlation=[-value for value in POSITIVE]),
        {"arm": "groups shuffled", "seed": 0, "diverged": "step 2", "data": "drawn_faces", "size": 32},
    ]


def test_the_truths_are_graphs_of_forty_and_positive_ones_are_part_of_dependence():
    found = truths()
    assert list(found) == ["dependence", "positive", "pixels"]
    for own in found.values():
        assert own.shape == (40, 40)
        assert torch.equal(own, own.T)
        assert not own.diagonal().any()
    assert not (found["positive"] & ~found["dependence"]).any()
    excluding = (found["dependence"] & ~found["positive"]).sum() / found["dependence"].sum()
    assert excluding == pytest.approx(0.5, abs=0.05)  # what no graph with M >= 0 can show


def test_a_score_that_is_the_truth_has_an_area_of_one_and_a_constant_one_of_a_half():
    areas = attribute_graph_summary.areas(row("learned graph", 0, graph=POSITIVE))
    assert areas["learned graph"]["positive"] == 1
    assert areas["learned graph: nearness"] == dict.fromkeys(("dependence", "positive", "pixels"), 0.5)
    # All positive edges found and no other: half of dependence is above all that is not, half is tied with it.
    known = truths()
    share = (known["positive"].sum() / known["dependence"].sum()).item()
    assert areas["learned graph"]["dependence"] == pytest.approx(share + (1 - share) / 2, abs=1e-4)


def test_signs_count_for_correlations_and_not_for_relations():
    areas = attribute_graph_summary.areas(row("single", 0, correlation=[-value for value in POSITIVE]))
    assert areas["correlation"]["positive"] == 0
    assert areas["|correlation|"]["positive"] == 1
    signed = row("single", 0, relation=[-2 * value + 1 for value in POSITIVE])  # -1 where related, else 1
    assert attribute_graph_summary.areas(signed)["single: relation"]["positive"] == 0.5


def test_only_graphs_that_were_learned_are_scores():
    names = {
        arm: set(attribute_graph_summary.areas(row(arm, 0)))
        for arm in ("single", "learned graph", "log degrees", "printed graph", "true graph")
    }
    assert [arm for arm, own in names.items() if arm in own] == ["learned graph", "log degrees"]
    assert "single: relation" not in attribute_graph_summary.areas(row("single", 0, relation=None))


def test_recovery_is_by_seed_and_counts_labels_once(rows):
    found = gather(rows).recovery
    assert found["learned graph"]["positive"] == [0.5, 1.0]  # in the order of the seeds
    assert found["correlation"]["positive"] == [1.0, 0.0]
    assert found["known groups: cosine"]["pixels"] == [0.5, 0.5]
    assert not any(score.startswith("groups shuffled") for score in found)


def test_estimates_by_hand(rows):
    found = samples(gather(rows).rows)
    assert found["groups-single"] == [3.0, 2.5]
    assert found["groups-graph"] == [1.0, 2.0]
    assert found["graph-single"] == [2.0, 0.5]
    assert found["groups-single, a tenth"] == [3.5]
    assert "groups-shuffled" not in found
    assert found["recovery/graph"] == [0, 50]
    assert found["recovery/graph-correlation"] == [-50, 0]
    assert found["recovery/graph-signed correlation"] == [-50, 100]


def test_every_claim_about_faces_names_an_estimate_that_rows_of_all_arms_give():
    everything = gather([row(arm, seed) for arm in attribute_graph.ARMS for seed in (0, 1)]).rows
    asked = {claim.key for claim in claims.load("mtfap").claims if not claim.key.startswith(("school", "printed"))}
    assert asked == KEYS
    assert asked <= set(samples(everything))


def test_of_faces_whose_graph_is_unknown_there_is_no_recovery(rows):
    celeba = gather([own | {"data": "celeba"} for own in rows])
    assert celeba.recovery == {}
    assert set(samples(celeba.rows)) == {"groups-single", "groups-single, a tenth", "groups-graph", "graph-single"}


def test_the_table_in_words(rows):
    table = attribute_graph_summary.table(rows)
    assert list(table.index) == [
        *("single", "known groups", "groups shuffled", "learned graph", "known groups, a tenth")
    ]
    assert table.loc["single", "to single"] == "–"
    assert table.loc["known groups", "to single"].startswith("+2.75 [")
    assert table.loc["groups shuffled", "n"] == 0
    assert table.loc["learned graph", "balanced (%)"].startswith("61.50 [")


def test_a_record_is_small_and_gives_back_what_was_gathered(rows):
    evidence = gather(rows)
    assert set(evidence.maps) == {
        *("learned graph", "correlation", "partial correlation"),
        *("single: nearness", "known groups: nearness", "learned graph: nearness"),
    }
    half = truths()["positive"].double().numpy() / 2
    np.testing.assert_allclose(evidence.maps["learned graph"], half, atol=1e-6)  # of one of two seeds
    np.testing.assert_allclose(evidence.maps["correlation"], 0, atol=1e-6)
    record = attribute_graph_summary.to_record(evidence)
    assert not any(isinstance(value, list) and len(value) == 780 for own in record["rows"] for value in own.values())
    back = attribute_graph_summary.from_record(record)
    assert back.rows == evidence.rows
    assert back.recovery == evidence.recovery
    for title, own in evidence.maps.items():
        np.testing.assert_allclose(back.maps[title], own, atol=1e-4)


def test_what_the_notebook_tells_beside_the_figures(rows):
    evidence = gather(rows)
    found = attribute_graph_summary.comparisons(evidence.rows)
    assert found["known groups\nminus learned graph"] == [1, 2]  # paired by seed, in the first arm's order
    assert list(attribute_graph_summary.shown(evidence.recovery)) == [
        *("learned graph", "single: nearness", "single: relation", "single: logits"),
        *attribute_graph_summary.BASELINES,
    ]
    board = attribute_graph_summary.scoreboard(evidence.rows)
    assert board["learned graph"]["gain over single"]["mean"] == pytest.approx(1.25)
    assert "known groups, a tenth" not in board  # one seed has no interval


def test_the_printed_graph_step_finds_no_edge():
    assert attribute_graph_summary.printed_edge(0) == 0
