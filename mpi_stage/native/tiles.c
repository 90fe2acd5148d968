/* Rows of uncompressed tiles, from and to a file: all tiles beside one another in one call.
 *
 * What goes wrong is for the caller to find out and say: a tile that cannot be read or written whole ends
 * the call, which returns how many were done before it. */

#define _GNU_SOURCE /* 64-bit offsets, pread, pwrite */

#include "block.h"
#include "kernels.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Whether all of `bytes` came; a call may be cut short by a signal, and at 2 GiB. */
static int read_whole(int fd, char *to, size_t bytes, int64_t offset)
{
    while (bytes > 0) {
        ssize_t got = pread(fd, to, bytes, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        to += got;
        offset += got;
        bytes -= (size_t)got;
    }
    return 1;
}

static int write_whole(int fd, const char *from, size_t bytes, int64_t offset)
{
    while (bytes > 0) {
        ssize_t put = pwrite(fd, from, bytes, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return 0;
        from += put;
        offset += put;
        bytes -= (size_t)put;
    }
    return 1;
}

/* Take the rows (rows × bytes × 1) and the buffer (rows × tile bytes × 1) of a call. */
static int take(Block *rows, PyObject *given, int writable, Block *buffer, PyObject *room)
{
    if (block_take(rows, given, "rows", 'B', writable) < 0)
        return -1;
    if (block_take(buffer, room, "buffer", 'B', 1) < 0) {
        block_release(rows);
        return -1;
    }
    if (block_has_size(rows, "rows", rows->rows, rows->columns, 1) == 0 &&
        block_has_size(buffer, "buffer", rows->rows, buffer->columns, 1) == 0 &&
        buffer->stride == buffer->columns && buffer->view.len > 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "buffer should be contiguous and not empty");
    block_release(buffer);
    block_release(rows);
    return -1;
}

PyObject *read_tiles(PyObject *module, PyObject *arguments)
{
    int fd;
    PyObject *given, *room;
    Py_buffer places;
    Block rows, buffer;
    Py_ssize_t done = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "iy*OO", &fd, &places, &given, &room))
        return NULL;
    if (take(&rows, given, 1, &buffer, room) < 0) {
        PyBuffer_Release(&places);
        return NULL;
    }
    const int64_t *offsets = places.buf;
    Py_ssize_t tiles = places.len / (Py_ssize_t)sizeof *offsets;
    Py_BEGIN_ALLOW_THREADS
    for (; done < tiles && done * buffer.columns < rows.columns; done++) {
        Py_ssize_t left = done * buffer.columns;
        Py_ssize_t width = rows.columns - left < buffer.columns ? rows.columns - left : buffer.columns;
        if (!read_whole(fd, buffer.data, (size_t)buffer.view.len, offsets[done]))
            break;
        for (Py_ssize_t y = 0; y < rows.rows; y++)
            memcpy(rows.data + y * rows.stride + left, buffer.data + y * buffer.stride, (size_t)width);
    }
    Py_END_ALLOW_THREADS
    block_release(&buffer);
    block_release(&rows);
    PyBuffer_Release(&places);
    return PyLong_FromSsize_t(done);
}

PyObject *write_tiles(PyObject *module, PyObject *arguments)
{
    int fd;
    long long place, apart;
    PyObject *given, *room;
    Block rows, buffer;
    Py_ssize_t done = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "iLLOO", &fd, &place, &apart, &given, &room) ||
        take(&rows, given, 0, &buffer, room) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (; (done + 1) * buffer.columns <= rows.columns; done++) {
        for (Py_ssize_t y = 0; y < rows.rows; y++)
            memcpy(buffer.data + y * buffer.stride, rows.data + y * rows.stride + done * buffer.columns,
                   (size_t)buffer.columns);
        if (!write_whole(fd, buffer.data, (size_t)buffer.view.len, place + done * apart))
            break;
    }
    Py_END_ALLOW_THREADS
    block_release(&buffer);
    block_release(&rows);
    return PyLong_FromSsize_t(done);
}
