#include "story.h"
const struct story stories_name[] = {{.name = NULL}};
