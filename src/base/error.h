/* error.h - the fixed texts of the codes. */
#ifndef TG_BASE_ERROR_H
#define TG_BASE_ERROR_H

/* "unknown code" for a number that is none. */
const char *tg_error_text(int code);

#endif
