/* flow.c - see flow.h. */
#include "flow.h"

#include "common/run.h"
#include "tile.h"

/* Did the task fail?  What tells the user is where it began. */
static int look(struct flow *flow, trygon_ref_t ref, struct fault *fault)
{
    trygon_error_t error = {.size = sizeof error};

    if (trygon_ref_error(flow->tg, ref, &error) != TRYGON_SUCCESS)
        return 0;
    if (error.ncauses > 0)
        trygon_ref_cause(flow->tg, ref, error.ncauses - 1, &error);
    if (error.user_code == TILE_NOT_POSITIVE)
        return fault_set(fault, "%s", error.text);
    return fault_set(fault, "a task failed: %s: %s", error.function,
                     error.text[0] != '\0' ? error.text
                                           : trygon_strerror(error.code));
}

static int take_one(struct flow *flow, struct fault *fault)
{
    trygon_ref_t ref;
    uint64_t tag;
    int rc = trygon_waitset_next(flow->set, TRYGON_FOREVER, &ref, &tag);

    if (rc != TRYGON_SUCCESS) {
        flow->under_way = 0; /* it will not work the next time either */
        return run_fault(fault, "cannot wait for tiles", rc);
    }
    flow->under_way--;
    rc = look(flow, ref, fault);
    if (rc == 0 && flow->take != NULL)
        rc = flow->take(flow->arg, tag, ref, fault);
    trygon_ref_release(flow->tg, 1, &ref);
    return rc;
}

int flow_open(struct flow *flow, struct fault *fault)
{
    int rc = trygon_waitset_create(flow->tg, &flow->set);

    flow->under_way = 0;
    return rc == TRYGON_SUCCESS ? 0
                                : run_fault(fault, "cannot wait for tiles", rc);
}

int flow_add(struct flow *flow, trygon_ref_t ref, uint64_t tag,
             struct fault *fault)
{
    int rc = flow->under_way < flow->room ? 0 : take_one(flow, fault);

    if (rc == 0) {
        rc = trygon_waitset_add(flow->set, ref, tag);
        if (rc == TRYGON_SUCCESS) {
            flow->under_way++;
            return 0;
        }
        rc = run_fault(fault, "cannot wait for a tile", rc);
    }
    trygon_ref_release(flow->tg, 1, &ref);
    return rc;
}

int flow_close(struct flow *flow, int rc, struct fault *fault)
{
    struct fault later;

    while (flow->under_way > 0) {
        int next = take_one(flow, rc == 0 ? fault : &later);
        rc = rc == 0 ? next : rc;
    }
    trygon_waitset_destroy(&flow->set);
    return rc;
}
