"""The seed comes from the argument, the generator or torch's default one, nowhere else."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import seedbed.torch as sbt
from seedbed.torch.seeds import drawn_bits
from tests.frameworks.torch.recording import RecordingClient

FUNCTIONS: list[Callable[..., torch.Tensor]] = [
    sbt.uniform_,
    sbt.normal_,
    sbt.trunc_normal_,
    sbt.xavier_uniform_,
    sbt.xavier_normal_,
    sbt.kaiming_uniform_,
    sbt.kaiming_normal_,
    sbt.orthogonal_,
    lambda tensor, **more: sbt.sparse_(tensor, 0.3, **more),
]


def filled(function: Callable[..., torch.Tensor], **arguments: Any) -> torch.Tensor:
    return function(torch.empty(8, 6), **arguments)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_manual_seed_makes_programs_repeat(function: Callable[..., torch.Tensor]) -> None:
    def program(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return [filled(function), torch.rand(3), filled(function)]

    first, again, other = program(1), program(1), program(2)
    assert all(map(torch.equal, first, again))
    assert not torch.equal(first[0], first[2])
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_generator_is_honoured_and_the_default_one_left_alone(
    function: Callable[..., torch.Tensor],
) -> None:
    state = torch.get_rng_state()
    generators = [torch.Generator().manual_seed(5) for _ in range(2)]
    first, again = (filled(function, generator=generator) for generator in generators)
    assert torch.equal(first, again)
    assert torch.equal(generators[0].get_state(), generators[1].get_state())
    assert not torch.equal(filled(function, generator=generators[0]), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_sparse_takes_its_zeros_from_the_generator_where_torch_does_not() -> None:
    def zeros_of(module: Any) -> list[torch.Tensor]:
        return [
            module.sparse_(torch.empty(50, 4), 0.5, generator=torch.Generator().manual_seed(1)) == 0
            for _ in "12"
        ]

    assert not torch.equal(*zeros_of(torch.nn.init))
    assert torch.equal(*zeros_of(sbt))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_seed_touches_no_generator(function: Callable[..., torch.Tensor]) -> None:
    state = torch.get_rng_state()
    generator = torch.Generator().manual_seed(5)
    own = generator.get_state()
    tensors = [filled(function, seed=7), filled(function, seed=7, generator=generator)]
    assert torch.equal(*tensors)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(generator.get_state(), own)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "other", [{"seed": 8}, {"seed": 7, "name": "w"}, {"seed": 7, "draw": 1}], ids=str
)
def test_seed_name_and_draw_are_part_of_the_content(
    function: Callable[..., torch.Tensor], other: dict[str, Any]
) -> None:
    assert not torch.equal(filled(function, seed=7), filled(function, **other))
    assert torch.equal(filled(function, **other), filled(function, **other))


def test_the_seed_is_64_bits_of_the_generator(client: RecordingClient) -> None:
    generator = torch.Generator().manual_seed(3)
    expected = [drawn_bits(generator) % 2**64 for _ in range(40)]
    generator.manual_seed(3)
    for _ in expected:
        sbt.normal_(torch.empty(2), generator=generator)
    assert [spec.seed for spec in client.specs] == expected
    assert len(set(expected)) == 40
    # Every bit of the 64 is sometimes set and sometimes not.
    together, anywhere = 2**64 - 1, 0
    for bits in expected:
        together, anywhere = together & bits, anywhere | bits
    assert (together, anywhere) == (0, 2**64 - 1)


def test_what_is_not_random_draws_nothing() -> None:
    state = torch.get_rng_state()
    sbt.ones_(torch.empty(3))
    sbt.eye_(torch.empty(3, 3))
    sbt.dirac_(torch.empty(3, 3, 3))
    assert torch.equal(torch.get_rng_state(), state)


def test_negative_seeds_are_their_twos_complement() -> None:
    assert torch.equal(filled(sbt.normal_, seed=-1), filled(sbt.normal_, seed=2**64 - 1))
