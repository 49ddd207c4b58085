/* A producer for the FIFO of the lab, in C and without a library. docs/MESSAGE_FORMAT.md describes the bytes.
 *
 *     cc -O2 -static -o sender sender.c
 *     ./sender FIFO COUNT SIZE
 *
 * It sends COUNT messages of SIZE bytes, 100 per second, and ends. Sources: fifo(7), pipe(7), clock_gettime(2).
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { PREFIX_BYTES = 12, HEADER_BYTES = 56, MAX_FRAME_BYTES = 4096, RATE = 100 };

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Little-endian on every machine. */
static void put(unsigned char *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

/* CRC-32 of zlib; begin with 0, go on with the last result. */
static uint32_t crc32(uint32_t crc, const unsigned char *data, size_t count)
{
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void seal(unsigned char *message, size_t size, uint64_t producer, uint64_t epoch, uint64_t sequence, uint64_t due)
{
    memcpy(message, "IPCL", 4);
    put(message + 4, 1, 4);
    put(message + 8, producer, 8);
    put(message + 16, epoch, 8);
    put(message + 24, sequence, 8);
    put(message + 32, due, 8);
    put(message + 40, nanoseconds(CLOCK_MONOTONIC), 8);
    put(message + 48, size, 4);
    uint32_t crc = crc32(0, message, HEADER_BYTES - 4);
    put(message + 52, crc32(crc, message + HEADER_BYTES, size - HEADER_BYTES), 4);
}

int main(int argc, char **argv)
{
    unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned long size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (count < 1 || size < HEADER_BYTES || PREFIX_BYTES + size > MAX_FRAME_BYTES) {
        fprintf(stderr, "usage: %s FIFO COUNT SIZE (SIZE from %d to %d bytes)\n", argv[0], HEADER_BYTES,
                MAX_FRAME_BYTES - PREFIX_BYTES);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader that is gone is EPIPE, and no death */
    int fifo = open(argv[1], O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fifo < 0) { /* ENXIO: nobody reads */
        fprintf(stderr, "error: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fcntl(fifo, F_SETFL, fcntl(fifo, F_GETFL) & ~O_NONBLOCK); /* from here on a full pipe blocks */

    unsigned char frame[MAX_FRAME_BYTES], *message = frame + PREFIX_BYTES;
    uint64_t producer = 0, epoch = nanoseconds(CLOCK_REALTIME), start = nanoseconds(CLOCK_MONOTONIC);
    while (producer == 0)
        if (getrandom(&producer, sizeof producer, 0) != sizeof producer)
            return 1;
    memcpy(frame, "FRAM", 4);
    put(frame + 4, size, 4);
    put(frame + 8, crc32(0, frame, 8), 4);
    for (uint64_t sequence = 0; sequence < count; sequence++) {
        uint64_t due = start + sequence * (1000000000u / RATE);
        struct timespec at = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
            ;
        memset(message + HEADER_BYTES, (int)(sequence & 0xff), size - HEADER_BYTES);
        seal(message, size, producer, epoch, sequence, due);
        /* One write of at most PIPE_BUF bytes is atomic: it is never mixed with another writer's (pipe(7)). */
        if (write(fifo, frame, PREFIX_BYTES + size) != (ssize_t)(PREFIX_BYTES + size)) {
            fprintf(stderr, "error: message %llu of %lu: %s\n", (unsigned long long)sequence, count, strerror(errno));
            return 1;
        }
    }
    printf("sent %lu messages of %lu bytes as producer %llu\n", count, size, (unsigned long long)producer);
    return 0;
}
