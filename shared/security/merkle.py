"""A Merkle tree as RFC 6962 builds it, over leaves that come one after another and are not kept."""

import hashlib

EMPTY_ROOT = hashlib.sha256(b"").digest()


class MerkleTree:
    """The roots of the whole subtrees so far, the largest first: as many as the number of leaves has one-bits."""

    def __init__(self) -> None:
        self._subtrees: list[tuple[int, bytes]] = []
        self.leaves = 0

    def add(self, leaf: bytes) -> None:
        """Append a leaf; two subtrees of one size become one."""
        size, root = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while self._subtrees and self._subtrees[-1][0] == size:
            root = _node(self._subtrees.pop()[1], root)
            size *= 2
        self._subtrees.append((size, root))
        self.leaves += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._subtrees:
            return EMPTY_ROOT
        root = self._subtrees[-1][1]
        for _, left in reversed(self._subtrees[:-1]):
            root = _node(left, root)
        return root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
