/* A small calculator, and a fuzz test for it: `fuzzd run ./calc`.
 *
 *     cc -O1 -g -fsanitize-coverage=trace-pc -o calc calc.c
 *
 * Expressions of integers, as in `(1 + 2) * -3 % 4`. Nothing here was put in for the fuzzer to
 * find. */
#include "fuzzd_worker.h"

struct parser {
    const uint8_t *at, *end;
    int depth;
    bool is_wrong;
};

enum { NESTING_MAX = 50 };

static uint64_t sum(struct parser *p);

static int next(struct parser *p) {
    while (p->at < p->end && *p->at == ' ') p->at++;
    return p->at < p->end ? *p->at : -1;
}

static uint64_t wrong(struct parser *p) {
    p->is_wrong = true;
    p->at = p->end;
    return 0;
}

static uint64_t number(struct parser *p) {
    uint64_t value = 0;
    if (p->at == p->end || *p->at < '0' || *p->at > '9') return wrong(p);
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        value = value * 10 + (uint64_t)(*p->at++ - '0');
    return value;
}

static uint64_t factor(struct parser *p) {
    if (next(p) == '-') {
        p->at++;
        if (++p->depth > NESTING_MAX) return wrong(p);
        uint64_t value = factor(p);
        p->depth--;
        return 0 - value;
    }
    if (next(p) != '(') return number(p);
    p->at++;
    if (++p->depth > NESTING_MAX) return wrong(p);
    uint64_t value = sum(p);
    p->depth--;
    if (next(p) != ')') return wrong(p);
    p->at++;
    return value;
}

static uint64_t product(struct parser *p) {
    uint64_t left = factor(p);
    for (;;) {
        int operator = next(p);
        if (operator != '*' && operator != '/' && operator != '%') return left;
        p->at++;
        uint64_t right = factor(p);
        if (operator == '*') left *= right;
        else if (operator == '%') left = (uint64_t)((int64_t)left % (int64_t)right);
        else if (right == 0) return wrong(p);
        else left = (uint64_t)((int64_t)left / (int64_t)right);
    }
}

static uint64_t sum(struct parser *p) {
    uint64_t left = product(p);
    for (;;) {
        int operator = next(p);
        if (operator != '+' && operator != '-') return left;
        p->at++;
        uint64_t right = product(p);
        left = operator == '+' ? left + right : left - right;
    }
}

/* The value of an expression; false if it is none. */
static bool calculate(const uint8_t *text, size_t size, int64_t *value) {
    struct parser parser = {text, text + size, 0, false};
    *value = (int64_t)sum(&parser);
    return !parser.is_wrong && next(&parser) == -1;
}

static int fuzz(const uint8_t *data, size_t size) {
    int64_t value, again;
    char text[32];
    if (!calculate(data, size, &value)) return 0;
    /* What is written is read as the same number. */
    int length = snprintf(text, sizeof text, "%" PRId64, value);
    if (!calculate((const uint8_t *)text, (size_t)length, &again) || again != value)
        fuzzd_fail("%s is read as another number", text);
    return 0;
}

FUZZD_WORKER(fuzz)
