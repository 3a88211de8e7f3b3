/* errors.c - a failed task's error is the value of its references: it travels
 * to whoever asks, and to every task that needed the result.
 */
#include <stdio.h>
#include <trygon/trygon.h>

enum { TOO_COLD = 1, NO_ROW = 7 };

/* Fails with a code and a reason of its own. */
static int find_row(trygon_call_t *call)
{
    return trygon_call_fail(call, NO_ROW, "the table has no row %d", 42);
}

/* Only needs its argument to exist. */
static int use_row(trygon_call_t *call)
{
    return trygon_call_return(call, 0, &TRYGON_BYTES("used", 5));
}

/* Fails twice, then succeeds: the attempt says how often it has been tried. */
static int start_engine(trygon_call_t *call)
{
    trygon_call_info_t info = {.size = sizeof info};
    int rc = trygon_call_info(call, &info);
    if (rc != TRYGON_SUCCESS)
        return rc;
    if (info.attempt < 2)
        return trygon_call_fail(call, TOO_COLD, "too cold to start");
    return trygon_call_return(
        call, 0, &TRYGON_BYTES(&info.attempt, sizeof info.attempt));
}

static void show(const char *how, const trygon_error_t *e)
{
    printf("  %s %s: %s", how, e->function, e->text);
    if (e->user_code != 0)
        printf(" (code %d)", (int)e->user_code);
    putchar('\n');
}

static void explain(trygon_t *tg, const char *what, trygon_ref_t ref)
{
    trygon_error_t e = {.size = sizeof e};
    trygon_value_t v;
    int rc = trygon_get(tg, ref, TRYGON_FOREVER, &v);
    printf("%s: %s\n", what, trygon_strerror(rc));
    if (trygon_ref_error(tg, ref, &e) != TRYGON_SUCCESS)
        return;
    show("in", &e);
    for (int i = 0; trygon_ref_cause(tg, ref, i, &e) == TRYGON_SUCCESS; i++)
        show("because of", &e);
}

static int driver(trygon_t *tg, void *arg)
{
    trygon_ref_t row, used, engine;
    trygon_task_opts_t retry;
    int32_t cold = TOO_COLD, attempt;
    (void)arg;

    if (trygon_submit(tg, "find_row", 0, NULL, NULL, &row) ||
        trygon_submit(tg, "use_row", 1, &TRYGON_REF(row), NULL, &used))
        return 1;
    explain(tg, "row", row);
    explain(tg, "used", used);

    trygon_task_opts_init(&retry);
    retry.max_retries = 5;
    retry.retry_codes = &cold; /* other codes fail at once */
    retry.nretry_codes = 1;
    if (trygon_submit(tg, "start_engine", 0, NULL, &retry, &engine) ||
        trygon_get_into(tg, engine, TRYGON_FOREVER, &attempt, sizeof attempt,
                        NULL))
        return 1;
    printf("the engine started after %d failures\n", (int)attempt);

    if (trygon_submit(tg, "no_such_task", 0, NULL, NULL, &row) !=
        TRYGON_SUCCESS) {
        trygon_error_t e = {.size = sizeof e};
        trygon_last_error(&e);
        printf("%s\n", e.text);
    }
    trygon_ref_t all[] = {row, used, engine};
    return trygon_ref_release(tg, 3, all);
}

int main(void)
{
    trygon_registry_t *reg;
    trygon_opts_t opts;
    trygon_t *tg;
    int status = 1;
    trygon_registry_create(&reg);
    trygon_registry_add_task(reg, "find_row", find_row);
    trygon_registry_add_task(reg, "use_row", use_row);
    trygon_registry_add_task(reg, "start_engine", start_engine);
    trygon_opts_init(&opts);
    opts.registry = reg;
    if (trygon_init(MPI_COMM_NULL, &opts, &tg) != TRYGON_SUCCESS)
        return 1;
    trygon_run(tg, driver, NULL, &status);
    trygon_finalize(&tg);
    trygon_registry_destroy(&reg);
    return status;
}
