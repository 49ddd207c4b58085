/* POSIX shared memory: an object with a ring, and two named semaphores to wait on: shm_overview(7), sem_overview(7). */
#define MECHANISM "posix_shm"
#define REQUIRES "\"/dev/shm\""
#include "ring.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "posix_name.h"

static const char *const SUFFIXES[2] = {".record", ".room"}; /* by notifier */
static const struct address *own;
static sem_t *semaphores[2][2]; /* RECEIVING, SENDING; by notifier */

static void notify(int side, enum notifier which) { sem_post(semaphores[side][which]); }

static void wait_for(int side, enum notifier which) {
    if (sem_wait(semaphores[side][which]) && errno != EINTR) fail("sem_wait");
}

static struct ring *mapped(int descriptor) {
    void *memory = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) fail("mmap");
    close(descriptor);
    return memory;
}

static void remove_receiver(void) {
    shm_unlink(object_name(own, "").text);
    for (int which = 0; which < 2; which++) sem_unlink(object_name(own, SUFFIXES[which]).text);
}

static void create_receiver(const struct address *address) {
    own = address;
    remove_receiver(); /* leftovers */
    for (int which = 0; which < 2; which++) {
        const struct name name = object_name(address, SUFFIXES[which]);
        semaphores[RECEIVING][which] = sem_open(name.text, O_CREAT | O_EXCL, 0600, 0);
        if (semaphores[RECEIVING][which] == SEM_FAILED) fail("sem_open %s", name.text);
    }
    const struct name name = object_name(address, "");
    const int descriptor = shm_open(name.text, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (descriptor < 0) fail("shm_open %s", name.text);
    /* Takes the room: a store to a page for which there is none would end the process (SIGBUS). */
    errno = posix_fallocate(descriptor, 0, sizeof(struct ring));
    if (errno) fail("%s of %zu bytes", name.text, sizeof(struct ring));
    make_ring(mapped(descriptor));
}

static void open_sender(const struct address *address) {
    const struct name name = object_name(address, "");
    int descriptor;
    struct stat status = {0};
    while ((descriptor = shm_open(name.text, O_RDWR, 0)) < 0 || fstat(descriptor, &status) ||
           status.st_size != sizeof(struct ring)) {
        if (descriptor >= 0) close(descriptor);
        else if (errno != ENOENT) fail("shm_open %s", name.text);
        retry_or_fail("shared memory", name.text);
    }
    struct ring *ring = mapped(descriptor);
    while (!open_ring(ring)) retry_or_fail("shared memory", name.text);
    for (int which = 0; which < 2; which++) {
        const struct name semaphore = object_name(address, SUFFIXES[which]);
        semaphores[SENDING][which] = sem_open(semaphore.text, 0);
        if (semaphores[SENDING][which] == SEM_FAILED) fail("sem_open %s", semaphore.text);
    }
}
