"""The codec that docs/codec.md writes keeps the laws, run over it as the page says."""

from types import ModuleType

import pytest

from tests.codecs.conftest import _one_thread, _rank_one, _send, codecs  # noqa: F401 - fixtures
from tests.codecs.test_laws import *  # noqa: F403
from tests.docs.test_examples import FILE_LINE, PAGES, fences


@pytest.fixture(scope="session")
def sign_codec():
    """The module that the page shows."""
    (text,) = (
        fence.text
        for fence in fences(PAGES["docs/codec.md"])
        if fence.kind == "python" and FILE_LINE.match(fence.text)
    )
    module = ModuleType("sign_codec")
    exec(compile(text, "docs/codec.md", "exec"), module.__dict__)
    return module


@pytest.fixture
def codec(sign_codec):
    return sign_codec.SignCodec()
