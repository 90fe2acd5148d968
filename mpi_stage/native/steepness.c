/* The magnitude of a 3 × 3 gradient of bytes, in one sweep. */

#include "block.h"
#include "kernels.h"

#include <math.h>
#include <stdint.h>

/* Difference and weighted sum of each pixel's neighbours across. */
HALOROW_CLONES
static void across(const uint8_t *restrict row, int16_t *restrict difference, int16_t *restrict sum,
                   Py_ssize_t columns, int16_t side, int16_t middle)
{
    for (Py_ssize_t x = 0; x < columns; x++) {
        difference[x] = (int16_t)(row[x + 2] - row[x]);
        sum[x] = (int16_t)(side * (row[x] + row[x + 2]) + middle * row[x + 1]);
    }
}

/* Sums of squares below 2²⁴ are exact in single precision, roots are correctly rounded, and what is
 * above saturates: no order of instructions can change the result. */
HALOROW_CLONES
static void down(const int16_t *restrict difference[3], const int16_t *restrict sum[3],
                 uint8_t *restrict out, Py_ssize_t columns, int16_t side, int16_t middle)
{
    const int16_t *restrict d0 = difference[0], *restrict d1 = difference[1], *restrict d2 = difference[2];
    const int16_t *restrict s0 = sum[0], *restrict s2 = sum[2];
    for (Py_ssize_t x = 0; x < columns; x++) {
        int32_t gx = (int16_t)(side * (d0[x] + d2[x]) + middle * d1[x]);
        int32_t gy = (int16_t)(s2[x] - s0[x]);
        float root = sqrtf((float)(gx * gx + gy * gy));
        /* A root is never half-way between whole numbers, so adding a half rounds to the nearest. */
        out[x] = (uint8_t)(int32_t)((root < 255.0f ? root : 255.0f) + 0.5f);
    }
}

static void steepness(const Block *block, Block *out, int16_t *lines, int16_t side, int16_t middle)
{
    Py_ssize_t columns = out->columns;
    for (Py_ssize_t y = 0; y < block->rows; y++) {
        const int16_t *differences[3], *sums[3];
        int16_t *difference = lines + (y % 3) * 2 * columns;
        across((const uint8_t *)(block->data + y * block->stride), difference, difference + columns, columns,
               side, middle);
        if (y < 2)
            continue;
        for (int above = 0; above < 3; above++) {
            differences[above] = lines + ((y - 2 + above) % 3) * 2 * columns;
            sums[above] = differences[above] + columns;
        }
        down(differences, sums, (uint8_t *)(out->data + (y - 2) * out->stride), columns, side, middle);
    }
}

PyObject *steepness_uint8(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted;
    int side, middle;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOii", &given, &wanted, &side, &middle))
        return NULL;
    if (side < 1 || middle < 1 || 2 * side + middle > 128) {
        PyErr_SetString(PyExc_ValueError, "the weights should be positive and add up to 128 at most");
        return NULL;
    }
    Block block, out;
    if (block_take(&block, given, "block", 'B', 0) < 0)
        return NULL;
    if (block_take(&out, wanted, "out", 'B', 1) < 0) {
        block_release(&block);
        return NULL;
    }
    int16_t *lines = NULL;
    int wrong = block_has_size(&block, "block", out.rows + 2, out.columns + 2, 1) < 0;
    if (!wrong && out.view.len > 0) {
        lines = PyMem_Malloc((size_t)out.columns * 6 * sizeof *lines);
        if (lines == NULL) {
            PyErr_NoMemory();
            wrong = 1;
        } else {
            Py_BEGIN_ALLOW_THREADS
            steepness(&block, &out, lines, (int16_t)side, (int16_t)middle);
            Py_END_ALLOW_THREADS
        }
    }
    PyMem_Free(lines);
    block_release(&out);
    block_release(&block);
    if (wrong)
        return NULL;
    Py_RETURN_NONE;
}
