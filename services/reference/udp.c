/* UDP: datagrams, udp(7), with the kernel's buffers, as in ipclab.mechanisms.udp. What finds the receiver's buffer full
 * is dropped. */
#define MECHANISM "udp"
#define REQUIRES "\"network\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES 65507 /* 65,535 without the headers of IP and UDP */
#define RELIABLE 0
#define REPLIES_ON_CONNECTION 0
#include "endpoint.h"
#include "inet_address.h"

static int sending = -1, receiving = -1;
static struct buffer incoming;

static void create_receiver(const struct address *address) {
    struct sockaddr_in own;
    errno = 0;
    if (!inet_address(address, &own)) fail("no address of %s", address->host);
    receiving = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(receiving, (const struct sockaddr *)&own, sizeof own)) fail("bind %s:%ld", address->host, address->port);
}

static void remove_receiver(void) { close(receiving); }

static void open_sender(const struct address *address) {
    struct sockaddr_in peer;
    while (!inet_address(address, &peer)) retry_or_fail("udp", address->host);
    sending = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(sending, (const struct sockaddr *)&peer, sizeof peer))
        fail("connect %s:%ld", address->host, address->port);
}

static int send_message(unsigned char *message, size_t size) {
    while (send(sending, message, size, 0) < 0) {
        if (errno == ECONNREFUSED) continue; /* about an earlier message: this one was not sent */
        if (!interrupted()) return 0;
    }
    return 1;
}

static unsigned char *receive_message(size_t *size) {
    ssize_t length;
    do { /* an empty datagram is the probe of Python's sender */
        length = recv(receiving, incoming.message, sizeof incoming.message, 0);
        if (length < 0 && !interrupted()) return NULL;
    } while (length <= 0);
    *size = (size_t)length;
    return incoming.message;
}
