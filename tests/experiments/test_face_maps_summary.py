"""What rows of maps and interventions say, on rows made up by hand."""

import numpy as np
import pytest

from mtlib import claims
from mtlib.experiments import face_maps, face_maps_summary
from mtlib.experiments.face_maps_summary import agreement, counted, gather, samples, shortcuts
from mtlib.faces.names import ATTRIBUTES

N = len(ATTRIBUTES)
NONE, ALL = ATTRIBUTES.index("Attractive"), ATTRIBUTES.index("Blurry")
AREA = np.where(np.arange(N) == NONE, 0, np.where(np.arange(N) == ALL, 1, 0.01 * (1 + np.arange(N))))


def text(values):
    return " ".join(f"{value:.4f}" for value in values)


def made(arm, seed, pointing, accuracy, effect=None, share=None):
    """A row in which every attribute's map points as said; the first attribute is on two faces, others on ten."""
    faces = np.full(N, 10.0)
    faces[0] = 2
    values = {"faces": faces}
    for score in ("pointing", "overlap"):
        values |= {score: np.full(N, pointing), f"{score} by chance": np.full(N, 0.1)}
        values |= {f"{score} of the centre": np.full(N, 0.2)}
    effect = np.eye(N) if effect is None else effect
    share = np.ones((N, N)) if share is None else share
    row = {"arm": arm, "seed": seed, "data": "drawn_faces", "size": 32, "made by": None, "diverged": None}
    row |= {"accuracy": accuracy, "localised": {key: text(own) for key, own in values.items()}, "area": text(AREA)}
    return row | {"effect": [text(line) for line in effect], "share": [text(line) for line in share], "network": "abc"}


@pytest.fixture
def rows():
    return [
        *(made("averaged", 0, 0.5, 88.0), made("flattened", 0, 0.3, 90.0)),
        *(made("averaged", 1, 0.7, 89.0), made("flattened", 1, 0.1, 89.5)),
    ]


def test_attributes_without_pixels_with_all_pixels_or_with_few_faces_do_not_count(rows):
    ok = counted(rows[0])
    assert len(ok) == N - 3
    assert not {0, NONE, ALL} & set(ok)


def test_scores_stand_beside_chance_and_the_centre(rows):
    found = face_maps_summary.localised(rows)
    assert list(found) == ["pointing", "overlap"]
    assert found["pointing"]["Bald"] == {"pointing": [0.5, 0.7], "by chance": [0.1, 0.1], "centre": [0.2, 0.2]}
    assert "Attractive" not in found["pointing"]
    table = face_maps_summary.table(rows)
    assert list(table) == ["averaged, CAM", "flattened, Grad-CAM"]
    assert table.loc["pointing (%)", "averaged, CAM"].startswith("60.00 [")


def test_a_seed_that_does_not_count_is_missing(rows):
    rows[2]["localised"]["faces"] = text(np.where(np.arange(N) == 4, 1, 10))
    assert face_maps_summary.localised(rows)["pointing"][ATTRIBUTES[4]]["pointing"] == [0.5, None]


def test_every_sample_is_asked_for_by_a_claim_or_a_figure(rows):
    found = samples(gather(rows).rows)
    assert found["maps/pointing by chance, averaged"] == pytest.approx([40, 60])
    assert found["maps/pointing of the centre, averaged"] == pytest.approx([30, 50])
    assert found["maps/pointing of the centre, flattened"] == pytest.approx([10, -10])
    assert found["maps/averaged-flattened"] == pytest.approx([-2, -0.5])
    asked = {claim.key for claim in claims.load("mtfap_maps").claims if claim.key.startswith("maps/")}
    assert asked - set(found) == {"maps/evidence-area"}  # nothing but an attribute itself moves a logit here


def test_the_strongest_shortcut_of_every_logit_by_hand():
    effect = np.array([[1.0, 0.0, -3.0], [0.5, 1.0, 0.2], [0.0, 2.0, 0.1]])
    every = np.array([True, True, True])
    assert shortcuts(effect, every) == [(0, 2), (2, 1)]  # 3 is above 0.1, 2 above 1; nothing is above the first's 1
    assert shortcuts(effect, np.array([False, True, True])) == [(2, 1), (1, 2)]  # the first has no pixels


def test_maps_that_show_the_movers_agree_and_area_alone_may_do_as_well():
    draw = np.random.default_rng(0)
    effect = draw.random((N, N))
    told = agreement(made("averaged", 0, 0.5, 88.0, effect, effect / np.maximum(AREA, 1e-3)[:, None]))
    assert told["map"] == pytest.approx(1, abs=1e-3)
    assert told["density"] < 0.9  # of a larger area, less per pixel
    assert abs(told["area"]) < 0.2
    bigger = np.tile(AREA[:, None], (1, N))
    told = agreement(made("averaged", 0, 0.5, 88.0, bigger, 1 + 1e-3 * draw.random((N, N))))
    assert told["area"] == pytest.approx(1)


def test_a_record_gives_back_what_was_gathered(rows):
    rows[0]["effect"][3] = text(np.arange(N) / 10)
    evidence = gather(rows)
    kept = face_maps_summary.to_record(evidence)
    back = face_maps_summary.from_record(kept)
    assert back.rows == evidence.rows
    assert np.allclose(back.effect, evidence.effect, atol=1e-4)
    assert back.effect[3, 10] == pytest.approx(0.5)  # the mean of two seeds: 1 and 0
    assert back.network == "abc"
    assert "network" not in face_maps_summary.to_record(evidence, network=False)
    assert not {"effect", "share", "network"} & set(back.rows[0])
    assert back.movers.sum() == N - 3


def test_without_an_averaged_network_there_is_nothing_to_gather(rows):
    with pytest.raises(ValueError, match=r"got \['flattened'\]"):
        gather(rows[1:2])


def test_kinds_of_maps_are_those_of_the_arms():
    assert face_maps.ARMS == {"averaged": "CAM", "flattened": "Grad-CAM"}
