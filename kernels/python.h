// What the modules use of CPython's stable ABI, so that no Python headers are needed: in WebAssembly and natively, from
// Python 3.11 on, in builds with the global interpreter lock.

#ifndef VFA_PYTHON_H
#define VFA_PYTHON_H

#ifdef __cplusplus
extern "C" {
#endif

typedef __PTRDIFF_TYPE__ Py_ssize_t;

typedef struct {
  Py_ssize_t reference_count;
  void *type;
} PyObject;

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
  int slot;
  void *value;
} PyType_Slot, PyModuleDef_Slot;

typedef struct {
  const char *name;
  int size, item_size;
  unsigned flags;
  PyType_Slot *slots;
} PyType_Spec;

typedef struct {
  const char *name;
  PyObject *(*get)(PyObject *, void *);
  void *set;
  const char *doc;
  void *closure;
} PyGetSetDef;

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

enum { METH_VARARGS = 1, METH_NOARGS = 4 };
enum { Py_mod_exec = 2, Py_tp_dealloc = 52, Py_tp_doc = 56, Py_tp_methods = 64, Py_tp_new = 65, Py_tp_getset = 73 };
enum { Py_TPFLAGS_IMMUTABLETYPE = 1 << 8 };

extern PyObject *PyExc_ValueError, *PyExc_NotImplementedError;

int PyArg_ParseTuple(PyObject *, const char *, ...);
int PyArg_ParseTupleAndKeywords(PyObject *, PyObject *, const char *, char **, ...);
PyObject *Py_BuildValue(const char *, ...);
PyObject *PyModuleDef_Init(PyModuleDef *);
PyObject *PyList_New(Py_ssize_t);
int PyList_SetItem(PyObject *, Py_ssize_t, PyObject *);
PyObject *PyBool_FromLong(long);
PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t);
char *PyBytes_AsString(PyObject *);
PyObject *PyCapsule_New(void *, const char *, void (*)(PyObject *));
void *PyCapsule_GetPointer(PyObject *, const char *);
PyObject *PyErr_NoMemory(void);
void PyErr_SetString(PyObject *, const char *);
PyObject *PyErr_Format(PyObject *, const char *, ...);
PyObject *PyType_FromModuleAndSpec(PyObject *, PyType_Spec *, PyObject *);
PyObject *PyType_GenericAlloc(void *, Py_ssize_t);
int PyModule_AddObjectRef(PyObject *, const char *, PyObject *);
void PyObject_Free(void *);
void Py_IncRef(PyObject *);
void PyBuffer_Release(Py_buffer *);
void Py_DecRef(PyObject *);

#ifdef __cplusplus
}
#endif

#endif
