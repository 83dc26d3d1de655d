"""The random words: Philox4x32-10, the counter-based generator of Random123.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
doi:10.1145/2063384.2063405. Word ``i`` of a tensor is lane ``i mod 4`` of the block whose counter
is ``i div 4``; no word depends on another one.
"""

from typing import Any

import numpy as np
from numba import njit, uint32, uint64

from seedbed_server.kernels.intrinsics import prefer_wide_vectors

# Multipliers and key increments from Random123's philox.h (PHILOX_M4x32_*, PHILOX_W32_*).
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint32(0x9E3779B9)
WEYL_1 = np.uint32(0xBB67AE85)
ROUNDS = 10


@njit(inline="always")
def philox4x32(counter0: Any, counter1: Any, counter2: Any, counter3: Any, key0: Any, key1: Any) -> Any:
    """Return the four uint32 words of one block (lanes 0 to 3)."""
    for _ in range(ROUNDS):
        product0 = MULTIPLIER_0 * uint64(counter0)
        product1 = MULTIPLIER_1 * uint64(counter2)
        counter0 = uint32(uint32(product1 >> uint64(32)) ^ counter1 ^ key0)
        counter1 = uint32(product1)
        counter2 = uint32(uint32(product0 >> uint64(32)) ^ counter3 ^ key1)
        counter3 = uint32(product0)
        key0 = uint32(key0 + WEYL_0)
        key1 = uint32(key1 + WEYL_1)
    return counter0, counter1, counter2, counter3


@njit(inline="always")
def block_words(block: Any, key: Any) -> Any:
    """Return the four words of block number ``block`` (uint64) under ``key`` = key0, key1, counter2, counter3."""
    return philox4x32(
        uint32(block), uint32(block >> uint64(32)), uint32(key[2]), uint32(key[3]), uint32(key[0]), uint32(key[1])
    )


def fill_words(first_words: Any, counts: Any, key: Any, out: Any) -> None:
    """Write the words of several runs, one run after another, into ``out``.

    Args:
        first_words: uint64 array, the index in the whole tensor of each run's first word.
        counts: uint64 array, how many words each run has; their sum is ``out.size``.
        key: uint32 array of four: key0, key1, counter2, counter3.
        out: uint32 array that receives the words.
    """
    prefer_wide_vectors()
    key0, key1, counter2, counter3 = key[0], key[1], key[2], key[3]
    done = uint64(0)
    for run in range(first_words.size):
        word = uint64(first_words[run])
        end = done + uint64(counts[run])
        if word & uint64(3) and done < end:  # the run begins inside a block
            lanes = block_words(word >> uint64(2), key)
            for lane in range(4):
                if uint64(lane) >= (word & uint64(3)) and done < end:
                    out[done] = lanes[lane]
                    done += uint64(1)
            word = ((word >> uint64(2)) + uint64(1)) << uint64(2)
        first_block = word >> uint64(2)
        blocks = (end - done) >> uint64(2)
        for index in range(blocks):
            block = first_block + uint64(index)
            word0, word1, word2, word3 = philox4x32(
                uint32(block), uint32(block >> uint64(32)), counter2, counter3, key0, key1
            )
            at = done + (uint64(index) << uint64(2))
            out[at] = word0
            out[at + uint64(1)] = word1
            out[at + uint64(2)] = word2
            out[at + uint64(3)] = word3
        done += blocks << uint64(2)
        if done < end:  # the run ends inside a block
            lanes = block_words(first_block + blocks, key)
            for lane in range(4):
                if done < end:
                    out[done] = lanes[lane]
                    done += uint64(1)
