/* Canny's gradients of bytes, and their thinning to a map of weak and strong edge pixels.
 *
 * Source of the rule: J. Canny, "A Computational Approach to Edge Detection", IEEE PAMI 8 (1986), with
 * the sectors and ties of OpenCV. All numbers are whole. */

#include "block.h"
#include "kernels.h"

#include <stdint.h>

/* tan 22.5° × 2¹⁵; tan 67.5° is 2 more than tan 22.5°. */
#define TAN_22 13573

/* Both derivatives of a row from it and its neighbours, side by side. */
HALOROW_CLONES
static void gradients(const uint8_t *restrict above, const uint8_t *restrict row, const uint8_t *restrict below,
                      int16_t *restrict out, Py_ssize_t columns)
{
    for (Py_ssize_t x = 0; x < columns; x++) {
        int top = above[x] + 2 * above[x + 1] + above[x + 2];
        int bottom = below[x] + 2 * below[x + 1] + below[x + 2];
        int left = above[x] + 2 * row[x] + below[x], right = above[x + 2] + 2 * row[x + 2] + below[x + 2];
        out[2 * x] = (int16_t)(right - left);
        out[2 * x + 1] = (int16_t)(bottom - top);
    }
}

/* Sums of absolute values have 16 bits, and so have the comparisons that tell the sectors apart. */
HALOROW_CLONES
static void absolute_sums(const int16_t *restrict pairs, uint16_t *restrict out, Py_ssize_t columns)
{
    for (Py_ssize_t x = 0; x < columns; x++) {
        int16_t across = pairs[2 * x], down = pairs[2 * x + 1];
        uint16_t width = (uint16_t)(across < 0 ? -across : across);
        out[x] = (uint16_t)(width + (uint16_t)(down < 0 ? -down : down));
    }
}

HALOROW_CLONES
static void squares(const int16_t *restrict pairs, uint32_t *restrict out, Py_ssize_t columns)
{
    for (Py_ssize_t x = 0; x < columns; x++) {
        int32_t across = pairs[2 * x], down = pairs[2 * x + 1];
        out[x] = (uint32_t)(across * across) + (uint32_t)(down * down);
    }
}

/* The three rows of magnitudes begin one pixel to the left of `pairs`.
 *
 * Below tan 22.5° is height · 2¹⁵ < width · TAN_22, where the quotient of the right side is never whole:
 * height <= width · TAN_22 >> 15. (Of width 0 too: a height above 0 is not, and of 0 there is no edge.) */
#define THIN(NAME, MAGNITUDE)                                                                                \
    HALOROW_CLONES                                                                                           \
    static void NAME(const int16_t *restrict pairs, const MAGNITUDE *restrict above,                         \
                     const MAGNITUDE *restrict row, const MAGNITUDE *restrict below, uint8_t *restrict out,  \
                     Py_ssize_t columns, MAGNITUDE low, MAGNITUDE high)                                      \
    {                                                                                                        \
        for (Py_ssize_t x = 0; x < columns; x++) {                                                           \
            int16_t across = pairs[2 * x], down = pairs[2 * x + 1];                                          \
            MAGNITUDE here = row[x + 1];                                                                     \
            uint16_t width = (uint16_t)(across < 0 ? -across : across);                                      \
            uint16_t height = (uint16_t)(down < 0 ? -down : down);                                           \
            uint16_t shallow = (uint16_t)((uint32_t)(uint16_t)(2 * width) * TAN_22 >> 16);                   \
            uint8_t flat = (here > row[x]) & (here >= row[x + 2]);                                           \
            uint8_t upright = (here > above[x + 1]) & (here >= below[x + 1]);                                \
            uint8_t falling = (here > above[x]) & (here > below[x + 2]);                                     \
            uint8_t rising = (here > above[x + 2]) & (here > below[x]);                                      \
            uint8_t ridge = (int16_t)(across ^ down) < 0 ? rising : falling;                                 \
            ridge = height > (uint16_t)(2 * width + shallow) ? upright : ridge;                              \
            ridge = height <= shallow ? flat : ridge;                                                        \
            ridge &= here > low;                                                                             \
            out[x] = (uint8_t)(ridge + (ridge & (here > high)));                                             \
        }                                                                                                    \
    }

THIN(thin_sums, uint16_t)
THIN(thin_squares, uint32_t)

typedef struct {
    uint32_t low, high;
    int euclidean;
} Rule;

#define ROW(lines, y) ((lines) + (y) % 3 * wide)

static void thin_row(const Block *block, Block *out, const Rule *rule, void *lines, Py_ssize_t y)
{
    Py_ssize_t wide = block->columns;
    const int16_t *pairs = (const int16_t *)(block->data + y * block->stride);
    const int16_t *middle = (const int16_t *)(block->data + (y - 1) * block->stride) + 2;
    uint8_t *to = (uint8_t *)(out->data + (y - 2) * out->stride);
    if (rule->euclidean) {
        uint32_t *all = lines;
        squares(pairs, ROW(all, y), wide);
        if (y >= 2)
            thin_squares(middle, ROW(all, y - 2), ROW(all, y - 1), ROW(all, y), to, out->columns, rule->low,
                         rule->high);
    } else {
        uint16_t *all = lines;
        absolute_sums(pairs, ROW(all, y), wide);
        if (y >= 2)
            thin_sums(middle, ROW(all, y - 2), ROW(all, y - 1), ROW(all, y), to, out->columns,
                      (uint16_t)rule->low, (uint16_t)rule->high);
    }
}

PyObject *canny_gradients_uint8(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted;
    Block block, out;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO", &given, &wanted) || block_take(&block, given, "block", 'B', 0) < 0)
        return NULL;
    if (block_take(&out, wanted, "out", 'h', 1) < 0) {
        block_release(&block);
        return NULL;
    }
    int right = block_has_size(&out, "out", out.rows, out.columns, 2) == 0 &&
                block_has_size(&block, "block", out.rows + 2, out.columns + 2, 1) == 0;
    if (right) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t y = 0; y < out.rows; y++) {
            const uint8_t *above = (const uint8_t *)(block.data + y * block.stride);
            gradients(above, above + block.stride, above + 2 * block.stride,
                      (int16_t *)(out.data + y * out.stride), out.columns);
        }
        Py_END_ALLOW_THREADS
    }
    block_release(&out);
    block_release(&block);
    if (!right)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *canny_maps_int16(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted;
    Block block, out;
    Rule rule;
    void *lines = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOIIp", &given, &wanted, &rule.low, &rule.high, &rule.euclidean) ||
        block_take(&block, given, "block", 'h', 0) < 0)
        return NULL;
    if (block_take(&out, wanted, "out", 'B', 1) < 0) {
        block_release(&block);
        return NULL;
    }
    int right = block_has_size(&out, "out", out.rows, out.columns, 1) == 0 &&
                block_has_size(&block, "block", out.rows + 2, out.columns + 2, 2) == 0;
    if (right && !rule.euclidean && (rule.low > UINT16_MAX || rule.high > UINT16_MAX)) {
        PyErr_SetString(PyExc_ValueError, "sums of absolute values have 16 bits, and so have the thresholds");
        right = 0;
    }
    if (right && out.view.len > 0) {
        lines = PyMem_Malloc((size_t)block.columns * 3 * sizeof(uint32_t));
        if (lines == NULL) {
            PyErr_NoMemory();
            right = 0;
        } else {
            Py_BEGIN_ALLOW_THREADS
            for (Py_ssize_t y = 0; y < block.rows; y++)
                thin_row(&block, &out, &rule, lines, y);
            Py_END_ALLOW_THREADS
        }
    }
    PyMem_Free(lines);
    block_release(&out);
    block_release(&block);
    if (!right)
        return NULL;
    Py_RETURN_NONE;
}
