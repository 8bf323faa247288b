"""The Merkle tree, against the recursive definition of RFC 6962."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.merkle import EMPTY_ROOT, MerkleTree

LEAVES = st.lists(st.binary(max_size=8), max_size=70)


def defined(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + defined(leaves[:half]) + defined(leaves[half:])).digest()


def grown(leaves: list[bytes]) -> bytes:
    tree = MerkleTree()
    for leaf in leaves:
        tree.add(leaf)
    assert tree.leaves == len(leaves)
    return tree.root()


@given(LEAVES)
def test_the_root_is_the_one_of_the_standard(leaves: list[bytes]) -> None:
    assert grown(leaves) == defined(leaves)


@given(LEAVES, st.data())
def test_any_change_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    """Altered, removed, inserted, swapped."""
    place = data.draw(st.integers(0, len(leaves)))
    extra = data.draw(st.binary(max_size=8))
    changed = [[*leaves[:place], extra, *leaves[place:]]]
    if place < len(leaves):
        changed.append(leaves[:place] + leaves[place + 1 :])
        if extra != leaves[place]:
            changed.append([*leaves[:place], extra, *leaves[place + 1 :]])
    if place + 1 < len(leaves) and leaves[place] != leaves[place + 1]:
        changed.append([*leaves[:place], leaves[place + 1], leaves[place], *leaves[place + 2 :]])
    assert grown(leaves) not in [grown(other) for other in changed]


@given(LEAVES, LEAVES)
def test_a_leaf_is_no_subtree(leaves: list[bytes], others: list[bytes]) -> None:
    """A root given as a leaf is another root: leaves and nodes are hashed apart."""
    assert grown([grown(leaves)]) != grown(leaves)
    assert (grown(leaves) == grown(others)) == (leaves == others)


@pytest.mark.parametrize(
    ("leaves", "root"),
    [
        ([], EMPTY_ROOT.hex()),
        ([b""], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ([b"", b"\x00"], "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ],
)
def test_roots_of_certificate_transparency(leaves: list[bytes], root: str) -> None:
    """The first vectors of the reference implementation."""
    assert grown(leaves).hex() == root
