/* What anybody would write first: a loop that sends a buffer and a loop that receives it, without header, frame, check or
 * time limit. The C reference is held against it, so that its frames and its accounts cost no more than is said.
 *
 *     plain MECHANISM one-way|round-trip SIZE COUNT PRODUCER_CPU CONSUMER_CPU
 *
 * Parent and child; prints per message, or per round trip, the nanoseconds and the CPU time of both in ns. Shared memory is one slot and two semaphores,
 * as a textbook has it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = (1 << 20) + 64 };

static struct {
    long type;
    unsigned char bytes[MAX_BYTES];
} out = {.type = 1}, in;
static size_t size;
static int one_cpu;

struct slot {
    sem_t full, empty;
    _Atomic int is_full; /* of a side that spins */
    unsigned char bytes[MAX_BYTES];
};

struct way { /* one direction */
    int read_end, write_end, watch, queue, has_queue;
    mqd_t mq;
    off_t offset;
    struct slot *slot;
};

static void check(int fine, const char *what) {
    if (fine) return;
    perror(what);
    kill(0, SIGTERM);
    exit(1);
}

static void by_descriptor_send(struct way *way) {
    for (size_t done = 0; done < size;) {
        const ssize_t count = write(way->write_end, out.bytes + done, size - done);
        check(count > 0, "write");
        done += (size_t)count;
    }
}

static void by_descriptor_receive(struct way *way) {
    for (size_t done = 0; done < size;) {
        const ssize_t count = read(way->read_end, in.bytes + done, size - done);
        check(count > 0, "read");
        done += (size_t)count;
    }
}

static void udp_receive(struct way *way) { check(recv(way->read_end, in.bytes, MAX_BYTES, 0) == (ssize_t)size, "recv"); }

static void sysv_send(struct way *way) { check(!msgsnd(way->queue, &out, size, 0), "msgsnd"); }
static void sysv_receive(struct way *way) {
    check(msgrcv(way->queue, &in, MAX_BYTES, 0, 0) == (ssize_t)size, "msgrcv");
}

static void posix_send(struct way *way) { check(!mq_send(way->mq, (char *)out.bytes, size, 0), "mq_send"); }
static void posix_receive(struct way *way) {
    check(mq_receive(way->mq, (char *)in.bytes, 8192, NULL) == (ssize_t)size, "mq_receive");
}

static void slot_send(struct way *way) {
    sem_wait(&way->slot->empty);
    memcpy(way->slot->bytes, out.bytes, size);
    sem_post(&way->slot->full);
}

static void slot_receive(struct way *way) {
    sem_wait(&way->slot->full);
    memcpy(in.bytes, way->slot->bytes, size);
    sem_post(&way->slot->empty);
}

static void spin_until(struct way *way, int is_full) {
    while (atomic_load_explicit(&way->slot->is_full, memory_order_acquire) != is_full)
        if (one_cpu) sched_yield();
}

static void spin_send(struct way *way) {
    spin_until(way, 0);
    memcpy(way->slot->bytes, out.bytes, size);
    atomic_store_explicit(&way->slot->is_full, 1, memory_order_release);
}

static void spin_receive(struct way *way) {
    spin_until(way, 1);
    memcpy(in.bytes, way->slot->bytes, size);
    atomic_store_explicit(&way->slot->is_full, 0, memory_order_release);
}

/* Under a lock, as writers of one file do. */
static void file_send(struct way *way) {
    flock(way->write_end, LOCK_EX);
    check(write(way->write_end, out.bytes, size) == (ssize_t)size, "write");
    flock(way->write_end, LOCK_UN);
}

static void file_receive(struct way *way) {
    for (size_t done = 0; done < size;) {
        const ssize_t count = pread(way->read_end, in.bytes + done, size - done, way->offset);
        char events[4096];
        if (!count) check(read(way->watch, events, sizeof events) > 0, "inotify");
        done += (size_t)count;
        way->offset += count;
    }
}

static int port_of(int socket) {
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    getsockname(socket, (struct sockaddr *)&own, &length);
    return own.sin_port;
}

static int bound(int kind) {
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int made = socket(AF_INET, kind, 0);
    check(!bind(made, (const struct sockaddr *)&any, sizeof any), "bind");
    return made;
}

static int connected(int kind, int to) {
    const struct sockaddr_in peer = {
        .sin_family = AF_INET, .sin_port = (in_port_t)port_of(to), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int made = socket(AF_INET, kind, 0);
    check(!connect(made, (const struct sockaddr *)&peer, sizeof peer), "connect");
    return made;
}

static struct way make_way(const char *mechanism) {
    struct way way = {0};
    int ends[2];
    char name[64];
    static int number;
    snprintf(name, sizeof name, "/tmp/plain-%d-%d", getpid(), number++);
    if (!strcmp(mechanism, "anonymous_pipe")) {
        check(!pipe(ends), "pipe");
        way.read_end = ends[0], way.write_end = ends[1];
    } else if (!strcmp(mechanism, "fifo")) {
        check(!mkfifo(name, 0600), "mkfifo");
        way.read_end = open(name, O_RDONLY | O_NONBLOCK);
        way.write_end = open(name, O_WRONLY);
        fcntl(way.read_end, F_SETFL, 0);
        unlink(name);
    } else if (!strcmp(mechanism, "unix_stream")) {
        check(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
        way.read_end = ends[0], way.write_end = ends[1];
    } else if (!strcmp(mechanism, "tcp")) {
        const int listener = bound(SOCK_STREAM);
        check(!listen(listener, 1), "listen");
        way.write_end = connected(SOCK_STREAM, listener);
        way.read_end = accept(listener, NULL, NULL);
        setsockopt(way.write_end, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        setsockopt(way.read_end, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    } else if (!strcmp(mechanism, "udp")) {
        way.read_end = bound(SOCK_DGRAM);
        way.write_end = connected(SOCK_DGRAM, way.read_end);
    } else if (!strcmp(mechanism, "sysv_mq")) {
        way.queue = msgget(IPC_PRIVATE, 0600);
        way.has_queue = 1;
        check(way.queue >= 0, "msgget");
    } else if (!strcmp(mechanism, "posix_mq")) {
        struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
        way.mq = mq_open(name + 4, O_RDWR | O_CREAT, 0600, &attributes);
        check(way.mq >= 0, "mq_open");
        mq_unlink(name + 4);
    } else if (!strcmp(mechanism, "plain_file")) {
        way.write_end = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
        way.read_end = open(name, O_RDONLY);
        way.watch = inotify_init1(0);
        check(inotify_add_watch(way.watch, name, IN_MODIFY) >= 0, "inotify_add_watch");
        unlink(name);
    } else {
        way.slot = mmap(NULL, sizeof *way.slot, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        check(way.slot != MAP_FAILED, "mmap");
        sem_init(&way.slot->full, 1, 0);
        sem_init(&way.slot->empty, 1, 1);
    }
    return way;
}

static void pin(const char *cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(cpu), &set);
    check(!sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

static int64_t ns_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **words) {
    if (count != 7) return 2;
    const char *mechanism = words[1];
    const int round_trip = !strcmp(words[2], "round-trip");
    const long messages = atol(words[4]), warmup = messages / 10 + 1;
    size = (size_t)atol(words[3]);
    struct way there = make_way(mechanism), back = there;
    if (!strcmp(mechanism, "unix_stream") || !strcmp(mechanism, "tcp")) { /* two-way */
        back.read_end = there.write_end;
        back.write_end = there.read_end;
    } else {
        back = make_way(mechanism);
    }
    void (*send_one)(struct way *) = by_descriptor_send, (*receive_one)(struct way *) = by_descriptor_receive;
    one_cpu = !strcmp(words[5], words[6]);
    if (!strcmp(mechanism, "shm_spin")) send_one = spin_send, receive_one = spin_receive;
    else if (there.slot) send_one = slot_send, receive_one = slot_receive;
    else if (!strcmp(mechanism, "udp")) receive_one = udp_receive;
    else if (!strcmp(mechanism, "sysv_mq")) send_one = sysv_send, receive_one = sysv_receive;
    else if (!strcmp(mechanism, "posix_mq")) send_one = posix_send, receive_one = posix_receive;
    else if (!strcmp(mechanism, "plain_file")) send_one = file_send, receive_one = file_receive;
    memset(out.bytes, 1, MAX_BYTES);
    memset(in.bytes, 2, MAX_BYTES);
    int64_t *of_child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0); /* end, CPU */
    int64_t cpu_ns = 0;
    if (!fork()) {
        pin(words[6]);
        for (long at = -warmup; at < messages; at++) {
            receive_one(&there);
            if (at == -1) cpu_ns = ns_of(CLOCK_PROCESS_CPUTIME_ID);
            if (round_trip || at == -1) send_one(&back);
        }
        of_child[0] = ns_of(CLOCK_MONOTONIC);
        of_child[1] = ns_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
        _exit(0);
    }
    pin(words[5]);
    for (long at = -warmup; at < 0; at++) {
        send_one(&there);
        if (round_trip || at == -1) receive_one(&back);
    }
    const int64_t begin_ns = ns_of(CLOCK_MONOTONIC);
    cpu_ns = ns_of(CLOCK_PROCESS_CPUTIME_ID);
    for (long at = 0; at < messages; at++) {
        send_one(&there);
        if (round_trip) receive_one(&back);
    }
    const int64_t end_ns = ns_of(CLOCK_MONOTONIC);
    cpu_ns = ns_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
    wait(NULL);
    if (there.has_queue) msgctl(there.queue, IPC_RMID, NULL), msgctl(back.queue, IPC_RMID, NULL);
    printf("%.1f %.1f\n", (double)((round_trip ? end_ns : of_child[0]) - begin_ns) / (double)messages,
           (double)(cpu_ns + of_child[1]) / (double)messages);
    return 0;
}
