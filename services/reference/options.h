/* Command line, lines of JSON and clocks: what every program of the reference has. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

struct address {
    long key;         /* System V */
    const char *path; /* a name in the file system, or of a POSIX object */
    const char *host;
    long port;
};

static struct {
    const char *mechanism, *role, *shape, *wait, *copies, *touched;
    long size, count, warmup, burst, sample_every, cpu, peer_cpu;
    double silence_s;
    struct address there, back; /* where the consumer receives, where the producer receives */
} option;

/* One line for the harness, and the end of this process. */
static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *format, ...) {
    const char *code = errno ? strerrorname_np(errno) : NULL;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ') *at = '\'';
    printf("{\"event\": \"error\", \"role\": \"%s\", \"message\": \"%s\", \"errno\": \"%s\"}\n", option.role, text,
           code ? code : "");
    fflush(stdout);
    exit(1);
}

static void usage(const char *program, const char *what) __attribute__((noreturn));
static void usage(const char *program, const char *what) {
    fprintf(stderr, "%s: invalid option %s: expected --describe, or the options of a run\n", program, what);
    exit(2);
}

static long number_in(const char *program, const char *name, const char *text, long least, long most) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most) usage(program, name);
    return value;
}

/* `choices` is "one|two|". */
static const char *one_of(const char *program, const char *name, const char *text, const char *choices) {
    size_t length = strlen(text);
    for (const char *at = choices; *at; at = strchr(at, '|') + 1)
        if (!strncmp(at, text, length) && at[length] == '|') return text;
    usage(program, name);
}

static void parse(int count, char **arguments) {
    const struct {
        const char *name, *choices;
        const char **text;
        long *number, least, most;
    } known[] = {
        {"--mechanism", NULL, &option.mechanism, NULL, 0, 0},
        {"--role", "producer|consumer|both|", &option.role, NULL, 0, 0},
        {"--shape", "one-way|round-trip|burst|", &option.shape, NULL, 0, 0},
        {"--size", NULL, NULL, &option.size, HEADER_BYTES, MAX_MESSAGE_BYTES},
        {"--count", NULL, NULL, &option.count, 1, 1L << 40},
        {"--warmup", NULL, NULL, &option.warmup, 0, 1L << 40},
        {"--burst", NULL, NULL, &option.burst, 1, 1L << 40},
        {"--sample-every", NULL, NULL, &option.sample_every, 1, 1L << 40},
        {"--wait", "block|spin|", &option.wait, NULL, 0, 0},
        {"--copies", "yes|no|", &option.copies, NULL, 0, 0},
        {"--touched", "yes|no|", &option.touched, NULL, 0, 0},
        {"--key", NULL, NULL, &option.there.key, 0, 0x7FFFFFFF},
        {"--path", NULL, &option.there.path, NULL, 0, 0},
        {"--host", NULL, &option.there.host, NULL, 0, 0},
        {"--port", NULL, NULL, &option.there.port, 0, 65535},
        {"--back-key", NULL, NULL, &option.back.key, 0, 0x7FFFFFFF},
        {"--back-path", NULL, &option.back.path, NULL, 0, 0},
        {"--back-host", NULL, &option.back.host, NULL, 0, 0},
        {"--back-port", NULL, NULL, &option.back.port, 0, 65535},
        {"--cpu", NULL, NULL, &option.cpu, -1, 1 << 20},
        {"--peer-cpu", NULL, NULL, &option.peer_cpu, -1, 1 << 20},
    };
    enum { KNOWN = sizeof known / sizeof *known };
    int given[KNOWN + 1] = {0};
    for (int at = 1; at < count; at += 2) {
        const char *name = arguments[at], *text = at + 1 < count ? arguments[at + 1] : NULL;
        size_t which = 0;
        while (which < KNOWN && strcmp(name, known[which].name)) which++;
        if (!text || (which == KNOWN && strcmp(name, "--silence-s"))) usage(arguments[0], name);
        given[which] = 1;
        if (which == KNOWN) {
            option.silence_s = strtod(text, NULL);
            if (!(option.silence_s >= 0.01 && option.silence_s <= 3600)) usage(arguments[0], name);
        } else if (known[which].number) {
            *known[which].number = number_in(arguments[0], name, text, known[which].least, known[which].most);
        } else {
            *known[which].text = known[which].choices ? one_of(arguments[0], name, text, known[which].choices) : text;
        }
    }
    for (size_t which = 0; which <= KNOWN; which++)
        if (!given[which]) usage(arguments[0], which < KNOWN ? known[which].name : "--silence-s");
}

static inline int is(const char *value, const char *word) { return !strcmp(value, word); }

static void say(const char *event) {
    printf("{\"event\": \"%s\", \"role\": \"%s\"}\n", event, option.role);
    fflush(stdout);
}

/* Blocks until the harness writes a line. */
static void await_go(void) {
    char byte = 0;
    while (byte != '\n') {
        ssize_t taken = read(STDIN_FILENO, &byte, 1);
        if (!taken || (taken < 0 && errno != EINTR)) exit(1); /* the harness has ended */
    }
}

static inline int64_t ns_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline int64_t now_ns(void) { return ns_of(CLOCK_MONOTONIC); }

struct usage {
    int64_t at_ns, cpu_ns, voluntary, involuntary;
};

static struct usage usage_now(void) {
    struct rusage own;
    int64_t at_ns = now_ns(), cpu_ns = ns_of(CLOCK_PROCESS_CPUTIME_ID);
    getrusage(RUSAGE_SELF, &own);
    return (struct usage){at_ns, cpu_ns, own.ru_nvcsw, own.ru_nivcsw};
}

/* The begin of a result's line, and its end. */
static void print_usage(struct usage begin, struct usage end) {
    printf("{\"event\": \"result\", \"role\": \"%s\", \"begin_ns\": %lld, \"end_ns\": %lld, \"cpu_ns\": %lld, "
           "\"voluntary\": %lld, \"involuntary\": %lld",
           option.role, (long long)begin.at_ns, (long long)end.at_ns, (long long)(end.cpu_ns - begin.cpu_ns),
           (long long)(end.voluntary - begin.voluntary), (long long)(end.involuntary - begin.involuntary));
}

static int64_t *samples;
static long sample_count;

static void make_room_for_samples(long count) {
    samples = malloc(sizeof *samples * (size_t)(count / option.sample_every + 1));
    if (!samples) fail("no memory for the samples of %ld messages", count);
    memset(samples, 0, sizeof *samples * (size_t)(count / option.sample_every + 1)); /* no page fault later */
}

static void print_samples(void) {
    printf(", \"samples_ns\": [");
    for (long at = 0; at < sample_count; at++) printf(at ? ", %lld" : "%lld", (long long)samples[at]);
    puts("]}");
    fflush(stdout);
}

#endif
