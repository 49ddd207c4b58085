/* Atomic words in shared memory for CPython: loads that acquire, stores that release, and a full fence.
 *
 * CPython orders no access to memory. `memoryview` loads and stores a word by memcpy(3), which is one plain instruction:
 * x86-64 keeps the order of plain stores and of plain loads (Intel SDM 3A, 9.2), AArch64 keeps neither (Arm ARM, B2.3).
 * C11 (7.17) has what is missing. GCC makes of it, for AArch64 and for x86-64:
 *
 *     load_acquire    ldar       mov        no later access is done before it
 *     store_release   stlr       mov        no earlier access is done after it
 *     fence           dmb ish    lock or    both, and no later load is done before an earlier store
 *
 * Only the stable ABI is used, so one build serves every Python from 3.11 on: see `build`.
 */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>
#include <stdint.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(_Atomic uint64_t) == 8, "a word of 8 bytes must be lock-free");

typedef struct {
    PyObject_HEAD
    Py_buffer view;
    _Atomic uint64_t *words; /* NULL once released */
    Py_ssize_t count;
} AtomicWords;

static PyObject *new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"memory", NULL};
    PyObject *memory;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O:AtomicWords", names, &memory)) {
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    AtomicWords *self = (AtomicWords *)allocate(type, 0);
    if (self == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(memory, &self->view, PyBUF_WRITABLE) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    self->words = self->view.buf;
    self->count = self->view.len / (Py_ssize_t)sizeof(uint64_t);
    if ((uintptr_t)self->view.buf % sizeof(uint64_t) != 0) {
        PyErr_SetString(PyExc_ValueError, "the memory does not begin at a multiple of 8 bytes");
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *release(PyObject *object, PyObject *unused)
{
    AtomicWords *self = (AtomicWords *)object;
    (void)unused;
    if (self->words != NULL) {
        self->words = NULL;
        PyBuffer_Release(&self->view);
    }
    Py_RETURN_NONE;
}

static void deallocate(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc free_memory = (freefunc)PyType_GetSlot(type, Py_tp_free);
    Py_DECREF(release(object, NULL));
    free_memory(object);
    Py_DECREF(type);
}

/* The word at `index`, or NULL and an exception. */
static _Atomic uint64_t *word_at(PyObject *object, PyObject *index)
{
    AtomicWords *self = (AtomicWords *)object;
    Py_ssize_t at = PyLong_AsSsize_t(index);
    if (at == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (self->words == NULL) {
        PyErr_SetString(PyExc_ValueError, "the words were released");
        return NULL;
    }
    if (at < 0 || at >= self->count) {
        PyErr_Format(PyExc_IndexError, "word %zd of %zd", at, self->count);
        return NULL;
    }
    return &self->words[at];
}

static PyObject *load_acquire(PyObject *object, PyObject *index)
{
    _Atomic uint64_t *word = word_at(object, index);
    if (word == NULL) {
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(atomic_load_explicit(word, memory_order_acquire));
}

static PyObject *store_release(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "store_release takes an index and a value, got %zd arguments", count);
        return NULL;
    }
    _Atomic uint64_t *word = word_at(object, arguments[0]);
    if (word == NULL) {
        return NULL;
    }
    unsigned long long value = PyLong_AsUnsignedLongLong(arguments[1]);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) {
        return NULL;
    }
    atomic_store_explicit(word, value, memory_order_release);
    Py_RETURN_NONE;
}

static PyObject *fence(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    atomic_thread_fence(memory_order_seq_cst);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"load_acquire", load_acquire, METH_O, "load_acquire(index) -> int"},
    {"store_release", (PyCFunction)(void (*)(void))store_release, METH_FASTCALL, "store_release(index, value)"},
    {"release", release, METH_NOARGS, "Let go of the memory. Idempotent."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Unsigned words of 8 bytes in writable memory, each loaded and stored in one piece."},
    {Py_tp_new, new},
    {Py_tp_dealloc, deallocate},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec specification = {
    "ipclab_atomics.AtomicWords", sizeof(AtomicWords), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots,
};

static int execute(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&specification);
    if (type == NULL) {
        return -1;
    }
    int failed = PyModule_AddObjectRef(module, "AtomicWords", type);
    Py_DECREF(type);
    return failed;
}

static PyMethodDef functions[] = {
    {"fence", fence, METH_NOARGS, "No access after it is done before one ahead of it."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "ipclab_atomics",
    .m_methods = functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_ipclab_atomics(void)
{
    return PyModuleDef_Init(&definition);
}
