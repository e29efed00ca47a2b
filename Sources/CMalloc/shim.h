// The part of the C library's allocator that Swift's own module of the library leaves out.
#ifndef ROLLCALL_CMALLOC_SHIM_H
#define ROLLCALL_CMALLOC_SHIM_H
#include <malloc.h>
#endif
