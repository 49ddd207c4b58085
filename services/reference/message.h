/* The message of `./lab bench`, the same in every language, little-endian:
 *
 *     offset 0   u64  sequence  from 0, warm-up included
 *     offset 8   u64  due_ns    CLOCK_MONOTONIC at the begin of the burst; 0 in the other shapes
 *     offset 16       payload   pattern[8 * (sequence & 7) + i], where pattern[j] = j % 251
 *
 * A message lies in a buffer with room before and behind it, so that a mechanism writes its frame around the message
 * and sends both with one system call and without a copy. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "messages are little-endian"
#endif

enum { HEADER_BYTES = 16, MAX_MESSAGE_BYTES = 1 << 20, ROOM_BYTES = 64 };

struct buffer {
    unsigned char before[ROOM_BYTES];
    unsigned char message[MAX_MESSAGE_BYTES];
    unsigned char behind[ROOM_BYTES];
} __attribute__((aligned(64)));

static unsigned char pattern[MAX_MESSAGE_BYTES + 64];
static uint32_t crc_table[256];

static inline void fill_tables(void) {
    for (size_t at = 0; at < sizeof pattern; at++) pattern[at] = (unsigned char)(at % 251);
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
        crc_table[byte] = crc;
    }
}

/* CRC-32 as zlib.crc32(bytes, crc) computes it; `crc` is 0 or that of the bytes before. */
static inline uint32_t crc32_of(uint32_t crc, const void *bytes, size_t length) {
    const unsigned char *byte = bytes;
    crc = ~crc;
    while (length--) crc = crc >> 8 ^ crc_table[(crc ^ *byte++) & 255];
    return ~crc;
}

static inline const unsigned char *payload_of(uint64_t sequence) { return pattern + 8 * (sequence & 7); }

static inline void write_header(unsigned char *message, uint64_t sequence, uint64_t due_ns) {
    memcpy(message, &sequence, 8);
    memcpy(message + 8, &due_ns, 8);
}

static inline uint64_t sequence_of(const unsigned char *message) {
    uint64_t sequence;
    memcpy(&sequence, message, 8);
    return sequence;
}

static inline int64_t due_ns_of(const unsigned char *message) {
    int64_t due_ns;
    memcpy(&due_ns, message + 8, 8);
    return due_ns;
}

/* Is the payload the one that belongs to the sequence number? Reads every byte. */
static inline int has_its_payload(const unsigned char *message, size_t size) {
    return !memcmp(message + HEADER_BYTES, payload_of(sequence_of(message)), size - HEADER_BYTES);
}

#endif
