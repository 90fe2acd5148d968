/* Resizing: the columns of each row are weighed, then the rows, each sum in the order of its taps. */

#include "block.h"
#include "kernels.h"
#include "lanes.h"

#define TAPS 16
#define CHUNK 128

typedef struct {
    const int32_t *index; /* taps × results */
    const float *weights;
    Py_ssize_t taps, results;
} Axis;

typedef void (*Widen)(const char *row, float *line, Py_ssize_t values);
typedef void (*Narrow)(const float *sums, char *row, Py_ssize_t values);

#define CONVERSIONS(NAME, TYPE)                                                          \
    HALOROW_CLONES                                                                       \
    static void widen_##NAME(const char *row, float *restrict line, Py_ssize_t values)   \
    {                                                                                    \
        const TYPE *restrict from = (const TYPE *)row;                                   \
        for (Py_ssize_t v = 0; v < values; v++)                                          \
            line[v] = (float)from[v];                                                    \
    }                                                                                    \
    HALOROW_CLONES                                                                       \
    static void narrow_##NAME(const float *restrict sums, char *row, Py_ssize_t values)  \
    {                                                                                    \
        TYPE *restrict to = (TYPE *)row;                                                 \
        for (Py_ssize_t v = 0; v < values; v++)                                          \
            to[v] = as_##NAME(sums[v]);                                                  \
    }

CONVERSIONS(uint8, uint8_t)
CONVERSIONS(uint16, uint16_t)
CONVERSIONS(float32, float)

/* Pixels of 3 or 4 values: vectors of four, of which the last one may be the next pixel's. */
HALOROW_INLINE void across_taps(const float *restrict line, float *restrict sums, const Axis *axis,
                                Py_ssize_t channels, Py_ssize_t taps)
{
    Py_ssize_t results = axis->results;
    const int32_t *restrict index = axis->index;
    const float *restrict weights = axis->weights;
    for (Py_ssize_t x = 0; x < results; x++) {
        Four sum = four_float32(line + index[x] * channels) * weights[x];
        for (Py_ssize_t tap = 1; tap < taps; tap++)
            sum += four_float32(line + index[tap * results + x] * channels) * weights[tap * results + x];
        memcpy(sums + x * channels, &sum, sizeof sum);
    }
}

HALOROW_CLONES
static void across_few(const float *restrict line, float *restrict sums, const Axis *axis, Py_ssize_t channels)
{
    if (axis->taps == 2)
        across_taps(line, sums, axis, channels, 2);
    else if (axis->taps == 4)
        across_taps(line, sums, axis, channels, 4);
    else
        across_taps(line, sums, axis, channels, axis->taps);
}

HALOROW_CLONES
static void across_gray(const float *restrict line, float *restrict sums, const Axis *axis)
{
    Py_ssize_t results = axis->results;
    for (Py_ssize_t x = 0; x < results; x++)
        sums[x] = line[axis->index[x]] * axis->weights[x];
    for (Py_ssize_t tap = 1; tap < axis->taps; tap++) {
        const int32_t *restrict index = axis->index + tap * results;
        const float *restrict weights = axis->weights + tap * results;
        for (Py_ssize_t x = 0; x < results; x++)
            sums[x] += line[index[x]] * weights[x];
    }
}

HALOROW_CLONES
static void across_many(const float *restrict line, float *restrict sums, const Axis *axis, Py_ssize_t channels)
{
    for (Py_ssize_t x = 0; x < axis->results; x++)
        for (Py_ssize_t tap = 0; tap < axis->taps; tap++) {
            Py_ssize_t at = tap * axis->results + x;
            const float *restrict from = line + axis->index[at] * channels;
            float *restrict to = sums + x * channels, weight = axis->weights[at];
            for (Py_ssize_t c = 0; c < channels; c++)
                to[c] = tap ? to[c] + from[c] * weight : from[c] * weight;
        }
}

HALOROW_CLONES
static void down(const float *const *lines, const float *weights, Py_ssize_t taps, Py_ssize_t first,
                 float *restrict sums, Py_ssize_t values)
{
    const float *restrict line = lines[0] + first;
    for (Py_ssize_t v = 0; v < values; v++)
        sums[v] = line[v] * weights[0];
    for (Py_ssize_t tap = 1; tap < taps; tap++) {
        line = lines[tap] + first;
        for (Py_ssize_t v = 0; v < values; v++)
            sums[v] += line[v] * weights[tap];
    }
}

static void resize_block(const Block *block, Block *out, const Axis *across, const Axis *along, float *memory,
                         Widen widen, Narrow narrow)
{
    Py_ssize_t channels = out->channels, values = out->columns * channels, width = values + 4;
    Py_ssize_t itemsize = out->view.itemsize, slots = along->taps, held[TAPS];
    float *line = memory + slots * width, sums[CHUNK];
    for (Py_ssize_t slot = 0; slot < slots; slot++)
        held[slot] = -1;
    for (Py_ssize_t y = 0; y < out->rows; y++) {
        const float *lines[TAPS];
        float weights[TAPS];
        for (Py_ssize_t tap = 0; tap < along->taps; tap++) {
            Py_ssize_t row = along->index[tap * along->results + y], slot = row % slots;
            float *weighed = memory + slot * width;
            if (held[slot] != row) {
                widen(block->data + row * block->stride, line, block->columns * channels);
                if (channels == 1)
                    across_gray(line, weighed, across);
                else if (channels == 3 || channels == 4)
                    across_few(line, weighed, across, channels);
                else
                    across_many(line, weighed, across, channels);
                held[slot] = row;
            }
            lines[tap] = weighed;
            weights[tap] = along->weights[tap * along->results + y];
        }
        for (Py_ssize_t first = 0; first < values; first += CHUNK) {
            Py_ssize_t count = values - first < CHUNK ? values - first : CHUNK;
            down(lines, weights, along->taps, first, sums, count);
            narrow(sums, out->data + y * out->stride + first * itemsize, count);
        }
    }
}

/* Take the two tables of an axis (taps × results × 1) whose pixels before are `length`. */
static int axis_take(Axis *axis, Block tables[2], PyObject *index, PyObject *weights, Py_ssize_t length,
                     Py_ssize_t results)
{
    if (block_take(&tables[0], index, "index", 'i', 0) < 0)
        return -1;
    if (block_take(&tables[1], weights, "weights", 'f', 0) < 0) {
        block_release(&tables[0]);
        return -1;
    }
    Py_ssize_t taps = tables[0].rows;
    axis->index = (const int32_t *)tables[0].data;
    axis->weights = (const float *)tables[1].data;
    axis->taps = taps, axis->results = results;
    if (block_has_size(&tables[0], "index", taps, results, 1) < 0 ||
        block_has_size(&tables[1], "weights", taps, results, 1) < 0)
        goto wrong;
    if (taps < 1 || taps > TAPS || (taps > 1 && tables[0].stride != results * 4) ||
        (taps > 1 && tables[1].stride != results * 4)) {
        PyErr_Format(PyExc_ValueError, "there should be 1 to %d taps, in contiguous tables", TAPS);
        goto wrong;
    }
    for (Py_ssize_t x = 0; x < results; x++) {
        int32_t least = axis->index[x], most = least;
        for (Py_ssize_t tap = 1; tap < taps; tap++) {
            int32_t at = axis->index[tap * results + x];
            least = at < least ? at : least;
            most = at > most ? at : most;
        }
        if (least < 0 || most >= length || most - least >= taps) {
            PyErr_SetString(PyExc_ValueError, "an index lies outside the block, or far from its neighbours");
            goto wrong;
        }
    }
    return 0;
wrong:
    block_release(&tables[1]);
    block_release(&tables[0]);
    return -1;
}

static int resize_checked(const Block *block, Block *out, PyObject *tables[4], Widen widen, Narrow narrow)
{
    Axis across, along;
    Block held[4];
    if (block_has_size(block, "block", block->rows, block->columns, out->channels) < 0)
        return -1;
    if (axis_take(&across, held, tables[0], tables[1], block->columns, out->columns) < 0)
        return -1;
    int wrong = axis_take(&along, held + 2, tables[2], tables[3], block->rows, out->rows);
    if (wrong == 0) {
        Py_ssize_t line = block->columns * block->channels + 4, width = out->columns * out->channels + 4;
        float *memory = PyMem_Malloc((size_t)(along.taps * width + line) * sizeof *memory);
        if (memory == NULL) {
            PyErr_NoMemory();
            wrong = -1;
        } else {
            Py_BEGIN_ALLOW_THREADS
            memset(memory + along.taps * width + line - 4, 0, 4 * sizeof *memory);
            resize_block(block, out, &across, &along, memory, widen, narrow);
            Py_END_ALLOW_THREADS
            PyMem_Free(memory);
        }
        block_release(&held[3]);
        block_release(&held[2]);
    }
    block_release(&held[1]);
    block_release(&held[0]);
    return wrong;
}

PyObject *resize(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted, *tables[4];
    Block block, out;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO(OO)(OO)", &given, &wanted, &tables[0], &tables[1], &tables[2], &tables[3]))
        return NULL;
    char type = block_type(given, "block", "BHf");
    if (type == 0 || block_take(&block, given, "block", type, 0) < 0)
        return NULL;
    if (block_take(&out, wanted, "out", type, 1) < 0) {
        block_release(&block);
        return NULL;
    }
    Widen widen = type == 'B' ? widen_uint8 : type == 'H' ? widen_uint16 : widen_float32;
    Narrow narrow = type == 'B' ? narrow_uint8 : type == 'H' ? narrow_uint16 : narrow_float32;
    int wrong = out.view.len > 0 ? resize_checked(&block, &out, tables, widen, narrow) : 0;
    block_release(&out);
    block_release(&block);
    if (wrong)
        return NULL;
    Py_RETURN_NONE;
}
