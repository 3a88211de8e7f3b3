/* msg.h - what ranks say to each other.
 *
 * A message is what one core's step puts out and another core's step takes
 * in; wire/ turns it into bytes and back, and knows no more.  A message owns
 * what its pointers point to (tg_msg_fini gives it back).  It is copied a few
 * times on its way, so it is small: what is large and rare is behind pointers.
 *
 * Tasks, executions and classes are named by slab handles of the rank that
 * made them; leases by a number that the head counts up for each worker, so
 * that a worker can tell a lease it has not heard of yet from a closed one.
 */
#ifndef TG_CORE_MSG_H
#define TG_CORE_MSG_H

#include <stdlib.h>

#include "core/types.h"
#include "core/value.h"

enum tg_msg_type {
    /* scheduling: owner, head, worker */
    TG_MSG_DEMAND = 1, /* owner -> head: so much work of this class waits */
    TG_MSG_LEASE,      /* head -> owner: use this worker for that class */
    TG_MSG_REFUSE,     /* head -> owner: the class cannot run, because */
    TG_MSG_OPEN,       /* head -> worker: the lease exists */
    TG_MSG_RECALL,     /* head -> worker: finish what runs and close */
    TG_MSG_CLOSE,      /* owner -> worker: I need the lease no longer */
    TG_MSG_CLOSED,     /* worker -> head: it is over */
    TG_MSG_LEND,       /* worker -> head: its tasks are all blocked */
    TG_MSG_RESUME,     /* worker -> head: one of them goes on */
    /* tasks: owner and worker */
    TG_MSG_RUN,    /* owner -> worker */
    TG_MSG_DONE,   /* worker -> owner */
    TG_MSG_BOUNCE, /* worker -> owner: unstarted, have them back */
    TG_MSG_CANCEL, /* owner -> worker */
    /* objects: owner and holder */
    TG_MSG_WATCH,      /* holder -> owner: tell me when it is ready */
    TG_MSG_VALUE,      /* owner -> holder: it is */
    TG_MSG_DROP,       /* holder -> owner: weight comes home */
    TG_MSG_MORE,       /* holder -> owner: I need weight to pass on */
    TG_MSG_WEIGHT,     /* owner -> holder: here is some */
    TG_MSG_CANCEL_REF, /* holder -> owner: cancel the task behind it */
    /* the run as a whole */
    TG_MSG_GONE,   /* head -> all: that rank is lost */
    TG_MSG_NOTE,   /* any -> head: print this line */
    TG_MSG_QUERY,  /* any -> head: what does the machine look like? */
    TG_MSG_TABLE,  /* head -> any: like this */
    TG_MSG_ENDED,  /* head -> all: the driver has returned */
    TG_MSG_PROBE,  /* head -> all: are you quiet? */
    TG_MSG_COUNTS, /* any -> head: so much sent and received */
    TG_MSG_BYE,    /* head -> all: all are quiet, nothing is under way */
    /* actors: caller, owner (who created it) and worker */
    TG_MSG_CALL,   /* caller -> worker: a run of a method */
    TG_MSG_UNCALL, /* caller -> worker: cancel it */
    TG_MSG_KILL,   /* holder -> owner: end the actor */
    TG_MSG_LEAVE,  /* owner -> worker: it is to end */
    TG_MSG_LEFT,   /* worker -> owner: it has ended by itself */
    /* streams: owner and worker */
    TG_MSG_ITEM,  /* worker -> owner: the task has yielded this */
    TG_MSG_TAKEN, /* owner -> worker: so many items were taken */
    /* actors that are made again: caller and owner */
    TG_MSG_LOCATE, /* caller -> owner: it is not where I know it; where is it? */
    TG_MSG_PLACE,  /* owner -> caller: there; it is being made; it has ended */
    /* names of actors; who detaches one hands it to the head's rank */
    TG_MSG_NAME,   /* any -> head: reserve, set, free or find one */
    TG_MSG_NAMED,  /* head -> any: the answer */
    TG_MSG_CREATE, /* any -> head's rank: create this actor, and own it */
    TG_MSG_LIST,   /* any -> any: what do you know of these? */
    TG_MSG_ROWS,   /* any -> any: this */
    /* bytes in stores */
    TG_MSG_NEWS,   /* any -> head: of objects in stores, and of their copies */
    TG_MSG_FADE,   /* head -> holder: keep no copies that you do not use */
    TG_MSG_FORGET, /* owner -> store: these objects are dead */
    TG_MSG_FREE,   /* holder -> owner: drop its value now */
    TG_MSG_PULL,   /* reader -> store: I need these bytes */
    TG_MSG_DATA,   /* store -> reader: here are some; or why not */
    TG_MSG_HOME,   /* head -> holder, owner: the object's store was lost */
    TG_MSG_LAST = TG_MSG_HOME
};

/* An argument or a result: a value, or a reference in its stead.  Weights go
 * with every reference that travels (objs.h). */
struct tg_item {
    struct tg_val *val; /* NULL: by reference */
    union {
        uint64_t *weights;    /* val->nrefs of them; NULL: none given yet */
        struct tg_val *place; /* by reference: of the value, stored and without
                                 references, if that is known; else NULL */
    };
    trygon_ref_t ref; /* when val is NULL */
    uint64_t weight;  /* of ref */
};

/* The arguments or the results of a task.  Most tasks have one of each, which
 * is here; more are elsewhere.  Given away: n becomes 0. */
struct tg_items {
    uint32_t n;
    union { /* tg_items_at() */
        struct tg_item one, *more;
    };
};

static inline struct tg_item *tg_items_at(const struct tg_items *v)
{
    return v->n == 1 ? (struct tg_item *)(uintptr_t)&v->one : v->more;
}

struct tg_name { /* of an actor: all bytes count, those behind the NUL are 0 */
    char space[TG_NAME_MAX], name[TG_NAME_MAX];
};

struct tg_weighted {
    trygon_ref_t ref;
    uint64_t weight;
};

struct tg_attempt {
    uint64_t task;
    int32_t attempt;
};

struct tg_msg_demand {
    uint64_t cls; /* the owner's class */
    struct tg_shape *shape;
    uint32_t want;     /* leases wanted beyond those received; 0: none */
    uint32_t received; /* leases of this class received so far */
    int32_t depth;     /* of nesting: 0 for the driver's own tasks */
    int32_t nprefer;
    int32_t prefer[TG_PREFER_MAX]; /* ranks where the arguments are */
};

enum { TG_REASON_MAX = 160 }; /* bytes with the NUL */

struct tg_msg_lease {
    uint64_t lease;
    uint64_t cls;
    int32_t worker;
};

struct tg_msg_refuse {
    uint64_t cls;
    bool final; /* the class's tasks fail; else they wait */
    char *reason;
};

struct tg_msg_open {
    uint64_t lease;
    int32_t owner;
    int32_t depth;
    struct tg_shape *shape;
    uint32_t ncpus, ngpus;
    int32_t *ids; /* ncpus CPU slots of the worker, then ngpus GPUs */
};

struct tg_msg_close { /* RECALL, CLOSE, CLOSED, LEND, RESUME */
    uint64_t lease;
};

struct tg_msg_run {  /* RUN, CALL */
    uint64_t lease;  /* CALL: the worker's handle of the actor */
    uint64_t task;   /* the owner's handle */
    uint64_t number; /* for people: unique in the run */
    int32_t attempt;
    int32_t depth;
    uint32_t fn;
    uint16_t nreturns;
    uint8_t group; /* CALL: of the actor's */
    struct tg_items args;
    char *name;     /* NULL: the function's */
    uint64_t seq;   /* CALL: its number among the caller's calls of the group.
                     RUN: 0, or of a constructor the owner's handle of the
                     actor; nreturns then is TG_CREATES() */
    uint64_t limit; /* it yields items, so many ahead; 0: it returns values */
};

/* A constructor returns nothing that user code sets. */
#define TG_CREATES(concurrency_, keeps_) \
    ((concurrency_)*2u + ((keeps_) ? 1 : 0))
enum { TG_CONCURRENCY_MAX = 32767 };

struct tg_msg_done {
    uint64_t lease;
    uint64_t task;
    int32_t attempt;
    int32_t code; /* 0, a user code above 0, TRYGON_ERR_ or TG_DONE_ */
    uint64_t ran_ns;
    struct tg_items returns; /* none unless code is 0 */
    struct tg_val *error;    /* when code is not 0 */
    uint64_t yielded;        /* items of this attempt, some still under way */
    uint32_t bounces;        /* on its lease, before it */
};

/* The code of a call that found no actor: its owner knows where it is now. */
enum { TG_DONE_GONE = INT32_MIN };
/* And of one whose arguments nobody has a place for. */
enum { TG_DONE_ARGS = INT32_MIN + 1 };

enum tg_bounce {
    TG_BOUNCE_CLOSED = 1, /* the lease is closing */
    TG_BOUNCE_BLOCKED,    /* its task waits: send nothing until its done */
    TG_BOUNCE_OVERRUN,    /* its task takes long: likewise */
    TG_BOUNCE_ARGS        /* nobody says where these tasks' arguments are */
};

struct tg_msg_bounce {
    uint64_t lease;
    enum tg_bounce why;
    uint32_t n; /* may be 0: only the news about the lease */
    struct tg_attempt *v;
};

struct tg_msg_cancel { /* CANCEL, UNCALL */
    uint64_t lease;    /* under which the run was sent, or the actor */
    uint64_t task;
    uint64_t seq; /* UNCALL, as is group */
    uint8_t group;
    int32_t attempt;
    bool recursive;
};

/* Why an actor ends. */
enum tg_leave {
    TG_LEAVE_SCOPE = 1, /* its last handle is gone */
    TG_LEAVE_KILLED,
    TG_LEAVE_EXITED,  /* one of its methods asked for it */
    TG_LEAVE_OVER,    /* its owner's runtime ends */
    TG_LEAVE_RESTART, /* killed, to be made again */
    TG_LEAVE_LOST     /* its owner is lost */
};

struct tg_msg_leave { /* LEAVE, LEFT */
    uint64_t actor;   /* the worker's handle */
    uint64_t obj;     /* the owner's */
    enum tg_leave why;
};

struct tg_msg_watch {
    trygon_ref_t ref;
    bool fetch; /* the bytes as well, however many */
};

struct tg_msg_value { /* VALUE; PLACE: not here while it is being made */
    trygon_ref_t ref;
    uint64_t size; /* of the object; PLACE: 0 */
    bool here;     /* item carries the value (or the error) */
    struct tg_item item;
};

struct tg_msg_drop {
    uint32_t n;
    struct tg_weighted *v;
};

struct tg_msg_more { /* MORE (weight 0), WEIGHT */
    struct tg_weighted w;
};

struct tg_msg_cancel_ref { /* CANCEL_REF, KILL, FREE */
    trygon_ref_t ref;
    bool recursive; /* KILL: for good, whatever restarts are left */
};

struct tg_msg_locate {
    trygon_ref_t ref;
    int32_t incarnation; /* that the caller knew */
};

struct tg_msg_gone {
    int32_t rank;
};

struct tg_msg_note {
    int32_t level;
    char *text;
};

struct tg_msg_query {
    uint64_t waiter;
};

struct tg_row { /* a rank, as the head sees it */
    int32_t rank;
    bool alive;
    int64_t total[TG_RES_MAX];
    int64_t avail[TG_RES_MAX];
};

struct tg_msg_table {
    uint64_t waiter;
    uint32_t n;
    struct tg_row *v;
};

struct tg_msg_ended {
    int32_t status;
};

struct tg_msg_counts { /* PROBE (round only), COUNTS, BYE (round only) */
    uint32_t round;
    bool quiet;
    uint64_t sent, received;
};

struct tg_msg_item {
    uint64_t task;
    uint64_t exec;  /* the worker's handle of the execution, for TAKEN */
    uint64_t index; /* 0 for the first of the attempt */
    int32_t attempt;
    struct tg_item item; /* by value */
};

struct tg_msg_taken {
    uint64_t exec; /* the worker's handle of what yields */
    uint64_t n;    /* items taken so far; UINT64_MAX: the stream is closed */
};

enum tg_name_op {
    TG_NAME_RESERVE = 1, /* for an actor that is to be created: a ticket */
    TG_NAME_RESERVE_GET, /* the same, or the actor of that name and class */
    TG_NAME_FIND,
    TG_NAME_SET,  /* the actor is there: ref, of the ticket's name */
    TG_NAME_BACK, /* it will not be created, or has ended: the name is free */
    TG_NAME_LOST  /* it is no more, but its name stays taken */
};

struct tg_msg_name {
    enum tg_name_op op;
    uint32_t fn;          /* the class, of RESERVE_GET */
    uint64_t waiter;      /* RESERVE, RESERVE_GET, FIND: who waits */
    struct tg_name *name; /* likewise */
    uint64_t ticket;      /* SET, BACK, LOST: the head's handle of the name */
    trygon_ref_t ref;     /* SET */
};

struct tg_msg_named { /* to NAME and CREATE */
    uint64_t waiter;
    uint64_t ticket;     /* 0: none */
    int32_t code;        /* 0 or TRYGON_ERR_; only with 0 the rest */
    struct tg_item item; /* a handle; none if there is a ticket */
};

struct tg_create; /* owner.h */

struct tg_msg_create { /* what a submit has, of a constructor */
    uint64_t waiter;
    uint32_t fn;
    int32_t depth, max_restarts;
    struct tg_shape *shape;
    struct tg_create *create;
    struct tg_items args;
};

enum tg_listed {
    TG_LISTED_ACTORS = 1, /* every rank: that it owns */
    TG_LISTED_OBJECTS, /* every rank: that it owns, holds, or has in its store */
    TG_LISTED_PLACES   /* the head: where the object ref is stored */
};

struct tg_msg_list {
    uint64_t waiter;
    enum tg_listed what;
    trygon_ref_t ref; /* PLACES */
};

struct tg_msg_rows {
    uint64_t waiter;
    struct tg_item item; /* a value: owner_name.c and core_list.c have what is
                            in it */
};

enum tg_news_op {
    TG_NEWS_NEW = 1, /* owner: it exists, stored at `rank` */
    TG_NEWS_COPY,    /* holder: I have a copy */
    TG_NEWS_UNCOPY,  /* holder: no more */
    TG_NEWS_DISK,    /* its store: it is in a file, and in memory no more */
    TG_NEWS_MEMORY,  /* its store: it is in memory again */
    TG_NEWS_UNUSED,  /* owner: only other ranks still hold it */
    TG_NEWS_FREED,   /* owner: it was told to free it, and DEAD follows */
    TG_NEWS_DEAD,    /* owner: it is no more */
    TG_NEWS_SOUGHT,  /* owner: its store is lost; who has a copy? */
    TG_NEWS_HOME,    /* holder: as I was asked, mine is the object's now */
    TG_NEWS_LAST = TG_NEWS_HOME
};

struct tg_news {
    trygon_ref_t ref;
    enum tg_news_op op;
    int32_t rank;  /* NEW */
    uint64_t size; /* NEW; HOME: the blob there */
};

/* Of one object the news must arrive in the order in which they were sent: a
 * message that does not fit into a frame may be overtaken. */
enum { TG_NEWS_MAX = 128 };

struct tg_msg_news {
    uint32_t n; /* at most TG_NEWS_MAX */
    struct tg_news *v;
};

struct tg_msg_fade {
    bool freed; /* they are no more: nor copies that you use */
    uint32_t n;
    trygon_ref_t *v;
};

struct tg_msg_home { /* to a holder: your copy is to be the object's home */
    trygon_ref_t ref;
    int32_t rank;  /* to its owner: who has it; itself: it has a copy, as
                      others have; -1: nobody */
    uint64_t blob; /* there */
};

struct tg_msg_forget {
    uint32_t n;
    uint64_t *v; /* blobs of the receiver's store */
};

enum tg_pull_op {
    TG_PULL_BYTES = 1, /* send all of it */
    TG_PULL_HERE,      /* I read it in place: have it in memory */
    TG_PULL_END        /* no longer */
};

struct tg_msg_pull {
    enum tg_pull_op op;
    uint32_t number; /* of the reader's: comes back with DATA */
    uint64_t blob;   /* of the receiver's store */
    uint64_t to;     /* of the sender's */
};

/* A code of DATA besides 0 and errors: rank and blob have a copy. */
enum { TG_DATA_MOVED = 1 };

struct tg_msg_data {
    int32_t code;
    int32_t rank; /* MOVED */
    uint32_t number;
    uint64_t to;
    uint64_t blob;     /* MOVED */
    uint64_t offset;   /* with code 0: n bytes from here on follow apart; n */
    uint64_t n;        /* is 0 in answer to TG_PULL_HERE */
    const void *bytes; /* where they are: at the sender, who sees to it that
                          they stay, and then where the reader wanted them, or
                          NULL (rank/post.h); not of the message */
    void *cookie;      /* the sender's, likewise */
};

struct tg_msg {
    enum tg_msg_type type;
    union {
        struct tg_msg_demand demand;
        struct tg_msg_lease lease;
        struct tg_msg_refuse refuse;
        struct tg_msg_open open;
        struct tg_msg_close close; /* RECALL, CLOSE, CLOSED, LEND, RESUME */
        struct tg_msg_run run;     /* RUN, CALL */
        struct tg_msg_done done;
        struct tg_msg_bounce bounce;
        struct tg_msg_cancel cancel; /* CANCEL, UNCALL */
        struct tg_msg_leave leave;   /* LEAVE, LEFT */
        struct tg_msg_watch watch;
        struct tg_msg_value value; /* VALUE, PLACE */
        struct tg_msg_drop drop;
        struct tg_msg_more more;             /* MORE, WEIGHT */
        struct tg_msg_cancel_ref cancel_ref; /* CANCEL_REF, KILL, FREE */
        struct tg_msg_locate locate;
        struct tg_msg_gone gone;
        struct tg_msg_note note;
        struct tg_msg_query query;
        struct tg_msg_table table;
        struct tg_msg_ended ended;
        struct tg_msg_counts counts; /* PROBE, COUNTS, BYE */
        struct tg_msg_item item;
        struct tg_msg_taken taken;
        struct tg_msg_name name;
        struct tg_msg_named named;
        struct tg_msg_create create;
        struct tg_msg_list list;
        struct tg_msg_rows rows;
        struct tg_msg_news news;
        struct tg_msg_fade fade;
        struct tg_msg_home home;
        struct tg_msg_forget forget;
        struct tg_msg_pull pull;
        struct tg_msg_data data;
    } u;
};

const char *tg_msg_name(enum tg_msg_type type); /* "run" */
void tg_msg_fini(struct tg_msg *m);
/* A copy for a message. */
struct tg_shape *tg_shape_new(const struct tg_shape *s);

/* Items own a count of their value and their weights array. */
static inline void tg_item_fini(struct tg_item *it)
{
    if (it->val == NULL) {
        tg_val_drop(&it->place);
        return;
    }
    tg_val_drop(&it->val);
    if (it->weights != NULL)
        free(it->weights);
    it->weights = NULL;
}
void tg_items_init(struct tg_items *v, uint32_t n); /* n empty ones */
void tg_items_fini(struct tg_items *v);

/* The items that a message carries (NULL and 0: none). */
struct tg_item *tg_msg_items(struct tg_msg *m, uint32_t *n);

#endif
