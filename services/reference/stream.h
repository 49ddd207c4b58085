/* A byte stream by descriptors: pipes and connected sockets. */
#ifndef STREAM_H
#define STREAM_H

#include "frames.h"

static int sending = -1, receiving = -1;

/* Waits for a sender and sets `receiving`; 0 if none came. */
static int await_sender(void);

static int send_message(unsigned char *message, size_t size) {
    size_t left;
    const unsigned char *at = frame_around(message, size, &left);
    while (left) {
        const ssize_t taken = write(sending, at, left);
        if (taken < 0) {
            if (interrupted()) continue;
            if (errno == EINTR || errno == EPIPE || errno == ECONNRESET) return 0;
            fail("write");
        }
        at += taken;
        left -= (size_t)taken;
    }
    return 1;
}

static size_t read_bytes(unsigned char *place, size_t wanted) {
    while (receiving < 0)
        if (!await_sender()) return 0;
    for (;;) {
        const ssize_t count = read(receiving, place, wanted);
        if (count >= 0) return (size_t)count;
        if (interrupted()) continue;
        if (errno == EINTR || errno == ECONNRESET) return 0;
        fail("read");
    }
}

#endif
