/* report.c - see report.h. */
#include "report.h"

enum { TEXT = 32 };

/* At least three digits, never an exponent. */
static const char *number(double x, char text[TEXT])
{
    double size = x < 0.0 ? -x : x;
    int digits = size >= 100.0 ? 0 : size >= 10.0 ? 1 : size >= 1.0 ? 2 : 3;

    snprintf(text, TEXT, "%.*f", digits, x);
    return text;
}

/* Trygon's cost over the limit's; of rates the other way round. */
static double ratio(const struct row *row, const struct result *result,
                    size_t i)
{
    double trygon = result->trygon[i], limit = result->limit[i];

    return row->rate ? limit / trygon : trygon / limit;
}

struct summary {
    double trygon, limit, ratio, min, max;
};

static struct summary summarize(const struct row *row,
                                const struct result *result)
{
    struct summary s = {.trygon =
                            stats_median(result->trygon, result->windows)};
    double ratios[STATS_MAX];

    if (!result->has_limit)
        return s;
    for (size_t i = 0; i < result->windows; i++)
        ratios[i] = ratio(row, result, i);
    s.limit = stats_median(result->limit, result->windows);
    s.ratio = stats_median(ratios, result->windows);
    s.min = stats_min(ratios, result->windows);
    s.max = stats_max(ratios, result->windows);
    return s;
}

/* ---- lines ------------------------------------------------------------- */

static void print_row(const struct row *row, const struct result *result)
{
    struct summary s = summarize(row, result);
    char a[TEXT], b[TEXT], c[TEXT], d[TEXT];

    printf("%s trygon %s %s ", row->name, number(s.trygon, a), row->unit);
    if (result->has_limit)
        printf("limit %s %s ratio %s min %s max %s", number(s.limit, a),
               row->unit, number(s.ratio, b), number(s.min, c),
               number(s.max, d));
    else
        printf("limit - - ratio - min - max -");
    if (row->ray > 0.0)
        printf(" ray %g %s", row->ray, row->unit);
    if (result->has_bytes)
        printf(" bytes %.0f", result->bytes);
    printf("\n");
    for (size_t i = 0; i < result->nextras; i++) {
        const struct extra *e = &result->extras[i];
        printf("%s%s %s%s%s", i == 0 ? "    " : ", ", e->label,
               number(e->value, a), e->unit[0] != '\0' ? " " : "", e->unit);
    }
    if (result->nextras > 0)
        printf("\n");
    fflush(stdout);
}

/* ---- JSON -------------------------------------------------------------- */

static void json_text(FILE *f, const char *key, const char *text)
{
    fprintf(f, "\"%s\": ", key);
    if (text == NULL) {
        fprintf(f, "null");
        return;
    }
    fputc('"', f);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if (*c < 0x20 || *c > 0x7e) /* no assumption on the encoding */
            fprintf(f, "\\u%04x", *c);
        else
            fputc(*c, f);
    }
    fputc('"', f);
}

static void json_number(FILE *f, const char *key, bool known, double x)
{
    if (known)
        fprintf(f, ", \"%s\": %.6g", key, x);
    else
        fprintf(f, ", \"%s\": null", key);
}

static void json_windows(FILE *f, const char *key, const double *x, size_t n)
{
    fprintf(f, ", \"%s\": [", key);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%.6g", i == 0 ? "" : ", ", x[i]);
    fprintf(f, "]");
}

static void json_begin_row(struct report *report, const struct row *row)
{
    FILE *f = report->json;

    fprintf(f, "%s\n    {", report->nrows++ == 0 ? "" : ",");
    json_text(f, "name", row->name);
    fprintf(f, ", ");
    json_text(f, "unit", row->unit);
}

static void json_row(struct report *report, const struct row *row,
                     const struct result *result)
{
    FILE *f = report->json;
    struct summary s = summarize(row, result);
    bool paired = result->has_limit;

    json_begin_row(report, row);
    json_number(f, "trygon", true, s.trygon);
    json_number(f, "limit", paired, s.limit);
    json_number(f, "ratio", paired, s.ratio);
    json_number(f, "ratio_min", paired, s.min);
    json_number(f, "ratio_max", paired, s.max);
    json_number(f, "ray", row->ray > 0.0, row->ray);
    json_number(f, "bytes", result->has_bytes, result->bytes);
    fprintf(f, ", ");
    json_text(f, "limit_way",
              result->limit_way[0] != '\0' ? result->limit_way : NULL);
    json_windows(f, "trygon_windows", result->trygon, result->windows);
    json_windows(f, "limit_windows", result->limit,
                 paired ? result->windows : 0);
    fprintf(f, ", \"extras\": [");
    for (size_t i = 0; i < result->nextras; i++) {
        fprintf(f, "%s{", i == 0 ? "" : ", ");
        json_text(f, "label", result->extras[i].label);
        json_number(f, "value", true, result->extras[i].value);
        fprintf(f, ", ");
        json_text(f, "unit", result->extras[i].unit);
        fprintf(f, "}");
    }
    fprintf(f, "], \"skipped\": false}");
}

static void json_begin(struct report *report, const char *version)
{
    const struct team *team = &report->bench->team;
    char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    FILE *f = report->json;
    int length;

    CHECK_MPI(MPI_Get_library_version(mpi, &length));
    fprintf(f, "{\n  ");
    json_text(f, "trygon", version);
    fprintf(f, ",\n  ");
    json_text(f, "mpi", mpi);
    fprintf(f,
            ",\n  \"ranks\": %d, \"nodes\": %d, \"cores\": %d, "
            "\"yielding\": %s,\n",
            team->size, team->nodes, team->cores,
            team->crowded ? "true" : "false");
    fprintf(f, "  \"windows\": %d, \"window_s\": %g, \"quick\": %s,\n",
            report->bench->effort.windows, report->bench->effort.window_s,
            report->quick ? "true" : "false");
    fprintf(f, "  \"rows\": [");
}

/* ---- the whole --------------------------------------------------------- */

void report_begin(struct report *report)
{
    const struct team *team = &report->bench->team;
    int major, minor, patch;
    char version[TEXT];

    CHECK_TRYGON(trygon_version(&major, &minor, &patch));
    snprintf(version, sizeof version, "%d.%d.%d", major, minor, patch);
    report->load_start = load_average();
    printf("ranks %d nodes %d cores %d yielding %s windows %d load %.2f "
           "trygon %s\n",
           team->size, team->nodes, team->cores, team->crowded ? "yes" : "no",
           report->bench->effort.windows, report->load_start, version);
    if (team->rank_cores < team->cores)
        printf("note: a rank is bound to %d of %d cores; measure unbound "
               "(mpirun --bind-to none)\n",
               team->rank_cores, team->cores);
    if (report->quick)
        printf("note: --quick shows that it works, not how fast\n");
    fflush(stdout);
    if (report->json != NULL)
        json_begin(report, version);
}

void report_row(struct report *report, const struct row *row,
                const struct result *result)
{
    print_row(row, result);
    if (report->json != NULL)
        json_row(report, row, result);
}

void report_skipped(struct report *report, const struct row *row,
                    const char *why)
{
    printf("%s skipped: %s\n", row->name, why);
    fflush(stdout);
    if (report->json != NULL) {
        json_begin_row(report, row);
        fprintf(report->json, ", \"skipped\": true}");
    }
}

int report_end(struct report *report)
{
    double load = load_average();
    FILE *f = report->json;

    printf("load %.2f\n", load);
    if (f == NULL)
        return 0;
    fprintf(f, "\n  ],\n  \"load_start\": %.2f, \"load_end\": %.2f\n}\n",
            report->load_start, load);
    bool bad = ferror(f) != 0;
    return fclose(f) != 0 || bad ? -1 : 0;
}
