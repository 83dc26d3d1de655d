"""Several errors of one document as a single error."""

from collections.abc import Sequence

from seedbed.spec.errors import (
    InvalidArgumentError,
    InvalidTypeError,
    InvalidValueError,
    Violation,
)

# More than a screen of errors have few causes.
MOST_SHOWN = 20


def joined(errors: Sequence[InvalidArgumentError], about: str) -> InvalidArgumentError:
    """Return one error of one or more, which has all their messages up to a screenful.

    Args:
        errors: the errors, in the order in which a reader finds their places.
        about: what they are about, such as a file.
    """
    first = errors[0]
    if len(errors) == 1:
        return first
    violations = [Violation(each.field, str(each)) for each in errors[:MOST_SHOWN]]
    if len(errors) > MOST_SHOWN:
        violations.append(Violation("", f"and {len(errors) - MOST_SHOWN:,} more errors"))
    lines = [each.message.replace("\n", "\n    ") for each in violations]
    are_types = all(isinstance(each, InvalidTypeError) for each in errors)
    kind = InvalidTypeError if are_types else InvalidValueError
    return kind(
        "\n    ".join([f"{about} has {len(errors):,} errors:", *lines]),
        field=first.field,
        reason=first.reason,
        violations=violations,
    )
