/* The extension module: the list of kernels. */

#include "kernels.h"

static PyMethodDef methods[] = {
    {"histogram_uint8", histogram_uint8, METH_VARARGS, NULL},
    {"look_up_uint8", look_up_uint8, METH_VARARGS, NULL},
    {"keep_edges", keep_edges, METH_VARARGS, NULL},
    {"edge_components", edge_components, METH_VARARGS, NULL},
    {"canny_maps_int16", canny_maps_int16, METH_VARARGS, NULL},
    {"canny_gradients_uint8", canny_gradients_uint8, METH_VARARGS, NULL},
    {"write_tiles", write_tiles, METH_VARARGS, NULL},
    {"read_tiles", read_tiles, METH_VARARGS, NULL},
    {"smooth_uint8", smooth_uint8, METH_VARARGS, NULL},
    {"correlate", correlate, METH_VARARGS, NULL},
    {"median", median, METH_VARARGS, NULL},
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
