"""Small valid inputs of the formats that cannot be typed, each made from its description."""
import struct
import zlib


def png():
    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\1\2\3")
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def gif():
    """One pixel, two colours."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    image = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    return screen + image + b"\x02\x02\x44\x01\x00;"


def ciborium():
    """{"a": [1, -2, 1.5], "b": h'00'}"""
    return b"\xa2\x61a\x83\x01\x21\xf9\x3e\x00\x61b\x41\x00"


def lz4_flex():
    """Four letters, a match four back, and five letters at the end."""
    return b"\x44abcd\x04\x00\x50efghi"


def miniz_oxide():
    return zlib.compress(b"a man a plan a canal")


def object_elf():
    """An executable with two sections: none, and the names of sections."""
    names = b"\0.shstrtab\0"
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    sizes = (64, 56, 0, 64, 2, 1)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, 64, 0, *sizes)
    strings = struct.pack("<IIQQQQIIQQ", 1, 3, 0, 0, 192, len(names), 0, 0, 1, 0)
    return head + bytes(64) + strings + names


def simple_dns():
    """A question for the address of a.bc, and its answer."""
    name = b"\x01a\x02bc\x00"
    head = struct.pack(">HHHHHH", 1, 0x8180, 1, 1, 0, 0)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + b"\x7f\0\0\1"
    return head + name + struct.pack(">HH", 1, 1) + answer


def wasmparser():
    """One function, exported, that returns its argument."""
    def section(kind, body):
        return bytes([kind, len(body)]) + body

    types = section(1, b"\x01\x60\x01\x7f\x01\x7f")
    functions = section(3, b"\x01\x00")
    exports = section(7, b"\x01\x01f\x00\x00")
    code = section(10, b"\x01\x04\x00\x20\x00\x0b")
    return b"\0asm\x01\0\0\0" + types + functions + exports + code


def x509_parser():
    """A certificate that nobody signed."""
    def item(tag, *parts):
        body = b"".join(parts)
        length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
        return bytes([tag]) + length + body

    def sequence(*parts):
        return item(0x30, *parts)

    algorithm = sequence(item(0x06, b"\x2b\x65\x70"))
    attribute = sequence(item(0x06, b"\x55\x04\x03"), item(0x0c, b"a"))
    name = sequence(item(0x31, attribute))
    times = sequence(item(0x17, b"200101000000Z"), item(0x17, b"300101000000Z"))
    key = sequence(algorithm, item(0x03, bytes(9)))
    constraints = item(0x04, sequence(item(0x01, b"\xff")))
    extension = sequence(item(0x06, b"\x55\x1d\x13"), constraints)
    extensions = item(0xa3, sequence(extension))
    version, serial = item(0xa0, item(0x02, b"\x02")), item(0x02, b"\x01")
    body = sequence(version, serial, algorithm, name, times, name, key, extensions)
    return sequence(body, algorithm, item(0x03, bytes(9)))


def made(name):
    return globals()[name]()
