"""How many fields a message has, found before it is parsed.

A parsed message takes up to a hundred times the memory of its bytes: those of a tensor without
anything in it are two, and what the parser makes of them more than a hundred.
"""

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


def has_more_fields(data: bytes, most: int) -> bool:
    """Return whether a message has more fields than so many, those of its fields not counted.

    Args:
        data: the message; whether it is one at all is for the parser to say.
        most: how many are looked at, at most.
    """
    if len(data) <= 2 * most:  # a field has two bytes or more
        return False
    at = found = 0
    try:
        while at < len(data):
            found += 1
            if found > most:
                return True
            key, at = _varint(data, at)
            kind = key & 7
            if kind in (_VARINT, _LENGTH):
                value, at = _varint(data, at)
                at += value if kind == _LENGTH else 0
            else:  # of a group, what is in it counts as well
                at += _FIXED.get(kind, 0)
    except IndexError:
        return False
    return False


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and where what is behind it begins."""
    value = shift = 0
    while (byte := data[at]) & 0x80 and shift < 63:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
    return value | byte << shift, at + 1
