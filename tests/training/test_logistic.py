"""The logistic loss in f32 is that of f64, to the last places of f32."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedras_ray.kernels import logistic

LOGITS = st.lists(st.floats(-80, 80, width=32), min_size=1, max_size=20)
EDGES = np.array([0.0, -0.0, 1e-38, -1e-38, 80, -80, 700, -700, 3e38, -3e38], np.float32)


@given(LOGITS)
def test_errors_are_the_sigmoid_less_the_label(found):
    logits = np.array(found, np.float32)
    weight = np.linspace(0.5, 2, len(logits)).astype(np.float32)
    errors = logits.copy()
    logistic.errors(errors, weight, np.zeros_like(logits))
    np.testing.assert_allclose(errors, weight / (1 + np.exp(-logits.astype(np.float64))), rtol=5e-7)
    whole = logits.copy()
    logistic.errors(whole, weight, weight)
    np.testing.assert_allclose(whole, errors.astype(np.float64) - weight, atol=3e-7)


@given(LOGITS)
def test_the_loss_is_softplus_less_the_logits_of_positives(found):
    logits = np.array(found, np.float32)
    weight = np.linspace(0.5, 2, len(logits)).astype(np.float32)
    exact = (weight * np.logaddexp(0, logits.astype(np.float64))).sum()
    none = np.zeros_like(logits)
    assert logistic.add_loss(1.5, logits, weight, none) - 1.5 == pytest.approx(exact, rel=1e-6, abs=1e-6)
    taken = exact - (weight.astype(np.float64) * logits).sum()
    assert logistic.add_loss(0.0, logits, weight, weight) == pytest.approx(taken, rel=1e-6, abs=1e-5)


def test_nothing_overflows():
    errors = EDGES.copy()
    logistic.errors(errors, np.ones_like(EDGES), np.zeros_like(EDGES))
    assert errors.tolist() == pytest.approx([0.5, 0.5, 0.5, 0.5, 1, 0, 1, 0, 1, 0], abs=1e-7)
    assert np.isfinite(logistic.add_loss(0.0, EDGES, np.ones_like(EDGES), np.zeros_like(EDGES)))


def test_what_is_no_number_stays_so():
    """An update that went wrong must not look as if it had not."""
    logits = np.array([np.nan, 1.0], np.float32)
    errors = logits.copy()
    logistic.errors(errors, np.ones(2, np.float32), np.zeros(2, np.float32))
    assert np.isnan(errors[0])
    assert np.isnan(logistic.add_loss(0.0, logits, np.ones(2, np.float32), np.zeros(2, np.float32)))
