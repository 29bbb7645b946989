"""Fuzz Python code with fuzzd: a worker in one file, for you to copy.

Write a program with fuzz tests, make it executable, and run it with `fuzzd run ./program.py`:

    #!/usr/bin/env python3
    import fuzzd_worker
    import my_parser

    @fuzzd_worker.fuzz_test(cover=[my_parser], seeds=[b"[section]"])
    def parse(data: bytes):
        try:
            my_parser.parse(data)
        except my_parser.Error:
            pass                      # what the parser is allowed to say

    fuzzd_worker.main()

An exception that leaves the fuzz test is a bug. `raise fuzzd_worker.Reject` keeps an input out of
the corpus. Parameters may be annotated with `bytes`, `str`, `int`, `bool` and `float`, or with a
name of the protocol's types (`"uint16"`). Only the standard library is needed, Python 3.8 or newer.

This file was written from proto-spec/ alone; words in quotes are those of that text.
"""

import array
import base64
import hashlib
import inspect
import json
import mmap
import os
import random
import re
import signal
import struct
import sys
import time
import traceback
import zlib

FUZZ_IN, FUZZ_OUT, MEMORY = 3, 4, 5
LINE_BYTES_MAX = 16 << 20
ERR_CHARS_MAX, DETAILS_CHARS_MAX = 4_000, 32_000
INTERNAL_ERROR = 70

# The header, in words of 8 bytes, and where the value begins.
COUNT, VALUE_LEN, RAND_STATE, RAND_INC, VALUE = 0, 1, 2, 3, 40
# The control block: stop and phase are halves of its first word.
CONTROL_BYTES, STOP, PHASE, OTHER_COUNT = 4096, 0, 1, 8

# Counters, a power of two. Their numbers follow from the names and lines of the code, so that they
# are the same in every process.
COUNTERS = 1 << 14

SCALARS = {
    "bool": "?", "uint8": "B", "int8": "b", "uint16": "H", "int16": "h", "uint32": "I",
    "int32": "i", "rune": "I", "uint64": "Q", "int64": "q", "uint": "Q", "int": "q",
    "float32": "f", "float64": "d",
}  # fmt: skip
ANNOTATED = {bytes: "[]byte", str: "string", int: "int64", bool: "bool", float: "float64"}

FUZZ_TESTS = []


class Reject(Exception):
    """The input is of no use to this fuzz test."""


class Malformed(Exception):
    """A line that is no call."""


class FuzzTest:
    """One function, the modules whose coverage guides it, and its seeds."""

    def __init__(self, function, cover, seeds):
        self.function, self.name = function, function.__name__
        self.files = {module.__file__ for module in cover}
        parameters = inspect.signature(function).parameters.values()
        self.types = [ANNOTATED.get(p.annotation, p.annotation) for p in parameters]
        for name in self.types:
            if name not in SCALARS and name not in ("[]byte", "string"):
                raise TypeError(f"{self.name}: no parameter can be of type {name!r}")
        # "raw" or "packed".
        self.is_raw = self.types in (["[]byte"], ["string"])
        seeds = [seed if isinstance(seed, tuple) else (seed,) for seed in seeds]
        self.seeds = [self.pack(seed) for seed in seeds]
        self.words = words_of(function, cover)

    def pack(self, values):
        """The "memory form" of values."""
        out = bytearray()
        for name, value in zip(self.types, values):
            if name in SCALARS:
                value = ord(value) if name == "rune" and isinstance(value, str) else value
                out += struct.pack("<" + SCALARS[name], value)
                continue
            value = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            out += value if self.is_raw else struct.pack("<I", len(value)) + value
        return bytes(out)

    def unpack(self, memory):
        """The values that any bytes stand for."""
        values, at = [], 0
        for name in self.types:
            if name in SCALARS:
                width = struct.calcsize("<" + SCALARS[name])
                piece, at = memory[at : at + width].ljust(width, b"\0"), at + width
                if name == "bool":
                    values.append(piece[0] & 1 == 1)
                    continue
                value = struct.unpack("<" + SCALARS[name], piece)[0]
                if name == "rune":
                    is_scalar = value < 0xD800 or 0xDFFF < value < 0x110000
                    value = chr(value) if is_scalar else "\ufffd"
                values.append(value)
                continue
            if self.is_raw:
                piece = memory
            else:
                length = int.from_bytes(memory[at : at + 4], "little")
                piece, at = memory[at + 4 : at + 4 + length], at + 4 + length
            values.append(piece.decode("utf-8", "replace") if name == "string" else piece)
        return values


def fuzz_test(cover=(), seeds=()):
    """Declares a fuzz test. `cover` are the modules whose lines are counted."""

    def declare(function):
        FUZZ_TESTS.append(FuzzTest(function, list(cover), list(seeds)))
        return function

    return declare


def words_of(function, modules):
    """Constants of the code, to be put into inputs."""
    words, seen = set(), set()

    def collect(thing):
        if isinstance(thing, str):
            thing = thing.encode("utf-8", "surrogateescape")
        if isinstance(thing, bytes) and 0 < len(thing) <= 32:
            words.add(thing)
        elif isinstance(thing, (tuple, frozenset)):
            for part in thing:
                collect(part)
        elif hasattr(thing, "co_consts") and thing not in seen:
            seen.add(thing)
            # The first constant of a function may be its documentation.
            collect(thing.co_consts)

    codes = [function.__code__]
    for module in modules:
        for value in list(vars(module).values()):
            if getattr(value, "__module__", None) == module.__name__:
                members = list(vars(value).values()) if inspect.isclass(value) else [value]
                codes += [m.__code__ for m in members if hasattr(m, "__code__")]
    for code in codes:
        collect(code)
    return sorted(words)


# ---- coverage ----


class Coverage:
    """Counts, for one execution, how often one line followed another in the same function."""

    def __init__(self, files):
        self.files, self.hits, self.bases = files, {}, {}
        self.monitoring = getattr(sys, "monitoring", None)
        if self.monitoring:
            self.previous = {}
            events = self.monitoring.events
            self.events = events.LINE | events.PY_START
            self.monitoring.use_tool_id(self.monitoring.COVERAGE_ID, "fuzzd")
            callback = self.monitoring.register_callback
            callback(self.monitoring.COVERAGE_ID, events.LINE, self.on_line)
            callback(self.monitoring.COVERAGE_ID, events.PY_START, self.on_start)

    def base_of(self, code):
        """The number of the first counter of some code; -1 if it is not looked at."""
        base = self.bases.get(code)
        if base is None:
            base = -1
            if code.co_filename in self.files:
                name = f"{os.path.basename(code.co_filename)}:{code.co_name}:{code.co_firstlineno}"
                base = zlib.crc32(name.encode())
            self.bases[code] = base
        return base

    def hit(self, base, previous, line):
        index = (base ^ (previous * 0x9E5 + line) * 0x85EB) & COUNTERS - 1
        self.hits[index] = self.hits.get(index, 0) + 1

    def start(self):
        self.hits.clear()
        if self.monitoring:
            self.previous.clear()
            self.monitoring.set_events(self.monitoring.COVERAGE_ID, self.events)
        else:
            sys.settrace(self.on_call)

    def stop(self):
        if self.monitoring:
            self.monitoring.set_events(self.monitoring.COVERAGE_ID, 0)
        else:
            sys.settrace(None)

    def snapshot(self):
        """The "features" of the execution, ascending."""
        return [(index, class_of(self.hits[index])) for index in sorted(self.hits)]

    # Python before 3.12.

    def on_call(self, frame, _event, _argument):
        base = self.base_of(frame.f_code)
        if base < 0:
            return None
        previous = 0

        def on_event(frame, event, _argument):
            nonlocal previous
            if event == "line":
                self.hit(base, previous, frame.f_lineno)
                previous = frame.f_lineno
            return on_event

        self.hit(base, 0, 0)
        return on_event

    # Python 3.12 and newer. A place that is not looked at is told of once.

    def on_start(self, code, _offset):
        base = self.base_of(code)
        if base < 0:
            return self.monitoring.DISABLE
        self.previous[code] = 0
        self.hit(base, 0, 0)
        return None

    def on_line(self, code, line):
        base = self.base_of(code)
        if base < 0:
            return self.monitoring.DISABLE
        self.hit(base, self.previous.get(code, 0), line)
        self.previous[code] = line
        return None


def class_of(counter):
    for most, class_byte in ((1, 1), (2, 2), (3, 4), (7, 8), (15, 16), (31, 32), (127, 64)):
        if counter <= most:
            return class_byte
    return 128


def encode(features):
    """The "sparse form"."""
    out, before = bytearray(), 0
    for index, bits in features:
        distance, before = index - before, index
        while distance > 127:
            out.append(distance & 127 | 128)
            distance >>= 7
        out += bytes((distance, bits))
    return base64.b64encode(bytes(out)).decode()


def decode(data):
    features, at, index = [], 0, -1
    while at < len(data):
        distance, shift = 0, 0
        while True:
            if at >= len(data) or shift > 28:
                raise ValueError("the features end inside a number")
            byte, at = data[at], at + 1
            distance |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        if byte == 0 and shift > 7:
            raise ValueError("a number in more bytes than it needs")
        if index >= 0 and distance == 0:
            raise ValueError(f"counter {index} twice")
        index = distance if index < 0 else index + distance
        if index >= COUNTERS or at >= len(data) or data[at] == 0:
            raise ValueError(f"counter {index} does not exist or has no class")
        features.append((index, data[at]))
        at += 1
    return features


# ---- failures ----


class Failure:
    """How an input failed. `location` is where the exception was raised in the target."""

    def __init__(self, error):
        frames = traceback.extract_tb(error.__traceback__)
        own = os.path.abspath(__file__)
        frames = [frame for frame in frames if os.path.abspath(frame.filename) != own]
        self.location = f"{frames[-1].filename}:{frames[-1].lineno}:1" if frames else ""
        self.message = f"{type(error).__name__}: {error}"
        self.details = "".join(traceback.format_exception(type(error), error, error.__traceback__))

    def signature(self):
        """See "Signatures"."""
        shape = "" if self.location else shape_of(self.message)
        text = f"panic\n{short_place(self.location)}\n{shape}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def fields(self):
        """The fields of a reply that tell it."""
        clean = lambda text: text.encode("utf-8", "backslashreplace").decode()
        info = {"Kind": "panic", "Location": self.location, "Message": clean(self.message)}
        info["Details"] = clean(self.details)[-DETAILS_CHARS_MAX:]
        return {"Err": clean(self.message)[:ERR_CHARS_MAX] or "it failed", "Failure": info}


def short_place(location):
    parts = re.split(r"[/\\]", location)
    known = {"src", "tests", "library", "examples", "benches"}
    at = max((i for i, part in enumerate(parts) if part in known), default=None)
    parts = parts[-3:] if at is None else parts[max(at - 1, 0) :]
    return "/".join(parts)


def shape_of(message):
    line, out, at = message.split("\n")[0][:200], "", 0
    while at < len(line):
        char = line[at]
        if char.isascii() and char.isdigit():
            while at < len(line) and line[at].isascii() and line[at].isalnum():
                at += 1
            out += "0"
        elif char in "\"'`" and not (at > 0 and line[at - 1].isalnum()):
            end = line.find(char, at + 1)
            at = len(line) if end < 0 else end + 1
            out += "''"
        else:
            out, at = out + char, at + 1
    return out


# ---- mutation ----


class Mutator:
    """Makes inputs from inputs. Every choice follows from its generator."""

    PIECES = (b"\0", b"\xff", b"0", b"-1", b"999999999999", b"\n", b'"', b"\\", b"{", b"[")

    def __init__(self, words):
        self.words = list(words) + list(self.PIECES)
        self.chance = random.Random()

    def mutate(self, base, room):
        data = bytearray(base[:room])
        for _ in range(1 << self.chance.randrange(4)):
            self.once(data)
        return bytes(data[:room])

    def once(self, data):
        chance = self.chance
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 8, 32)))
        kind = chance.randrange(8)
        if kind == 0:
            data.insert(at, chance.randrange(256))
        elif kind == 1:
            del data[at:end]
        elif kind == 2 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 4:
            data[at:at] = data[at:end]
        elif kind == 5:
            there = chance.randint(0, len(data))
            data[there:there] = data[at:end]
        elif kind == 6:
            data[at:end] = chance.choice(self.words)
        else:
            data[at:at] = chance.choice(self.words)


# ---- the worker ----


class Worker:
    def __init__(self, test, tests):
        self.test, self.tests = test, tests
        self.coverage = Coverage(test.files)
        self.mutator = Mutator(test.words)
        self.mask = bytearray(COUNTERS)
        self.is_native = self.in_call = self.interrupted = False
        for fd in (FUZZ_IN, FUZZ_OUT, MEMORY):
            os.set_inheritable(fd, False)
        self.memory = mmap.mmap(MEMORY, 0)
        if len(self.memory) < VALUE:
            raise OSError("the memory has no room for its header")
        # A view of whole words: each is read and written with one access.
        self.header = memoryview(self.memory)[:VALUE].cast("q")
        self.use_control(None)
        signal.signal(signal.SIGINT, self.on_interrupt)

    def use_control(self, offset):
        self.room = len(self.memory) - VALUE
        self.words, self.halves = array.array("Q", [0] * 2), array.array("I", [0] * 2)
        if offset is None:
            return
        if offset % 64 or offset < VALUE or offset + CONTROL_BYTES > len(self.memory):
            raise Malformed(f"a control block at {offset}")
        self.room = offset - VALUE
        block = memoryview(self.memory)[offset : offset + 16]
        self.words, self.halves = block.cast("Q"), block.cast("I")

    def on_interrupt(self, _number, _frame):
        if not self.in_call:
            os._exit(0)
        self.interrupted = True

    # The memory.

    def value(self):
        length = self.header[VALUE_LEN]
        if not 0 <= length <= self.room:
            raise ValueError(f"a value of {length} bytes, there is room for {self.room}")
        return self.memory[VALUE : VALUE + length]

    def put(self, data):
        if len(data) > self.room:
            raise ValueError(f"{len(data)} bytes, there is room for {self.room}")
        self.memory[VALUE : VALUE + len(data)] = data
        self.header[VALUE_LEN] = len(data)

    def must_stop(self):
        return self.interrupted or self.halves[STOP] != 0

    # One execution. The input must lie in memory, and be counted.

    def execute(self, data):
        """The snapshot (None: the input was rejected) and the failure, if it failed."""
        values, failure, is_rejected = self.test.unpack(data), None, False
        self.halves[PHASE] = 1
        self.coverage.start()
        try:
            self.test.function(*values)
        except Reject:
            is_rejected = True
        except BaseException as error:  # also SystemExit: the fuzz test has no business ending us
            self.coverage.stop()
            failure = Failure(error)
        finally:
            self.coverage.stop()
            self.halves[PHASE] = 0
        return (None if is_rejected else self.coverage.snapshot()), failure

    def execute_other(self, data):
        """An execution that is not of a newly mutated input."""
        self.put(data)
        self.other += 1
        self.words[OTHER_COUNT // 8] = self.other
        return self.execute(data)

    # The calls.

    def ping(self, call):
        if call.get("Proto") is None:
            return {}
        self.use_control(call.get("Control"))
        self.is_native = True
        caps = ["input_in_memory", "coverage_sparse", "ignore", "seeds"]
        reply = {"Proto": 1, "Caps": caps, "Counters": COUNTERS, "Types": self.test.types}
        if call.get("Control") is not None:
            caps.append("control")
        if self.test.seeds:
            reply["Seeds"] = len(self.test.seeds)
        reply["Tests"] = [test.name for test in self.tests]
        return reply

    def fuzz(self, call):
        start = time.monotonic_ns()
        reply = {"TotalDuration": 0, "InterestingDuration": 0, "Count": 0}
        reply.update(CoverageData=None, Err="", InternalErr="")
        try:
            if not self.is_native:
                raise ValueError("the Ping call must name a version")
            for index, bits in decode(binary(call.get("CoverageDelta"))):
                self.mask[index] |= bits
            ignore = {signature: 0 for signature in call.get("Ignore") or ()}
            if not all(re.fullmatch("[0-9a-f]{16}", signature) for signature in ignore):
                raise ValueError("a signature has 16 hexadecimal digits")
            data = self.value()
            if call.get("Warmup"):
                snapshot, failure = self.execute_other(data)
                reply.update(self.told(data, snapshot, failure))
            else:
                reply.update(self.mutate(call, data, start, ignore))
                met = [{"Signature": s, "Count": count} for s, count in ignore.items() if count]
                if met:
                    reply["Ignored"] = met
        except ValueError as error:
            reply["InternalErr"] = str(error)
        if self.other:
            reply["OtherCount"] = self.other
        reply["TotalDuration"] = time.monotonic_ns() - start
        return reply

    def told(self, data, snapshot, failure):
        """The fields that tell of one execution; the memory holds its input again."""
        self.put(data)
        if failure:
            return failure.fields()
        return {"Rejected": True} if snapshot is None else {"CoverageSparse": encode(snapshot)}

    def mutate(self, call, base, start, ignore):
        limit, timeout = call.get("Limit") or 0, call.get("Timeout") or 0
        max_len, seed = call.get("MaxLen"), call.get("Seed")
        room = self.room if max_len is None else min(max_len, self.room)
        count = self.header[COUNT]
        if limit and count >= limit:
            raise ValueError("the limit is reached already")
        self.mutator.chance.seed(seed)
        outcome = {}
        while not outcome and not self.must_stop() and not (limit and count >= limit):
            if timeout and count and time.monotonic_ns() - start >= timeout:
                break
            data = self.mutator.mutate(base, room)
            self.put(data)
            count += 1
            self.header[COUNT] = count
            begun = time.monotonic_ns()
            snapshot, failure = self.execute(data)
            took = time.monotonic_ns() - begun
            if failure and failure.signature() in ignore:
                ignore[failure.signature()] += 1
            elif failure:
                outcome = self.told(data, snapshot, failure)
            elif snapshot is not None and self.is_new(snapshot):
                outcome = self.again(data, snapshot)
            if outcome:
                outcome["InterestingDuration"] = took
        self.header[COUNT] = count
        outcome["Count"] = count
        return outcome

    def is_new(self, snapshot):
        mask = self.mask
        return any(bits & ~mask[index] for index, bits in snapshot)

    def again(self, data, snapshot):
        """A find is executed again: what does not repeat is no coverage of the input."""
        again, failure = self.execute_other(data)
        both = set(snapshot) & set(again or ())
        for index, bits in snapshot:
            if (index, bits) not in both:
                self.mask[index] |= bits
        snapshot = sorted(both)
        if failure or not self.is_new(snapshot):
            return {}
        for index, bits in snapshot:
            self.mask[index] |= bits
        return self.told(data, snapshot, None)

    def minimize(self, call):
        start = time.monotonic_ns()
        reply = {"WroteToMem": False, "Err": "", "CoverageData": None, "Duration": 0, "Count": 0}
        try:
            if self.is_native:
                reply.update(Minimizer(self, call, start).run(self.value()))
        except ValueError as error:
            print(f"minimize: {error}", file=sys.stderr)
        if self.other:
            reply["OtherCount"] = self.other
        reply["Duration"] = time.monotonic_ns() - start
        return reply

    def seed(self, call):
        index, seeds = call.get("Index") or 0, self.test.seeds
        if index >= len(seeds):
            return {"Total": len(seeds), "InternalErr": f"there is no seed {index}"}
        try:
            self.put(seeds[index])
        except ValueError as error:
            return {"Total": len(seeds), "InternalErr": str(error)}
        return {"Total": len(seeds), "InternalErr": ""}

    def answer(self, line):
        method, arguments = read_call(line)
        self.other = 0
        calls = {"Fuzz": self.fuzz, "Minimize": self.minimize, "Ping": self.ping, "Seed": self.seed}
        return calls[method](arguments)

    def serve(self):
        """Answers calls until there are no more; the exit status."""
        rest = bytearray()
        while True:
            end = rest.find(b"\n")
            if (end if end >= 0 else len(rest)) > LINE_BYTES_MAX + 1:
                raise Malformed("a line is longer than 16 MiB")
            if end < 0:
                piece = os.read(FUZZ_IN, 1 << 16)
                if not piece:
                    if rest:
                        raise Malformed("the stream ended inside a line")
                    return 0
                rest += piece
                continue
            line = bytes(rest[: end - 1] if rest[end - 1 : end] == b"\r" else rest[:end])
            if len(line) > LINE_BYTES_MAX:
                raise Malformed("a line is longer than 16 MiB")
            del rest[: end + 1]
            self.in_call = True
            reply = json.dumps(self.answer(line), separators=(",", ":")).encode() + b"\n"
            while reply:
                reply = reply[os.write(FUZZ_OUT, reply) :]
            self.in_call = False
            if self.interrupted:
                return 0


class Minimizer:
    """One call of Minimize: a smaller input that does the same."""

    def __init__(self, worker, call, start):
        self.worker, self.start = worker, start
        self.limit, self.timeout = call.get("Limit") or 0, call.get("Timeout") or 0
        keep = call.get("KeepSparse")
        self.keep = None if keep is None else decode(binary(keep))
        self.signature = call.get("Signature")
        self.broken = None

    def run(self, data):
        worker = self.worker
        outcome = self.judge(data)
        if self.broken:
            return self.broken
        if not outcome:
            return {}
        size = max(len(data) // 2, 1)
        while size:
            at = 0
            while at < len(data) and not self.is_over():
                candidate = data[:at] + data[at + size :]
                held = self.judge(candidate)
                if self.broken:
                    return self.broken
                if held:
                    data, outcome = candidate, held
                else:
                    at += size
            size //= 2
        worker.put(data)
        outcome["WroteToMem"] = True
        return outcome

    def is_over(self):
        worker = self.worker
        is_late = self.timeout and time.monotonic_ns() - self.start >= self.timeout
        return worker.must_stop() or is_late or (self.limit and worker.other >= self.limit)

    def judge(self, data):
        """The fields of the reply if the input holds, else None."""
        snapshot, failure = self.worker.execute_other(data)
        if self.keep is None:
            holds = failure and self.signature in (None, failure.signature())
            return failure.fields() if holds else None
        if failure:
            self.broken = self.worker.told(data, snapshot, failure)
            self.broken["WroteToMem"] = True
            return None
        hit = dict(snapshot or ())
        if snapshot is None or any(hit.get(index, 0) & bits != bits for index, bits in self.keep):
            return None
        return {"CoverageSparse": encode(snapshot)}


# ---- lines ----

INTEGERS = {"Proto", "Control", "Ring", "RingBytes", "Timeout", "Limit", "Seed", "MaxLen", "Index"}
BOOLEANS = {"Arena", "Map", "Functions", "Warmup"}
TEXTS = {"CoverageData", "CoverageDelta", "KeepCoverage", "KeepSparse", "Signature", "Profile"}
LISTS = {"Ignore", "Plan"}
OBJECTS = {"Fork", "Search"}


def read_call(line):
    """The method of a call and its arguments."""

    def once(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Malformed("a field is named twice")
        return dict(pairs)

    try:
        call = json.loads(line.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None
    if not isinstance(call, dict):
        raise Malformed("a call is an object")
    for method in ("Fuzz", "Minimize", "Ping", "Seed"):
        arguments = call.get(method)
        if arguments is None:
            continue
        if not isinstance(arguments, dict):
            raise Malformed(f"{method} is no object")
        for name, value in arguments.items():
            check(name, value)
        return method, arguments
    raise Malformed("no known method is set")


def check(name, value):
    expected = (
        int if name in INTEGERS
        else bool if name in BOOLEANS
        else str if name in TEXTS
        else list if name in LISTS
        else dict if name in OBJECTS
        else None
    )  # fmt: skip
    # A bool is an int to Python.
    if expected and value is not None and type(value) is not expected:
        raise Malformed(f"{name} is {value!r}")
    if name in LISTS and name == "Ignore" and any(type(item) is not str for item in value or ()):
        raise Malformed(f"{name} is {value!r}")
    if name in ("CoverageData", "CoverageDelta", "KeepCoverage", "KeepSparse"):
        binary(value)


def binary(text):
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError as error:
        raise Malformed(str(error)) from None


def main():
    """Serves the fuzz test that FUZZD_TEST names, or the first one. To be called last."""
    if os.environ.get("FUZZD_WORKER") != "1":
        names = ", ".join(test.name for test in FUZZ_TESTS)
        sys.exit(f"this is a worker with the fuzz tests {names}: fuzzd run {sys.argv[0]}")
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of texts would have another order, and so other coverage, in every process.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    name = os.environ.get("FUZZD_TEST")
    chosen = [test for test in FUZZ_TESTS if name in (None, "", test.name)]
    if not chosen:
        sys.exit(f"there is no fuzz test {name}")
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 2_000))
    try:
        status = Worker(chosen[0], FUZZ_TESTS).serve()
    except (OSError, Malformed) as error:
        print(f"worker: {error}", file=sys.stderr)
        status = 0 if isinstance(error, BrokenPipeError) else INTERNAL_ERROR
    sys.stdout.flush()
    os._exit(status)
