// What the modules use of CPython's stable ABI, so that no Python headers are needed; the layout is that of wasm32.

#ifndef VFA_PYTHON_H
#define VFA_PYTHON_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _object PyObject;
typedef int Py_ssize_t;

typedef struct {
  void *buf;
  PyObject *obj;
  Py_ssize_t len, itemsize;
  int readonly, ndim;
  char *format;
  Py_ssize_t *shape, *strides, *suboffsets;
  void *internal;
} Py_buffer;

typedef struct {
  const char *name;
  PyObject *(*function)(PyObject *, PyObject *);
  int flags;
  const char *doc;
} PyMethodDef;

typedef struct {
  Py_ssize_t reference_count;
  void *type;
  PyObject *(*init)(void);
  Py_ssize_t index;
  PyObject *copy;
  const char *name, *doc;
  Py_ssize_t size;
  PyMethodDef *methods;
  void *slots, *traverse, *clear, *free;
} PyModuleDef;

enum { METH_VARARGS = 1 };

extern PyObject *PyExc_ValueError;

int PyArg_ParseTuple(PyObject *, const char *, ...);
PyObject *Py_BuildValue(const char *, ...);
PyObject *PyModuleDef_Init(PyModuleDef *);
PyObject *PyList_New(Py_ssize_t);
int PyList_SetItem(PyObject *, Py_ssize_t, PyObject *);
PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t);
char *PyBytes_AsString(PyObject *);
PyObject *PyCapsule_New(void *, const char *, void (*)(PyObject *));
void *PyCapsule_GetPointer(PyObject *, const char *);
PyObject *PyErr_NoMemory(void);
void PyErr_SetString(PyObject *, const char *);
void PyBuffer_Release(Py_buffer *);
void Py_DecRef(PyObject *);

#ifdef __cplusplus
}
#endif

#endif
