#include "block.h"

#include <string.h>

/* Formats of errors are plain ASCII; Python takes no others. */
static int fail(Block *block, PyObject *kind, const char *format, const char *name)
{
    PyErr_Format(kind, format, name);
    PyBuffer_Release(&block->view);
    return -1;
}

int block_take(Block *block, PyObject *object, const char *name, char type, int writable)
{
    Py_buffer *view = &block->view;
    const char wanted[2] = {type, 0};
    if (PyObject_GetBuffer(object, view, PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) < 0)
        return -1;
    if (strcmp(view->format ? view->format : "B", wanted) != 0)
        return fail(block, PyExc_TypeError, "%s has values of another type than the kernel takes", name);
    if (view->ndim != 3)
        return fail(block, PyExc_ValueError, "%s should be rows x columns x channels", name);
    block->data = view->buf;
    block->rows = view->shape[0];
    block->columns = view->shape[1];
    block->channels = view->shape[2];
    /* The stride of an axis of length 1 or of an empty array means nothing. */
    Py_ssize_t row_bytes = block->columns * block->channels * view->itemsize;
    block->stride = block->rows > 1 ? view->strides[0] : row_bytes;
    if (view->len == 0)
        return 0;
    if ((block->channels > 1 && view->strides[2] != view->itemsize) ||
        (block->columns > 1 && view->strides[1] != block->channels * view->itemsize) ||
        block->stride < row_bytes)
        return fail(block, PyExc_ValueError, "the pixels of a row of %s should follow one another", name);
    return 0;
}

char block_type(PyObject *object, const char *name, const char *types)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_STRIDES | PyBUF_FORMAT) < 0)
        return 0;
    const char *format = view.format ? view.format : "B";
    char type = format[0] && !format[1] && strchr(types, format[0]) ? format[0] : 0;
    PyBuffer_Release(&view);
    if (type == 0)
        PyErr_Format(PyExc_TypeError, "%s has values of another type than the kernel takes", name);
    return type;
}

int block_has_size(const Block *block, const char *name, Py_ssize_t rows, Py_ssize_t columns,
                   Py_ssize_t channels)
{
    if (block->rows == rows && block->columns == columns && block->channels == channels)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s should be %zd x %zd x %zd, is %zd x %zd x %zd", name, rows, columns,
                 channels, block->rows, block->columns, block->channels);
    return -1;
}

void block_release(Block *block)
{
    PyBuffer_Release(&block->view);
}
