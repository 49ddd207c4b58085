/* A file that both processes map: two unnamed semaphores to wait on, and a ring: mmap(2), sem_init(3). */
#define MECHANISM "mmap_file"
#define REQUIRES "\"volume\""
#include "ring.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct content {
    alignas(64) sem_t data_ready;
    alignas(64) sem_t space_available;
    alignas(64) struct ring ring;
};

static const char *own_path;
static struct content *contents[2]; /* RECEIVING, SENDING */

static sem_t *semaphore(int side, enum notifier which) {
    return which == DATA_READY ? &contents[side]->data_ready : &contents[side]->space_available;
}

static void notify(int side, enum notifier which) { sem_post(semaphore(side, which)); }

static void wait_for(int side, enum notifier which) {
    if (sem_wait(semaphore(side, which)) && errno != EINTR) fail("sem_wait");
}

static struct content *mapped(int descriptor) {
    void *memory = mmap(NULL, sizeof(struct content), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) fail("mmap");
    close(descriptor);
    return memory;
}

static void create_receiver(const struct address *address) {
    own_path = address->path;
    unlink(own_path);
    const int descriptor = open(own_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) fail("open %s", own_path);
    /* Takes the room: a store to a page for which there is none would end the process (SIGBUS). */
    errno = posix_fallocate(descriptor, 0, sizeof(struct content));
    if (errno) fail("%s of %zu bytes", own_path, sizeof(struct content));
    struct content *content = contents[RECEIVING] = mapped(descriptor);
    sem_init(&content->data_ready, 1, 0);
    sem_init(&content->space_available, 1, 0);
    make_ring(&content->ring);
}

static void remove_receiver(void) { unlink(own_path); }

static void open_sender(const struct address *address) {
    int descriptor;
    struct stat status = {0};
    while ((descriptor = open(address->path, O_RDWR | O_CLOEXEC)) < 0 || fstat(descriptor, &status) ||
           status.st_size != sizeof(struct content)) {
        if (descriptor >= 0) close(descriptor);
        else if (errno != ENOENT) fail("open %s", address->path);
        retry_or_fail("file", address->path);
    }
    contents[SENDING] = mapped(descriptor);
    while (!open_ring(&contents[SENDING]->ring)) retry_or_fail("file", address->path);
}
