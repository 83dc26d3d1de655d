"""The axes that count as inputs and outputs: arguments of initializers with fans."""

from typing import Any

from seedbed.initializers.base import Initializer, Seed
from seedbed.spec.fans import Axes, FanAxes
from seedbed.spec.initializers import InitializerSpec


class FanInitializer(Initializer):
    """An initializer whose numbers depend on the fans, by axes of the caller's choice."""

    def __init__(
        self,
        spec: InitializerSpec,
        seed: Seed,
        in_axis: Axes | None,
        out_axis: Axes | None,
        batch_axis: Axes,
    ) -> None:
        axes = None
        if in_axis is not None or out_axis is not None or batch_axis != ():
            axes = FanAxes(
                -2 if in_axis is None else in_axis, -1 if out_axis is None else out_axis, batch_axis
            )
        super().__init__(spec, seed, axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the axes only where they are not Keras's."""
        config = super().get_config()
        if self._fan_axes is not None:
            for name in ("in_axis", "out_axis", "batch_axis"):
                config[name] = list(getattr(self._fan_axes, name))
        return config
