// vfa_kernels.Resizer.

#include "objects.h"

PyObject *resizer_type;

static PyObject *resizer_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"size", "box", "out", "kernel", "channels", NULL};
  ResizeShape shape = {.kernel = RESIZE_LANCZOS, .channels = 1};
  int kernel = RESIZE_LANCZOS;
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "(ii)(dddd)(ii)|ii", names, &shape.width, &shape.height,
                                   &shape.left, &shape.top, &shape.right, &shape.bottom, &shape.out_width,
                                   &shape.out_height, &kernel, &shape.channels))
    return NULL;
  if (kernel < RESIZE_LANCZOS || kernel > RESIZE_BICUBIC) return refuse("there is no such kernel");
  if (shape.channels < 1 || shape.channels > RESIZE_MOST_CHANNELS) return refuse("channels are 1 to 4");
  shape.kernel = (ResizeKernel)kernel;
  if (shape.width < 1 || shape.height < 1 || shape.width > RESIZE_LONGEST_EDGE || shape.height > RESIZE_LONGEST_EDGE ||
      shape.out_width < 1 || shape.out_height < 1 || shape.out_width > RESIZE_LONGEST_OUT ||
      shape.out_height > RESIZE_LONGEST_OUT)
    return refuse("an edge is too short or too long");
  if (!(shape.left >= 0 && shape.left < shape.right && shape.right <= shape.width && shape.top >= 0 &&
        shape.top < shape.bottom && shape.bottom <= shape.height))
    return refuse("the box is empty, or not inside");
  ResizerObject *const self = made(type);
  if (!self) return NULL;
  self->shape = shape;
  self->resizer = resize_open(&shape);
  if (self->resizer) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void resizer_free(PyObject *self) {
  ResizerObject *const object = (ResizerObject *)self;
  if (object->resizer) resize_close(object->resizer);
  release(self);
}

static PyObject *resizer_push(PyObject *self, PyObject *arguments) {
  ResizerObject *const object = (ResizerObject *)self;
  Py_buffer rows;
  if (!PyArg_ParseTuple(arguments, "y*", &rows)) return NULL;
  const Py_ssize_t length = (Py_ssize_t)object->shape.width * object->shape.channels, count = rows.len / length;
  PyObject *result = NULL;
  if (rows.len % length)
    refuse("the rows are not whole");
  else if (count > resize_missing(object->resizer))
    refuse("more rows than the picture has");
  else if (!resize_push(object->resizer, rows.buf, (size_t)length, (int)count))
    PyErr_NoMemory();
  else
    result = none();
  PyBuffer_Release(&rows);
  return result;
}

static PyObject *resizer_take(PyObject *self, PyObject *arguments) {
  ResizerObject *const object = (ResizerObject *)self;
  int most = resize_ready(object->resizer);
  if (!PyArg_ParseTuple(arguments, "|i", &most)) return NULL;
  if (most < 0) return refuse("no number of rows");
  const int count = most < resize_ready(object->resizer) ? most : resize_ready(object->resizer);
  const Py_ssize_t length = (Py_ssize_t)object->shape.out_width * object->shape.channels;
  PyObject *const rows = PyBytes_FromStringAndSize(NULL, length * count);
  if (rows) resize_take(object->resizer, (uint8_t *)PyBytes_AsString(rows), count);
  return rows;
}

static PyObject *resizer_take_into(PyObject *self, PyObject *arguments) {
  ResizerObject *const object = (ResizerObject *)self;
  Py_buffer to;
  Py_ssize_t offset = 0;
  if (!PyArg_ParseTuple(arguments, "w*|n", &to, &offset)) return NULL;
  const Py_ssize_t length = (Py_ssize_t)object->shape.out_width * object->shape.channels;
  PyObject *result = NULL;
  if (offset < 0 || offset > to.len) {
    refuse("the offset is not inside");
  } else {
    const Py_ssize_t room = (to.len - offset) / length;
    const int count = room < resize_ready(object->resizer) ? (int)room : resize_ready(object->resizer);
    resize_take(object->resizer, (uint8_t *)to.buf + offset, count);
    result = Py_BuildValue("i", count);
  }
  PyBuffer_Release(&to);
  return result;
}

static PyObject *resizer_ready(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", resize_ready(((ResizerObject *)self)->resizer));
}

static PyObject *resizer_missing(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", resize_missing(((ResizerObject *)self)->resizer));
}

static PyObject *resizer_memory(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("n", (Py_ssize_t)resize_memory(((ResizerObject *)self)->resizer));
}

static PyMethodDef resizer_methods[] = {
    {"push", resizer_push, METH_VARARGS, "Take the next rows of the source."},
    {"take", resizer_take, METH_VARARGS, "The rows that are made, or the first of them."},
    {"take_into", resizer_take_into, METH_VARARGS, "The same into a buffer; how many rows."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef resizer_attributes[] = {
    {"ready", resizer_ready, NULL, "Rows that are made, and were not taken.", NULL},
    {"missing", resizer_missing, NULL, "Rows of the source that have not come.", NULL},
    {"memory", resizer_memory, NULL, "Bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot resizer_slots[] = {
    {Py_tp_new, (void *)resizer_new},         {Py_tp_dealloc, (void *)resizer_free},
    {Py_tp_methods, (void *)resizer_methods}, {Py_tp_getset, (void *)resizer_attributes},
    {Py_tp_doc, "Resizes a picture whose rows come one after the other."},
    {0, NULL},
};

PyType_Spec resizer_spec = {"vfa_kernels.Resizer", sizeof(ResizerObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                   resizer_slots};
