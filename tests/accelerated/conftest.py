"""The devices at hand: torch's processor always, so that the code for accelerators runs everywhere."""

import pytest
import torch

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES)
def device(request):
    """One of them."""
    return torch.device(request.param)
