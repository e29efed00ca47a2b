// An inference server and its clients in one process, with a proxy between them: both ends of a chunk's way are known.
//
//   chat_load serve LISTEN_PORT
//     Answers each POST with a small chat completion.
//   chat_load chunks LISTEN_PORT PROXY_PORT MODEL STREAMS SECONDS
//     Streams with one chunk under way in each: the next is sent when the last has come, so that none is read together
//     with another. Prints chunks a second, and p50 and p99 of a chunk's way in microseconds.
//   chat_load streams LISTEN_PORT PROXY_PORT MODEL STREAMS CHUNKS INTERVAL_MILLISECONDS
//     Streams that are all open at once and have CHUNKS chunks each. Prints the chunks lost or out of order, the
//     streams that did not end as they should, p50 and p99.
//
// A PROXY_PORT that is LISTEN_PORT measures the way without a proxy.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_LIMIT = 16384, LINE_LIMIT = 1024, OPENING_AT_ONCE = 64, TICK_MILLISECONDS = 5 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now(void) { // nanoseconds
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/// What a stream has sent and what of it has come.
struct stream {
  struct connection *server;
  long sent, came, next; // the sequence that comes next
  int64_t sent_at, due;
  int started, ended;
};

/// One end of a connection: of the server where it was accepted, else of a client.
struct connection {
  int socket, is_client;
  struct stream *stream;
  char *request; // of a server's end
  size_t length;
  enum { HEAD, SIZE, DATA, LINE_BREAK, RAW } place; // of a client's end: RFC 9112, section 7.1
  int is_chunked;
  size_t left;
  char line[LINE_LIMIT];
  size_t line_length;
};

static int polled, listening, proxy_port;
static const char *model;
static struct stream *streams;
static long stream_count, chunk_count, opened, started, ended;
static int64_t interval;
static int closed_loop;
static long came, out_of_order, broken;
static uint32_t *ways; // microseconds
static size_t way_count, way_room;

static void watch(struct connection *connection) {
  int on = 1;
  setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(polled, EPOLL_CTL_ADD, connection->socket, &event) != 0) fail("epoll_ctl");
}

static void drop(struct connection *connection) {
  if (connection->stream != NULL && connection->stream->server == connection) connection->stream->server = NULL;
  close(connection->socket);
  free(connection->request);
  free(connection);
}

// Everything that is sent is far smaller than a socket's buffer; where it does not fit, the peer has stopped reading.
static void put(struct connection *connection, const char *bytes, size_t length) {
  if (send(connection->socket, bytes, length, MSG_NOSIGNAL) != (ssize_t)length && connection->stream != NULL)
    broken++;
}

static struct sockaddr_in address(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// The server

static void send_chunk(struct stream *stream) {
  char event[512], chunk[600];
  int is_last = stream->sent + 1 == chunk_count;
  stream->sent_at = now();
  int length = snprintf(event, sizeof event,
                        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                        "\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},"
                        "\"finish_reason\":%s}],\"sequence\":%ld,\"sent_at\":%lld}\n\n%s",
                        model, is_last ? "\"length\"" : "null", stream->sent, (long long)stream->sent_at,
                        is_last ? "data: [DONE]\n\n" : "");
  length = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n%s", length, event, is_last ? "0\r\n\r\n" : "");
  stream->sent++;
  put(stream->server, chunk, length);
}

static void answer(struct connection *connection, const char *body) {
  if (strstr(body, "\"stream\":true") == NULL) {
    static const char json[] =
        "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"bench\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hello from the bench\"},"
        "\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13}}";
    char text[1024];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          sizeof json - 1, json);
    put(connection, text, length);
    return;
  }
  const char *user = strstr(body, "\"user\":\"");
  long number = user == NULL ? -1 : atol(user + 8);
  if (number < 0 || number >= stream_count) {
    fprintf(stderr, "a stream that nobody has asked for\n");
    exit(1);
  }
  connection->stream = &streams[number];
  connection->stream->server = connection;
  static const char head[] =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  put(connection, head, sizeof head - 1);
  send_chunk(connection->stream);
}

// Answers what has come as a whole.
static void serve(struct connection *connection) {
  for (;;) {
    connection->request[connection->length] = 0;
    char *end = strstr(connection->request, "\r\n\r\n");
    if (end == NULL) return;
    char *field = strcasestr(connection->request, "\r\nContent-Length:");
    size_t head = end + 4 - connection->request, body = field != NULL && field < end ? atol(field + 17) : 0;
    if (head + body >= REQUEST_LIMIT) fail("a request is too long");
    if (connection->length < head + body) return;
    char kept = end[4 + body];
    end[4 + body] = 0;
    answer(connection, end + 4);
    end[4 + body] = kept;
    connection->length -= head + body;
    memmove(connection->request, connection->request + head + body, connection->length);
  }
}

static void accept_all(void) {
  for (int socket; (socket = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    struct connection *connection = calloc(1, sizeof *connection);
    connection->socket = socket;
    connection->request = malloc(REQUEST_LIMIT + 1);
    watch(connection);
  }
}

static void read_request(struct connection *connection) {
  ssize_t count =
      recv(connection->socket, connection->request + connection->length, REQUEST_LIMIT - connection->length, 0);
  if (count > 0) {
    connection->length += count;
    serve(connection);
  } else if (count == 0 || errno != EAGAIN) {
    drop(connection);
  }
}

/// The clients

static void open_client(void) {
  long number = opened++;
  struct connection *connection = calloc(1, sizeof *connection);
  connection->is_client = 1;
  connection->stream = &streams[number];
  struct sockaddr_in proxy = address(proxy_port);
  connection->socket = socket(AF_INET, SOCK_STREAM, 0);
  // On the loopback this does not wait for anybody: the kernel accepts.
  if (connect(connection->socket, (struct sockaddr *)&proxy, sizeof proxy) != 0) fail("connect");
  fcntl(connection->socket, F_SETFL, O_NONBLOCK);
  watch(connection);
  char body[512], request[1024];
  int length = snprintf(body, sizeof body,
                        "{\"model\":\"%s\",\"stream\":true,\"user\":\"%ld\","
                        "\"messages\":[{\"role\":\"user\",\"content\":\"Say something.\"}]}",
                        model, number);
  length = snprintf(request, sizeof request,
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                    "Content-Length: %d\r\n\r\n%s",
                    proxy_port, length, body);
  put(connection, request, length);
}

static void note_way(int64_t nanoseconds) {
  if (way_count == way_room) {
    way_room = way_room == 0 ? 1 << 16 : 2 * way_room;
    ways = realloc(ways, way_room * sizeof *ways);
    if (ways == NULL) fail("realloc");
  }
  ways[way_count++] = nanoseconds / 1000;
}

static void take_line(struct connection *connection) {
  struct stream *stream = connection->stream;
  connection->line[connection->line_length] = 0;
  connection->line_length = 0;
  if (strncmp(connection->line, "data: ", 6) != 0) return;
  if (strcmp(connection->line, "data: [DONE]") == 0) {
    if (stream->came != chunk_count || stream->ended) broken++;
    stream->ended = 1;
    ended++;
    return;
  }
  const char *sequence = strstr(connection->line, "\"sequence\":"), *sent = strstr(connection->line, "\"sent_at\":");
  // A gap is a loss, which the number of those that came shows; what comes late or twice is out of order.
  if (sequence == NULL || sent == NULL || atol(sequence + 11) < stream->next) out_of_order++;
  if (sequence != NULL) stream->next = atol(sequence + 11) + 1;
  if (sent != NULL) note_way(now() - atoll(sent + 10));
  stream->came++;
  came++;
  if (!stream->started) {
    stream->started = 1;
    started++;
  }
  if (closed_loop && stream->server != NULL) send_chunk(stream);
}

static void take_body(struct connection *connection, char byte) {
  if (byte == '\n') {
    take_line(connection);
  } else if (connection->line_length < LINE_LIMIT - 1) {
    connection->line[connection->line_length++] = byte;
  }
}

static void end_head(struct connection *connection, const char *line) {
  if (*line != 0) {
    if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0) connection->is_chunked = 1;
    if (strncmp(line, "HTTP/1.1 ", 9) == 0 && atoi(line + 9) != 200) {
      fprintf(stderr, "%s\n", line);
      exit(1);
    }
    return;
  }
  connection->place = connection->is_chunked ? SIZE : RAW;
}

static void take(struct connection *connection, char byte) {
  switch (connection->place) {
  case RAW: take_body(connection, byte); return;
  case DATA:
    take_body(connection, byte);
    if (--connection->left == 0) connection->place = LINE_BREAK;
    return;
  case LINE_BREAK:
    if (byte == '\n') connection->place = SIZE;
    return;
  case SIZE:
    // An event may be cut by a chunk's end: its line is kept, and the size is counted as it comes.
    if (byte == '\n') {
      connection->place = connection->left > 0 ? DATA : LINE_BREAK;
    } else if (byte != '\r') {
      int digit = byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10;
      connection->left = connection->left * 16 + digit;
    }
    return;
  case HEAD:
    if (byte == '\n') {
      connection->line[connection->line_length] = 0;
      connection->line_length = 0;
      end_head(connection, connection->line);
    } else if (byte != '\r' && connection->line_length < LINE_LIMIT - 1) {
      connection->line[connection->line_length++] = byte;
    }
  }
}

static void read_answer(struct connection *connection) {
  char bytes[16384];
  ssize_t count = recv(connection->socket, bytes, sizeof bytes, 0);
  if (count > 0) {
    for (ssize_t index = 0; index < count; index++) take(connection, bytes[index]);
  } else if (count == 0 || errno != EAGAIN) {
    if (!connection->stream->ended) {
      broken++;
      ended++;
      connection->stream->ended = 1;
    }
    drop(connection);
  }
}

/// The runs

// Sends what is due once every stream is open; each has its own phase.
static void pace(void) {
  if (closed_loop || started < stream_count) return;
  int64_t time = now();
  for (long number = 0; number < stream_count; number++) {
    struct stream *stream = &streams[number];
    if (stream->due == 0) stream->due = time + interval * number / stream_count;
    if (stream->due > time || stream->server == NULL || stream->sent >= chunk_count) continue;
    send_chunk(stream);
    stream->due += interval;
  }
}

static void turn(void) {
  struct epoll_event events[512];
  int count = epoll_wait(polled, events, 512, TICK_MILLISECONDS);
  for (int index = 0; index < count; index++) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) {
      accept_all();
    } else if (connection->is_client) {
      read_answer(connection);
    } else {
      read_request(connection);
    }
  }
  while (opened < stream_count && opened - started < OPENING_AT_ONCE) open_client();
}

static int ascending(const void *one, const void *other) {
  uint32_t left = *(const uint32_t *)one, right = *(const uint32_t *)other;
  return (left > right) - (left < right);
}

static uint32_t percentile(int part) { return way_count == 0 ? 0 : ways[(way_count - 1) * part / 100]; }

static void run_chunks(double seconds) {
  closed_loop = 1;
  chunk_count = INT64_MAX;
  int64_t limit = now() + 30 * 1000000000LL;
  while (started < stream_count && now() < limit) turn();
  // A moment to warm up.
  for (int64_t warm = now() + 500000000LL; now() < warm;) turn();
  long before = came;
  way_count = 0;
  int64_t from = now(), to = from + seconds * 1e9;
  while (now() < to) turn();
  double took = (now() - from) / 1e9;
  long measured = came - before, under_way = stream_count;
  // What is under way arrives; what does not was lost.
  closed_loop = 0;
  for (int64_t end = now() + 2000000000LL; under_way > 0 && now() < end;) {
    turn();
    under_way = 0;
    for (long number = 0; number < stream_count; number++) under_way += streams[number].sent - streams[number].came;
  }
  qsort(ways, way_count, sizeof *ways, ascending);
  if (broken + out_of_order + under_way > 0 || started < stream_count) {
    fprintf(stderr, "%ld streams of %ld, %ld broken; of the chunks %ld lost, %ld out of order\n", started,
            stream_count, broken, under_way, out_of_order);
    exit(1);
  }
  printf("%.0f %u %u\n", measured / took, percentile(50), percentile(99));
}

static void run_streams(void) {
  int64_t limit = now() + chunk_count * interval + 30 * 1000000000LL;
  int64_t tick = 0;
  while (ended < stream_count && now() < limit) {
    turn();
    if (now() - tick < TICK_MILLISECONDS * 1000000LL) continue;
    tick = now();
    pace();
  }
  qsort(ways, way_count, sizeof *ways, ascending);
  long lost = stream_count * chunk_count - came;
  printf("%ld %ld %u %u\n", lost + out_of_order, broken + stream_count - ended, percentile(50), percentile(99));
}

int main(int count, char **arguments) {
  int serves = count == 3 && strcmp(arguments[1], "serve") == 0;
  int loops = count == 7 && strcmp(arguments[1], "chunks") == 0;
  int paces = count == 8 && strcmp(arguments[1], "streams") == 0;
  if (!serves && !loops && !paces) {
    fprintf(stderr, "usage: see the head of chat_load.c\n");
    return 64;
  }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  polled = epoll_create1(0);
  listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in here = address(atoi(arguments[2]));
  if (bind(listening, (struct sockaddr *)&here, sizeof here) != 0) fail("bind");
  if (listen(listening, 4096) != 0) fail("listen");
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(polled, EPOLL_CTL_ADD, listening, &event);
  if (serves)
    for (;;) turn();
  proxy_port = atoi(arguments[3]);
  model = arguments[4];
  stream_count = atol(arguments[5]);
  streams = calloc(stream_count, sizeof *streams);
  if (loops) {
    run_chunks(atof(arguments[6]));
  } else {
    chunk_count = atol(arguments[6]);
    interval = atol(arguments[7]) * 1000000LL;
    run_streams();
  }
  return 0;
}
