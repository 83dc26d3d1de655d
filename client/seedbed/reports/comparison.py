"""Two models side by side: which tensors are equal, different or in one of them only."""

from collections import Counter

from seedbed.reports.subjects import ModelFigures
from seedbed.reports.tensor_figures import TensorFigures
from seedbed.reports.text import count_text
from seedbed.spec.html import escaped

EQUAL, DIFFERENT, UNKNOWN, MISSING = "equal", "different", "not compared", "here only"
MOST_NAMES = 20


class Comparison:
    """A model beside another one.

    Args:
        model: the model.
        other: the other one.
    """

    def __init__(self, model: ModelFigures, other: ModelFigures) -> None:
        self.title = other.title
        """The other's."""
        self._model = {each.name: each for each in model.tensors}
        self._other = {each.name: each for each in other.tensors}

    def other(self, name: str) -> TensorFigures | None:
        """Return the other model's tensor of a name; None if there is none."""
        return self._other.get(name)

    def verdict(self, name: str) -> str:
        """Return how a tensor's content compares with the other's."""
        here, there = self._model[name], self._other.get(name)
        if there is None:
            return MISSING
        if (here.shape, here.dtype) != (there.shape, there.dtype):
            return f"{'x'.join(map(str, there.shape))} {there.dtype} there"
        if not here.digest or not there.digest:
            return UNKNOWN
        return EQUAL if here.digest == there.digest else DIFFERENT

    @property
    def only_there(self) -> list[str]:
        """The names of tensors that the other model has alone."""
        return [name for name in self._other if name not in self._model]

    def section(self) -> str:
        """Return the part of a page that says how they compare."""
        counts = Counter(self.verdict(name) for name in self._model)
        words = [f"{count:,} {escaped(verdict)}" for verdict, count in counts.most_common()]
        only = self.only_there
        if only:
            names = ", ".join(map(escaped, only[:MOST_NAMES]))
            words.append(f"{count_text(len(only), 'tensor')} there only ({names})")
        return f"<section><h2>Beside {escaped(self.title)}</h2><p>{'; '.join(words)}</p></section>"
