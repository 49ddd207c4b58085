/* System V shared memory: a segment with a ring, and a set of two semaphores to wait on: shmget(2), semop(2). */
#define MECHANISM "sysv_shm"
#define REQUIRES "\"ipc namespace\""
#include "ring.h"

#include <sys/sem.h>
#include <sys/shm.h>

static int own_segment = -1;
static int semaphores[2] = {-1, -1}; /* RECEIVING, SENDING */

static int change(int set, enum notifier which, short by) {
    return semop(set, &(struct sembuf){(unsigned short)which, by, 0}, 1);
}

static void notify(int side, enum notifier which) { change(semaphores[side], which, 1); }

static void wait_for(int side, enum notifier which) {
    if (change(semaphores[side], which, -1) && errno != EINTR) fail("semop");
}

static struct ring *attached(int segment) {
    void *memory = shmat(segment, NULL, 0);
    if (memory == (void *)-1) fail("shmat");
    return memory;
}

static void create_receiver(const struct address *address) {
    const key_t key = (key_t)address->key;
    const int segment = shmget(key, 0, 0), set = semget(key, 0, 0); /* leftovers */
    if (segment >= 0) shmctl(segment, IPC_RMID, NULL);
    if (set >= 0) semctl(set, 0, IPC_RMID);
    semaphores[RECEIVING] = semget(key, 2, IPC_CREAT | IPC_EXCL | 0600);
    own_segment = shmget(key, sizeof(struct ring), IPC_CREAT | IPC_EXCL | 0600);
    if (semaphores[RECEIVING] < 0 || own_segment < 0) fail("key %#lx", address->key);
    make_ring(attached(own_segment));
}

static void remove_receiver(void) {
    shmctl(own_segment, IPC_RMID, NULL);
    semctl(semaphores[RECEIVING], 0, IPC_RMID);
}

static void open_sender(const struct address *address) {
    int segment;
    while ((segment = shmget((key_t)address->key, sizeof(struct ring), 0)) < 0) {
        if (errno != ENOENT) fail("shmget %#lx", address->key);
        retry_or_fail("shared memory", "");
    }
    struct ring *ring = attached(segment);
    while (!open_ring(ring)) retry_or_fail("shared memory", "");
    semaphores[SENDING] = semget((key_t)address->key, 2, 0);
    if (semaphores[SENDING] < 0) fail("semget %#lx", address->key);
}
