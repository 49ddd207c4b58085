/* A ring buffer in shared memory for one sender and one receiver, with C11 atomics: the common part of the three
 * mechanisms of shared memory. A mechanism's file provides the memory and the semaphores that wake.
 *
 * A record is its length (u64) and the message, padded to 8 bytes; a length of WRAP says that the next record is at the
 * begin of the data. `tail` and `head` count bytes ever written and ever read; each has one owner and a cache line.
 * A store of `tail` with release publishes a record: who loads it with acquire sees the record's bytes.
 *
 * The sender may build a message in place (`loan`, `commit`) and the receiver read it there (`borrow`, `release`).
 * Without that, a message is copied in and out.
 *
 * To stay in the caches, the sender goes back to the begin of the data once WINDOW_BYTES are behind it and the next
 * record would fit there, also when records are left behind it that were not read yet.
 *
 * Waiting: a side that sleeps says so in shared memory first and then looks once more; the other one looks there after
 * each store. The full fences between the two steps of both make one of them see the other's store.
 *
 * Different from ipclab.building_blocks.ring: the layout, so the two cannot share a ring; a record has no commit word
 * that proves it sound, and the sender is woken when the window is half empty and not after one record. */
#ifndef RING_H
#define RING_H

#define ZERO_COPY
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES MAX_MESSAGE_BYTES
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 0
#include "endpoint.h"

#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>

enum { LENGTH_BYTES = 8, DATA_BYTES = 2 * (LENGTH_BYTES + MAX_MESSAGE_BYTES), WINDOW_BYTES = 1 << 20 };
static const uint64_t WRAP = UINT64_MAX;

struct ring {
    alignas(64) _Atomic uint64_t tail; /* the sender's */
    alignas(64) _Atomic uint64_t head; /* the receiver's */
    alignas(64) _Atomic uint32_t receiver_sleeps;
    alignas(64) _Atomic uint64_t sender_sleeps_until; /* head is here; 0: it does not sleep */
    alignas(64) _Atomic uint64_t is_ready;
    alignas(64) unsigned char data[DATA_BYTES];
};

enum notifier { DATA_READY, SPACE_AVAILABLE };

/* A mechanism's: one ring in each direction, so each process has at most one of each. */
static void notify(int of_sender, enum notifier);
static void wait_for(int of_sender, enum notifier); /* returns after a notification or a signal */

enum { RECEIVING, SENDING };

/* `seen` is the other side's position, as it was when this side last had to look. */
static struct {
    struct ring *ring;
    uint64_t tail, seen_head; /* `tail` is where the next record begins */
} to;
static struct {
    struct ring *ring;
    uint64_t head, seen_tail, next; /* `next` is behind the borrowed record */
} from;
static struct buffer incoming;

static inline size_t record_bytes(size_t size) { return LENGTH_BYTES + ((size + 7) & ~(size_t)7); }

static inline uint64_t *length_at(struct ring *ring, uint64_t position) {
    return (uint64_t *)(void *)(ring->data + position % DATA_BYTES);
}

static inline int spins(void) { return option.wait[0] == 's'; }

/* One look in vain: on one CPU the other side has to run. 0 after silence. */
static inline int spin_once(void) {
    if (option.cpu == option.peer_cpu) sched_yield();
#if defined __x86_64__
    else __builtin_ia32_pause();
#endif
    return !silent;
}

/* Room for a record at `to.tail`, which is moved over the end of the data or of the window; 0 after silence. */
static int make_room(size_t size) {
    struct ring *ring = to.ring;
    const uint64_t record = record_bytes(size), window = record > WINDOW_BYTES / 2 ? 2 * record : WINDOW_BYTES;
    const uint64_t offset = to.tail % DATA_BYTES;
    uint64_t begin = to.tail;
    if (offset + record > (window < DATA_BYTES ? window : DATA_BYTES)) begin += DATA_BYTES - offset;
    const uint64_t needed = begin + record - DATA_BYTES;
    while ((int64_t)(to.seen_head - needed) < 0) {
        to.seen_head = atomic_load_explicit(&ring->head, memory_order_acquire);
        if ((int64_t)(to.seen_head - needed) >= 0) break;
        if (spins()) {
            if (!spin_once()) return 0;
            continue;
        }
        const uint64_t half = to.tail - window / 2;
        atomic_store_explicit(&ring->sender_sleeps_until, (int64_t)(half - needed) > 0 ? half : needed,
                              memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if ((int64_t)(atomic_load_explicit(&ring->head, memory_order_acquire) - needed) < 0)
            wait_for(SENDING, SPACE_AVAILABLE);
        atomic_store_explicit(&ring->sender_sleeps_until, 0, memory_order_relaxed);
        if (silent) return 0;
    }
    if (begin != to.tail) *length_at(ring, to.tail) = WRAP;
    to.tail = begin;
    return 1;
}

static unsigned char *loan(size_t size) {
    if (!make_room(size)) return NULL;
    return to.ring->data + to.tail % DATA_BYTES + LENGTH_BYTES;
}

static void commit(size_t size) {
    struct ring *ring = to.ring;
    *length_at(ring, to.tail) = size;
    to.tail += record_bytes(size);
    atomic_store_explicit(&ring->tail, to.tail, memory_order_release);
    if (spins()) return;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&ring->receiver_sleeps, memory_order_relaxed) &&
        atomic_exchange_explicit(&ring->receiver_sleeps, 0, memory_order_relaxed))
        notify(SENDING, DATA_READY);
}

static unsigned char *borrow(size_t *size) {
    struct ring *ring = from.ring;
    while (from.seen_tail == from.head) {
        from.seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (from.seen_tail != from.head) break;
        if (spins()) {
            if (!spin_once()) return NULL;
            continue;
        }
        atomic_store_explicit(&ring->receiver_sleeps, 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load_explicit(&ring->tail, memory_order_acquire) == from.head) wait_for(RECEIVING, DATA_READY);
        atomic_store_explicit(&ring->receiver_sleeps, 0, memory_order_relaxed);
        if (silent) return NULL;
    }
    if (*length_at(ring, from.head) == WRAP) from.head += DATA_BYTES - from.head % DATA_BYTES;
    *size = *length_at(ring, from.head);
    from.next = from.head + record_bytes(*size);
    return ring->data + from.head % DATA_BYTES + LENGTH_BYTES;
}

static void release(void) {
    struct ring *ring = from.ring;
    from.head = from.next;
    atomic_store_explicit(&ring->head, from.head, memory_order_release);
    if (spins()) return;
    atomic_thread_fence(memory_order_seq_cst);
    const uint64_t until = atomic_load_explicit(&ring->sender_sleeps_until, memory_order_relaxed);
    if (until && (int64_t)(from.head - until) >= 0 &&
        atomic_exchange_explicit(&ring->sender_sleeps_until, 0, memory_order_relaxed))
        notify(RECEIVING, SPACE_AVAILABLE);
}

static int send_message(unsigned char *message, size_t size) {
    unsigned char *place = loan(size);
    if (!place) return 0;
    memcpy(place, message, size);
    commit(size);
    return 1;
}

static unsigned char *receive_message(size_t *size) {
    const unsigned char *place = borrow(size);
    if (!place) return NULL;
    memcpy(incoming.message, place, *size);
    release();
    return incoming.message;
}

/* Positions begin one lap after 0, so that none of them is 0. `ring` is of fresh memory, which is zero. */
static void make_ring(struct ring *ring) {
    from.ring = ring;
    from.head = from.seen_tail = DATA_BYTES;
    atomic_store_explicit(&ring->head, DATA_BYTES, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, DATA_BYTES, memory_order_relaxed);
    atomic_store_explicit(&ring->is_ready, 1, memory_order_release);
}

/* 0 while the receiver is still making it. */
static int open_ring(struct ring *ring) {
    to.ring = ring;
    to.tail = to.seen_head = DATA_BYTES;
    return atomic_load_explicit(&ring->is_ready, memory_order_acquire) != 0;
}

#endif
