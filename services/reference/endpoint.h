/* The course of one process: ready, warm-up, go, the timed part, the result. A mechanism's file includes this one and
 * defines the functions declared first; everything is one translation unit, so the calls are inlined. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "message.h"
#include "options.h"
#include "silence.h"

static struct buffer outgoing;

/* Defined before this header is included, as words of JSON where `describe` prints them: MECHANISM, REQUIRES, SHAPES,
 * MAX_BYTES, RELIABLE, and REPLIES_ON_CONNECTION: a two-way connection, so no second channel for replies. */

static void create_receiver(const struct address *);
static void remove_receiver(void);
static void open_sender(const struct address *); /* waits until there is a receiver */

/* Sends `message`, which has ROOM_BYTES before and behind it; 0 if the peer is silent or gone. */
static int send_message(unsigned char *message, size_t size);
/* The next message, in place, valid until the next call; NULL if the peer is silent or gone. */
static unsigned char *receive_message(size_t *size);

#ifdef ZERO_COPY
#define WAITS "\"block\", \"spin\""
#define COPIES "\"yes\", \"no\""
static unsigned char *loan(size_t size); /* where the message is to be built; NULL if the peer is silent */
static void commit(size_t size);
static unsigned char *borrow(size_t *size);
static void release(void);
#else
#define WAITS "\"block\""
#define COPIES "\"yes\""
static unsigned char *loan(size_t size) { return size ? outgoing.message : NULL; }
static void commit(size_t size) { (void)size; }
static unsigned char *borrow(size_t *size) { return receive_message(size); }
static void release(void) {}
#endif

enum { OPEN_WITHIN_MS = 10000 };

/* For `open_sender`: another try in a millisecond, unless the peer was absent for too long. */
static void retry_or_fail(const char *what, const char *name) {
    static int tries;
    if (tries++ == OPEN_WITHIN_MS) fail("no receiver of %s %s", what, name);
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static int zero_copy, touched, is_round_trip, is_burst;

static inline int put(uint64_t sequence, uint64_t due_ns, size_t size) {
    unsigned char *message = zero_copy ? loan(size) : outgoing.message;
    if (!message) return 0;
    write_header(message, sequence, due_ns);
    if (touched) memcpy(message + HEADER_BYTES, payload_of(sequence), size - HEADER_BYTES);
    if (zero_copy) commit(size);
    moved++;
    return zero_copy || send_message(message, size);
}

static inline unsigned char *take(size_t *size) {
    unsigned char *message = zero_copy ? borrow(size) : receive_message(size);
    moved++;
    return message;
}

static inline void give_back(void) {
    if (zero_copy) release();
}

/* The reply is the message itself, or for zero copy a message of its own. The producer has made the receiver of replies
 * before it sent its first message, so what is opened here is no leftover of another run. */
static inline int reply(unsigned char *message, size_t size) {
    static int is_open = REPLIES_ON_CONNECTION;
    if (!is_open) {
        open_sender(&option.back);
        is_open = 1;
    }
    if (!zero_copy) return send_message(message, size);
    unsigned char *own = loan(size);
    if (!own) return 0;
    memcpy(own, message, HEADER_BYTES);
    if (touched) memcpy(own + HEADER_BYTES, payload_of(sequence_of(own)), size - HEADER_BYTES);
    commit(size);
    return 1;
}

static struct tally {
    uint64_t sent, received, reordered, duplicated, corrupt;
    uint64_t expected;
    uint32_t last_crc;
} tally;

/* Messages `first` to `first + count - 1`; `timed` takes samples. */
static void produce(uint64_t first, uint64_t count, int timed) {
    const size_t size = (size_t)option.size;
    const uint64_t every = timed ? (uint64_t)option.sample_every : 0, burst = (uint64_t)option.burst;
    uint64_t until_sample = every, due_ns = 0;
    for (uint64_t done = 0; done < count; done++) {
        int64_t begin_ns = 0;
        if (is_burst && done % burst == 0) due_ns = (uint64_t)now_ns();
        const int is_sample = is_round_trip && every && !--until_sample;
        if (is_sample) begin_ns = now_ns();
        if (!put(first + done, due_ns, size)) return;
        tally.sent++;
        if (!is_round_trip && !(is_burst && (done % burst == burst - 1 || done == count - 1))) continue;
        size_t length;
        unsigned char *answer = take(&length);
        if (!answer) return;
        tally.received++;
        if (touched && is_round_trip) tally.corrupt += length != size || !has_its_payload(answer, size);
        give_back();
        if (is_sample) {
            samples[sample_count++] = now_ns() - begin_ns;
            until_sample = every;
        }
    }
}

/* Messages up to `first + count - 1`. After the last one of a timed part: `end`, then the checksum. Where the last one is
 * lost, the time ends with the last sample, and the silence that followed is no part of it. */
static void consume(uint64_t first, uint64_t count, struct usage *end) {
    const size_t size = (size_t)option.size;
    const uint64_t every = end ? (uint64_t)option.sample_every : 0, burst = (uint64_t)option.burst;
    uint64_t until_sample = every;
    int64_t before_ns = now_ns();
    tally.expected = first;
    while (tally.expected < first + count) {
        size_t length;
        unsigned char *message = take(&length);
        if (!message) break;
        if (length != size) fail("a message of %zu bytes, not of %zu", length, size);
        const uint64_t sequence = sequence_of(message);
        if (sequence < first) { /* of the warm-up, and late */
            if (is_round_trip && !reply(message, size)) break;
            give_back();
            continue;
        }
        if (sequence >= tally.expected) {
            tally.expected = sequence + 1;
            tally.received++;
        } else if (sequence == tally.expected - 1) {
            tally.duplicated++;
        } else {
            tally.received++;
            tally.reordered++;
        }
        if (touched) tally.corrupt += !has_its_payload(message, size);
        if (every && !is_round_trip && !--until_sample) {
            const int64_t at_ns = now_ns();
            samples[sample_count++] = is_burst ? at_ns - due_ns_of(message) : (at_ns - before_ns) / (int64_t)every;
            before_ns = at_ns;
            until_sample = every;
        }
        const uint64_t done = tally.expected - first;
        const int is_last = done >= count;
        if (is_round_trip && !reply(message, size)) break;
        if (is_burst && (done % burst == 0 || is_last) && !reply(message, HEADER_BYTES)) break;
        if (is_last && end) {
            *end = usage_now();
            if (!zero_copy || touched) tally.last_crc = crc32_of(0, message + HEADER_BYTES, size - HEADER_BYTES);
        }
        give_back();
    }
    if (end && !end->at_ns) {
        *end = usage_now();
        if (sample_count) end->at_ns = before_ns;
    }
}

/* A consumer is there before its producer: a silence before the first message is no loss. */
static void consume_warmup(void) {
    const int64_t deadline_ns = now_ns() + OPEN_WITHIN_MS * INT64_C(1000000);
    do {
        silent = 0;
        consume(0, (uint64_t)option.warmup, NULL);
    } while (option.warmup && !tally.received && now_ns() < deadline_ns);
}

static void run_producer(void) {
    if (is_round_trip || is_burst) {
        if (!REPLIES_ON_CONNECTION) create_receiver(&option.back);
    }
    open_sender(&option.there);
    memcpy(outgoing.message + HEADER_BYTES, pattern, sizeof outgoing.message - HEADER_BYTES);
    say("ready");
    produce(0, (uint64_t)option.warmup, 0);
    say("warm");
    await_go();
    tally = (struct tally){0};
    silent = 0;
    moved++;
    const struct usage begin = usage_now();
    produce((uint64_t)option.warmup, (uint64_t)option.count, 1);
    const struct usage end = usage_now();
    if ((is_round_trip || is_burst) && !REPLIES_ON_CONNECTION) remove_receiver();
    print_usage(begin, end);
    printf(", \"size\": %ld, \"sent\": %llu, \"received\": %llu, \"corrupt\": %llu", option.size,
           (unsigned long long)tally.sent, (unsigned long long)tally.received, (unsigned long long)tally.corrupt);
    print_samples();
}

static void run_consumer(void) {
    create_receiver(&option.there);
    say("ready");
    consume_warmup();
    say("warm");
    await_go();
    tally = (struct tally){0};
    silent = 0;
    moved++;
    const struct usage begin = usage_now();
    struct usage end = {0};
    consume((uint64_t)option.warmup, (uint64_t)option.count, &end);
    remove_receiver();
    print_usage(begin, end);
    printf(", \"size\": %ld, \"received\": %llu, \"lost\": %llu, \"reordered\": %llu, \"duplicated\": %llu, "
           "\"corrupt\": %llu, \"crc32\": %u",
           option.size, (unsigned long long)tally.received, (unsigned long long)option.count - tally.received,
           (unsigned long long)tally.reordered, (unsigned long long)tally.duplicated,
           (unsigned long long)tally.corrupt, tally.last_crc);
    print_samples();
}

static void describe(void) {
    printf("{\"rows\": [{\"implementation\": \"c\", \"mechanism\": \"%s\", \"requires\": [%s], \"max_bytes\": %zu, "
           "\"shapes\": [%s], \"waits\": [%s], \"copies\": [%s], \"ordered\": %s, \"reliable\": %s, "
           "\"together\": false, \"limit\": false, \"version\": \"gcc %s -O2\"}]}\n",
           MECHANISM, REQUIRES, (size_t)MAX_BYTES, SHAPES, WAITS, COPIES, RELIABLE ? "true" : "false",
           RELIABLE ? "true" : "false", __VERSION__);
}

int main(int count, char **arguments) {
    if (count == 2 && is(arguments[1], "--describe")) {
        describe();
        return 0;
    }
    parse(count, arguments);
    fill_tables();
    if (!is(option.mechanism, MECHANISM)) fail("this is %s, not %s", MECHANISM, option.mechanism);
    if (is(option.role, "both")) fail("the two sides are two processes: --role producer, --role consumer");
    zero_copy = is(option.copies, "no");
    touched = is(option.touched, "yes");
    is_round_trip = is(option.shape, "round-trip");
    is_burst = is(option.shape, "burst");
#ifndef ZERO_COPY
    if (zero_copy) fail("%s has no way without copies", MECHANISM);
    if (is(option.wait, "spin")) fail("%s cannot spin", MECHANISM);
#endif
    if ((size_t)option.size > (size_t)MAX_BYTES) {
        errno = EMSGSIZE;
        fail("%ld bytes; at most %zu", option.size, (size_t)MAX_BYTES);
    }
    if (is(option.role, "producer") || !is_round_trip) make_room_for_samples(option.count);
    limit_silence();
    if (is(option.role, "producer")) run_producer();
    else run_consumer();
    return 0;
}

#endif
