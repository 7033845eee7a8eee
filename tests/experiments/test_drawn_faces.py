"""What the drawn faces are held to: the numbers behind the claims, by hand; finished runs are not run again."""

import numpy as np
import pytest
import torch

from mtlib import claims
from mtlib.experiments import drawn_faces
from mtlib.faces import ATTRIBUTES, report, structure
from mtlib.faces.data import dataset
from mtlib.paths import repository


def fake(**changes):
    same = np.zeros((2, 40))
    values = {
        "share": same, "correlation": np.zeros((2, 780)), "between": same, "accuracy": same[0],
        "expressions": np.zeros(7), "units": np.zeros((7, 17)), "recovery": {},
    }  # fmt: skip
    return report.Report(**(values | changes))


def test_likeness_by_hand():
    share, correlation, between = np.zeros((2, 40)), np.zeros((2, 780)), np.zeros((2, 40))
    share[1, 3], share[0, 5] = 0.02, 0.01
    correlation[1, :78] = 0.1  # a tenth of the pairs is off by 0.1
    between[1, :4] = 0.2
    found = drawn_faces.likeness(fake(share=share, correlation=correlation, between=between))
    assert found["largest difference of a share"] == pytest.approx(2.0)
    assert found["error of the correlations"] == pytest.approx(0.1 / 10**0.5)
    assert found["identity shares within 0.10"] == 36


def test_worst_pairs_are_named_with_both_correlations():
    correlation = np.zeros((2, 780))
    correlation[:, 0] = 0.3, -0.1  # the first pair is attributes 0 and 1
    (pair,) = drawn_faces.worst_pairs(fake(correlation=correlation), 1)
    assert pair == (ATTRIBUTES[0], ATTRIBUTES[1], 0.3, -0.1)


def test_relatives_stand_side_by_side():
    partial = torch.zeros(6, 6)
    for one, other in ((0, 3), (1, 4), (2, 5)):
        partial[one, other] = partial[other, one] = 0.7
    order = drawn_faces.side_by_side(partial)
    assert sorted(order) == list(range(6))
    assert all(abs(order.index(one) - order.index(other)) == 1 for one, other in ((0, 3), (1, 4), (2, 5)))


def test_easy_and_hard_are_named_by_the_noise_of_their_labels():
    noise = dict(zip(ATTRIBUTES, structure.load().noise.tolist(), strict=True))
    assert {"Eyeglasses", "Wearing_Hat", "Male"} <= set(drawn_faces.EASY)
    assert {"Pointy_Nose", "Oval_Face", "Big_Lips"} == set(drawn_faces.HARD)
    assert max(noise[name] for name in drawn_faces.EASY) < min(noise[name] for name in drawn_faces.HARD) / 10


def test_gaps_by_hand():
    bound = dict(zip(ATTRIBUTES, (100 * structure.load().bound).tolist(), strict=True))
    network = {name: bound[name] - (6 if name in drawn_faces.HARD else 1) for name in ATTRIBUTES}
    network["Eyeglasses"] -= 3
    linear = {name: value - 2 for name, value in network.items()}
    found = drawn_faces.gaps({"network": network, "linear": linear})
    assert found["worst easy gap"] == pytest.approx(4)
    assert found["mean easy gap"] == pytest.approx(1 + 3 / len(drawn_faces.EASY))
    assert found["mean hard gap"] == pytest.approx(6)
    assert found["network over linear"] == pytest.approx(2)


def test_every_claim_has_its_samples_and_room_means_within_the_limit():
    fine = {"largest difference of a share": 1.0, "error of the correlations": 0.02, "identity shares within 0.10": 35}
    runs = {"worst easy gap": 2.0, "mean easy gap": 1.0, "mean hard gap": 5.0, "network over linear": 4.0}
    samples = drawn_faces.samples([fine] * 5, [runs] * 5)
    rules = claims.load("faces")
    assert set(samples) == {claim.key for claim in rules.claims}
    assert {key: values[0] for key, values in samples.items()} == pytest.approx({
        "room/shares": 0.5, "room/correlations": 1.0, "room/identity": 1, "room/easy": 1.0, "gap/hard": 4.0,
        "gain/network-linear": 4.0,
    })  # fmt: skip
    assert {one["verdict"] for one in rules.judge_all(samples, data="a test", updates=3000)} == {"reproduced"}


def test_the_commoner_label_by_hand():
    data = dataset(train=200, validation=1, test=100, size=32, storage="fly")
    common = data.train.y["attributes"].float().mean(0) > 0.5
    j = ATTRIBUTES.index("Young")
    right = (data.test.y["attributes"][:, j] == common[j].int()).float().mean().item()
    assert drawn_faces.majority(data.train, data.test)["Young"] == pytest.approx(100 * right)


SMALL = {"train": 64, "test": 64, "size": 32, "epochs": 1}


def test_a_run_repeats_and_a_finished_one_is_read(tmp_path, monkeypatch):
    first = drawn_faces.learn_all([3], folder=tmp_path, **SMALL)
    assert set(first[0]) == {"majority", "network", "linear"}
    assert all(0 <= value <= 100 for model in first[0].values() for value in model.values())
    assert first[0] == drawn_faces.learn(3, **SMALL)
    monkeypatch.setattr(drawn_faces, "learn", None)
    assert drawn_faces.learn_all([3], folder=tmp_path, **SMALL) == first
    with pytest.raises(TypeError):  # other options are another run
        drawn_faces.learn_all([3], folder=tmp_path, **{**SMALL, "epochs": 2})


def test_the_rules_stand_where_they_are_looked_for():
    assert (repository() / "data" / "claims" / "faces.toml").exists()
