/* The extension module: the list of kernels. */

#include "kernels.h"

static PyMethodDef methods[] = {
    {"smooth_uint8", smooth_uint8, METH_VARARGS, NULL},
    {"resize", resize, METH_VARARGS, NULL},
    {"steepness_uint8", steepness_uint8, METH_VARARGS, NULL},
    {"warp", warp, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernels", "Compiled kernels.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&definition);
}
