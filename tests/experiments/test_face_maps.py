"""Networks with maps: what the arms are, effects of interventions, shares of maps on masks, and weights as text."""

import pytest
import torch

from mtlib.experiments import face_maps
from mtlib.experiments.face_maps import Cell, Plan
from mtlib.experiments.face_summary import from_lines
from mtlib.faces import draw
from mtlib.faces.data import TASKS, numbers
from mtlib.faces.names import ATTRIBUTES
from mtlib.recipe import Recipe

TASK = (TASKS["attributes"],)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    return Plan(Recipe(steps=3, batch=16, rate=1e-3), folder, train=32, test=24, judged=4, made_by="a test")


@pytest.fixture(scope="module")
def row(plan):
    (found,) = face_maps.run_cell(Cell("averaged", 3), plan)
    return found


def test_both_arms_start_from_the_same_convolutions_and_one_averages():
    one, other = (face_maps.build(arm, 32, TASK, 5) for arm in face_maps.ARMS)
    first, second = one.trunk.body.state_dict(), other.trunk.body.state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    g = torch.rand(2, 128, 8, 8)
    assert torch.allclose(one.trunk.neck(g), g.mean((2, 3)))
    assert other.trunk.neck[1].in_features == 128 * 8 * 8
    assert one.bias is None
    with pytest.raises(ValueError, match="averaged, flattened, got 'deep'"):
        face_maps.build("deep", 32, TASK, 0)


def test_a_row_has_a_number_for_every_attribute(row):
    assert (row["arm"], row["seed"], row["made by"], row["diverged"]) == ("averaged", 3, "a test", None)
    assert list(row["localised"]) == list(face_maps.KEPT)
    assert {len(line.split()) for line in row["localised"].values()} == {40}
    assert from_lines(row["effect"]).shape == from_lines(row["share"]).shape == (40, 40)
    area = from_lines([row["area"]])[0]
    assert (area[ATTRIBUTES.index("Attractive")], area[ATTRIBUTES.index("Blurry")]) == (0, 1)


def test_a_cell_is_trained_once(plan, row):
    assert face_maps.train([Cell("averaged", 3)], plan) == [row]


def test_faces_judged_a_few_at_a_time_give_the_same_scores(monkeypatch):
    monkeypatch.setattr(face_maps, "effects", lambda method, faces: torch.zeros(0, 0))  # they take long
    method, faces = face_maps.build("averaged", 32, TASK, 0).eval(), draw(numbers("test", 4), 1, 32)
    whole = face_maps.scores(method, Cell("averaged", 0), faces)
    monkeypatch.setattr(face_maps, "PIXELS", 3 * 32**2)
    assert face_maps.scores(method, Cell("averaged", 0), faces) == whole


def test_what_draws_no_pixel_moves_no_logit(row):
    effect = from_lines(row["effect"])
    assert (effect[ATTRIBUTES.index("Attractive")] == 0).all()
    assert abs(effect[ATTRIBUTES.index("Wearing_Hat")]).max() > 0.01


def test_effects_are_differences_in_standard_deviations_whatever_the_scale_of_a_logit(monkeypatch):
    monkeypatch.setattr(face_maps, "ATTRIBUTES", ("Bald",))  # of forty, one is set
    method, faces = face_maps.build("averaged", 32, TASK, 0).eval(), draw(numbers("test", 6), 1, 32)
    (found,) = face_maps.effects(method, faces)
    with torch.no_grad():
        pictures = [draw(faces.index, 1, 32, {"Bald": value}).images for value in (1, 0)]
        on, off, natural = (method(x)["attributes"].double() for x in (*pictures, faces.images))
        assert torch.allclose(found, (on - off).mean(0) / natural.std(0))
        method.W.mul_(3)
    assert torch.allclose(face_maps.effects(method, faces)[0], found, rtol=1e-3)


def test_shares_by_hand():
    maps = torch.zeros(2, 2, 2, 2)
    maps[0, 0] = torch.tensor(
        [[3.0, 1.0], [0.0, -5.0]]
    )  # 3/4 of the evidence on the first pixel, against it counts not
    maps[1, 0] = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    masks = torch.zeros(2, 2, 2, 2, dtype=torch.bool)
    masks[:, 0, 0, 0] = True  # a quarter of the picture
    has = torch.tensor([[True, True], [False, True]])
    found = face_maps.shares(maps, masks, has)  # B i j
    assert found[0, 0, 0] == pytest.approx(3)  # 0.75 / 0.25
    assert found[:, :, 1].isnan().all()  # a map without evidence
    assert found[:, 1].isnan().all()  # nothing is drawn
    assert found[1, 0, 0].isnan()  # this face does not have it
    every = face_maps.shares(maps, masks, torch.ones(2, 2, dtype=torch.bool))
    assert every[:, 0, 0].tolist() == pytest.approx([3, 0])


def test_a_map_that_is_the_same_everywhere_has_share_one():
    masks = torch.rand(3, 4, 6, 6, generator=torch.Generator().manual_seed(0)) > 0.5
    found = face_maps.shares(torch.ones(3, 4, 6, 6), masks, torch.ones(3, 4, dtype=torch.bool))
    assert torch.allclose(found, torch.ones(3, 4, 4).double())


def test_weights_survive_as_text_to_half_precision(row):
    method = face_maps.build("averaged", 32, TASK, 9)
    face_maps.from_text(method, row["network"])
    assert face_maps.to_text(method) == row["network"]
    x = draw(numbers("test", 2), 3, 32).images
    first = method.eval()(x)["attributes"]
    face_maps.from_text(method, face_maps.to_text(method))
    assert torch.equal(method(x)["attributes"], first)
    with pytest.raises(ValueError, match="the text has"):
        face_maps.from_text(face_maps.build("flattened", 32, TASK, 0), row["network"])


def test_a_plan_that_cannot_be_judged_is_refused(tmp_path):
    with pytest.raises(ValueError, match="drawn_faces, of celeba they are not known"):
        Plan(Recipe(steps=1), tmp_path, data="celeba")
    with pytest.raises(ValueError, match="from 1 to the 24 test faces, got 25"):
        Plan(Recipe(steps=1), tmp_path, test=24, judged=25)
