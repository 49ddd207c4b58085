/* Plain file: the producer appends under flock(2), the kernel tells the consumer by inotify(7), the consumer reads from
 * the page cache.
 *
 * Different from ipclab.mechanisms.plain_file: the file has no header with the reader's position, a frame has no checksum
 * behind it, and the reader takes no lock to read. All three are for a writer or a reader that is killed and for the
 * next one that goes on. So the two cannot read each other's file. */
#define MECHANISM "plain_file"
#define REQUIRES "\"volume\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES MAX_MESSAGE_BYTES
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 0
#include "frames.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>

enum { MAX_FILE_BYTES = 1 << 24, LONG_FILE_BYTES = 1 << 20, LOOK_BYTES = 1 << 16 };

static const char *own_path;
static int sending = -1, receiving = -1, watch = -1;
static off_t offset; /* up to here all was read */

static void create_receiver(const struct address *address) {
    own_path = address->path;
    unlink(own_path);
    receiving = open(own_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    watch = inotify_init1(IN_CLOEXEC);
    if (receiving < 0 || watch < 0 || inotify_add_watch(watch, own_path, IN_MODIFY) < 0) fail("file %s", own_path);
}

static void remove_receiver(void) {
    close(receiving);
    unlink(own_path);
}

static void open_sender(const struct address *address) {
    while ((sending = open(address->path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0) {
        if (errno != ENOENT) fail("open %s", address->path);
        retry_or_fail("file", address->path);
    }
}

static int lock(int descriptor) {
    while (flock(descriptor, LOCK_EX))
        if (!interrupted()) return 0;
    return 1;
}

static off_t length_of(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status)) fail("fstat");
    return status.st_size;
}

/* Appends under the lock, within which the reader shortens the file; 0 if the file is full, -1 if the peer is silent.
 * The length is looked up after every LOOK_BYTES, so a file is at most so much longer than MAX_FILE_BYTES. */
static int try_append(const unsigned char *frame, size_t size) {
    static size_t until_look;
    int fits = 1;
    if (!lock(sending)) return -1;
    if (size > until_look) {
        until_look = LOOK_BYTES;
        fits = length_of(sending) + (off_t)size <= MAX_FILE_BYTES;
    }
    if (fits) {
        if (write(sending, frame, size) != (ssize_t)size) fail("write");
        until_look -= size < until_look ? size : until_look;
    } else {
        until_look = 0;
    }
    flock(sending, LOCK_UN);
    return fits;
}

static int send_message(unsigned char *message, size_t size) {
    struct timespec pause = {0, 50000};
    size_t frame_bytes;
    const unsigned char *frame = frame_around(message, size, &frame_bytes);
    int appended;
    while (!(appended = try_append(frame, frame_bytes))) {
        nanosleep(&pause, NULL);
        if (silent) return 0;
        if (pause.tv_nsec < 5000000) pause.tv_nsec *= 2;
    }
    return appended > 0;
}

/* At the end: shortens a long file if nothing was appended meanwhile. */
static void shorten(void) {
    if (!lock(receiving)) return;
    if (length_of(receiving) == offset) {
        if (ftruncate(receiving, 0)) fail("ftruncate");
        offset = 0;
    }
    flock(receiving, LOCK_UN);
}

/* Sleeps until the file has changed since the last call: the kernel keeps the event. */
static int await_change(void) {
    char events[4096] __attribute__((aligned(8)));
    while (read(watch, events, sizeof events) < 0)
        if (!interrupted()) return 0;
    return 1;
}

static size_t read_bytes(unsigned char *place, size_t wanted) {
    for (;;) {
        const ssize_t count = pread(receiving, place, wanted, offset);
        if (count < 0) fail("pread");
        offset += count;
        if (count) return (size_t)count;
        if (offset > LONG_FILE_BYTES) shorten();
        else if (!await_change()) return 0;
    }
}
