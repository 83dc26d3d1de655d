"""An MLX network whose weights are the same on every machine: python examples/mlx_layers.py."""

import mlx.core as mx
from mlx import nn

import seedbed as sb
from seedbed import mlx as init


def main() -> None:
    """Print the digest of a network's parameters, and that it runs."""
    net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 4))

    # By name: each weight depends on the seed and its name, whatever else is initialized, and in
    # which order.
    init.initialize(
        net, seed=42, rules={"*.bias": "zeros", "*": sb.KaimingNormal(nonlinearity="relu")}
    )
    print(f"{len(init.digests(net))} parameters, digest {init.digest(net)}")

    # As MLX's own: one initializer for a whole layer. Its calls are the successive draws of the
    # seed.
    layer = nn.Linear(64, 64, bias=False)
    layer.apply(init.orthogonal(seed=7))
    print(f"orthogonal to {float(mx.abs(layer.weight @ layer.weight.T - mx.eye(64)).max()):.0e}")
    print(f"output {net(mx.ones((2, 32))).shape}")


if __name__ == "__main__":
    main()
