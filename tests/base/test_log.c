/* test_log.c - one line to the callback or to standard error, whole or cut. */
#include "base/log.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct seen {
    int calls, level;
    char line[2 * TG_LOG_LINE];
};

static void remember(void *arg, enum trygon_level level, const char *line)
{
    struct seen *s = arg;
    s->calls++;
    s->level = (int)level;
    CU_ASSERT_FATAL(strlen(line) < sizeof s->line);
    memcpy(s->line, line, strlen(line) + 1);
    errno = EBADF;
}

static void callback_gets_wanted_lines(void)
{
    struct seen s = {0};
    struct tg_log log = {TRYGON_LOG_WARN, 3, remember, &s};
    tg_log(&log, TRYGON_LOG_INFO, "not %s", "this");
    CU_ASSERT_EQUAL(s.calls, 0);

    errno = ENOENT;
    tg_log(&log, TRYGON_LOG_ERROR, "lost %d\nof %d", 1, 2);
    CU_ASSERT_EQUAL(errno, ENOENT);
    CU_ASSERT_EQUAL(s.calls, 1);
    CU_ASSERT_EQUAL(s.level, TRYGON_LOG_ERROR);
    CU_ASSERT_STRING_EQUAL(s.line, "lost 1 of 2");
}

static void long_lines_are_cut(void)
{
    struct seen s = {0};
    struct tg_log log = {TRYGON_LOG_DEBUG, 0, remember, &s};
    for (int n = TG_LOG_LINE - 8; n < TG_LOG_LINE + 8; n++) {
        tg_log(&log, TRYGON_LOG_INFO, "%0*d", n, 7);
        size_t len = strlen(s.line);
        CU_ASSERT(len <= TG_LOG_LINE - 2);
        if (n <= TG_LOG_LINE - 2) {
            CU_ASSERT_EQUAL(len, (size_t)n);
            CU_ASSERT_EQUAL(s.line[len - 1], '7');
        } else {
            CU_ASSERT_EQUAL(len, TG_LOG_LINE - 2);
            CU_ASSERT_STRING_EQUAL(s.line + len - 4, "0...");
        }
    }
}

/* What tg_log writes to standard error. */
static size_t captured(const struct tg_log *log, const char *text, char *out,
                       size_t size)
{
    int fds[2], saved = dup(STDERR_FILENO);
    CU_ASSERT_FATAL(saved >= 0 && pipe(fds) == 0);
    CU_ASSERT_FATAL(dup2(fds[1], STDERR_FILENO) >= 0);
    tg_log(log, TRYGON_LOG_WARN, "%s", text);
    CU_ASSERT_FATAL(dup2(saved, STDERR_FILENO) >= 0);
    close(fds[1]);
    close(saved);
    ssize_t n = read(fds[0], out, size - 1);
    CU_ASSERT_FATAL(n >= 0);
    out[n] = '\0';
    close(fds[0]);
    return (size_t)n;
}

static void standard_error_names_the_rank(void)
{
    char out[2 * TG_LOG_LINE], text[2 * TG_LOG_LINE];
    struct tg_log log = {TRYGON_LOG_WARN, 12, NULL, NULL};
    captured(&log, "hello", out, sizeof out);
    CU_ASSERT_STRING_EQUAL(out, "trygon: rank 12: hello\n");

    log.rank = -1;
    captured(&log, "two\r\nlines", out, sizeof out);
    CU_ASSERT_STRING_EQUAL(out, "trygon: two  lines\n");

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    size_t n = captured(&log, text, out, sizeof out);
    CU_ASSERT_EQUAL(n, TG_LOG_LINE - 1);
    CU_ASSERT_STRING_EQUAL(out + n - 5, "x...\n");
}

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite s = CU_add_suite("log", NULL, NULL);
    CU_ADD_TEST(s, callback_gets_wanted_lines);
    CU_ADD_TEST(s, long_lines_are_cut);
    CU_ADD_TEST(s, standard_error_names_the_rank);
    CU_basic_run_tests();
    int bad = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return bad;
}
