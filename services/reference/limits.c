/* What no mechanism beats on this machine: copying memory, moving a cache line between the cores, entering the kernel,
 * waking a sleeper. One process, `--role both`.
 *
 *     memory_copy     one-way      memcpy of `size` bytes, from the same place to the same place
 *     system_call     one-way      getppid(2): into the kernel and out again, nothing else
 *     cache_line_hop  round-trip   a word in one cache line: one core stores, the other sees it and answers; two hops
 *     futex_wake      round-trip   the same, and the side that waits sleeps in futex(2): two wakes */
#include "options.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static unsigned char source[MAX_MESSAGE_BYTES], target[MAX_MESSAGE_BYTES];

/* Of two threads; even values are one side's turn, odd ones the other's. */
static struct {
    alignas(64) _Atomic uint32_t turn;
    alignas(64) _Atomic int ends;
} shared;

static void copy_memory(void) {
    memcpy(target, source, (size_t)option.size);
    __asm__ volatile("" : : "r"(target) : "memory"); /* the compiler keeps the copy */
}

static void call_system(void) { syscall(SYS_getppid); }

static void await_turn_spinning(uint32_t turn) {
    while (atomic_load_explicit(&shared.turn, memory_order_acquire) != turn && !atomic_load(&shared.ends)) {
        if (option.cpu == option.peer_cpu) sched_yield();
    }
}

static void await_turn_sleeping(uint32_t turn) {
    uint32_t seen;
    while ((seen = atomic_load_explicit(&shared.turn, memory_order_acquire)) != turn && !atomic_load(&shared.ends))
        syscall(SYS_futex, &shared.turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void take_turn(uint32_t turn, int wakes) {
    atomic_store_explicit(&shared.turn, turn, memory_order_release);
    if (wakes) syscall(SYS_futex, &shared.turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int sleeps;

static void await_turn(uint32_t turn) { sleeps ? await_turn_sleeping(turn) : await_turn_spinning(turn); }

static void pin(long cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0) return;
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) fail("CPU %ld", cpu);
}

static void *answer(void *unused) {
    pin(option.peer_cpu);
    for (uint32_t turn = 1; !atomic_load(&shared.ends); turn += 2) {
        await_turn(turn);
        take_turn(turn + 1, sleeps);
    }
    return unused;
}

static void ask(void) {
    static uint32_t turn;
    take_turn(turn + 1, sleeps);
    turn += 2;
    await_turn(turn);
}

static void measure(void (*operation)(void), long size) {
    for (long at = 0; at < option.warmup; at++) operation();
    say("warm");
    await_go();
    const struct usage begin = usage_now();
    int64_t before_ns = begin.at_ns;
    for (long done = 0, until = option.sample_every; done < option.count; done++) {
        operation();
        if (--until) continue;
        const int64_t at_ns = now_ns();
        samples[sample_count++] = (at_ns - before_ns) / option.sample_every;
        before_ns = at_ns;
        until = option.sample_every;
    }
    const struct usage end = usage_now();
    print_usage(begin, end);
    printf(", \"size\": %ld, \"count\": %ld", size, option.count);
    print_samples();
}

static void measure_two(long size) {
    pthread_t other;
    if ((errno = pthread_create(&other, NULL, answer, NULL))) fail("pthread_create");
    measure(ask, size);
    atomic_store(&shared.ends, 1);
    take_turn(UINT32_MAX, 1);
    pthread_join(other, NULL);
}

static void describe(void) {
    static const struct {
        const char *mechanism, *shape, *wait;
        long max_bytes;
    } rows[] = {
        {"memory_copy", "one-way", "block", MAX_MESSAGE_BYTES},
        {"system_call", "one-way", "block", MAX_MESSAGE_BYTES},
        {"cache_line_hop", "round-trip", "spin", 64},
        {"futex_wake", "round-trip", "block", MAX_MESSAGE_BYTES},
    };
    const size_t count = sizeof rows / sizeof *rows;
    printf("{\"rows\": [");
    for (size_t at = 0; at < count; at++)
        printf("{\"implementation\": \"c\", \"mechanism\": \"%s\", \"requires\": [], \"max_bytes\": %ld, "
               "\"shapes\": [\"%s\"], \"waits\": [\"%s\"], \"copies\": [\"yes\"], \"ordered\": true, "
               "\"reliable\": true, \"together\": true, \"limit\": true, \"version\": \"gcc %s -O2\"}%s",
               rows[at].mechanism, rows[at].max_bytes, rows[at].shape, rows[at].wait, __VERSION__,
               at + 1 < count ? ", " : "]}\n");
}

int main(int count, char **arguments) {
    if (count == 2 && is(arguments[1], "--describe")) {
        describe();
        return 0;
    }
    parse(count, arguments);
    if (!is(option.role, "both")) fail("one process measures: --role both");
    make_room_for_samples(option.count);
    memset(source, 1, sizeof source);
    memset(target, 2, sizeof target);
    pin(option.cpu);
    say("ready");
    sleeps = is(option.mechanism, "futex_wake");
    if (is(option.mechanism, "memory_copy")) measure(copy_memory, option.size);
    else if (is(option.mechanism, "system_call")) measure(call_system, 0);
    else if (is(option.mechanism, "cache_line_hop")) measure_two(64);
    else if (sleeps) measure_two(0);
    else fail("no limit is called %s", option.mechanism);
    return 0;
}
