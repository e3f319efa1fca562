"""Machine code of a kernel with all that it calls inside, under names that nobody else finds.

A kernel that calls another has a copy of it in its own machine code, optimised in that place: which sums are
vectorised, and which products are fused with them, may be other there than in the next copy, and then so is
the last bit. Numba leaves all copies of a function under one name, and of those a process takes the one that
it has seen first. That hangs on the order in which kernels are called, and on whether they were compiled in
this process or read from the cache: the first run on a machine had other bits than the second, and pools
may have had other bits than one process.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class SealedLibrary(JITCodeLibrary):
    """The machine code of one kernel; see the module."""

    def _optimize_final_module(self) -> None:
        """Everything that came from others is here by now; optimising inlines it, or leaves it as it is."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.linkonce_odr:
                function.linkage = "internal"
        super()._optimize_final_module()  # type: ignore[no-untyped-call]

    def _get_module_for_linking(self) -> Any:
        """What kernels that call this one copy: read from bytes, as it would be if it came from the cache."""
        if self._shared_module is None:
            made = super()._get_module_for_linking()  # type: ignore[no-untyped-call]
            self._shared_module = llvm.parse_bitcode(made.as_bitcode())
        return self._shared_module


class Sealed(Compiler):
    """Numba's compiler, which leaves a `SealedLibrary`."""

    def define_pipelines(self) -> Any:
        """Numba's, which take a library that is there already."""
        state: Any = self.state  # Numba's is not typed
        if state.library is None:
            made: Any = SealedLibrary
            state.library = made(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        return super().define_pipelines()  # type: ignore[no-untyped-call]
