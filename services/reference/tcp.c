/* TCP: tcp(7), with TCP_NODELAY and the kernel's buffers, as in ipclab.mechanisms.tcp. Replies go back on the same
 * connection. */
#define MECHANISM "tcp"
#define REQUIRES "\"network\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES MAX_MESSAGE_BYTES
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 1
#include "stream.h"

#include <netinet/tcp.h>

#include "inet_address.h"

static int listener = -1;

static void hold_nothing_back(int connection) {
    if (setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int))) fail("TCP_NODELAY");
}

static void create_receiver(const struct address *address) {
    struct sockaddr_in own;
    errno = 0;
    if (!inet_address(address, &own)) fail("no address of %s", address->host);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (const struct sockaddr *)&own, sizeof own) || listen(listener, 1))
        fail("bind %s:%ld", address->host, address->port);
}

static int await_sender(void) {
    while ((receiving = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
        if (errno != EINTR) fail("accept");
        if (silent) return 0;
    }
    hold_nothing_back(receiving);
    sending = receiving;
    return 1;
}

static void remove_receiver(void) { close(listener); }

static void open_sender(const struct address *address) {
    for (;;) {
        struct sockaddr_in peer;
        sending = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (inet_address(address, &peer)) {
            if (!connect(sending, (const struct sockaddr *)&peer, sizeof peer)) break;
            if (errno != ECONNREFUSED && errno != EINTR) fail("connect %s:%ld", address->host, address->port);
        }
        close(sending);
        retry_or_fail("tcp", address->host);
    }
    hold_nothing_back(sending);
    receiving = sending;
}
