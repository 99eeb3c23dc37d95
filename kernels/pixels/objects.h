// What the objects of vfa_kernels share. Each checks what it is given; the kernels trust what was checked.
//
// Sizes, boxes and buffers come from the renderers; bytes of pictures come from anybody, and are judged in the kernels.

#ifndef VFA_OBJECTS_H
#define VFA_OBJECTS_H

#include <stdbool.h>

#include "python.h"
#include "resize.h"

static inline PyObject *refuse(const char *reason) {
  PyErr_SetString(PyExc_ValueError, reason);
  return NULL;
}

static inline PyObject *truth(bool value) { return PyBool_FromLong(value); }

static inline PyObject *none(void) { return Py_BuildValue(""); }

// A new object of `type`, all zeros behind its head; the type is kept as long as the object.
static inline void *made(PyObject *type) { return PyType_GenericAlloc(type, 0); }

static inline void release(PyObject *self) {
  PyObject *const type = self->type;
  PyObject_Free(self);
  Py_DecRef(type);
}

typedef struct {
  PyObject head;
  ResizeShape shape;
  Resizer *resizer;
} ResizerObject;

extern PyObject *resizer_type;  // one for the process: a Resizer is known by it
extern PyType_Spec resizer_spec, decoder_spec, encoder_spec;

#endif
