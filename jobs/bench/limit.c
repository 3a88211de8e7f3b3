/* limit.c - see limit.h.
 *
 * Messages are sent by MPI_Send: at this size MPI sends at once, without
 * waiting for the receiver, and no more than LIMIT_WINDOW records are under way
 * to a rank.  README.md says what else was tried and was slower.
 */
#include "limit.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 0, SMALLEST_COUNT = 64, PASSES = 3 };

/* Enough to have a receive posted whenever a message comes, in most cases; a
 * slot for each message that may come was half as fast. */
enum { RING_SLOTS = 4 };

/* ---- receiving --------------------------------------------------------- */

/* Messages from one rank or from any, in the order of their arrival. */
struct inbox {
    const struct team *team;
    int kind;
    int source;   /* or MPI_ANY_SOURCE */
    int capacity; /* bytes of the largest message */
    char *buffers;
    /* Of INBOX_RING: persistent receives, all posted.  Messages go to posted
     * receives in order, so that only the oldest has to be tested. */
    MPI_Request ring[RING_SLOTS];
    int head;
};

/* A message: valid until inbox_done(). */
struct letter {
    char *data;
    int size, source;
};

static char *slot(const struct inbox *in, int i)
{
    return in->buffers + (size_t)i * (size_t)in->capacity;
}

static void inbox_open(struct inbox *in, const struct team *team, int kind,
                       int source, int capacity)
{
    *in = (struct inbox){
        .team = team, .kind = kind, .source = source, .capacity = capacity};
    in->buffers = calloc(RING_SLOTS, (size_t)capacity);
    if (in->buffers == NULL)
        die("out of memory");
    for (int i = 0; kind == INBOX_RING && i < RING_SLOTS; i++) {
        CHECK_MPI(MPI_Recv_init(slot(in, i), capacity, MPI_BYTE, source, TAG,
                                team->comm, &in->ring[i]));
        CHECK_MPI(MPI_Start(&in->ring[i]));
    }
}

/* Everything that was sent has been received: what is posted gets nothing. */
static void inbox_close(struct inbox *in)
{
    for (int i = 0; in->kind == INBOX_RING && i < RING_SLOTS; i++) {
        CHECK_MPI(MPI_Cancel(&in->ring[i]));
        CHECK_MPI(MPI_Wait(&in->ring[i], MPI_STATUS_IGNORE));
        CHECK_MPI(MPI_Request_free(&in->ring[i]));
    }
    free(in->buffers);
}

static void inbox_next(struct inbox *in, struct letter *letter)
{
    MPI_Comm comm = in->team->comm;
    MPI_Status status;
    int found = 0;

    letter->data = slot(in, in->head);
    while (in->kind != INBOX_RECV) {
        if (in->kind == INBOX_RING)
            CHECK_MPI(MPI_Test(&in->ring[in->head], &found, &status));
        else
            CHECK_MPI(MPI_Iprobe(in->source, TAG, comm, &found, &status));
        if (found)
            break;
        if (in->team->crowded)
            sched_yield();
    }
    if (in->kind != INBOX_RING)
        CHECK_MPI(MPI_Recv(letter->data, in->capacity, MPI_BYTE, in->source,
                           TAG, comm, &status));
    CHECK_MPI(MPI_Get_count(&status, MPI_BYTE, &letter->size));
    letter->source = status.MPI_SOURCE;
}

static void inbox_done(struct inbox *in)
{
    if (in->kind != INBOX_RING)
        return;
    CHECK_MPI(MPI_Start(&in->ring[in->head]));
    in->head = (in->head + 1) % RING_SLOTS;
}

/* ---- records ----------------------------------------------------------- */

/* The work: a record holds a number first, its answer is that number + 1. */
static void answer(char *data, int size)
{
    uint64_t x;

    for (int at = 0; at < size; at += LIMIT_RECORD) {
        memcpy(&x, data + at, sizeof x);
        x++;
        memcpy(data + at, &x, sizeof x);
    }
}

static void fill(char *data, int size, uint64_t x)
{
    for (int at = 0; at < size; at += LIMIT_RECORD, x++)
        memcpy(data + at, &x, sizeof x);
}

/* Sum of the answers.  A master/worker's come in any order: all of a window
 * are summed up. */
static uint64_t sum(const char *data, int size)
{
    uint64_t x, total = 0;

    for (int at = 0; at < size; at += LIMIT_RECORD) {
        memcpy(&x, data + at, sizeof x);
        total += x;
    }
    return total;
}

static void post(const struct team *team, const char *data, int size, int to)
{
    CHECK_MPI(MPI_Send(data, size, MPI_BYTE, to, TAG, team->comm));
}

/* ---- the two sides ----------------------------------------------------- */

/* As many records as were asked for. */
static void send_many(const struct team *team, const char *request)
{
    char record[LIMIT_RECORD] = {0};
    uint64_t n;

    memcpy(&n, request, sizeof n);
    for (uint64_t i = 0; i < n; i++) {
        fill(record, LIMIT_RECORD, i + 1);
        post(team, record, LIMIT_RECORD, 0);
    }
}

/* Answers until a message is empty; all protocols. */
static void serve(const struct team *team, const struct limit *limit)
{
    struct inbox in;
    struct letter letter;

    inbox_open(&in, team, limit->inbox[1], 0, limit->batch * LIMIT_RECORD);
    for (;;) {
        inbox_next(&in, &letter);
        if (letter.size == 0)
            break;
        if (limit->kind == LIMIT_STREAM) {
            send_many(team, letter.data);
        } else {
            answer(letter.data, letter.size);
            post(team, letter.data, letter.size, 0);
        }
        inbox_done(&in);
    }
    inbox_done(&in);
    inbox_close(&in);
}

static double ping_pong(struct inbox *in, int partner, int64_t count)
{
    char record[LIMIT_RECORD] = {0};
    struct letter letter;
    double start = clock_s();

    for (int64_t i = 0; i < count; i++) {
        fill(record, LIMIT_RECORD, (uint64_t)i);
        post(in->team, record, LIMIT_RECORD, partner);
        inbox_next(in, &letter);
        if (sum(letter.data, letter.size) != (uint64_t)i + 1)
            die("the limit's ping-pong got a wrong answer");
        inbox_done(in);
    }
    return clock_s() - start;
}

/* count is a multiple of batch. */
static double master(struct inbox *in, int batch, int64_t count)
{
    const struct team *team = in->team;
    char records[LIMIT_WINDOW * LIMIT_RECORD] = {0};
    int size = batch * LIMIT_RECORD;
    int64_t sent = 0, taken = 0;
    uint64_t total = 0;
    struct letter letter;
    double start = clock_s();

    for (int ahead = 0; ahead < LIMIT_WINDOW; ahead += batch) {
        for (int to = 1; to < team->size && sent < count; to++, sent += batch) {
            fill(records, size, (uint64_t)sent);
            post(team, records, size, to);
        }
    }
    for (; taken < count; taken += batch) {
        inbox_next(in, &letter);
        if (sent < count) { /* first keep the worker busy */
            fill(records, size, (uint64_t)sent);
            post(team, records, size, letter.source);
            sent += batch;
        }
        total += sum(letter.data, letter.size);
        inbox_done(in);
    }
    double seconds = clock_s() - start;
    uint64_t n = (uint64_t)count;
    if (total != n * (n + 1) / 2) /* 1 + ... + n */
        die("the limit's workers gave a wrong answer");
    return seconds;
}

static double stream(struct inbox *in, int partner, int64_t count)
{
    char record[LIMIT_RECORD] = {0};
    struct letter letter;
    uint64_t total = 0, n = (uint64_t)count;
    double start = clock_s();

    fill(record, LIMIT_RECORD, n);
    post(in->team, record, LIMIT_RECORD, partner);
    for (int64_t i = 0; i < count; i++) {
        inbox_next(in, &letter);
        total += sum(letter.data, letter.size);
        inbox_done(in);
    }
    if (total != n * (n + 1) / 2) /* 1 + ... + n */
        die("the limit's stream brought wrong records");
    return clock_s() - start;
}

static double lead(const struct team *team, const struct limit *limit)
{
    bool pair = limit->kind != LIMIT_MASTER;
    int workers = pair ? 1 : team->size - 1;
    int first = pair ? limit->partner : 1;
    struct inbox in;
    double seconds;

    inbox_open(&in, team, limit->inbox[0],
               workers == 1 ? first : MPI_ANY_SOURCE,
               limit->batch * LIMIT_RECORD);
    if (limit->kind == LIMIT_STREAM) {
        stream(&in, first, limit->warm_count);
        seconds = stream(&in, first, limit->count);
    } else if (pair) {
        ping_pong(&in, first, limit->warm_count);
        seconds = ping_pong(&in, first, limit->count);
    } else {
        master(&in, limit->batch, limit->warm_count);
        seconds = master(&in, limit->batch, limit->count);
    }
    for (int to = first; to < first + workers; to++)
        post(team, NULL, 0, to);
    inbox_close(&in);
    return seconds;
}

double limit_run(const struct team *team, struct limit *limit)
{
    double seconds = 0.0;

    team_tell(team, limit, sizeof *limit);
    if (limit->kind == LIMIT_NONE)
        return seconds;
    if (team->rank == 0)
        seconds = lead(team, limit);
    else if (limit->kind == LIMIT_MASTER || team->rank == limit->partner)
        serve(team, limit);
    team_barrier(team);
    return seconds;
}

/* ---- choosing ---------------------------------------------------------- */

static void set_count(struct limit *limit, double count)
{
    int64_t messages = (int64_t)(count / (double)limit->batch) + 1;

    limit->count = messages * limit->batch;
    limit->warm_count = (messages / 8 + 1) * limit->batch;
}

/* All ranks take the same turns: rank 0 tells them what its clock says. */
static void calibrate(const struct team *team, struct limit *limit,
                      double window_s)
{
    double seconds = 0.0, count = SMALLEST_COUNT;

    for (; seconds <= window_s / 2.0; count *= 2.0) {
        set_count(limit, count);
        seconds = limit_run(team, limit);
        team_tell(team, &seconds, sizeof seconds);
    }
    set_count(limit, (double)limit->count * window_s / seconds);
}

void limit_choose(const struct team *team, struct limit *limit, double window_s)
{
    /* MPI_Recv may spin for longer than others can stand. */
    int ways = team->crowded ? INBOX_RECV : INBOX_KINDS;
    double best_s = 0.0;
    struct limit best;

    team_tell(team, limit, sizeof *limit);
    if (limit->kind == LIMIT_NONE)
        return;
    limit->inbox[0] = limit->inbox[1] = INBOX_RING;
    calibrate(team, limit, window_s / 5.0);
    best = *limit;
    for (int i = 0; i < PASSES * ways * ways; i++) {
        limit->inbox[0] = i / ways % ways;
        limit->inbox[1] = i % ways;
        double seconds = limit_run(team, limit);
        if (best_s == 0.0 || seconds < best_s) {
            best_s = seconds;
            best = *limit;
        }
    }
    *limit = best;
    calibrate(team, limit, window_s);
}

const char *limit_way(const struct limit *limit, char *text, size_t capacity)
{
    static const char *const names[] = {"probe", "ring", "recv"};

    if (limit->kind == LIMIT_NONE)
        return NULL;
    snprintf(text, capacity, "%s/%s", names[limit->inbox[0]],
             names[limit->inbox[1]]);
    return text;
}
