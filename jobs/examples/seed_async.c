/* seed_async.c - an async actor: calls that wait for each other on one thread.
 *
 * Two calls of "consume" wait for each other and then read a stream each, item by
 * item, side by side.  Wherever one of them waits the other goes on, and nowhere
 * else: the actor's state needs no lock.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trygon/trygon.h>

enum { ITEMS = 3 };

struct reader {
    trygon_event_t *both; /* calls are under way */
    int calls;
    pthread_t thread;
};

/* Yields so many numbers, one every few milliseconds. */
static int count(trygon_call_t *call)
{
    trygon_t *tg = trygon_call_runtime(call);
    int rc = TRYGON_SUCCESS;
    for (long i = 0; i < ITEMS && rc == TRYGON_SUCCESS; i++) {
        rc = trygon_sleep(tg, 5);
        if (rc == TRYGON_SUCCESS)
            rc = trygon_call_yield(call, &TRYGON_BYTES(&i, sizeof i));
    }
    return rc;
}

static int construct(trygon_call_t *call, void **self)
{
    struct reader *r = calloc(1, sizeof *r);
    if (r == NULL)
        return TRYGON_ERR_NOMEM;
    *self = r;
    return trygon_event_create(trygon_call_runtime(call), &r->both);
}

static void destroy(trygon_t *tg, void *self)
{
    struct reader *r = self;
    (void)tg;
    trygon_event_destroy(&r->both);
    free(r);
}

/* Reads what a task yields; its name is the argument.  Returns what it saw. */
static int consume(trygon_call_t *call, void *self)
{
    trygon_t *tg = trygon_call_runtime(call);
    struct reader *r = self;
    trygon_value_t name;
    trygon_ref_t stream, item;
    char line[80];
    int rc = trygon_call_arg(call, 0, &name);
    if (rc != TRYGON_SUCCESS)
        return rc;
    int n = snprintf(line, sizeof line, "%s:", (const char *)name.data);
    r->thread = pthread_self();
    if (++r->calls == 2)
        trygon_event_set(r->both);
    rc = trygon_event_wait(r->both, TRYGON_FOREVER);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_submit_stream(tg, "count", 0, NULL, NULL, &stream);
    if (rc != TRYGON_SUCCESS)
        return rc;
    while ((rc = trygon_stream_next(tg, stream, TRYGON_FOREVER, &item)) ==
           TRYGON_SUCCESS) {
        long x = -1;
        rc = trygon_get_into(tg, item, TRYGON_FOREVER, &x, sizeof x, NULL);
        trygon_ref_release(tg, 1, &item);
        if (rc != TRYGON_SUCCESS)
            break;
        n += snprintf(line + n, sizeof line - (size_t)n, " %ld", x);
    }
    trygon_ref_release(tg, 1, &stream);
    if (!pthread_equal(r->thread, pthread_self()))
        return trygon_call_fail(call, 1, "another thread");
    return rc != TRYGON_ERR_END
               ? rc
               : trygon_call_return(call, 0,
                                    &TRYGON_BYTES(line, strlen(line) + 1));
}

static const trygon_method_t methods[] = {{"consume", consume, NULL}};
static const trygon_class_t reader = {.size = sizeof reader,
                                      .name = "Reader",
                                      .construct = construct,
                                      .destroy = destroy,
                                      .methods = methods,
                                      .nmethods = 1,
                                      .async = true};

/* asyncio.gather(consume("first"), consume("second")) */
static int driver(trygon_t *tg, void *arg)
{
    static const char *const names[] = {"first", "second"};
    trygon_ref_t actor, done[2] = {{0, 0}};
    trygon_value_t lines[2] = {{0}};
    int rc = trygon_actor_create(tg, "Reader", 0, NULL, NULL, &actor);
    (void)arg;
    if (rc != TRYGON_SUCCESS)
        return rc;
    for (int i = 0; i < 2 && rc == TRYGON_SUCCESS; i++)
        rc = trygon_actor_call(tg, actor, "consume", 1,
                               &TRYGON_BYTES(names[i], strlen(names[i]) + 1),
                               NULL, &done[i]);
    if (rc == TRYGON_SUCCESS)
        rc = trygon_get_n(tg, 2, done, TRYGON_FOREVER, lines);
    for (int i = 0; i < 2 && rc == TRYGON_SUCCESS; i++) {
        printf("%s\n", (const char *)lines[i].data);
        trygon_value_release(tg, &lines[i]);
    }
    trygon_ref_release(tg, 2, done);
    trygon_ref_release(tg, 1, &actor);
    return rc;
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_class(reg, &reader);
    trygon_registry_add_task(reg, "count", count);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status != 0;
}
