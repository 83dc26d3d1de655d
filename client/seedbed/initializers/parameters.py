"""Parameters as read-only attributes of an initializer, read from its spec."""

from typing import Generic, Never, Self, TypeVar, overload

from seedbed.initializers.base import Initializer
from seedbed.spec.initializers import FixedScalingSpec

T = TypeVar("T")


class Parameter(Generic[T]):
    """A read-only attribute with the name and the value of a parameter.

    The fixed forms of variance scaling, which have no parameters of their own, have those of the
    general form.
    """

    def __set_name__(self, owner: type[Initializer], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type[Initializer]) -> Self: ...

    @overload
    def __get__(self, instance: Initializer, owner: type[Initializer]) -> T: ...

    def __get__(self, instance: Initializer | None, owner: type[Initializer]) -> Self | T:
        if instance is None:
            return self
        spec = instance.spec
        value: T = getattr(spec.scaling if isinstance(spec, FixedScalingSpec) else spec, self._name)
        return value

    # Never: no value is right, which a type checker says before this does.
    def __set__(self, instance: Initializer, value: Never) -> None:
        raise AttributeError(
            f"{type(instance).__name__}.{self._name} is read-only: equality and hash depend on it"
        )
