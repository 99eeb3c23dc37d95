// vfa_kernels.JpegDecoder.

#include <string.h>

#include "jpeg_decode.h"
#include "objects.h"

enum { MOST_ATTACHED = 12 };

typedef struct {
  PyObject head;
  JpegDecoder *decoder;
  Py_buffer data;  // the bytes that are being read, from `at` on
  const uint8_t *at;
  bool feeding, stepped, ended, done;
  int attached;
  struct {
    int component;
    ResizerObject *resizer;
  } resizers[MOST_ATTACHED];
} DecoderObject;

static int block_size(int scale) { return scale == 0 ? 0 : 8 / scale; }

static PyObject *decoder_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"luma", "chroma", NULL};
  int scales[2] = {1, 1};
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "|ii", names, &scales[0], &scales[1])) return NULL;
  for (int each = 0; each < 2; each++)
    if (scales[each] != 0 && scales[each] != 1 && scales[each] != 2 && scales[each] != 4 && scales[each] != 8)
      return refuse("scales are 1, 2, 4, 8, or 0 for what is not wanted");
  DecoderObject *const self = made(type);
  if (!self) return NULL;
  self->decoder = jpeg_open(block_size(scales[0]), block_size(scales[1]));
  if (self->decoder) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void stop_feeding(DecoderObject *self) {
  if (self->feeding) PyBuffer_Release(&self->data);
  self->feeding = false;
}

static void decoder_free(PyObject *self) {
  DecoderObject *const object = (DecoderObject *)self;
  stop_feeding(object);
  for (int each = 0; each < object->attached; each++) Py_DecRef(&object->resizers[each].resizer->head);
  if (object->decoder) jpeg_close(object->decoder);
  release(self);
}

static PyObject *decoder_attach(PyObject *self, PyObject *arguments) {
  DecoderObject *const object = (DecoderObject *)self;
  int component;
  PyObject *resizer;
  if (!PyArg_ParseTuple(arguments, "iO!", &component, resizer_type, &resizer)) return NULL;
  if (component < 0 || component >= JPEG_MOST_COMPONENTS) return refuse("there is no such component");
  if (object->attached == MOST_ATTACHED) return refuse("too many resizers");
  if (object->stepped) return refuse("rows have been decoded already");
  Py_IncRef(resizer);
  object->resizers[object->attached].component = component;
  object->resizers[object->attached++].resizer = (ResizerObject *)resizer;
  return none();
}

static PyObject *decoder_feed(PyObject *self, PyObject *arguments) {
  DecoderObject *const object = (DecoderObject *)self;
  Py_buffer data;
  if (!PyArg_ParseTuple(arguments, "y*", &data)) return NULL;
  if (object->ended || (object->feeding && object->at < (const uint8_t *)object->data.buf + object->data.len)) {
    PyBuffer_Release(&data);
    return refuse(object->ended ? "the file has ended" : "the bytes before are not read yet");
  }
  stop_feeding(object);
  object->data = data;
  object->at = data.buf;
  object->feeding = true;
  return none();
}

static PyObject *decoder_end(PyObject *self, PyObject *unused) {
  (void)unused;
  ((DecoderObject *)self)->ended = true;
  return none();
}

// Hand the row of units that is there to the resizers. False: an error is set.
static bool hand_on(DecoderObject *self) {
  for (int each = 0; each < self->attached; each++) {
    const int component = self->resizers[each].component;
    ResizerObject *const resizer = self->resizers[each].resizer;
    if (component >= jpeg_components(self->decoder)) return refuse("the picture has no such component") != NULL;
    const JpegPlane plane = jpeg_plane(self->decoder, component);
    const ResizeShape *const shape = &resizer->shape;
    if (shape->channels != 1 || shape->width != plane.width || shape->height != plane.height ||
        resize_missing(resizer->resizer) != plane.height - plane.top)
      return refuse("the resizer is for a plane of another size") != NULL;
    if (!resize_push(resizer->resizer, plane.rows, (size_t)plane.stride, plane.count)) return PyErr_NoMemory() != NULL;
  }
  return true;
}

static PyObject *failed(const DecoderObject *self, JpegStatus status) {
  switch (status) {
    case JPEG_NO_MEMORY: return PyErr_NoMemory();
    case JPEG_UNSUPPORTED:
      PyErr_SetString(PyExc_NotImplementedError, "the JPEG is of a kind that is not decoded here");
      return NULL;
    case JPEG_CUT_SHORT:
      return PyErr_Format(PyExc_ValueError, "the JPEG ends in row %d", jpeg_row(self->decoder));
    default: return refuse("the JPEG's header is broken");
  }
}

static PyObject *decoder_step(PyObject *self, PyObject *unused) {
  (void)unused;
  DecoderObject *const object = (DecoderObject *)self;
  if (object->done) return truth(false);
  const uint8_t none_left = 0;
  const uint8_t *at = object->feeding ? object->at : &none_left;
  const uint8_t *const end = object->feeding ? (const uint8_t *)object->data.buf + object->data.len : at;
  JpegStatus status = jpeg_read(object->decoder, &at, end);
  if (object->feeding) object->at = at;
  if (status == JPEG_MORE && object->ended) {
    jpeg_end(object->decoder);
    status = jpeg_read(object->decoder, &at, at);
  }
  if (at == end) stop_feeding(object);
  if (status == JPEG_ROW) {
    object->stepped = true;
    return hand_on(object) ? truth(true) : NULL;
  }
  object->done = status == JPEG_DONE;
  return status == JPEG_DONE || status == JPEG_MORE ? truth(false) : failed(object, status);
}

// The plane of the component that is named; false: an error is set.
static bool named_plane(PyObject *self, PyObject *arguments, JpegPlane *plane) {
  DecoderObject *const object = (DecoderObject *)self;
  int component;
  if (!PyArg_ParseTuple(arguments, "i", &component)) return false;
  if (component < 0 || component >= jpeg_components(object->decoder))
    return refuse("there is no such component, or no header yet") != NULL;
  *plane = jpeg_plane(object->decoder, component);
  return true;
}

static PyObject *decoder_size(PyObject *self, PyObject *arguments) {
  JpegPlane plane;
  return named_plane(self, arguments, &plane) ? Py_BuildValue("(ii)", plane.width, plane.height) : NULL;
}

static PyObject *decoder_rows(PyObject *self, PyObject *arguments) {
  JpegPlane plane;
  if (!named_plane(self, arguments, &plane)) return NULL;
  PyObject *const rows = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)plane.width * plane.count);
  if (!rows) return NULL;
  char *const to = PyBytes_AsString(rows);
  for (int row = 0; row < plane.count; row++)
    memcpy(to + (size_t)row * (size_t)plane.width, plane.rows + (size_t)row * (size_t)plane.stride, (size_t)plane.width);
  return rows;
}

static PyObject *decoder_components(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", jpeg_components(((DecoderObject *)self)->decoder));
}

static PyObject *decoder_done(PyObject *self, void *closure) {
  (void)closure;
  return truth(((DecoderObject *)self)->done);
}

static PyObject *decoder_row(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", jpeg_row(((DecoderObject *)self)->decoder));
}

static PyObject *decoder_damage(PyObject *self, void *closure) {
  (void)closure;
  const int row = jpeg_damage(((DecoderObject *)self)->decoder);
  return row < 0 ? none() : Py_BuildValue("i", row);
}

static PyObject *decoder_memory(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("n", (Py_ssize_t)jpeg_memory(((DecoderObject *)self)->decoder));
}

static PyMethodDef decoder_methods[] = {
    {"attach", decoder_attach, METH_VARARGS, "Hand the component's rows to a Resizer as they are decoded."},
    {"feed", decoder_feed, METH_VARARGS, "Give the next bytes of the file."},
    {"end", decoder_end, METH_NOARGS, "Say that no more bytes will come."},
    {"step", decoder_step, METH_NOARGS, "Decode the next row of units; False: feed more, or all is done."},
    {"size", decoder_size, METH_VARARGS, "Width and height of a component's plane."},
    {"rows", decoder_rows, METH_VARARGS, "A component's rows that the last step decoded."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef decoder_attributes[] = {
    {"components", decoder_components, NULL, "How many, 0 before the header is read.", NULL},
    {"done", decoder_done, NULL, "Whether every row is decoded.", NULL},
    {"row", decoder_row, NULL, "Rows of the picture at full scale that were read.", NULL},
    {"damage", decoder_damage, NULL, "The first such row with damage that was passed over, or None.", NULL},
    {"memory", decoder_memory, NULL, "Bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot decoder_slots[] = {
    {Py_tp_new, (void *)decoder_new},         {Py_tp_dealloc, (void *)decoder_free},
    {Py_tp_methods, (void *)decoder_methods}, {Py_tp_getset, (void *)decoder_attributes},
    {Py_tp_doc, "Decodes a baseline JPEG, as its bytes come, to planes."},
    {0, NULL},
};

PyType_Spec decoder_spec = {"vfa_kernels.JpegDecoder", sizeof(DecoderObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                   decoder_slots};
