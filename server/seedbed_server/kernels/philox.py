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
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
LOWER_HALF = np.uint64(0xFFFFFFFF)
ROUNDS = 10


@njit(inline="always")
def philox4x32(
    counter0: Any, counter1: Any, counter2: Any, counter3: Any, key0: Any, key1: Any
) -> Any:
    """Return the four uint32 words of one block (lanes 0 to 3).

    Words are kept in 64-bit variables whose upper halves are left over from the products: vector
    units multiply 32-bit numbers that lie in 64-bit lanes, and moving them back and forth costs
    more than the rest of a round.
    """
    word0, word1, word2, word3 = (
        uint64(counter0),
        uint64(counter1),
        uint64(counter2),
        uint64(counter3),
    )
    round_key0, round_key1 = uint64(key0), uint64(key1)
    for _ in range(ROUNDS):
        product0 = MULTIPLIER_0 * (word0 & LOWER_HALF)
        product1 = MULTIPLIER_1 * (word2 & LOWER_HALF)
        word0 = (product1 >> uint64(32)) ^ word1 ^ round_key0
        word1 = product1
        word2 = (product0 >> uint64(32)) ^ word3 ^ round_key1
        word3 = product0
        round_key0 += WEYL_0
        round_key1 += WEYL_1
    return uint32(word0), uint32(word1), uint32(word2), uint32(word3)


@njit(inline="always")
def block_words(block: Any, key: Any) -> Any:
    """Return the four words of block number ``block`` (uint64) under a key of four uint32."""
    return philox4x32(
        uint32(block),
        uint32(block >> uint64(32)),
        uint32(key[2]),
        uint32(key[3]),
        uint32(key[0]),
        uint32(key[1]),
    )


@njit(inline="always")
def word_of_lane(words: Any, lane: Any) -> Any:
    """Return one of a block's four words."""
    low = words[0] if lane == uint64(0) else words[1]
    high = words[2] if lane == uint64(2) else words[3]
    return low if lane < uint64(2) else high


@njit(nogil=True)
def fill_run(first_word: Any, count: Any, key: Any, out: Any, at: Any) -> None:
    """Write ``count`` consecutive words of a tensor to ``out``.

    Args:
        first_word: uint64, the first word's index in the whole tensor.
        count: uint64, how many.
        key: uint32 array of four: key0, key1, counter2, counter3.
        out: uint32 array that receives the words.
        at: uint64, where the first one goes.
    """
    prefer_wide_vectors()
    key0, key1, counter2, counter3 = key[0], key[1], key[2], key[3]
    end = at + count
    block, lane = first_word >> uint64(2), first_word & uint64(3)
    if lane != uint64(0):  # the run begins inside a block
        at = _fill_part(block, lane, key, out, at, end)
        block += uint64(1)
    blocks = (end - at) >> uint64(2)
    for index in range(blocks):
        number = block + uint64(index)
        word0, word1, word2, word3 = philox4x32(
            uint32(number), uint32(number >> uint64(32)), counter2, counter3, key0, key1
        )
        place = at + (uint64(index) << uint64(2))
        out[place] = word0
        out[place + uint64(1)] = word1
        out[place + uint64(2)] = word2
        out[place + uint64(3)] = word3
    at += blocks << uint64(2)
    if at < end:  # the run ends inside a block
        _fill_part(block + blocks, uint64(0), key, out, at, end)


@njit(nogil=True)
def _fill_part(block: Any, lane: Any, key: Any, out: Any, at: Any, end: Any) -> Any:
    """Write a block's words from a lane on to ``out[at:end]``, and return where they end."""
    words = block_words(block, key)
    while lane < uint64(4) and at < end:
        out[at] = word_of_lane(words, lane)
        lane += uint64(1)
        at += uint64(1)
    return at


@njit(nogil=True)
def next_words(
    firsts: Any, counts: Any, per_element: Any, run: Any, done: Any, key: Any, words: Any
) -> Any:
    """Write the next words of several element runs, as many as fit.

    Returns how many, and where the next call goes on: its ``run`` and ``done``.

    Args:
        firsts: uint64 array, the index of each run's first element in the whole tensor.
        counts: uint64 array, how many elements each run has.
        per_element: uint64, words for each element: 1, or 2 for float64.
        run: uint64, the run to begin in.
        done: uint64, how many elements of that are written already.
        key: uint32 array of four: key0, key1, counter2, counter3.
        words: uint32 array that receives the words; its size is a multiple of ``per_element``.
    """
    room = uint64(words.size)
    at = uint64(0)
    while at < room and run < uint64(firsts.size):
        left = (counts[run] - done) * per_element
        take = left if left < room - at else room - at
        fill_run((firsts[run] + done) * per_element, take, key, words, at)
        at += take
        done += take // per_element
        if done == counts[run]:
            run += uint64(1)
            done = uint64(0)
    return at, run, done
