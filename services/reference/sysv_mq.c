/* System V message queue: msgget(2), msgop(2). The type of a message lies before it in memory. */
#define MECHANISM "sysv_mq"
#define REQUIRES "\"ipc namespace\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES 8192 /* msgmax */
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 0
#include "endpoint.h"

#include <sys/msg.h>

static const long MESSAGE_TYPE = 1;
static int sending = -1, receiving = -1;
static struct buffer incoming;

static void create_receiver(const struct address *address) {
    const int leftover = msgget((key_t)address->key, 0);
    if (leftover >= 0) msgctl(leftover, IPC_RMID, NULL);
    receiving = msgget((key_t)address->key, IPC_CREAT | IPC_EXCL | 0600);
    if (receiving < 0) fail("msgget %#lx", address->key);
}

static void remove_receiver(void) { msgctl(receiving, IPC_RMID, NULL); }

static void open_sender(const struct address *address) {
    while ((sending = msgget((key_t)address->key, 0)) < 0) {
        if (errno != ENOENT) fail("msgget %#lx", address->key);
        retry_or_fail("message queue", "");
    }
}

static int send_message(unsigned char *message, size_t size) {
    memcpy(message - sizeof MESSAGE_TYPE, &MESSAGE_TYPE, sizeof MESSAGE_TYPE);
    while (msgsnd(sending, message - sizeof MESSAGE_TYPE, size, 0)) {
        if (interrupted()) continue;
        if (errno == EINTR || errno == EIDRM || errno == EINVAL) return 0;
        fail("msgsnd");
    }
    return 1;
}

static unsigned char *receive_message(size_t *size) {
    ssize_t length;
    while ((length = msgrcv(receiving, incoming.message - sizeof MESSAGE_TYPE, MAX_BYTES, 0, 0)) < 0) {
        if (interrupted()) continue;
        if (errno == EINTR) return NULL;
        fail("msgrcv");
    }
    *size = (size_t)length;
    return incoming.message;
}
