"""Classes whose errors about a call's arguments name the class and the argument."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seedbed.spec.errors import INVALID_TYPE, InvalidTypeError, shown
from seedbed.spec.suggestions import did_you_mean


class NamedArguments(type):
    """The class of such classes; a suggestion goes with an argument that is not known.

    Python itself would say ``_FixedScaling.__init__() got an unexpected keyword argument 'sed'`` of
    a ``GlorotUniform``. A call that is right costs nothing.
    """

    @property
    def __signature__(cls) -> inspect.Signature:
        """The constructor's; without it, tools would show that of ``__call__`` below."""
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]  # a class's, none of an instance
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    # Type checkers look at __init__.
    if not TYPE_CHECKING:

        def __call__(cls, *arguments: Any, **named: Any) -> Any:
            try:
                return super().__call__(*arguments, **named)
            except TypeError as error:
                if isinstance(error, InvalidTypeError):
                    raise
                wrong = wrong_argument(cls.__name__, cls.__signature__, arguments, named)
                if wrong is None:
                    raise
                raise wrong from None


def wrong_argument(
    name: str, signature: inspect.Signature, arguments: Sequence[Any], named: Mapping[str, Any]
) -> InvalidTypeError | None:
    """Return the error of a call that does not fit a signature; None if it does.

    Args:
        name: what is called.
        signature: its arguments; of none that takes any.
        arguments: those by position.
        named: those by name.
    """
    known = signature.parameters
    kinds = {each.kind for each in known.values()}
    if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return None
    places = [each.name for each in known.values() if each.kind is each.POSITIONAL_OR_KEYWORD]
    call = f"{name}({', '.join(known)})"
    for argument, value in named.items():
        received = f"{argument}={shown(value)}"
        if argument not in known:
            return _error(
                argument, f"an argument of {call}", received, did_you_mean(argument, known)
            )
        if argument in places[: len(arguments)]:
            return _error(argument, f"given to {call} once", f"{received}, and one by its place")
    if len(arguments) > len(places):
        rest = " (the others by name)" if len(known) > len(places) else ""
        received = shown(list(arguments))
        return _error("arguments", f"at most {len(places)} by place for {call}{rest}", received)
    given = {**dict(zip(places, arguments, strict=False)), **named}
    for each in known.values():
        if each.default is each.empty and each.name not in given:
            # Which argument each value was taken for shows the one that was left out.
            received = ", ".join(f"{other}={shown(value)}" for other, value in given.items())
            received = f"only {received}" if given else shown(None)
            return _error(each.name, f"given to {call}", received)
    return None


def _error(field: str, allowed: str, received: str, hint: str = "") -> InvalidTypeError:
    text = f"`{field}` must be {allowed}. Received: {received}{hint}"
    return InvalidTypeError(text, field=field, reason=INVALID_TYPE)
