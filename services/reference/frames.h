/* Messages over a byte stream: the frames of ipclab.building_blocks.framing, so both ends may be Python's.
 *
 *     prefix   "FRAM", length (u32), CRC-32 of these eight bytes
 *     message
 *
 * A *marked* frame, where several writers may share the stream and the frame is longer than PIPE_BUF, has a mark of
 * eight bytes before and behind the message: a number that no other frame has, and the CRC-32 of the prefix and it.
 *
 * The frame is written around the message, so a send is one write(2). The reader asks for as many bytes as the last
 * frame had, so a message of the same length is one read(2), and nothing is copied or moved here. (Reading ahead costs
 * fewer calls and more context switches: a reader that empties the buffer sleeps more often.) What Python does and this
 * does not: it goes on after garbage, and after the death of a writer. */
#ifndef FRAMES_H
#define FRAMES_H

#include "endpoint.h"

enum { PREFIX_BYTES = 12, MARK_BYTES = 8, ATOMIC_BYTES = 4096 };

static int marked;

static struct {
    size_t length; /* that the prefix is for */
    unsigned char prefix[PREFIX_BYTES];
    uint32_t prefix_crc, number;
} writer = {.length = SIZE_MAX};

static inline size_t mark_bytes(size_t size) {
    return marked && PREFIX_BYTES + size > ATOMIC_BYTES ? MARK_BYTES : 0;
}

static void write_prefix(unsigned char *prefix, size_t length) {
    const uint32_t content = (uint32_t)length;
    memcpy(prefix, "FRAM", 4);
    memcpy(prefix + 4, &content, 4);
    const uint32_t check = crc32_of(0, prefix, 8);
    memcpy(prefix + 8, &check, 4);
}

/* The frame around `message`, and its length. */
static unsigned char *frame_around(unsigned char *message, size_t size, size_t *frame_bytes) {
    const size_t mark = mark_bytes(size);
    if (size != writer.length) {
        writer.length = size;
        write_prefix(writer.prefix, size + 2 * mark);
        writer.prefix_crc = crc32_of(0, writer.prefix, PREFIX_BYTES);
    }
    if (mark) {
        writer.number++;
        const uint32_t words[2] = {writer.number, crc32_of(writer.prefix_crc, &writer.number, 4)};
        memcpy(message - mark, words, mark);
        memcpy(message + size, words, mark);
    }
    unsigned char *frame = message - mark - PREFIX_BYTES;
    memcpy(frame, writer.prefix, PREFIX_BYTES);
    *frame_bytes = PREFIX_BYTES + size + 2 * mark;
    return frame;
}

/* Waits for bytes and reads up to `wanted`; how many, or 0 if the peer is silent or gone. */
static size_t read_bytes(unsigned char *place, size_t wanted);

enum { BASE = ROOM_BYTES - PREFIX_BYTES }; /* the first message lies at a multiple of 64 */
static unsigned char incoming[BASE + PREFIX_BYTES + MAX_MESSAGE_BYTES + 2 * MARK_BYTES]
    __attribute__((aligned(64)));

static struct {
    size_t begin, end;                  /* what was read and not handed out */
    size_t length;                      /* of a frame's content, by its prefix */
    unsigned char prefix[PREFIX_BYTES]; /* the last one: the next is most likely the same */
    uint32_t prefix_crc;
} reader = {.begin = BASE, .end = BASE};

static void learn_prefix(const unsigned char *frame) {
    uint32_t length;
    unsigned char sound[PREFIX_BYTES];
    memcpy(&length, frame + 4, 4);
    write_prefix(sound, length);
    errno = 0;
    if (memcmp(frame, sound, PREFIX_BYTES)) fail("bytes that are no frame");
    if (length > MAX_MESSAGE_BYTES + 2 * MARK_BYTES) fail("a frame of %u bytes", length);
    memcpy(reader.prefix, sound, PREFIX_BYTES);
    reader.length = length;
    reader.prefix_crc = crc32_of(0, sound, PREFIX_BYTES);
}

static unsigned char *message_in(unsigned char *frame, size_t *size) {
    const size_t mark = mark_bytes(reader.length);
    unsigned char *message = frame + PREFIX_BYTES + mark;
    *size = reader.length - 2 * mark;
    if (mark) {
        uint32_t words[2];
        memcpy(words, message - mark, mark);
        errno = 0;
        if (memcmp(words, message + *size, mark) || words[1] != crc32_of(reader.prefix_crc, words, 4))
            fail("another writer's bytes within a frame");
    }
    return message;
}

/* In place, between its own frame's bytes: a reply may be framed around it. */
static unsigned char *receive_message(size_t *size) {
    for (;;) {
        unsigned char *frame = incoming + reader.begin;
        const size_t available = reader.end - reader.begin;
        if (available >= PREFIX_BYTES) {
            if (memcmp(frame, reader.prefix, PREFIX_BYTES)) learn_prefix(frame);
            const size_t whole = PREFIX_BYTES + reader.length;
            if (available >= whole) {
                reader.begin += whole;
                if (available == whole) reader.begin = reader.end = BASE;
                return message_in(frame, size);
            }
        }
        if (reader.begin != BASE) {
            memmove(incoming + BASE, frame, available);
            reader.begin = BASE;
            reader.end = BASE + available;
        }
        const size_t count = read_bytes(incoming + reader.end, PREFIX_BYTES + reader.length - available);
        if (!count) return NULL;
        reader.end += count;
    }
}

#endif
