/* Unix domain socket, a byte stream: unix(7). Its buffer is the kernel's default, as in ipclab.mechanisms.unix_stream.
 * Replies go back on the same connection. */
#define MECHANISM "unix_stream"
#define REQUIRES "\"volume\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES MAX_MESSAGE_BYTES
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 1
#include "stream.h"

#include <sys/socket.h>

#include "unix_address.h"

static const char *own_path;
static int listener = -1;

static void create_receiver(const struct address *address) {
    own_path = address->path;
    unlink(own_path);
    const struct sockaddr_un name = unix_address(own_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (const struct sockaddr *)&name, sizeof name) || listen(listener, 1)) fail("bind %s", own_path);
}

static int await_sender(void) {
    while ((receiving = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
        if (errno != EINTR) fail("accept");
        if (silent) return 0;
    }
    sending = receiving;
    return 1;
}

static void remove_receiver(void) {
    close(listener);
    unlink(own_path);
}

static void open_sender(const struct address *address) {
    const struct sockaddr_un name = unix_address(address->path);
    sending = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (connect(sending, (const struct sockaddr *)&name, sizeof name)) {
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) fail("connect %s", address->path);
        retry_or_fail("unix socket", address->path);
    }
    receiving = sending;
}
