/* The kernels, as Python calls them; interface.py says what each takes and does. */

#ifndef HALOROW_KERNELS_H
#define HALOROW_KERNELS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *histogram_uint8(PyObject *module, PyObject *arguments);
PyObject *look_up_uint8(PyObject *module, PyObject *arguments);
PyObject *keep_edges(PyObject *module, PyObject *arguments);
PyObject *edge_components(PyObject *module, PyObject *arguments);
PyObject *canny_maps_int16(PyObject *module, PyObject *arguments);
PyObject *canny_gradients_uint8(PyObject *module, PyObject *arguments);
PyObject *write_tiles(PyObject *module, PyObject *arguments);
PyObject *read_tiles(PyObject *module, PyObject *arguments);
PyObject *smooth_uint8(PyObject *module, PyObject *arguments);
PyObject *correlate(PyObject *module, PyObject *arguments);
PyObject *median(PyObject *module, PyObject *arguments);
PyObject *resize(PyObject *module, PyObject *arguments);
PyObject *steepness_uint8(PyObject *module, PyObject *arguments);
PyObject *warp(PyObject *module, PyObject *arguments);

#endif
