// What the two broker references share: a connection, a subscription to a stream, the clock, and how they fail.
#ifndef ROLLCALL_BARE_AMQP_H
#define ROLLCALL_BARE_AMQP_H
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static inline void check(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail(what);
}

// Nanoseconds of the monotonic clock.
static inline int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// A connection with one channel, number 1.
static inline amqp_connection_state_t connect_to(char *url) {
  struct amqp_connection_info info;
  if (amqp_parse_url(url, &info) != AMQP_STATUS_OK) fail("the broker's URL is not one");
  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  if (socket == NULL || amqp_socket_open(socket, info.host, info.port) != AMQP_STATUS_OK) fail("no broker there");
  const char *vhost = *info.vhost ? info.vhost : "/"; // of a URL that ends with a slash it is empty
  check(amqp_login(connection, vhost, 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, info.user, info.password), "login");
  amqp_channel_open(connection, 1);
  check(amqp_get_rpc_reply(connection), "channel");
  return connection;
}

// Consumes the stream from `offset` (next, first, or a time like 660s); the caller acknowledges.
static inline void subscribe(amqp_connection_state_t connection, const char *stream, const char *offset,
                             uint16_t prefetch) {
  amqp_basic_qos(connection, 1, 0, prefetch, 0);
  check(amqp_get_rpc_reply(connection), "prefetch");
  amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-stream-offset"),
                              .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(offset)}};
  amqp_table_t arguments = {.num_entries = 1, .entries = &entry};
  amqp_basic_consume(connection, 1, amqp_cstring_bytes(stream), amqp_empty_bytes, 0, 0, 0, arguments);
  check(amqp_get_rpc_reply(connection), "subscribe");
}
#endif
