#ifndef ROLLCALL_CTHREADS_SHIM_H
#define ROLLCALL_CTHREADS_SHIM_H
#include <sys/eventfd.h>
#include <sys/prctl.h>

// eventfd is not in the Glibc module.
static inline int rollcall_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// prctl is variadic, and Swift imports no variadic functions. Names the calling thread; Linux keeps 15 bytes.
static inline void rollcall_set_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
#endif
