/* assert.h - assertions that stay on in release builds: a broken invariant in
 * a scheduler loses people's results quietly, so it is said aloud.  Turned off
 * only by `configure --disable-assert`, never by NDEBUG.
 */
#ifndef TG_BASE_ASSERT_H
#define TG_BASE_ASSERT_H

/* Cold: what leads here lies apart, out of the way of what runs. */
_Noreturn void tg_assert_failed(const char *file, int line, const char *what)
    __attribute__((cold));

/* For what cannot be (a bad enum value): always on. */
#define TG_UNREACHABLE() tg_assert_failed(__FILE__, __LINE__, "unreachable")

#ifdef TG_NO_ASSERT
#define TG_ASSERT(cond_) ((void)sizeof(!(cond_)))
#else
#define TG_ASSERT(cond_) \
    ((cond_) ? (void)0 : tg_assert_failed(__FILE__, __LINE__, #cond_))
#endif

#endif
