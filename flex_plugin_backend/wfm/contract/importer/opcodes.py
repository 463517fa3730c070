"""The lengths of the JVM's instructions, enough to walk a method's code and to see which texts it loads."""

from __future__ import annotations

import struct
from collections.abc import Iterator

LDC, LDC_W = 0x12, 0x13
NEW = 0xBB
PUTSTATIC = 0xB3
INVOKE = range(0xB6, 0xBB)

_TABLESWITCH, _LOOKUPSWITCH, _WIDE, _IINC = 0xAA, 0xAB, 0xC4, 0x84

# JVM specification, chapter 6: operand bytes where there are any.
_OPERANDS = {0x10: 1, 0x11: 2, 0x12: 1, 0x13: 2, 0x14: 2, 0x84: 2, 0xA9: 1, 0xBC: 1, 0xC5: 3, 0xC8: 4, 0xC9: 4}
_OPERANDS |= dict.fromkeys([*range(0x15, 0x1A), *range(0x36, 0x3B)], 1)  # load and store with an index
_OPERANDS |= dict.fromkeys([*range(0x99, 0xA9), 0xC6, 0xC7], 2)  # branches
_OPERANDS |= dict.fromkeys([*range(0xB2, 0xB9), 0xBB, 0xBD, 0xC0, 0xC1], 2)  # fields, methods, classes
_OPERANDS |= {0xB9: 4, 0xBA: 4}  # invokeinterface, invokedynamic
_LAST = 0xC9


def walk(code: bytes) -> Iterator[tuple[int, int]]:
    """Every instruction as (opcode, index into the constant pool); the index is 0 where it names none.

    Raises:
        ValueError: the code holds an unknown instruction or is cut off.
    """
    at = 0
    while at < len(code):
        opcode = code[at]
        if opcode > _LAST:
            raise ValueError(f"unknown instruction 0x{opcode:02x}")
        size = _size(code, at, opcode)
        if at + size > len(code):
            raise ValueError("the code is cut off")
        index = 0
        if opcode == LDC:
            index = code[at + 1]
        elif opcode in (LDC_W, NEW, PUTSTATIC) or opcode in INVOKE:
            index = code[at + 1] << 8 | code[at + 2]
        yield opcode, index
        at += size


def _size(code: bytes, at: int, opcode: int) -> int:
    if opcode == _WIDE:
        return 6 if at + 1 < len(code) and code[at + 1] == _IINC else 4
    if opcode not in (_TABLESWITCH, _LOOKUPSWITCH):
        return 1 + _OPERANDS.get(opcode, 0)
    padded = at + 4 - at % 4
    try:
        if opcode == _TABLESWITCH:
            low, high = struct.unpack_from(">ii", code, padded + 4)
            size = 12 + 4 * (int(high) - int(low) + 1)
        else:
            size = 8 + 8 * int(struct.unpack_from(">i", code, padded + 4)[0])
    except struct.error as error:
        raise ValueError("the code is cut off") from error
    if size < 8:
        raise ValueError("a switch with a negative number of cases")
    return padded - at + size
