"""All that has to be in place while a module's code runs with seedbed's numbers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from seedbed.torch.initializing.functions import OURS, Functions
from seedbed.torch.initializing.operations import Operations
from seedbed.torch.initializing.overridable import overridable
from seedbed.torch.initializing.parametrized import unparametrized
from seedbed.torch.initializing.recording import Recording
from seedbed.torch.initializing.transformers import forget_initialized, tied_followers
from seedbed.torch.inplace import ANSWER


@contextmanager
def followed(module: nn.Module, names: Mapping[int, str], recording: Recording) -> Iterator[None]:
    """Follow the code that runs inside, in this thread.

    Args:
        module: with memory, unless nothing is fetched.
        names: of the modules inside it, by their ids.
        recording: of what the code does.
    """
    forget_initialized(module)
    for tensor, follower in tied_followers(module, names):
        for tracked in recording.behind([tensor]):
            tracked.followers.add(follower)
    try:
        # Not by an ExitStack: an interrupt in its code, after a mode has begun, would let it go on.
        with (
            torch.no_grad(),
            overridable(OURS),
            _answering(recording),
            Operations(recording),
            Functions(recording),
            unparametrized(module, names, recording),
        ):
            yield
    finally:
        # Torch may put a mode back later, which it had taken away when an interrupt came.
        recording.has_ended = True


@contextmanager
def _answering(recording: Recording) -> Iterator[None]:
    """Let seedbed's own functions fill by the recording."""
    token = ANSWER.set(recording.fill)
    try:
        yield
    finally:
        ANSWER.reset(token)
