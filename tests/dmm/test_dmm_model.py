"""DMM's network and Eqs. (1) to (3), (5), (6), term by term."""

import math

import pytest
import torch
from torch import nn

from mtlib.dmm import DMM, Branch, report
from mtlib.dmm.model import landmark_loss
from mtlib.faces.names import ATTRIBUTES
from mtlib.networks import resnet50
from mtlib.tasks import Batch, Split, Task

NAMES = ("a", "b", "c")
THREE = Task("attributes", "binary", NAMES)
PLACES = Task("landmarks", "points", 4)
TWO = (Branch(("c", "a"), (5,), (1,)), Branch(("b",), (6, 5), (1, 2, 3)))


def network(**settings):
    torch.manual_seed(0)
    body = nn.Conv2d(3, 4, 3, padding=1)
    return DMM(body, 4, THREE, TWO, **{"landmarks": PLACES, "width": 5} | settings)


def batch(n=6):
    random = torch.Generator().manual_seed(1)
    y = torch.randint(0, 2, (n, 3), generator=random)
    return Batch(
        torch.randn(n, 3, 6, 6, generator=random),
        {"attributes": y, "landmarks": torch.rand(n, 4, generator=random)},
    )


def test_at_paper_size_it_has_88_7_million_parameters():
    with torch.device("meta"):
        trunk = resnet50()
        model = DMM(
            *(trunk.body, trunk.channels, Task("attributes", "binary", ATTRIBUTES)),
            landmarks=Task("landmarks", "points", 144),
        )
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    objective, subjective = (sum(p.numel() for p in head.parameters()) for head in model.heads)
    assert round(count["body"] / 1e6, 1) == 23.5
    assert round(objective / 1e6, 2) == 2.12
    assert round(subjective / 1e6, 2) == 60.84
    assert round(count["points"] / 1e6, 2) == 2.25
    total = sum(count.values())
    assert total == 88_713_464
    assert round(4 * total / 1e6) == 355  # megabytes: "about 360M" (D-3)


def test_columns_come_out_in_the_tasks_order():
    model, x = network(), batch().x
    shared = model.body(x)
    found = model(x)["attributes"]
    torch.testing.assert_close(found[:, [2, 0]], model.heads[0](shared))
    torch.testing.assert_close(found[:, [1]], model.heads[1](shared))


def test_equation_2_by_hand():
    model, data = network(), batch()
    z = model(data.x)["attributes"]
    sign = torch.where(data.y["attributes"] == 1, 1.0, -1.0)
    torch.testing.assert_close(model.losses(data).tasks, ((z - sign) ** 2).mean(0))


def test_equation_1_by_hand():
    z, places = torch.tensor([[1.0, 0, 0, 0], [0, 0, 2, 0]]), torch.zeros(2, 4)
    assert landmark_loss(z, places).item() == (1 + 4) / 2  # summed over coordinates, the mean over images
    places[0, 0] = math.nan
    assert landmark_loss(z, places).item() == 4 / 2
    places[0] = math.nan
    assert landmark_loss(z, places).item() == 4  # an image without points does not count
    assert landmark_loss(z, torch.full((2, 4), math.nan)).item() == 0


def test_equation_3_has_beta_in_the_extra_term():
    model, data = network(beta=0.5), batch()
    z = model(data.x)["landmarks"]
    losses = model.losses(data)
    torch.testing.assert_close(losses.extra["landmarks"], 0.5 * landmark_loss(z, data.y["landmarks"]))
    torch.testing.assert_close(losses.total(), losses.tasks.sum() + losses.extra["landmarks"])
    assert losses.features.shape == (6, 4, 6, 6)  # where gradients may be cut


def test_what_each_term_moves():
    data = batch()
    for term, moved in (("landmarks", "points"), ("attributes", "heads")):
        model = network()
        losses = model.losses(data)
        (losses.extra["landmarks"] if term == "landmarks" else losses.tasks.sum()).backward()
        grads = {name for name, p in model.named_parameters() if p.grad is not None}
        assert grads == {name for name, _ in model.named_parameters() if name.split(".")[0] in ("body", moved)}


def test_a_missing_label_or_place_adds_nothing():
    model, data = network(), batch()
    data.y["attributes"][0] = -1
    data.y["landmarks"][0] = math.nan
    part = Batch(data.x[1:], {name: y[1:] for name, y in data.y.items()})
    torch.testing.assert_close(model.losses(data).tasks, model.losses(part).tasks)
    torch.testing.assert_close(model.losses(data).extra["landmarks"], model.losses(part).extra["landmarks"])
    model.losses(data).total().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_without_landmarks_there_is_no_extra_term():
    model, data = network(landmarks=None), batch()
    assert model.losses(data).extra == {}
    assert list(model(data.x)) == ["attributes"]


def test_any_size_of_image_from_the_smallest_map_on():
    model = network()
    for side in (3, 5, 11):
        assert model(torch.randn(2, 3, side, side))["attributes"].shape == (2, 3)
    with pytest.raises(ValueError, match="map is 2 x 2"):
        model(torch.randn(1, 3, 2, 2))


def test_equation_5_is_strict():
    model = network()
    model.thresholds.copy_(torch.tensor([0.5, 0.0, -1.0]))
    z = torch.tensor([[0.5, 0.1, -0.9], [0.6, 0.0, -1.1]])
    assert model.decide({"attributes": z})["attributes"].tolist() == [[0, 1, 1], [1, 0, 0]]


def told(false_positive, false_negative):
    kinds = {"false positives": false_positive, "false negatives": false_negative}
    return {
        f"{kind}/{name}": value for kind, values in kinds.items() for name, value in zip(NAMES, values, strict=True)
    }


def test_equation_6_counts_epochs_from_one():
    model = network(gamma=0.01, validations=2.0)
    mistakes = told((0.3, 0.0, math.nan), (0.1, 0.1, math.nan))
    for expected in (0.002, 0.004, 0.004 + 2 * 0.002):  # two validations in epoch 1, the third is epoch 2's
        model.validated(mistakes)
        torch.testing.assert_close(model.thresholds, torch.tensor([expected, -expected / 2, 0]))


def test_fixed_thresholds_stay():
    model = network(thresholds="fixed")
    model.validated({})
    assert not model.thresholds.any()


def test_a_report_feeds_the_thresholds():
    model, data = network(), batch(40)
    split = Split(data.x, data.y)
    found = report(model.eval(), split, rows=7)
    z, y = model(data.x)["attributes"], data.y["attributes"]
    for at, name in enumerate(NAMES):
        assert found[f"loss/{name}"] == pytest.approx(model.losses(data).tasks[at].item(), rel=1e-5)
        assert found[f"false positives/{name}"] == pytest.approx(((z > 0) & (y == 0))[:, at].float().mean().item())
        assert found[f"false negatives/{name}"] == pytest.approx(((z <= 0) & (y == 1))[:, at].float().mean().item())
    assert found["accuracy"] == pytest.approx(((z > 0) == (y == 1)).float().mean().item())
    assert found["score"] == pytest.approx(-model.losses(data).tasks.mean().item(), rel=1e-5)
    model.validated(found)
    assert model.thresholds.any()


def test_a_report_is_made_in_evaluation_mode_and_leaves_every_mode_as_it_was():
    model, data = network(), batch(40)
    model.body = nn.Sequential(model.body, nn.BatchNorm2d(4), nn.Dropout(0.5))
    for _ in range(3):
        model(data.x[:10])  # statistics that are not those of the split
    model.body[2].eval()  # kept so on purpose
    split, before = Split(data.x, data.y), {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    found = report(model, split, rows=7)
    assert [module.training for module in model.modules()] == modes
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    z = model.eval()(data.x)["attributes"]
    assert found["loss/a"] == pytest.approx(((z - 2 * data.y["attributes"] + 1) ** 2)[:, 0].mean().item(), rel=1e-5)
    model.train(), model.body[1].register_forward_hook(_refuses)
    with pytest.raises(RuntimeError, match="no more"):
        report(model, split)
    assert model.training


def _refuses(*_):
    raise RuntimeError("no more")


def test_the_score_does_not_depend_on_thresholds():
    model, data = network().eval(), batch(40)
    before = report(model, Split(data.x, data.y))
    model.thresholds.fill_(3)
    after = report(model, Split(data.x, data.y))
    assert before["score"] == after["score"]
    assert before["accuracy"] != after["accuracy"]


def test_renamed_and_permuted_columns_give_the_same_losses():
    model, data = network(), batch()
    other = DMM(model.body, 4, Task("attributes", "binary", ("b", "c", "a")), TWO, PLACES, width=5)
    other.heads, other.points = model.heads, model.points
    turned = Batch(data.x, data.y | {"attributes": data.y["attributes"][:, [1, 2, 0]]})
    torch.testing.assert_close(other.losses(turned).tasks, model.losses(data).tasks[[1, 2, 0]])


def test_what_cannot_be_is_refused():
    wrong = {
        "in one branch, once": {"branches": TWO[:1]},
        "beta must be": {"beta": -1},
        "gamma must be": {"gamma": math.inf},
        "above 0": {"validations": 0},
        "'adaptive' or 'fixed'": {"thresholds": "best"},
        "kind 'points' or None": {"landmarks": THREE},
        "width must be": {"width": 0},
    }
    for message, settings in wrong.items():
        options = {"branches": TWO} | settings
        with pytest.raises(ValueError, match=message):
            DMM(nn.Conv2d(3, 4, 1), 4, THREE, **options)
    with pytest.raises(ValueError, match="kind 'binary'"):
        DMM(nn.Conv2d(3, 4, 1), 4, PLACES, TWO)
    with pytest.raises(ValueError, match="torch module"):
        DMM(lambda x: x, 4, THREE, TWO)
    with pytest.raises(ValueError, match="channels must be"):
        DMM(nn.Conv2d(3, 4, 1), 4.0, THREE, TWO)
    with pytest.raises(ValueError, match="'false positives/a' is not in the report"):
        network().validated({"score": 1.0})
    with pytest.raises(ValueError, match="no labels for task 'landmarks'"):
        network().losses(Batch(batch().x, {"attributes": batch().y["attributes"]}))
