"""A blob that no encoder writes, though its checksum is right: every codec refuses it."""

import pytest

from fedras_ray.errors import CodecError
from fedras_ray.faults import not_a_number


def test_what_is_not_a_number_is_refused_and_not_for_its_checksum(codec, rank_one):
    forged = not_a_number(codec.encode(rank_one(40, 100, 8)))
    with pytest.raises(CodecError) as caught:
        codec.decode(forged)
    assert "checksum" not in str(caught.value)
