"""Damages a segment as disks, copies and hands do: bits, holes, insertions, cuts, blocks in another order."""

import random
from collections.abc import Callable
from typing import Final

_NOISE: Final = (b"\n", b'{"seq":', b',"kind":"end"', b',"crc":"00000000"}', b"\0", b"}\n{", b'"', b"\xff\xfe")


def _place(content: bytes, chance: random.Random) -> int:
    return chance.randrange(len(content) + 1)


def _flip_bits(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _zero(content: bytes, chance: random.Random) -> bytes:
    start, length = _place(content, chance), chance.choice((1, 16, 512, 4_096))
    hole = content[start : start + length]
    return content[:start] + bytes(len(hole)) + content[start + len(hole) :]


def _insert(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    noise = b"".join(chance.choice((*_NOISE, chance.randbytes(7))) for _ in range(chance.choice((1, 3, 20))))
    return content[:start] + noise + content[start:]


def _insert_copy(content: bytes, chance: random.Random) -> bytes:
    """Some of it once more, at any place: lines stand there twice, and within others."""
    begin, start = _place(content, chance), _place(content, chance)
    return content[:start] + content[begin : begin + chance.choice((100, 600, 2_000))] + content[start:]


def _delete(content: bytes, chance: random.Random) -> bytes:
    start = _place(content, chance)
    return content[:start] + content[start + chance.choice((1, 30, 700)) :]


def _lose_newlines(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    return b"".join(line + chance.choice((b"\n", b"\n", b"", b" ", b"\r")) for line in lines)


def _lay_before_lines(content: bytes, chance: random.Random) -> bytes:
    return b"\n".join(chance.choice((b"", b"", b"garbage")) + line for line in content.split(b"\n"))


def _swap_blocks(content: bytes, chance: random.Random) -> bytes:
    size = chance.choice((512, 1_000, 4_096))
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    chance.shuffle(blocks)
    return b"".join(blocks)


def _swap_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def _overwrite(content: bytes, chance: random.Random) -> bytes:
    """A block written to the wrong place."""
    size = chance.choice((512, 4_096))
    begin, start = _place(content, chance), _place(content, chance)
    block = content[begin : begin + size]
    return content[:start] + block + content[start + len(block) :]


def _tear(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


MUTATIONS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _flip_bits,
    _zero,
    _insert,
    _insert_copy,
    _delete,
    _lose_newlines,
    _lay_before_lines,
    _swap_blocks,
    _swap_lines,
    _overwrite,
    _tear,
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with one, two or three damages."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        content = chance.choice(MUTATIONS)(content or b"\0", chance)
    return content
