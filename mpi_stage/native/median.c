/* The middle of a square of values, by the program of minima and maxima that selection.py writes. */

#include "block.h"
#include "kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define VECTOR 64            /* bytes that an exchange treats at once */
#define SEGMENT 512          /* bytes of results that are found together, while their runs are in cache */
#define MOST_STAGES 16
#define MOST_SIZE 63

enum { BOTH, LESSER, GREATER };

/* `numbers` are the runs (stage, shift), the exchanges (kind, a, b) and the order, one after the other. */
typedef struct {
    int32_t columns, runs, exchanges, results, places;
    const int32_t *numbers;
} Stage;

typedef struct {
    int32_t size, stages, places;
    Stage stage[MOST_STAGES];
} Program;

/* Where the values of each place lie now: in a run, or, once exchanged, in the place's own memory. */
typedef struct {
    const char **values[MOST_STAGES];
    char *memory[MOST_STAGES];
    Py_ssize_t pitch;
} Places;

#define EXCHANGE(TYPE, RESULT)                                                                        \
    _Pragma("GCC ivdep") for (Py_ssize_t v = 0; v < values; v++)                                       \
    {                                                                                                 \
        TYPE one = a[v], other = b[v];                                                                \
        RESULT                                                                                        \
    }

#define EXCHANGES(NAME, TYPE)                                                                         \
    HALOROW_CLONES                                                                                    \
    static void exchange_##NAME(const Stage *stage, const char **places, char *memory,                \
                                Py_ssize_t pitch, Py_ssize_t values)                                  \
    {                                                                                                 \
        const int32_t *exchange = stage->numbers + 2 * stage->runs;                                   \
        values = values / (VECTOR / (Py_ssize_t)sizeof(TYPE)) * (VECTOR / (Py_ssize_t)sizeof(TYPE));  \
        for (int32_t n = 0; n < stage->exchanges; n++, exchange += 3) {                               \
            const TYPE *a = (const TYPE *)places[exchange[1]], *b = (const TYPE *)places[exchange[2]]; \
            TYPE *to_a = (TYPE *)(memory + exchange[1] * pitch);                                      \
            TYPE *to_b = (TYPE *)(memory + exchange[2] * pitch);                                      \
            if (exchange[0] == BOTH)                                                                  \
                EXCHANGE(TYPE, to_a[v] = one < other ? one : other;                           \
                         to_b[v] = one < other ? other : one;)                                \
            else if (exchange[0] == LESSER)                                                           \
                EXCHANGE(TYPE, to_a[v] = one < other ? one : other;)                          \
            else                                                                                      \
                EXCHANGE(TYPE, to_b[v] = one < other ? other : one;)                          \
            if (exchange[0] != GREATER)                                                               \
                places[exchange[1]] = (const char *)to_a;                                             \
            if (exchange[0] != LESSER)                                                                \
                places[exchange[2]] = (const char *)to_b;                                             \
        }                                                                                             \
    }

EXCHANGES(uint8, uint8_t)
EXCHANGES(uint16, uint16_t)
EXCHANGES(int32, int32_t)

/* Floats as integers that compare as they do; not-a-number, in one spelling, is the largest. */
HALOROW_CLONES
static void order_floats(const float *from, int32_t *to, Py_ssize_t values)
{
    for (Py_ssize_t v = 0; v < values; v++) {
        int32_t bits;
        memcpy(&bits, &from[v], sizeof bits);
        bits ^= (bits >> 31) & INT32_MAX;
        to[v] = from[v] == from[v] ? bits : 0x7fc00000;
    }
}

/* And back; a negative zero becomes zero. */
HALOROW_CLONES
static void floats_of(const int32_t *from, float *to, Py_ssize_t values)
{
    for (Py_ssize_t v = 0; v < values; v++) {
        int32_t bits = from[v] ^ ((from[v] >> 31) & INT32_MAX);
        memcpy(&to[v], &bits, sizeof bits);
        to[v] += 0.0f;
    }
}

/* Find the middles of a segment, the rows of whose squares are in `rows`, the highest in `rows[top]`. */
static const char *middles(const Program *program, Places *places, char *const *rows, int32_t top,
                           Py_ssize_t pixel_bytes, Py_ssize_t bytes, char type)
{
    const Stage *stage = program->stage;
    for (int32_t number = 0; number < program->stages; number++, stage++) {
        const char **values = places->values[number];
        const int32_t *run = stage->numbers;
        int32_t place = 0;
        for (; stage->runs == 0 && place < program->size; place++)
            values[place] = rows[(top + place) % program->size];
        for (int32_t n = 0; n < stage->runs; n++, run += 2) {
            const Stage *joined = &program->stage[run[0]];
            const int32_t *order = joined->numbers + 2 * joined->runs + 3 * joined->exchanges;
            for (int32_t result = 0; result < joined->results; result++)
                values[place++] = places->values[run[0]][order[result]] + run[1] * pixel_bytes;
        }
        Py_ssize_t extent = bytes + (program->size - stage->columns) * pixel_bytes;
        extent = (extent + VECTOR - 1) / VECTOR * VECTOR;
        if (type == 'B')
            exchange_uint8(stage, values, places->memory[number], places->pitch, extent);
        else if (type == 'H')
            exchange_uint16(stage, values, places->memory[number], places->pitch, extent / 2);
        else
            exchange_int32(stage, values, places->memory[number], places->pitch, extent / 4);
    }
    stage--;
    return places->values[program->stages - 1][stage->numbers[2 * stage->runs + 3 * stage->exchanges]];
}

static void median_block(const Block *block, Block *out, const Program *program, Places *places, char **rows,
                         char type)
{
    Py_ssize_t pixel_bytes = out->channels * out->view.itemsize, row_bytes = out->columns * pixel_bytes;
    for (Py_ssize_t start = 0; start < row_bytes; start += SEGMENT) {
        Py_ssize_t bytes = row_bytes - start < SEGMENT ? row_bytes - start : SEGMENT;
        Py_ssize_t wanted = bytes + (program->size - 1) * pixel_bytes;
        for (Py_ssize_t row = 0; row < block->rows; row++) {
            const char *from = block->data + row * block->stride + start;
            char *held = rows[row % program->size];
            if (type == 'f')
                order_floats((const float *)from, (int32_t *)held, wanted / 4);
            else
                memcpy(held, from, (size_t)wanted);
            Py_ssize_t y = row + 1 - program->size;
            if (y < 0)
                continue;
            const char *found = middles(program, places, rows, (int32_t)(y % program->size), pixel_bytes,
                                        bytes, type);
            char *to = out->data + y * out->stride + start;
            if (type == 'f')
                floats_of((const int32_t *)found, (float *)to, bytes / 4);
            else
                memcpy(to, found, (size_t)bytes);
        }
    }
}

static int wrong_program(void)
{
    PyErr_SetString(PyExc_ValueError, "the program is not one that selection.py writes");
    return -1;
}

/* Read one stage from `*numbers` up to `end`, and check that it stays within its places. */
static int read_stage(Program *program, int32_t number, const int32_t **numbers, const int32_t *end)
{
    Stage *stage = &program->stage[number];
    const int32_t *at = *numbers;
    if (end - at < 4)
        return wrong_program();
    *stage = (Stage){at[0], at[1], at[2], at[3], 0, at + 4};
    const int32_t most = MOST_SIZE * MOST_SIZE;
    if (stage->columns < 1 || stage->columns > program->size || stage->runs < 0 || stage->runs > 3 ||
        stage->exchanges < 0 || stage->exchanges > 64 * most || stage->results < 1 || stage->results > most ||
        end - stage->numbers < 2 * stage->runs + 3 * stage->exchanges + stage->results)
        return wrong_program();
    at = stage->numbers;
    stage->places = stage->runs ? 0 : program->size;
    for (int32_t n = 0; n < stage->runs; n++, at += 2) {
        if (at[0] < 0 || at[0] >= number || at[1] < 0 ||
            at[1] > stage->columns - program->stage[at[0]].columns)
            return wrong_program();
        stage->places += program->stage[at[0]].results;
    }
    for (int32_t n = 0; n < stage->exchanges; n++, at += 3)
        if (at[0] < BOTH || at[0] > GREATER || at[1] < 0 || at[1] >= stage->places || at[2] < 0 ||
            at[2] >= stage->places || at[1] == at[2])
            return wrong_program();
    for (int32_t n = 0; n < stage->results; n++, at++)
        if (at[0] < 0 || at[0] >= stage->places)
            return wrong_program();
    program->places += stage->places;
    *numbers = at;
    return 0;
}

static int read_program(Program *program, const Block *numbers)
{
    const int32_t *at = (const int32_t *)numbers->data, *end = at + numbers->rows;
    if (numbers->columns != 1 || numbers->channels != 1 || numbers->rows < 2 || numbers->stride != 4)
        return wrong_program();
    program->size = *at++;
    program->stages = *at++;
    program->places = 0;
    if (program->size < 3 || program->size > MOST_SIZE || program->stages < 1 || program->stages > MOST_STAGES)
        return wrong_program();
    for (int32_t number = 0; number < program->stages; number++)
        if (read_stage(program, number, &at, end) < 0)
            return -1;
    const Stage *last = &program->stage[program->stages - 1];
    return at == end && last->results == 1 && last->columns == program->size ? 0 : wrong_program();
}

/* Find all middles, with memory for the places of all stages and for as many rows as a square has. */
static int median_checked(const Block *block, Block *out, const Program *program, char type)
{
    if (block_has_size(block, "block", out->rows + program->size - 1, out->columns + program->size - 1,
                       out->channels) < 0)
        return -1;
    Py_ssize_t pixel_bytes = out->channels * out->view.itemsize;
    Py_ssize_t pitch = SEGMENT + program->size * pixel_bytes + 2 * VECTOR;
    pitch = (pitch + VECTOR - 1) / VECTOR * VECTOR;
    Py_ssize_t count = program->places + program->size;
    char *memory = PyMem_Calloc((size_t)count + 1, (size_t)pitch);
    const char **pointers = PyMem_Malloc((size_t)count * sizeof *pointers);
    if (memory == NULL || pointers == NULL) {
        PyMem_Free(memory);
        PyMem_Free(pointers);
        PyErr_NoMemory();
        return -1;
    }
    char *rows[MOST_SIZE], *next = (char *)(((uintptr_t)memory + VECTOR - 1) / VECTOR * VECTOR);
    Places places = {.pitch = pitch};
    const char **pointer = pointers;
    for (int32_t row = 0; row < program->size; row++, next += pitch)
        rows[row] = next;
    for (int32_t number = 0; number < program->stages; number++) {
        places.values[number] = pointer;
        places.memory[number] = next;
        pointer += program->stage[number].places;
        next += program->stage[number].places * pitch;
    }
    Py_BEGIN_ALLOW_THREADS
    median_block(block, out, program, &places, rows, type);
    Py_END_ALLOW_THREADS
    PyMem_Free(pointers);
    PyMem_Free(memory);
    return 0;
}

PyObject *median(PyObject *module, PyObject *arguments)
{
    PyObject *given, *wanted, *written;
    Block block, out, numbers;
    Program program;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "OOO", &given, &wanted, &written))
        return NULL;
    char type = block_type(given, "block", "BHf");
    if (type == 0 || block_take(&block, given, "block", type, 0) < 0)
        return NULL;
    int wrong = block_take(&out, wanted, "out", type, 1);
    if (wrong == 0) {
        wrong = block_take(&numbers, written, "program", 'i', 0);
        if (wrong == 0) {
            wrong = read_program(&program, &numbers);
            if (wrong == 0 && out.view.len > 0)
                wrong = median_checked(&block, &out, &program, type);
            block_release(&numbers);
        }
        block_release(&out);
    }
    block_release(&block);
    if (wrong)
        return NULL;
    Py_RETURN_NONE;
}
