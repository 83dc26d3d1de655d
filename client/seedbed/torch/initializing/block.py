"""What runs a module's code with seedbed's numbers: the modes, and all that stands in for others."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from seedbed.torch.initializing.functions import OURS, Functions
from seedbed.torch.initializing.operations import Operations
from seedbed.torch.initializing.overridable import overridable
from seedbed.torch.initializing.parametrized import unparametrized
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.inplace import ANSWER


@contextmanager
def followed(module: nn.Module, names: Mapping[int, str], recording: Recording) -> Iterator[None]:
    """Follow the code that runs inside, in this thread.

    Args:
        module: with memory, unless nothing is fetched.
        names: of the modules inside it, by their ids.
        recording: of what the code does.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(overridable(OURS))
        token = ANSWER.set(recording.fill)
        stack.callback(ANSWER.reset, token)
        stack.enter_context(Operations(recording))
        stack.enter_context(Functions(recording))
        stack.enter_context(unparametrized(module, names, recording))
        yield
