// What Swift cannot call of libcurl by itself. `curl_easy_setopt`, `curl_easy_getinfo`, and `curl_multi_setopt` are
// variadic, and Swift does not import variadic C functions; in C they are unchecked too: an `int` where a `long` is
// read is undefined behaviour. Each function here fixes the type of the third argument to one that the option's
// manual page names. The parentheses around the callee keep curl's type-checking macros out of the way, which need the
// option to be a constant.
#ifndef ROLLCALL_CCURL_SHIM_H
#define ROLLCALL_CCURL_SHIM_H
#include <curl/curl.h>
#include <linux/memfd.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

// Options below 10000 (CURLOPTTYPE_LONG, CURLOPTTYPE_VALUES): read as `long`.
static inline CURLcode rollcall_easy_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

// Options from 30000 on (CURLOPTTYPE_OFF_T): read as `curl_off_t`, 64 bits everywhere.
static inline CURLcode rollcall_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}

// CURLOPTTYPE_STRINGPOINT: libcurl copies the string, so a temporary of Swift's will do.
static inline CURLcode rollcall_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

// CURLOPTTYPE_OBJECTPOINT and CURLOPTTYPE_CBPOINT: libcurl keeps the pointer, it must outlive the transfer. Also for
// CURLOPT_COPYPOSTFIELDS, which copies as many bytes as CURLOPT_POSTFIELDSIZE_LARGE said before.
static inline CURLcode rollcall_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return (curl_easy_setopt)(easy, option, value);
}

// CURLOPTTYPE_SLISTPOINT: libcurl keeps the list, it must outlive the transfer.
static inline CURLcode rollcall_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return (curl_easy_setopt)(easy, option, value);
}

// CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION, and CURLOPT_READFUNCTION: one signature for the three.
static inline CURLcode rollcall_easy_set_data_function(CURL *easy, CURLoption option, curl_write_callback function) {
    return (curl_easy_setopt)(easy, option, function);
}

// CURLOPT_PREREQFUNCTION: called before the request is sent.
static inline CURLcode rollcall_easy_set_prerequest_function(CURL *easy, curl_prereq_callback function) {
    return (curl_easy_setopt)(easy, CURLOPT_PREREQFUNCTION, function);
}

// CURLOPT_SEEKFUNCTION: how libcurl goes back to the start of a body that it has to send again.
static inline CURLcode rollcall_easy_set_seek_function(CURL *easy, curl_seek_callback function) {
    return (curl_easy_setopt)(easy, CURLOPT_SEEKFUNCTION, function);
}

// CURLINFO_LONG: writes a `long`.
static inline CURLcode rollcall_easy_get_long(CURL *easy, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

// CURLINFO_OFF_T: writes a `curl_off_t`.
static inline CURLcode rollcall_easy_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return (curl_easy_getinfo)(easy, info, value);
}

// CURLINFO_STRING: lends a string that lives until the handle is next used.
static inline CURLcode rollcall_easy_get_string(CURL *easy, CURLINFO info, const char **value) {
    return (curl_easy_getinfo)(easy, info, value);
}

// CURLINFO_PRIVATE: gives back what CURLOPT_PRIVATE took.
static inline CURLcode rollcall_easy_get_private(CURL *easy, void **value) {
    return (curl_easy_getinfo)(easy, CURLINFO_PRIVATE, value);
}

// Options of a multi handle below 10000: read as `long`.
static inline CURLMcode rollcall_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

// CURLMOPT_SOCKETFUNCTION: which sockets libcurl waits for, and for what.
static inline CURLMcode rollcall_multi_set_socket_function(CURLM *multi, curl_socket_callback function) {
    return (curl_multi_setopt)(multi, CURLMOPT_SOCKETFUNCTION, function);
}

// CURLMOPT_TIMERFUNCTION: when it wants to be called all the same.
static inline CURLMcode rollcall_multi_set_timer_function(CURLM *multi, curl_multi_timer_callback function) {
    return (curl_multi_setopt)(multi, CURLMOPT_TIMERFUNCTION, function);
}

// CURLMOPT_SOCKETDATA and CURLMOPT_TIMERDATA: libcurl keeps the pointer, it must outlive the handle.
static inline CURLMcode rollcall_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return (curl_multi_setopt)(multi, option, value);
}

// The result sits in an anonymous union beside a pointer; read here, the right member is read. Valid for CURLMSG_DONE.
static inline CURLcode rollcall_message_result(const CURLMsg *message) {
    return message->data.result;
}

// A file in memory. The C library shows `memfd_create` only with GNU extensions, which not every importer turns on.
static inline int rollcall_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC); }

// Swift imports the flags of epoll as constants of another type than the function takes.
static inline int rollcall_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

#endif
