"""torch is imported when a tensor is first made, MLflow by who is told to log there, Arrow by who reads."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "mlflow")


def said(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=400, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("module", ["workloads.running", "workloads.comparing.compare", "actors.coordinator"])
def test_who_makes_no_tensor_and_logs_nowhere_imports_neither(module):
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    assert said(code) == ["[]"]


@pytest.mark.parametrize("module", ["actors.pool", "actors.coordinator"])
def test_who_is_given_the_data_imports_nothing_that_reads_them(module):
    assert said(f"import sys, {module}; print('pyarrow' in sys.modules)") == ["False"]


@pytest.mark.parametrize(
    "interactions", [5, 40]
)  # most clients have fewer rows than four to an action; few have
def test_matrix_factorisation_runs_without(interactions):
    code = (
        "import sys; from fedras_ray.config import build; from fedras_ray.data import load;"
        "from fedras_ray.executor import SerialExecutor; from fedras_ray.population import population_of;"
        "from fedras_ray.simulation import simulate;"
        f"data = {{'kind': 'synthetic', 'users': 60, 'items': 300, 'mean_interactions': {interactions}}};"
        "schedule = {'versions': 2, 'clients_per_version': 20};"
        "codecs = [{'kind': kind} for kind in ('actions', 'gain-shape', 'product', 'residual')];"
        "codecs += [{**one, 'actions': {'kind': 'adaptive'}} for one in codecs];"
        "many = [build({'data': data, 'schedule': schedule, 'codec': codec}) for codec in codecs];"
        "dataset = load(many[0].data, many[0].seed);"
        "told = [list(simulate(one, population_of(dataset), SerialExecutor(one, dataset))) for one in many];"
        f"print(min(map(len, told)) > 40, [name for name in {HEAVY} if name in sys.modules])"
    )
    assert said(code) == ["True", "[]"]


def test_it_is_the_module_itself_on_one_thread():
    code = "from fedras_ray.tensors import torch; print(torch.Tensor.__module__, torch.get_num_threads())"
    assert said(code) == ["torch", "1"]


def test_what_it_does_not_have_is_an_error_that_names_it():
    from fedras_ray.tensors import torch

    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        torch.nothing_of_the_kind  # noqa: B018
