/* Fuzz C code with fuzzd: a worker in one header, for you to copy.
 *
 *     #include "fuzzd_worker.h"
 *
 *     static int fuzz(const uint8_t *data, size_t size) {
 *         return parse(data, size) ? 0 : -1;     // -1 keeps the input out of the corpus
 *     }
 *     FUZZD_WORKER(fuzz)
 *
 *     cc -O1 -g -fsanitize-coverage=trace-pc -o fuzz_parse fuzz_parse.c && fuzzd run ./fuzz_parse
 *
 * A death of the process is a bug, by whatever signal or exit; so is fuzzd_fail("why"). gcc and
 * clang both have -fsanitize-coverage=trace-pc; code that is compiled without it is not counted.
 *
 * Include it in one file only. It was written from proto-spec/ alone; 64-bit little-endian Linux. */
#ifndef FUZZD_WORKER_H
#define FUZZD_WORKER_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FUZZ_IN = 3, FUZZ_OUT = 4, MEMORY = 5, INTERNAL_ERROR = 70 };
enum { COUNT = 0, VALUE_LEN = 8, RAND_STATE = 16, VALUE = 40 };
enum { CONTROL_BYTES = 4096, STOP = 0, PHASE = 4, OTHER_COUNT = 8 };
enum { LINE_BYTES_MAX = 16 << 20, COUNTERS = 1 << 14, DEPTH_MAX = 128, TEXT_MAX = 512 };

#if defined(__clang__)
#define FUZZD_NOT_COUNTED __attribute__((no_sanitize("coverage")))
#else
#define FUZZD_NOT_COUNTED __attribute__((no_sanitize_coverage))
#endif

typedef int (*fuzzd_test)(const uint8_t *data, size_t size);

static struct {
    uint8_t *memory;
    size_t memory_bytes, room;
    volatile _Atomic uint64_t *count, *value_len, *other_count;
    volatile _Atomic uint32_t *stop, *phase;
    _Atomic uint64_t no_other_count;
    _Atomic uint32_t no_stop, no_phase;
    bool is_native;
    uint64_t other;
    fuzzd_test test;
    uint8_t mask[COUNTERS], keep[COUNTERS], counters[COUNTERS];
    bool is_running;
    jmp_buf failed;
    char message[TEXT_MAX];
    uint8_t *input;
    uint64_t random;
    volatile sig_atomic_t in_call, interrupted;
} fuzzd;

/* ---- coverage: one counter for each block, by its place in the executable ---- */

extern const char __executable_start[];
void __sanitizer_cov_trace_pc(void);

FUZZD_NOT_COUNTED void __sanitizer_cov_trace_pc(void) {
    if (!fuzzd.is_running) return;
    uint64_t place = (uint64_t)__builtin_return_address(0) - (uint64_t)__executable_start;
    uint8_t *counter = &fuzzd.counters[place * 0x9e3779b97f4a7c15u >> 50];
    if (*counter != 255) ++*counter;
}

static uint8_t fuzzd_class(uint8_t counter) {
    static const uint8_t most[] = {0, 1, 2, 3, 7, 15, 31, 127, 255};
    int at = 0;
    while (counter > most[at]) at++;
    return at ? (uint8_t)(1 << (at - 1)) : 0;
}

/* ---- the end ---- */

static void fuzzd_give_up(const char *why) {
    fprintf(stderr, "worker: %s\n", why);
    _exit(INTERNAL_ERROR);
}

static void fuzzd_on_interrupt(int number) {
    (void)number;
    if (!fuzzd.in_call) _exit(0);
    fuzzd.interrupted = 1;
}

/* ---- memory ---- */

static void fuzzd_use_control(bool is_there, uint64_t offset) {
    fuzzd.room = fuzzd.memory_bytes - VALUE;
    fuzzd.other_count = &fuzzd.no_other_count;
    fuzzd.stop = &fuzzd.no_stop;
    fuzzd.phase = &fuzzd.no_phase;
    if (!is_there) return;
    if (offset % 64 || offset < VALUE || fuzzd.memory_bytes < CONTROL_BYTES ||
        offset > fuzzd.memory_bytes - CONTROL_BYTES)
        fuzzd_give_up("the control block does not fit the memory");
    uint8_t *control = fuzzd.memory + offset;
    fuzzd.room = offset - VALUE;
    fuzzd.stop = (void *)(control + STOP);
    fuzzd.phase = (void *)(control + PHASE);
    fuzzd.other_count = (void *)(control + OTHER_COUNT);
}

static void fuzzd_put(const uint8_t *data, size_t size) {
    memmove(fuzzd.memory + VALUE, data, size);
    *fuzzd.value_len = size;
}

static bool fuzzd_must_stop(void) { return fuzzd.interrupted || *fuzzd.stop; }

static int64_t fuzzd_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- one execution ---- */

enum outcome { PASSED, REJECTED, FAILED };

/* Ends the execution: the input failed, and the process lives on. */
__attribute__((unused, noreturn, format(printf, 1, 2))) static void fuzzd_fail(const char *why,
                                                                               ...) {
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(fuzzd.message, sizeof fuzzd.message, why, arguments);
    va_end(arguments);
    longjmp(fuzzd.failed, 1);
}

/* Runs the value in memory, of which `fuzzd.input` becomes a private copy. */
static enum outcome fuzzd_execute(void) {
    size_t size = *fuzzd.value_len;
    volatile enum outcome outcome = FAILED;
    memcpy(fuzzd.input, fuzzd.memory + VALUE, size);
    memset(fuzzd.counters, 0, sizeof fuzzd.counters);
    fuzzd.message[0] = 0;
    *fuzzd.phase = 1;
    if (!setjmp(fuzzd.failed)) {
        fuzzd.is_running = true;
        outcome = fuzzd.test(fuzzd.input, size) == -1 ? REJECTED : PASSED;
    }
    fuzzd.is_running = false;
    *fuzzd.phase = 0;
    /* Here it becomes a snapshot. */
    for (size_t i = 0; i < COUNTERS; i++)
        if (fuzzd.counters[i]) fuzzd.counters[i] = fuzzd_class(fuzzd.counters[i]);
    /* The target may have written into the memory; what is told of must lie there. */
    fuzzd_put(fuzzd.input, size);
    return outcome;
}

static enum outcome fuzzd_execute_other(void) {
    *fuzzd.other_count = ++fuzzd.other;
    return fuzzd_execute();
}

static bool fuzzd_has_new(void) {
    for (size_t i = 0; i < COUNTERS; i++)
        if (fuzzd.counters[i] & ~fuzzd.mask[i]) return true;
    return false;
}

/* ---- replies ---- */

static char *fuzzd_reply;
static size_t fuzzd_reply_bytes, fuzzd_reply_room;

__attribute__((format(printf, 1, 2))) static void fuzzd_say(const char *format, ...) {
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        size_t left = fuzzd_reply_room - fuzzd_reply_bytes;
        int wanted = vsnprintf(fuzzd_reply + fuzzd_reply_bytes, left, format, arguments);
        va_end(arguments);
        if ((size_t)wanted < left) {
            fuzzd_reply_bytes += (size_t)wanted;
            return;
        }
        fuzzd_reply_room = fuzzd_reply_room * 2 + (size_t)wanted + 1;
        fuzzd_reply = realloc(fuzzd_reply, fuzzd_reply_room);
        if (!fuzzd_reply) fuzzd_give_up("out of memory");
    }
}

static void fuzzd_say_text(const char *text) {
    fuzzd_say("\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') fuzzd_say("\\%c", c);
        else if (c < 0x20 || c > 0x7e) fuzzd_say("\\u%04x", c);
        else fuzzd_say("%c", c);
    }
    fuzzd_say("\"");
}

/* The snapshot in sparse form and base64. */
static void fuzzd_say_snapshot(void) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static uint8_t bytes[COUNTERS * 4];
    size_t size = 0, before = 0;
    for (size_t i = 0; i < COUNTERS; i++) {
        if (!fuzzd.counters[i]) continue;
        size_t distance = i - before;
        before = i;
        for (; distance > 127; distance >>= 7) bytes[size++] = (uint8_t)(distance & 127) | 128;
        bytes[size++] = (uint8_t)distance;
        bytes[size++] = fuzzd.counters[i];
    }
    fuzzd_say("\"");
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        if (i + 1 < size) three |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < size) three |= bytes[i + 2];
        fuzzd_say("%c%c%c%c", digits[three >> 18], digits[three >> 12 & 63],
                  i + 1 < size ? digits[three >> 6 & 63] : '=',
                  i + 2 < size ? digits[three & 63] : '=');
    }
    fuzzd_say("\"");
}

/* ---- calls: a JSON object with one object in it ---- */

enum method { NONE, FUZZ, MINIMIZE, PING };

struct arguments {
    enum method method;
    bool has_proto, has_control, has_seed, has_max_len, has_keep, is_warmup, is_bad;
    uint64_t control, seed, max_len;
    int64_t timeout, limit;
};

struct text {
    const char *at, *end;
};

static void fuzzd_malformed(void) { fuzzd_give_up("a line is no call"); }

static void fuzzd_blanks(struct text *t) {
    while (t->at < t->end && strchr(" \t\r\n", *t->at) && *t->at) t->at++;
}

static bool fuzzd_take(struct text *t, const char *word) {
    fuzzd_blanks(t);
    size_t size = strlen(word);
    if ((size_t)(t->end - t->at) < size || memcmp(t->at, word, size)) return false;
    t->at += size;
    return true;
}

static void fuzzd_want(struct text *t, const char *word) {
    if (!fuzzd_take(t, word)) fuzzd_malformed();
}

/* Reads a string. Its beginning goes to `into`, which holds names and little else; a character
 * beyond ASCII that was written as an escape becomes '?'. */
static void fuzzd_string(struct text *t, char into[64]) {
    size_t size = 0;
    fuzzd_want(t, "\"");
    while (t->at < t->end && *t->at != '"') {
        unsigned char c = (unsigned char)*t->at++;
        if (c < 0x20) fuzzd_malformed();
        if (c == '\\') {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            if (t->at >= t->end) fuzzd_malformed();
            const char *escape = memchr(from, *t->at, sizeof from - 1);
            if (*t->at == 'u' && t->end - t->at > 4) {
                unsigned code = 0;
                for (int i = 1; i <= 4; i++) {
                    int digit = t->at[i] <= '9' ? t->at[i] - '0' : (t->at[i] | 32) - 'a' + 10;
                    if (!strchr("0123456789abcdefABCDEF", t->at[i]) || !t->at[i]) fuzzd_malformed();
                    code = code * 16 + (unsigned)digit;
                }
                t->at += 5;
                c = code && code < 0x80 ? (unsigned char)code : '?';
            } else if (escape) {
                c = (unsigned char)to[escape - from];
                t->at++;
            } else {
                fuzzd_malformed();
            }
        }
        if (size < 63) into[size++] = (char)c;
    }
    into[size] = 0;
    fuzzd_want(t, "\"");
}

/* Passes over any value. */
static void fuzzd_skip(struct text *t, int depth) {
    char name[64];
    if (depth > DEPTH_MAX) fuzzd_malformed();
    fuzzd_blanks(t);
    if (t->at < t->end && *t->at == '"') {
        fuzzd_string(t, name);
    } else if (fuzzd_take(t, "{")) {
        if (fuzzd_take(t, "}")) return;
        do {
            fuzzd_blanks(t);
            fuzzd_string(t, name);
            fuzzd_want(t, ":");
            fuzzd_skip(t, depth + 1);
        } while (fuzzd_take(t, ","));
        fuzzd_want(t, "}");
    } else if (fuzzd_take(t, "[")) {
        if (fuzzd_take(t, "]")) return;
        do fuzzd_skip(t, depth + 1);
        while (fuzzd_take(t, ","));
        fuzzd_want(t, "]");
    } else if (!fuzzd_take(t, "null") && !fuzzd_take(t, "true") && !fuzzd_take(t, "false")) {
        const char *start = t->at;
        while (t->at < t->end && *t->at && strchr("+-.0123456789eE", *t->at)) t->at++;
        if (t->at == start) fuzzd_malformed();
    }
}

/* An integer, of which `is_signed` ones may have a sign. False: it is null. */
static bool fuzzd_integer(struct text *t, bool is_signed, uint64_t *number) {
    if (fuzzd_take(t, "null")) return false;
    bool is_negative = is_signed && fuzzd_take(t, "-");
    const char *start = t->at;
    uint64_t all = 0;
    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        uint64_t digit = (uint64_t)(*t->at - '0');
        if (all > (UINT64_MAX - digit) / 10) fuzzd_malformed();
        all = all * 10 + digit;
    }
    if (t->at == start || (t->at < t->end && *t->at && strchr(".eE", *t->at))) fuzzd_malformed();
    if (is_signed && all > INT64_MAX) fuzzd_malformed();
    *number = is_negative ? 0 - all : all;
    return true;
}

static bool fuzzd_boolean(struct text *t) {
    if (fuzzd_take(t, "true")) return true;
    if (!fuzzd_take(t, "false") && !fuzzd_take(t, "null")) fuzzd_malformed();
    return false;
}

/* The next byte of a base64 string; -1 at its end. */
struct base64 {
    struct text *t;
    uint32_t bits;
    int have;
};

static int fuzzd_byte(struct base64 *b) {
    while (b->have < 8) {
        if (b->t->at >= b->t->end) fuzzd_malformed();
        int c = *b->t->at++;
        int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+'             ? 62
                    : c == '/'             ? 63
                                           : -1;
        if (c == '=') continue;
        if (c == '"') return -1;
        if (digit < 0) fuzzd_malformed();
        b->bits = b->bits << 6 | (uint32_t)digit;
        b->have += 6;
    }
    b->have -= 8;
    return (int)(b->bits >> b->have & 255);
}

/* Features in sparse form, united with `into`. False: it is null. `is_bad`: they are none. */
static bool fuzzd_features(struct text *t, uint8_t *into, bool *is_bad) {
    if (fuzzd_take(t, "null")) return false;
    fuzzd_want(t, "\"");
    struct base64 b = {t, 0, 0};
    uint64_t index = 0;
    bool is_first = true;
    for (int byte; (byte = fuzzd_byte(&b)) >= 0; is_first = false) {
        uint64_t distance = (uint64_t)(byte & 127);
        for (int shift = 7; byte & 128 && shift < 35; shift += 7) {
            if ((byte = fuzzd_byte(&b)) <= 0) break;
            distance |= (uint64_t)(byte & 127) << shift;
        }
        index += distance;
        int class = byte < 0 || (byte == 0 && distance) ? -1 : fuzzd_byte(&b);
        if (class <= 0 || index >= COUNTERS || (distance == 0 && !is_first)) {
            *is_bad = true;
            /* The rest of the string goes unread, but its end must be found. */
            while (class >= 0 || byte >= 0)
                if ((class = byte = fuzzd_byte(&b)) < 0) break;
            return true;
        }
        into[index] |= (uint8_t)class;
    }
    return true;
}

static void fuzzd_field(struct text *t, struct arguments *a, const char *name) {
    uint64_t number = 0;
    if (!strcmp(name, "Proto")) {
        a->has_proto = fuzzd_integer(t, false, &number);
    } else if (!strcmp(name, "Control")) {
        a->has_control = fuzzd_integer(t, false, &a->control);
    } else if (!strcmp(name, "Seed")) {
        a->has_seed = fuzzd_integer(t, false, &a->seed);
    } else if (!strcmp(name, "MaxLen")) {
        a->has_max_len = fuzzd_integer(t, false, &a->max_len);
    } else if (!strcmp(name, "Timeout")) {
        if (fuzzd_integer(t, true, &number)) a->timeout = (int64_t)number;
    } else if (!strcmp(name, "Limit")) {
        if (fuzzd_integer(t, true, &number)) a->limit = (int64_t)number;
    } else if (!strcmp(name, "Warmup")) {
        a->is_warmup = fuzzd_boolean(t);
    } else if (!strcmp(name, "CoverageDelta")) {
        fuzzd_features(t, fuzzd.mask, &a->is_bad);
    } else if (!strcmp(name, "KeepSparse")) {
        a->has_keep = fuzzd_features(t, fuzzd.keep, &a->is_bad);
    } else {
        fuzzd_skip(t, 0);
    }
}

static struct arguments fuzzd_read_call(const char *line, size_t size) {
    static const char *const names[] = {"", "Fuzz", "Minimize", "Ping"};
    struct text t = {line, line + size};
    struct arguments call = {0};
    bool seen[4] = {false};
    memset(fuzzd.keep, 0, sizeof fuzzd.keep);
    fuzzd_want(&t, "{");
    if (fuzzd_take(&t, "}")) fuzzd_malformed();
    do {
        char name[64];
        enum method method = NONE;
        fuzzd_blanks(&t);
        fuzzd_string(&t, name);
        fuzzd_want(&t, ":");
        for (int i = FUZZ; i <= PING; i++)
            if (!strcmp(name, names[i])) method = (enum method)i;
        if (method && seen[method]) fuzzd_malformed();
        seen[method] = true;
        if (!method) {
            fuzzd_skip(&t, 0);
            continue;
        }
        if (fuzzd_take(&t, "null")) continue;
        fuzzd_want(&t, "{");
        /* Of several the first in the order of the names is the call. */
        struct arguments ignored = {0};
        struct arguments *into = call.method && call.method < method ? &ignored : &call;
        if (into == &call) call = (struct arguments){.method = method};
        if (fuzzd_take(&t, "}")) continue;
        do {
            fuzzd_blanks(&t);
            fuzzd_string(&t, name);
            fuzzd_want(&t, ":");
            fuzzd_field(&t, into, name);
        } while (fuzzd_take(&t, ","));
        fuzzd_want(&t, "}");
    } while (fuzzd_take(&t, ","));
    fuzzd_want(&t, "}");
    fuzzd_blanks(&t);
    if (t.at != t.end || !call.method) fuzzd_malformed();
    return call;
}

/* ---- mutation ---- */

static uint64_t fuzzd_below(uint64_t bound) {
    fuzzd.random += 0x9e3779b97f4a7c15u;
    uint64_t mixed = fuzzd.random;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return (mixed ^ mixed >> 31) % bound;
}

/* Mutates `size` bytes in the memory, in place; the new size. */
static size_t fuzzd_mutate(size_t size, size_t room) {
    static const char *const pieces[] = {"0", "-1", "9223372036854775807", "\"", "\n", "(", "%"};
    uint8_t *data = fuzzd.memory + VALUE;
    for (int left = 1 << fuzzd_below(4); left > 0; left--) {
        size_t at = fuzzd_below(size + 1), some = 1 + fuzzd_below(fuzzd_below(4) ? 4 : 32);
        size_t rest = size - at;
        switch (fuzzd_below(6)) {
        case 0: /* delete */
            if (some > rest) some = rest;
            memmove(data + at, data + at + some, rest - some);
            size -= some;
            break;
        case 1: /* overwrite */
            if (rest) data[at] = (uint8_t)fuzzd_below(256);
            break;
        case 2: /* flip */
            if (rest) data[at] ^= (uint8_t)(1 << fuzzd_below(8));
            break;
        case 3: /* insert a byte that is printable more often than not */
            if (size < room) {
                memmove(data + at + 1, data + at, rest);
                data[at] = (uint8_t)(fuzzd_below(3) ? 32 + fuzzd_below(95) : fuzzd_below(256));
                size++;
            }
            break;
        case 4: /* repeat */
            if (some <= rest && size + some <= room) {
                memmove(data + at + some, data + at, rest);
                size += some;
            }
            break;
        default: { /* insert a piece */
            const char *piece = pieces[fuzzd_below(sizeof pieces / sizeof *pieces)];
            some = strlen(piece);
            if (size + some <= room) {
                memmove(data + at + some, data + at, rest);
                memcpy(data + at, piece, some);
                size += some;
            }
        }
        }
    }
    return size;
}

/* ---- the calls ---- */

static void fuzzd_ping(const struct arguments *call) {
    if (!call->has_proto) {
        fuzzd_say("{}");
        return;
    }
    fuzzd_use_control(call->has_control, call->control);
    fuzzd.is_native = true;
    fuzzd_say("{\"Proto\":1,\"Caps\":[\"input_in_memory\",\"coverage_sparse\"%s],\"Counters\":%d,"
              "\"BuildId\":\"c\",\"Types\":[\"[]byte\"]}",
              call->has_control ? ",\"control\"" : "", COUNTERS);
}

/* Err and Failure. */
static void fuzzd_say_failure(void) {
    fuzzd_say(",\"Err\":");
    fuzzd_say_text(fuzzd.message);
    fuzzd_say(",\"Failure\":{\"Kind\":\"error\",\"Location\":\"\",\"Message\":");
    fuzzd_say_text(fuzzd.message);
    fuzzd_say(",\"Details\":\"\"}");
}

/* Executes until something ends the call; how the last execution ended. `is_find` says whether it
 * was one. */
static enum outcome fuzzd_loop(const struct arguments *call, int64_t start, bool *is_find) {
    size_t size = *fuzzd.value_len, room = fuzzd.room;
    uint64_t count = *fuzzd.count;
    uint8_t *base = malloc(size + 1);
    if (!base) fuzzd_give_up("out of memory");
    memcpy(base, fuzzd.memory + VALUE, size);
    if (call->has_max_len && call->max_len < room) room = call->max_len;
    fuzzd.random = call->has_seed ? call->seed : (uint64_t)start;
    enum outcome outcome = PASSED;
    while (!fuzzd_must_stop() && !(call->limit && count >= (uint64_t)call->limit)) {
        if (call->timeout && count && fuzzd_now() - start >= call->timeout) break;
        *(volatile _Atomic uint64_t *)(void *)(fuzzd.memory + RAND_STATE) = fuzzd.random;
        fuzzd_put(base, size < room ? size : room);
        *fuzzd.value_len = fuzzd_mutate(size < room ? size : room, room);
        *fuzzd.count = ++count;
        outcome = fuzzd_execute();
        if (outcome == FAILED) break;
        if (outcome == PASSED && fuzzd_has_new()) {
            *is_find = true;
            for (size_t i = 0; i < COUNTERS; i++) fuzzd.mask[i] |= fuzzd.counters[i];
            break;
        }
    }
    *fuzzd.count = count;
    free(base);
    return outcome;
}

static void fuzzd_fuzz(const struct arguments *call) {
    int64_t start = fuzzd_now();
    const char *refused = NULL;
    enum outcome outcome = PASSED;
    bool is_find = false;
    if (!fuzzd.is_native) refused = "the Ping call must name a version";
    else if (call->is_bad) refused = "CoverageDelta has features that cannot be";
    else if (*fuzzd.value_len > fuzzd.room) refused = "the value does not fit its room";
    else if (!call->is_warmup && call->limit && (int64_t)*fuzzd.count >= call->limit)
        refused = "the limit is reached already";
    else if (call->is_warmup) outcome = fuzzd_execute_other();
    else outcome = fuzzd_loop(call, start, &is_find);
    fuzzd_say("{\"TotalDuration\":%" PRId64 ",\"InterestingDuration\":0,\"Count\":%" PRIu64
              ",\"CoverageData\":null",
              fuzzd_now() - start, *fuzzd.count);
    if (outcome == FAILED) fuzzd_say_failure();
    else fuzzd_say(",\"Err\":\"\"");
    fuzzd_say(",\"InternalErr\":");
    fuzzd_say_text(refused ? refused : "");
    if (is_find || (call->is_warmup && !refused && outcome == PASSED)) {
        fuzzd_say(",\"CoverageSparse\":");
        fuzzd_say_snapshot();
    }
    if (call->is_warmup && outcome == REJECTED) fuzzd_say(",\"Rejected\":true");
    if (fuzzd.other) fuzzd_say(",\"OtherCount\":%" PRIu64, fuzzd.other);
    fuzzd_say("}");
}

static bool fuzzd_holds(const struct arguments *call, enum outcome outcome) {
    if (!call->has_keep) return outcome == FAILED;
    for (size_t i = 0; i < COUNTERS; i++)
        if ((fuzzd.counters[i] & fuzzd.keep[i]) != fuzzd.keep[i]) return false;
    return outcome == PASSED;
}

static void fuzzd_minimize(const struct arguments *call) {
    int64_t start = fuzzd_now();
    size_t size = *fuzzd.value_len;
    uint8_t *best = malloc(size <= fuzzd.room ? size + 1 : 1);
    if (!best) fuzzd_give_up("out of memory");
    bool wrote = false;
    enum outcome outcome = PASSED;
    if (fuzzd.is_native && !call->is_bad && size <= fuzzd.room) {
        memcpy(best, fuzzd.memory + VALUE, size);
        outcome = fuzzd_execute_other();
        wrote = fuzzd_holds(call, outcome);
    }
    bool is_broken = call->has_keep && outcome == FAILED;
    for (size_t some = size / 2 ? size / 2 : 1; wrote && some && !is_broken; some /= 2) {
        for (size_t at = 0; at < size && !is_broken;) {
            bool is_late = call->timeout && fuzzd_now() - start >= call->timeout;
            if (is_late || fuzzd_must_stop()) break;
            if (call->limit && fuzzd.other >= (uint64_t)call->limit) break;
            size_t cut = some < size - at ? some : size - at;
            fuzzd_put(best, at);
            memcpy(fuzzd.memory + VALUE + at, best + at + cut, size - at - cut);
            *fuzzd.value_len = size - cut;
            outcome = fuzzd_execute_other();
            is_broken = call->has_keep && outcome == FAILED;
            if (!is_broken && fuzzd_holds(call, outcome)) {
                memmove(best + at, best + at + cut, size - at - cut);
                size -= cut;
            } else {
                at += cut;
            }
        }
    }
    if (wrote && !is_broken) {
        /* What is told is of the smallest: one execution more. */
        fuzzd_put(best, size);
        outcome = fuzzd_execute_other();
    }
    free(best);
    fuzzd_say("{\"WroteToMem\":%s", wrote || is_broken ? "true" : "false");
    if ((wrote || is_broken) && outcome == FAILED) fuzzd_say_failure();
    else fuzzd_say(",\"Err\":\"\"");
    fuzzd_say(",\"CoverageData\":null,\"Duration\":%" PRId64 ",\"Count\":0", fuzzd_now() - start);
    if (wrote && !is_broken && call->has_keep) {
        fuzzd_say(",\"CoverageSparse\":");
        fuzzd_say_snapshot();
    }
    fuzzd_say(",\"OtherCount\":%" PRIu64 "}", fuzzd.other);
}

/* ---- lines ---- */

/* The next line without its end, which stays valid until the next one is read. Exits at the end
 * of the stream. */
static const char *fuzzd_line(size_t *size) {
    static char *line;
    static size_t have, used, room;
    have -= used;
    if (have) memmove(line, line + used, have);
    used = 0;
    for (size_t looked = 0;;) {
        char *end = have > looked ? memchr(line + looked, '\n', have - looked) : NULL;
        size_t bytes = end ? (size_t)(end - line) : have;
        bool has_return = bytes && line[bytes - 1] == '\r';
        if (bytes - has_return > LINE_BYTES_MAX) fuzzd_give_up("a line is too long");
        if (end) {
            used = bytes + 1;
            *size = bytes - has_return;
            return line;
        }
        looked = have;
        if (room - have < 1 << 16) {
            room = room * 2 + (1 << 17);
            line = realloc(line, room);
            if (!line) fuzzd_give_up("out of memory");
        }
        ssize_t got = read(FUZZ_IN, line + have, 1 << 16);
        if (got < 0 && errno != EINTR) fuzzd_give_up("fuzz_in fails");
        if (got == 0 && have) fuzzd_give_up("fuzz_in ended inside a line");
        if (got == 0) _exit(0);
        if (got > 0) have += (size_t)got;
    }
}

static void fuzzd_start(fuzzd_test test) {
    struct stat stat;
    for (int fd = FUZZ_IN; fd <= MEMORY; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC)) fuzzd_give_up("a descriptor is missing");
    if (fstat(MEMORY, &stat) || stat.st_size < VALUE) fuzzd_give_up("fd 5 is no memory");
    fuzzd.memory_bytes = (size_t)stat.st_size;
    fuzzd.memory = mmap(NULL, fuzzd.memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, MEMORY, 0);
    if (fuzzd.memory == MAP_FAILED) fuzzd_give_up("the memory cannot be mapped");
    fuzzd.input = malloc(fuzzd.memory_bytes);
    if (!fuzzd.input) fuzzd_give_up("out of memory");
    fuzzd.count = (void *)(fuzzd.memory + COUNT);
    fuzzd.value_len = (void *)(fuzzd.memory + VALUE_LEN);
    fuzzd.test = test;
    fuzzd_use_control(false, 0);
    struct sigaction action = {.sa_handler = fuzzd_on_interrupt};
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int fuzzd_serve(fuzzd_test test) {
    const char *is_worker = getenv("FUZZD_WORKER");
    if (!is_worker || strcmp(is_worker, "1")) {
        fprintf(stderr, "this is a fuzzd worker: fuzzd run PATH\n");
        return 2;
    }
    fuzzd_start(test);
    while (!fuzzd.interrupted) {
        size_t size;
        const char *line = fuzzd_line(&size);
        fuzzd.in_call = 1;
        struct arguments call = fuzzd_read_call(line, size);
        fuzzd.other = 0;
        fuzzd_reply_bytes = 0;
        if (call.method == PING) fuzzd_ping(&call);
        else if (call.method == FUZZ) fuzzd_fuzz(&call);
        else fuzzd_minimize(&call);
        fuzzd_say("\n");
        for (size_t sent = 0; sent < fuzzd_reply_bytes;) {
            ssize_t wrote = write(FUZZ_OUT, fuzzd_reply + sent, fuzzd_reply_bytes - sent);
            if (wrote < 0 && errno == EPIPE) _exit(0);
            if (wrote < 0 && errno != EINTR) fuzzd_give_up("fuzz_out fails");
            if (wrote > 0) sent += (size_t)wrote;
        }
        fuzzd.in_call = 0;
    }
    _exit(0);
}

#define FUZZD_WORKER(test) \
    int main(void) { return fuzzd_serve(test); }

#endif
