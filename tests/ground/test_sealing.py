"""A kernel runs the copies of others that are in its own machine code, whoever compiled what before it."""

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from fedras_ray.kernels import forms, lines
from fedras_ray.kernels.sealing import Sealed, SealedLibrary


def _add_up(numbers):
    total = np.float32(0)
    for one in numbers:
        total += one
    for one in numbers:  # too long to be written into whoever calls it
        for other in numbers:
            if one > other:
                total -= one * other / (np.sqrt(one) + total)
            else:
                total += np.exp(one) * np.log(other) / (total + np.sqrt(other))
    return total


def pair(**how):
    """A kernel that calls another from three places, compiled by themselves; and what it is called with."""
    inner = numba.njit(fastmath=True, **how)(_add_up)

    @numba.njit(fastmath=True, **how)
    def outer(numbers):
        return inner(numbers) + inner(numbers[1:]) * inner(numbers[2:])

    numbers = np.arange(1, 40, dtype=np.float32)
    assert np.isfinite(outer(numbers))
    return [kernel.overloads[kernel.signatures[0]].library for kernel in (inner, outer)]


def shared(library):
    """The functions in it that a process takes from whoever had them first."""
    functions = library.get_defined_functions()
    return [one.name for one in functions if one.linkage.name.startswith(("linkonce", "weak"))]


def test_copies_have_no_name_that_another_kernel_finds():
    assert [shared(one) for one in pair(pipeline_class=Sealed)] == [[], []]


def test_the_copy_is_there_and_numba_alone_would_share_it():
    outer = pair()[1]
    assert any("_add_up" in name for name in shared(outer)), (
        "the test's inner kernel is written into the outer"
    )


def test_what_a_kernel_copies_is_what_the_cache_would_give_it(monkeypatch):
    read, parse = [], llvm.parse_bitcode
    monkeypatch.setattr(llvm, "parse_bitcode", lambda given: read.append(parse(given)) or read[-1])
    inner = pair(pipeline_class=Sealed)[0]
    assert isinstance(inner, SealedLibrary)
    copied = inner._get_module_for_linking()
    assert copied is inner._get_module_for_linking()
    assert copied in read, "in memory a module has an order that its bytes do not keep"
    name, kind, (_, kept) = inner.serialize_using_object_code()
    assert (name, kind) == ("_add_up", "object")
    assert copied.as_bitcode() == kept
    assert copied is not inner._final_module


@pytest.mark.parametrize("kernel", [lines.cut, forms.octets_of], ids=["compiled", "exact"])
def test_kernels_are_compiled_so(kernel):
    assert kernel._compiler.pipeline_class is Sealed
