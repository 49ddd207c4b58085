/* The ring of services/ipclab/building_blocks/ring.py and the waits of ring_channel.py, on memory that reorders.
 *
 * spin(1) tries every interleaving. Two things are checked: the receiver gets every record once, in order and whole
 * (`assert`), and nobody sleeps for ever (an invalid end state). There is no time in the model: a side that waits is
 * woken or stays asleep. With KILLS=SENDER or KILLS=RECEIVER that side is killed once, anywhere, and starts again: what it
 * stored becomes visible, what it knew is gone.
 *
 * The memory is weaker than that of any processor which promises what C11 asks for:
 *  - A store goes into a buffer of its process. `reorders` takes it out and makes it visible, later, and in any order.
 *    Stores to one word stay in order, and a release goes after everything ahead of it. A load sees the stores of its
 *    own process at once, so it may be done before them. A fence waits until the buffer is empty.
 *  - The loads of a record may be done before the load of `tail`, unless that is an acquire; and after the store of
 *    `head`, unless that is a release.
 *
 * Each of these takes one order away; test_ring_model.py says which of them the protocol can do without:
 *   NO_TAIL_RELEASE NO_TAIL_ACQUIRE NO_HEAD_RELEASE NO_COMMIT_RELEASE
 *   NO_WAKE_FENCE NO_SLEEP_FENCE NO_WAIT_FENCE NO_ROOM_FENCE
 * KEEPS_ORDER makes the memory that of x86-64: the buffer is a queue, and loads stay where they are.
 *
 * A load of `head` needs no acquire here: the stores behind it depend on what it loaded, and no processor makes a store
 * visible that it may have to take back. C11 has no such rule, so the code asks for the acquire.
 */
#ifndef MESSAGES
#define MESSAGES 4
#endif
/* Words of the data area. A record has two, a commit word and a payload, so a lap ends with a word that is skipped. */
#define CAPACITY 5
#define RECORD 2

/* What a word of the data area holds: a commit word, one that says "go on at the beginning", or a payload. */
#define COMMIT(position) (64 + (position))
#define WRAP(position) (128 + (position))
#define PAYLOAD(position) (1 + (position))

#define TAIL 0
#define HEAD 1
#define START 2
#define AWAKE 3
#define WAITS 4
#define DATA 5
#define WORDS 10

#define SENDER 0
#define RECEIVER 1
#define MOST 6

typedef Stores { /* of one process, the oldest first */
    byte count;
    byte word[MOST];
    byte value[MOST];
    bool release[MOST]
}

byte memory[WORDS];
Stores buffer[2];
byte data_ready, space_available; /* the semaphores */
byte sent, received; /* what the model counts, and no process knows */
bool killed[2];

#ifdef KILLS
#define survives(side) unless { \
        killed[side] -> \
        d_step { killed[side] = false; done = false; flag = 0 } \
        fence(side) -> \
        goto opens \
    }
#else
#define survives(side)
#endif

inline store_as(side, at, what, is_release, counter, one) {
    atomic {
        buffer[side].count < MOST ->
        d_step {
            counter = counter + one;
            buffer[side].word[buffer[side].count] = at;
            buffer[side].value[buffer[side].count] = what;
            buffer[side].release[buffer[side].count] = is_release;
            buffer[side].count++
        }
    }
}
#define store(side, at, what) store_as(side, at, what, false, sent, 0)
#define store_release(side, at, what) store_as(side, at, what, true, sent, 0)

inline look_up(side, at, into) {
    into = memory[at];
    i = 0;
    do
    :: i < buffer[side].count ->
        if
        :: buffer[side].word[i] == at -> into = buffer[side].value[i]
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}
inline load(side, at, into) {
    d_step { look_up(side, at, into) }
}

#define fence(side) (buffer[side].count == 0)

/* A semaphore's operations order the stores of its process: sem_post(3) is a release, semop(2) a system call. */
inline notify(side, semaphore) {
    atomic { fence(side) -> if :: semaphore < 3 -> semaphore++ :: else fi }
}
inline sleep_on(semaphore) {
    atomic { semaphore > 0 -> semaphore-- }
}

inline make_visible(side, entry) {
    d_step {
        memory[buffer[side].word[entry]] = buffer[side].value[entry];
        j = entry;
        do
        :: j + 1 < buffer[side].count ->
            buffer[side].word[j] = buffer[side].word[j + 1];
            buffer[side].value[j] = buffer[side].value[j + 1];
            buffer[side].release[j] = buffer[side].release[j + 1];
            j++
        :: else -> break
        od;
        buffer[side].word[j] = 0; buffer[side].value[j] = 0; buffer[side].release[j] = false;
        buffer[side].count--;
        j = 0
    }
}

#define first_of_its_word(side, entry) ( \
    (entry < 1 || buffer[side].word[0] != buffer[side].word[entry]) && \
    (entry < 2 || buffer[side].word[1] != buffer[side].word[entry]) && \
    (entry < 3 || buffer[side].word[2] != buffer[side].word[entry]) && \
    (entry < 4 || buffer[side].word[3] != buffer[side].word[entry]) && \
    (entry < 5 || buffer[side].word[4] != buffer[side].word[entry]))
#ifdef KEEPS_ORDER
#define may_go(side, entry) (entry == 0 && buffer[side].count > 0)
#else
#define may_go(side, entry) (buffer[side].count > entry && \
    (entry == 0 || !buffer[side].release[entry] && first_of_its_word(side, entry)))
#endif

active [2] proctype reorders() {
    byte j;
end:
    do
    :: atomic { may_go(_pid, 0) -> make_visible(_pid, 0) }
    :: atomic { may_go(_pid, 1) -> make_visible(_pid, 1) }
    :: atomic { may_go(_pid, 2) -> make_visible(_pid, 2) }
    :: atomic { may_go(_pid, 3) -> make_visible(_pid, 3) }
    :: atomic { may_go(_pid, 4) -> make_visible(_pid, 4) }
    :: atomic { may_go(_pid, 5) -> make_visible(_pid, 5) }
    od
}

/* Ring.try_write. */
inline try_write() {
    d_step {
        look_up(SENDER, HEAD, head);
        assert(head <= tail && tail <= head + CAPACITY);
        restarts = (head == tail);
        start = (restarts -> tail : start); /* begin again at the beginning, in memory that the caches still hold */
        offset = (tail - start) % CAPACITY;
        skipped = (offset + RECORD <= CAPACITY -> 0 : CAPACITY - offset);
        done = (tail + skipped + RECORD - head <= CAPACITY);
        head = 0
    }
    if
    :: restarts -> store(SENDER, START, start)
    :: else
    fi;
    if
    :: done && skipped ->
        store(SENDER, DATA + offset, WRAP(tail));
        d_step { tail = tail + skipped; offset = 0; skipped = 0 }
    :: else
    fi;
    if
    :: done ->
        store(SENDER, DATA + offset + 1, PAYLOAD(tail));
#ifdef NO_COMMIT_RELEASE
        store(SENDER, DATA + offset, COMMIT(tail));
#else
        store_release(SENDER, DATA + offset, COMMIT(tail));
#endif
        tail = tail + RECORD;
#ifdef NO_TAIL_RELEASE
        store_as(SENDER, TAIL, tail, false, sent, 1)
#else
        store_as(SENDER, TAIL, tail, true, sent, 1)
#endif
    :: else
    fi;
    d_step { offset = 0; restarts = false; skipped = 0 }
}

active proctype sender() { /* RingSender.send */
    byte i, tail, head, start, offset, skipped, flag;
    bool restarts, done;
opens:
    {
        load(SENDER, TAIL, tail);
        load(SENDER, START, start);
#ifndef NO_NOTIFY_AT_OPEN
        notify(SENDER, data_ready);
#endif
        do
        :: sent < MESSAGES ->
            try_write();
            if
            :: !done ->
                do
                :: store_release(SENDER, WAITS, 1);
#ifndef NO_WAIT_FENCE
                    fence(SENDER);
#endif
                    try_write();
                    if
                    :: done -> break
                    :: else -> sleep_on(space_available)
                    fi
                od;
                store_release(SENDER, WAITS, 0)
            :: else
            fi;
#ifndef NO_WAKE_FENCE
            fence(SENDER);
#endif
            load(SENDER, AWAKE, flag);
            if
            :: !flag ->
                store_release(SENDER, AWAKE, 1);
                notify(SENDER, data_ready)
            :: else
            fi
        :: else -> break
        od
    } survives(SENDER)
}

/* The word of a record, which may have been loaded before `tail` was. */
inline load_of_record(at, into) {
#if defined(NO_TAIL_ACQUIRE) && !defined(KEEPS_ORDER)
    if
    :: early -> into = seen[at]
    :: else -> load(RECEIVER, at, into)
    fi
#else
    load(RECEIVER, at, into)
#endif
}

/* Ring.try_read_into. */
inline try_read() {
#if defined(NO_TAIL_ACQUIRE) && !defined(KEEPS_ORDER)
    early = false;
    if
    :: d_step { early = true; i = START; do :: i < WORDS -> seen[i] = memory[i]; i++ :: else -> break od; i = 0 }
    :: skip
    fi;
#endif
    load(RECEIVER, TAIL, tail);
    done = false;
    if
    :: head != tail ->
        load_of_record(START, start);
        offset = (head - start) % CAPACITY;
        load_of_record(DATA + offset, word);
        if
        :: word == WRAP(head) ->
            head = head + CAPACITY - offset;
            offset = 0;
            load_of_record(DATA, word)
        :: else
        fi;
        assert(word == COMMIT(head)); /* or TornMessage */
#ifdef NO_HEAD_RELEASE
        if
        :: load_of_record(DATA + offset + 1, word); store_as(RECEIVER, HEAD, head + RECORD, false, received, 1)
#ifndef KEEPS_ORDER
        :: store_as(RECEIVER, HEAD, head + RECORD, false, received, 1); load_of_record(DATA + offset + 1, word)
#endif
        fi;
        assert(word == PAYLOAD(head));
#else
        load_of_record(DATA + offset + 1, word);
        assert(word == PAYLOAD(head));
        store_as(RECEIVER, HEAD, head + RECORD, true, received, 1);
#endif
        head = head + RECORD;
        done = true
    :: else
    fi;
    d_step { word = 0; offset = 0; start = 0; tail = 0 }
}

active proctype receiver() { /* RingReceiver.receive_into */
    byte i, tail, head, start, offset, word, flag;
    bool done;
#if defined(NO_TAIL_ACQUIRE) && !defined(KEEPS_ORDER)
    bool early;
    byte seen[WORDS];
#endif
opens:
    {
        load(RECEIVER, HEAD, head);
        store_release(RECEIVER, AWAKE, 1);
#ifndef NO_NOTIFY_AT_OPEN
        notify(RECEIVER, space_available);
#endif
        do
        :: received < MESSAGES ->
            try_read();
            if
            :: !done ->
                store_release(RECEIVER, AWAKE, 0);
#ifndef NO_SLEEP_FENCE
                fence(RECEIVER);
#endif
                try_read();
                do
                :: !done ->
                    sleep_on(data_ready);
                    try_read();
                    if
                    :: done -> goto read /* the sender has set AWAKE */
                    :: else
                    fi;
                    store_release(RECEIVER, AWAKE, 0);
#ifndef NO_SLEEP_FENCE
                    fence(RECEIVER);
#endif
                    try_read()
                :: else -> break
                od;
                store_release(RECEIVER, AWAKE, 1)
            :: else
            fi;
read:
#ifndef NO_ROOM_FENCE
            fence(RECEIVER);
#endif
            load(RECEIVER, WAITS, flag);
            if
            :: flag ->
                store_release(RECEIVER, WAITS, 0);
                notify(RECEIVER, space_available)
            :: else
            fi
        :: else -> break
        od
    } survives(RECEIVER)
}

#ifdef KILLS
active proctype kill() { killed[KILLS] = true }
#endif
