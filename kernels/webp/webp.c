// vfa_webp: a WebP's picture as rows, from top to bottom.
//
// Pillow's decoder takes 12 bytes a pixel, so that a picture of 6 megapixels no longer fits beside Python. This one takes
// the packed bytes and a few MiB, whatever the size; rows.c says how.

#include "python.h"
#include "rows.h"

#include <stdlib.h>

static const char NAME[] = "vfa_webp.rows";

typedef struct {
  Py_buffer pixels, alpha;
  Rows *rows;
} Opened;

static void release(Opened *opened) {
  if (opened->rows) rows_close(opened->rows);
  PyBuffer_Release(&opened->pixels);
  PyBuffer_Release(&opened->alpha);
  free(opened);
}

static void destroy(PyObject *capsule) { release(PyCapsule_GetPointer(capsule, NAME)); }

static PyObject *fail(RowsStatus status) {
  if (status == ROWS_NO_MEMORY) return PyErr_NoMemory();
  PyErr_SetString(PyExc_ValueError, "the picture is broken");
  return NULL;
}

static PyObject *open_rows(PyObject *self, PyObject *arguments) {
  (void)self;
  Opened *const opened = calloc(1, sizeof(Opened));
  if (!opened) return PyErr_NoMemory();
  int lossless, width, height, channels;
  Py_ssize_t room;
  if (!PyArg_ParseTuple(arguments, "y*y*piiin", &opened->pixels, &opened->alpha, &lossless, &width, &height, &channels,
                        &room)) {
    free(opened);  // the buffers were released
    return NULL;
  }
  const Span pixels = {opened->pixels.buf, (size_t)opened->pixels.len};
  const Span alpha = {opened->alpha.buf, (size_t)opened->alpha.len};
  const RowsStatus status = rows_open(&opened->rows, pixels, alpha, lossless, width, height, channels,
                                      room < 0 ? 0 : (size_t)room);
  PyObject *const capsule = status == ROWS_OK ? PyCapsule_New(opened, NAME, destroy) : fail(status);
  if (!capsule) release(opened);
  return capsule;
}

static PyObject *next_rows(PyObject *self, PyObject *arguments) {
  (void)self;
  PyObject *capsule;
  int count;
  if (!PyArg_ParseTuple(arguments, "Oi", &capsule, &count)) return NULL;
  Opened *const opened = PyCapsule_GetPointer(capsule, NAME);
  if (!opened) return NULL;
  if (count < 0) count = 0;
  if (count > rows_left(opened->rows)) count = rows_left(opened->rows);
  PyObject *const bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((size_t)count * rows_length(opened->rows)));
  if (!bytes) return NULL;
  const RowsStatus status = rows_next(opened->rows, count, (uint8_t *)PyBytes_AsString(bytes));
  if (status == ROWS_OK) return bytes;
  Py_DecRef(bytes);
  return fail(status);
}

static PyObject *most(PyObject *self, PyObject *arguments) {
  (void)self;
  PyObject *capsule;
  if (!PyArg_ParseTuple(arguments, "O", &capsule)) return NULL;
  Opened *const opened = PyCapsule_GetPointer(capsule, NAME);
  return opened ? Py_BuildValue("n", (Py_ssize_t)rows_most(opened->rows)) : NULL;
}

static PyMethodDef methods[] = {
    {"open", open_rows, METH_VARARGS,
     "open(pixels: Buffer, alpha: Buffer, lossless: bool, width: int, height: int, channels: int, room: int) -> object\n\n"
     "A decoder of what a VP8 or (lossless) VP8L chunk holds, and an ALPH chunk, or b''. It takes `room` bytes at most.\n"
     "ValueError: the data are broken, or of another size. MemoryError: more room is needed."},
    {"rows", next_rows, METH_VARARGS,
     "rows(decoder: object, count: int) -> bytes\n\n"
     "The next rows, `count` or what is left of them: 3 or 4 bytes a pixel, as `channels` said.\n"
     "ValueError: the data are broken or cut short. MemoryError: more room is needed."},
    {"most", most, METH_VARARGS, "most(decoder: object) -> int\n\nHow many bytes it took at the peak."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {.reference_count = 1, .name = "vfa_webp", .methods = methods};

PyObject *PyInit_vfa_webp(void);

__attribute__((visibility("default"))) PyObject *PyInit_vfa_webp(void) { return PyModuleDef_Init(&definition); }
