/* Pixels at places between those of a picture, which an affine map gives for each pixel of the result. */

#include "block.h"
#include "kernels.h"
#include "lanes.h"

#define SEGMENT 128
#define MOST_TAPS 4

typedef struct {
    double matrix[6];
    Py_ssize_t row, column;   /* of the result's first pixel */
    Py_ssize_t top, left;     /* of the block's first pixel, in the picture before */
    int taps;                 /* 1: the nearest pixel */
} Map;

/* Of a segment of a row of results: the first pixel of each, and the weights of its neighbours. */
typedef struct {
    int32_t x[SEGMENT], y[SEGMENT];
    float across[MOST_TAPS][SEGMENT], down[MOST_TAPS][SEGMENT];
} Places;

/* One coordinate of `count` results; places outside the block, which no caller asks for, are moved in. */
HALOROW_INLINE void locate(const double *line, double x, double offset, Py_ssize_t count, int taps,
                           double first, Py_ssize_t length, int32_t *restrict pixel, float *restrict fraction)
{
    double least = 0, most = (double)(length - taps), earlier = first + taps / 4;
    for (Py_ssize_t n = 0; n < count; n++) {
        double place = line[0] * (x + (double)n) + offset;
        double whole = rint(place);
        whole -= taps > 1 && whole > place ? 1.0 : 0.0; /* the floor, which compilers do not vectorise */
        double at = whole - earlier;
        at = at > least ? at : least;
        at = at < most ? at : most;
        pixel[n] = (int32_t)at;
        fraction[n] = (float)(place - whole);
    }
}

HALOROW_INLINE void linear(float (*restrict weights)[SEGMENT], Py_ssize_t count)
{
    for (Py_ssize_t n = 0; n < count; n++) {
        float fraction = weights[0][n];
        weights[0][n] = 1.0f - fraction;
        weights[1][n] = fraction;
    }
}

/* Cubic convolution with OpenCV's parameter, -0.75. */
HALOROW_INLINE void cubic(float (*restrict weights)[SEGMENT], Py_ssize_t count)
{
    for (Py_ssize_t n = 0; n < count; n++) {
        float fraction = weights[0][n], ahead = 1.0f - fraction, behind = fraction + 1.0f;
        float first = ((-0.75f * behind + 3.75f) * behind - 6.0f) * behind + 3.0f;
        float second = (1.25f * fraction - 2.25f) * fraction * fraction + 1.0f;
        float third = (1.25f * ahead - 2.25f) * ahead * ahead + 1.0f;
        weights[0][n] = first;
        weights[1][n] = second;
        weights[2][n] = third;
        weights[3][n] = ((1.0f - first) - second) - third;
    }
}

HALOROW_CLONES
static void place(const Map *map, const Block *block, Py_ssize_t y, Py_ssize_t x, Py_ssize_t count,
                  Places *places)
{
    const double *m = map->matrix, row = (double)(map->row + y), column = (double)(map->column + x);
    locate(m, column, m[1] * row + m[2], count, map->taps, (double)map->left, block->columns, places->x,
           places->across[0]);
    locate(m + 3, column, m[4] * row + m[5], count, map->taps, (double)map->top, block->rows - 1, places->y,
           places->down[0]);
    if (map->taps == 2) {
        linear(places->across, count);
        linear(places->down, count);
    } else if (map->taps == 4) {
        cubic(places->across, count);
        cubic(places->down, count);
    }
}

/* Sums start at zero, so that no sum of zeros is negative. */
#define BETWEEN(NAME, TYPE)                                                                             \
    HALOROW_INLINE void between_few_##NAME(const Block *block, const Places *places, int taps,         \
                                           Py_ssize_t channels, Py_ssize_t count, TYPE *restrict to)   \
    {                                                                                                   \
        for (Py_ssize_t n = 0; n < count; n++) {                                                        \
            const char *from = block->data + places->y[n] * block->stride                               \
                               + places->x[n] * channels * (Py_ssize_t)sizeof(TYPE);                    \
            Four total = {0, 0, 0, 0};                                                                  \
            for (int down = 0; down < taps; down++) {                                                   \
                Four line = {0, 0, 0, 0};                                                               \
                for (int across = 0; across < taps; across++)                                           \
                    line += four_##NAME((const TYPE *)(from + down * block->stride) + across * channels) \
                            * places->across[across][n];                                                \
                total += line * places->down[down][n];                                                  \
            }                                                                                           \
            put_##NAME(total, to + n * channels, channels);                                             \
        }                                                                                               \
    }                                                                                                   \
    HALOROW_INLINE void between_many_##NAME(const Block *block, const Places *places, int taps,        \
                                            Py_ssize_t channels, Py_ssize_t count, TYPE *restrict to)  \
    {                                                                                                   \
        for (Py_ssize_t n = 0; n < count; n++) {                                                        \
            const char *from = block->data + places->y[n] * block->stride                               \
                               + places->x[n] * channels * (Py_ssize_t)sizeof(TYPE);                    \
            for (Py_ssize_t c = 0; c < channels; c++) {                                                 \
                float total = 0;                                                                        \
                for (int down = 0; down < taps; down++) {                                               \
                    const TYPE *pixel = (const TYPE *)(from + down * block->stride) + c;                \
                    float line = 0;                                                                     \
                    for (int across = 0; across < taps; across++)                                       \
                        line += (float)pixel[across * channels] * places->across[across][n];            \
                    total += line * places->down[down][n];                                              \
                }                                                                                       \
                to[n * channels + c] = as_##NAME(total);                                                \
            }                                                                                           \
        }                                                                                               \
    }                                                                                                   \
    HALOROW_CLONES                                                                                      \
    static void between_##NAME(const Block *block, const Places *places, int taps, Py_ssize_t count,   \
                               char *row)                                                               \
    {                                                                                                   \
        TYPE *to = (TYPE *)row;                                                                         \
        if (block->channels == 3 && taps == 2)                                                          \
            between_few_##NAME(block, places, 2, 3, count, to);                                         \
        else if (block->channels == 3)                                                                  \
            between_few_##NAME(block, places, taps, 3, count, to);                                      \
        else if (block->channels == 4)                                                                  \
            between_few_##NAME(block, places, taps, 4, count, to);                                      \
        else if (block->channels == 1)                                                                  \
            between_many_##NAME(block, places, taps, 1, count, to);                                     \
        else                                                                                            \
            between_many_##NAME(block, places, taps, block->channels, count, to);                       \
    }

BETWEEN(uint8, uint8_t)
BETWEEN(uint16, uint16_t)
BETWEEN(float32, float)

static void nearest(const Block *block, const Places *places, Py_ssize_t count, char *row)
{
    Py_ssize_t pixel_bytes = block->channels * block->view.itemsize;
    for (Py_ssize_t n = 0; n < count; n++)
        memcpy(row + n * pixel_bytes,
               block->data + places->y[n] * block->stride + places->x[n] * pixel_bytes, (size_t)pixel_bytes);
}

static void warp_block(const Block *block, Block *out, const Map *map, char type)
{
    Places places;
    for (Py_ssize_t y = 0; y < out->rows; y++)
        for (Py_ssize_t x = 0; x < out->columns; x += SEGMENT) {
            Py_ssize_t count = out->columns - x < SEGMENT ? out->columns - x : SEGMENT;
            char *row = out->data + y * out->stride + x * out->channels * out->view.itemsize;
            place(map, block, y, x, count, &places);
            if (map->taps == 1)
                nearest(block, &places, count, row);
            else if (type == 'B')
                between_uint8(block, &places, map->taps, count, row);
            else if (type == 'H')
                between_uint16(block, &places, map->taps, count, row);
            else
                between_float32(block, &places, map->taps, count, row);
        }
}

PyObject *warp(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted;
    Block block, out;
    Map map;
    double *m = map.matrix;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OO(dddddd)(nnnn)i", &given, &wanted, &m[0], &m[1], &m[2], &m[3], &m[4],
                          &m[5], &map.row, &map.column, &map.top, &map.left, &map.taps))
        return NULL;
    char type = block_type(given, "block", "BHf");
    if (type == 0 || block_take(&block, given, "block", type, 0) < 0)
        return NULL;
    if (block_take(&out, wanted, "out", type, 1) < 0) {
        block_release(&block);
        return NULL;
    }
    int wrong = block_has_size(&block, "block", block.rows, block.columns, out.channels) < 0;
    if (!wrong && ((map.taps != 1 && map.taps != 2 && map.taps != 4) || block.rows <= map.taps ||
                   block.columns < map.taps || block.rows > INT32_MAX || block.columns > INT32_MAX)) {
        PyErr_SetString(PyExc_ValueError, "there should be 1, 2 or 4 taps, and a block to hold them");
        wrong = 1;
    }
    if (!wrong && out.view.len > 0) {
        Py_BEGIN_ALLOW_THREADS
        warp_block(&block, &out, &map, type);
        Py_END_ALLOW_THREADS
    }
    block_release(&out);
    block_release(&block);
    if (wrong)
        return NULL;
    Py_RETURN_NONE;
}
