/* Canny's gradients of bytes, and their thinning to a map of weak and strong edge pixels.
 *
 * Source of the rule: J. Canny, "A Computational Approach to Edge Detection", IEEE PAMI 8 (1986), with
 * the sectors and ties of OpenCV. All numbers are whole. */

#include "block.h"
#include "kernels.h"

#include <stdint.h>

/* tan 22.5° × 2¹⁵; tan 67.5° is 2 more than tan 22.5°. */
#define SHIFT 15
#define TAN_22 13573

typedef struct {
    int32_t low, high;
    int euclidean;
} Rule;

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

HALOROW_CLONES
static void magnitudes(const int16_t *restrict pairs, int32_t *restrict out, Py_ssize_t columns, int euclidean)
{
    if (euclidean)
        for (Py_ssize_t x = 0; x < columns; x++)
            out[x] = pairs[2 * x] * pairs[2 * x] + pairs[2 * x + 1] * pairs[2 * x + 1];
    else
        for (Py_ssize_t x = 0; x < columns; x++) {
            int across = pairs[2 * x], down = pairs[2 * x + 1];
            out[x] = (across < 0 ? -across : across) + (down < 0 ? -down : down);
        }
}

/* The three rows of magnitudes begin one pixel to the left of `pairs`. */
HALOROW_CLONES
static void thin(const int16_t *restrict pairs, const int32_t *restrict above, const int32_t *restrict row,
                 const int32_t *restrict below, uint8_t *restrict out, Py_ssize_t columns, int32_t low,
                 int32_t high)
{
    for (Py_ssize_t x = 0; x < columns; x++) {
        int32_t across = pairs[2 * x], down = pairs[2 * x + 1], here = row[x + 1];
        uint32_t width = (uint32_t)(across < 0 ? -across : across);
        uint32_t height = (uint32_t)(down < 0 ? -down : down) << SHIFT;
        uint32_t shallow = width * TAN_22, steep = shallow + (width << (SHIFT + 1));
        int flat = (here > row[x]) & (here >= row[x + 2]);
        int upright = (here > above[x + 1]) & (here >= below[x + 1]);
        int falling = (here > above[x]) & (here > below[x + 2]);
        int rising = (here > above[x + 2]) & (here > below[x]);
        int ridge = (across ^ down) < 0 ? rising : falling;
        ridge = height > steep ? upright : ridge;
        ridge = height < shallow ? flat : ridge;
        ridge &= here > low;
        out[x] = (uint8_t)(ridge + (ridge & (here > high)));
    }
}

static void thin_all(const Block *block, Block *out, const Rule *rule, int32_t *lines)
{
    Py_ssize_t wide = block->columns;
    for (Py_ssize_t y = 0; y < block->rows; y++) {
        const int16_t *pairs = (const int16_t *)(block->data + y * block->stride);
        magnitudes(pairs, lines + y % 3 * wide, wide, rule->euclidean);
        if (y < 2)
            continue;
        pairs = (const int16_t *)(block->data + (y - 1) * block->stride) + 2;
        thin(pairs, lines + (y - 2) % 3 * wide, lines + (y - 1) % 3 * wide, lines + y % 3 * wide,
             (uint8_t *)(out->data + (y - 2) * out->stride), out->columns, rule->low, rule->high);
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
    int32_t *lines = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOiip", &given, &wanted, &rule.low, &rule.high, &rule.euclidean) ||
        block_take(&block, given, "block", 'h', 0) < 0)
        return NULL;
    if (block_take(&out, wanted, "out", 'B', 1) < 0) {
        block_release(&block);
        return NULL;
    }
    int right = block_has_size(&out, "out", out.rows, out.columns, 1) == 0 &&
                block_has_size(&block, "block", out.rows + 2, out.columns + 2, 2) == 0;
    if (right && out.view.len > 0) {
        lines = PyMem_Malloc((size_t)block.columns * 3 * sizeof *lines);
        if (lines == NULL) {
            PyErr_NoMemory();
            right = 0;
        } else {
            Py_BEGIN_ALLOW_THREADS
            thin_all(&block, &out, &rule, lines);
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
