/* The kernels, as Python calls them; interface.py says what each takes and does. */

#ifndef HALOROW_KERNELS_H
#define HALOROW_KERNELS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *smooth_uint8(PyObject *module, PyObject *arguments);
PyObject *resize(PyObject *module, PyObject *arguments);
PyObject *steepness_uint8(PyObject *module, PyObject *arguments);
PyObject *warp(PyObject *module, PyObject *arguments);

#endif
