"""The picture of what a linear adversary sees: its means by hand, and what it refuses."""

import numpy as np
import pytest

from mtlib.figures import blindness_plane

H = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0], [2.0, 3.0]])
B = np.array([0, 0, 1, 1])


def test_means_of_both_groups_and_probes_are_told():
    drawn = blindness_plane.planes({"apart": (H, B)}, {"apart": {"linear probe": 100.0, "MLP probe": 99.0}})
    assert drawn.arrays == {"means apart": [3.0], "linear probe": [100.0], "MLP probe": [99.0]}
    assert "apart: means 3.0 apart, linear probe 100 %, MLP probe 99 %" in drawn.finding
    assert drawn.trained == {"linear probe": 3.0, "MLP probe": 3.0}


def test_what_cannot_be_drawn_is_named():
    probes = {"a": {"linear probe": 50.0}}
    with pytest.raises(ValueError, match="nothing to draw"):
        blindness_plane.planes({}, {})
    with pytest.raises(ValueError, match=r"labels \(N,\) of 0 and 1, got \(4, 2\), \(3,\)"):
        blindness_plane.planes({"a": (H, B[:3])}, probes)
    with pytest.raises(ValueError, match="of 0 and 1"):
        blindness_plane.planes({"a": (H, 0 * B)}, probes)
    with pytest.raises(ValueError, match="a has no probes"):
        blindness_plane.planes({"a": (H, B)}, {})
