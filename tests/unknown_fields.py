"""Fields of a later version of the protocol, as hypothesis makes them: what a reader must skip."""

from hypothesis import strategies as st


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    digits = []
    while True:
        digits.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(digits)


def field(number: int, wire_type: int, value: bytes) -> bytes:
    """Return a field of any number and type."""
    return varint(number << 3 | wire_type) + value


def field_of(number: int, content: bytes) -> bytes:
    """Return a field of bytes, or of a message."""
    return field(number, 2, varint(len(content)) + content)


INT64 = st.one_of(
    st.sampled_from([0, 1, 127, 128, 2**14, 2**32, 2**63 - 1]), st.integers(0, 2**63 - 1)
)
DATA = st.one_of(
    st.binary(max_size=300), st.sampled_from([b"", bytes(127), bytes(128), bytes(20_000)])
)

# Of every wire type that proto3 has.
NUMBERS = st.integers(7, 2**29 - 1)
UNKNOWN_FIELDS = st.lists(
    st.one_of(
        st.builds(field, NUMBERS, st.just(0), INT64.map(varint)),
        st.builds(field, NUMBERS, st.just(1), st.binary(min_size=8, max_size=8)),
        st.builds(field, NUMBERS, st.just(5), st.binary(min_size=4, max_size=4)),
        st.builds(field, NUMBERS, st.just(2), DATA.map(lambda data: varint(len(data)) + data)),
    ),
    max_size=4,
)
