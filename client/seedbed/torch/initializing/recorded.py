"""What a block has done to a module: for a manifest, for rules, for whoever wants to know."""

from collections.abc import Sequence

from seedbed.manifest import Manifest
from seedbed.rules import Filling
from seedbed.spec.errors import SeedbedError
from seedbed.torch.initializing.tracked import Tracked


class Recorded:
    """The record of a block; complete when the block has ended."""

    def __init__(self) -> None:
        self._tensors: Sequence[Tracked] | None = None

    def complete(self, tensors: Sequence[Tracked]) -> None:
        """Take what the block has done to the module's tensors."""
        self._tensors = tensors

    @property
    def manifest(self) -> Manifest:
        """The tensors whose content is one initializer's: for ``digest_all``, or a file.

        Orthogonal weights of convolutions are in it as matrices.
        """
        return Manifest([each.spec for each in self._known() if each.spec is not None])

    @property
    def rules(self) -> dict[str, Filling]:
        """What filled each of them, by name, as rules that do it again."""
        return {
            spec.name: Filling(spec.initializer, spec.fan_axes) for spec in self.manifest.tensors
        }

    @property
    def patched(self) -> list[str]:
        """The names in the manifest of which parts became constant later, such as padding rows."""
        return [each.name for each in self._known() if each.spec is not None and each.is_patched]

    @property
    def computed(self) -> list[str]:
        """The names whose content the module's code has computed, or filled part by part."""
        return [each.name for each in self._known() if each.spec is None and each.written]

    def _known(self) -> Sequence[Tracked]:
        if self._tensors is None:
            raise SeedbedError("the block of `initializing` has not ended yet")
        return self._tensors
