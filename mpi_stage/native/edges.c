/* Connected edge pixels of a block, found by runs and union–find.
 *
 * A row's pixels that are 1 (weak) or 2 (strong) are runs; two runs of neighbouring rows that touch, corners included, are
 * joined. Every run points to the first that it is known to be joined with. */

#include "block.h"
#include "kernels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t start, end; /* columns from start to before end */
    int32_t parent;
    int32_t strong; /* of a root: whether any of its pixels is strong; later, whether it stays */
} Run;

typedef struct {
    Run *runs;
    int32_t *rows; /* the number of each row's first run; and of runs in all */
    int32_t count, room;
} Runs;

static int32_t root_of(Run *runs, int32_t number)
{
    while (runs[number].parent != number) {
        runs[number].parent = runs[runs[number].parent].parent;
        number = runs[number].parent;
    }
    return number;
}

static void join(Run *runs, int32_t one, int32_t other)
{
    one = root_of(runs, one);
    other = root_of(runs, other);
    if (one == other)
        return;
    int32_t first = one < other ? one : other, second = one < other ? other : one;
    runs[second].parent = first;
    runs[first].strong |= runs[second].strong;
}

/* One bit for each of 64 pixels: whether it is an edge, and whether a strong one. */
typedef struct {
    uint64_t edges, strong;
} Bits;

static Bits bits_of(const uint8_t *pixels)
{
    Bits bits = {0, 0};
    for (int i = 0; i < 8; i++) {
        uint64_t eight;
        memcpy(&eight, pixels + 8 * i, sizeof eight);
        if (eight == 0)
            continue;
        /* The product gathers the lowest bits of eight bytes in the uppermost byte. */
        uint64_t strong = (eight >> 1) & 0x0101010101010101u, edges = (eight & 0x0101010101010101u) | strong;
        bits.edges |= edges * 0x0102040810204080u >> 56 << (8 * i);
        bits.strong |= strong * 0x0102040810204080u >> 56 << (8 * i);
    }
    return bits;
}

/* Add the runs of 64 pixels from column `x` on; the row's runs begin with number `first`. */
static void add_runs(Runs *found, int32_t first, Bits bits, int32_t x)
{
    while (bits.edges != 0) {
        int start = __builtin_ctzll(bits.edges);
        uint64_t shifted = ~(bits.edges >> start);
        int length = shifted == 0 ? 64 : __builtin_ctzll(shifted);
        uint64_t all = (length == 64 ? ~(uint64_t)0 : ((uint64_t)1 << length) - 1) << start;
        Run *last = found->runs + found->count - 1;
        int strong = (bits.strong & all) != 0;
        if (found->count > first && last->end == x + start) {
            last->end += length;
            last->strong |= strong;
        } else {
            Run run = {x + start, x + start + length, found->count, strong};
            found->runs[found->count++] = run;
        }
        bits.edges &= ~all;
    }
}

static int add_row(Runs *found, const uint8_t *row, Py_ssize_t columns)
{
    int32_t first = found->count;
    if (found->room - first < columns / 2 + 1) {
        int64_t room = (int64_t)found->room * 2 + columns / 2 + 1;
        Run *more = room > INT32_MAX ? NULL : realloc(found->runs, (size_t)room * sizeof *more);
        if (more == NULL)
            return -1;
        found->runs = more;
        found->room = (int32_t)room;
    }
    Py_ssize_t x = 0;
    for (; x + 64 <= columns; x += 64)
        add_runs(found, first, bits_of(row + x), (int32_t)x);
    if (x < columns) {
        uint8_t rest[64] = {0};
        memcpy(rest, row + x, (size_t)(columns - x));
        add_runs(found, first, bits_of(rest), (int32_t)x);
    }
    return 0;
}

/* Join the runs of row `y` with those above that they touch. */
static void join_row(Runs *found, Py_ssize_t y)
{
    Run *runs = found->runs;
    int32_t above = found->rows[y - 1], below = found->rows[y];
    for (int32_t number = below; number < found->count; number++) {
        while (above < below && runs[above].end < runs[number].start)
            above++;
        for (int32_t other = above; other < below && runs[other].start <= runs[number].end; other++)
            join(runs, other, number);
    }
}

static int find_runs(Runs *found, const Block *levels)
{
    found->rows = malloc(((size_t)levels->rows + 1) * sizeof *found->rows);
    if (found->rows == NULL)
        return -1;
    for (Py_ssize_t y = 0; y < levels->rows; y++) {
        found->rows[y] = found->count;
        if (add_row(found, (const uint8_t *)(levels->data + y * levels->stride), levels->columns) < 0)
            return -1;
        if (y > 0)
            join_row(found, y);
    }
    found->rows[levels->rows] = found->count;
    return 0;
}

/* Number the components that touch row `y` from `known` + 1 on, unless they have a number. Numbers are
 * kept in `numbers`, by root. Returns how many are known then. `out`, if any, gets the row's numbers. */
static int32_t number_row(Runs *found, Py_ssize_t y, int32_t *numbers, int32_t known, int32_t *out)
{
    for (int32_t run = found->rows[y]; run < found->rows[y + 1]; run++) {
        int32_t root = root_of(found->runs, run);
        if (numbers[root] == 0)
            numbers[root] = ++known;
        if (out != NULL)
            for (int32_t x = found->runs[run].start; x < found->runs[run].end; x++)
                out[x] = numbers[root];
    }
    return known;
}

static int32_t number_ends(Runs *found, Py_ssize_t rows, int32_t *numbers, int32_t *top, int32_t *bottom)
{
    int32_t known = number_row(found, 0, numbers, 0, top);
    return number_row(found, rows - 1, numbers, known, bottom);
}

static void forget(Runs *found, int32_t *numbers)
{
    free(found->runs);
    free(found->rows);
    free(numbers);
}

/* Returns how many components touch the first or last row, -1 without memory. */
static int32_t components(const Block *levels, Block *ends, Block *strong)
{
    Runs found = {NULL, NULL, 0, 0};
    int32_t *numbers = NULL, known = -1;
    int32_t *top = (int32_t *)ends->data, *bottom = (int32_t *)(ends->data + ends->stride);
    memset(top, 0, (size_t)ends->columns * sizeof *top);
    memset(bottom, 0, (size_t)ends->columns * sizeof *bottom);
    if (find_runs(&found, levels) == 0)
        numbers = calloc((size_t)found.count + 1, sizeof *numbers);
    if (numbers != NULL) {
        known = number_ends(&found, levels->rows, numbers, top, bottom);
        for (int32_t run = 0; run < found.count; run++)
            if (numbers[run] > 0)
                strong->data[numbers[run] - 1] = found.runs[run].strong != 0;
    }
    forget(&found, numbers);
    return known;
}

/* Returns 0; -1 without memory, 1 where `keep` is of another block. */
static int keep_all(const Block *levels, const Block *keep, Block *out)
{
    Runs found = {NULL, NULL, 0, 0};
    int32_t *numbers = NULL;
    int status = -1;
    if (find_runs(&found, levels) == 0)
        numbers = calloc((size_t)found.count + 1, sizeof *numbers);
    if (numbers != NULL) {
        int32_t known = number_ends(&found, levels->rows, numbers, NULL, NULL);
        status = known > keep->columns;
        for (int32_t run = 0; run < found.count && status == 0; run++)
            if (numbers[run] > 0)
                found.runs[run].strong |= keep->data[numbers[run] - 1];
    }
    for (Py_ssize_t y = 0; y < levels->rows && status == 0; y++) {
        char *row = out->data + y * out->stride;
        memset(row, 0, (size_t)out->columns);
        for (int32_t run = found.rows[y]; run < found.rows[y + 1]; run++)
            if (found.runs[root_of(found.runs, run)].strong)
                memset(row + found.runs[run].start, 255,
                       (size_t)(found.runs[run].end - found.runs[run].start));
    }
    forget(&found, numbers);
    return status;
}

static PyObject *release(Block *blocks, int count, PyObject *result)
{
    while (count-- > 0)
        block_release(blocks + count);
    return result;
}

PyObject *edge_components(PyObject *module, PyObject *arguments)
{
    PyObject *given[3];
    Block blocks[3];
    Block *levels = blocks, *ends = blocks + 1, *strong = blocks + 2;
    int32_t known = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOO", given, given + 1, given + 2) ||
        block_take(levels, given[0], "levels", 'B', 0) < 0)
        return NULL;
    if (block_take(ends, given[1], "ends", 'i', 1) < 0)
        return release(blocks, 1, NULL);
    if (block_take(strong, given[2], "strong", 'B', 1) < 0)
        return release(blocks, 2, NULL);
    if (levels->rows < 1 || levels->columns < 1 || levels->columns > INT32_MAX - 1) {
        PyErr_SetString(PyExc_ValueError, "levels should have pixels");
        return release(blocks, 3, NULL);
    }
    /* The first and last row together touch at most as many runs as there are columns, and one. */
    if (block_has_size(levels, "levels", levels->rows, levels->columns, 1) < 0 ||
        block_has_size(ends, "ends", 2, levels->columns, 1) < 0 ||
        block_has_size(strong, "strong", 1, levels->columns + 1, 1) < 0)
        return release(blocks, 3, NULL);
    Py_BEGIN_ALLOW_THREADS
    known = components(levels, ends, strong);
    Py_END_ALLOW_THREADS
    return release(blocks, 3, known < 0 ? PyErr_NoMemory() : PyLong_FromLong(known));
}

PyObject *keep_edges(PyObject *module, PyObject *arguments)
{
    PyObject *given[3];
    Block blocks[3];
    Block *levels = blocks, *keep = blocks + 1, *out = blocks + 2;
    int status;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOO", given, given + 1, given + 2) ||
        block_take(levels, given[0], "levels", 'B', 0) < 0)
        return NULL;
    if (block_take(keep, given[1], "keep", 'B', 0) < 0)
        return release(blocks, 1, NULL);
    if (block_take(out, given[2], "out", 'B', 1) < 0)
        return release(blocks, 2, NULL);
    if (levels->rows < 1 || levels->columns < 1 || levels->columns > INT32_MAX - 1) {
        PyErr_SetString(PyExc_ValueError, "levels should have pixels");
        return release(blocks, 3, NULL);
    }
    if (block_has_size(levels, "levels", levels->rows, levels->columns, 1) < 0 ||
        block_has_size(keep, "keep", 1, keep->columns, 1) < 0 ||
        block_has_size(out, "out", levels->rows, levels->columns, 1) < 0)
        return release(blocks, 3, NULL);
    Py_BEGIN_ALLOW_THREADS
    status = keep_all(levels, keep, out);
    Py_END_ALLOW_THREADS
    if (status < 0)
        return release(blocks, 3, PyErr_NoMemory());
    if (status > 0) {
        PyErr_SetString(PyExc_ValueError, "keep has fewer entries than components touch the first or last row");
        return release(blocks, 3, NULL);
    }
    Py_INCREF(Py_None);
    return release(blocks, 3, Py_None);
}
