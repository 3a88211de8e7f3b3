/* store.h - the blobs of this rank's store: who gets room, who leaves memory,
 * who reads and who is sent what.
 *
 * A blob is the bytes of one object.  Its memory and its place in a file are
 * somebody else's affair (rank/stores.c, the simulator): the core says what is
 * to be done to them (enum tg_store_op), and hears what came of it.
 *
 *     QUEUED -> MAKING -> FILLING -> SEALED -> LEAVING -> DISK -> QUEUED ...
 *
 * Kinds.  A blob of kind OWN was made here, by a put or a task; its object may
 * be owned by another rank, and it lives until that one forgets it.  A COPY was
 * pulled from another node, and lives as long as this rank's entry of the
 * object, or until its memory is needed.  NEAR has no memory here: it stands
 * for asking a rank of this node to have the bytes in memory, where they are
 * read in place.
 *
 * Room.  Who needs memory waits in line, calls before arguments of tasks; the
 * first in line gets it as soon as it fits.  Until then, and whenever the store
 * is fuller than TG_STORE_HIGH per cent, blobs leave: copies and what is in a
 * file already first, then what must be written to a file, each least recently
 * used first.  If anything must be written, some more is as well, so that many
 * small ones come into one file; it stays in memory until that is needed.  What
 * is pinned, which only its memory knows, refuses to leave and is looked at
 * again later.
 *
 * The limit is the node's: all its ranks take from it, as it comes.  Above the
 * mark each lets go of its part of what is too much.  Who is first in line and
 * has nothing more to give up says how much it needs, and all others let go of
 * their part of that.
 *
 * If nothing can leave, or what is being written takes long, the first in line
 * gets a mapped file in the stead of memory, so nobody waits for ever, and not
 * for HDF5.  If there is no file either, it keeps its place and tries again.
 * Who writes is told STORE_FULL when nothing at all has become free for long,
 * since perhaps nobody but he can free anything; who reads, after very long.
 *
 * Pulling.  A reader asks the rank that made the blob; this one sends it in
 * pieces to at most readers_max at a time and lets others wait.  When a reader
 * has got it all, half of those who wait are sent there: a broadcast becomes a
 * tree.  A reader whose source has it no more begins again where it was made.
 *
 * Weighted references keep an object, and so its blob, alive as long as anybody
 * may ask for it; that is why a place needs no check.
 */
#ifndef TG_CORE_STORE_H
#define TG_CORE_STORE_H

#include "base/slab.h"
#include "core/ctx.h"

/* What is to be done to a blob's bytes, and what has been done. */
enum tg_store_op {
    TG_STORE_MAKE = 1, /* memory of its size; answer: 0, NOMEM, or STATE: the
                          node has no room for it now */
    TG_STORE_FILE,     /* the same in a mapped file; answer: 0, IO, DISK_FULL,
                        or STORE_FULL: no disk will ever have so much */
    TG_STORE_SEAL,     /* it is written: others may read it */
    TG_STORE_EVICT, /* give the memory up; answer: 0, or STATE: it is pinned */
    TG_STORE_FREE,  /* give everything up, the place in a file as well */
    TG_STORE_SPILL, /* write it to a file; answer: 0, IO or DISK_FULL */
    TG_STORE_LOAD,  /* read it from there; answer: 0 or IO */
    TG_STORE_NEED, /* tell the ranks of the node that so many bytes (handle) are
                          wanted here, which others would have to give up */
    TG_STORE_SEND  /* send the action's message, a DATA, to `rank` with
                          these bytes, from memory or from the file; answer
                          (ref: {rank, to}): 0, or IO, which the message then
                          says in the stead of bytes */
};

enum tg_blob_state {
    TG_BLOB_QUEUED = 1, /* in line for memory */
    TG_BLOB_MAKING,     /* it is being got */
    TG_BLOB_FILLING,    /* by user code, from a file, or from another rank */
    TG_BLOB_SEALED,     /* it can be read */
    TG_BLOB_LEAVING,    /* it is to give up its memory */
    TG_BLOB_DISK,       /* it is in a file only */
    TG_BLOB_ASKED       /* NEAR: its store has been asked */
};

enum tg_blob_kind { TG_BLOB_OWN = 1, TG_BLOB_COPY, TG_BLOB_NEAR };

/* Where a sealed blob, or one in line, is kept in order. */
enum tg_blob_list {
    TG_LIST_NONE,
    TG_LIST_CALLS, /* in line: a call waits for it */
    TG_LIST_ARGS,  /* in line: a task's argument */
    TG_LIST_HUGE,  /* in line for a mapped file: larger than any memory */
    TG_LIST_CHEAP, /* can leave at once */
    TG_LIST_DEAR,  /* must be written to a file before */
    TG_LIST_BUSY,  /* could not leave: is looked at again later */
    TG_LISTS
};

struct tg_reader { /* a rank that pulls a blob */
    int32_t rank;
    bool active; /* it is being sent to; else it waits */
    bool near;   /* it waits until the bytes are in memory */
    uint32_t number;
    uint64_t to, next; /* its blob; the next byte to be sent */
    uint32_t under_way;
    struct tg_reader *prev, *after;
};

struct tg_blob {
    uint64_t self, size;
    trygon_ref_t ref; /* of the object, once this rank knows */
    uint8_t kind, state, list;
    bool on_disk;       /* a file has it */
    bool in_file;       /* its memory is a mapped file */
    bool spilling;      /* it is being written to a file */
    bool wanted;        /* this rank waits for it */
    bool kept;          /* its owner is lost, but this rank holds it on */
    int32_t owner;      /* the object's */
    uint32_t fn;        /* that made it; UINT32_MAX: none */
    uint64_t task;      /* its number; 0: none */
    struct tg_val *val; /* what is known of it, once it is sealed or wanted */
    uint8_t line;       /* CALLS or ARGS */
    bool noted;         /* the log says that it waits for long */
    uint64_t turn;      /* in line: who has the least is first */
    uint64_t since_ns;  /* in line */
    uint64_t try_memory_ns; /* there was none: not before then again */
    uint64_t keep_ns;       /* until then it does not leave */
    uint64_t waiter;        /* of the call that waits for room; 0: none */
    int32_t rc;             /* why it gets none */
    int32_t home;           /* COPY, NEAR: where it was made */
    int32_t source;         /* and whom we ask */
    uint64_t home_blob, source_blob;
    uint32_t number; /* of this asking */
    uint64_t got;    /* bytes that came */
    struct tg_reader *readers;
    uint32_t nactive;
    struct tg_blob *prev, *next; /* in its list */
};

struct tg_room { /* what is asked for (TG_EV_ROOM) */
    uint64_t size;
    uint64_t exec; /* that asks; 0: other user code */
    uint64_t blob; /* out */
    /* filled in by core_user.c */
    uint32_t fn;
    uint64_t task;
};

struct tg_store_counts { /* so far */
    uint64_t spilled_bytes, spilled, restored_bytes, restored, pulled_bytes,
        pulled, sent_bytes;
};

struct tg_arrival { /* the end of waiting for a blob */
    trygon_ref_t ref;
    int32_t rc; /* 0: it is here; 1: a copy has left; an error */
};

struct tg_granted { /* a call has got its room, or never will */
    uint64_t waiter;
    int32_t rc;
};

struct tg_goner { /* a blob elsewhere that is dead */
    int32_t rank;
    uint64_t blob;
};

/* What the other ranks of the node do with the memory that all share. */
struct tg_node_use {
    uint64_t used;     /* bytes */
    uint64_t spilling; /* of them, being written to files */
    uint64_t wanted;   /* by those who wait for room */
};

struct tg_store {
    struct tg_ctx *ctx;
    const int32_t *node; /* of each rank */
    uint64_t limit;      /* bytes, of the node */
    struct tg_node_use node_use;
    uint64_t need; /* that other ranks are to give up, as they were told */
    uint64_t gone, round_ns; /* bytes that have left since then: store_room.c */
    uint64_t pressed_ns;     /* since when others need something of this rank */
    uint64_t used;           /* of memory, what is on its way included */
    uint64_t evicting;       /* of them, about to be given up */
    uint64_t spilling;       /* of them, being written to files */
    uint64_t in_files;       /* bytes of mapped files */
    struct tg_slab blobs;
    struct tg_blob *lists[TG_LISTS];
    uint64_t timer_ns;    /* 0: none is set */
    uint64_t queued;      /* in line, so far */
    uint32_t number;      /* of the last asking */
    uint64_t try_disk_ns; /* it failed: not before then again */
    uint64_t try_file_ns; /* the same of mapped files */
    bool no_file;         /* the last of these could not be had */
    bool hangs;           /* what is being written takes very long */
    uint64_t moved_ns;    /* when a blob was last freed, evicted or spilled */
    struct tg_store_counts counts;
    TG_VEC(uint64_t) turns; /* of calls that lack values, oldest first */
    uint64_t turn;          /* the last one */
    TG_VEC(struct tg_arrival) arrived; /* read by core.c, as are */
    TG_VEC(struct tg_granted) granted;
    TG_VEC(struct tg_news) news;    /* sent at the end of the step, as are */
    TG_VEC(struct tg_goner) goners; /* to other ranks */
};

enum { TG_STORE_HIGH = 80 }; /* per cent of the node's limit */

void tg_store_init(struct tg_store *s, struct tg_ctx *ctx, const int32_t *node,
                   uint64_t limit);
void tg_store_fini(struct tg_store *s);
struct tg_blob *tg_store_find(const struct tg_store *s, uint64_t blob);

/* ----- writing here -------------------------------------------------------- */

/* A new blob, in line for memory: see tg_store_has_room(). */
void tg_store_room(struct tg_store *s, struct tg_room *r);
/* 1: it has memory to write to; 0: it is still in line; an error: it will get
 * none. */
int tg_store_has_room(const struct tg_store *s, uint64_t blob);
/* Who waits for it. */
void tg_store_await(struct tg_store *s, uint64_t blob, uint64_t waiter);
/* The value, stored here, has been written: from now on it is that of an object
 * of rank `owner`. */
void tg_store_seal(struct tg_store *s, struct tg_val *v, int32_t owner);

/* ----- values --------------------------------------------------------------- */

/* Can the bytes be read on this rank, as far as is known?  Who then cannot pin
 * them says so (tg_store_away) and waits again. */
bool tg_store_here(const struct tg_store *s, const struct tg_val *v);
void tg_store_away(struct tg_store *s, struct tg_val *v);
/* The bytes of the blob have been looked at: others leave before it. */
void tg_store_used(struct tg_store *s, uint64_t blob);
/* The object ref, whose value is v, is to be readable here: tells arrived. */
void tg_store_want(struct tg_store *s, trygon_ref_t ref, struct tg_val *v,
                   bool call);
/* An owned object has got this value. */
void tg_store_born(struct tg_store *s, trygon_ref_t ref, struct tg_val *v);
/* This rank's entry of the object ends; owned: and the object with it. */
void tg_store_left(struct tg_store *s, trygon_ref_t ref, struct tg_val *v,
                   bool owned);
/* A result that nobody takes. */
void tg_store_discard(struct tg_store *s, const struct tg_val *v);
void tg_store_free(struct tg_store *s, uint64_t blob); /* stale is fine */
/* The store that had it is lost: a copy here takes its place, if there is one. */
bool tg_store_promote(struct tg_store *s, trygon_ref_t ref, struct tg_val *v);
/* There is none: the head is asked who has one, and has told. */
void tg_store_seek(struct tg_store *s, trygon_ref_t ref, struct tg_val *v);
void tg_store_found(struct tg_store *s, trygon_ref_t ref, struct tg_val *v,
                    int32_t rank, uint64_t blob);
/* The head asks us: a copy here becomes what the object's owner knows.  v may be
 * NULL. */
void tg_store_adopt(struct tg_store *s, trygon_ref_t ref, struct tg_val *v);
/* A blob elsewhere that is dead. */
void tg_store_forget(struct tg_store *s, int32_t rank, uint64_t blob);
/* This rank holds it on, though its owner is lost. */
void tg_store_keep(struct tg_store *s, const struct tg_val *v);
/* A copy of its bytes is in this store's memory. */
bool tg_store_has_copy(const struct tg_store *s, const struct tg_val *v);
/* An owned object was freed by hand: tg_store_left() follows. */
void tg_store_freed(struct tg_store *s, trygon_ref_t ref);
/* Only other ranks still hold it: those who keep it idly may let it go. */
void tg_store_unused(struct tg_store *s, trygon_ref_t ref);

/* ----- several at once -------------------------------------------------------- */

/* Who pins several values and finds that some have left gets a turn, and until
 * all are there keeps what it has pinned only if it is first: two that each
 * keep what the other one needs room for would wait for ever. */
uint64_t tg_store_turn(struct tg_store *s);
bool tg_store_first(const struct tg_store *s, uint64_t turn);
void tg_store_turn_end(struct tg_store *s, uint64_t turn); /* 0 is fine */

/* ----- the rest --------------------------------------------------------------- */

/* FORGET, PULL, DATA */
void tg_store_msg(struct tg_store *s, int32_t from, const struct tg_msg *m);
/* What an action has led to. */
void tg_store_event(struct tg_store *s, enum tg_store_op op, uint64_t blob,
                    int32_t rc, trygon_ref_t reader);
/* The other ranks of the node use more or less now. */
void tg_store_node(struct tg_store *s, const struct tg_node_use *use);
/* It matters to this rank what they use. */
bool tg_store_cares(const struct tg_store *s, const struct tg_node_use *use);
void tg_store_gone(struct tg_store *s, int32_t rank);
void tg_store_timer(struct tg_store *s);
void tg_store_flush(struct tg_store *s); /* the end of a step */

void tg_store_check(const struct tg_store *s);
bool tg_store_quiet(const struct tg_store *s); /* nothing is under way */

#endif
