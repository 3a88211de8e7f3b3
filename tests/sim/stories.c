/* stories.c - runs all stories (story.h), or those whose name has the given
 * word in it. */
#include <stdlib.h>
#include <string.h>

#include "story.h"

static void run(const struct story *s, const char *word, int *n, int *bad)
{
    for (; s->name != NULL; s++) {
        if (strstr(s->name, word) == NULL)
            continue;
        fflush(stdout);
        fprintf(stderr, "story: %s\n", s->name);
        (*n)++;
        *bad += !story_run(s);
    }
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    int n = 0, bad = 0;
    run(stories_work, word, &n, &bad);
    run(stories_loss, word, &n, &bad);
    run(stories_end, word, &n, &bad);
    run(stories_actor, word, &n, &bad);
    run(stories_group, word, &n, &bad);
    run(stories_restart, word, &n, &bad);
    run(stories_retry, word, &n, &bad);
    run(stories_stream, word, &n, &bad);
    run(stories_name, word, &n, &bad);
    run(stories_store, word, &n, &bad);
    run(stories_room, word, &n, &bad);
    run(stories_pull, word, &n, &bad);
    run(stories_lineage, word, &n, &bad);
    run(stories_refill, word, &n, &bad);
    run(stories_again, word, &n, &bad);
    printf("%d stories, %d went another way\n", n, bad);
    return n == 0 || bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
