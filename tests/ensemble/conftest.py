"""What the tests of ensembles share."""

import pytest

from mtlib.ensemble import run


@pytest.fixture(autouse=True)
def short_chunks(request, monkeypatch):
    """Chunks of the module's CHUNK updates: three dozen updates are two whole ones and a rest."""
    monkeypatch.setattr(run, "CHUNK", request.module.CHUNK)
