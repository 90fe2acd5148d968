/* A separable, symmetric filter of bytes whose weights are whole 256ths that add up to 1.
 *
 * Everything is a whole number, so the order of the two directions does not show. Going across first
 * leaves sums of 16 bits; down, their upper and lower bytes are summed apart, so that 16 bits suffice
 * again: (256 h + l + 2¹⁵) >> 16 is (h + (l >> 8) + 2⁷) >> 8, and h + (l >> 8) is at most 255 · 256.
 *
 * A strip of columns at a time is filtered from top to bottom: the rows that a pixel needs stay in L1. */

#include "block.h"
#include "kernels.h"

#include <stdint.h>
#include <string.h>

#define STRIP 512          /* most values of a row in a strip */
#define LEAST_STRIP 64
#define L1_BYTES 32768     /* of it that the sums may take */
#define LINE (STRIP + 32)  /* their distance in memory, no power of two, so that rows share no cache sets */
#define MOST_RADIUS 512    /* pixels on each side */
#define GROUP 4            /* pairs of weights that are applied in one go where there are many */

#define ALIGNMENT 64       /* of the sums, so that no vector lies in two cache lines */

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* A row's sums across: the upper bytes, then the lower ones. */
typedef struct {
    uint16_t high[LINE], low[LINE];
} Sums;

ALWAYS_INLINE uint16_t product(uint16_t weight, uint16_t value)
{
    return (uint16_t)(weight * value);
}

ALWAYS_INLINE void split(uint16_t sum, Sums *out, Py_ssize_t x)
{
    out->high[x] = sum >> 8;
    out->low[x] = sum & 255;
}

ALWAYS_INLINE uint8_t rounded(uint16_t high, uint16_t low)
{
    return (uint8_t)((uint16_t)(high + (low >> 8) + 128) >> 8);
}

/* weights[0] is that of the middle, weights[i] that of the two pixels i away. With `radius` and `step`
 * known to the compiler, all of a pixel's sum stays in registers. */
ALWAYS_INLINE void across(const uint16_t *row, Sums *restrict out, Py_ssize_t values, const uint16_t *weights,
                          int radius, Py_ssize_t step)
{
    for (Py_ssize_t x = 0; x < values; x++) {
        uint16_t sum = product(weights[0], row[x]);
        for (int i = 1; i <= radius; i++)
            sum = (uint16_t)(sum + product(weights[i], (uint16_t)(row[x - i * step] + row[x + i * step])));
        split(sum, out, x);
    }
}

ALWAYS_INLINE void down(const Sums *middle, uint8_t *restrict out, Py_ssize_t values, const uint16_t *weights,
                        int radius)
{
    for (Py_ssize_t x = 0; x < values; x++) {
        uint16_t high = product(weights[0], middle->high[x]), low = product(weights[0], middle->low[x]);
        for (int i = 1; i <= radius; i++) {
            const Sums *above = middle - i, *below = middle + i;
            high = (uint16_t)(high + product(weights[i], (uint16_t)(above->high[x] + below->high[x])));
            low = (uint16_t)(low + product(weights[i], (uint16_t)(above->low[x] + below->low[x])));
        }
        out[x] = rounded(high, low);
    }
}

/* Add to `sums` the pairs of values at ±1 to ±GROUP steps from `row`. */
ALWAYS_INLINE void add_pairs(const uint16_t *left, const uint16_t *right, Py_ssize_t step,
                             const uint16_t *weights, uint16_t *restrict sums, Py_ssize_t values)
{
    for (Py_ssize_t x = 0; x < values; x++) {
        uint16_t sum = sums[x];
        for (int i = 0; i < GROUP; i++)
            sum = (uint16_t)(sum + product(weights[i], (uint16_t)(left[x - i * step] + right[x + i * step])));
        sums[x] = sum;
    }
}

/* The sum over any number of weights, in steps of one pixel or one row. */
ALWAYS_INLINE void long_sum(const uint16_t *middle, Py_ssize_t step, const uint16_t *weights, int radius,
                            uint16_t *restrict sums, Py_ssize_t values)
{
    int i = 1;
    for (Py_ssize_t x = 0; x < values; x++)
        sums[x] = product(weights[0], middle[x]);
    for (; i + GROUP <= radius + 1; i += GROUP)
        add_pairs(middle - i * step, middle + i * step, step, weights + i, sums, values);
    for (; i <= radius; i++)
        for (Py_ssize_t x = 0; x < values; x++)
            sums[x] = (uint16_t)(sums[x] + product(weights[i], (uint16_t)(middle[x - i * step] +
                                                                          middle[x + i * step])));
}

#define MOST_KNOWN 8
#define KNOWN(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)

HALOROW_CLONES
static void widen(const uint8_t *restrict row, uint16_t *restrict wide, Py_ssize_t values)
{
    for (Py_ssize_t x = 0; x < values; x++)
        wide[x] = row[x];
}

HALOROW_CLONES
static void row_across(const uint16_t *middle, Sums *restrict out, Py_ssize_t values, const uint16_t *weights,
                       int radius, Py_ssize_t step)
{
    int known = radius >= 1 && radius <= MOST_KNOWN;
    switch (known && step == 1 ? radius : known && step == 3 ? MOST_KNOWN + radius : 0) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        across(middle, out, values, weights, n, 1);                                                          \
        break;                                                                                               \
    case MOST_KNOWN + n:                                                                                             \
        across(middle, out, values, weights, n, 3);                                                          \
        break;
        KNOWN(CASE)
#undef CASE
    default:
        long_sum(middle, step, weights, radius, out->high, values);
        for (Py_ssize_t x = 0; x < values; x++)
            split(out->high[x], out, x);
    }
}

HALOROW_CLONES
static void row_down(const Sums *middle, Sums *restrict work, uint8_t *restrict out, Py_ssize_t values,
                     const uint16_t *weights, int radius)
{
    Py_ssize_t step = sizeof *middle / sizeof *middle->high;
    switch (radius) {
#define CASE(n)                                                                                              \
    case n:                                                                                                  \
        down(middle, out, values, weights, n);                                                               \
        break;
        KNOWN(CASE)
#undef CASE
    default:
        long_sum(middle->high, step, weights, radius, work->high, values);
        long_sum(middle->low, step, weights, radius, work->low, values);
        for (Py_ssize_t x = 0; x < values; x++)
            out[x] = rounded(work->high[x], work->low[x]);
    }
}

/* Values of a widened row. */
static Py_ssize_t wide_values(const Block *out, int radius)
{
    return STRIP + 2 * radius * out->channels;
}

/* What a call works in: the sums of a strip's rows, one more row of sums, and two widened rows. */
static size_t work_bytes(const Block *block, const Block *out, int radius)
{
    return ((size_t)block->rows + 1) * sizeof(Sums) +
           2 * (size_t)wide_values(out, radius) * sizeof(uint16_t) + ALIGNMENT;
}

static void smooth_strip(const Block *block, Block *out, Py_ssize_t left, Py_ssize_t width,
                         const uint16_t *weights, int radius, Sums *work)
{
    Py_ssize_t step = out->channels, reach = radius * step;
    uint16_t *wide = (uint16_t *)(work + block->rows + 1);
    const uint8_t *from = (const uint8_t *)block->data + left;
    uint8_t *to = (uint8_t *)out->data + left;
    widen(from, wide, width + 2 * reach);
    for (Py_ssize_t y = 0; y < block->rows; y++) {
        /* The next row is widened before this one is read: what was just written can only be read
         * again fast at the addresses of the writes. */
        Py_ssize_t next = wide_values(out, radius) * ((y + 1) % 2), now = wide_values(out, radius) * (y % 2);
        if (y + 1 < block->rows)
            widen(from + (y + 1) * block->stride, wide + next, width + 2 * reach);
        row_across(wide + now + reach, work + y, width, weights, radius, step);
        if (y >= 2 * radius)
            row_down(work + y - radius, work + block->rows, to + (y - 2 * radius) * out->stride, width,
                     weights, radius);
    }
}

static void smooth(const Block *block, Block *out, const uint16_t *weights, int radius, void *memory)
{
    Py_ssize_t values = out->columns * out->channels;
    Py_ssize_t fitting = L1_BYTES / (Py_ssize_t)(2 * sizeof(uint16_t)) / (2 * radius + 1) / LEAST_STRIP;
    Py_ssize_t strip = fitting < 1 ? LEAST_STRIP : fitting * LEAST_STRIP < STRIP ? fitting * LEAST_STRIP : STRIP;
    Sums *work = (Sums *)(((uintptr_t)memory + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1));
    for (Py_ssize_t left = 0; left < values; left += strip)
        smooth_strip(block, out, left, values - left < strip ? values - left : strip, weights, radius, work);
}

/* Copy the weights from the middle outwards; -1 with ValueError set unless they are as they should be. */
static int take_weights(const Py_buffer *given, uint16_t *weights, int *radius)
{
    const uint16_t *all = given->buf;
    Py_ssize_t size = given->len / (Py_ssize_t)sizeof *all;
    uint32_t total = 0;
    int symmetric = 1;
    if (given->len % (Py_ssize_t)sizeof *all || size % 2 == 0 || size > 2 * MOST_RADIUS + 1) {
        PyErr_Format(PyExc_ValueError, "there should be an odd number of weights, at most %d",
                     2 * MOST_RADIUS + 1);
        return -1;
    }
    *radius = (int)(size / 2);
    for (Py_ssize_t i = 0; i < size; i++) {
        total += all[i];
        symmetric &= all[i] == all[size - 1 - i];
    }
    if (total != 256 || !symmetric) {
        PyErr_SetString(PyExc_ValueError, "the weights should be symmetric and add up to 256");
        return -1;
    }
    memcpy(weights, all + *radius, ((size_t)*radius + 1) * sizeof *weights);
    return 0;
}

PyObject *smooth_uint8(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted;
    Py_buffer kernel;
    uint16_t weights[MOST_RADIUS + 1];
    void *work;
    Block block, out;
    int radius, done = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOy*", &given, &wanted, &kernel))
        return NULL;
    if (take_weights(&kernel, weights, &radius) < 0 || block_take(&block, given, "block", 'B', 0) < 0)
        goto no_block;
    if (block_take(&out, wanted, "out", 'B', 1) < 0)
        goto no_out;
    if (block_has_size(&block, "block", out.rows + 2 * radius, out.columns + 2 * radius, out.channels) < 0)
        goto wrong;
    if (out.view.len > 0) {
        work = PyMem_Malloc(work_bytes(&block, &out, radius));
        if (work == NULL) {
            PyErr_NoMemory();
            goto wrong;
        }
        Py_BEGIN_ALLOW_THREADS
        smooth(&block, &out, weights, radius, work);
        Py_END_ALLOW_THREADS
        PyMem_Free(work);
    }
    done = 1;
wrong:
    block_release(&out);
no_out:
    block_release(&block);
no_block:
    PyBuffer_Release(&kernel);
    if (!done)
        return NULL;
    Py_RETURN_NONE;
}
