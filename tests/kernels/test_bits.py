from __future__ import annotations

import numpy as np
import pytest

from watchline.kernels import count_bits, pack_bits, unpack_bits, word_count


@pytest.mark.parametrize("count", [0, 1, 7, 63, 64, 65, 1000])
def test_packing_and_unpacking_are_inverse_and_count(count):
    flags = np.random.default_rng(count).random((3, 2, count)) < 0.4
    words = pack_bits(flags)
    assert words.shape == (3, 2, word_count(count))
    assert (unpack_bits(words, count) == flags).all()
    assert (count_bits(words) == flags.sum(axis=-1)).all()


def test_bit_j_of_word_w_is_target_64_w_plus_j():
    flags = np.zeros(130, dtype=bool)
    flags[64 + 5] = True
    assert pack_bits(flags).tolist() == [0, 1 << 5, 0]
