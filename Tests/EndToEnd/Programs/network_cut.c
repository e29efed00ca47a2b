/* Cuts a process off from every TCP port of the network but one, as a broken route would.
 *
 * Preloaded into a poller. While the file named by NETWORK_CUT_FILE exists, connecting, sending, and receiving fail
 * with ENETUNREACH, except to and from the port in NETWORK_CUT_SPARE (the broker's).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int is_cut_address(const struct sockaddr *address) {
  const char *file = getenv("NETWORK_CUT_FILE"), *spare = getenv("NETWORK_CUT_SPARE");
  int port;
  if (address->sa_family == AF_INET)
    port = ntohs(((const struct sockaddr_in *)address)->sin_port);
  else if (address->sa_family == AF_INET6)
    port = ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
  else
    return 0;
  return file && access(file, F_OK) == 0 && !(spare && port == atoi(spare));
}

static int is_cut(int descriptor) {
  int saved = errno;
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  int cut = getpeername(descriptor, (struct sockaddr *)&peer, &length) == 0 && is_cut_address((struct sockaddr *)&peer);
  errno = saved;
  return cut;
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (!real) real = dlsym(RTLD_NEXT, "connect");
  if (is_cut_address(address)) {
    errno = ENETUNREACH;
    return -1;
  }
  return real(descriptor, address, length);
}

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
  static ssize_t (*real)(int, const void *, size_t, int);
  if (!real) real = dlsym(RTLD_NEXT, "send");
  if (is_cut(descriptor)) {
    errno = ENETUNREACH;
    return -1;
  }
  return real(descriptor, bytes, count, flags);
}

ssize_t recv(int descriptor, void *bytes, size_t count, int flags) {
  static ssize_t (*real)(int, void *, size_t, int);
  if (!real) real = dlsym(RTLD_NEXT, "recv");
  if (is_cut(descriptor)) {
    errno = ENETUNREACH;
    return -1;
  }
  return real(descriptor, bytes, count, flags);
}
