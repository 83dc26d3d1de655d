"""The other model beside each tensor of a report's page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from seedbed.reports.tensor_figures import TensorFigures


@dataclass(frozen=True, slots=True)
class Beside:
    """What a row says of the other model."""

    title: str
    """The other model's."""
    tensors: Mapping[str, TensorFigures]
    """Its tensors by name."""
    causes: Mapping[str, list[str]]
    """In what each tensor that is not equal differs."""
    bad: Collection[str]
    """The names of those that something was found about in the other model."""

    def verdict(self, name: str) -> str:
        """Return in what a tensor differs."""
        return ", ".join(self.causes.get(name, ["nothing"])).replace("_", "-")
