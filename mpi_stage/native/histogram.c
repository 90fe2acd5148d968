/* Counting bytes, and looking them up in tables, channel by channel. */

#include "block.h"
#include "kernels.h"

#include <stdint.h>
#include <string.h>

#define LEVELS 256
#define MOST_CHANNELS 64
#define TURNS 4 /* tables that take turns, so that equal neighbours do not wait for one another */

typedef uint32_t Table[LEVELS];

/* Add a row's values, of which `channels` make a pixel, to TURNS × channels tables. `channels` is known
 * to the compiler in the frequent cases. */
static inline __attribute__((always_inline)) void count(const uint8_t *row, Py_ssize_t columns,
                                                        Py_ssize_t channels, Table *tables)
{
    Py_ssize_t x = 0;
    for (; x + TURNS <= columns; x += TURNS)
        for (Py_ssize_t i = 0; i < TURNS * channels; i++)
            tables[i][row[x * channels + i]]++;
    for (; x < columns; x++)
        for (Py_ssize_t i = 0; i < channels; i++)
            tables[i][row[x * channels + i]]++;
}

static void count_row(const uint8_t *row, Py_ssize_t columns, Py_ssize_t channels, Table *tables)
{
    if (channels == 1)
        count(row, columns, 1, tables);
    else if (channels == 3)
        count(row, columns, 3, tables);
    else
        count(row, columns, channels, tables);
}

static void collect(Table *tables, Py_ssize_t channels, int64_t *counts)
{
    for (Py_ssize_t i = 0; i < TURNS * channels; i++)
        for (int level = 0; level < LEVELS; level++)
            counts[i % channels * LEVELS + level] += tables[i][level];
    memset(tables, 0, (size_t)(TURNS * channels) * sizeof *tables);
}

static void histogram(const Block *block, int64_t *counts, Table *tables)
{
    uint64_t counted = 0;
    for (Py_ssize_t y = 0; y < block->rows; y++) {
        counted += (uint64_t)block->columns;
        if (counted > UINT32_MAX) {
            collect(tables, block->channels, counts);
            counted = (uint64_t)block->columns;
        }
        count_row((const uint8_t *)block->data + y * block->stride, block->columns, block->channels, tables);
    }
    collect(tables, block->channels, counts);
}

PyObject *histogram_uint8(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted;
    Block block, counts;
    Table *tables = NULL;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO", &given, &wanted) || block_take(&block, given, "block", 'B', 0) < 0)
        return NULL;
    if (block_take(&counts, wanted, "counts", 'l', 1) < 0) {
        block_release(&block);
        return NULL;
    }
    int right = block_has_size(&counts, "counts", 1, block.channels, LEVELS) == 0;
    if (right && (block.channels > MOST_CHANNELS || (uint64_t)block.columns > UINT32_MAX)) {
        PyErr_Format(PyExc_ValueError, "block should have at most %d channels and 2**32 columns", MOST_CHANNELS);
        right = 0;
    }
    if (right && block.view.len > 0) {
        tables = PyMem_Calloc((size_t)(TURNS * block.channels), sizeof *tables);
        if (tables == NULL) {
            PyErr_NoMemory();
            right = 0;
        } else {
            Py_BEGIN_ALLOW_THREADS
            histogram(&block, (int64_t *)counts.data, tables);
            Py_END_ALLOW_THREADS
        }
    }
    PyMem_Free(tables);
    block_release(&counts);
    block_release(&block);
    if (!right)
        return NULL;
    Py_RETURN_NONE;
}

/* Look up the values of a row, eight at a time: `eights` words make whole pixels. */
static inline __attribute__((always_inline)) void look_up(const uint8_t *row, uint8_t *out, Py_ssize_t values,
                                                          Py_ssize_t channels, const uint8_t *tables)
{
    Py_ssize_t x = 0, group = 8 * channels;
    for (; x + group <= values; x += group)
        for (Py_ssize_t word = 0; word < channels; word++) {
            uint64_t from, to = 0;
            memcpy(&from, row + x + 8 * word, sizeof from);
            for (int i = 0; i < 8; i++)
                to |= (uint64_t)tables[(8 * word + i) % channels * LEVELS + (from >> (8 * i) & 255)] << (8 * i);
            memcpy(out + x + 8 * word, &to, sizeof to);
        }
    for (; x < values; x++)
        out[x] = tables[x % channels * LEVELS + row[x]];
}

static void look_up_row(const uint8_t *row, uint8_t *out, Py_ssize_t columns, Py_ssize_t channels,
                        const uint8_t *tables)
{
    if (channels == 1)
        look_up(row, out, columns, 1, tables);
    else if (channels == 3)
        look_up(row, out, columns * 3, 3, tables);
    else
        for (Py_ssize_t x = 0; x < columns; x++)
            for (Py_ssize_t i = 0; i < channels; i++)
                out[x * channels + i] = tables[i * LEVELS + row[x * channels + i]];
}

PyObject *look_up_uint8(PyObject *module, PyObject *arguments)
{
    PyObject *given[3];
    Block block, tables, out;
    int right = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOO", given, given + 1, given + 2) ||
        block_take(&block, given[0], "block", 'B', 0) < 0)
        return NULL;
    if (block_take(&tables, given[1], "tables", 'B', 0) < 0)
        goto no_tables;
    if (block_take(&out, given[2], "out", 'B', 1) < 0)
        goto no_out;
    right = block_has_size(&tables, "tables", 1, block.channels, LEVELS) == 0 &&
            block_has_size(&out, "out", block.rows, block.columns, block.channels) == 0;
    if (right) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t y = 0; y < block.rows; y++)
            look_up_row((const uint8_t *)block.data + y * block.stride, (uint8_t *)out.data + y * out.stride,
                        block.columns, block.channels, (const uint8_t *)tables.data);
        Py_END_ALLOW_THREADS
    }
    block_release(&out);
no_out:
    block_release(&tables);
no_tables:
    block_release(&block);
    if (!right)
        return NULL;
    Py_RETURN_NONE;
}
