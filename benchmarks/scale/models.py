"""The models that ranks start: how large they are, and how they are usually cut."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model as a job sees it."""

    name: str
    """What a reader calls it."""
    gigabytes: float
    """All parameters, in the dtype that they start in."""
    tensors: int
    """How many parameters there are."""
    shard_ranks: int
    """Over how many ranks one copy is spread; 1 where each rank has it all."""

    def fits(self, ranks: int) -> bool:
        """Return whether so many ranks can hold a copy."""
        return ranks >= self.shard_ranks


GPT2 = Model("GPT-2 small", 0.498, 148, 1)
# Llama 3.1 70B has 80 layers of 9 tensors; FSDP over 8 hosts.
SEVENTY_BILLION = Model("70 billion parameters", 140.0, 723, 64)
# Of a mixture of experts, one tensor for all experts of a layer; 64 hosts for one copy.
TRILLION = Model("a trillion parameters", 2000.0, 2000, 512)

MODELS = (GPT2, SEVENTY_BILLION, TRILLION)
