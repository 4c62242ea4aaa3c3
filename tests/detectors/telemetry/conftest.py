"""Where the recorded data lies."""

from pathlib import Path

import pytest


@pytest.fixture
def recordings() -> Path:
    folder = Path(__file__).parents[3] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("the recorded data does not lie beside this checkout")
    return folder
