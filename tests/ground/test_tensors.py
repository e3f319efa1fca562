"""torch is imported when a tensor is first made, and MLflow by who is told to log there."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "mlflow")


def said(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("module", ["workloads.running", "workloads.comparing.compare", "actors.coordinator"])
def test_who_makes_no_tensor_and_logs_nowhere_imports_neither(module):
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    assert said(code) == ["[]"]


def test_it_is_the_module_itself_on_one_thread():
    code = "from fedras_ray.tensors import torch; print(torch.Tensor.__module__, torch.get_num_threads())"
    assert said(code) == ["torch", "1"]


def test_what_it_does_not_have_is_an_error_that_names_it():
    from fedras_ray.tensors import torch

    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        torch.nothing_of_the_kind  # noqa: B018
