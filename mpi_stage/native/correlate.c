/* Weighted sums of each pixel's neighbours in single precision, as OpenCV adds them up. */

#include "block.h"
#include "kernels.h"
#include "lanes.h"

#define SEGMENT 1024 /* results that are made together, while the rows that they need are in cache */
#define CHUNK 64     /* sums that are made together, while they are in registers */
#define MOST_SIDE 63

/* Where a compiler would merge two turns of an outer loop, the inner one is no longer vectorised. */
#define KEEP_LOOP __asm__ volatile("")

typedef struct {
    int32_t row, column; /* of the neighbour, from the upper left one of the block */
    float weight;
} Tap;

typedef struct {
    Py_ssize_t taps, side, fused; /* of a row of results, so many from the left are fused */
    float offset;
    Tap tap[MOST_SIDE * MOST_SIDE];
} Kernel;

HALOROW_CLONES
static void widen_uint8(const uint8_t *restrict from, float *restrict to, Py_ssize_t values)
{
    for (Py_ssize_t v = 0; v < values; v++)
        to[v] = (float)from[v];
}

HALOROW_CLONES
static void widen_uint16(const uint16_t *restrict from, float *restrict to, Py_ssize_t values)
{
    for (Py_ssize_t v = 0; v < values; v++)
        to[v] = (float)from[v];
}

HALOROW_CLONES
static void fused_sums(const float *const *at, const float *weights, Py_ssize_t taps, float offset,
                       float *restrict to)
{
    float sums[CHUNK];
    for (Py_ssize_t v = 0; v < CHUNK; v++)
        sums[v] = offset;
    for (Py_ssize_t n = 0; n < taps; n++) {
        const float *restrict from = at[n];
        KEEP_LOOP;
        for (Py_ssize_t v = 0; v < CHUNK; v++)
            sums[v] = fmaf(from[v], weights[n], sums[v]);
    }
    memcpy(to, sums, sizeof sums);
}

HALOROW_CLONES
static void plain_sums(const float *const *at, const float *weights, Py_ssize_t taps, float offset,
                       float *restrict to)
{
    float sums[CHUNK];
    for (Py_ssize_t v = 0; v < CHUNK; v++)
        sums[v] = offset;
    for (Py_ssize_t n = 0; n < taps; n++) {
        const float *restrict from = at[n];
        KEEP_LOOP;
        for (Py_ssize_t v = 0; v < CHUNK; v++)
            sums[v] = sums[v] + from[v] * weights[n];
    }
    memcpy(to, sums, sizeof sums);
}

HALOROW_CLONES
static void put(const float *restrict sums, char *to, Py_ssize_t count, char type)
{
    if (type == 'B')
        for (Py_ssize_t v = 0; v < count; v++)
            ((uint8_t *)to)[v] = as_uint8(sums[v]);
    else
        for (Py_ssize_t v = 0; v < count; v++)
            ((uint16_t *)to)[v] = as_uint16(sums[v]);
}

/* One row of a segment, from the rows of floats that hold its neighbours. */
static void correlate_row(float *const *lines, const Kernel *kernel, Py_ssize_t top, Py_ssize_t channels,
                          Py_ssize_t start, Py_ssize_t count, char *to, char type, const float **at,
                          const float *weights)
{
    Py_ssize_t itemsize = type == 'B' ? 1 : 2;
    for (Py_ssize_t n = 0; n < kernel->taps; n++)
        at[n] = lines[(top + kernel->tap[n].row) % kernel->side] + kernel->tap[n].column * channels;
    for (Py_ssize_t done = 0; done < count; done += CHUNK) {
        float sums[CHUNK], plain[CHUNK];
        Py_ssize_t wanted = count - done < CHUNK ? count - done : CHUNK;
        Py_ssize_t fused = kernel->fused - start - done;
        if (fused > 0)
            fused_sums(at, weights, kernel->taps, kernel->offset, sums);
        if (fused < wanted) {
            fused = fused > 0 ? fused : 0;
            plain_sums(at, weights, kernel->taps, kernel->offset, plain);
            memcpy(sums + fused, plain + fused, (size_t)(CHUNK - fused) * sizeof *sums);
        }
        put(sums, to + done * itemsize, wanted, type);
        for (Py_ssize_t n = 0; n < kernel->taps; n++)
            at[n] += CHUNK;
    }
}

static void correlate_block(const Block *block, Block *out, const Kernel *kernel, float *memory, char type,
                            const float **at, float *weights)
{
    Py_ssize_t channels = out->channels, values = out->columns * channels, itemsize = out->view.itemsize;
    Py_ssize_t around = (kernel->side - 1) * channels, width = SEGMENT + around + CHUNK;
    float *lines[MOST_SIDE];
    for (Py_ssize_t row = 0; row < kernel->side; row++)
        lines[row] = memory + row * width;
    for (Py_ssize_t n = 0; n < kernel->taps; n++)
        weights[n] = kernel->tap[n].weight;
    for (Py_ssize_t start = 0; start < values; start += SEGMENT) {
        Py_ssize_t count = values - start < SEGMENT ? values - start : SEGMENT;
        for (Py_ssize_t row = 0; row < block->rows; row++) {
            const char *from = block->data + row * block->stride + start * itemsize;
            float *line = lines[row % kernel->side];
            if (type == 'B')
                widen_uint8((const uint8_t *)from, line, count + around);
            else
                widen_uint16((const uint16_t *)from, line, count + around);
            Py_ssize_t y = row + 1 - kernel->side;
            if (y >= 0)
                correlate_row(lines, kernel, y, channels, start, count,
                              out->data + y * out->stride + start * itemsize, type, at, weights);
        }
    }
}

/* Read the taps (n × 2 × 1 places, n × 1 × 1 weights), which must lie in the square around a pixel. */
static int read_kernel(Kernel *kernel, const Block *places, const Block *weights)
{
    kernel->taps = places->rows;
    if (block_has_size(places, "places", places->rows, 2, 1) < 0 ||
        block_has_size(weights, "weights", places->rows, 1, 1) < 0)
        return -1;
    int wrong = kernel->side < 1 || kernel->side > MOST_SIDE || kernel->taps > kernel->side * kernel->side;
    for (Py_ssize_t n = 0; !wrong && n < kernel->taps; n++) {
        const int32_t *place = (const int32_t *)(places->data + n * places->stride);
        wrong = place[0] < 0 || place[0] >= kernel->side || place[1] < 0 || place[1] >= kernel->side;
        kernel->tap[n] = (Tap){place[0], place[1], *(const float *)(weights->data + n * weights->stride)};
    }
    if (wrong)
        PyErr_Format(PyExc_ValueError, "the side should be 1 to %d, with all places within", MOST_SIDE);
    return wrong ? -1 : 0;
}

static int correlate_checked(const Block *block, Block *out, const Kernel *kernel, char type)
{
    Py_ssize_t around = kernel->side - 1;
    if (block_has_size(block, "block", out->rows + around, out->columns + around, out->channels) < 0)
        return -1;
    size_t width = (size_t)(SEGMENT + around * out->channels + CHUNK), taps = (size_t)kernel->taps + 1;
    float *memory = PyMem_Calloc(width * (size_t)kernel->side + taps, sizeof *memory);
    const float **at = PyMem_Malloc(taps * sizeof *at);
    if (memory == NULL || at == NULL) {
        PyErr_NoMemory();
    } else {
        Py_BEGIN_ALLOW_THREADS
        correlate_block(block, out, kernel, memory, type, at, memory + width * (size_t)kernel->side);
        Py_END_ALLOW_THREADS
    }
    int wrong = memory == NULL || at == NULL;
    PyMem_Free(at);
    PyMem_Free(memory);
    return wrong ? -1 : 0;
}

PyObject *correlate(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted, *places, *weights;
    Block block, out, tables[2];
    double offset;
    (void)module;
    Kernel *kernel = PyMem_Malloc(sizeof *kernel);
    if (kernel == NULL)
        return PyErr_NoMemory();
    int wrong = !PyArg_ParseTuple(arguments, "OO(OO)(ndn)", &given, &wanted, &places, &weights, &kernel->side,
                                  &offset, &kernel->fused);
    char type = wrong ? 0 : block_type(given, "block", "BH");
    if (type == 0 || block_take(&block, given, "block", type, 0) < 0)
        goto end;
    if (block_take(&out, wanted, "out", type, 1) < 0)
        goto end_block;
    if (block_take(&tables[0], places, "places", 'i', 0) < 0)
        goto end_out;
    if (block_take(&tables[1], weights, "weights", 'f', 0) < 0)
        goto end_places;
    kernel->offset = (float)offset;
    wrong = read_kernel(kernel, &tables[0], &tables[1]);
    if (!wrong && out.view.len > 0)
        wrong = correlate_checked(&block, &out, kernel, type);
    block_release(&tables[1]);
end_places:
    block_release(&tables[0]);
end_out:
    block_release(&out);
end_block:
    block_release(&block);
end:
    PyMem_Free(kernel);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}
