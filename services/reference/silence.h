/* The limit to silence: a timer looks whether messages go on, so that no wait needs a time limit of its own. Its signal
 * ends a system call that waits (EINTR), and a loop that spins reads `silent`. */
#ifndef SILENCE_H
#define SILENCE_H

#include <signal.h>
#include <sys/time.h>

#include "options.h"

static volatile sig_atomic_t silent;
static volatile uint64_t moved; /* messages */

static void on_timer(int signal) {
    static uint64_t before = UINT64_MAX;
    (void)signal;
    silent = moved == before;
    before = moved;
}

static void limit_silence(void) {
    struct sigaction action = {.sa_handler = on_timer}; /* no SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    long microseconds = (long)(option.silence_s * 1e6);
    struct timeval every = {microseconds / 1000000, microseconds % 1000000};
    setitimer(ITIMER_REAL, &(struct itimerval){every, every}, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Did the last system call fail because a signal came, and is it to be made again? */
static inline int interrupted(void) { return errno == EINTR && !silent; }

#endif
