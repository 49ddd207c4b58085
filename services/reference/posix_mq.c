/* POSIX message queue: mq_overview(7). Ten messages deep, one priority, as in ipclab.mechanisms.posix_mq. */
#define MECHANISM "posix_mq"
#define REQUIRES "\"ipc namespace\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES 8192 /* msgsize_max */
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 0
#include "endpoint.h"

#include <fcntl.h>
#include <mqueue.h>

#include "posix_name.h"

static struct name own_name;
static mqd_t sending = -1, receiving = -1;
static struct buffer incoming;

static void create_receiver(const struct address *address) {
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = MAX_BYTES};
    own_name = object_name(address, "");
    mq_unlink(own_name.text);
    receiving = mq_open(own_name.text, O_RDONLY | O_CREAT | O_EXCL, 0600, &attributes);
    if (receiving < 0) fail("mq_open %s", own_name.text);
}

static void remove_receiver(void) {
    mq_close(receiving);
    mq_unlink(own_name.text);
}

static void open_sender(const struct address *address) {
    const struct name name = object_name(address, "");
    while ((sending = mq_open(name.text, O_WRONLY)) < 0) {
        if (errno != ENOENT) fail("mq_open %s", name.text);
        retry_or_fail("message queue", name.text);
    }
}

static int send_message(unsigned char *message, size_t size) {
    while (mq_send(sending, (const char *)message, size, 0)) {
        if (interrupted()) continue;
        if (errno == EINTR) return 0;
        fail("mq_send");
    }
    return 1;
}

static unsigned char *receive_message(size_t *size) {
    ssize_t length;
    while ((length = mq_receive(receiving, (char *)incoming.message, MAX_BYTES, NULL)) < 0) {
        if (interrupted()) continue;
        if (errno == EINTR) return NULL;
        fail("mq_receive");
    }
    *size = (size_t)length;
    return incoming.message;
}
