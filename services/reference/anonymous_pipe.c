/* Anonymous pipe: pipe(2), pipe(7). The sender makes it and hands its reading end over by a Unix socket on a volume
 * (SCM_RIGHTS, unix(7)), as in ipclab.mechanisms.anonymous_pipe; the socket carries nothing else. */
#define MECHANISM "anonymous_pipe"
#define REQUIRES "\"volume\""
#define SHAPES "\"one-way\", \"round-trip\", \"burst\""
#define MAX_BYTES MAX_MESSAGE_BYTES
#define RELIABLE 1
#define REPLIES_ON_CONNECTION 0
#include "stream.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "unix_address.h"

static const char *own_path;
static int handover_socket = -1;

/* One byte, and room for one descriptor. */
static struct msghdr one_descriptor(void) {
    static char byte;
    static struct iovec place = {&byte, 1};
    static union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    return (struct msghdr){
        .msg_iov = &place, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
}

static void create_receiver(const struct address *address) {
    own_path = address->path;
    unlink(own_path);
    const struct sockaddr_un name = unix_address(own_path);
    handover_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(handover_socket, (const struct sockaddr *)&name, sizeof name)) fail("bind %s", own_path);
}

static int await_sender(void) {
    struct msghdr received = one_descriptor();
    while (recvmsg(handover_socket, &received, MSG_CMSG_CLOEXEC) < 0) {
        if (errno != EINTR) fail("recvmsg");
        if (silent) return 0;
    }
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&received);
    if (!rights || rights->cmsg_type != SCM_RIGHTS) fail("no descriptor came");
    memcpy(&receiving, CMSG_DATA(rights), sizeof receiving);
    if (fcntl(receiving, F_SETFL, 0)) fail("fcntl"); /* Python's sender made it non-blocking */
    return 1;
}

static void remove_receiver(void) {
    close(handover_socket);
    unlink(own_path);
}

static void open_sender(const struct address *address) {
    const struct sockaddr_un name = unix_address(address->path);
    const int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    while (connect(to, (const struct sockaddr *)&name, sizeof name)) {
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) fail("connect %s", address->path);
        retry_or_fail("anonymous pipe", address->path);
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) fail("pipe2");
    struct msghdr sent = one_descriptor();
    struct cmsghdr *rights = CMSG_FIRSTHDR(&sent);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &ends[0], sizeof(int));
    if (sendmsg(to, &sent, 0) < 0) fail("sendmsg");
    close(to);
    close(ends[0]);
    sending = ends[1];
}
