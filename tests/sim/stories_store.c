/* stories_store.c - large objects: values whose bytes are in stores. */
#include "story.h"

const struct story stories_store[] = {{.name = NULL}};
