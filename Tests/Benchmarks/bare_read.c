// Reference for the time until a new gateway is ready: reads the same window of the stream and decodes nothing.
//
//   bare_read URL STREAM OFFSET MESSAGES
//
// Prints the milliseconds from the start of this program until MESSAGES have been read, and their bytes.
#include "bare_amqp.h"

enum { PREFETCH = 1000, ACKNOWLEDGE_EVERY = 250 };

int main(int count, char **arguments) {
  int64_t start = now();
  if (count != 5) fail("usage: bare_read URL STREAM OFFSET MESSAGES");
  long messages = atol(arguments[4]);
  amqp_connection_state_t connection = connect_to(arguments[1]);
  subscribe(connection, arguments[2], arguments[3], PREFETCH);

  size_t bytes = 0;
  for (long message = 1; message <= messages; message++) {
    amqp_envelope_t envelope;
    struct timeval limit = {.tv_sec = 30};
    check(amqp_consume_message(connection, &envelope, &limit, 0), "consume");
    bytes += envelope.message.body.len;
    if (message % ACKNOWLEDGE_EVERY == 0) amqp_basic_ack(connection, 1, envelope.delivery_tag, 1);
    amqp_destroy_envelope(&envelope);
    amqp_maybe_release_buffers(connection);
  }
  printf("%.0f %zu\n", (now() - start) / 1e6, bytes);
  return 0;
}
