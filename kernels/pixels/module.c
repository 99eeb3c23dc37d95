// vfa_kernels: its functions, its Unfilter, and the module itself.

#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "chroma_loss.h"
#include "objects.h"
#include "png_unfilter.h"

// ---- Unfilter ----

enum { LONGEST_ROW = 1 << 28, FEW = 2 * UNFILTER_SLACK };

typedef struct {
  PyObject head;
  int length, step;
  uint8_t *above, *row;  // with UNFILTER_SLACK behind them
} UnfilterObject;

static PyObject *unfilter_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"length", "step", NULL};
  int length, step;
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "ii", names, &length, &step)) return NULL;
  if (step < 1 || step > 8 || step == 5 || step == 7) return refuse("a pixel has 1, 2, 3, 4, 6 or 8 bytes");
  if (length < 1 || length > LONGEST_ROW || length % step) return refuse("a row is not of whole pixels, or too long");
  UnfilterObject *const self = made(type);
  if (!self) return NULL;
  self->length = length;
  self->step = step;
  self->above = calloc(1, (size_t)length + UNFILTER_SLACK);
  self->row = calloc(1, (size_t)length + UNFILTER_SLACK);
  if (self->above && self->row) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void unfilter_free(PyObject *self) {
  UnfilterObject *const object = (UnfilterObject *)self;
  free(object->above), free(object->row);
  release(self);
}

// Rows are undone where they go; the last one, and short ones, apart, for bytes behind a row are written too.
static bool undo_rows(UnfilterObject *self, const uint8_t *from, uint8_t *to, Py_ssize_t count) {
  const size_t length = (size_t)self->length;
  const uint8_t *above = self->above;
  for (Py_ssize_t each = 0; each < count; each++, from += 1 + length, to += length) {
    const bool apart = each == count - 1 || self->length < FEW;
    uint8_t *const row = apart ? self->row : to;
    memcpy(row, from + 1, length);
    if (each + 2 < count && !apart && from[0] == from[1 + length]) {
      memcpy(to + length, from + 2 + length, length);
      if (png_unfilter_pair(from[0], to, to + length, above, self->length, self->step)) {
        each++, from += 1 + length, to += length;
        above = to;
        continue;
      }
    }
    if (!png_unfilter(from[0], row, above, self->length, self->step)) return false;
    above = row;
    if (!apart) continue;
    memcpy(to, row, length);
    self->row = self->above;
    self->above = row;
  }
  return true;
}

static PyObject *unfilter_push(PyObject *self, PyObject *arguments) {
  UnfilterObject *const object = (UnfilterObject *)self;
  Py_buffer rows;
  if (!PyArg_ParseTuple(arguments, "y*", &rows)) return NULL;
  const Py_ssize_t count = rows.len / (object->length + 1);
  PyObject *result = NULL;
  if (rows.len % (object->length + 1)) {
    refuse("the rows are not whole");
  } else {
    result = PyBytes_FromStringAndSize(NULL, count * object->length);
    if (result && !undo_rows(object, rows.buf, (uint8_t *)PyBytes_AsString(result), count)) {
      Py_DecRef(result);
      result = refuse("there is no such filter");
    }
  }
  PyBuffer_Release(&rows);
  return result;
}

static PyMethodDef unfilter_methods[] = {
    {"push", unfilter_push, METH_VARARGS, "Rows with their filter bytes as rows without."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot unfilter_slots[] = {
    {Py_tp_new, (void *)unfilter_new},
    {Py_tp_dealloc, (void *)unfilter_free},
    {Py_tp_methods, (void *)unfilter_methods},
    {Py_tp_doc, "Undoes the filters of a PNG's rows."},
    {0, NULL},
};

static PyType_Spec unfilter_spec = {"vfa_kernels.Unfilter", sizeof(UnfilterObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                    unfilter_slots};

// ---- Chroma ----

static PyObject *loss(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_buffer cb, cr;
  int width, height;
  if (!PyArg_ParseTuple(arguments, "y*y*(ii)", &cb, &cr, &width, &height)) return NULL;
  PyObject *result = NULL;
  const bool fitting = width > 0 && height > 0 && width <= RESIZE_LONGEST_OUT && height <= RESIZE_LONGEST_OUT &&
                       cb.len == cr.len && cb.len / width == height && cb.len % width == 0;
  if (fitting) {
    const double levels = chroma_loss(cb.buf, cr.buf, width, height);
    result = levels < 0 ? PyErr_NoMemory() : Py_BuildValue("d", levels);
  } else {
    refuse("the planes are not of that size");
  }
  PyBuffer_Release(&cb);
  PyBuffer_Release(&cr);
  return result;
}

// 16 pixels at a time, through planes of this many.
enum { PART = 256 };

static void ycc(const uint8_t *from, Py_ssize_t count, int channels, uint8_t *to[3]) {
  uint8_t rgb[4 * PART], made_of[3][PART];
  for (Py_ssize_t at = 0; at < count; at += PART) {
    const int some = count - at < PART ? (int)(count - at) : PART;
    uint8_t *const planes[3] = {made_of[0], made_of[1], made_of[2]};
    uint8_t *mine[3] = {planes[0], planes[1], planes[2]};
    memset(rgb, 0, sizeof(rgb));
    split(from + at * channels, rgb, PART, some, channels);
    ycc_row(rgb, rgb + PART, rgb + 2 * PART, mine, some);
    for (int part = 0; part < 3; part++) memcpy(to[part] + at, planes[part], (size_t)some);
  }
}

static PyObject *ycc_planes(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_buffer rows;
  int channels;
  if (!PyArg_ParseTuple(arguments, "y*i", &rows, &channels)) return NULL;
  PyObject *planes[3] = {NULL, NULL, NULL}, *result = NULL;
  if ((channels != 3 && channels != 4) || rows.len % channels) {
    refuse("pixels are of 3 or 4 bytes, and whole");
  } else {
    for (int part = 0; part < 3; part++) planes[part] = PyBytes_FromStringAndSize(NULL, rows.len / channels);
    if (planes[0] && planes[1] && planes[2]) {
      uint8_t *to[3];
      for (int part = 0; part < 3; part++) to[part] = (uint8_t *)PyBytes_AsString(planes[part]);
      ycc(rows.buf, rows.len / channels, channels, to);
      result = Py_BuildValue("(OOO)", planes[0], planes[1], planes[2]);
    }
  }
  for (int part = 0; part < 3; part++)
    if (planes[part]) Py_DecRef(planes[part]);
  PyBuffer_Release(&rows);
  return result;
}

static PyMethodDef functions[] = {
    {"chroma_loss", loss, METH_VARARGS, "Levels that halving the chroma planes would cost."},
    {"ycc_planes", ycc_planes, METH_VARARGS, "Y, Cb and Cr of pixels of 3 or 4 bytes."},
    {NULL, NULL, 0, NULL},
};

// ---- The module ----

static int add_type(PyObject *module, const char *name, PyType_Spec *spec, PyObject **kept) {
  PyObject *const type = PyType_FromModuleAndSpec(module, spec, NULL);
  if (!type) return -1;
  const int status = PyModule_AddObjectRef(module, name, type);
  if (kept && !status)
    *kept = type;
  else
    Py_DecRef(type);
  return status;
}

static int execute(PyObject *module) {
  if (add_type(module, "Resizer", &resizer_spec, &resizer_type)) return -1;
  if (add_type(module, "JpegDecoder", &decoder_spec, NULL) || add_type(module, "JpegEncoder", &encoder_spec, NULL)) return -1;
  return add_type(module, "Unfilter", &unfilter_spec, NULL);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};

static PyModuleDef definition = {.reference_count = 1, .name = "vfa_kernels", .methods = functions, .slots = slots};

PyObject *PyInit_vfa_kernels(void);

__attribute__((visibility("default"))) PyObject *PyInit_vfa_kernels(void) { return PyModuleDef_Init(&definition); }
