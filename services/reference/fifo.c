/* Named pipe: mkfifo(3), fifo(7), pipe(7). Of the capacity that the kernel gives it, as in ipclab.mechanisms.fifo. */
#define MECHANISM "fifo"
#define REQUIRES "\"volume\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES MAX_MESSAGE_BYTES
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 0
#include "stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

static const char *own_path;
static int reading_end = -1;

static void create_receiver(const struct address *address) {
    own_path = address->path;
    marked = 1; /* several writers may share the pipe */
    unlink(own_path);
    if (mkfifo(own_path, 0600)) fail("mkfifo %s", own_path);
    reading_end = open(own_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* waits for no writer */
    if (reading_end < 0 || fcntl(reading_end, F_SETFL, 0)) fail("open %s", own_path);
}

/* Before the first writer read(2) returns 0 at once, and poll(2) sleeps. */
static int await_sender(void) {
    while (poll(&(struct pollfd){reading_end, POLLIN, 0}, 1, -1) < 0)
        if (!interrupted()) return 0;
    receiving = reading_end;
    return 1;
}

static void remove_receiver(void) {
    close(reading_end);
    unlink(own_path);
}

static void open_sender(const struct address *address) {
    marked = 1;
    while ((sending = open(address->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) { /* ENXIO: no reader */
        if (errno != ENOENT && errno != ENXIO && errno != EINTR) fail("open %s", address->path);
        retry_or_fail("fifo", address->path);
    }
    if (fcntl(sending, F_SETFL, 0)) fail("fcntl");
}
