// Reference for the time from a changed poll answer to the gateway's list: publish-to-consume and nothing else.
//
//   bare_broker URL STREAM MESSAGES BYTES PAUSE_MICROSECONDS
//
// Declares the stream, publishes with confirms on one connection, consumes on another, one message at a time;
// prints for each the microseconds from before the publish until it has been consumed.
#include <string.h>
#include <unistd.h>

#include "bare_amqp.h"

// Messages that come before those that count.
enum { WARM_UP = 20 };

static amqp_table_entry_t text(const char *key, const char *value) {
  return (amqp_table_entry_t){.key = amqp_cstring_bytes(key),
                              .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static amqp_table_entry_t number(const char *key, int64_t value) {
  return (amqp_table_entry_t){.key = amqp_cstring_bytes(key),
                              .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = value}};
}

// A stream with the arguments of the catalog's (BrokerMap), and an exchange of its name.
static void declare(amqp_connection_state_t connection, const char *stream) {
  amqp_bytes_t name = amqp_cstring_bytes(stream);
  amqp_table_entry_t entries[] = {text("x-queue-type", "stream"), text("x-max-age", "1D"),
                                  number("x-max-length-bytes", 2000000000),
                                  number("x-stream-max-segment-size-bytes", 16000000)};
  amqp_table_t arguments = {.num_entries = 4, .entries = entries};
  amqp_exchange_declare(connection, 1, name, amqp_cstring_bytes("direct"), 0, 1, 0, 0, amqp_empty_table);
  check(amqp_get_rpc_reply(connection), "declare exchange");
  amqp_queue_declare(connection, 1, name, 0, 1, 0, 0, arguments);
  check(amqp_get_rpc_reply(connection), "declare stream");
  amqp_queue_bind(connection, 1, name, name, amqp_empty_bytes, amqp_empty_table);
  check(amqp_get_rpc_reply(connection), "bind");
}

static void publish(amqp_connection_state_t connection, const char *stream, amqp_bytes_t body) {
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG,
                                        .delivery_mode = 2,
                                        .content_type = amqp_cstring_bytes("application/json")};
  if (amqp_basic_publish(connection, 1, amqp_cstring_bytes(stream), amqp_empty_bytes, 1, 0, &properties, body) !=
      AMQP_STATUS_OK)
    fail("publish");
}

static void wait_for_confirm(amqp_connection_state_t connection) {
  amqp_frame_t frame;
  if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK) fail("confirm");
  if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
    fail("the broker did not confirm");
  amqp_maybe_release_buffers(connection);
}

static void consume(amqp_connection_state_t connection) {
  amqp_envelope_t envelope;
  struct timeval limit = {.tv_sec = 10};
  check(amqp_consume_message(connection, &envelope, &limit, 0), "consume");
  amqp_basic_ack(connection, 1, envelope.delivery_tag, 0);
  amqp_destroy_envelope(&envelope);
  amqp_maybe_release_buffers(connection);
}

int main(int count, char **arguments) {
  if (count != 6) fail("usage: bare_broker URL STREAM MESSAGES BYTES PAUSE_MICROSECONDS");
  const char *stream = arguments[2];
  int messages = atoi(arguments[3]);
  amqp_bytes_t body = amqp_bytes_malloc(atoi(arguments[4]));
  memset(body.bytes, 'x', body.len);

  char *second_url = strdup(arguments[1]); // parsing writes into it
  amqp_connection_state_t publisher = connect_to(arguments[1]);
  amqp_connection_state_t consumer = connect_to(second_url);
  declare(publisher, stream);
  amqp_confirm_select(publisher, 1);
  check(amqp_get_rpc_reply(publisher), "confirms");
  subscribe(consumer, stream, "next", 100);

  for (int message = 0; message < messages + WARM_UP; message++) {
    int64_t start = now();
    publish(publisher, stream, body);
    consume(consumer);
    int64_t took = now() - start;
    wait_for_confirm(publisher);
    if (message >= WARM_UP) printf("%.1f\n", took / 1000.0);
    usleep(atoi(arguments[5]));
  }
  return 0;
}
