/* startup.c - what the ranks tell each other before anything else: who they
 * are, what they offer, which functions they know.  All see the same cards, so
 * all come to the same conclusions without another word.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/settings.h"
#include "net/net_mpi.h"
#include "net/net_node.h"
#include "rank/rank.h"
#include "topo/split.h"
#include "topo/topo.h"
#include "wire/wire.h"

#define CARD_MAGIC UINT64_C(0x74727967 + 0x6f6e0001)

/* Followed by the mask's words, the functions' names, and what describes each
 * of them. */
struct card {
    uint64_t magic; /* also the byte order */
    uint32_t wire_version, card_size, error_size, nwords;
    uint32_t nfns;
    int32_t status;
    int32_t requested; /* slots: -1: as many as cores, 0: none */
    uint64_t seed, lineage_bytes, memory; /* memory: of the machine */
    struct tg_amounts offers;
    struct tg_shm_offer bells, inboxes;
    char node_id[256], host[TG_HOST_MAX];
    char err[320];
};

/* ----- this rank's card ------------------------------------------------------------ */

static void read_line(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(out, (int)size, f) == NULL)
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (f != NULL)
        fclose(f);
}

/* Ranks are on one node if they share a kernel that has not been restarted,
 * a host name and a network: containers may share less. */
static void identify(struct card *card, const char *node_id)
{
    char boot[64], net[64] = "";
    if (gethostname(card->host, sizeof card->host) != 0)
        snprintf(card->host, sizeof card->host, "unknown");
    card->host[sizeof card->host - 1] = '\0';
    if (node_id[0] != '\0') {
        snprintf(card->node_id, sizeof card->node_id, "%s", node_id);
        return;
    }
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t n = readlink("/proc/self/ns/net", net, sizeof net - 1);
    net[n > 0 ? n : 0] = '\0';
    snprintf(card->node_id, sizeof card->node_id, "%s %s %s", boot, card->host,
             net);
}

static int bad(struct tg_start *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static int bad(struct tg_start *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->err, sizeof s->err, fmt, ap);
    va_end(ap);
    return s->status = TRYGON_ERR_INVALID;
}

static bool slots_from(double asked, int64_t setting, const char *field,
                       struct tg_start *s, int32_t *out)
{
    if (asked + 1 == 0) { /* the default: the environment may speak */
        *out = (int32_t)setting;
        return true;
    }
    *out = asked >= 0 && asked <= 65536 ? (int32_t)asked : -1;
    if (*out >= 0 && asked - *out == 0)
        return true;
    (void)bad(s, "option %s is %g; expected -1 or a whole number up to 65536",
              field, asked);
    return false;
}

static int offers_from(struct tg_start *s, const struct tg_amounts *env,
                       struct tg_amounts *out)
{
    const trygon_opts_t *o = &s->opts;
    *out = *env;
    if (o->nresources == 0)
        return TRYGON_SUCCESS;
    if (o->resources == NULL || o->nresources > TG_AMOUNTS_MAX)
        return bad(s, "option resources: at most %d are possible",
                   TG_AMOUNTS_MAX);
    out->n = 0;
    for (size_t i = 0; i < o->nresources; i++) {
        const trygon_resource_t *r = &o->resources[i];
        struct tg_amount *a = &out->v[out->n++];
        if (r->name == NULL || r->name[0] == '\0' ||
            strlen(r->name) >= sizeof a->name || strcmp(r->name, "cpu") == 0)
            return bad(s, "option resources: '%s' is not a name for one%s",
                       r->name != NULL ? r->name : "(null)",
                       r->name != NULL && strcmp(r->name, "cpu") == 0
                           ? " (num_cpus says how many)"
                           : "");
        snprintf(a->name, sizeof a->name, "%s", r->name);
        bool memory = strcmp(r->name, "memory") == 0;
        if (memory && r->amount >= 0 && r->amount < 9e18)
            a->units = (int64_t)r->amount;
        else if (memory || tg_amount_from_double(r->amount, &a->units) != 0)
            return bad(s,
                       "option resources: %s is %g; expected an amount in "
                       "steps of 0.0001",
                       r->name, r->amount);
    }
    return TRYGON_SUCCESS;
}

/* What the program has left to the environment. */
static int store_from(struct tg_start *s, const struct tg_settings *set)
{
    trygon_opts_t *o = &s->opts;
    if (o->store_bytes == 0)
        o->store_bytes = set->store_bytes;
    if (o->spill_dir == NULL && set->spill_dir[0] != '\0')
        o->spill_dir = getenv("TRYGON_SPILL_DIR");
    if (o->lineage_bytes == 0)
        o->lineage_bytes = set->lineage_bytes;
    if (o->spill_deflate == 0)
        o->spill_deflate = (int32_t)set->spill_deflate;
    if (o->spill_deflate < 0 || o->spill_deflate > 9)
        return bad(s, "option spill_deflate is %d; expected 0 to 9",
                   (int)o->spill_deflate);
    return TRYGON_SUCCESS;
}

/* Also takes the log's level from the settings, so that even errors of the
 * start appear as the user wants them. */
static int read_options(struct trygon *tg, struct tg_start *s,
                        struct card *card, char *node_id)
{
    struct tg_settings set;
    node_id[0] = '\0';
    tg->log = (struct tg_log){TRYGON_LOG_WARN + s->opts.verbose, tg->rank,
                              s->opts.log, s->opts.log_arg};
    if (s->status != TRYGON_SUCCESS)
        return s->status;
    if (tg_settings_read(tg_getenv, NULL, &set, s->err, sizeof s->err) !=
        TRYGON_SUCCESS)
        return s->status = TRYGON_ERR_INVALID;
    if (s->opts.verbose == 0)
        tg->log.level = TRYGON_LOG_WARN + (int)set.verbose;
    snprintf(node_id, TG_SETTING_LEN, "%s", set.node_id);
    int32_t cpus, head;
    if (!slots_from(s->opts.num_cpus, set.num_cpus, "num_cpus", s, &cpus) ||
        !slots_from(s->opts.head_slots, set.head_slots, "head_slots", s, &head))
        return s->status;
    card->requested = cpus;
    if (tg->rank == 0 && head >= 0)
        card->requested = head;
    else if (tg->rank == 0 && tg->nranks > 1)
        card->requested = 0;
    card->seed = s->opts.seed != 0 ? s->opts.seed : set.seed;
    if (store_from(s, &set) != TRYGON_SUCCESS)
        return s->status;
    card->lineage_bytes = s->opts.lineage_bytes;
    return offers_from(s, &set.resources, &card->offers);
}

/* ----- everybody's cards ---------------------------------------------------------------- */

struct cards {
    unsigned char *all;
    size_t *offsets;
    int32_t n;
};

static const struct card *card_of(const struct cards *c, int32_t rank)
{
    return (const struct card *)(const void *)(c->all + c->offsets[rank]);
}

static const uint64_t *mask_of(const struct card *c)
{
    return (const uint64_t *)(const void *)(c + 1);
}

static const char *name_of(const struct card *c, uint32_t i)
{
    return (const char *)(mask_of(c) + c->nwords) + (size_t)i * TG_NAME_MAX;
}

static uint64_t described(const struct card *c, uint32_t i)
{
    uint64_t x;
    memcpy(&x, name_of(c, c->nfns) + (size_t)i * sizeof x, sizeof x);
    return x;
}

/* What is to be alike besides the name, as a number: how calls run. */
static uint64_t describe(const struct tg_fn *f)
{
    uint64_t h = tg_mix64((uint64_t)f->async << 8 | f->group);
    for (uint32_t i = 1; f->groups != NULL && i < f->groups->limits.n; i++) {
        h = tg_mix64(h ^ f->groups->limits.limit[i]);
        for (const char *c = f->groups->names[i]; *c != '\0'; c++)
            h = tg_mix64(h ^ (unsigned char)*c);
    }
    return h;
}

static void write_functions(const struct tg_start *s, unsigned char *at)
{
    unsigned char *after = at + (size_t)s->nfns * TG_NAME_MAX;
    for (uint32_t i = 0; i < s->nfns; i++) {
        uint64_t x = describe(&s->fns[i]);
        memcpy(at + (size_t)i * TG_NAME_MAX, s->fns[i].name, TG_NAME_MAX);
        memcpy(after + i * sizeof x, &x, sizeof x);
    }
}

static int exchange(struct trygon *tg, const struct tg_start *s,
                    struct card *card, const struct tg_topo *topo,
                    struct cards *out)
{
    card->magic = CARD_MAGIC;
    card->wire_version = TG_WIRE_VERSION;
    card->card_size = sizeof *card;
    card->error_size = sizeof(struct trygon_error);
    card->nwords = topo != NULL ? tg_topo_words(topo) : 0;
    card->nfns = s->nfns;
    card->status = s->status;
    snprintf(card->err, sizeof card->err, "%s", s->err);
    size_t size = sizeof *card + card->nwords * sizeof(uint64_t) +
                  (size_t)s->nfns * (TG_NAME_MAX + sizeof(uint64_t));
    unsigned char *mine = tg_alloc((size + 7) & ~(size_t)7);
    memcpy(mine, card, sizeof *card);
    if (topo != NULL)
        tg_topo_mask(topo, (uint64_t *)(void *)(mine + sizeof *card));
    write_functions(s, mine + sizeof *card + card->nwords * sizeof(uint64_t));
    void *all = NULL;
    int rc = tg_net_mpi_allgather(tg->comm, mine, (size + 7) & ~(size_t)7, &all,
                                  &out->offsets);
    free(mine);
    out->all = all;
    out->n = tg->nranks;
    return rc;
}

/* The log of the start: rank 0 speaks, all return the same. */
static void complain(const struct trygon *tg, const char *text)
{
    if (tg->rank == 0)
        tg_log(&tg->log, TRYGON_LOG_ERROR, "%s", text);
}

static int same_build(const struct trygon *tg, const struct cards *c)
{
    char text[160];
    for (int32_t r = 0; r < c->n; r++) {
        const struct card *x = card_of(c, r);
        size_t size = c->offsets[r + 1] - c->offsets[r];
        if (size >= sizeof *x && x->magic == CARD_MAGIC &&
            x->wire_version == TG_WIRE_VERSION && x->card_size == sizeof *x &&
            x->error_size == sizeof(struct trygon_error))
            continue;
        snprintf(text, sizeof text,
                 "rank %d runs another version or build of trygon than rank 0",
                 (int)r);
        complain(tg, text);
        return TRYGON_ERR_MISMATCH;
    }
    return TRYGON_SUCCESS;
}

static int all_fine(const struct trygon *tg, const struct cards *c)
{
    char text[400];
    for (int32_t r = 0; r < c->n; r++) {
        const struct card *x = card_of(c, r);
        if (x->status == TRYGON_SUCCESS)
            continue;
        if (r == tg->rank) /* the log names it */
            snprintf(text, sizeof text, "%s", x->err);
        else
            snprintf(text, sizeof text, "rank %d: %s", (int)r, x->err);
        complain(tg, text);
        return x->status;
    }
    return TRYGON_SUCCESS;
}

/* ----- the registries -------------------------------------------------------------------- */

/* Which function of the card it is; -1: none. */
static int64_t find(const struct card *c, const char *name)
{
    uint32_t lo = 0, hi = c->nfns; /* names are sorted */
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int d = strcmp(name_of(c, mid), name);
        if (d == 0)
            return mid;
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

/* "1, 2, 5" of the ranks that lack a name; false when none does. */
static bool who_lacks(const struct cards *c, const char *name, char *text,
                      size_t size)
{
    size_t at = 0;
    int32_t lacking = 0;
    text[0] = '\0';
    for (int32_t r = 0; r < c->n; r++) {
        if (find(card_of(c, r), name) >= 0)
            continue;
        lacking++;
        if (at + 16 < size)
            at += (size_t)snprintf(text + at, size - at, "%s%d",
                                   at > 0 ? ", " : "", (int)r);
        else if (at + 4 < size)
            at += (size_t)snprintf(text + at, size - at, "...");
    }
    return lacking > 0;
}

static int same_functions(const struct trygon *tg, const struct cards *c)
{
    char ranks[120], text[320];
    for (int32_t r = 0; r < c->n; r++) {
        const struct card *x = card_of(c, r);
        for (uint32_t i = 0; i < x->nfns; i++) {
            if (!who_lacks(c, name_of(x, i), ranks, sizeof ranks))
                continue;
            snprintf(text, sizeof text,
                     "function '%s' of rank %d is not registered on rank%s %s;"
                     " register the same functions on every rank",
                     name_of(x, i), (int)r,
                     strchr(ranks, ',') != NULL ? "s" : "", ranks);
            complain(tg, text);
            return TRYGON_ERR_MISMATCH;
        }
    }
    return TRYGON_SUCCESS;
}

/* They all have the same names by now. */
static int same_descriptions(const struct trygon *tg, const struct cards *c)
{
    char text[320];
    const struct card *first = card_of(c, 0);
    for (int32_t r = 1; r < c->n; r++) {
        for (uint32_t i = 0; i < first->nfns; i++) {
            if (described(card_of(c, r), i) == described(first, i))
                continue;
            snprintf(text, sizeof text,
                     "'%s' differs between the ranks 0 and %d: whether it is "
                     "async, or its groups and their limits; register the same "
                     "classes on every rank",
                     name_of(first, i), (int)r);
            complain(tg, text);
            return TRYGON_ERR_MISMATCH;
        }
    }
    return TRYGON_SUCCESS;
}

/* ----- the layout -------------------------------------------------------------------------- */

static void number_nodes(struct tg_layout *l, const struct cards *c)
{
    l->node = tg_alloc((size_t)c->n * sizeof *l->node);
    l->host = tg_alloc((size_t)c->n * sizeof *l->host);
    for (int32_t r = 0; r < c->n; r++) {
        const struct card *x = card_of(c, r);
        memcpy(l->host[r], x->host, sizeof l->host[r]);
        l->node[r] = -1;
        for (int32_t q = 0; q < r && l->node[r] < 0; q++)
            if (strcmp(card_of(c, q)->node_id, x->node_id) == 0)
                l->node[r] = l->node[q];
        if (l->node[r] < 0)
            l->node[r] = l->nnodes++;
    }
}

static int resource_id(struct tg_layout *l, const char *name)
{
    for (int i = 0; i < TG_RES_UNKNOWN; i++) {
        if (l->res_ptrs[i] == NULL) {
            snprintf(l->res_names[i], TG_NAME_MAX, "%s", name);
            l->res_ptrs[i] = l->res_names[i];
        }
        if (strcmp(l->res_names[i], name) == 0)
            return i;
    }
    return -1;
}

static int count_resources(const struct trygon *tg, struct tg_layout *l,
                           const struct cards *c)
{
    (void)resource_id(l, "cpu");
    (void)resource_id(l, "gpu");
    (void)resource_id(l, "memory");
    for (int32_t r = 0; r < c->n; r++) {
        const struct card *x = card_of(c, r);
        for (uint32_t i = 0; i < x->offers.n; i++) {
            int id = resource_id(l, x->offers.v[i].name);
            if (id < 0) {
                complain(tg, "too many kinds of resources: at most 12 besides "
                             "cpu, gpu and memory");
                return TRYGON_ERR_INVALID;
            }
            l->total[r][id] = x->offers.v[i].units;
        }
    }
    return TRYGON_SUCCESS;
}

/* Ray's share: 70 % of the machine's memory, between the ranks that work. */
static void default_memory(struct tg_layout *l, const struct cards *c)
{
    for (int32_t r = 0; r < c->n; r++) {
        int64_t workers = 0;
        for (int32_t q = 0; q < c->n; q++)
            workers += l->node[q] == l->node[r] && l->total[q][TG_RES_CPU] > 0;
        if (l->total[r][TG_RES_MEMORY] == 0 && l->total[r][TG_RES_CPU] > 0)
            l->total[r][TG_RES_MEMORY] =
                (int64_t)(card_of(c, r)->memory / 10 * 7) / workers;
    }
}

static void share_cores(struct trygon *tg, const struct cards *c,
                        const struct tg_topo *topo)
{
    struct tg_layout *l = &tg->layout;
    struct tg_split_rank *in = tg_alloc((size_t)c->n * sizeof *in);
    struct tg_split_share *shares = tg_alloc((size_t)c->n * sizeof *shares);
    int32_t *places = NULL;
    for (int32_t r = 0; r < c->n; r++) {
        const struct card *x = card_of(c, r);
        in[r] = (struct tg_split_rank){l->node[r], x->requested != 0,
                                       x->requested, x->nwords, mask_of(x)};
    }
    tg_split(in, c->n, shares, &places);
    for (int32_t r = 0; r < c->n; r++)
        l->total[r][TG_RES_CPU] = (int64_t)shares[r].slots * TG_UNIT;
    const struct tg_split_share *mine = &shares[tg->rank];
    l->nslots = mine->slots;
    l->bound = mine->bound && topo->real;
    l->pus = tg_alloc(((size_t)mine->slots + 1) * sizeof *l->pus);
    for (int32_t i = 0; l->bound && i < mine->slots; i++)
        l->pus[i] = topo->pus[mine->places[i]];
    free(places);
    free(shares);
    free(in);
}

static void introduce(const struct trygon *tg)
{
    const struct tg_layout *l = &tg->layout;
    char list[160] = "";
    size_t at = 0;
    for (int32_t i = 0; l->bound && i < l->nslots && at + 8 < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%d",
                               i > 0 ? "," : "", (int)l->pus[i]);
    tg_log(&tg->log, TRYGON_LOG_INFO, "node %d (%s): %d slot%s%s%s",
           (int)l->node[tg->rank], l->host[tg->rank], (int)l->nslots,
           l->nslots == 1 ? "" : "s",
           l->bound        ? " on PU "
           : l->nslots > 0 ? ", not bound"
                           : "",
           list);
}

void tg_layout_free(struct tg_layout *l)
{
    free(l->node);
    free(l->total);
    free(l->host);
    free(l->pus);
    *l = (struct tg_layout){0};
}

static void join_bells(struct trygon *tg, const struct cards *c)
{
    const int32_t *node = tg->layout.node;
    int32_t first = 0;
    while (node[first] != node[tg->rank])
        first++;
    tg_bells_join(&tg->bells, node, first, &card_of(c, first)->bells, &tg->log);
}

/* Frames to and from the ranks of this node go through memory, if the system
 * lets us. */
static void offer_inboxes(struct trygon *tg, struct card *card)
{
    char why[160];
    if (tg->nranks == 1)
        return; /* nobody to talk to */
    tg_net_node_create(tg->rank, tg->nranks, &tg->net, &card->inboxes, why,
                       sizeof why);
    if (why[0] != '\0')
        tg_log(&tg->log, TRYGON_LOG_INFO, "no inboxes to offer: %s", why);
}

static void join_inboxes(struct trygon *tg, const struct cards *c)
{
    char why[160];
    const int32_t *node = tg->layout.node;
    for (int32_t r = 0; r < c->n; r++) {
        if (r == tg->rank || node[r] != node[tg->rank])
            continue;
        if (tg_net_node_join(tg->net, r, &card_of(c, r)->inboxes, why,
                             sizeof why) != TRYGON_SUCCESS)
            tg_log(&tg->log, TRYGON_LOG_INFO,
                   "messages to rank %d go by MPI; its inbox: %s", (int)r, why);
    }
}

static int make_layout(struct trygon *tg, const struct cards *c,
                       const struct tg_topo *topo)
{
    struct tg_layout *l = &tg->layout;
    l->total = tg_alloc((size_t)c->n * sizeof *l->total);
    number_nodes(l, c);
    int rc = count_resources(tg, l, c);
    if (rc != TRYGON_SUCCESS)
        return rc;
    share_cores(tg, c, topo);
    default_memory(l, c);
    int32_t here = 0;
    for (int32_t r = 0; r < c->n; r++)
        here += l->node[r] == l->node[tg->rank];
    tg->crowded = here > (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    tg->seed = card_of(c, 0)->seed;
    tg->lineage_bytes = card_of(c, 0)->lineage_bytes;
    introduce(tg);
    return TRYGON_SUCCESS;
}

int tg_startup(struct trygon *tg, struct tg_start *s)
{
    struct card card;
    struct cards cards = {0};
    struct tg_topo *topo = NULL;
    char node_id[TG_SETTING_LEN];
    memset(&card, 0, sizeof card);
    card.memory =
        (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    (void)read_options(tg, s, &card, node_id);
    if (s->status == TRYGON_SUCCESS)
        s->status = tg_topo_load(NULL, &topo, s->err, sizeof s->err);
    identify(&card, node_id);
    tg_bells_offer(&tg->bells, tg->rank, tg->nranks, &tg->log, &card.bells);
    offer_inboxes(tg, &card);
    int rc = exchange(tg, s, &card, topo, &cards);
    if (rc == TRYGON_SUCCESS)
        rc = same_build(tg, &cards);
    if (rc == TRYGON_SUCCESS)
        rc = all_fine(tg, &cards);
    if (rc == TRYGON_SUCCESS)
        rc = same_functions(tg, &cards);
    if (rc == TRYGON_SUCCESS)
        rc = same_descriptions(tg, &cards);
    if (rc == TRYGON_SUCCESS)
        rc = make_layout(tg, &cards, topo);
    if (rc == TRYGON_SUCCESS) {
        join_bells(tg, &cards);
        join_inboxes(tg, &cards);
        rc = tg_stores_start(tg, &s->opts);
    }
    tg_topo_free(&topo);
    free(cards.all);
    free(cards.offsets);
    return rc;
}
