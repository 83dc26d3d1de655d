"""A cache of digests.

Content is a pure function of the request, so they stay right.
"""

from collections import OrderedDict

from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.tensors import TensorRequest

# About 500 bytes each.
MOST_DIGESTS = 16_384


class DigestCache:
    """The digests asked for most recently; every rank of a job asks for the same ones."""

    def __init__(self, most: int = MOST_DIGESTS) -> None:
        self._most = most
        self._digests: OrderedDict[tuple[str, DigestAlgorithm], Digest] = OrderedDict()

    def get(self, request: TensorRequest, algorithm: DigestAlgorithm) -> Digest | None:
        """Return the digest of a request's bytes, if it is known."""
        key = request.key, algorithm
        if key in self._digests:
            self._digests.move_to_end(key)
        return self._digests.get(key)

    def put(self, request: TensorRequest, digest: Digest) -> None:
        """Keep a digest."""
        self._digests[request.key, digest.algorithm] = digest
        if len(self._digests) > self._most:
            self._digests.popitem(last=False)
