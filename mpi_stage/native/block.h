/* Arrays handed in from Python: taken as buffers and checked before a kernel sees an address. */

#ifndef HALOROW_BLOCK_H
#define HALOROW_BLOCK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A float result must not depend on the machine: sources are compiled without contraction into fused
 * multiply-adds, and each clone does the same arithmetic. Where the compiler cannot choose at run time
 * among clones of a function, there is one, for the least processor. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) && defined(__GLIBC__)
#define HALOROW_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HALOROW_CLONES
#endif

/* Rows × columns × channels; the pixels of a row follow one another, rows begin `stride` bytes apart. */
typedef struct {
    Py_buffer view;
    char *data;
    Py_ssize_t rows, columns, channels, stride;
} Block;

/* Take `object`, whose values must be of the struct-module type `type`, for instance 'B'. Returns 0; or
 * -1 with TypeError, ValueError or BufferError set, and nothing to release. */
int block_take(Block *block, PyObject *object, const char *name, char type, int writable);

/* Return the type of an object's values if it is one of `types`, else 0 with TypeError set. */
char block_type(PyObject *object, const char *name, const char *types);

/* Return 0 if the block is of this size, else -1 with ValueError set. */
int block_has_size(const Block *block, const char *name, Py_ssize_t rows, Py_ssize_t columns,
                   Py_ssize_t channels);

void block_release(Block *block);

#endif
