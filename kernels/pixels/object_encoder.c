// vfa_kernels.JpegEncoder.

#include <string.h>

#include "jpeg_encode.h"
#include "objects.h"

enum { LONGEST_JPEG_EDGE = 65500 };  // of libjpeg

typedef struct {
  PyObject head;
  JpegForm form;
  int width;
  JpegEncoder *encoder;
} EncoderObject;

// Bytes of a pixel of each form's rows, and how many buffers they come in.
static const char *const FORMS[] = {"grey", "planes", "halved planes", "RGB", "RGBX"};
static const int CHANNELS[] = {1, 1, 1, 3, 4}, BUFFERS[] = {1, 3, 3, 1, 1};

static PyObject *encoder_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"size", "quality", "halved", "form", NULL};
  int width, height, quality, halved = 1, form = 0;
  const char *name = "planes";
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "(ii)i|ps", names, &width, &height, &quality, &halved, &name))
    return NULL;
  while (form <= FORM_RGBX && strcmp(FORMS[form], name) != 0) form++;
  if (form > FORM_RGBX) return refuse("there is no such form");
  if (width < 1 || height < 1 || width > LONGEST_JPEG_EDGE || height > LONGEST_JPEG_EDGE)
    return refuse("edges are 1 to 65,500");
  if (quality < 1 || quality > 100) return refuse("quality is 1 to 100");
  if (form == FORM_HALVED_PLANES && !halved) return refuse("halved planes cannot be stored in full");
  EncoderObject *const self = made(type);
  if (!self) return NULL;
  self->form = (JpegForm)form;
  self->width = width;
  self->encoder = jpeg_encoder_open(width, height, quality, halved, self->form);
  if (self->encoder) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void encoder_free(PyObject *self) {
  EncoderObject *const object = (EncoderObject *)self;
  if (object->encoder) jpeg_encoder_close(object->encoder);
  release(self);
}

static PyObject *written(const EncoderObject *self) {
  PyObject *const bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)jpeg_encoder_written(self->encoder));
  if (bytes) jpeg_encoder_take(self->encoder, (uint8_t *)PyBytes_AsString(bytes));
  return bytes;
}

// How many rows the buffers have; negative: they do not fit the form or each other, which an error says.
static int rows_of(const EncoderObject *self, const Py_buffer *buffers) {
  const Py_ssize_t line = (Py_ssize_t)self->width * CHANNELS[self->form], count = buffers[0].len / line;
  const int missing = jpeg_encoder_missing(self->encoder);
  bool whole = buffers[0].len % line == 0, even = true;
  if (self->form == FORM_PLANES) whole &= buffers[1].len == buffers[0].len && buffers[2].len == buffers[0].len;
  if (self->form == FORM_HALVED_PLANES) {
    const Py_ssize_t half = (count + 1) / 2 * ((self->width + 1) / 2);
    whole &= buffers[1].len == half && buffers[2].len == half;
    even = count % 2 == 0 || count == missing;
  }
  if (count <= missing && whole && even) return (int)count;
  refuse(count > missing ? "more rows than the picture has" : whole ? "the rows are odd" : "the rows are not whole");
  return -1;
}

static PyObject *encoder_push(PyObject *self, PyObject *arguments) {
  EncoderObject *const object = (EncoderObject *)self;
  Py_buffer buffers[3];
  const int wanted = BUFFERS[object->form];
  if (!PyArg_ParseTuple(arguments, wanted == 3 ? "y*y*y*" : "y*", &buffers[0], &buffers[1], &buffers[2])) return NULL;
  const int count = rows_of(object, buffers);
  const uint8_t *rows[3] = {buffers[0].buf, NULL, NULL};
  for (int each = 1; each < wanted; each++) rows[each] = buffers[each].buf;
  PyObject *result = NULL;
  if (count >= 0) result = jpeg_encode(object->encoder, rows, count) ? written(object) : PyErr_NoMemory();
  for (int each = 0; each < wanted; each++) PyBuffer_Release(&buffers[each]);
  return result;
}

static PyObject *encoder_missing(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", jpeg_encoder_missing(((EncoderObject *)self)->encoder));
}

static PyObject *encoder_memory(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("n", (Py_ssize_t)jpeg_encoder_memory(((EncoderObject *)self)->encoder));
}

static PyMethodDef encoder_methods[] = {
    {"push", encoder_push, METH_VARARGS, "Take the next rows: the bytes that are written by now."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef encoder_attributes[] = {
    {"missing", encoder_missing, NULL, "Rows that have not come.", NULL},
    {"memory", encoder_memory, NULL, "Bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot encoder_slots[] = {
    {Py_tp_new, (void *)encoder_new},         {Py_tp_dealloc, (void *)encoder_free},
    {Py_tp_methods, (void *)encoder_methods}, {Py_tp_getset, (void *)encoder_attributes},
    {Py_tp_doc, "Writes a baseline JPEG from rows."},
    {0, NULL},
};

PyType_Spec encoder_spec = {"vfa_kernels.JpegEncoder", sizeof(EncoderObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                   encoder_slots};
