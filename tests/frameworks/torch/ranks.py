"""Ranks that fill DTensors and sharded modules from a server, and check them.

    python ranks.py PROCESSES FOLDER

Every rank takes its turn while the others wait, so that the server's counter shows what it alone
has fetched: exactly the bytes that it holds. What it should hold is what torch's own splitting
leaves of whole tensors. The ranks are forks of one process, because importing torch takes longer
than all that they do.
"""

import functools
import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import environ
from typing import Any

import pytest
import torch
import torch.distributed as dist
from prometheus_client.parser import text_string_to_metric_families
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import (
    DTensor,
    Partial,
    Replicate,
    Shard,
    distribute_module,
    distribute_tensor,
)
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.distributed.tensor.placement_types import _StridedShard
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.model import RULES, WORDS, Model, OwnCode

REMOTE: sb.Client


def served() -> float:
    """Return how many bytes of tensors the server has handed out so far, by whatever way."""
    with urllib.request.urlopen(environ["METRICS"], timeout=30) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = (sample for family in families for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == "seedbed_bytes_served_total")


@contextmanager
def fetching(
    size_bytes: Callable[[Any], int], target: Any, case: str, *, is_exact: bool = True
) -> Iterator[None]:
    """Let the ranks fill something in turn, and check that each fetches only what it holds."""
    # One for all, so that nobody is still fetching something else, and one for each rank before.
    for _ in range(dist.get_rank() + 1):
        dist.barrier()
    before = served()
    yield
    fetched, own = served() - before, size_bytes(target)
    fits = fetched == own if is_exact else 0 < fetched <= own
    assert fits, f"{case}: rank {dist.get_rank()} fetched {fetched} bytes and holds {own}"
    for _ in range(dist.get_world_size() - dist.get_rank()):
        dist.barrier()


def bytes_of(tensor: torch.Tensor) -> int:
    local = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return int(local.numel() * local.element_size())


def torchs_part(whole: torch.Tensor, mesh: DeviceMesh, placements: tuple[Any, ...]) -> torch.Tensor:
    """Return what torch's placements cut out of a whole tensor for this rank."""
    for place, placement in enumerate(placements):
        if not placement.is_replicate():
            parts, _ = placement._split_tensor(whole, mesh.size(place), with_padding=False)
            whole = parts[mesh.get_local_rank(place)]
    return whole.contiguous()


@functools.cache
def meshes() -> dict[str, DeviceMesh]:
    size = dist.get_world_size()
    found = {"line": init_device_mesh("cpu", (size,))}
    if size == 4:
        found["square"] = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
    return found


PLACEMENTS: dict[str, list[tuple[Any, ...]]] = {
    "line": [
        (Shard(0),),
        (Shard(1),),
        (Shard(2),),
        (Replicate(),),
        (_StridedShard(0, split_factor=2),),
    ],
    "square": [
        (Shard(0), Shard(1)),
        (Shard(1), Shard(1)),
        (Shard(0), Replicate()),
        (Replicate(), Shard(2)),
        (_StridedShard(0, split_factor=2), Shard(0)),
        (_StridedShard(1, split_factor=2), Shard(0)),
    ],
}
FILLS: list[tuple[str, dict[str, Any], tuple[int, ...], torch.dtype]] = [
    ("normal_", {"seed": 1}, (8, 6, 4), torch.float32),
    ("trunc_normal_", {"seed": 2, "std": 0.02}, (5, 7, 3), torch.bfloat16),
    ("uniform_", {"seed": 3}, (3, 2, 5), torch.float8_e4m3fn),
    ("kaiming_uniform_", {"seed": 4, "a": 5**0.5}, (1, 9, 2), torch.float64),
    ("orthogonal_", {"seed": 5}, (6, 5, 4), torch.float32),
    ("dirac_", {}, (6, 3, 5), torch.float32),
    ("zeros_", {}, (2, 2, 2), torch.int64),
]


def check_tensors() -> Iterator[str]:
    """Fill DTensors in place: every placement, even and uneven, and empty shards."""
    for mesh_name, mesh in meshes().items():
        for placements in PLACEMENTS[mesh_name]:
            for name, arguments, shape, dtype in FILLS:
                case = f"{name} {shape} {dtype} {mesh_name} {placements}"
                function = getattr(sbt, name)
                whole = function(torch.empty(shape, dtype=dtype), **arguments, client=REMOTE)
                expected = torchs_part(whole, mesh, placements)
                tensor = DTensor.from_local(
                    torch.ones_like(expected, dtype=torch.float32).to(dtype),
                    mesh,
                    placements,
                    run_check=False,
                    shape=whole.shape,
                    stride=whole.stride(),
                )
                with fetching(bytes_of, tensor, case):
                    assert function(tensor, **arguments, client=REMOTE) is tensor
                assert torch.equal(
                    tensor.to_local().view(torch.uint8), expected.view(torch.uint8)
                ), case
                yield case


def check_sparse() -> Iterator[str]:
    """Fill a matrix of which every column has its zeros: along and across the columns."""
    (line, *_) = meshes().values()
    whole = sbt.sparse_(torch.empty(9, 8), 0.3, seed=6, client=REMOTE)
    for axis in (0, 1):
        expected = torchs_part(whole, line, (Shard(axis),))
        tensor = DTensor.from_local(
            torch.empty_like(expected), line, (Shard(axis),), shape=(9, 8), stride=(8, 1)
        )
        with fetching(bytes_of, tensor, "sparse_"):
            sbt.sparse_(tensor, 0.3, seed=6, client=REMOTE)
        assert torch.equal(tensor.to_local(), expected)
        yield f"sparse_ along {axis}"


def check_seeds() -> Iterator[str]:
    """Without a seed, the first rank's generator decides, whatever state the others' are in."""
    first = torch.Generator().manual_seed(100)
    expected = sbt.normal_(torch.empty(7, 3), generator=first, client=REMOTE)
    for mesh_name, mesh in meshes().items():
        placements = (Shard(0), Replicate())[: mesh.ndim]
        tensor = torch.distributed.tensor.empty(7, 3, device_mesh=mesh, placements=placements)
        torch.manual_seed(100 + dist.get_rank())
        sbt.normal_(tensor, client=REMOTE)
        assert torch.equal(tensor.full_tensor(), expected)
        generator = torch.Generator().manual_seed(100 + dist.get_rank())
        sbt.ones_(tensor, client=REMOTE)
        sbt.normal_(tensor, generator=generator, client=REMOTE)
        assert torch.equal(tensor.full_tensor(), expected)
        yield f"no seed on a {mesh_name}"


def check_refusals() -> Iterator[str]:
    """Ranks outside a mesh have nothing to do; what is partial has no content."""
    mesh = DeviceMesh("cpu", [0])
    tensor = DTensor.from_local(torch.zeros(3), mesh, [Replicate()], run_check=False)
    with fetching(lambda held: bytes_of(held) if dist.get_rank() == 0 else 0, tensor, "outside"):
        sbt.normal_(tensor, seed=1, client=REMOTE)
    sbt.normal_(tensor, client=REMOTE)
    yield "outside the mesh"
    line = meshes()["line"]
    partial = DTensor.from_local(torch.zeros(3), line, [Partial()], run_check=False)
    with pytest.raises(
        sb.InvalidValueError, match=r"`tensor\.placements` must be Shard or Replicate"
    ):
        sbt.normal_(partial, seed=1, client=REMOTE)
    yield "partial"


def plain(model: nn.Module) -> None:
    """Shard nothing."""


def fsdp(model: nn.Module) -> None:
    fully_shard(model.up, mesh=meshes()["line"])
    fully_shard(model, mesh=meshes()["line"])


def fsdp_whole(model: nn.Module) -> None:
    fully_shard(model, mesh=meshes()["line"])


def fsdp_other_dimension(model: nn.Module) -> None:
    """Shard what is even there by its second dimension."""
    size = dist.get_world_size()

    def placement(parameter: nn.Parameter) -> Any:
        return Shard(1) if parameter.dim() > 1 and parameter.shape[1] % size == 0 else Shard(0)

    fully_shard(model, mesh=meshes()["line"], shard_placement_fn=placement)


def hybrid(model: nn.Module) -> None:
    """Replicate over one dimension of the mesh and shard over the other."""
    fully_shard(model, mesh=meshes()["square"])


def tensor_parallel(model: nn.Module, mesh: Any = None) -> None:
    mesh = meshes()["line"] if mesh is None else mesh
    parallelize_module(model, mesh, {"up": ColwiseParallel(), "down": RowwiseParallel()})


def fsdp_and_tensor_parallel(model: nn.Module) -> None:
    mesh = meshes()["square"]
    tensor_parallel(model, mesh["tensor"])
    fully_shard(model.up, mesh=mesh["data"])
    fully_shard(model, mesh=mesh["data"])


LAYOUTS: list[Callable[[nn.Module], None]] = [plain, fsdp, fsdp_other_dimension, tensor_parallel]
SQUARE_LAYOUTS: list[Callable[[nn.Module], None]] = [hybrid, fsdp_and_tensor_parallel]


def check_modules(report: dict[str, str]) -> Iterator[str]:
    """Initialize one model under every layout, on meta and after to_empty, and run it."""
    expected = sbt.initialize_(Model(), seed=1, rules=RULES, client=REMOTE)
    scores = expected(WORDS)
    scores.sum().backward()
    for shard in LAYOUTS + (SQUARE_LAYOUTS if dist.get_world_size() == 4 else []):
        for is_to_empty in (False, True):
            with torch.device("meta"):
                model = Model()
            shard(model)
            if is_to_empty:
                model.to_empty(device="cpu")
                if model.head.weight is not model.embedding.weight:
                    # To_empty makes two of what is no DTensor.
                    model.head.weight = model.embedding.weight
            case = f"{shard.__name__}{' after to_empty' if is_to_empty else ''}"
            with fetching(held_bytes, model, case):
                sbt.initialize_(model, seed=1, rules=RULES, client=REMOTE)
            assert sbt.digests(model) == sbt.digests(expected), case
            assert (model.norm.running_mean == 0).all() and (model.norm.running_var == 1).all()
            assert torch.allclose(model(WORDS), scores, atol=1e-5), case
            model(WORDS).sum().backward()
            report[case] = str(sbt.digest(model))
            assert sbt.report(model).model.facts["digest"] == report[case], case
            # Once more, after a pass that may have left whole parameters in the place of the
            # shards.
            sbt.initialize_(model, seed=2, rules=RULES, client=REMOTE)
            other = sbt.initialize_(Model(), seed=2, rules=RULES, client=REMOTE)
            assert sbt.digest(model) == sbt.digest(other), case
            assert torch.allclose(model(WORDS), other(WORDS), atol=1e-5), case
            yield case


def replicated(model: nn.Module) -> None:
    """Let every rank hold everything, as DTensors."""
    distribute_module(model, meshes()["line"])


def own_tensor_parallel(model: nn.Module) -> None:
    plan = {"packed": ColwiseParallel(), "out": RowwiseParallel(), "router": ColwiseParallel()}
    parallelize_module(model, meshes()["line"], plan)


def expert_parallel(model: nn.Module) -> None:
    """Give each rank some experts, and shard the rest."""
    model.experts = nn.Parameter(distribute_like(model.experts, (Shard(0),)))
    fully_shard(model, mesh=meshes()["line"], ignored_params={model.experts})


def experts_by_column(model: nn.Module) -> None:
    """Give each rank some columns of every expert and of the packed projection."""
    model.experts = nn.Parameter(distribute_like(model.experts, (Shard(2),)))
    model.packed.weight = nn.Parameter(distribute_like(model.packed.weight, (Shard(1),)))


def distribute_like(tensor: torch.Tensor, placements: tuple[Any, ...]) -> DTensor:
    return distribute_tensor(tensor.detach(), meshes()["line"], placements, src_data_rank=None)


def own_hybrid(model: nn.Module) -> None:
    fully_shard(model, mesh=meshes()["square"])


OWN_LAYOUTS: list[Callable[[nn.Module], None]] = [
    plain,
    replicated,
    fsdp_whole,
    own_tensor_parallel,
    expert_parallel,
    experts_by_column,
]


def check_own_code(report: dict[str, str]) -> Iterator[str]:
    """Run one model's own code under every layout; each rank fetches no more than it holds."""
    with torch.device("meta"):
        expected = OwnCode()
    with sbt.initializing(expected, seed=1, client=REMOTE):
        expected.init_weights()
    is_square = dist.get_world_size() == 4
    for shard in OWN_LAYOUTS + ([own_hybrid] if is_square else []):
        with torch.device("meta"):
            model = OwnCode()
        shard(model)
        case = f"own code {shard.__name__}"
        with (
            fetching(own_bytes, model, case, is_exact=False),
            sbt.initializing(model, seed=1, client=REMOTE),
        ):
            model.init_weights()
        assert sbt.digests(model) == sbt.digests(expected), case
        angles = model.angles.to_local() if isinstance(model.angles, DTensor) else model.angles
        assert torch.equal(angles, expected.angles)
        report[case] = str(sbt.digest(model))
        yield case


PARAMETRIZED: dict[str, Callable[[], nn.Module]] = {
    "weight_norm": lambda: weight_norm(nn.Linear(4, 6)),
    "weight_norm of one row": lambda: weight_norm(nn.Linear(4, 1)),
    "spectral_norm": lambda: spectral_norm(nn.Linear(4, 6)),
}


def check_parametrized() -> Iterator[str]:
    """Initialize parametrized layers that fully_shard has wrapped; some shards are empty."""
    for name, make in PARAMETRIZED.items():
        expected = sbt.initialize_(make(), seed=1, client=REMOTE)
        with torch.device("meta"):
            module = make()
        fully_shard(module, mesh=meshes()["line"])
        sbt.initialize_(module, seed=1, client=REMOTE)
        assert sbt.digests(module) == sbt.digests(expected), name
        for key, buffer in module.named_buffers():
            assert torch.equal(buffer, expected.get_buffer(key)), name
        yield name


REFUSED_CODE: dict[str, Callable[[torch.Tensor, torch.Tensor], object]] = {
    "a part is copied": lambda weight, other: other[0].copy_(weight[1]),
    "a part is read": lambda weight, _: weight[0].sum(),
    "a part is a matrix": lambda weight, _: [nn.init.orthogonal_(each) for each in weight],
    "places are listed": lambda weight, _: weight.__setitem__(torch.tensor([1]), 0.0),
}


def check_refused_code() -> Iterator[str]:
    """What would need the elements of others is an error on all ranks, those without any too."""
    for case, code in REFUSED_CODE.items():
        module = nn.Module()
        for name in ("weight", "other"):
            on_meta = torch.empty(3, 4, 4, device="meta")
            module.register_parameter(name, nn.Parameter(distribute_like(on_meta, (Shard(0),))))
        with pytest.raises(sb.InvalidValueError, match="where it is sharded"):
            run_in_block(module, code)
        yield case


def run_in_block(module: nn.Module, code: Callable[..., object]) -> None:
    with sbt.initializing(module, seed=1, client=REMOTE):
        nn.init.normal_(module.weight)
        code(module.weight, module.other)


def own_bytes(model: nn.Module) -> int:
    """Return what a rank holds, and the whole of what the code computes from random numbers."""
    return sum(map(bytes_of, (*model.parameters(), torch.empty(9))))


def held_bytes(model: nn.Module) -> int:
    """Return what a rank fetches of a model: constants of layers need no fetch."""
    constants = {id(tensor) for tensor in model.norm.parameters()}
    return sum(bytes_of(each) for each in model.parameters() if id(each) not in constants)


def run(rank: int, processes: int, folder: str) -> None:
    """Be one rank."""
    global REMOTE  # noqa: PLW0603  # gRPC must not be used before a fork
    REMOTE = sb.connect(environ["SEEDBED_TARGET"])
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=processes
    )
    report: dict[str, str] = {}
    cases = [
        *check_tensors(),
        *check_sparse(),
        *check_seeds(),
        *check_refusals(),
        *check_modules(report),
        *check_own_code(report),
        *check_parametrized(),
        *check_refused_code(),
    ]
    dist.barrier()
    if rank == 0:
        sys.stdout.write(json.dumps({"cases": cases, "digests": report}) + "\n")
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.multiprocessing.start_processes(
        run, (int(sys.argv[1]), sys.argv[2]), nprocs=int(sys.argv[1]), start_method="fork"
    )
